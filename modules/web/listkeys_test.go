package web

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// TestListByKeys: the list is walked, ticked and acted on without a pointer, and what
// is ticked outlives that the rows are read anew.
func TestListByKeys(t *testing.T) {
	t.Parallel()
	ctx, base, f := desk(t, func(*fake) {})
	found := complaints(ctx, t)
	press := func(keys ...string) {
		t.Helper()
		for _, key := range keys {
			require.NoError(t, chromedp.Do(ctx, chromedp.KeyEvent(key)))
		}
	}
	const told = `document.querySelector('#picked').textContent + '|' + document.querySelector('#bulk').checkVisibility() + '|' + [...document.querySelectorAll('[form="bulk"]:checked')].map(b => b.value)`
	require.Equal(t, "0 selected|false|", does(ctx, t, base+"/monitors", `return `+told))
	press("j", "j", "x")
	require.Equal(t, "2|1 selected|true|2", says(ctx, t, `return document.activeElement.closest('tr').id.slice(1) + '|' + `+told))
	press("j", "j", "X", "k")
	require.Equal(t, "3 selected|true|2,3,4", says(ctx, t, `return `+told))
	f.notices <- uptime.Notice{Topic: uptime.TopicStatus, WorkspaceID: 1, ID: 1}
	require.Equal(t, "3 selected|true|2,3,4", says(ctx, t, `
		await until(() => performance.getEntriesByType('resource').some(e => e.initiatorType === 'fetch' && e.name.includes('/monitors')));
		await new Promise(done => setTimeout(done, 50)); return `+told))
	require.Equal(t, "3|true", says(ctx, t, `const box = document.querySelector('#m3 input'); box.focus();
		const again = new Promise(done => document.addEventListener('htmx:after:swap', () => setTimeout(done, 50), {once: true}));
		htmx.trigger(document.querySelector('#list'), 'refresh'); await again;
		return document.activeElement.value + '|' + document.activeElement.checked`), "the focus stays in a box")
	require.Equal(t, "11 selected|true|1,2,3,4,5,6,7,8,9,10,11", says(ctx, t, `document.querySelector('[data-pick]').click(); return `+told))
	require.Equal(t, "0 selected|false|", says(ctx, t, `document.querySelector('#bulk [type="reset"]').click(); await until(() => document.querySelector('#picked').textContent === '0 selected'); return `+told))

	press("/")
	require.Equal(t, "q", says(ctx, t, `document.activeElement.value = ''; return document.activeElement.id`), "the protocol types what a keydown refused")
	press("n", "j")
	require.Equal(t, "nj|/monitors", says(ctx, t, `return document.activeElement.value + '|' + location.pathname`), "in a field they are letters")

	require.Equal(t, "Check now,Pause,Silence 1 h,Edit,Clone,Delete|/monitors/3/pause", does(ctx, t, base+"/monitors", `
		document.querySelector('#m3 [data-menu]').click();
		const menu = await until(() => document.querySelector('.row-menu:popover-open'));
		return [...menu.querySelectorAll('.item')].map(i => i.textContent.trim()) + '|' + menu.querySelectorAll('form')[1].getAttribute('action')`))
	keep(ctx, t, "row-menu")
	press(kb.Escape)
	require.Equal(t, "true", says(ctx, t, `await until(() => !document.querySelector('.row-menu')); return String(document.activeElement.matches('#m3 [data-menu]'))`))
	require.Equal(t, "Delete monitor api-eu-003?|true", says(ctx, t, `
		document.querySelector('#m1 [data-menu]').focus(); document.querySelector('#m1 [data-menu]').click();
		(await until(() => document.querySelector('.row-menu [data-confirm]'))).click();
		const dialog = await until(() => document.querySelector('dialog[open]')), title = dialog.querySelector('h2').textContent;
		dialog.querySelector('a.btn').click(); await until(() => !document.querySelector('dialog'));
		return title + '|' + document.activeElement.matches('#m1 [data-menu]')`))
	require.Empty(t, f.saved)

	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(base+"/monitors")))
	goes := func(key string) string {
		t.Helper()
		answer, err := chromedp.RunResponse(ctx, chromedp.KeyEvent(key))
		require.NoError(t, err)
		return strings.TrimPrefix(answer.URL, base)
	}
	press("j")
	require.Equal(t, "/monitors", goes("p"))
	require.Equal(t, "Monitor paused.", says(ctx, t, `return document.querySelector('.note .grow').textContent.slice(0, 15)`))
	press("j")
	require.Equal(t, "/monitors/1/edit", goes("e"))

	f.mu.Lock()
	f.likes = &uptime.Preferences{Columns: uptime.MonitorColumns(), Density: "compact", PageSize: 50, View: "list"}
	f.mu.Unlock()
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(base+"/monitors")))
	press("j", "x", "n")
	require.Equal(t, "/monitors|BODY", says(ctx, t, `return location.pathname + '|' + document.activeElement.tagName`), "they were turned off")
	require.Empty(t, found())
}

// TestFilterMenuAppliesOnClosing what was chosen in it.
func TestFilterMenuAppliesOnClosing(t *testing.T) {
	t.Parallel()
	ctx, base, _ := desk(t, func(*fake) {})
	require.Equal(t, "true", does(ctx, t, base+"/monitors", `
		const menu = document.querySelector('.filter'); menu.open = true;
		menu.querySelector('[value="down"]').click(); return String(menu.open)`))
	answer, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(`h1`)))
	require.NoError(t, err)
	require.Equal(t, base+"/monitors?status=down", answer.URL)
}
