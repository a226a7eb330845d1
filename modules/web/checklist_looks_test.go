package web

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func errStale() error { return uptime.ErrStale }

// luminance is that of WCAG 2.2 of a colour like #1d5bbf.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	require.Regexp(t, `^#([0-9a-f]{3}|[0-9a-f]{6})$`, hex)
	digits := hex[1:]
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(digits[2*i:2*i+2], 16, 8)
		require.NoError(t, err)
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// needed are pairs of tokens and the contrast that they must have at least.
func needed() map[[2]string]float64 {
	pairs := map[[2]string]float64{
		{"on-accent", "accent"}: 4.5, {"accent", "surface"}: 4.5, {"control", "surface"}: 3, {"focus", "surface"}: 3,
		{"p50", "surface"}: 3, {"p95", "surface"}: 3, {"p99", "surface"}: 3, {"on-accent", "danger"}: 4.5,
	}
	for _, ground := range []string{"surface", "bg", "sunken"} {
		pairs[[2]string{"text", ground}], pairs[[2]string{"muted", ground}] = 4.5, 4.5
	}
	for _, state := range []string{"up", "degraded", "down", "maint", "paused"} {
		pairs[[2]string{state, "surface"}] = 3
		pairs[[2]string{state + "-text", state + "-soft"}] = 4.5
	}
	return pairs
}

// tokensHold: the colours are those of the design, and can be told apart by everybody.
func tokensHold(t *testing.T) {
	t.Helper()
	ctx, base, _ := desk(t, func(f *fake) { f.theme = "light" })
	for theme, want := range map[string]map[string]string{
		"light": {"bg": "#f5f6f8", "text": "#171b21", "up": "#17866c", "degraded": "#b57f14", "down": "#a8281e", "maint": "#3d4a9e", "paused": "#6b7480", "p50": "#0f3d85"},
		"dark":  {"bg": "#0d1015", "text": "#e8ebf0", "up": "#4fd3ac", "degraded": "#f0a326", "down": "#dc4a44", "maint": "#8797ea", "paused": "#8b95a3", "p50": "#cfe0ff"},
	} {
		does(ctx, t, base+"/monitors", fmt.Sprintf(`document.documentElement.dataset.theme = %q; return ''`, theme))
		token := func(name string) string {
			return says(ctx, t, fmt.Sprintf(`return getComputedStyle(document.documentElement).getPropertyValue('--%s').trim()`, name))
		}
		for name, value := range want {
			require.Equal(t, value, token(name), "%s, %s", name, theme)
		}
		for pair, least := range needed() {
			require.GreaterOrEqual(t, contrast(t, token(pair[0]), token(pair[1])), least, "%s on %s, %s", pair[0], pair[1], theme)
		}
	}
}

// shapesDiffer: without colour the marks of a bar are told apart by where they stand, and
// each pill says its word.
func shapesDiffer(t *testing.T) {
	t.Helper()
	ctx, base, _ := desk(t, func(*fake) {})
	require.Empty(t, does(ctx, t, base+"/monitors", `
		return [...document.querySelectorAll('.pill')].filter(p => !p.textContent.trim() || !p.querySelector('svg')).map(p => p.outerHTML).join(' ')`))
	marks := says(ctx, t, `
		const shapes = {};
		for (const path of document.querySelectorAll('.bar path')) {
			const name = path.getAttribute('class'), rows = new Set();
			for (const [, y, h] of path.getAttribute('d').matchAll(/M[\d.]+ ([\d.]+)h[\d.]+v([\d.]+)/g)) rows.add(y + '+' + h);
			shapes[name] = [...new Set([...(shapes[name] ?? []), ...rows])].sort();
		}
		return JSON.stringify(shapes)`)
	seen := map[string]string{}
	for _, m := range regexp.MustCompile(`"(b-[a-z]+)":\[([^\]]*)\]`).FindAllStringSubmatch(marks, -1) {
		require.NotEmpty(t, m[2], "%s is drawn of boxes", m[1])
		for name, shape := range seen {
			require.NotEqual(t, shape, m[2], "%s looks like %s without colour", m[1], name)
		}
		seen[m[1]] = m[2]
	}
	require.GreaterOrEqual(t, len(seen), 3, marks)
}

