package main

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// plug is a listener that can be as if it could not be reached: connections that
// are dialled meanwhile get no answer at all, as behind a cut cable. That the host
// refuses them would be an answer.
//
// Linux drops what comes to a listener whose queue is full, so the queue is kept
// short, and is filled by the plug itself. It takes connections to any address of
// 127.0.0.0/8: each is another host.
type plug struct {
	net.Listener
	port int

	mu      sync.Mutex
	open    chan struct{} // closed while connections are taken
	fillers []net.Conn
}

// plugQueue is enough for what comes while one connection is taken.
const plugQueue = 64

func newPlug() (*plug, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	file := os.NewFile(uintptr(fd), "plug")
	defer func() { _ = file.Close() }() // the listener has a copy
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{}), syscall.Listen(fd, plugQueue)); err != nil {
		return nil, err
	}
	l, err := net.FileListener(file)
	if err != nil {
		return nil, err
	}
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return nil, errors.Join(errors.New("the plug does not listen by TCP"), l.Close())
	}
	p := &plug{Listener: l, port: addr.Port, open: make(chan struct{})}
	close(p.open)
	return p, nil
}

// host gives the address of the nth host.
func (p *plug) host(n int) string {
	return net.JoinHostPort(net.IPv4(127, 1, byte(n>>8), byte(n)).String(), strconv.Itoa(p.port))
}

// Accept gives the next connection, while they are taken.
func (p *plug) Accept() (net.Conn, error) {
	conn, err := p.Listener.Accept()
	p.mu.Lock()
	open := p.open
	p.mu.Unlock()
	<-open
	return conn, err
}

// cut lets nothing through from now on.
func (p *plug) cut(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = make(chan struct{})
	dialer := net.Dialer{Timeout: 300 * time.Millisecond}
	for range 4 * plugQueue {
		conn, err := dialer.DialContext(ctx, "tcp", p.host(0))
		if err != nil {
			return ctx.Err() // the queue is full
		}
		p.fillers = append(p.fillers, conn)
	}
	return errors.New("the queue of the plug does not get full")
}

// mend takes connections again.
func (p *plug) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.fillers {
		_ = conn.Close()
	}
	p.fillers = nil
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}
