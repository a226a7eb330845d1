package httpd

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// firstWithin is how long a connection that was just taken may stay silent when
// the door is shut.
const firstWithin = 500 * time.Millisecond

// sayGoodbye waits while clients and the balancer in front learn that this
// process stops: each answer says Connection: close, and new connections are
// still taken, so that nobody's request meets a closed door.
func (s *Server) sayGoodbye() {
	delay := s.p.Delay
	if delay == 0 && len(s.p.TrustedProxies) > 0 {
		delay = BalancerDelay
	}
	if delay > 0 {
		<-time.After(delay)
		return
	}
	s.open.await(Linger, func() bool { return len(s.open.all) == 0 })
}

// shut lets in who waits before the doors and waits for their requests to come:
// http.Server.Shutdown drops those that are read after it has begun.
func (s *Server) shut(doors []*door) {
	for _, d := range doors {
		d.shut()
	}
	s.open.await(firstWithin, func() bool { return s.open.fresh == 0 })
}

// connections knows those that are open. Its methods may be called concurrently.
type connections struct {
	mu      sync.Mutex
	all     map[net.Conn]*connection
	fresh   int           // of which no request has reached a handler
	changed chan struct{} // holds one when something changed
}

type connection struct{ begun bool }

func newConnections() *connections {
	return &connections{all: map[net.Conn]*connection{}, changed: make(chan struct{}, 1)}
}

type connectionKey struct{}

// remember is http.Server.ConnContext.
func (c *connections) remember(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, conn)
}

// begin notes that a request has reached a handler.
func (c *connections) begin(ctx context.Context) {
	conn, ok := ctx.Value(connectionKey{}).(net.Conn)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if one := c.all[conn]; one != nil && !one.begun {
		one.begun = true
		c.fresh--
		c.tell()
	}
}

// note is http.Server.ConnState.
func (c *connections) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		c.all[conn] = &connection{}
		c.fresh++
	case http.StateClosed, http.StateHijacked:
		if one := c.all[conn]; one != nil && !one.begun {
			c.fresh--
		}
		delete(c.all, conn)
		c.tell()
	case http.StateActive, http.StateIdle:
	}
}

func (c *connections) tell() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// await returns when it is so, or after a while.
func (c *connections) await(within time.Duration, so func() bool) {
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		c.mu.Lock()
		done := so()
		c.mu.Unlock()
		if done {
			return
		}
		select {
		case <-timer.C:
			return
		case <-c.changed:
		}
	}
}
