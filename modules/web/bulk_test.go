package web

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func TestSilenceFromAPage(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	rec := ask(w, "/monitors/1/silence", url.Values{"for": {"8h"}, "note": {"Moving the rack"}, "back": {"/monitors?status=down"}})
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, "/monitors?status=down", rec.Header().Get("Location"))
	require.Equal(t, map[string]any{"for": "8h", "note": "Moving the rack"}, f.lastSaved(t))
	require.Equal(t, "monitor-silenced.1", cookieOf(t, rec, flashCookie).Value)
	rec = ask(w, "/monitors/1/unsilence", url.Values{"a": {"b"}})
	require.Equal(t, "/monitors/1", rec.Header().Get("Location"))
}

// TestUndoOfWhatWasDone: the flash leads back, and nowhere else.
func TestUndoOfWhatWasDone(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"monitor-deleted.11": "/monitors/11/restore", "monitor-paused.3": "/monitors/3/resume", "monitor-silenced.3": "/monitors/3/unsilence",
		"monitor-deleted": "", "monitor-deleted.x": "", "monitor-deleted.-1": "", "monitor-deleted.1/../2": "", "monitor-saved.3": "",
	} {
		f := flashOf(value)
		require.NotNil(t, f, value)
		require.Equal(t, want, f.Undo, value)
	}
	require.Nil(t, flashOf("<script>.1"))
	w, f := setup(t)
	rec := ask(w, "/monitors/11/delete", url.Values{"a": {"b"}})
	require.Equal(t, "monitor-deleted.11", cookieOf(t, rec, flashCookie).Value)
	rec = ask(w, "/monitors/11/restore", url.Values{"a": {"b"}})
	require.Equal(t, "/monitors/11", rec.Header().Get("Location"))
	f.failure = uptime.Fail(uptime.CodeConflict, "Its external key is taken by another monitor.")
	rec = ask(w, "/monitors/11/restore", url.Values{"a": {"b"}})
	require.Equal(t, http.StatusConflict, rec.Code)
}

// TestCloneTakesSecretsFromTheOther: masked values and what the form does not show are those of
// the source; its key is not.
func TestCloneTakesSecretsFromTheOther(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	rec := ask(w, "/monitors/1/clone", url.Values{
		"type": {"http"}, "name": {"Second"}, "http.url": {"https://example.com"}, "http.headers": {"Authorization: ********"}, "copy_of": {"1"}, "channels_shown": {"1"},
	})
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, "/monitors/2", rec.Header().Get("Location"))
	saved := f.lastSaved(t)
	require.Equal(t, "Second", saved["name"])
	require.Equal(t, "********", saved["http"].(map[string]any)["headers"].(map[string]any)["Authorization"])
	require.Equal(t, []any{"default"}, saved["regions"])
	require.NotContains(t, saved, "external_key")

	ask(w, "/monitors/test", url.Values{"type": {"http"}, "copy_of": {"1"}, "http.url": {"https://example.com"}}, asFragment)
	require.EqualValues(t, 1, f.lastSaved(t)["id"], "a test of it, too")
	require.Equal(t, http.StatusNotFound, ask(w, "/monitors/999/clone", nil).Code)
}

