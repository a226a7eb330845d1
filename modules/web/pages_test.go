package web

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

var update = flag.Bool("update", false, "write the golden files anew")

// shot is a page as some request shows it.
type shot struct {
	name, path string
	form       url.Values
	status     int
	prepare    func(*fake)
	change     func(*http.Request)
}

// take asks for the page.
func (s shot) take(w *Web, f *fake) *httptest.ResponseRecorder {
	if s.prepare != nil {
		s.prepare(f)
	}
	var changes []func(*http.Request)
	if s.change != nil {
		changes = append(changes, s.change)
	}
	return ask(w, s.path, s.form, changes...)
}

func shots() []shot {
	ok, bad := http.StatusOK, http.StatusUnprocessableEntity
	refuse := func(f *fake) {
		f.failure = uptime.Invalid(
			uptime.FieldError{Field: "http.url", Message: "must be an absolute http or https URL"},
			uptime.FieldError{Field: "interval", Message: "must be at least 5s"},
			uptime.FieldError{Field: "settings.url", Message: "is required"},
			uptime.FieldError{Field: "time_zone", Message: "must be a time zone such as Europe/Berlin"},
			uptime.FieldError{Field: "message", Message: "is required"},
		)
	}
	typedForm := url.Values{"type": {"http"}, "name": {hostile}, "http.url": {"ftp://" + hostile}, "interval": {"1s"}, "tags": {"team: web"}}
	empty := func(f *fake) { f.empty = true }
	return []shot{
		{"setup", "/setup", nil, ok, func(f *fake) { f.fresh = true }, func(r *http.Request) { anonymous(r); from(uptime.Request{Address: "203.0.113.9"})(r) }},
		{"login", "/login?next=/monitors", nil, ok, nil, anonymous},
		{"login-refused", "/login", url.Values{"email": {hostile}, "password": {"wrong"}}, bad, nil, anonymous},
		{"invite", "/invite/inv_ok", nil, ok, nil, anonymous},
		{"invite-refused", "/invite/inv_ok", url.Values{"name": {hostile}, "password": {"short"}, "time_zone": {hostile}}, bad, nil, anonymous},
		{"overview", "/", nil, ok, nil, nil},
		{"overview-empty", "/", nil, ok, empty, nil},
		{"overview-wrong", "/", nil, ok, func(f *fake) { f.goesWrong(uptime.ConditionRedis) }, nil},
		{"monitor-new-wrong", "/monitors/new", nil, ok, func(f *fake) {
			f.goesWrong(uptime.ConditionScheduler, uptime.ConditionWorkers, uptime.ConditionNotifiers)
		}, nil},
		{"monitors", "/monitors", nil, ok, nil, nil},
		{"monitors-filtered", "/monitors?status=down&q=" + url.QueryEscape(hostile), nil, ok, nil, nil},
		{"monitors-none", "/monitors?status=unknown&type=http&tag=env:prod&tag=team&group=Shop&q=nothing", nil, ok, nil, nil},
		{"monitors-grouped", "/monitors?view=grouped", nil, ok, nil, nil},
		{"monitors-grouped-odd", "/monitors?view=grouped&tag=team:core", nil, ok, func(f *fake) { f.odd = true }, nil},
		{"monitors-odd", "/monitors?group=/", nil, ok, func(f *fake) {
			f.odd = true
			f.likes = &uptime.Preferences{Columns: uptime.MonitorColumns(), Density: "compact", PageSize: 25, View: "list"}
		}, nil},
		{"monitors-viewer", "/monitors?sort=group&dir=desc", nil, ok, func(f *fake) { f.role = uptime.RoleViewer }, nil},
		{"monitors-empty", "/monitors", nil, ok, empty, nil},
		{"monitor-down", "/monitors/1", nil, ok, nil, nil},
		{"monitor-young", "/monitors/5", nil, ok, func(f *fake) { f.young = true }, nil},
		{"monitor-up", "/monitors/5?range=7d", nil, ok, nil, nil},
		{"monitor-hostile", "/monitors/11?tab=incidents", nil, ok, nil, nil},
		{"monitor-config", "/monitors/11?tab=config", nil, ok, nil, nil},
		{"monitor-custom", "/monitors/1?from=2026-11-24T09:00&to=2026-11-24T15:00&log=1&result=down&check=1795528860000.default", nil, ok, nil, nil},
		{"monitor-bad-range", "/monitors/2?from=yesterday&to=", nil, ok, nil, nil},
		{"monitor-sent", "/monitors/2?range=90d&tab=notifications", nil, ok, nil, nil},
		{"monitor-sent-none", "/monitors/6?tab=notifications", nil, ok, empty, nil},
		{"monitor-pending", "/monitors/10", nil, ok, empty, nil},
		{"monitor-new", "/monitors/new", nil, ok, nil, nil},
		{"monitor-first", "/monitors/new?first=1", nil, ok, empty, nil},
		{"monitor-edit", "/monitors/11/edit", nil, ok, nil, nil},
		{"monitor-test", "/monitors/test", typedForm, ok, nil, nil},
		{"monitor-refused", "/monitors", typedForm, bad, refuse, nil},
		{"monitor-delete", "/monitors/11/delete", nil, ok, nil, nil},
		{"incidents", "/incidents", nil, ok, nil, nil},
		{"incidents-empty", "/incidents", nil, ok, empty, nil},
		{"incident", "/incidents/1", nil, ok, nil, nil},
		{"incident-hostile", "/incidents/11", nil, ok, nil, nil},
		{"incident-refused", "/incidents/1/updates", url.Values{"message": {hostile}}, bad, refuse, nil},
		{"channels", "/channels", nil, ok, nil, nil},
		{"channels-empty", "/channels", nil, ok, empty, nil},
		{"channel-new", "/channels/new", nil, ok, nil, nil},
		{"channel-new-mail", "/channels/new?type=email", nil, ok, nil, nil},
		{"channel-edit", "/channels/3/edit", nil, ok, nil, nil},
		{"channel-refused", "/channels", url.Values{"type": {"webhook"}, "name": {hostile}, "settings.url": {hostile}}, bad, refuse, nil},
		{"channel-test", "/channels/1/test", url.Values{}, ok, nil, nil},
		{"channel-delete", "/channels/3/delete", nil, ok, nil, nil},
		{"channel-log", "/channels/3/log", nil, ok, nil, nil},
		{"profile", "/settings/profile", nil, ok, nil, nil},
		{"profile-refused", "/settings/profile", url.Values{"name": {hostile}, "time_zone": {hostile}}, bad, refuse, nil},
		{"security", "/settings/security", nil, ok, nil, nil},
		{"security-refused", "/settings/security", url.Values{"email": {hostile}, "password": {hostile}}, bad, refuse, nil},
		{"error-403", "/monitors/new", nil, http.StatusForbidden, func(f *fake) { f.role = uptime.RoleViewer }, nil},
		{"error-404", "/monitors/999", nil, http.StatusNotFound, nil, nil},
		{"error-429", "/monitors/1/check", url.Values{}, http.StatusTooManyRequests, func(f *fake) {
			f.failure = &uptime.Error{Code: uptime.CodeLimited, Detail: "Too many.", RetryAfter: 90e9}
		}, nil},
		{"error-500", "/", nil, http.StatusInternalServerError, func(f *fake) { f.broken = os.ErrInvalid }, nil},
		{"error-503", "/", nil, http.StatusServiceUnavailable, func(f *fake) { f.broken = uptime.ErrUnavailable }, nil},
	}
}

