package web

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"monitor/modules/lang"
	"monitor/modules/uptime"
)

// TestChecklist holds points of the design's check-list, by their numbers.
func TestChecklist(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"02WithoutScripts": everythingWithoutScripts, "03Accessible": accessibleEverywhere, "04NothingSideways": nothingSideways, "04NothingLost": nothingLost,
		"05SkipLinkFirst": skipLinkFirst, "07ShapesDiffer": shapesDiffer, "08TokensHold": tokensHold, "09AskedFor": askedFor,
		"11Budget": withinBudget, "11FewRequests": fewRequests, "11StaysAtHome": staysAtHome, "12AddressIsState": addressIsState, "14DownWithinTwoSeconds": downWithinTwoSeconds,
		"15OneStream": oneStream, "16ServerStops": serverStops, "17UnderSomebodysHands": underHands, "18FewAnnouncements": fewAnnouncements,
		"20TextNotMarkup": textNotMarkup, "21InvalidForm": invalidForm, "22SecondEditor": secondEditor, "23SessionEnds": sessionEnds,
		"26DaysAreTold": daysAreTold, "29ChartZooms": chartZooms, "29ChartIsTrue": chartIsTrue, "30LineEndsOnAPhone": lineEndsOnAPhone, "30LinesByDash": linesByDash,
		"31Palette": paletteOpens, "32SingleKeys": singleKeys, "34KeyOnce": keyOnce, "40PrintsPlain": printsPlain,
		"41TextsFit": fitsIn(lang.Pseudo()), "41TextsFitMirrored": fitsIn(lang.Mirrored()), "41Mirrored": mirrored, "41ScriptsCount": scriptsCount, "42ThemeStays": themeStays,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// live waits until the page says so.
const live = `await until(() => document.getElementById('live').textContent === 'Live');`

// press types keys, with modifiers where they are given.
func press(ctx context.Context, t *testing.T, keys string, modifiers ...chromedp.Modifier) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...))))
}