func TestBulkFromTheList(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	ticked := func(more ...string) url.Values {
		v := url.Values{"id": {"3", "5", "x"}, "status": {"down"}, "tag": {"team:web"}, "q": {""}}
		for i := 0; i < len(more); i += 2 {
			v.Set(more[i], more[i+1])
		}
		return v
	}
	t.Run("NothingTicked", func(t *testing.T) {
		rec := ask(w, "/monitors/bulk", url.Values{"action": {"pause"}, "back": {"/monitors?q=x"}})
		require.Equal(t, "/monitors?q=x", rec.Header().Get("Location"))
		require.Equal(t, "bulk-none", cookieOf(t, rec, flashCookie).Value)
	})
	t.Run("NoSuchAction", func(t *testing.T) {
		require.Equal(t, http.StatusBadRequest, ask(w, "/monitors/bulk", ticked("action", "explode")).Code)
	})
	t.Run("Ticked", func(t *testing.T) {
		rec := ask(w, "/monitors/bulk", ticked("action", "tag-add", "ready", "1", "to_tag", "env:prod"))
		require.Equal(t, http.StatusOK, rec.Code)
		require.Equal(t, map[string]any{"action": "tag-add", "dry_run": true, "ids": []any{3.0, 5.0}, "tag": "env:prod"}, f.lastSaved(t))
	})
	t.Run("All", func(t *testing.T) {
		ask(w, "/monitors/bulk", ticked("all", "1", "action", "group", "group", "Shop", "ready", "1", "to_group", "Shop/EU"))
		require.Equal(t, map[string]any{
			"action": "group", "dry_run": true, "group": "Shop/EU",
			"filter": map[string]any{"status": []any{"down"}, "tag": []any{"team:web"}, "group": "Shop"},
		}, f.lastSaved(t), "the ticks do not matter then")
	})
	t.Run("Channels", func(t *testing.T) {
		v := ticked("action", "channels", "ready", "1", "mode", "add")
		v["channel_ids"] = []string{"1", "3"}
		ask(w, "/monitors/bulk", v)
		saved := f.lastSaved(t)
		require.Equal(t, []any{1.0, 3.0}, saved["channel_ids"])
		require.Equal(t, "add", saved["mode"])
	})
	t.Run("Confirmed", func(t *testing.T) {
		rec := ask(w, "/monitors/bulk", ticked("action", "pause", "confirm", "1", "set", "set"))
		require.Equal(t, http.StatusSeeOther, rec.Code)
		require.Equal(t, "/monitors/bulk/7", rec.Header().Get("Location"))
		require.Equal(t, map[string]any{"action": "pause", "dry_run": false, "ids": []any{3.0, 5.0}, "set": "set"}, f.lastSaved(t))
	})
	t.Run("TypedNumber", func(t *testing.T) {
		for typed, status := range map[string]int{"": http.StatusUnprocessableEntity, "11": http.StatusUnprocessableEntity, "12": http.StatusSeeOther} {
			rec := ask(w, "/monitors/bulk", ticked("action", "delete", "confirm", "1", "set", "set", "typed", typed))
			require.Equal(t, status, rec.Code, typed)
		}
	})
	t.Run("Undo", func(t *testing.T) {
		rec := ask(w, "/monitors/bulk/8/undo", url.Values{"a": {"b"}})
		require.Equal(t, "/monitors/bulk/9", rec.Header().Get("Location"))
	})
	t.Run("Fragment", func(t *testing.T) {
		part := ask(w, "/monitors/bulk/7", nil, asFragment).Body.String()
		require.Regexp(t, `^<div id="board"`, part)
		require.Contains(t, part, `hx-trigger="every 2s"`)
		require.NotContains(t, ask(w, "/monitors/bulk/8", nil, asFragment).Body.String(), "every 2s", "it is done")
	})
}

// TestDeletedMonitorsMayBeMore: a list that has an end says so.
func TestDeletedMonitorsMayBeMore(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	require.NotContains(t, ask(w, "/monitors/deleted", nil).Body.String(), "deleted last are shown")
	f.many = manage.MaxDeleted - 3
	require.Contains(t, ask(w, "/monitors/deleted", nil).Body.String(), "Only the 500 that were deleted last are shown.")
}

// TestToast: with a script the flash stands at the page's foot, with its undo, and can be closed.
func TestToast(t *testing.T) {
	t.Parallel()
	server, ctx := stage(t, nil), browse(t)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL+"/shot/monitors-undo"), chromedp.WaitVisible(`.toasts .note[role="status"]`)))
	left, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`document.querySelectorAll('main .note[data-flash]').length`))
	require.NoError(t, err)
	require.Zero(t, left, "it is told once")
	to, err := chromedp.Run(ctx, chromedp.Evaluate[string](`new URL(document.querySelector('.toasts form').action).pathname`))
	require.NoError(t, err)
	require.Equal(t, "/monitors/11/restore", to)
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(`.toasts .note > button`), chromedp.WaitNotPresent(`.toasts .note`)))
}
