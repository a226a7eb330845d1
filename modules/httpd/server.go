package httpd

import (
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

// Limits of every connection. Bodies beyond what a handler allows itself are
// refused by it; maxBody is the last resort.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 60 * time.Second
	writeTimeout  = 60 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10
	maxBody       = 8 << 20
	// Drain is how long requests in flight may take when the server stops.
	Drain = 10 * time.Second
)

// Params are what a Server needs.
type Params struct {
	Addr string
	// AdminAddr, when set, takes health and metrics away from Addr.
	AdminAddr      string
	MetricsToken   string // "" : open
	TrustedProxies []netip.Prefix

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
	stopping chan struct{}
	drains   atomic.Bool
	addr     atomic.Pointer[string]
}

// New makes a server; nothing listens before Run.
func New(p Params) *Server {
	return &Server{p: p, stopping: make(chan struct{})}
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
	public, err := listen(ctx, "http.addr", s.p.Addr)
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
	for i, srv := range servers {
		go func() { failed <- srv.Serve(listeners[i]) }()
	}
	ready()
	return s.serveUntil(ctx, servers, failed)
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
func (s *Server) serveUntil(ctx context.Context, servers []*http.Server, failed chan error) error {
	var first error
	left := len(servers)
	select {
	case <-ctx.Done():
	case first = <-failed:
		left--
	}
	s.drains.Store(true)
	close(s.stopping)
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
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.p.Log.Handler(), slog.LevelDebug),
	}
}