// arrives waits until the page of the address is there whole; behind # stands what its
// flash says.
func arrives(ctx context.Context, t *testing.T, address string) {
	t.Helper()
	path, flash, _ := strings.Cut(address, "#")
	script := fmt.Sprintf(`location.pathname + location.search === %q && document.readyState === 'complete' && [...document.querySelectorAll('[data-flash]')].map(e => e.textContent).join().includes(%q)`, path, flash)
	at := ""
	for range 1000 {
		there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](script))
		if err == nil && there { // else it is on its way
			return
		}
		at, _ = chromedp.Run(ctx, chromedp.Evaluate[string](`location.href`))
		select {
		case <-ctx.Done():
			require.NoError(t, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	require.FailNow(t, "did not arrive at "+address, at)
}

// downWithinTwoSeconds: the row, the title, the icon and the badge follow, also on a
// page that has no list.
func downWithinTwoSeconds(t *testing.T) {
	t.Helper()
	ctx, base, f := desk(t, func(*fake) {})
	found := complaints(ctx, t)
	const stands = `const all = () => [document.title, document.querySelector('link[rel=icon]').href.match(/favicon-([a-z]+)/)[1],
		document.querySelector('.side [data-count=down]').textContent.trim()].join('|');`
	for i, page := range []struct{ path, title string }{
		{"/monitors", "Monitors"}, {"/channels", "Channels"},
	} {
		id := int64(5 + i)
		require.Equal(t, fmt.Sprintf("(%d down) %s · Acme monitoring|down|%d down", 2+i, page.title, 2+i), does(ctx, t, base+page.path, stands+`
			await until(() => performance.getEntriesByType('resource').some(e => e.name.includes('/events')) || document.body);
			window.changed = 0;
			const before = all();
			new MutationObserver(() => { if (!window.changed && all() !== before) window.changed = performance.now(); }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
			return before;`), page.path)
		if page.path == "/monitors" {
			says(ctx, t, live+`return ''`)
		} else { // until the stream has told how things stand
			says(ctx, t, `await new Promise(done => setTimeout(done, 1500)); return ''`)
		}
		says(ctx, t, `window.begun = performance.now(); return ''`)
		f.becomes(uptime.Down, id)
		took := says(ctx, t, stands+fmt.Sprintf(`
			await until(() => all() === '(%d down) %s · Acme monitoring|down|%d down');
			const row = document.getElementById('m%d');
			if (row) await until(() => row.isConnected ? row.querySelector('.pill').textContent === 'Down' : document.querySelector('#m%d .pill').textContent === 'Down');
			return String(performance.now() - window.begun < 2000)`, 3+i, page.title, 3+i, id, id))
		require.Equal(t, "true", took, "%s took longer than 2 s", page.path)
	}
	require.Empty(t, found())
}

// TestNewVersionIsOffered: by a page that hears of it, as of all else, from the page that
// listens; what is of another workspace is not its business.
func TestNewVersionIsOffered(t *testing.T) {
	t.Parallel()
	ctx, base, _ := desk(t, func(*fake) {})
	require.Equal(t, "New version — Reload|(5 down) Channels · Acme monitoring", does(ctx, t, base+"/channels", `
		const other = new BroadcastChannel('live-1');
		const says = (workspace, down, version) => other.postMessage({ kind: 'counts', data: { workspace, down, open: 0, icon: 'down', version } });
		says(2, 9, '3.0.0');
		says(1, 5, '2.0.0');
		const chip = await until(() => document.querySelector('[data-chip=version]'));
		return chip.textContent + '|' + document.title`))
}

// oneStream: eight tabs share one, and another takes over when it closes.
func oneStream(t *testing.T) {
	t.Helper()
	w, f := setup(t)
	var mu sync.Mutex
	open, most := 0, 0
	begun := make(chan time.Time, 100)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: "ok"})
		if r.URL.Path == "/events" {
			mu.Lock()
			open++
			most = max(most, open)
			mu.Unlock()
			begun <- time.Now()
			defer func() {
				mu.Lock()
				open--
				mu.Unlock()
			}()
		}
		w.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	first := browse(t)
	t.Cleanup(server.CloseClientConnections)
	var tabs []context.Context
	var closeFirst context.CancelFunc
	for i := range 8 {
		tab, shut := chromedp.NewContext(first)
		t.Cleanup(shut)
		if i == 0 {
			closeFirst = shut
		}
		require.NoError(t, chromedp.Do(tab, chromedp.Navigate(server.URL+"/monitors")))
		says(tab, t, live+`return ''`)
		tabs = append(tabs, tab)
	}
	<-begun
	f.becomes(uptime.Down, 5)
	for i, tab := range tabs {
		says(tab, t, `await until(() => document.querySelector('#m5 .pill').textContent === 'Down'); return ''`)
		require.Equal(t, "Live", says(tab, t, `return document.getElementById('live').textContent`), i)
	}
	mu.Lock()
	require.Equal(t, 1, open)
	require.Equal(t, 1, most)
	mu.Unlock()
	closed := time.Now()
	closeFirst()
	select {
	case at := <-begun:
		require.Less(t, at.Sub(closed), 5*time.Second)
	case <-time.After(30 * time.Second):
		require.FailNow(t, "nobody took over")
	}
	f.becomes(uptime.Up, 5)
	for _, tab := range tabs[1:] {
		says(tab, t, `await until(() => document.querySelector('#m5 .pill').textContent === 'Up'); return ''`)
	}
	// The server may hear of the end of the first after the second has begun.
	require.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return open == 1
	}, 30*time.Second, 20*time.Millisecond)
}

// serverStops: the page says so, then greys what it shows; and when the server is back
// it shows what it missed.
func serverStops(t *testing.T) {
	t.Helper()
	w, f := setup(t)
	serve := func(address string) *http.Server {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
		require.NoError(t, err)
		s := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			r.AddCookie(&http.Cookie{Name: sessionCookie, Value: "ok"})
			w.ServeHTTP(rw, r)
		})}
		s.Addr = listener.Addr().String()
		go func() { _ = s.Serve(listener) }()
		return s
	}
	s := serve("127.0.0.1:0")
	t.Cleanup(func() { _ = s.Close() })
	ctx := browse(t)
	does(ctx, t, "http://"+s.Addr+"/monitors", live+`return ''`)
	require.NoError(t, s.Close())
	require.Equal(t, "true", says(ctx, t, `const begun = performance.now();
		await until(() => document.getElementById('live').textContent === 'Reconnecting…'); return String(performance.now() - begun < 5000)`))
	require.Equal(t, "false|", says(ctx, t, `return [document.body.classList.contains('stale'), document.getElementById('notlive').textContent.trim()].join('|')`))
	// A minute goes by.
	require.Equal(t, "off|true|true|1|none", says(ctx, t, `const now = Date.now; Date.now = () => now() + 61_000;
		await until(() => document.getElementById('notlive').textContent.trim());
		const at = document.getElementById('live'), pill = getComputedStyle(document.querySelector('.pill'));
		return [at.dataset.state, /^Not live — data from \d/.test(at.textContent), document.body.classList.contains('stale'), document.querySelectorAll('#notlive .note').length,
			pill.filter === 'none' ? 'coloured' : 'none'].join('|')`))
	keep(ctx, t, "not-live")
	f.becomes(uptime.Down, 5)
	s = serve(s.Addr)
	require.Equal(t, "Live|false|", says(ctx, t, `await until(() => document.querySelector('#m5 .pill').textContent === 'Down'); `+live+`
		return [document.getElementById('live').textContent, document.body.classList.contains('stale'), document.getElementById('notlive').textContent].join('|')`))
}

