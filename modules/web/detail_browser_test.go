package web

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// daysAreTold: the pointer, a tap and the keys tell the same of a day; Escape ends
// it, and the bar is one stop.
func daysAreTold(t *testing.T) {
	t.Helper()
	ctx, base, _ := desk(t, func(*fake) {})
	found := complaints(ctx, t)
	_, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	require.NoError(t, err) // or no event tells of the focus
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1360, 900), chromedp.Navigate(base+"/monitors/1")))
	const tools = `const bar = document.querySelector('.bar-90.bar-long'), box = bar.getBoundingClientRect();
		const told = () => document.querySelector('.tip')?.innerText.replaceAll(/\n+/g, '|').replaceAll('\u00a0', ' ') ?? '';
		const on = (type, day, what = bar) => what.dispatchEvent(new PointerEvent(type, { bubbles: true, clientX: box.left + box.width * (day + .5) / 90, clientY: box.top + 5 }));
		const key = (name) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true }));
		const value = () => bar.ariaValueText.replaceAll('\u00a0', ' ');`
	today := "Tue 24 Nov 2026 (UTC)|down 4 h 48 min, 80.00% uptime|09:00–09:05 timed out after 10 s|14:00 on Status 503 Service Unavailable, expected 200-299"
	require.Equal(t, today, says(ctx, t, tools+`on('pointermove', 89); return told()`))
	require.Equal(t, "Mon 23 Nov 2026 (UTC)|no downtime, 100% uptime", says(ctx, t, tools+`on('pointermove', 88); return told()`))
	require.Equal(t, "true", says(ctx, t, tools+`on('pointermove', 89); on('pointermove', 0, document.querySelector('.tip a'));
		await new Promise(r => setTimeout(r, 300)); return String(!!document.querySelector('.tip'))`), "the pointer can go to what is told")
	require.Empty(t, says(ctx, t, tools+`on('pointermove', 0, document.body); await until(() => !told()); return told()`))
	require.Equal(t, today, says(ctx, t, tools+`on('click', 89); on('pointermove', 0, document.body); await new Promise(r => setTimeout(r, 300)); return told()`), "pinned by a click")
	keep(ctx, t, "day-told")
	require.Empty(t, says(ctx, t, tools+`key('Escape'); return told()`))

	require.Equal(t, "slider|true|0|89|89|api-eu-003, day by day|0", says(ctx, t, tools+`return [bar.role, bar.ariaReadOnly, bar.ariaValueMin, bar.ariaValueMax, bar.ariaValueNow, bar.ariaLabel, bar.tabIndex].join('|')`))
	require.Equal(t, today+"|Tue 24 Nov 2026 (UTC): down 4 h 48 min, 80.00% uptime", says(ctx, t, tools+`bar.focus(); return told() + '|' + value()`))
	require.Equal(t, "Mon 23 Nov 2026 (UTC)|no downtime, 100% uptime", says(ctx, t, tools+`key('ArrowLeft'); return told()`))
	require.Equal(t, "Tue 24 Nov 2026 (UTC): down 4 h 48 min, 80.00% uptime", says(ctx, t, tools+`key('Home'); key('ArrowLeft'); key('End'); key('ArrowRight'); return value()`))
	require.NoError(t, chromedp.Do(ctx, chromedp.KeyEvent(kb.Tab)))
	require.Equal(t, "/incidents/5", says(ctx, t, `return document.activeElement.getAttribute('href')`), "what is told can be reached by the keys")
	require.Equal(t, "|true", says(ctx, t, tools+`key('Escape'); return told() + '|' + (document.activeElement === bar)`))
	require.Equal(t, "2", says(ctx, t, `return String(document.querySelectorAll('#skyline [tabindex="0"]').length)`), "two bars, of which one is hidden")
	require.Equal(t, "2|", says(ctx, t, `const told = JSON.parse(document.getElementById('skyline').dataset.days).days.filter(([, words]) => words.startsWith('down ')).reverse();
		const rows = [...document.querySelectorAll('section[aria-labelledby="days"] tbody tr')].map(row => [...row.cells].map(cell => cell.textContent));
		return told.length + '|' + told.map(([day, words]) => day.replace(' (UTC)', '') + ': ' + words).filter((text, i) => text !== rows[i][0] + ': down ' + rows[i][1] + ', ' + rows[i][2] + ' uptime').concat(rows.slice(told.length)).join()`), "the days with downtime, and no others")

	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(390, 900, chromedp.EmulateMobile), chromedp.Navigate(base+"/monitors/1")))
	tapsToday(ctx, t)
	require.Equal(t, today+"|60|89|true", says(ctx, t, `const bar = document.querySelector('.bar-90.bar-short'), tip = await until(() => document.querySelector('.tip')), box = tip.getBoundingClientRect();
		return [tip.innerText.replaceAll(/\n+/g, '|').replaceAll('\u00a0', ' '), bar.ariaValueMin, bar.ariaValueNow, box.left >= 0 && box.right <= innerWidth].join('|')`), "a tap tells the same")
	keep(ctx, t, "day-told-390")
	require.Empty(t, found())
}

