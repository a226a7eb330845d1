package app_test

import (
	"fmt"
	"maps"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// paused makes monitors that nothing checks and gives their ids.
func (c client) paused(name string, n int, more map[string]any) []float64 {
	c.t.Helper()
	ids := make([]float64, n)
	for i := range ids {
		body := map[string]any{"name": fmt.Sprintf("%s %02d", name, i), "type": "http", "enabled": false, "http": map[string]any{"url": "http://127.0.0.1:1/"}}
		maps.Copy(body, more)
		ids[i], _ = c.must(http.StatusCreated, http.MethodPost, "/api/v1/monitors", body).object(c.t)["id"].(float64)
	}
	return ids
}

// intervals counts the monitors of each interval.
func (c client) intervals() map[any]int {
	c.t.Helper()
	count := map[any]int{}
	for _, m := range c.must(http.StatusOK, http.MethodGet, "/api/v1/monitors?limit=100", nil).list(c.t) {
		count[m["interval"]]++
	}
	return count
}

// tickPage ticks the boxes of all rows by that of the head, and says what to do with them.
func (b tab) tickPage(what, path, picked, action string, more ...step) {
	b.t.Helper()
	b.do(what+"-ticked", append([]step{
		b.open(path), heading("Monitors"), chromedp.Click(chromedp.CSS(`#list thead [data-pick]`)),
		chromedp.WaitVisible(chromedp.Search(fmt.Sprintf(`//*[@id="picked"][.=%q]`, picked+" selected"))), fill("action", action),
	}, more...)...)
	b.do(what+"-asked", press("Continue"), chromedp.WaitVisible(chromedp.CSS(`form[action="/monitors/bulk"].form`)))
}

// intervalForAll: who ticks a page can do something to all that match; what would change is
// shown before it does. Who may only look has nothing of it.
func intervalForAll(t *testing.T) {
	t.Helper()
	p := serve(t, t.TempDir())
	c := p.setup()
	c.paused("web", 53, map[string]any{"interval": "1m", "tags": map[string]string{"team": "web"}})
	c.paused("web too", 7, map[string]any{"interval": "5m", "tags": map[string]string{"team": "web"}})
	c.paused("core", 5, map[string]any{"interval": "1m", "tags": map[string]string{"team": "core"}})
	require.Equal(t, map[any]int{"60s": 58, "300s": 7}, c.intervals())
	b := openTab(t, p.base)
	b.logIn("24-log-in", "owner@example.com")
	b.tickPage("24", "/monitors?tag=team:web", "50", "interval", chromedp.Click(chromedp.Search(`//label[contains(., "All 60 that match")]`)))
	b.do("24-preview", fill("interval", "5m"), press("Continue"), sees("53 change, 7 stay as they are."))
	require.Equal(t, map[any]int{"60s": 58, "300s": 7}, c.intervals(), "nothing was done yet")
	b.do("24-done", press("Set interval"), sees("60 of 60 done: 53 changed, 7 as they should be already, 0 skipped."))
	require.Equal(t, map[any]int{"60s": 5, "300s": 60}, c.intervals())

	c.must(http.StatusCreated, http.MethodPost, "/api/v1/users", map[string]any{"email": "vera@example.com", "role": "viewer", "password": ownerPassword})
	viewer := openTab(t, p.base)
	viewer.logIn("24-viewer", "vera@example.com")
	viewer.do("24-viewer-list", viewer.open("/monitors?tag=team:web"), heading("Monitors"))
	require.Equal(t, "50|0", viewer.reads(`document.querySelectorAll('#list tbody tr').length + '|' + document.querySelectorAll('#bulk, #selecting, #row-menu, [data-pick], [data-menu], [name=id], a[href="/monitors/new"]').length`))
	refused, err := chromedp.Run(viewer.ctx, chromedp.Evaluate[int](`fetch('/monitors/bulk', { method: 'POST', body: new URLSearchParams({ all: '1', action: 'interval', ready: '1', interval: '9m', confirm: '1' }) }).then((answer) => answer.status)`, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	require.Equal(t, http.StatusForbidden, refused)
	require.Equal(t, map[any]int{"60s": 5, "300s": 60}, c.intervals())
}

// history is when a monitor was checked, as far as results are kept.
func (c client) history(id float64) []any {
	c.t.Helper()
	var at []any
	for _, r := range c.must(http.StatusOK, http.MethodGet, fmt.Sprintf("/api/v1/monitors/%.0f/results?limit=100", id), nil).list(c.t) {
		at = append(at, r["scheduled_at"])
	}
	return at
}

// deletedAndBack: Undo brings a monitor back with all that is known of it; and many are not
// deleted by one wrong click.
func deletedAndBack(t *testing.T) {
	t.Helper()
	p := serve(t, t.TempDir())
	c, tg := p.setup(), newTarget(t)
	id, _ := c.must(http.StatusCreated, http.MethodPost, "/api/v1/monitors", map[string]any{"name": "Shop", "type": "http", "interval": "1h", "http": map[string]any{"url": tg.URL}}).object(t)["id"].(float64)
	at := fmt.Sprintf("/api/v1/monitors/%.0f", id)
	for range 3 {
		c.must(http.StatusOK, http.MethodPost, at+"/check", nil)
	}
	eventually(t, "it was checked by itself, too", func() bool { return len(c.history(id)) == 4 })
	before := c.history(id)
	b := openTab(t, p.base)
	b.logIn("25-log-in", "owner@example.com")
	b.do("25-ask", b.open(fmt.Sprintf("/monitors/%.0f", id)), heading("Shop"), chromedp.Click(chromedp.CSS(`main .actions > details:last-of-type > summary`)), chromedp.Click(chromedp.CSS(`main a[data-confirm]`)),
		chromedp.WaitVisible(chromedp.CSS(`dialog[open]`)))
	b.do("25-deleted", chromedp.Click(chromedp.CSS(`dialog[open] .btn-fill`)), chromedp.WaitVisible(chromedp.Search(`//*[@class="toasts"]//button[normalize-space(.)="Undo"]`)))
	require.Equal(t, http.StatusNotFound, c.do(http.MethodGet, at, nil).status)
	b.do("25-back", press("Undo"), heading("Shop"), sees("Monitor restored"), pill("up"))
	require.Equal(t, "up", c.monitorStatus(id))
	require.Subset(t, c.history(id), before)
	require.Equal(t, "true", b.reads(`String(document.querySelectorAll('table.checks tbody tr').length >= 4)`))

	many := c.paused("many", 12, map[string]any{"group": "Many"})
	left := func() int {
		return len(c.must(http.StatusOK, http.MethodGet, "/api/v1/monitors?limit=100", nil).list(t))
	}
	b.tickPage("25-many", "/monitors?group=Many", "12", "delete")
	require.EqualValues(t, http.StatusUnprocessableEntity, b.answers("Delete 12 monitors"))
	b.do("25-nothing-typed", chromedp.WaitVisible(chromedp.CSS(`#typed-err`)), fill("typed", "11"))
	require.EqualValues(t, http.StatusUnprocessableEntity, b.answers("Delete 12 monitors"))
	require.Equal(t, len(many)+1, left(), "nothing is deleted yet")
	b.do("25-number-typed", chromedp.WaitVisible(chromedp.CSS(`#typed-err`)), fill("typed", "12"), press("Delete 12 monitors"), sees("12 of 12 done: 12 changed"))
	require.Equal(t, 1, left())
	b.do("25-undone", run(`document.querySelector('form[action$="/undo"]').requestSubmit()`), sees("What it undoes"))
	eventually(t, "all are back", func() bool { return left() == len(many)+1 })
}

// answers presses a button and gives the status of the page that it leads to.
func (b tab) answers(button string) int64 {
	b.t.Helper()
	answer, err := chromedp.RunResponse(b.ctx, press(button))
	require.NoError(b.t, err, button)
	return answer.Status
}
