package web

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"monitor/modules/lang"
)

// pixels reads the chart as it is drawn. A column of the lines' ground has a time.
const pixels = `const over = (await until(() => document.querySelector('.u-over'))).getBoundingClientRect(), canvas = document.querySelector('.u-wrap canvas'), whole = canvas.getBoundingClientRect();
	const dpr = canvas.width / whole.width, wide = Math.round(over.width * dpr), high = Math.round(over.height * dpr);
	const shot = canvas.getContext('2d').getImageData(Math.round((over.left - whole.left) * dpr), Math.round((over.top - whole.top) * dpr), wide, high).data;
	const rgb = (name) => { const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim(); return [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16)); };
	const is = (x, y, [r, g, b]) => { const i = (y * wide + x) * 4; return Math.abs(shot[i] - r) + Math.abs(shot[i + 1] - g) + Math.abs(shot[i + 2] - b) < 30; };
	const series = JSON.parse(document.getElementById('chart').dataset.series), first = series.t[0], span = series.t.at(-1) + series.step - first;
	const at = (seconds) => (seconds - first) / span * wide, time = (x) => first + x / wide * span;`

// chartIsTrue: what is drawn is what was: outages at their times, gaps as gaps; and the
// table has the numbers of the lines.
func chartIsTrue(t *testing.T) {
	t.Helper()
	ctx, base, f := desk(t, func(*fake) {})
	found := complaints(ctx, t)
	shadesAreTimes(ctx, t, base)
	tableIsSeries(ctx, t, base+"/monitors/5?range=24h")
	tableIsSeries(ctx, t, base+"/monitors/2?range=1h")
	f.mu.Lock()
	f.hole = true
	f.mu.Unlock()
	gapsStay(ctx, t, base)
	require.Empty(t, found())
}

// shadesAreTimes: the shade of an incident begins and ends with it, a bucket more or less.
func shadesAreTimes(ctx context.Context, t *testing.T, base string) {
	t.Helper()
	now := sampleNow()
	for path, span := range map[string][2]time.Time{
		"/monitors/5?range=24h": {sampleSpans(5)[0].StartedAt, sampleSpans(5)[0].RecoveredAt},
		"/monitors/5?from=2026-11-24T08:00:00Z&to=2026-11-24T10:00:00Z": {sampleSpans(5)[0].StartedAt, sampleSpans(5)[0].RecoveredAt},
		"/monitors/5?range=7d": {sampleSpans(5)[1].StartedAt, sampleSpans(5)[1].RecoveredAt},
		"/monitors/1?range=1h": {sampleSpans(1)[0].StartedAt, now},
	} {
		got := does(ctx, t, base+path, pixels+fmt.Sprintf(`
			const runs = [], down = rgb('--down'); // of the rule on top, which lines of the grid may cross
			for (let x = 0; x < wide; x += 1) if (is(x, Math.round(dpr), down)) { if (runs.length && x - runs.at(-1)[1] < 4 * dpr) runs.at(-1)[1] = x + 1; else runs.push([x, x + 1]); }
			const near = (x, seconds) => Math.abs(time(x) - seconds) <= series.step + span / wide;
			const drawn = runs.some(([from, to]) => near(from, %d) && near(to, %d));
			const box = [...document.querySelectorAll('#chart rect.outage')].map(r => ['x', 'width'].map(name => Number(r.getAttribute(name)) * wide / 1000));
			return [drawn, box.some(([x, width]) => near(x, %[1]d) && near(x + width, %[2]d)), runs.length === series.out.length].join('|')`, span[0].Unix(), span[1].Unix()))
		require.Equal(t, "true|true|true", got, "%s: in the script's drawing and in the server's, and nothing else is shaded", path)
	}
}

