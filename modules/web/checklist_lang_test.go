package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"monitor/modules/lang"
	"monitor/modules/uptime"
	"monitor/static"
)

// mainPages are looked at in the languages of tests, unless -pseudo names others: with
// "-pseudo ." all pages are.
const mainPages = `^(overview|overview-wrong|monitors|monitors-grouped|monitors-odd|monitor-down|monitor-custom|monitor-sent|monitor-new|monitor-refused|` +
	`incidents|incident|incident-by-hand|incident-new|channels|channel-new|channel-log|profile|security|people|tokens|wallboards|audit|login|wall)$`

// cutOnPurpose are texts that may be cut at the end: names and addresses, which can be of
// any length and stand whole elsewhere, the title of the page in the way to it, which is
// its heading, too, and what is in inputs.
const cutOnPurpose = `.cut, .target, .name, .tag, .tile-name, .brand span, .crumbs [aria-current], .avatar, select, option, input, textarea`

// wrong gives what does not fit on a page: text that is cut, texts and controls over each
// other, and what reaches beyond the page.
const wrong = `(() => {
	const out = [];
	const names = (e) => e.tagName.toLowerCase() + (e.id ? '#' + e.id : '') + (e.getAttribute('class') ? '.' + e.getAttribute('class').split(' ').join('.') : '');
	const says = (e) => names(e) + ' “' + (e.textContent || e.value || '').trim().replace(/\s+/g, ' ').slice(0, 60) + '”';
	const onPurpose = ` + "`" + cutOnPurpose + "`" + `;
	const root = document.documentElement;
	if (root.scrollWidth > root.clientWidth) out.push('scrolls sideways: ' + root.scrollWidth + ' px');
	const hides = (e) => /hidden|clip/.test(getComputedStyle(e).overflowX + getComputedStyle(e).overflowY);
	const unseen = (e) => { for (let at = e; at; at = at.parentElement) if (getComputedStyle(at).clipPath !== 'none') return true; return false; }; // told to who listens alone
	const scrolls = (e) => e.closest('.tabs, .excerpt, .scroll');
	const shown = [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest('svg, .skip, .uplot') && !unseen(e));
	// Layers lie over each other as they like: what sticks, and what floats.
	const layerOf = (e) => { for (let at = e; at; at = at.parentElement) if (/sticky|fixed/.test(getComputedStyle(at).position) || at.matches('.panel, dialog')) return at; return null; };
	const boxes = [];
	for (const e of shown) {
		if (hides(e) && !e.closest(onPurpose) && e.textContent.trim() && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 2)) out.push('is cut: ' + says(e));
		const box = e.getBoundingClientRect();
		if (box.width && !scrolls(e) && (box.right > root.clientWidth + 1 || box.left < -1)) out.push('beyond the page: ' + says(e));
		const control = e.matches('.btn, button, input, select, textarea, summary, .pill, .tag, .chip, th, td');
		if (control) boxes.push({ e, layer: layerOf(e), at: [box] });
		for (const node of e.childNodes) {
			if (node.nodeType !== Node.TEXT_NODE || !node.nodeValue.trim() || e.closest('select, textarea')) continue;
			const range = document.createRange();
			range.selectNodeContents(node);
			const lines = [...range.getClientRects()].map((r) => new DOMRect(r.x, r.y + r.height * .15, r.width, r.height * .7));
			let cut = null; // the nearest that cuts what reaches beyond it
			for (let at = e; at && !cut; at = at.parentElement) if (hides(at)) cut = at;
			if (cut && cut !== e && !e.closest(onPurpose) && !cut.matches(onPurpose)) {
				const edge = cut.getBoundingClientRect();
				if (lines.some((r) => r.right > edge.right + 1 || r.left < edge.left - 1 || r.bottom > edge.bottom + 1 || r.top < edge.top - 1)) out.push('is cut by ' + names(cut) + ': ' + says(e));
			}
			// Of what is cut on purpose only what is seen counts.
			const seen = lines.map((r) => cut && cut !== document.body ? meets(r, cut.getBoundingClientRect()) : r).filter(Boolean);
			boxes.push({ e, node, layer: layerOf(e), at: seen });
		}
	}
	function meets(a, b) {
		const x = Math.max(a.left, b.left), y = Math.max(a.top, b.top), w = Math.min(a.right, b.right) - x, h = Math.min(a.bottom, b.bottom) - y;
		return w > 0 && h > 0 ? new DOMRect(x, y, w, h) : null;
	}
	const over = (a, b) => { const m = meets(a, b); return m && m.width > 2 && m.height > 2; };
	for (let i = 0; i < boxes.length; i += 1) {
		for (let k = i + 1; k < boxes.length; k += 1) {
			const [a, b] = [boxes[i], boxes[k]];
			if (a.layer !== b.layer || (a.e === b.e ? !(a.node && b.node) : a.e.contains(b.e) || b.e.contains(a.e)) || scrolls(a.e) || scrolls(b.e)) continue;
			if (a.at.some((r) => b.at.some((s) => over(r, s)))) out.push('over each other: ' + says(a.e) + ' and ' + says(b.e));
		}
	}
	return [...new Set(out)].slice(0, 12).join('\n');
})()`

