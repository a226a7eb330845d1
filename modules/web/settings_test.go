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
		{"defaults-behind", "/settings/defaults?was=%7B%22interval%22%3A%2260s%22%7D", nil, ok, nil, nil},
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

// TestMonitorsMayFollowTheDefaults: what was changed is carried to the preview and on to the
// job; an address that somebody made up is no failure.
func TestMonitorsMayFollowTheDefaults(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	to := ask(w, "/settings/defaults", url.Values{"interval": {"30s"}}).Header().Get("Location")
	require.Equal(t, `/settings/defaults?was=%7B%22interval%22%3A%2260s%22%7D`, to)
	page := ask(w, to, nil).Body.String()
	require.Contains(t, page, "14\u00a0monitors have what was the default before.")
	require.Contains(t, page, `name="from" value="{&#34;interval&#34;:&#34;60s&#34;}"`)
	asked := url.Values{"action": {"defaults"}, "all": {"1"}, "from": {`{"interval":"60s"}`}, "back": {to}}
	page = ask(w, "/monitors/bulk", asked).Body.String()
	require.Contains(t, page, `name="from" value="{&#34;interval&#34;:&#34;60s&#34;}"`)
	require.Equal(t, map[string]any{"action": "defaults", "dry_run": true, "filter": map[string]any{}, "from": map[string]any{"interval": "60s"}}, f.lastSaved(t))
	for name, value := range map[string]string{"confirm": "1", "set": "set"} {
		asked.Set(name, value)
	}
	require.Equal(t, "/monitors/bulk/7", ask(w, "/monitors/bulk", asked).Header().Get("Location"))
	require.Equal(t, map[string]any{"interval": "60s"}, f.lastSaved(t)["from"])
	f.failure = uptime.Invalid(uptime.FieldError{Field: "from", Message: "must be an object"})
	require.NotContains(t, ask(w, "/settings/defaults?was=nonsense", nil).Body.String(), "Let them follow")
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
