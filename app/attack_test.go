package app_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// visitor is somebody with a browser, or with less.
type visitor struct {
	t      *testing.T
	base   string
	cookie string // of a session, "" none
}

// visit logs in by the form.
func (p *program) visit(email, password string) visitor {
	p.t.Helper()
	v := visitor{t: p.t, base: p.base}
	form := url.Values{"email": {email}, "password": {password}}
	res := v.send(http.MethodPost, "/login", strings.NewReader(form.Encode()), "Content-Type", "application/x-www-form-urlencoded")
	defer func() { _ = res.Body.Close() }()
	require.Equal(p.t, http.StatusSeeOther, res.StatusCode)
	for _, c := range res.Cookies() {
		if c.Name == "monitor_session" {
			v.cookie = c.Value
		}
	}
	require.NotEmpty(p.t, v.cookie)
	return v
}

// send follows no redirect.
func (v visitor) send(method, path string, body io.Reader, headers ...string) *http.Response {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	v.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, method, v.base+path, body)
	require.NoError(v.t, err)
	if v.cookie != "" {
		req.AddCookie(&http.Cookie{Name: "monitor_session", Value: v.cookie})
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	require.NoError(v.t, err)
	return res
}

// get gives a page whole.
func (v visitor) get(path string, headers ...string) answer {
	v.t.Helper()
	res := v.send(http.MethodGet, path, http.NoBody, headers...)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(v.t, err)
	return answer{res.StatusCode, res.Header, raw}
}

