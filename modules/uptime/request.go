package uptime

import (
	"context"
	"net/netip"
)

// Request is what httpd knows of an HTTP request before any handler runs. The
// handlers of api and web take it from the context and never from headers, so
// that what may be forged is judged in one place.
type Request struct {
	ID      string // shown to people with an internal error, and in the log
	Address string // of the client, X-Forwarded-For of trusted proxies resolved
	// Secure: the client speaks TLS to us or to a trusted proxy.
	Secure bool
	// Host as the client named it, with its port.
	Host string
	// Local: peer and Host are loopback and no header says that the request
	// was forwarded, so it comes from somebody at this machine.
	Local bool
	// Stopping is closed when the listener drains: streams end then.
	Stopping <-chan struct{}
}

// BaseURL is the address that the client used, without a trailing slash.
func (r Request) BaseURL() string {
	if r.Secure {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// Network is what limits count an address by: itself, or of IPv6 the /64, which
// is what one customer gets.
func Network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Unmap().Is4() {
		return address
	}
	part, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return part.String()
}

type requestKey struct{}

// WithRequest puts r into the context.
func WithRequest(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// RequestOf takes the request from the context; the zero value when there is
// none. Its Stopping is then nil, which is never ready.
func RequestOf(ctx context.Context) Request {
	r, _ := ctx.Value(requestKey{}).(Request)
	return r
}