// menusFit opens the menus of a page one by one.
const menusFit = `(() => [...document.querySelectorAll('details.menu > summary')].filter((s) => s.checkVisibility()).map((s) => {
	const menu = s.parentElement, panel = s.nextElementSibling;
	menu.open = true;
	const box = panel.getBoundingClientRect(), cut = [...panel.querySelectorAll('*')].filter((e) => e.checkVisibility() && !e.closest('.cut, .visually-hidden, svg') && e.getBoundingClientRect().right > box.right + 1).map((e) => e.textContent.trim());
	const root = document.documentElement, wide = root.scrollWidth > root.clientWidth;
	menu.open = false;
	return box.left < -1 || box.right > root.clientWidth + 1 || wide || cut.length ? 'the menu ' + s.textContent.trim() + ' does not fit: ' + [box.left, box.right, wide, ...cut] : '';
}).filter(Boolean).join('\n'))()`

// settled waits until charts are drawn in a new width.
const settled = `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(''), 30))))`

// textsFit: in the pseudo-language, whose texts are 40 % longer, nothing is cut, lies
// over something else or makes the page scroll sideways; nor does it from right to left.
func textsFit(t *testing.T, l *lang.Language) {
	t.Helper()
	server, ctx := stage(t, l), browse(t)
	found := complaints(ctx, t)
	only := regexp.MustCompile(mainPages)
	if *pseudoPages != "" {
		only = regexp.MustCompile(*pseudoPages)
	}
	for _, s := range allShots() {
		if !only.MatchString(s.name) {
			continue
		}
		for _, width := range []int64{390, 1360} {
			view := []chromedp.EmulateViewportOption{}
			if width < 500 {
				view = append(view, chromedp.EmulateMobile)
			}
			require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 900, view...), chromedp.Navigate(server.URL+"/shot/"+s.name)), s.name)
			for _, look := range []string{wrong, menusFit} {
				_, err := chromedp.Run(ctx, chromedp.Evaluate[string](settled, chromedp.EvalAwaitPromise))
				require.NoError(t, err)
				misfits, err := chromedp.Run(ctx, chromedp.Evaluate[string](look))
				require.NoError(t, err)
				if misfits != "" {
					t.Errorf("%s at %d px:\n%s", s.name, width, misfits)
				}
			}
			keep(ctx, t, fmt.Sprintf("%s-%s-%d", s.name, l.Tag(), width))
		}
	}
	require.Empty(t, found())
}

// mirrored: from right to left the layout is mirrored, and what has an axis of time is not.
func mirrored(t *testing.T) {
	t.Helper()
	server, ctx := stage(t, lang.Mirrored()), browse(t)
	const turned = `
		const box = (selector) => document.querySelector(selector).getBoundingClientRect();
		const plain = (e) => { for (let at = e; at; at = at.parentElement) if (getComputedStyle(at).transform !== 'none' || getComputedStyle(at).scale !== 'none') return false; return getComputedStyle(e).direction === 'ltr'; };
		const inOrder = (selector) => { const all = [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility()); return all.length > 1 && all.every((e, i) => !i || all[i - 1].getBoundingClientRect().left < e.getBoundingClientRect().left); };`
	require.Equal(t, "rtl|true|true|true", does(ctx, t, server.URL+"/shot/monitors", turned+`
		const cells = [...document.querySelectorAll('tbody tr:first-child td')];
		return [getComputedStyle(document.documentElement).direction, box('.side').left >= box('.frame').right - 1,
			cells[0].getBoundingClientRect().left > cells.at(-1).getBoundingClientRect().left,
			[...document.querySelectorAll('.bar')].every(plain)].join('|')`))
	const charts = `[[...document.querySelectorAll('.bar, #chart svg, .chart-host, .uplot, .uplot canvas')].filter((e) => !plain(e)).length, inOrder('.bar-legend span')].join('|')`
	require.Equal(t, "0|true|true", does(ctx, t, server.URL+"/shot/monitor-down", turned+`
		await until(() => document.querySelector('.uplot canvas'));
		const u = box('.chart-host .u-over'), at = box('.chart-host');
		return [`+charts+`, u.left - at.left > at.right - u.right].join('|')`), "the values stand left of the lines, the newest is at the right")
	// What the server drew stays where no script runs.
	plainly := says(ctx, t, turned+`
		document.querySelector('.chart-host').remove(); document.querySelector('.chart-y').hidden = false;
		return [`+charts+`, inOrder('.ticks-x span'), box('.ticks-y').right <= box('.chart-y > svg').left].join('|')`)
	require.Equal(t, "0|true|true|true", plainly)
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(390, 800, chromedp.EmulateMobile), chromedp.Navigate(server.URL+"/shot/monitors")))
	require.Equal(t, "true|true", says(ctx, t, turned+`const menu = document.querySelector('.mobile-nav'); menu.open = true;
		return [box('.mobile-nav').left > innerWidth / 2, box('.mobile-nav > .panel').right <= innerWidth + 1].join('|')`), "the menu is at the right")
}

