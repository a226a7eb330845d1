package web

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// TestCellsAreNoFormulas: no cell begins like a formula, whatever a program drops from
// its front, and in whatever column a semicolon puts it.
func TestCellsAreNoFormulas(t *testing.T) {
	t.Parallel()
	const starts = "=+-@\t\r\x00＝＋－＠"
	for _, text := range []string{
		"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\x00=1", " =1", "  =1", "\u00a0=1", "\u3000=1", `"=1"`, `'=1`, `" =1`, `'"=1`, "＝1＋1", "＋1", "－1", "＠SUM(A1)",
		`=cmd|' /C calc'!A0`, `=HYPERLINK("http://evil.example","x")`, "@=1", "a;=1", "a; =1", `a;"=1`, "a\n=1", "a\r\n+1", "a\t-1", "=1;=1", "--1", "=",
	} {
		got := cell(text)
		require.Equal(t, strings.ReplaceAll(text, "'", ""), strings.ReplaceAll(got, "'", ""), "quotes are added and nothing else")
		for part := range strings.FieldsFuncSeq(got, func(r rune) bool { return strings.ContainsRune(";\n", r) }) {
			bare := strings.TrimLeft(part, " \u00a0\u3000\"")
			require.False(t, bare != "" && strings.ContainsAny(bare[:1], starts), "%q became %q", text, got)
			require.NotRegexp(t, `^[＝＋－＠]`, bare)
		}
	}
	for _, text := range []string{"", "Mia", "a=b", "a-b", "mia@example.com", "1-2", "2026-01-02", `{"from":"60s","to":-1}`, "a, =1"} {
		require.Equal(t, text, cell(text), "plain text stays as it is")
	}
}

// TestCSVKeepsItsShape: no text makes another cell or line of itself.
func TestCSVKeepsItsShape(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`a,b`, `a"b`, "a\nb", "a\r\nb", `",=1,"`, "a\u2028b"} {
		var out bytes.Buffer
		file := csv.NewWriter(&out)
		require.NoError(t, file.Write([]string{cell(text), "next"}))
		file.Flush()
		rows, err := csv.NewReader(&out).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 1)
		require.Len(t, rows[0], 2)
	}
}

// TestEveryPageIsSampled: each page that the table of routes has is drawn by TestPages
// from samples with hostile text in them.
func TestEveryPageIsSampled(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	var drawn []string
	for _, s := range allShots() {
		path, _, _ := strings.Cut(s.path, "?")
		drawn = append(drawn, path)
	}
	noPage := map[string]string{
		"/static/*": "files", "/events": "a stream", "/conditions": "JSON for the script of pages", "/settings/audit.csv": "TestAuditAsCSV", "/monitors.csv": "TestExport", "/monitors.json": "TestExport",
		"/incidents.csv": "TestIncidentsAsFiles", "/incidents.json": "TestIncidentsAsFiles",
		"/search": "JSON for the palette", "/monitors/rows": "TestMonitorRows", "/monitors/:id/next": "leads on", "/monitors/:id/previous": "leads on",
		"/monitors/:id/chart.csv": "TestNumbersOfAChart", "/monitors/:id/export": "TestExportedMonitor",
	}
	parameter := regexp.MustCompile(`:[a-z]+`)
	for _, r := range w.routes() {
		if r.method != http.MethodGet || noPage[r.path] != "" {
			continue
		}
		pattern := regexp.MustCompile("^" + parameter.ReplaceAllString(r.path, "[^/]+") + "$")
		found := false
		for _, path := range drawn {
			found = found || pattern.MatchString(path)
		}
		assert.True(t, found, "no sample of GET %s", r.path)
	}
}

// TestStaticFilesAreAList: what is not in it is not there, however it is spelled.
func TestStaticFilesAreAList(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	good := w.assets.names["js/main.js"]
	require.Equal(t, http.StatusOK, ask(w, good, nil, anonymous).Code)
	for _, path := range []string{
		"", "js", "js/", ".", "..", "../go.mod", "../../etc/passwd", "..%2fgo.mod", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/go.mod", "%2e%2e%2fgo.mod", "%252e%252e%252fgo.mod",
		"..%5cgo.mod", "..%5c..%5cetc%5cpasswd", "..;/go.mod", "..%c0%afgo.mod", "%c0%ae%c0%ae/go.mod", "..%e0%80%afgo.mod", "..%ef%bc%8fgo.mod", "/etc/passwd", "%2fetc%2fpasswd",
		"//etc/passwd", "file:///etc/passwd", "js/app.js", "js/app.js%00.css", "embed.go", "../static/embed.go", ".git/config", "%00", "%0d%0aX-Injected:%201", "~root/", "C:%5cwindows%5cwin.ini", "con", strings.Repeat("../", 500) + "etc/passwd",
	} {
		requireNothing(t, w, "/static/"+path)
	}
	for _, spoilt := range []string{good + "/", good + "%00", good + "%20", good + ".", good + "%2f", good + ";a", strings.ToUpper(good), strings.Replace(good, "/js/", "/js//", 1), strings.Replace(good, "/js/", "/./js/", 1), strings.Replace(good, "/js/", "/css/../js/", 1)} {
		requireNothing(t, w, spoilt)
	}
}