// addressIsState: a filter, a sort order and a page are in the address; reload and Back
// give the same view.
func addressIsState(t *testing.T) {
	t.Helper()
	ctx, base, _ := desk(t, func(*fake) {})
	view := func() string {
		text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(`#list`)))
		require.NoError(t, err)
		return plain(text)
	}
	at := func() string { return strings.TrimPrefix(says(ctx, t, `return location.href`), base) }
	does(ctx, t, base+"/monitors", `return ''`)
	whole := view()
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(base+"/monitors?status=down")))
	down := view()
	require.NotEqual(t, whole, down)
	require.NoError(t, chromedp.Do(ctx, chromedp.Reload()))
	require.Equal(t, down, view())
	require.NoError(t, chromedp.Do(ctx, chromedp.NavigateBack()))
	require.Equal(t, "/monitors", at())
	require.Equal(t, whole, view())
	require.NoError(t, chromedp.Do(ctx, chromedp.NavigateForward()))
	require.Equal(t, down, view())
	for path, change := range map[string]string{
		"/monitors":        `document.querySelector('thead a[href*="sort=name"]').click()`,
		"/monitors/1":      `document.querySelector('.seg a[href*="range=7d"]').click()`,
		"/channels/1/log":  `document.querySelector('a[href*="status=dead"]').click()`,
		"/settings/audit":  `document.querySelector('form select').selectedIndex = 1; document.querySelector('form select').form.requestSubmit()`,
		"/monitors?page=1": `document.getElementById('q').value = 'api'; document.getElementById('q').form.requestSubmit()`,
	} {
		before := does(ctx, t, base+path, `return location.search`)
		_, err := chromedp.RunResponse(ctx, acts(change))
		require.NoError(t, err, path)
		require.NotEqual(t, before, says(ctx, t, `return location.search`), path)
	}
}

// acts is a script for what a person does by hand.
func acts(script string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Evaluate[int](script+`; 0`)(ctx, target)
		return chromedp.Void{}, err
	}
}

// themeStays: the choice outlives a reload without a flash of the other one, and auto
// follows the system while the page is open.
func themeStays(t *testing.T) {
	t.Helper()
	ctx, base, f := desk(t, func(*fake) {})
	const ground = `return getComputedStyle(document.body).backgroundColor`
	const light, dark = "rgb(245, 246, 248)", "rgb(13, 16, 21)"
	emulate(ctx, t, "prefers-color-scheme", "light")
	require.Equal(t, light, does(ctx, t, base+"/monitors", ground))
	emulate(ctx, t, "prefers-color-scheme", "dark")
	require.Equal(t, dark, says(ctx, t, ground), "without a reload")
	f.mu.Lock()
	f.theme = "light"
	f.mu.Unlock()
	require.Equal(t, light, does(ctx, t, base+"/monitors", ground), "the choice is in the page as it comes, before any script")
	body := ask(must(t, f), "/monitors", nil).Body.String()
	require.Contains(t, body, `<html lang="en" data-theme="light">`)
}

func must(t *testing.T, f *fake) *Web {
	t.Helper()
	w, own := setup(t)
	own.theme = f.theme
	return w
}

// printsPlain: on paper there is one column without navigation, and bars can be read in
// black and white.
func printsPlain(t *testing.T) {
	t.Helper()
	ctx, base, _ := desk(t, func(*fake) {})
	for _, path := range []string{"/", "/monitors", "/monitors/1", "/incidents/1"} {
		does(ctx, t, base+path, `return ''`)
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
		require.NoError(t, err)
		require.Empty(t, says(ctx, t, `return ['.side', '.topbar', '.skip', '.filters', '.actions', '.pager', 'button', '.menu'].filter(what =>
			[...document.querySelectorAll(what)].some(e => e.checkVisibility({visibilityProperty: true}))).join(' ')`), path)
		require.Equal(t, "rgb(255, 255, 255)", says(ctx, t, `return getComputedStyle(document.body).backgroundColor`), path)
		require.Equal(t, "true", says(ctx, t, `
			const bars = [...document.querySelectorAll('.bar path')].filter(p => p.checkVisibility());
			return String(bars.every(p => getComputedStyle(p).fill !== 'rgb(255, 255, 255)' && getComputedStyle(p).printColorAdjust === 'exact'))`), path)
	}
}