// underHands: what somebody holds stays, and no row moves until they say so.
func underHands(t *testing.T) {
	t.Helper()
	ctx, base, f := desk(t, func(f *fake) { f.now = map[int64]uptime.Status{} }) // in the order of severity
	found := complaints(ctx, t)
	does(ctx, t, base+"/monitors", live+`
		const row = document.getElementById('m8');
		row.querySelector('.first').insertAdjacentHTML('beforeend', '<details class="menu" id="held"><summary>Menu</summary><div class="panel"><button class="item">Pause</button></div></details>');
		row.querySelector('.second').insertAdjacentHTML('afterbegin', '<input type="checkbox" id="tick" name="ids" value="8" aria-label="docs">');
		document.getElementById('tick').checked = true;
		document.getElementById('held').open = true;
		document.querySelector('#held summary').focus();
		window.scrollTo(0, 40);
		return ''`)
	const held = `[[...document.querySelectorAll('tr[id^=m]')].map(r => r.id).join(), document.getElementById('tick').checked, document.getElementById('held').open,
		document.activeElement === document.querySelector('#held summary'), scrollY].join('|')`
	before := says(ctx, t, `return `+held)
	f.becomes(uptime.Down, 6, 8)
	require.Equal(t, "2 monitors changed order — Re-sort", says(ctx, t, `
		await until(() => document.querySelector('#m6 .pill').textContent === 'Down');
		return (await until(() => document.querySelector('[data-chip=order]'))).textContent`), "pills change in place")
	require.Equal(t, before, says(ctx, t, `return `+held))
	require.Equal(t, "status", says(ctx, t, `return document.getElementById('chips').getAttribute('role')`))
	keep(ctx, t, "re-sort")
	f.becomes(uptime.Up, 6)
	require.Equal(t, "1 monitor changed order — Re-sort", says(ctx, t, `
		await until(() => document.querySelector('#m6 .pill').textContent === 'Up');
		await until(() => document.querySelector('[data-chip=order]').textContent.startsWith('1'));
		return document.querySelector('[data-chip=order]').textContent`))
	require.Equal(t, before, says(ctx, t, `return `+held))
	require.Equal(t, "m1,m2,m8|0", says(ctx, t, `document.querySelector('[data-chip=order]').click();
		await until(() => document.querySelectorAll('tr[id^=m]')[2].id === 'm8');
		return [...document.querySelectorAll('tr[id^=m]')].slice(0, 3).map(r => r.id).join() + '|' + document.querySelectorAll('[data-chip]').length`))
	// Nobody's hands are on it: the worst go up by themselves.
	does(ctx, t, base+"/monitors", live+`return ''`)
	f.becomes(uptime.Down, 7)
	require.Equal(t, "m7", says(ctx, t, `return (await until(() => { const r = document.querySelectorAll('tr[id^=m]')[2]; return r?.id === 'm7' && r; })).id`))
	require.Empty(t, found())
}

// fewAnnouncements: many changes at once are one sentence or two.
func fewAnnouncements(t *testing.T) {
	t.Helper()
	ctx, base, f := desk(t, func(f *fake) { f.many = 100 })
	does(ctx, t, base+"/monitors?size=100", live+`window.said = [];
		new MutationObserver(() => window.said.push(document.getElementById('said').textContent)).observe(document.getElementById('said'), { childList: true, characterData: true, subtree: true });
		return ''`)
	var ids []int64
	for id := range int64(50) {
		ids = append(ids, id+1)
	}
	f.becomes(uptime.Down, ids...)
	require.Equal(t, "true", says(ctx, t, `
		const told = () => window.said.reduce((sum, text) => sum + Number(text.match(/^(\d+) monitors went down$/)?.[1] ?? 0), 0);
		await until(() => told() === 50);
		return String(window.said.length <= 2)`))
	f.becomes(uptime.Up, 3)
	require.Equal(t, "search-stage-000 is up again", says(ctx, t, `return await until(() => window.said.find(text => text.includes('again')))`))
}

