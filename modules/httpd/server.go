package httpd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"
)

// limits are those of every connection. Bodies beyond what a handler allows itself
// are refused by it; body is the last resort.
type limits struct {
	header time.Duration // for the head of a request
	read   time.Duration // for all of it
	write  time.Duration // for its answer
	idle   time.Duration // between two
	head   int           // bytes
	body   int64         // bytes
}

func defaultLimits() limits {
	return limits{
		header: 10 * time.Second, read: 60 * time.Second, write: 60 * time.Second, idle: 2 * time.Minute,
		head: 64 << 10, body: 8 << 20,
	}
}

// Drain is how long requests in flight may take when the server stops.
const Drain = 10 * time.Second

// How long the listener goes on taking connections when it stops.
const (
	// BalancerDelay is for a balancer in front to notice that /readyz is 503: a
	// look each 2 s, two of which must fail.
	BalancerDelay = 5 * time.Second
	// Linger is, without one, for clients to finish with their connections.
	Linger = time.Second
)

// Params are what a Server needs.
type Params struct {
	Addr string
	// AddrKey is the setting that Addr is of, for who has to change it; "": http.addr.
	AddrKey string
	// AdminAddr, when set, takes health and metrics away from Addr.
	AdminAddr      string
	MetricsToken   string // "" : open
	TrustedProxies []netip.Prefix
	// Delay is how long the listener goes on taking connections after /readyz
	// turned 503. 0: BalancerDelay where there are TrustedProxies, else for as
	// long as there are connections, at most Linger.
	Delay time.Duration

	API     http.Handler // nil: this process does not serve it
	Web     http.Handler // nil: this process does not serve it
	Metrics http.Handler
	Health  func(ctx context.Context) Health
	// Random gives request ids.
	Random func() string
	Log    *slog.Logger
}

// Server listens until its Run ends. Its methods may be called concurrently.
type Server struct {
	p        Params
	limits   limits
	stopping chan struct{}
	drains   atomic.Bool
	open     *connections
	addr     atomic.Pointer[string]
}

// New makes a server; nothing listens before Run.
func New(p Params) *Server {
	return &Server{p: p, limits: defaultLimits(), stopping: make(chan struct{}), open: newConnections()}
}

// Addr is the address that the public listener got, "" before Run is ready.
func (s *Server) Addr() string {
	if a := s.addr.Load(); a != nil {
		return *a
	}
	return ""
}

// Run listens, calls ready, and serves until ctx ends; then it drains. It
// returns nil after an orderly stop and an error when it cannot listen.
func (s *Server) Run(ctx context.Context, ready func()) error {
	public, err := listen(ctx, cmp.Or(s.p.AddrKey, "http.addr"), s.p.Addr)
	if err != nil {
		return err
	}
	servers := []*http.Server{s.server(s.publicHandler())}
	listeners := []net.Listener{public}
	if s.p.AdminAddr != "" {
		admin, err := listen(ctx, "http.admin_addr", s.p.AdminAddr)
		if err != nil {
			return errors.Join(err, public.Close())
		}
		servers = append(servers, s.server(s.wrap(s.adminRoutes(http.NewServeMux()))))
		listeners = append(listeners, admin)
	}
	addr := public.Addr().String()
	s.addr.Store(&addr)
	failed := make(chan error, len(servers))
	var doors []*door
	for i, srv := range servers {
		d := newDoor(listeners[i])
		doors = append(doors, d)
		go func() { failed <- srv.Serve(d) }()
	}
	ready()
	return s.serveUntil(ctx, servers, doors, failed)
}

func listen(ctx context.Context, key, addr string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s = %q: %w (is another process using the port? choose another with --%s)", key, addr, err, key)
	}
	return l, nil
}

// serveUntil waits for the end of ctx or the failure of a server, stops all and
// waits for every Serve to return.
func (s *Server) serveUntil(ctx context.Context, servers []*http.Server, doors []*door, failed chan error) error {
	var first error
	left := len(servers)
	select {
	case <-ctx.Done():
	case first = <-failed:
		left--
	}
	s.drains.Store(true)
	close(s.stopping)
	if first == nil {
		s.sayGoodbye()
	}
	s.shut(doors)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), Drain)
	defer cancel()
	for _, srv := range servers {
		if err := srv.Shutdown(drain); err != nil {
			s.p.Log.Warn("connections were cut at the end of the drain time", "error", err)
			_ = srv.Close() // what is left is given up
		}
	}
	for range left {
		if err := <-failed; first == nil {
			first = err
		}
	}
	if errors.Is(first, http.ErrServerClosed) {
		return nil
	}
	return first
}

func (s *Server) server(h http.Handler) *http.Server {
	return &http.Server{
		ConnState:         s.open.note,
		ConnContext:       s.open.remember,
		Handler:           h,
		ReadHeaderTimeout: s.limits.header,
		ReadTimeout:       s.limits.read,
		IdleTimeout:       s.limits.idle,
		MaxHeaderBytes:    s.limits.head,
		ErrorLog:          slog.NewLogLogger(s.p.Log.Handler(), slog.LevelDebug),
	}
}
