package web

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// stop tells where the focus is and whether that can be seen: a ring, not
// covered by what sticks to the edges.
const stop = `(() => { const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
	if (e === document.body) return 'end';
	const name = e.tagName.toLowerCase() + (e.id ? '#' + e.id : '') + (e.className ? '.' + String(e.className).split(' ')[0] : '');
	const ring = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2;
	const hit = document.elementFromPoint(Math.min(Math.max(r.x + r.width / 2, 0), innerWidth - 1), Math.min(Math.max(r.y + Math.min(r.height, 20) / 2, 0), innerHeight - 1));
	const seen = hit && (e.contains(hit) || hit.contains(e) || hit.closest('label')?.control === e);
	return name + (ring ? '' : ' NO RING') + (seen ? '' : ' COVERED by ' + hit?.tagName + '.' + hit?.className); })()`

// tabs goes through a page with the Tab key and gives every stop.
func tabs(ctx context.Context, t *testing.T, url string) []string {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(url)))
	var stops []string
	for range 200 {
		require.NoError(t, chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab)))
		at, err := chromedp.Run(ctx, chromedp.Evaluate[string](stop))
		require.NoError(t, err)
		if at == "end" {
			return stops
		}
		stops = append(stops, at)
	}
	require.FailNow(t, "the focus never leaves the page", url)
	return nil
}

// skipLinkFirst: the first stop leads past the navigation, and every stop can be
// seen.
func skipLinkFirst(t *testing.T) {
	t.Helper()
	ctx, base, _ := desk(t, func(*fake) {})
	for _, width := range []int64{1360, 390} {
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 800)))
		for _, path := range []string{
			"/", "/monitors", "/monitors/1", "/monitors/1?tab=config", "/monitors/1/edit", "/monitors/new?first=1", "/monitors/1/delete",
			"/incidents/1", "/incidents/20?edit=53", "/incidents/new", "/incidents?from=2026-11-01", "/incidents/21/postmortem", "/channels", "/invite/inv_ok", "/channels/1/edit", "/settings/profile", "/settings/security", "/settings/wallboards", "/settings/tags", "/wall", "/nope",
		} {
			stops := tabs(ctx, t, base+path)
			require.Equal(t, "a.skip", stops[0], path)
			for i, at := range stops {
				require.False(t, strings.Contains(at, "NO RING") || strings.Contains(at, "COVERED"), "%s at %d px, stop %d: %s", path, width, i, at)
			}
		}
	}
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(base+"/monitors"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter)))
	require.Equal(t, "main", says(ctx, t, `await until(() => document.activeElement.id === 'main'); return document.activeElement.id`))
}

// askedFor: what people ask of their system is done: no motion, their own
// colours.
func askedFor(t *testing.T) {
	t.Helper()
	ctx, base, _ := desk(t, func(*fake) {})
	const moving = `return String([...document.querySelectorAll('*')].filter(e => { const s = getComputedStyle(e);
		return [...s.transitionDuration.split(','), ...s.animationDuration.split(',')].some(d => parseFloat(d) > 0); }).length)`
	emulate(ctx, t, "prefers-reduced-motion", "no-preference")
	require.NotEqual(t, "0", does(ctx, t, base+"/monitors", moving))
	emulate(ctx, t, "prefers-reduced-motion", "reduce")
	for _, path := range []string{"/", "/monitors", "/monitors/1", "/monitors/new"} {
		require.Equal(t, "0", does(ctx, t, base+path, moving), path)
	}
	emulate(ctx, t, "forced-colors", "active")
	require.Empty(t, does(ctx, t, base+"/monitors/1", `return [...document.querySelectorAll('.pill, .btn, .banner, .seg, .note')].filter(e =>
		parseFloat(getComputedStyle(e).borderTopWidth) < 1).map(e => e.className).join(' ')`), "edges that hold without a background")
	keep(ctx, t, "forced-colors")
	require.Equal(t, "none|true|true", says(ctx, t, `
		const look = (selector) => getComputedStyle(document.querySelector(selector));
		const on = look('.seg [aria-current]');
		return [on.forcedColorAdjust, on.backgroundColor !== look('.seg a:not([aria-current])').backgroundColor,
			look('.tabs [aria-current]').borderBottomColor !== look('.tabs a:not([aria-current])').borderBottomColor].join('|')`),
		"what is chosen is told apart")
	require.Equal(t, "true", does(ctx, t, base+"/monitors", `
		const paths = [...document.querySelectorAll('.bar path')].map(p => getComputedStyle(p).fill);
		return String(paths.length > 0 && paths.every(f => f !== getComputedStyle(document.body).backgroundColor))`), "bars are seen")
}