// paletteOpens: by keys alone.
func paletteOpens(t *testing.T) {
	t.Helper()
	ctx, base, f := desk(t, func(*fake) {})
	found := complaints(ctx, t)
	does(ctx, t, base+"/channels", `document.querySelector('main a').focus(); return ''`)
	press(ctx, t, "k", chromedp.ModifierCtrl)
	require.Equal(t, "combobox|listbox|Results|true|hit-0", says(ctx, t, `
		const input = await until(() => document.getElementById('palette'));
		await until(() => document.querySelector('[role=option]'));
		const list = document.getElementById(input.getAttribute('aria-controls'));
		return [input.getAttribute('role'), list.getAttribute('role'), list.getAttribute('aria-label'), document.activeElement === input, input.getAttribute('aria-activedescendant')].join('|')`))
	press(ctx, t, kb.ArrowDown)
	require.Equal(t, "hit-1|true", says(ctx, t, `const at = document.getElementById('palette').getAttribute('aria-activedescendant');
		return at + '|' + document.getElementById(at).getAttribute('aria-selected')`))
	keep(ctx, t, "palette")
	press(ctx, t, kb.Escape)
	require.Equal(t, "true", says(ctx, t, `await until(() => !document.querySelector('dialog')); return String(document.activeElement === document.querySelector('main a'))`), "the focus comes back")
	press(ctx, t, "k", chromedp.ModifierCtrl)
	says(ctx, t, `await until(() => document.activeElement.id === 'palette'); return ''`)
	press(ctx, t, "aut")
	press(ctx, t, kb.Enter)
	arrives(ctx, t, "/monitors/5")
	// What was used lately comes first, and is kept as an id alone.
	press(ctx, t, "k", chromedp.ModifierCtrl)
	require.Equal(t, `auth-us-001|["monitor:5"]`, says(ctx, t, `await until(() => document.querySelector('[role=option]'));
		return document.querySelector('[role=option] .hit').textContent + '|' + localStorage.getItem('palette-1')`))
	press(ctx, t, "pause che")
	says(ctx, t, `await until(() => document.querySelector('[role=option] .hit')?.textContent === 'Pause checkout'); return ''`)
	press(ctx, t, kb.Enter)
	arrives(ctx, t, "/monitors/5#paused")
	require.Len(t, f.saved, 1)
	require.Empty(t, found())
}

// singleKeys: they go where they say, do nothing where people type, and can be turned
// off.
func singleKeys(t *testing.T) {
	t.Helper()
	ctx, base, f := desk(t, func(*fake) {})
	found := complaints(ctx, t)
	at := func(path string) {
		t.Helper()
		arrives(ctx, t, path)
	}
	does(ctx, t, base+"/monitors", `document.getElementById('q').focus(); return ''`)
	press(ctx, t, "gi?")
	require.Equal(t, "/monitors|gi?|false", says(ctx, t, `return [location.pathname, document.getElementById('q').value, !!document.querySelector('dialog')].join('|')`))
	says(ctx, t, `document.activeElement.blur(); document.body.dataset.keys = 'off'; return ''`)
	press(ctx, t, "gi?")
	require.Equal(t, "/monitors|false", says(ctx, t, `await new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)));
		return [location.pathname, !!document.querySelector('dialog')].join('|')`))
	says(ctx, t, `document.body.dataset.keys = 'on'; return ''`)
	press(ctx, t, "g", chromedp.ModifierCtrl)
	press(ctx, t, "i")
	at("/monitors")
	press(ctx, t, "gi")
	at("/incidents")
	for keys, path := range map[string]string{"go": "/", "gm": "/monitors", "gc": "/channels", "gs": "/settings/profile"} {
		press(ctx, t, keys)
		at(path)
	}
	does(ctx, t, base+"/monitors/1?status=down", `return ''`)
	press(ctx, t, "?")
	list := says(ctx, t, `const dialog = await until(() => document.querySelector('dialog[open]'));
		return [...dialog.querySelectorAll('dt')].map(dt => dt.textContent + '=' + dt.nextSibling.textContent).join('|')`)
	for _, line := range []string{"c=Check now", "e=Edit", "p=Pause", "[=Previous monitor", "]=Next monitor", "1 … ", "g m=go to Monitors"} {
		require.Contains(t, list, line)
	}
	keep(ctx, t, "keys")
	press(ctx, t, "]") // nothing in a dialog
	press(ctx, t, kb.Escape)
	says(ctx, t, `await until(() => !document.querySelector('dialog')); return ''`)
	press(ctx, t, "]")
	at("/monitors/2?status=down")
	press(ctx, t, "[")
	at("/monitors/1?status=down")
	press(ctx, t, "2")
	at("/monitors/1?range=6h&tab=checks&status=down")
	press(ctx, t, "e")
	at("/monitors/1/edit")
	require.Empty(t, f.saved)
	says(ctx, t, `document.getElementById('f-name').focus(); return ''`)
	press(ctx, t, kb.Enter, chromedp.ModifierCtrl, chromedp.ModifierShift)
	says(ctx, t, `await until(() => document.querySelector('#test-result .said')); return ''`)
	require.Len(t, f.saved, 1, "tested")
	press(ctx, t, kb.Enter, chromedp.ModifierCtrl)
	at("/monitors/1")
	require.Len(t, f.saved, 2, "saved")
	require.Empty(t, found())
}
