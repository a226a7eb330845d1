package httpd

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"monitor/modules/uptime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func params() Params {
	return Params{
		Addr:    "127.0.0.1:0",
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1\n") }),
		Health:  func(context.Context) Health { return Health{Status: Ready} },
		Random:  func() string { return "abc" },
		Log:     slog.New(slog.DiscardHandler),
	}
}

// start runs a server until the test ends and gives its base URL.
func start(t *testing.T, p Params) (base string, stop func() error) {
	t.Helper()
	return run(t, New(p))
}

// run is start for a server that is made already.
func run(t *testing.T, s *Server) (base string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- s.Run(ctx, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-done:
		require.NoError(t, err)
	}
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() { require.NoError(t, stop()) })
	return "http://" + s.Addr(), stop
}

func get(t *testing.T, url string, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body)
}

func say(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
}

func TestRouting(t *testing.T) {
	t.Parallel()
	p := params()
	p.API, p.Web = say("api"), say("web")
	base, _ := start(t, p)
	for path, want := range map[string]string{
		"/": "web", "/monitors/7": "web", "/api/v1/monitors": "api", "/ping/x": "api",
		"/healthz": "ok\n", "/metrics": "up 1\n",
	} {
		status, body := get(t, base+path)
		require.Equal(t, http.StatusOK, status, path)
		require.Equal(t, want, body, path)
	}
	status, body := get(t, base+"/readyz")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, `"status": "ready"`)
}

func TestUnready(t *testing.T) {
	t.Parallel()
	p := params()
	p.Health = func(context.Context) Health {
		return Health{Status: Unready, Checks: []Check{{Name: "database", Kind: "dependency", Status: "away"}}}
	}
	base, _ := start(t, p)
	status, body := get(t, base+"/readyz")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, body, `"away"`)
	status, _ = get(t, base+"/anything")
	require.Equal(t, http.StatusNotFound, status)
}

func TestAdminAddr(t *testing.T) {
	t.Parallel()
	p := params()
	p.Web, p.AdminAddr = say("web"), "127.0.0.1:0"
	base, _ := start(t, p)
	_, body := get(t, base+"/metrics")
	require.Equal(t, "web", body, "the public listener keeps /healthz only")
	_, body = get(t, base+"/healthz")
	require.Equal(t, "ok\n", body)
}

func TestMetricsToken(t *testing.T) {
	t.Parallel()
	p := params()
	p.MetricsToken = "t0ken"
	base, _ := start(t, p)
	for header, want := range map[string]int{"": 401, "Bearer wrong": 401, "t0ken": 401, "Bearer t0ken": 200} {
		status, _ := get(t, base+"/metrics", "Authorization", header)
		require.Equal(t, want, status, header)
	}
}

func TestPanicIsAnInternalError(t *testing.T) {
	t.Parallel()
	p := params()
	p.Web = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })
	base, _ := start(t, p)
	status, body := get(t, base+"/")
	require.Equal(t, http.StatusInternalServerError, status)
	require.Equal(t, "internal error, request id abc\n", body)
}

func TestStreamsEndWhenStopping(t *testing.T) {
	t.Parallel()
	p := params()
	begun := make(chan struct{})
	p.Web = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-uptime.RequestOf(r.Context()).Stopping
	})
	base, stop := start(t, p)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(base, "http://"))
	require.NoError(t, err)
	_, err = io.WriteString(conn, "GET /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	require.NoError(t, err)
	<-begun
	require.NoError(t, stop())
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Contains(t, string(answer), "HTTP/1.1 200 OK")
	require.NoError(t, conn.Close())
}

func TestListenError(t *testing.T) {
	t.Parallel()
	base, _ := start(t, params())
	p := params()
	p.Addr = strings.TrimPrefix(base, "http://")
	err := New(p).Run(t.Context(), func() {})
	require.ErrorContains(t, err, "listen on http.addr")
	require.ErrorContains(t, err, "--http.addr")
	p.AddrKey = "http.admin_addr"
	require.ErrorContains(t, New(p).Run(t.Context(), func() {}), "--http.admin_addr")
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	cases := []struct {
		name, peer, host, forwarded, proto string
		address                            string
		secure, local                      bool
	}{
		{"Direct", "192.0.2.1:5", "m.example.com", "", "", "192.0.2.1", false, false},
		{"ForgedByAStranger", "192.0.2.1:5", "m.example.com", "127.0.0.1", "https", "192.0.2.1", false, false},
		{"TrustedProxy", "10.1.1.1:5", "m.example.com", "192.0.2.7", "https", "192.0.2.7", true, false},
		{"ForgedBehindAProxy", "10.1.1.1:5", "m.example.com", "1.2.3.4, 192.0.2.7, 10.2.2.2", "", "192.0.2.7", false, false},
		{"Garbage", "10.1.1.1:5", "m.example.com", "evil\n", "", "10.1.1.1", false, false},
		{"AllTrusted", "10.1.1.1:5", "m.example.com", "10.3.3.3", "", "10.1.1.1", false, false},
		{"Loopback", "127.0.0.1:5", "localhost:8080", "", "", "127.0.0.1", false, true},
		{"LoopbackV6", "[::1]:5", "[::1]:8080", "", "", "::1", false, true},
		{"RebindingHost", "127.0.0.1:5", "evil.example.com", "", "", "127.0.0.1", false, false},
		{"LoopbackProxy", "127.0.0.1:5", "localhost", "192.0.2.7", "", "127.0.0.1", false, false},
		{"Mapped", "[::ffff:192.0.2.1]:5", "x", "", "", "192.0.2.1", false, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := params()
			p.TrustedProxies = trusted
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
			r.RemoteAddr, r.Host = c.peer, c.host
			if c.forwarded != "" {
				r.Header.Set("X-Forwarded-For", c.forwarded)
			}
			if c.proto != "" {
				r.Header.Set("X-Forwarded-Proto", c.proto)
			}
			got := New(p).identify(r)
			require.Equal(t, c.address, got.Address)
			require.Equal(t, c.secure, got.Secure)
			require.Equal(t, c.local, got.Local)
		})
	}
}
