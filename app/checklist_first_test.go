package app_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// firstHour: on a fresh folder every page leads to the set-up, which is gone once it is
// done, and the third screen at the latest is green.
func firstHour(t *testing.T) {
	t.Helper()
	p := serve(t, t.TempDir())
	tg, b := newTarget(t), openTab(t, p.base)
	for _, path := range []string{"/", "/monitors", "/monitors?status=down&page=2", "/monitors/1?range=7d", "/monitors/new", "/incidents/1", "/channels", "/settings/security", "/wall", "/login"} {
		b.do("01-redirected", b.open(path), sees("Your name"))
		require.Equal(t, "/setup", b.reads(`location.pathname`), path)
	}
	var screens []string
	screen := func() { screens = append(screens, b.reads(`document.querySelector('h1').textContent`)) }
	screen()
	b.do("01-set-up", fill("name", "Olive"), fill("email", "owner@example.com"), fill("password", ownerPassword), fill("instance_name", "Acme"),
		chromedp.Submit(chromedp.CSS(`form.form`)), sees("What should we watch?"))
	screen()
	b.do("01-first-test", fill("http.url", tg.URL+"/health"), press("Check it now"), sees("Test result"), pill("up"))
	require.Equal(t, screens[1], b.reads(`document.querySelector('h1').textContent`), "the answer stands on the same screen")
	b.do("01-first-green", press("Start monitoring"), heading("127.0.0.1"), pill("up"))
	screen()
	require.Len(t, screens, 3)

	require.Equal(t, http.StatusNotFound, client{t: t, base: p.base}.do(http.MethodGet, "/setup", nil).status)
	answer, err := chromedp.RunResponse(b.ctx, b.open("/setup"))
	require.NoError(t, err)
	require.EqualValues(t, http.StatusNotFound, answer.Status, "for who is logged in, too")
}

// testedUnsaved: a test of a form that is not saved says code, time, phases and each
// expectation with what came instead; and nothing is left of it.
func testedUnsaved(t *testing.T) {
	t.Helper()
	p := serve(t, t.TempDir())
	c, tg, h := p.setup(), newTarget(t), newHook(t)
	c.must(http.StatusCreated, http.MethodPost, "/api/v1/channels", map[string]any{"name": "Hook", "type": "webhook", "is_default": true, "settings": map[string]any{"url": h.URL}})
	b := openTab(t, p.base)
	b.logIn("19-log-in", "owner@example.com")
	const result = `(() => { const list = (what) => [...document.querySelectorAll('#test-result ' + what)].map((e) => e.textContent.replaceAll('\u00a0', ' ').trim());
		return JSON.stringify({ said: list('.said').join().replace(/in .*/, 'in'), time: /in (< 1|\d+|\d+\.\d+) m?s$/.test(list('.said')), expected: list('.expect li').map((text) => text.replace(/got [\d.]+m?s$/, 'got its time')), phases: list('.phases > span:not(.num)'), timed: list('.phases .num').every((text) => /s$/.test(text)) }); })()`

	b.do("19-good", b.open("/monitors/new"), fill("http.url", "http://localhost:"+portOf(t, tg.URL)+"/health"), openDetails(), fill("http.keyword", "hello"), fill("http.degraded_after", "90s"), tickAll("channel_ids"),
		press("Test now"), sees("Nothing was saved"), pill("up"))
	require.JSONEq(t, `{"said": "Answered 200 in", "time": true, "phases": ["DNS", "Connect", "First byte", "Body"], "timed": true,
		"expected": ["met: status: expected 200-299, got 200 OK", "met: keyword: expected contains hello, got found", "met: response time: expected at most 90s, got its time"]}`, b.reads(result))

	tg.status.Store(http.StatusServiceUnavailable)
	b.do("19-bad", fill("http.keyword", "welcome"), press("Test now"), pill("down"))
	bad := b.reads(result)
	require.Contains(t, bad, `"not met: status: expected 200-299, got 503 Service Unavailable","not met: keyword: expected contains welcome, got not found"`)
	require.Contains(t, bad, "Answered 503 in")

	for _, list := range []string{"monitors", "incidents", "deliveries"} {
		require.Empty(t, c.must(http.StatusOK, http.MethodGet, "/api/v1/"+list, nil).list(t), list)
	}
	require.Equal(t, http.StatusNotFound, c.do(http.MethodGet, "/api/v1/monitors/1/results", nil).status)
	require.Empty(t, h.accepted(), "nobody was told")
	require.EqualValues(t, 2, tg.hits.Load())
}

func portOf(t *testing.T, address string) string {
	t.Helper()
	at, err := url.Parse(address)
	require.NoError(t, err)
	return at.Port()
}
