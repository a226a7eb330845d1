package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func TestFirstMonitorKeepsTheDefaults(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	rec := ask(w, "/monitors", url.Values{"first": {"1"}, "type": {"http"}, "http.url": {"example.com/health"}})
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, "/monitors/1", rec.Header().Get("Location"))
	require.Equal(t, map[string]any{
		"type": "http", "name": "example.com", "http": map[string]any{"url": "https://example.com/health"},
	}, f.lastSaved(t), "a checkbox that was not shown does not mean no")
}

func TestMonitorFormToJSON(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	rec := ask(w, "/monitors", url.Values{
		"type": {"http"}, "name": {"Shop"}, "http.url": {"https://example.com"}, "http.method": {"GET"},
		"http.expected_status": {"200-299\r\n301"}, "http.follow_redirects": {"on"}, "http.headers": {"X-A: b"}, "http.degraded_after": {""},
		"interval": {"5m"}, "timeout": {""}, "failures_before_down": {"x"}, "tags": {"team: web"}, "channels_shown": {"1"}, "channel_ids": {"3", "1"},
	})
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, map[string]any{
		"type": "http", "name": "Shop", "interval": "5m", "failures_before_down": "x",
		"tags": map[string]any{"team": "web"}, "channel_ids": []any{3.0, 1.0},
		"http": map[string]any{
			"url": "https://example.com", "method": "GET", "expected_status": []any{"200-299", "301"},
			"follow_redirects": true, "verify_tls": false, "headers": map[string]any{"X-A": "b"},
		},
	}, f.lastSaved(t))
}

func TestEditKeepsWhatTheFormDoesNotShow(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	rec := ask(w, "/monitors/1/edit", url.Values{"name": {"New"}, "http.url": {"https://example.com"}, "etag": {`"7"`}, "channels_shown": {"1"}})
	require.Equal(t, http.StatusSeeOther, rec.Code)
	saved := f.lastSaved(t)
	require.Equal(t, "New", saved["name"])
	require.Equal(t, []any{"default"}, saved["regions"])
	require.Equal(t, true, saved["enabled"])
	require.Equal(t, []any{}, saved["channel_ids"], "every box unticked")
	require.NotContains(t, saved, "status")
}

func TestSecondEditorIsAsked(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	f.failure = uptime.ErrStale
	rec := ask(w, "/monitors/1/edit", url.Values{"name": {"Mine"}, "http.url": {"https://example.com"}, "etag": {`"6"`}})
	require.Equal(t, http.StatusConflict, rec.Code)
	require.Contains(t, rec.Body.String(), "Mia Weber changed this monitor")
	require.Regexp(t, `<td class="first strong">Name</td><td data-label="stored">[^<]+</td><td data-label="yours">Mine</td>`, rec.Body.String())
	require.Contains(t, rec.Body.String(), `value="Mine"`)
	require.Contains(t, rec.Body.String(), `name="etag" value="&#34;7&#34;"`, "saving again overwrites")
}

func TestTestNowAnswersInPlace(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	form := url.Values{"type": {"http"}, "http.url": {"https://example.com"}}
	part := ask(w, "/monitors/test", form, asFragment)
	require.Equal(t, http.StatusOK, part.Code)
	require.Regexp(t, `^<div id="test-result" role="status">`, part.Body.String())
	require.NotContains(t, part.Body.String(), "<html")
	require.NotContains(t, part.Body.String(), "<script>alert")
}

func TestErrorsLinkToTheirFields(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	f.failure = uptime.Invalid(uptime.FieldError{Field: "http.expected_status[1]", Message: "must be a status or a range"})
	rec := ask(w, "/monitors", url.Values{"type": {"http"}, "http.url": {"https://example.com"}})
	html := rec.Body.String()
	require.Equal(t, http.StatusUnprocessableEntity, rec.Code)
	require.Contains(t, html, `<a href="#f-http-expected-status">`)
	require.Contains(t, html, `id="f-http-expected-status" name="http.expected_status"`)
	require.Contains(t, html, `aria-invalid="true" aria-describedby="f-http-expected-status-help f-http-expected-status-err"`)
}

