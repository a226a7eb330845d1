package outbound

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// boundGrace is how long the socket of a bound connection outlives its request.
// With one deadline for both they raced, and where the socket won in the middle of
// a head, net/http took what had come of the line for all of it: a silent server
// became one that answers nonsense.
const boundGrace = 250 * time.Millisecond

type boundKey struct{}

// Bind makes connections that are dialled for a request with this context end
// with it. net/http detaches a dial from the request that it is for and finishes
// it, TLS handshake included, for a later one. Where connections are not kept
// that only leaves sockets behind, one for each request that a silent host timed
// out. ctx must have a deadline; the socket ends a moment after it.
func Bind(ctx context.Context) context.Context {
	return context.WithValue(ctx, boundKey{}, ctx)
}

// dialBound is DialContext for transports; see Bind.
func (g *Guard) dialBound(ctx context.Context, network, address string) (net.Conn, error) {
	bound, ok := ctx.Value(boundKey{}).(context.Context)
	if !ok {
		return g.DialContext(ctx, network, address)
	}
	conn, err := g.DialContext(bound, network, address) //nolint:contextcheck // bound is the request's own context, which net/http has cut off
	if err != nil {
		return nil, err
	}
	if deadline, ok := bound.Deadline(); ok {
		if err := conn.SetDeadline(deadline.Add(boundGrace)); err != nil {
			_ = conn.Close() // fails only when it is closed already
			return nil, err
		}
	}
	return conn, nil
}

// TransportOptions shape an HTTP transport.
type TransportOptions struct {
	TLS *tls.Config // nil: the defaults
	// KeepAlive keeps connections for later requests. Without it every request
	// gets a fresh connection.
	KeepAlive bool
	HTTP1Only bool
	// MaxHeaderBytes bounds the head of an answer; 0: 64 KiB.
	MaxHeaderBytes int64
	// IdleTimeout of kept connections; 0: 90 s.
	IdleTimeout time.Duration
}

// Transport makes an HTTP transport that dials through the guard and knows no
// proxy. Give each request a context with a deadline, and pass it through Bind
// when connections are not kept.
func (g *Guard) Transport(o TransportOptions) *http.Transport {
	t := &http.Transport{
		Proxy:                  nil,
		DialContext:            g.dialBound,
		TLSHandshakeTimeout:    longestDial,
		TLSClientConfig:        o.TLS,
		DisableKeepAlives:      !o.KeepAlive,
		ForceAttemptHTTP2:      !o.HTTP1Only,
		MaxResponseHeaderBytes: o.MaxHeaderBytes,
		IdleConnTimeout:        o.IdleTimeout,
	}
	if t.MaxResponseHeaderBytes == 0 {
		t.MaxResponseHeaderBytes = 64 << 10
	}
	if t.IdleConnTimeout == 0 {
		t.IdleConnTimeout = 90 * time.Second
	}
	if o.HTTP1Only {
		// A non-nil empty map is how net/http is told to leave HTTP/2 alone.
		t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	return t
}