// raw asks for a path byte by byte, as no client library would.
func (v visitor) raw(path string) answer {
	v.t.Helper()
	host := strings.TrimPrefix(v.base, "http://")
	conn, err := (&net.Dialer{}).DialContext(v.t.Context(), "tcp", host)
	require.NoError(v.t, err)
	defer func() { _ = conn.Close() }()
	cookie := ""
	if v.cookie != "" {
		cookie = "Cookie: monitor_session=" + v.cookie + "\r\n"
	}
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n%sConnection: close\r\n\r\n", path, host, cookie)
	require.NoError(v.t, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(v.t, err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(v.t, err)
	return answer{res.StatusCode, res.Header, raw}
}

// spellings are ways to write a path, the last of its parts above all.
func spellings(path string) []string {
	last := path[strings.LastIndex(path, "/")+1:]
	before := strings.TrimSuffix(path, last)
	return []string{
		"/" + path, "//" + path, path + "/", path + "//", path + "/.", path + "/..", path + "/../" + last, path + "%2f", path + "%2F..", path + ";", path + ";.css", path + ";a=b", path + "%3b",
		path + ".", path + "..", path + ".css", path + ".json", path + "/x.css", path + "%00", path + "%00.css", path + "%20", path + "%09", path + "%0a", path + "%0d%0aX-Injected:%201", path + "%23", path + "%3f", path + "%5c", path + `\`,
		strings.ToUpper(path), before + strings.ToUpper(last), before + "%" + fmt.Sprintf("%02x", last[0]) + last[1:], before + "%25" + fmt.Sprintf("%02x", last[0]) + last[1:], before + "./" + last, before + "/" + last, before + ";/" + last, before + "x/../" + last, before + "x/..%2f" + last, before + "..%2f" + last, before + "%2e/" + last,
		strings.ReplaceAll(path, "/", "%2f"), strings.ReplaceAll(path, "/", "%5c"), strings.ReplaceAll(path, "/", `\`), strings.ReplaceAll(path, "/", "//"),
		"/static/.." + path, "/static/..%2f" + path[1:], "/login/.." + path, "/login/..;" + path, "/login;" + path, "/healthz/.." + path, "/.." + path, "/%2e%2e" + path, "/." + path, "/%c0%af" + path[1:], "/api/.." + path, "/api/v1/auth/login/.." + path,
		"http://evil.example" + path, "//evil.example" + path,
	}
}

// TestPathTricks: however a path is spelled, it leads to what it names and asks for
// the same right, or to nothing.
func TestPathTricks(t *testing.T) {
	t.Parallel()
	p := serve(t, t.TempDir())
	c := p.setup()
	c.must(http.StatusCreated, http.MethodPost, "/api/v1/users", map[string]any{"email": "vera@example.com", "role": "viewer", "password": ownerPassword})
	nobody, viewer := visitor{t: t, base: p.base}, p.visit("vera@example.com", ownerPassword)
	for _, path := range []string{"/settings/audit", "/settings/audit.csv", "/monitors/new", "/channels/new", "/api/v1/users", "/api/v1/audit-log"} {
		for _, spelled := range spellings(path) {
			for who, v := range map[string]visitor{"nobody": nobody, "viewer": viewer} {
				a := v.raw(spelled)
				what := who + " " + spelled
				require.NotContains(t, a.header, "X-Injected", what)
				require.NotContains(t, string(a.raw), "root:", what)
				require.Less(t, a.status, http.StatusInternalServerError, what)
				if to := a.header.Get("Location"); to != "" {
					require.Regexp(t, `^/([^/\\]|$)`, to, what)
					continue
				}
				if a.status == http.StatusOK {
					require.Regexp(t, `evil\.example|/auth/login|/login`, spelled, what)
					require.NotContains(t, string(a.raw), "user.create", what)
				}
			}
		}
	}
	for _, path := range []string{"/monitors", "/incidents", "/settings/profile"} {
		for _, spelled := range spellings(path) {
			a := nobody.raw(spelled)
			require.NotEqual(t, http.StatusInternalServerError, a.status, spelled)
			if to := a.header.Get("Location"); to != "" {
				require.Regexp(t, `^/([^/\\]|$)`, to, spelled)
			}
			require.NotContains(t, string(a.raw), "Olive", spelled)
		}
	}
}

// TestSessionsAndTokensAreApart: a cookie is no token, and a token no cookie.
func TestSessionsAndTokensAreApart(t *testing.T) {
	t.Parallel()
	p := serve(t, t.TempDir())
	c := p.setup()
	owner := p.visit("owner@example.com", ownerPassword)
	require.Equal(t, http.StatusOK, owner.get("/monitors").status)
	for _, header := range []string{"Authorization", "X-API-Key"} {
		value := owner.cookie
		if header == "Authorization" {
			value = "Bearer " + value
		}
		require.Equal(t, http.StatusUnauthorized, visitor{t: t, base: p.base}.get("/api/v1/me", header, value).status, header)
	}
	require.Equal(t, http.StatusUnauthorized, owner.get("/api/v1/me").status, "the API takes no cookie")
	in := client{t: t, base: p.base}.must(http.StatusOK, http.MethodPost, "/api/v1/auth/login", map[string]any{"email": "owner@example.com", "password": ownerPassword}).object(t)
	for name, token := range map[string]any{"API": c.token, "access": in["access_token"], "refresh": in["refresh_token"]} {
		text, _ := token.(string)
		require.NotEmpty(t, text)
		require.Equal(t, http.StatusSeeOther, visitor{t: t, base: p.base, cookie: text}.get("/monitors").status, name)
		require.Equal(t, http.StatusSeeOther, visitor{t: t, base: p.base}.get("/monitors", "Authorization", "Bearer "+text).status, name)
	}
}

// TestForgedForwarding: without a proxy that was named nothing that a request says of
// its way is believed: not for limits, not in the audit log, not by the set-up.
func TestForgedForwarding(t *testing.T) {
	t.Parallel()
	p := serve(t, t.TempDir(), "--limits.api_per_minute", "60")
	far := client{t: t, base: p.base}
	owner := map[string]any{"email": "owner@example.com", "password": ownerPassword, "name": "Olive"}
	for _, header := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded", "Via", "X-Forwarded-Host", "CF-Connecting-IP"} {
		a := far.do(http.MethodPost, "/api/v1/setup", owner, header, "127.0.0.1")
		require.Equal(t, http.StatusForbidden, a.status, "%s: %s", header, a.raw)
		require.Contains(t, string(a.raw), "setup_token")
	}
	c := p.setup()
	a := c.must(http.StatusOK, http.MethodPatch, "/api/v1/me", map[string]any{"name": "Olga"}, "X-Forwarded-For", "203.0.113.9", "X-Real-IP", "203.0.113.9", "Forwarded", "for=203.0.113.9")
	require.Equal(t, "Olga", a.object(t)["name"])
	require.NotContains(t, string(c.must(http.StatusOK, http.MethodGet, "/api/v1/audit-log", nil).raw), "203.0.113.9")
	limited := 0
	for n := range 80 {
		a := far.do(http.MethodGet, "/api/v1/me", nil, "X-Forwarded-For", fmt.Sprintf("203.0.113.%d", n), "X-Real-IP", fmt.Sprintf("2001:db8:%x::1", n))
		if a.status == http.StatusTooManyRequests {
			limited++
		}
	}
	require.GreaterOrEqual(t, limited, 10, "another address each time is the same peer")
}

// TestForwardingOfATrustedProxy: of what a named proxy hands on, what it added itself
// counts, and nothing that the client wrote before.
func TestForwardingOfATrustedProxy(t *testing.T) {
	t.Parallel()
	p := serve(t, t.TempDir(), "--http.trusted_proxies", "127.0.0.1/32", "--limits.api_per_minute", "30")
	c := p.setup()
	for n := range 3 {
		c.must(http.StatusOK, http.MethodPatch, "/api/v1/me", map[string]any{"name": fmt.Sprintf("Olga %d", n)}, "X-Forwarded-For", fmt.Sprintf("203.0.113.%d, 192.0.2.7", n), "X-Real-IP", "203.0.113.9")
	}
	log := string(c.must(http.StatusOK, http.MethodGet, "/api/v1/audit-log", nil).raw)
	require.Contains(t, log, `"192.0.2.7"`)
	require.NotContains(t, log, "203.0.113.")
	statuses := map[int]int{}
	for n := range 40 {
		statuses[client{t: t, base: p.base}.do(http.MethodGet, "/api/v1/me", nil, "X-Forwarded-For", fmt.Sprintf("203.0.113.%d, 192.0.2.8", n)).status]++
	}
	require.GreaterOrEqual(t, statuses[http.StatusTooManyRequests], 5)
	other := client{t: t, base: p.base}.do(http.MethodGet, "/api/v1/me", nil, "X-Forwarded-For", "192.0.2.9")
	require.Equal(t, http.StatusUnauthorized, other.status, "who comes from elsewhere is not locked out")
}