func requireNothing(t *testing.T, w *Web, path string) {
	t.Helper()
	for _, change := range [][]func(*http.Request){nil, {anonymous}} {
		rec := ask(w, path, nil, change...)
		require.Contains(t, []int{http.StatusNotFound, http.StatusBadRequest}, rec.Code, path)
		require.NotContains(t, rec.Body.String(), "root:")
		require.NotContains(t, rec.Body.String(), "package static")
		require.NotContains(t, rec.Header(), "X-Injected")
	}
}

// TestHeadersChangeNoPage: a request is what its first line says.
func TestHeadersChangeNoPage(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	f.role = uptime.RoleViewer
	for name, value := range map[string]string{
		"X-Original-URL": "/settings/audit", "X-Rewrite-URL": "/settings/audit", "X-HTTP-Method-Override": "POST", "X-Method-Override": "DELETE", "X-HTTP-Method": "POST",
		"X-Workspace-ID": "2", "X-Tenant": "2", "X-User": "owner@example.com", "Remote-User": "owner@example.com", "X-Forwarded-User": "owner@example.com", "X-Role": "owner",
	} {
		forged := func(r *http.Request) { r.Header.Set(name, value) }
		require.Equal(t, ask(w, "/monitors", nil).Body.String(), ask(w, "/monitors", nil, forged).Body.String(), name)
		require.Equal(t, http.StatusForbidden, ask(w, "/settings/audit", nil, forged).Code, name)
		require.Equal(t, http.StatusMethodNotAllowed, ask(w, "/monitors/1/pause", nil, forged).Code, name)
		require.Equal(t, http.StatusForbidden, ask(w, "/monitors/1/pause", url.Values{"_method": {"GET"}, "role": {"owner"}, "workspace_id": {"2"}}, forged).Code, name)
		require.Equal(t, http.StatusSeeOther, ask(w, "/monitors", nil, anonymous, forged).Code, name)
	}
	require.Empty(t, f.saved)
}

// TestWaysBackStayHere: of what comes behind log-in only paths of this site are
// followed, however they are written.
func TestWaysBackStayHere(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	for _, next := range []string{
		"//evil.example", "///evil.example", `/\evil.example`, `\/evil.example`, "/\t/evil.example", "/\r/evil.example", "/\x00/evil.example", "https:evil.example", "https:/evil.example", "//evil.example\\@ours.example",
		" //evil.example", "\t//evil.example", "\u00a0//evil.example", "/%2f/evil.example", "/%5cevil.example", "/.//evil.example", "/..//evil.example", "/./\\evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)",
		"data:text/html,<script>alert(1)</script>", "vbscript:x", "//evil%E3%80%82example", "/?\r\nX-Injected: 1", "/%0d%0aX-Injected:%201", "/" + strings.Repeat("a", 10000),
	} {
		for _, rec := range []interface {
			Header() http.Header
		}{
			ask(w, "/login", url.Values{"email": {"m@example.com"}, "password": {"right"}, "next": {next}}, anonymous),
			ask(w, "/login?next="+url.QueryEscape(next), nil), // logged in already
			ask(w, "/login/2fa", url.Values{"code": {"123456"}, "next": {next}}, holdingTicket),
		} {
			location := rec.Header().Get("Location")
			require.Regexp(t, `^/([^/\\]|$)`, location, "%q", next)
			require.NotContains(t, rec.Header(), "X-Injected", "%q", next)
			to, err := url.Parse("https://ours.example")
			require.NoError(t, err)
			landed, err := to.Parse(location)
			require.NoError(t, err)
			require.Equal(t, "ours.example", landed.Host, "%q", next)
		}
	}
}

// TestNoOtherOriginReads: no answer lets a page of another site read it.
func TestNoOtherOriginReads(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	for _, origin := range []string{"https://evil.example", "null", "http://localhost:8080.evil.example", "http://localhost:8080"} {
		for _, path := range []string{"/", "/login", "/monitors", "/conditions", w.assets.names["js/main.js"], "/nope"} {
			rec := ask(w, path, nil, func(r *http.Request) { r.Header.Set("Origin", origin) })
			for name := range rec.Header() {
				require.False(t, strings.HasPrefix(name, "Access-Control-"), "%s for %s: %s", path, origin, name)
			}
			require.Equal(t, "nosniff", rec.Header().Get("X-Content-Type-Options"))
			require.Contains(t, rec.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'")
		}
	}
}
