package web

import (
	"context"
	"fmt"
	"os"
	"testing"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// withAxe gives every page that the browser opens axe-core, the rules of WCAG as a
// program. It comes from outside, so that the pages' policy need not allow it.
func withAxe(ctx context.Context, t *testing.T) {
	t.Helper()
	source, err := os.ReadFile("testdata/axe/axe.min.js")
	require.NoError(t, err)
	_, err = chromedp.Call(ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: string(source)})
	require.NoError(t, err)
}

// audit runs the rules and gives what breaks them: rule, element, reason.
const audit = `(async () => {
	document.documentElement.dataset.theme = %q;
	if (innerWidth < 768) document.querySelector('.toasts')?.remove(); // it goes by itself, and covers what is under it until then
	scrollTo(0, 0); // or what sticks to the top covers what has scrolled under it
	await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
	const found = await axe.run(document, { resultTypes: ['violations'], runOnly: %s });
	return found.violations.flatMap(v => v.nodes.map(n => v.id + ' ' + n.target.join(' ') + ': ' + n.failureSummary.split('\n').slice(1, 3).map(l => l.trim()).join(' '))).slice(0, 8).join('\n');
})()`

// accessible holds the page that is open to WCAG 2.2 AA, in both themes and two widths.
// What the theme changes is colours alone.
func accessible(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	const rules, colours = `{ type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }`, `{ type: 'rule', values: ['color-contrast'] }`
	emulate(ctx, t, "prefers-reduced-motion", "reduce") // colours change at once
	for _, width := range []int64{1360, 390} {
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 900)))
		for theme, run := range map[string]string{"light": rules, "dark": colours} {
			broken, err := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf(audit, theme, run), chromedp.EvalAwaitPromise))
			require.NoError(t, err, name)
			assert.Empty(t, broken, "%s, %s, %d px", name, theme, width)
		}
	}
}

// TestWhatOpensIsAccessible: the dialogs that keys open, what comes by the stream, and
// a wallboard of all tiles that it may have, which is seen whole on a wide screen.
func TestWhatOpensIsAccessible(t *testing.T) {
	t.Parallel()
	ctx, base, f := desk(t, func(*fake) {})
	withAxe(ctx, t)
	found := complaints(ctx, t)
	for _, keys := range []string{"palette", "help"} {
		does(ctx, t, base+"/monitors/1", fmt.Sprintf(`(await import(document.querySelector('[data-palette]').dataset.palette)).%s();
			await until(() => document.querySelector('dialog[open] :is([role=option], dt)')); return ''`, map[string]string{"palette": "open", "help": "help"}[keys]))
		accessible(ctx, t, keys)
	}
	does(ctx, t, base+"/monitors", live+`document.querySelector('#m8 a').focus(); return ''`)
	f.becomes(uptime.Down, 6)
	says(ctx, t, `await until(() => document.querySelector('[data-chip=order]')); return ''`)
	accessible(ctx, t, "chip")
	for many, width := range map[int]int64{1: 1920, 4: 1920, 9: 1920, 20: 1920, 42: 1920, 90: 1920, 200: 1920, 430: 1920} {
		f.mu.Lock()
		f.many = many
		f.mu.Unlock()
		does(ctx, t, base+"/wall", `return ''`)
		accessible(ctx, t, fmt.Sprintf("wall of %d", many))
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 1080)))
		require.Equal(t, "true|true|0", says(ctx, t, `return [document.documentElement.scrollHeight <= innerHeight, document.documentElement.scrollWidth <= innerWidth,
			[...document.querySelectorAll('.tile')].filter(tile => { const [out, a, b] = [tile, tile.firstChild, tile.lastChild].map(e => e.getBoundingClientRect()); return a.top < out.top || b.bottom > out.bottom; }).length].join('|')`), "%d tiles", many)
		keep(ctx, t, fmt.Sprintf("wall-%d", many))
	}
	require.Empty(t, found())
}
