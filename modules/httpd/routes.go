package httpd

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strings"
)

// publicHandler joins what this process serves.
func (s *Server) publicHandler() http.Handler {
	mux := http.NewServeMux()
	if s.p.AdminAddr == "" {
		s.adminRoutes(mux)
	} else {
		mux.HandleFunc("GET /healthz", healthz)
	}
	if s.p.API != nil {
		mux.Handle("/api/", s.p.API)
		mux.Handle("/ping/", s.p.API)
	}
	if s.p.Web != nil {
		mux.Handle("/", s.p.Web)
	}
	return s.wrap(mux)
}

// adminRoutes adds health and metrics to the mux.
func (s *Server) adminRoutes(mux *http.ServeMux) *http.ServeMux {
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", s.guardMetrics(s.p.Metrics))
	return mux
}

// healthz says that the process lives; it asks nobody.
func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("ok\n")) // the client may be gone
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	h := s.p.Health(r.Context())
	if s.drains.Load() {
		h.Status = Unready
		h.Checks = append(h.Checks, Check{Name: "listener", Kind: "part", Status: "draining"})
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if h.Status == Unready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(h) // the client may be gone
}

func (s *Server) guardMetrics(next http.Handler) http.Handler {
	if s.p.MetricsToken == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || subtle.ConstantTimeCompare([]byte(token), []byte(s.p.MetricsToken)) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="metrics"`)
			http.Error(w, "metrics need the bearer token of http.metrics_token", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}
