package web

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// plainBrowser is a browser in which no script runs.
type plainBrowser struct {
	t    *testing.T
	ctx  context.Context //nolint:containedctx // chromedp's context is the browser
	base string
}

func withoutScripts(t *testing.T, base string) plainBrowser {
	t.Helper()
	b := plainBrowser{t, browse(t), base}
	stopScripts(b.ctx, t)
	return b
}

func stopScripts(ctx context.Context, t *testing.T) {
	t.Helper()
	_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	require.NoError(t, err)
}

func (b plainBrowser) open(path string) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, chromedp.Navigate(b.base+path)))
}

func (b plainBrowser) types(field, text string) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, chromedp.SetValue(chromedp.CSS(field), text)))
}

// press clicks and gives where that led, with what the page says.
func (b plainBrowser) press(button string) (path, text string) {
	b.t.Helper()
	answer, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.CSS(button)))
	require.NoError(b.t, err, button)
	require.Less(b.t, answer.Status, int64(400), button)
	text, err = chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS(`main`)))
	require.NoError(b.t, err)
	return strings.TrimPrefix(answer.URL, b.base), plain(text)
}

func (b plainBrowser) reads(script string) string {
	b.t.Helper()
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](script))
	require.NoError(b.t, err)
	return got
}

// everythingWithoutScripts goes the way of a newcomer with scripts turned off: scripts
// may add speed, never what can be done.
func everythingWithoutScripts(t *testing.T) {
	t.Helper()
	w, f := setup(t)
	f.fresh = true
	// The session is the browser's own: set-up makes it.
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	b := withoutScripts(t, server.URL)
	t.Cleanup(server.CloseClientConnections)
	found := complaints(b.ctx, t)

	b.setsUp()
	b.changesAMonitor(f)
	b.addsAChannel(f)

	b.open("/incidents/1")
	_, text := b.press(`form[action$="/acknowledge"] button`)
	require.Contains(t, text, "Acknowledged.")
	b.press(`#theme-form button`)
	require.Equal(t, map[string]any{"theme": "dark"}, f.lastSaved(t))
	b.open("/settings/profile")
	require.NoError(t, chromedp.Do(b.ctx, chromedp.Click(chromedp.CSS(`summary.avatar`))))
	path, _ := b.press(`form[action="/logout"] button`)
	require.Equal(t, "/setup", path, "nobody is logged in, and the samples have no user")
	f.mu.Lock()
	f.fresh = false
	f.mu.Unlock()
	b.logsIn()
	require.Empty(t, found())
}

// setsUp makes the first account and the first monitor.
func (b plainBrowser) setsUp() {
	b.t.Helper()
	b.open("/")
	b.types(`#f-name`, "Mia Berg")
	b.types(`#f-email`, "mia@example.com")
	b.types(`#f-password`, "correct horse battery")
	b.types(`#f-setup-token`, "code")
	path, _ := b.press(`form .btn-primary`)
	require.Equal(b.t, "/monitors/new?first=1", path)

	b.types(`#f-http-url`, "example.com")
	path, text := b.press(`form .btn-primary`)
	require.Equal(b.t, "/monitors/test", path)
	require.Equal(b.t, "#test-result", b.reads(`location.hash`), "the answer is in view")
	require.Contains(b.t, text, "Answered 200 in 184 ms")
	path, text = b.press(`form .btn-primary`)
	require.Equal(b.t, "/monitors/1", path)
	require.Contains(b.t, text, "Monitor created.")
	require.Equal(b.t, "true|0", b.reads(`document.querySelector('#chart svg .p50').checkVisibility() + '|' + document.querySelectorAll('.chart-host').length`),
		"the server drew the chart, and no script ran")
}

// logsIn is refused and tries again, on the way to a page.
func (b plainBrowser) logsIn() {
	b.t.Helper()
	b.open("/monitors/1/edit")
	require.Equal(b.t, "/login?next=%2Fmonitors%2F1%2Fedit", b.reads(`location.pathname + location.search`))
	b.types(`#f-email`, "mia@example.com")
	b.types(`#f-password`, "wrong")
	answer, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.CSS(`form .btn-primary`)))
	require.NoError(b.t, err)
	require.Equal(b.t, int64(422), answer.Status)
	require.Equal(b.t, "mia@example.com", b.reads(`document.getElementById('f-email').value`))
	b.types(`#f-password`, "right")
	path, _ := b.press(`form .btn-primary`)
	require.Equal(b.t, "/monitors/1/edit", path)
}

func (b plainBrowser) changesAMonitor(f *fake) {
	b.t.Helper()
	changes := func() int {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.saved)
	}
	b.open("/monitors/1/edit")
	b.types(`#f-name`, "Shop")
	path, text := b.press(`.foot .btn-primary`)
	require.Equal(b.t, "/monitors/1", path)
	require.Contains(b.t, text, "Changes saved.")
	require.Equal(b.t, "Shop", f.lastSaved(b.t)["name"])
	_, text = b.press(`form[action$="/check"] button`)
	require.Contains(b.t, text, "Checked just now")
	before := changes()
	_, text = b.press(`form[action$="/pause"] button`)
	require.Contains(b.t, text, "Monitor paused.")
	require.NoError(b.t, chromedp.Do(b.ctx, chromedp.Click(chromedp.CSS(`main .actions > details:last-of-type > summary`))))
	path, text = b.press(`main a[href$="/delete"]`)
	require.Equal(b.t, "/monitors/1/delete", path)
	require.Contains(b.t, text, "Delete monitor api-eu-003?")
	path, text = b.press(`.btn-fill`)
	require.Equal(b.t, "/monitors", path)
	require.Contains(b.t, text, "Monitor deleted.")
	require.Equal(b.t, before+2, changes())
	path, _ = b.press(`.filters button`)
	require.Contains(b.t, path, "/monitors?")
}

func (b plainBrowser) addsAChannel(f *fake) {
	b.t.Helper()
	b.open("/channels")
	b.press(`main .btn-primary`)
	path, _ := b.press(`a.kind[href*="webhook"]`)
	require.Equal(b.t, "/channels/new?type=webhook", path)
	b.types(`#f-name`, "On call")
	b.types(`#f-settings-url`, "https://hooks.example.com/x")
	_, text := b.press(`.foot .btn-primary`)
	require.Contains(b.t, text, "Channel added.")
	require.Equal(b.t, "On call", f.lastSaved(b.t)["name"])
	_, text = b.press(`button[form="channel-test"]`)
	require.Contains(b.t, text, "Answered 200 in 84 ms")
}
