package web

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"monitor/modules/lang"
	"monitor/modules/uptime"
)

var shotDir = flag.String("shots", "", "folder for screenshots of every page, in both themes and two widths")

// stage serves each page of shots() at /shot/NAME, and everything else as ever; all of it
// in a language, nil for the browser's.
func stage(t *testing.T, l *lang.Language) *httptest.Server {
	t.Helper()
	usual, live := setup(t)
	if l != nil {
		speaking(usual, l)
	}
	byName := map[string]shot{}
	for _, s := range allShots() {
		byName[s.name] = s
	}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		s, ok := byName[strings.TrimPrefix(r.URL.Path, "/shot/")]
		if !ok {
			r.AddCookie(&http.Cookie{Name: sessionCookie, Value: "ok"})
			usual.ServeHTTP(rw, r)
			return
		}
		w, f := setup(t)
		w.views = usual.views // parsed once
		if l != nil {
			speaking(w, l)
		}
		if s.prepare != nil {
			s.prepare(f)
		}
		f.theme = r.URL.Query().Get("theme")
		live.goesWrong(f.wrong...) // or its stream would say that all is well
		change := s.change
		if change == nil {
			change = func(*http.Request) {}
		}
		rec := ask(w, s.path, s.form, change)
		maps.Copy(rw.Header(), rec.Header())
		rw.WriteHeader(rec.Code)
		_, _ = rw.Write(rec.Body.Bytes())
	}))
	t.Cleanup(server.Close)
	return server
}

// browse starts a Chromium of its own.
func browse(t *testing.T) context.Context {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx), "start chromium: install Debian's package chromium")
	return ctx
}

// complaints collects what the browser finds wrong: errors of scripts and
// breaches of the content security policy.
func complaints(ctx context.Context, t *testing.T) func() []string {
	t.Helper()
	var mu sync.Mutex
	var list []string
	add := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		list = append(list, text)
	}
	require.NoError(t, chromedp.Listen(ctx, func(ev any) {
		switch e := ev.(type) {
		case *cdplog.EventEntryAdded:
			// The status of error pages is what they are for.
			if e.Entry.Level == cdplog.EntryLevelError && !strings.Contains(e.Entry.Text, "the server responded with a status of") {
				add(e.Entry.Text)
			}
		case *runtime.EventExceptionThrown:
			add(e.ExceptionDetails.Text)
		}
	}))
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), list...)
	}
}

// widest names what reaches beyond the page or its card.
const widest = `[...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && !e.closest('.uplot, .tabs, .excerpt, .target, svg, .menu') &&
	e.getBoundingClientRect().right > Math.min(innerWidth, (e.closest('.card') ?? document.body).getBoundingClientRect().right) + 1).slice(0, 6).map(e => e.tagName + '.' + (e.getAttribute('class') || e.id)).join(' ')`

// emulate sets a media feature of the browser.
func emulate(ctx context.Context, t *testing.T, name, value string) {
	t.Helper()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: name, Value: value}},
	})
	require.NoError(t, err)
}

func photograph(ctx context.Context, t *testing.T, base, name string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(*shotDir, 0o755))
	for _, theme := range []string{"light", "dark"} {
		// Pages for people who are not logged in follow the system alone.
		emulate(ctx, t, "prefers-color-scheme", theme)
		for _, width := range []int64{1360, 390} {
			view := []chromedp.EmulateViewportOption{}
			if width < 500 {
				view = append(view, chromedp.EmulateMobile)
			}
			require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 900, view...),
				chromedp.Navigate(base+"/shot/"+name+"?theme="+theme)))
			png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			require.NoError(t, err)
			file := filepath.Join(*shotDir, fmt.Sprintf("%s-%s-%d.png", name, theme, width))
			require.NoError(t, os.WriteFile(file, png, 0o600))
		}
	}
}

// TestPageFollowsTheStream: a notice makes an open page read its rows again;
// what is open in it stays open, and the chart is drawn anew.
func TestPageFollowsTheStream(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	refreshed := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: "ok"})
		w.ServeHTTP(rw, r)
		if isFragment(r) {
			refreshed <- r.URL.RequestURI()
		}
	}))
	t.Cleanup(server.Close)
	ctx := browse(t)
	t.Cleanup(server.CloseClientConnections)
	found := complaints(ctx, t)
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1360, 900), chromedp.Navigate(server.URL+"/monitors/1")))
	open := `document.querySelector('#chart + details').open = true; document.querySelectorAll('.chart-host canvas').length`
	canvases, err := chromedp.Run(ctx, chromedp.Evaluate[int](open))
	require.NoError(t, err)
	require.Equal(t, 1, canvases, "uPlot drew")
	f.mu.Lock()
	f.theme = "dark" // of no account here: only that the page is made anew
	f.mu.Unlock()
	f.notices <- uptime.Notice{Topic: uptime.TopicStatus, WorkspaceID: 1, ID: 1}
	select {
	case at := <-refreshed:
		require.Equal(t, "/monitors/1?range=24h&tab=checks", at)
	case <-time.After(30 * time.Second):
		require.FailNow(t, "the page did not read anew")
	}
	state := `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done([
		document.querySelector('#chart + details').open, document.querySelectorAll('.chart-host canvas').length,
		document.querySelector('#chart .chart-y').hidden, document.title, document.getElementById('live').textContent].join('|')))))`
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string](state, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	require.Equal(t, "true|1|true|(2 down) api-eu-003 · Acme monitoring|Live", got)
	require.Empty(t, found())
}

// TestConditionsComeAndGo: on a page with a stream and on one without, while
// nobody reloads it.
func TestConditionsComeAndGo(t *testing.T) {
	t.Parallel()
	ctx, base, f := desk(t, func(*fake) {})
	found := complaints(ctx, t)
	wait := `new Promise(done => { const box = document.getElementById('conditions');
		const is = () => box.querySelectorAll('p').length === %d && done(box.textContent.trim());
		new MutationObserver(is).observe(box, { childList: true }); is(); %s })`
	for path, nudge := range map[string]string{
		"/":             "",
		"/monitors/new": "document.dispatchEvent(new Event('visibilitychange'))", // asks now, not in a while
	} {
		f.goesWrong()
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(base+path)), path)
		f.goesWrong(uptime.ConditionRedis, uptime.ConditionNotifiers)
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf(wait, 2, nudge), chromedp.EvalAwaitPromise))
		require.NoError(t, err, path)
		require.Contains(t, text, "Redis does not answer", path)
		f.goesWrong()
		text, err = chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf(wait, 0, nudge), chromedp.EvalAwaitPromise))
		require.NoError(t, err, path)
		require.Empty(t, text, path)
	}
	require.Empty(t, found())
}

// TestStreamIsBegunAnew: an answer that is no stream, as while the database is away,
// does not leave the page without one for ever.
func TestStreamIsBegunAnew(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	streams := make(chan struct{}, 100)
	var refused atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: "ok"})
		if r.URL.Path == "/events" {
			if refused.CompareAndSwap(false, true) {
				rw.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			streams <- struct{}{}
		}
		w.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	ctx := browse(t)
	t.Cleanup(server.CloseClientConnections)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(server.URL+"/monitors")))
	for range 60 {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.dispatchEvent(new Event('visibilitychange'))`)) // reads now, not in a while
		require.NoError(t, err)
		select {
		case <-streams:
			return
		case <-time.After(time.Second):
		}
	}
	require.FailNow(t, "no stream any more")
}
