package httpd

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLocalMeansAPersonAtThisMachine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, header, value string
		local               bool
	}{
		{"PlainRequest", "Accept", "*/*", true},
		{"OwnPage", "Origin", "http://localhost:8080", true},
		{"TypedAddress", "Sec-Fetch-Site", "none", true},
		{"SameOrigin", "Sec-Fetch-Site", "same-origin", true},
		{"ForwardedPort", "X-Forwarded-Port", "443", false},
		{"ForwardedServer", "X-Forwarded-Server", "proxy", false},
		{"IngressForwardedFor", "X-Original-Forwarded-For", "192.0.2.1", false},
		{"Cloudflare", "CF-Connecting-IP", "192.0.2.1", false},
		{"Akamai", "True-Client-IP", "192.0.2.1", false},
		{"Fly", "Fly-Client-IP", "192.0.2.1", false},
		{"ClientIP", "X-Client-IP", "192.0.2.1", false},
		{"PageOfAnotherSite", "Origin", "https://evil.example.com", false},
		{"SandboxedPage", "Origin", "null", false},
		{"CrossSite", "Sec-Fetch-Site", "cross-site", false},
		{"AnotherPort", "Sec-Fetch-Site", "same-site", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/setup", http.NoBody)
			r.RemoteAddr, r.Host = "127.0.0.1:5", "localhost:8080"
			r.Header.Set(c.header, c.value)
			require.Equal(t, c.local, New(params()).identify(r).Local)
		})
	}
}

func TestLogHidesTokensOfPaths(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	p := params()
	p.Log = slog.New(slog.NewTextHandler(&log, nil))
	p.API, p.Web = say("api"), say("web")
	base, stop := start(t, p)
	for _, path := range []string{"/ping/s3cret", "/ping/s3cret/fail", "/api/push/s3cret", "/invite/s3cret", "/reset/s3cret", "/x/reset/s3cret", "/nowhere/mon_s3crets3crets3cret"} {
		status, _ := get(t, base+path)
		require.Equal(t, http.StatusOK, status, path)
	}
	_, _ = get(t, base+"/monitors/7")
	require.NoError(t, stop())
	text, err := io.ReadAll(&log)
	require.NoError(t, err)
	require.NotContains(t, string(text), "s3cret")
	require.Contains(t, string(text), "path=/ping/********/fail")
	require.Contains(t, string(text), "path=/monitors/7")
}