// allShots are the pages of everything.
func allShots() []shot {
	return slices.Concat(shots(), incidentShots(), accessShots(), passkeyShots(), settingShots(), bulkShots(), wallShots())
}

var hashes = regexp.MustCompile(`\.[0-9a-f]{10}\.(css|js|svg)`)

func TestPages(t *testing.T) {
	t.Parallel()
	for _, s := range allShots() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w, f := setup(t)
			rec := s.take(w, f)
			html := rec.Body.String()
			require.Equal(t, s.status, rec.Code, html)
			require.Equal(t, "text/html; charset=UTF-8", rec.Header().Get("Content-Type"))
			require.Contains(t, rec.Header().Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'; style-src 'self'")
			vary := []string{"Accept-Encoding", "Accept-Language, HX-Request"}
			if showsSecret(s.path) {
				vary = vary[1:]
			}
			require.Equal(t, vary, rec.Header().Values("Vary"))
			wholesome(t, html)
			golden(t, s.name, hashes.ReplaceAllString(html, ".HASH.$1"))
		})
	}
}

var (
	inlineStyle = regexp.MustCompile(`(?i)<style|\sstyle=`)
	inlineEvent = regexp.MustCompile(`(?i)\son[a-z]+=`)
	inlineCode  = regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>[^<]`)
	headings    = regexp.MustCompile(`<h1[ >]`)
)

// wholesome asks what must be true of every page.
func wholesome(t *testing.T, html string) {
	t.Helper()
	require.NotContains(t, html, "<script>alert", "hostile text became markup")
	require.NotRegexp(t, inlineStyle, html)
	require.NotRegexp(t, inlineEvent, strings.ReplaceAll(html, "&#39;", ""))
	require.NotRegexp(t, inlineCode, html)
	require.NotContains(t, html, "ZgotmplZ")
	require.NotContains(t, html, "%!")
	require.Len(t, headings.FindAllString(html, -1), 1, "one main heading")
	require.Contains(t, html, `<a class="skip" href="#main">`)
	require.NotContains(t, html, "http-equiv")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name+".html")
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "run the tests with -update to make it")
	require.Equal(t, string(want), got)
}
