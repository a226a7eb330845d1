package web

import (
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// accessibleEverywhere: axe finds nothing on any page, in either theme and width.
func accessibleEverywhere(t *testing.T) {
	t.Helper()
	server, ctx := stage(t, nil), browse(t)
	withAxe(ctx, t)
	for _, s := range allShots() {
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1360, 900), chromedp.Navigate(server.URL+"/shot/"+s.name)), s.name)
		accessible(ctx, t, s.name)
		if *shotDir != "" {
			photograph(ctx, t, server.URL, s.name)
		}
	}
}

// nothingSideways: no page scrolls sideways, at 320 px least of all, and nothing reaches
// beyond its card.
func nothingSideways(t *testing.T) {
	t.Helper()
	server, ctx := stage(t, nil), browse(t)
	for _, s := range allShots() {
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(320, 800, chromedp.EmulateMobile), chromedp.Navigate(server.URL+"/shot/"+s.name)), s.name)
		for _, width := range []int64{320, 800, 1120, 1360} {
			require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 800)))
			wide, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
			require.NoError(t, err)
			beyond, err := chromedp.Run(ctx, chromedp.Evaluate[string](widest))
			require.NoError(t, err)
			require.LessOrEqual(t, wide, width, "%s scrolls sideways: %s", s.name, beyond)
			require.Empty(t, beyond, "%s at %d px", s.name, width)
		}
	}
}

// onOffer is what a page has for people: where it leads, what can be done and filled in,
// and what it says. What is folded away counts where that can be unfolded. Left out is what
// stands elsewhere, too: columns that are on the page of their row, the way to a page,
// which the navigation shows, and what Display and Profile choose.
const onOffer = `(() => {
	const elsewhere = '.drop, thead *, .crumbs *, .side-foot, #theme-form *, .looks .seg *';
	const shown = (e) => e.checkVisibility({ visibilityProperty: true });
	const seen = (e) => {
		const folded = e.parentElement.closest('details:not([open])');
		return !folded || e === folded.firstElementChild ? shown(e) : shown(folded.firstElementChild) && seen(folded);
	};
	const text = (e) => (e.getAttribute('aria-label') ?? e.textContent).trim().replace(/\s+/g, ' ');
	const key = (e) => e.matches('a') ? 'link ' + e.getAttribute('href') : e.matches('input, select, textarea') ? ['field', e.name || e.id, e.matches('[type=checkbox], [type=radio]') ? e.value : ''].join(' ')
		: (e.matches('button') ? 'button ' : 'text ') + text(e);
	document.getElementById('selecting')?.click();
	const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, h1, h2, h3, p, dt, dd, li, td, label, legend, .pill')].filter(e => !e.matches(elsewhere) && seen(e));
	document.getElementById('selecting')?.click();
	return [...new Set(all.map(key))];
})()`

// nothingLost: at 400 %, where a window of 1280 × 1024 has 320 × 256, all is there that
// was there before, and what sticks to the edges leaves more than half to read.
func nothingLost(t *testing.T) {
	t.Helper()
	server, ctx := stage(t, nil), browse(t)
	look := func() []string {
		all, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](onOffer))
		require.NoError(t, err)
		return all
	}
	for _, s := range allShots() {
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1280, 1024), chromedp.Navigate(server.URL+"/shot/"+s.name)), s.name)
		before := look()
		require.NotEmpty(t, before, s.name)
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(320, 256)))
		assert.Subset(t, look(), before, s.name)
		room := says(ctx, t, `const stuck = [...document.querySelectorAll('body *')].filter(e => /sticky|fixed/.test(getComputedStyle(e).position) && e.checkVisibility() && !e.closest('.toasts, .bulk'));
			const high = stuck.reduce((sum, e) => sum + e.getBoundingClientRect().height, 0); return high < innerHeight / 2 ? '' : high + ' px of ' + stuck.map(e => e.className).join()`)
		assert.Empty(t, room, s.name)
	}
}

// staysAtHome: no page asks another origin for anything, and the browser has nothing to
// complain about, be it of a script or of the policy.
func staysAtHome(t *testing.T) {
	t.Helper()
	server, ctx := stage(t, nil), browse(t)
	found := complaints(ctx, t)
	var mu sync.Mutex
	var abroad []string
	require.NoError(t, chromedp.Listen(ctx, func(ev any) {
		if e, ok := ev.(*network.EventRequestWillBeSent); ok {
			at, err := url.Parse(e.Request.URL)
			if err != nil || (at.Scheme != "data" && !strings.HasPrefix(e.Request.URL, server.URL+"/")) {
				mu.Lock()
				abroad = append(abroad, e.Request.URL)
				mu.Unlock()
			}
		}
	}))
	for _, s := range allShots() {
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1360, 900), chromedp.Navigate(server.URL+"/shot/"+s.name)), s.name)
		require.Empty(t, found(), s.name)
	}
	mu.Lock()
	defer mu.Unlock()
	require.Empty(t, abroad)
}