// gapsStay: no line leads over a time of which nothing is known.
func gapsStay(ctx context.Context, t *testing.T, base string) {
	t.Helper()
	require.Equal(t, "18|0|true|2 2 2", does(ctx, t, base+"/monitors/5?range=24h", pixels+`
		const none = series.p50.flatMap((v, i) => v == null ? [i] : []);
		const edge = (i) => Math.round(at(series.t[i] + series.step / 2));
		const from = edge(none[0] - 1) + 3, to = edge(none.at(-1) + 1) - 3, lines = ['--p50', '--p95', '--p99'].map(rgb);
		const has = (x, colours) => { for (let y = 0; y < high; y += 1) if (colours.some(c => is(x, y, c))) return true; return false; };
		let bridged = 0, drawn = 0, all = 0;
		for (let x = edge(0) + 3; x < edge(series.t.length - 1) - 3; x += 1) {
			if (x >= from && x <= to) bridged += has(x, lines);
			else if (x < from - 6 || x > to + 6) { all += 1; drawn += has(x, lines.slice(0, 1)); }
		}
		const pieces = ['p50', 'p95', 'p99'].map(name => document.querySelector('#chart svg path.' + name).getAttribute('d').split('M').length - 1);
		return [none.length, bridged, drawn > all * .95, pieces.join(' ')].join('|')`))
	keep(ctx, t, "gap")
}

// tableIsSeries: each value of the lines stands in the table, and no other does.
func tableIsSeries(ctx context.Context, t *testing.T, address string) {
	t.Helper()
	var both struct {
		Series struct {
			T             []int64
			P50, P95, P99 []*float64
			Fail          []int64
		}
		Rows [][]string
	}
	require.NoError(t, json.Unmarshal([]byte(does(ctx, t, address, `
		const rows = [...document.querySelectorAll('#chart + details tbody tr')].map(row => [...row.cells].slice(0, 5).map((cell, i) => i ? cell.textContent : cell.querySelector('time').dateTime));
		return JSON.stringify({ series: JSON.parse(document.getElementById('chart').dataset.series), rows })`)), &both))
	english := lang.Of("en")
	said := func(ms *float64) string {
		if ms == nil {
			return "—"
		}
		return english.Latency(time.Duration(*ms * float64(time.Millisecond)))
	}
	var want [][]string
	s := both.Series
	for i, from := range slices.Backward(s.T) {
		failed := strings.Replace(english.Figure(s.Fail[i]), "0", "—", 1)
		if s.P50[i] != nil || s.Fail[i] > 0 {
			want = append(want, []string{time.Unix(from, 0).UTC().Format(time.RFC3339), said(s.P50[i]), said(s.P95[i]), said(s.P99[i]), failed})
		}
	}
	require.NotEmpty(t, want)
	require.Equal(t, want, both.Rows, address)
}

// linesByDash: the lines are told apart without colour, in either theme: as the script
// draws them, as the server does, and in the legend.
func linesByDash(t *testing.T) {
	t.Helper()
	ctx, base, f := desk(t, func(*fake) {})
	_, err := chromedp.Call(ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: `
		window.strokes = [];
		const stroke = CanvasRenderingContext2D.prototype.stroke;
		CanvasRenderingContext2D.prototype.stroke = function (...what) {
			if (this.lineWidth > devicePixelRatio) window.strokes.push([this.strokeStyle, this.getLineDash().map(part => part / devicePixelRatio).join(' ') || 'none']);
			return stroke.apply(this, what);
		};`})
	require.NoError(t, err)
	for _, theme := range []string{"light", "dark"} {
		f.mu.Lock()
		f.theme = theme
		f.mu.Unlock()
		require.Equal(t, "none, 6 3, 2 3|none, 6 3, 2 3|none, 6 3, 2 3", does(ctx, t, base+"/monitors/5?range=24h", `
			await until(() => document.querySelector('.chart-host[data-ends]'));
			const names = ['50', '95', '99'], token = (name) => getComputedStyle(document.documentElement).getPropertyValue('--p' + name).trim();
			const drawn = names.map(name => [...new Set(window.strokes.filter(([colour]) => colour === token(name)).map(([, dash]) => dash))].join(' or '));
			const dash = (selector) => getComputedStyle(document.querySelector(selector)).strokeDasharray.replaceAll('px', '').replaceAll(',', '');
			return [drawn.join(', '), names.map(name => dash('#chart svg path.p' + name)).join(', '), names.map(name => dash('.legend .k' + name)).join(', ')].join('|')`), theme)
		keep(ctx, t, "dashes-"+theme)
	}
}
