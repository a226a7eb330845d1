package httpd

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// door is a listener that lets in everybody who waits before it shuts. Closing a
// listener resets connections that the kernel has accepted and the program has
// not; at hundreds of requests a second there often is one.
type door struct {
	net.Listener
	// shutting and waiting, who was found at the end, are of the goroutine that
	// accepts.
	shutting bool
	waiting  []net.Conn

	empty   chan struct{} // closed when all who waited are in
	closed  chan struct{}
	emptied sync.Once
	end     sync.Once
	bolt    sync.Once
	failure error // of the closing
}

func newDoor(l net.Listener) *door {
	return &door{Listener: l, empty: make(chan struct{}), closed: make(chan struct{})}
}

// Accept gives the next connection. Once the door was shut it gives those who
// waited, and then waits to be closed.
func (d *door) Accept() (net.Conn, error) {
	if !d.shutting {
		conn, err := d.Listener.Accept()
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return conn, err
		}
		d.shutting = true
		d.waiting = lastIn(d.Listener, d.boltIt)
	}
	if len(d.waiting) > 0 {
		next := d.waiting[0]
		d.waiting = d.waiting[1:]
		return next, nil
	}
	d.emptied.Do(func() { close(d.empty) })
	<-d.closed
	return nil, net.ErrClosed
}

func (d *door) boltIt() {
	d.bolt.Do(func() { d.failure = d.Listener.Close() })
}

// shut returns when the door is shut and all who waited before it are in.
func (d *door) shut() {
	l, ok := d.Listener.(interface{ SetDeadline(at time.Time) error })
	if !ok || l.SetDeadline(time.Now()) != nil {
		return
	}
	// Who serves it may have ended before, so the wait has an end.
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-d.empty:
	case <-timer.C:
	}
}

// Close ends Accept.
func (d *door) Close() error {
	d.end.Do(func() { close(d.closed) })
	d.boltIt()
	return d.failure
}
