package httpd

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"monitor/modules/uptime"
)

// wrap puts around a handler what every request gets.
func (s *Server) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		s.open.begin(r.Context())
		req := s.identify(r)
		w.Header().Set("X-Request-Id", req.ID)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		// Streams lift this deadline for themselves.
		_ = http.NewResponseController(w).SetWriteDeadline(start.Add(s.limits.write)) // unsupported only in tests
		r.Body = http.MaxBytesReader(w, r.Body, s.limits.body)
		if len(r.TransferEncoding) > 0 {
			// It may have told a length as well, which is gone by now: then its
			// connection must end with the answer (RFC 9112, section 6.1).
			w.Header().Set("Connection", "close")
		}
		seen := &recorder{ResponseWriter: w, last: &s.drains}
		defer func() { s.finish(seen, r, req, start, recover()) }()
		next.ServeHTTP(seen, r.WithContext(uptime.WithRequest(r.Context(), req)))
	})
}

// finish logs the request and answers 500 where a handler panicked.
func (s *Server) finish(w *recorder, r *http.Request, req uptime.Request, start time.Time, panicked any) {
	defer func() {
		if w.status == 0 {
			w.begin(http.StatusOK) // a handler that wrote nothing
		}
	}()
	if panicked != nil {
		if panicked == http.ErrAbortHandler { //nolint:errorlint // the standard library compares it so
			panic(panicked)
		}
		s.p.Log.Error("a handler panicked", "panic", panicked, "request_id", req.ID,
			"method", r.Method, "path", shown(r.URL.Path), "stack", string(debug.Stack()))
		if w.status == 0 {
			http.Error(w, "internal error, request id "+req.ID, http.StatusInternalServerError)
		}
	}
	level := slog.LevelInfo
	if quiet(r.URL.Path) && w.status < http.StatusInternalServerError {
		level = slog.LevelDebug
	}
	s.p.Log.Log(r.Context(), level, "request", "method", r.Method, "path", shown(r.URL.Path),
		"status", w.status, "bytes", w.bytes, "duration", time.Since(start), "address", req.Address, "request_id", req.ID)
}

// shown is a path as logs may hold it: without the tokens that let in whoever
// knows them, wherever in it they stand.
func shown(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		after := ""
		if i > 0 {
			after = parts[i-1]
		}
		switch {
		case part == "":
		case after == "ping", after == "push", after == "invite", after == "reset", after == "wall", isToken(part):
			parts[i] = "********"
		}
	}
	return uptime.CleanLine(strings.Join(parts, "/"), 512)
}

// isToken reports a part of a path that looks like a token of ours.
func isToken(part string) bool {
	for _, prefix := range []string{"mon_", "mrt_", "rst_", "inv_", "wall_"} {
		if strings.HasPrefix(part, prefix) && len(part) > 20 {
			return true
		}
	}
	return false
}

// quiet paths are asked for by machines all the time.
func quiet(path string) bool {
	return path == "/healthz" || path == "/readyz" || path == "/metrics" || strings.HasPrefix(path, "/static/")
}

// identify finds out who asks. X-Forwarded-* headers count only when the peer
// is a trusted proxy; of X-Forwarded-For the last address that is not one.
func (s *Server) identify(r *http.Request) uptime.Request {
	peer := hostOf(r.RemoteAddr)
	req := uptime.Request{
		ID: s.p.Random(), Address: peer, Secure: r.TLS != nil, Host: r.Host, Stopping: s.stopping,
	}
	if s.trusted(peer) {
		if client := s.client(r.Header.Values("X-Forwarded-For")); client != "" {
			req.Address = client
		}
		if proto := r.Header.Get("X-Forwarded-Proto"); proto != "" {
			req.Secure = strings.EqualFold(proto, "https")
		}
		if host := r.Header.Get("X-Forwarded-Host"); host != "" && !strings.ContainsAny(host, ", \t/\\@") {
			req.Host = host
		}
	}
	req.Local = isLoopback(peer) && isLoopbackHost(r.Host) && !forwarded(r.Header) && !foreign(r.Header)
	return req
}

// forwarded reports any trace of a proxy or tunnel: behind one on this machine
// the peer is loopback, whoever asks.
func forwarded(h http.Header) bool {
	for name := range h {
		switch name {
		case "Forwarded", "Via", "X-Forwarded", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "X-Original-Host",
			"True-Client-Ip", "Cf-Connecting-Ip", "Fastly-Client-Ip", "Fly-Client-Ip", "Cdn-Loop":
			return true
		}
		if strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "X-Original-Forwarded-") {
			return true
		}
	}
	return false
}

// foreign reports a browser's request that a page of another site or port asked
// for: it comes from this machine, its author need not.
func foreign(h http.Header) bool {
	for _, site := range h.Values("Sec-Fetch-Site") {
		if site != "same-origin" && site != "none" {
			return true
		}
	}
	for _, origin := range h.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || !isLoopbackHost(u.Host) {
			return true
		}
	}
	return false
}

func (s *Server) trusted(address string) bool {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	ip = ip.Unmap().WithZone("")
	return slices.ContainsFunc(s.p.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// client is the last address of the chain that is not a trusted proxy.
func (s *Server) client(headers []string) string {
	chain := strings.Split(strings.Join(headers, ","), ",")
	for _, hop := range slices.Backward(chain) {
		ip, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return ""
		}
		// A zone is any text, and of no use away from its machine.
		if address := ip.Unmap().WithZone("").String(); !s.trusted(address) {
			return address
		}
	}
	return ""
}

func hostOf(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return ip.Unmap().String()
	}
	return host
}

func isLoopback(address string) bool {
	ip, err := netip.ParseAddr(address)
	return err == nil && ip.IsLoopback()
}

func isLoopbackHost(host string) bool {
	name := hostOf(host)
	return name == "localhost" || isLoopback(name)
}

// recorder notes what was answered for the access log.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
	last   *atomic.Bool // the answer is the last of its connection
}

// begin notes the status of the answer, whose header is about to be sent.
func (w *recorder) begin(status int) {
	w.status = status
	if w.last.Load() {
		w.Header().Set("Connection", "close")
	}
}

// WriteHeader notes the final status; informational ones pass through.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.begin(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts bytes.
func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.begin(http.StatusOK)
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Flush keeps streams working for code that asks for an http.Flusher.
func (w *recorder) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap lets http.ResponseController find the real writer.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