// scriptsCount: n() of scripts chooses the plural form, as the server does.
func scriptsCount(t *testing.T) {
	t.Helper()
	polish, err := lang.Parse("pl", []byte(`{"%s monitors went down": {"one": "%s monitor nie działa", "few": "%s monitory nie działają", "many": "%s monitorów nie działa", "other": "%s monitora nie działa"},
		"%s of %s": "z %[2]s: %[1]s", "for %s": "od %s", "verb|Open": "Otwórz"}`))
	require.NoError(t, err)
	script, err := static.FS.ReadFile("js/words.js")
	require.NoError(t, err)
	w, _ := setup(t)
	w.assets.words = []string{"%s monitors went down", "%s of %s", "for %s", "verb|Open", "verb|Close"}
	page := func(l *lang.Language) string {
		return fmt.Sprintf(`<!doctype html><html lang="%s"><head><title>x</title><meta name="words" content="%s"><script defer src="%s"></script></head><body></body></html>`,
			l.Tag(), strings.ReplaceAll(w.assets.wordsIn(l), `"`, "&quot;"), "/words.js")
	}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/pl":
			_, _ = rw.Write([]byte(page(polish)))
		case "/en":
			_, _ = rw.Write([]byte(strings.Replace(page(lang.Of("en")), `content=""`, `content="{}"`, 1)))
		case "/words.js":
			rw.Header().Set("Content-Type", "text/javascript")
			_, _ = rw.Write(script)
		default:
			w.ServeHTTP(rw, r)
		}
	}))
	t.Cleanup(server.Close)
	ctx := browse(t)
	const counts = `return [...[1, 2, 5, 22, 25, 1234].map((c) => n(c, '%s monitor went down', '%s monitors went down')), t('%s of %s', 1, 2), t('for %s', '%s'), t('verb|Open'), t('verb|Close')].join(', ')`
	require.Equal(t, "1 monitor nie działa, 2 monitory nie działają, 5 monitorów nie działa, 22 monitory nie działają, 25 monitorów nie działa, 1 234 monitory nie działają, z 2: 1, od %s, Otwórz, Close",
		plain(does(ctx, t, server.URL+"/pl", counts)))
	require.Equal(t, "1 monitor went down, 2 monitors went down, 5 monitors went down, 22 monitors went down, 25 monitors went down, 1,234 monitors went down, 1 of 2, for %s, Open, Close",
		does(ctx, t, server.URL+"/en", counts))
}

// TestScriptsSpeak: what scripts write is in the language of the page, to the title and
// the decimal point.
func TestScriptsSpeak(t *testing.T) {
	t.Parallel()
	ctx, base, f := desk(t, func(f *fake) { f.chose("de") })
	found := complaints(ctx, t)
	require.Equal(t, "(1.234 ausgefallen) Monitore · Acme monitoring|Monitore · Acme monitoring|1.234|Neue Version – neu laden|0 ausgewählt", does(ctx, t, base+"/monitors", `
		await until(() => document.getElementById('live').textContent === 'Live');
		const other = new BroadcastChannel('live-1'), seen = [];
		const says = async (down, version) => { other.postMessage({ kind: 'counts', data: { workspace: 1, down, open: 0, icon: 'down', version } });
			await until(() => document.querySelector('.side [data-count=down]').firstChild.nodeValue === down.toLocaleString('de')); return document.title; };
		await says(3, '1.0.0');
		const many = await says(1234, '1.0.0'), badge = document.querySelector('.side [data-count=down]').firstChild.nodeValue, none = await says(0, '2.0.0');
		return [many, none, badge, document.querySelector('[data-chip=version]').textContent, document.querySelector('#picked').textContent].join('|')`))
	f.goesWrong(uptime.ConditionRedis)
	require.Equal(t, lang.Of("de").Said(uptime.ConditionOf(uptime.ConditionRedis).Detail), says(ctx, t, `return (await until(() => document.querySelector('#conditions p'))).textContent`))
	require.Empty(t, found())
}

// fitsIn runs textsFit in a language.
func fitsIn(l *lang.Language) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		textsFit(t, l)
	}
}
