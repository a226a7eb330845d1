package web

import (
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// invalidForm: a refused form keeps what was typed, leads to each mistake, and forgets it
// once it is mended.
func invalidForm(t *testing.T) {
	t.Helper()
	ctx, base, f := desk(t, func(*fake) {})
	found := complaints(ctx, t)
	const states = `const input = document.getElementById('f-interval'); const state = () => input.getAttribute('aria-invalid') + '|' +
		(document.getElementById('f-interval-err')?.textContent ?? '') + '|' + input.getAttribute('aria-describedby');`
	require.Equal(t, "true|Must be at least 5s.|f-interval-help f-interval-err", does(ctx, t, base+"/monitors/new", states+`
		input.value = '1s'; input.dispatchEvent(new Event('change', {bubbles: true}));
		await until(() => document.getElementById('f-interval-err'));
		return state()`), "told when the field is left")
	keep(ctx, t, "told-at-once")
	require.Equal(t, "null||f-interval-help", says(ctx, t, states+`
		input.value = '30s'; input.dispatchEvent(new Event('change', {bubbles: true}));
		await until(() => !document.getElementById('f-interval-err'));
		return state()`), "gone when it is mended")
	require.Empty(t, f.saved)

	f.mu.Lock()
	f.failure = f.judge([]byte(`"interval":"1s" "ftp:`))
	f.mu.Unlock()
	says(ctx, t, `
		document.getElementById('f-name').value = 'Kept';
		document.getElementById('f-http-url').value = 'ftp://example.com';
		document.getElementById('f-interval').value = '1s';
		return ''`)
	answer, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(".foot .btn-primary")))
	require.NoError(t, err)
	require.Equal(t, int64(422), answer.Status)
	require.Equal(t, "problem|f-http-url f-interval|Kept|ftp://example.com|1s", says(ctx, t, `
		await until(() => document.activeElement.id === 'problem');
		const links = [...document.querySelectorAll('#problem a')].map(a => a.hash.slice(1));
		return [document.activeElement.id, links.join(' '), ...['f-name', 'f-http-url', 'f-interval'].map(id => document.getElementById(id).value)].join('|')`))
	require.Equal(t, "f-interval", says(ctx, t, `
		document.querySelectorAll('#problem a')[1].click();
		await until(() => document.activeElement.id === 'f-interval');
		return document.activeElement.id`), "a link leads to its field")
	require.Equal(t, "null|", says(ctx, t, states+`
		input.value = '30s'; input.dispatchEvent(new Event('change', {bubbles: true}));
		await until(() => !document.getElementById('f-interval-err'));
		return input.getAttribute('aria-invalid') + '|'`), "correcting clears it")
	require.Empty(t, found())
}

// secondEditor sees what the first one saved, and overwrites nothing unasked.
func secondEditor(t *testing.T) {
	t.Helper()
	ctx, base, f := desk(t, func(*fake) {})
	f.mu.Lock()
	f.failure = errStale()
	f.mu.Unlock()
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1360, 900), chromedp.Navigate(base+"/monitors/1/edit"), chromedp.SetValue(chromedp.CSS(`#f-name`), "Mine")))
	answer, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(".foot .btn-primary")))
	require.NoError(t, err)
	require.Equal(t, int64(409), answer.Status)
	require.Equal(t, "problem|api-eu-003|Mine|Mine|Overwrite with yours", says(ctx, t, `
		await until(() => document.activeElement.id === 'problem');
		const cells = [...document.querySelector('#problem tbody tr').cells].map(c => c.textContent);
		return [document.activeElement.id, cells[1], cells[2], document.getElementById('f-name').value, document.querySelector('.foot .btn-primary').textContent].join('|')`))
}

// textNotMarkup: what a target answers is shown as text.
func textNotMarkup(t *testing.T) {
	t.Helper()
	ctx, base, f := desk(t, func(*fake) {})
	found := complaints(ctx, t)
	require.Equal(t, "true||0", does(ctx, t, base+"/monitors/new", `
		window.alert = () => { window.ran = true; };
		document.getElementById('f-http-url').value = 'https://example.com';
		document.querySelector('[data-test]').click();
		const text = (await until(() => document.querySelector('#test-result .excerpt'))).textContent;
		return [text.includes('<script>alert("1")</script>'), window.ran, document.querySelectorAll('#test-result script').length].join('|')`))
	require.Equal(t, "https://example.com", f.lastSaved(t)["http"].(map[string]any)["url"])
	require.Empty(t, found())
}

// keyOnce: the secret of an API token is there once, and afterwards only its beginning.
func keyOnce(t *testing.T) {
	t.Helper()
	w, _ := setup(t)
	made := ask(w, "/settings/tokens", url.Values{"name": {"deploy"}, "role": {"viewer"}, "scope_read": {"on"}, "expires_at": {"90"}}).Body.String()
	require.Contains(t, made, "mon_abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst")
	list := ask(w, "/settings/tokens", nil).Body.String()
	require.NotContains(t, list, "mon_abcdefghijklmnop")
	require.Contains(t, list, "mon_3fka")
}
