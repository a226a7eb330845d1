package web

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func settingShots() []shot {
	ok, bad := http.StatusOK, http.StatusUnprocessableEntity
	stale := func(f *fake) { f.failure = uptime.ErrStale }
	refuse := func(f *fake) {
		f.failure = uptime.Invalid(
			uptime.FieldError{Field: "interval", Message: "must be at least 5s"},
			uptime.FieldError{Field: "http.degraded_after", Message: "must be a duration"},
			uptime.FieldError{Field: "results", Message: "must be at least 1d"},
		)
	}
	return []shot{
		{"defaults", "/settings/defaults", nil, ok, nil, nil},
		{"defaults-none", "/settings/defaults", nil, ok, func(f *fake) { f.empty = true }, nil},
		{"defaults-behind", "/settings/defaults?change=4", nil, ok, nil, nil},
		{"defaults-refused", "/settings/defaults", url.Values{"interval": {hostile}, "http.degraded_after": {hostile}}, bad, refuse, nil},
		{"deleted", "/monitors/deleted", nil, ok, nil, nil},
		{"deleted-none", "/monitors/deleted", nil, ok, func(f *fake) { f.empty = true }, nil},
		{"tags", "/settings/tags", nil, ok, nil, nil},
		{"tags-none", "/settings/tags", nil, ok, func(f *fake) { f.empty = true }, nil},
		{"retention", "/settings/retention", nil, ok, nil, nil},
		{"retention-elsewhere", "/settings/retention", nil, ok, func(f *fake) { f.young = true }, nil},
		{"retention-shorter", "/settings/retention", url.Values{"results": {"7d"}, "incidents": {"0s"}}, bad, nil, nil},
		{"retention-refused", "/settings/retention", url.Values{"results": {hostile}, "incidents": {"0s"}}, bad, refuse, nil},
		{"about", "/settings/about", nil, ok, nil, nil},
		{"monitor-conflict", "/monitors/1/edit", url.Values{"name": {hostile}, "http.url": {"https://example.com"}, "interval": {"5m"}, "channel_ids": {"2"}, "etag": {`"6"`}}, http.StatusConflict, stale, nil},
		{"channel-conflict", "/channels/3/edit", url.Values{"name": {hostile}, "settings.url": {"https://example.com"}, "settings.secret": {"new"}, "etag": {`"6"`}}, http.StatusConflict, stale, nil},
	}
}

func TestDefaultsKeepWhatThePageDoesNotShow(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	rec := ask(w, "/settings/defaults", url.Values{"interval": {"30s"}, "http.method": {"HEAD"}, "http.degraded_after": {"1s"}})
	require.Equal(t, http.StatusSeeOther, rec.Code)
	saved := f.lastSaved(t)
	require.Equal(t, "30s", saved["interval"])
	require.Equal(t, []any{"default", "eu"}, saved["regions"])
	require.Equal(t, "HEAD", saved["http"].(map[string]any)["method"])
	require.NotContains(t, saved["http"], "url", "each monitor has its own")
	require.NotContains(t, saved["http"], "headers", "they may be secret")
}

// TestMonitorsMayFollowTheDefaults: a change is named to the preview and on to the job, which
// say what it changes; one that others changed again is offered no more.
func TestMonitorsMayFollowTheDefaults(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	to := ask(w, "/settings/defaults", url.Values{"interval": {"2m"}}).Header().Get("Location")
	require.Equal(t, `/settings/defaults?change=4`, to)
	page := ask(w, to, nil).Body.String()
	require.Contains(t, page, "12\u00a0monitors have what was the default before.")
	require.Contains(t, page, "<dt>http.degraded_after</dt><dd><del>0s</del> → <ins>2s</ins></dd>")
	asked := url.Values{"action": {"defaults"}, "all": {"1"}, "change": {"4"}, "back": {to}}
	page = ask(w, "/monitors/bulk", asked).Body.String()
	require.Contains(t, page, `name="change" value="4"`)
	require.Contains(t, page, "<dt>interval</dt><dd><del>60s</del> → <ins>120s</ins></dd>")
	from := map[string]any{"interval": "60s", "http": map[string]any{"degraded_after": "0s"}}
	require.Equal(t, map[string]any{"action": "defaults", "dry_run": true, "filter": map[string]any{}, "from": from}, f.lastSaved(t))
	asked.Set("confirm", "1")
	asked.Set("set", "set")
	require.Equal(t, "/monitors/bulk/7", ask(w, "/monitors/bulk", asked).Header().Get("Location"))
	require.Equal(t, from, f.lastSaved(t)["from"])
	asked.Set("change", "5")
	rec := ask(w, "/monitors/bulk", asked)
	require.Equal(t, http.StatusConflict, rec.Code)
	require.Contains(t, rec.Body.String(), "The defaults were changed again since.")
	require.NotContains(t, ask(w, "/settings/defaults?change=5", nil).Body.String(), "Let them follow")
}

func TestShorterRetentionIsAskedFor(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	form := url.Values{"results": {"7d"}, "rollups": {"1d"}, "incidents": {"0s"}}
	rec := ask(w, "/settings/retention", form)
	require.Equal(t, http.StatusUnprocessableEntity, rec.Code)
	require.Contains(t, rec.Body.String(), `name="sure"`)
	require.Contains(t, rec.Body.String(), `value="7d"`, "what was typed stays")
	require.Empty(t, f.saved)
	form.Set("sure", "on")
	require.Equal(t, http.StatusSeeOther, ask(w, "/settings/retention", form).Code)
	require.Equal(t, map[string]any{"results": "7d", "incidents": "0s"}, f.lastSaved(t), "what the operator has set is not sent")
	require.Equal(t, http.StatusSeeOther, ask(w, "/settings/retention", url.Values{"results": {"60d"}, "incidents": {"0s"}}).Code, "longer needs no tick")
}

func TestNewMonitorsBeginWithTheDefaults(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	page := ask(w, "/monitors/new", nil).Body.String()
	require.Regexp(t, `name="failures_before_down" value="3"`, page)
	require.Regexp(t, `name="http.degraded_after" value="2s"`, page)
	require.Contains(t, page, "Default: 3, from Settings › Defaults.")
	require.Contains(t, page, "Default: 1m.")
}
