package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// desk is a browser at a server over samples, logged in.
func desk(t *testing.T, change func(*fake)) (ctx context.Context, base string, f *fake) {
	t.Helper()
	w, f := setup(t)
	change(f)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: "ok"})
		w.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	ctx = browse(t)
	t.Cleanup(server.CloseClientConnections)
	return ctx, server.URL, f
}

// does opens a page and gives what a script in it answers.
func does(ctx context.Context, t *testing.T, url, script string) string {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1360, 900), chromedp.Navigate(url)))
	return says(ctx, t, script)
}

func says(ctx context.Context, t *testing.T, script string) string {
	t.Helper()
	const wait = `const until = async (test) => { for (;;) { const v = test(); if (v) return v; await new Promise(r => setTimeout(r, 20)); } };`
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string](`(async () => {`+wait+script+`})()`, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	return got
}

func keep(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	if *shotDir == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(*shotDir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(*shotDir, name+".png"), png, 0o600))
}

// TestScripts: what scripts add to the pages.
func TestScripts(t *testing.T) {
	t.Parallel()
	ctx, base, f := desk(t, func(*fake) {})
	found := complaints(ctx, t)

	require.Equal(t, "Delete monitor api-eu-003?|Cancel|A", does(ctx, t, base+"/monitors/1", `
		document.querySelector('a[data-confirm]').click();
		const dialog = await until(() => document.querySelector('dialog[open]'));
		return [document.getElementById(dialog.getAttribute('aria-labelledby')).textContent, document.activeElement.textContent, document.activeElement.tagName].join('|')`))
	keep(ctx, t, "dialog")
	require.Equal(t, "Delete", says(ctx, t, `
		document.activeElement.click();
		await until(() => !document.querySelector('dialog'));
		return document.activeElement.textContent.trim()`), "the focus comes back")
	require.Empty(t, f.saved, "nothing was deleted")

	require.Equal(t, "Answered 200 in 184 ms|Nina|/monitors/new", plain(does(ctx, t, base+"/monitors/new", `
		document.getElementById('f-name').value = 'Nina';
		document.getElementById('f-http-url').value = 'https://example.com';
		document.querySelector('[data-test]').click();
		const said = await until(() => document.querySelector('#test-result .said'));
		return [said.textContent, document.getElementById('f-name').value, location.pathname].join('|')`)), "in place, with the input kept")
	require.Equal(t, "Nina", f.lastSaved(t)["name"])
	keep(ctx, t, "test-now")

	require.Equal(t, "dark|light", says(ctx, t, `
		document.querySelector('#theme-form button').click();
		return [document.documentElement.dataset.theme, document.querySelector('#theme-form button').value].join('|')`))

	require.Equal(t, "password>text>password", does(ctx, t, base+"/settings/security", `
		const input = document.getElementById('f-password'), button = document.querySelector('[data-reveal="f-password"]');
		const seen = [input.type]; button.click(); seen.push(input.type); button.click(); seen.push(input.type);
		return seen.join('>')`))

	require.Equal(t, "false|SUMMARY", says(ctx, t, `
		const menu = [...document.querySelectorAll('details.menu')].at(-1); menu.open = true;
		document.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}));
		return [menu.open, document.activeElement.tagName].join('|')`))
	require.Empty(t, found())

	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(390, 800, chromedp.EmulateMobile), chromedp.Navigate(base+"/monitors")))
	require.Equal(t, "true", says(ctx, t, `const menu = document.querySelector('.mobile-nav'); menu.open = true;
		return String(menu.querySelector('nav a').checkVisibility() && !document.querySelector('.side').checkVisibility())`))
	keep(ctx, t, "mobile-menu")
}

// TestOneValueIsSeen: a value that no line leads to is a point, in the drawing
// of the server and in that of the script.
func TestOneValueIsSeen(t *testing.T) {
	t.Parallel()
	ctx, base, _ := desk(t, func(f *fake) { f.young, f.theme = true, "light" })
	found := complaints(ctx, t)
	require.Equal(t, "3|true", does(ctx, t, base+"/monitors/5", `
		const canvas = await until(() => document.querySelector('.chart-host canvas'));
		await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
		const want = getComputedStyle(document.documentElement).getPropertyValue('--p50').trim().match(/[0-9a-f]{2}/g).map(h => parseInt(h, 16));
		const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
		let hits = 0;
		for (let i = 0; i < data.length; i += 4) if (want.every((v, k) => Math.abs(v - data[i + k]) < 12)) hits += 1;
		return document.querySelectorAll('#chart svg .dot').length + '|' + (hits > 9)`))
	require.Empty(t, found())
}

// TestSetupKnowsTheTimeZone of the browser.
func TestSetupKnowsTheTimeZone(t *testing.T) {
	t.Parallel()
	ctx, base, _ := desk(t, func(f *fake) { f.fresh = true })
	require.Equal(t, "true", does(ctx, t, base+"/setup", `
		return String(document.getElementById('f-time-zone').value === Intl.DateTimeFormat().resolvedOptions().timeZone)`))
}