func TestFailedFragmentKeepsTheOldContent(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	f.broken = uptime.ErrUnavailable
	rec := ask(w, "/monitors", nil, asFragment)
	require.Equal(t, http.StatusServiceUnavailable, rec.Code)
	require.Equal(t, "none", rec.Header().Get("HX-Reswap"))
	require.Empty(t, rec.Body.String())
}

// A database that hangs holds a page up once, and not again for the page that says
// so.
func TestHangingDatabaseIsSaidInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, f := setup(t)
		f.hangs = true
		began := time.Now()
		rec := ask(w, "/monitors", nil)
		require.Equal(t, http.StatusServiceUnavailable, rec.Code)
		require.Contains(t, rec.Body.String(), "The database does not answer")
		require.LessOrEqual(t, time.Since(began), readTimeout+frameWithin)
	})
}

func TestChannelPatchRemovesWhatIsGone(t *testing.T) {
	t.Parallel()
	patch, err := mergePatch(json.RawMessage(`{"url":"a","headers":{"A":"1","B":"2"},"smtp":{"host":"x"}}`),
		json.RawMessage(`{"url":"b","headers":{"B":"3"}}`))
	require.NoError(t, err)
	require.JSONEq(t, `{"url":"b","headers":{"A":null,"B":"3"},"smtp":null}`, string(patch))
}

func TestChannelFormLeavesAnEmptyBlockOut(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	ask(w, "/channels", url.Values{
		"type": {"email"}, "name": {"Ops"}, "settings.to": {"a@example.com\nb@example.com"},
		"settings.smtp.host": {" "}, "settings.smtp.port": {"0"}, "settings.smtp.password": {""}, "enabled": {"on"},
	})
	saved := f.lastSaved(t)
	require.Equal(t, map[string]any{"to": []any{"a@example.com", "b@example.com"}}, saved["settings"])
	require.Equal(t, true, saved["enabled"])
	require.Equal(t, false, saved["send_resolved"])
}

func TestFlashIsToldOnce(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	rec := ask(w, "/monitors/1/pause", url.Values{})
	require.Equal(t, http.StatusSeeOther, rec.Code)
	cookie := rec.Result().Cookies()[0]
	rec = ask(w, "/monitors/1", nil, func(r *http.Request) { r.AddCookie(cookie) })
	require.Contains(t, rec.Body.String(), "Monitor paused.")
	require.Negative(t, rec.Result().Cookies()[0].MaxAge)
	cookie.Value = "<script>alert(1)</script>"
	require.NotContains(t, ask(w, "/", nil, func(r *http.Request) { r.AddCookie(cookie) }).Body.String(), "alert(1)")
}

// TestInputIsNotLostWithAFailure: what was typed stands on the page that says that it
// could not be taken, and nothing that may be secret.
func TestInputIsNotLostWithAFailure(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	f.failure = uptime.ErrUnavailable
	rec := ask(w, "/monitors", url.Values{"name": {hostile}, "type": {"http"}, "http.url": {"https://me:hunter2@example.com"}, "http.headers": {"Authorization: hunter2"}, "interval": {"90s"}})
	require.Equal(t, http.StatusServiceUnavailable, rec.Code)
	require.Contains(t, rec.Body.String(), "What you had typed")
	require.Contains(t, rec.Body.String(), "<dt>interval</dt><dd>90s</dd>")
	require.NotContains(t, rec.Body.String(), "hunter2")
	require.NotContains(t, rec.Body.String(), "<script>alert")
}

func TestChannelsAreTurnedOffAndOn(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	require.Equal(t, http.StatusSeeOther, ask(w, "/channels/1/disable", url.Values{}).Code)
	require.Equal(t, map[string]any{"enabled": false}, f.lastSaved(t))
	require.Equal(t, http.StatusSeeOther, ask(w, "/channels/1/enable", url.Values{}).Code)
	require.Equal(t, map[string]any{"enabled": true}, f.lastSaved(t))
}