// tapsToday touches the end of the short bar with a finger.
func tapsToday(ctx context.Context, t *testing.T) {
	t.Helper()
	place, err := chromedp.Run(ctx, chromedp.Evaluate[[]float64](`document.querySelector('#skyline').scrollIntoView({ block: 'center' }); (({ right, top }) => [right - 2, top + 5])(document.querySelector('.bar-90.bar-short').getBoundingClientRect())`))
	require.NoError(t, err)
	for _, one := range []input.DispatchTouchEventParams{
		{Type: "touchStart", TouchPoints: []*input.TouchPoint{{X: place[0], Y: place[1]}}}, {Type: "touchEnd", TouchPoints: []*input.TouchPoint{}},
	} {
		_, err := chromedp.Call(ctx, input.DispatchTouchEvent, one)
		require.NoError(t, err)
	}
}

// drag selects a part of the chart, from and to as shares of its width.
const drag = `const drag = async (from, to) => { const over = document.querySelector('.u-over'), box = over.getBoundingClientRect();
	const at = (type, share, what = over) => what.dispatchEvent(new MouseEvent(type, { bubbles: true, clientX: box.left + box.width * share, clientY: box.top + 20, button: 0, buttons: 1, movementX: 1 }));
	at('mousedown', from); at('mousemove', (from + to) / 2); at('mousemove', to); await new Promise(r => setTimeout(r, 100)); at('mouseup', to, document); };`

// chartZooms: what is dragged over is shown, and the address says so; Back, Escape
// and the button lead back.
func chartZooms(t *testing.T) {
	t.Helper()
	ctx, base, _ := desk(t, func(*fake) {})
	found := complaints(ctx, t)
	const text = `const text = () => document.querySelector('#response + span').textContent;`
	require.Equal(t, "the last 24 hours", does(ctx, t, base+"/monitors/1?range=24h&tab=incidents", text+`await until(() => document.querySelector('.u-over')); return text()`))
	zoomed := says(ctx, t, text+drag+`await drag(.25, .5); await until(() => text() !== 'the last 24 hours');
		await until(() => document.querySelector('#chart-reset') && document.querySelector('.u-over'));
		return [text(), location.search, document.querySelector('.tabs [aria-current]').textContent].join('|')`)
	require.Regexp(t, `^23 Nov 2026, 2\d:\d\d – 24 Nov 2026, 0\d:\d\d\|\?tab=incidents&from=2026-11-23T2\d%3A\d\d%3A\d\dZ&to=2026-11-24T0\d%3A\d\d%3A\d\dZ\|Incidents$`, zoomed)
	keep(ctx, t, "zoomed")
	require.Equal(t, "the last 24 hours|?range=24h&tab=incidents", says(ctx, t, text+`history.back(); await until(() => text() === 'the last 24 hours'); return text() + '|' + location.search`))
	for _, way := range []string{
		`document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))`, `document.getElementById('chart-reset').click()`,
	} {
		require.Equal(t, "?range=24h&tab=incidents", says(ctx, t, text+drag+`await drag(.6, .9); await until(() => text() !== 'the last 24 hours' && document.querySelector('#chart-reset'));
			await drag(.2, .4); await until(() => document.querySelector('.u-over'));`+way+`; await until(() => text() === 'the last 24 hours'); return location.search`), "back to before the first zoom")
	}
	require.Equal(t, "log=1|true|1 s", says(ctx, t, text+`[...document.querySelectorAll('.chart-tools a')].find(a => a.textContent.includes('Log')).click();
		await until(() => document.querySelector('#chart[data-log="true"] .u-over'));
		return [location.search.match(/log=1/)[0], document.getElementById('chart').dataset.log, document.querySelector('.ticks-y span').textContent.replace('\u00a0', ' ')].join('|')`))
	require.Empty(t, found())
}

// lineEndsOnAPhone: their names do not touch at 390 px, in either theme.
func lineEndsOnAPhone(t *testing.T) {
	t.Helper()
	ctx, base, f := desk(t, func(*fake) {})
	for _, theme := range []string{"light", "dark"} {
		f.mu.Lock()
		f.theme = theme
		f.mu.Unlock()
		for _, query := range []string{"range=1h", "range=90d", "range=24h&log=1"} {
			require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(390, 900, chromedp.EmulateMobile), chromedp.Navigate(base+"/monitors/5?"+query)))
			require.Equal(t, "p99 p95 p50|true|true", endsOf(ctx, t), theme+query)
		}
	}
}

func endsOf(ctx context.Context, t *testing.T) string {
	t.Helper()
	return says(ctx, t, `const place = await until(() => document.querySelector('.chart-host[data-ends]'));
		const parts = place.dataset.ends.split(' '), ys = parts.filter((_, i) => i % 2).map(Number);
		return [parts.filter((_, i) => i % 2 === 0).join(' '), ys[1] - ys[0] >= 13 && ys[2] - ys[1] >= 13, document.documentElement.scrollWidth <= 390].join('|')`)
}

// TestPagesOpenAtTheirTop: nothing scrolls a page while it opens, tabs below the fold
// least of all; on a phone the tab that one is in is brought into its strip.
func TestPagesOpenAtTheirTop(t *testing.T) {
	t.Parallel()
	ctx, base, _ := desk(t, func(*fake) {})
	for _, width := range []int64{1360, 390} {
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 700)))
		for _, path := range []string{"/monitors/1", "/monitors/5?range=7d&tab=config", "/settings/about"} {
			got := does(ctx, t, base+path, `await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
				const tab = document.querySelector('.tabs [aria-current]').getBoundingClientRect(), strip = document.querySelector('.tabs').getBoundingClientRect();
				return scrollY + ' ' + (tab.left >= strip.left - 1 && tab.right <= strip.right + 1)`)
			require.Equal(t, "0 true", got, "%s at %d px", path, width)
		}
	}
}
