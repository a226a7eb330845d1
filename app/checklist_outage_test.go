package app_test

import (
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"monitor/modules/lang"
	"monitor/modules/testenv"
)

// outageIsSeen: the shortest outage has its cap in the bar and its share of the uptime; and
// the mail, the page and the API say the same length.
func outageIsSeen(t *testing.T) {
	t.Helper()
	p := serve(t, t.TempDir())
	w := watch(p.setup(), newTarget(t), newHook(t), newMailbox(t, 0))
	w.target.status.Store(http.StatusServiceUnavailable)
	eventually(t, "the outage is told", func() bool { return len(w.hook.accepted()) == 1 })
	w.target.status.Store(http.StatusOK)
	eventually(t, "the recovery is told", func() bool { return len(w.box.received()) == 2 })

	incident := w.must(http.StatusOK, http.MethodGet, "/api/v1/incidents", nil).list(t)[0]
	lasted, _ := incident["duration_seconds"].(float64)
	b := openTab(t, p.base)
	b.logIn("27-log-in", "owner@example.com")
	b.do("27-incident", b.open(fmt.Sprintf("/incidents/%.0f", incident["id"])), heading("is down"))
	said := b.reads(`[...document.querySelectorAll('dt')].find((e) => e.textContent === 'Duration').nextElementSibling.textContent.replaceAll('\u00a0', ' ')`)
	require.Equal(t, strings.ReplaceAll(lang.Of("en").Lasted(time.Duration(lasted*float64(time.Second))), "\u00a0", " "), said)
	mail, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(w.box.received()[1])))
	require.NoError(t, err)
	require.Equal(t, said, regexp.MustCompile(`(?m)^Lasted: (.*?)\r?$`).FindStringSubmatch(string(mail))[1])
	require.Contains(t, string(mail), "it was down "+said)

	b.do("27-monitor", b.open(fmt.Sprintf("/monitors/%.0f", w.monitor)), heading("Shop"), pill("up"))
	require.Equal(t, "true", b.reads(`String(/M8[89]0 0h/.test(document.querySelector('.bar-long .b-down').getAttribute('d')))`), "the slot of today, or of the day that just ended, has its cap")
	require.Regexp(t, `^\d\d?\.\d+%$`, b.reads(`[...document.querySelectorAll('.stats .stat')].find((e) => e.querySelector('dt').textContent.includes('24')).querySelector('dd').firstChild.textContent.replaceAll('\u00a0', '').trim()`))
	stats := w.must(http.StatusOK, http.MethodGet, fmt.Sprintf("/api/v1/monitors/%.0f/stats?window=24h", w.monitor), nil).object(t)
	require.Less(t, stats["uptime"], 1.0)
	require.InDelta(t, lasted, stats["downtime_seconds"], 5, "more or less an interval")
	days := b.reads(`[...document.querySelectorAll('section[aria-labelledby="days"] tbody tr')].map((row) => row.cells[1].textContent.replaceAll('\u00a0', ' ') + ' ' + row.cells[2].textContent).join()`)
	require.NotContains(t, days, "100%")
	t.Logf("the outage lasted %v s; %v s of downtime; the day: %s", lasted, stats["downtime_seconds"], days)
}

// checkerIsSilent: when nobody checks any more, a page that is open says so by itself, and
// nothing is green; when checks go on, it is.
func checkerIsSilent(t *testing.T) {
	t.Helper()
	i := install(t, testenv.Postgres(t), testenv.Redis(t))
	web, scheduler, worker, notifier := i.role("web,api"), i.role("scheduler"), i.role("worker"), i.role("notifier")
	for _, p := range []*program{web, scheduler, worker, notifier} {
		p.waitReady()
	}
	c, tg := web.setup(), newTarget(t)
	id, _ := c.must(http.StatusCreated, http.MethodPost, "/api/v1/monitors", map[string]any{"name": "Shop", "type": "http", "interval": "5s", "timeout": "2s", "http": map[string]any{"url": tg.URL}}).object(t)["id"].(float64)
	eventually(t, "the first green result", func() bool { return c.monitorStatus(id) == "up" })
	b := openTab(t, web.base)
	b.logIn("28-log-in", "owner@example.com")
	row := func(state string) step {
		return chromedp.WaitVisible(chromedp.CSS(fmt.Sprintf(`#m%.0f .pill[data-state=%q]`, id, state)))
	}
	b.do("28-up", b.open("/monitors"), row("up"), run(fmt.Sprintf(`window.seen = ['up'];
		const look = () => { const state = document.querySelector('#m%.0f .pill')?.dataset.state; if (state && state !== window.seen.at(-1)) window.seen.push(state); };
		new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true })`, id)))

	worker.kill()
	b.do("28-unknown", row("unknown"))
	require.Equal(t, "unknown", c.monitorStatus(id))
	require.Equal(t, "Unknown", b.reads(fmt.Sprintf(`document.querySelector('#m%.0f .pill').textContent.trim()`, id)))
	second := b.another()
	for _, path := range []string{"/", "/monitors", fmt.Sprintf("/monitors/%.0f", id)} {
		second.do("28-elsewhere", second.open(path), chromedp.WaitVisible(chromedp.CSS(`main :is(.pill, .banner)[data-state=unknown]`)))
		require.Equal(t, "0|true", second.reads(`document.querySelectorAll('main :is(.pill, .banner)[data-state=up]').length + '|' + /favicon-unknown/.test(document.querySelector('link[rel=icon]').href)`), path)
	}

	i.role("worker").waitReady()
	b.do("28-up-again", row("up"))
	seen := b.reads(`window.seen.filter((state) => state !== 'retrying').join(' ')`) // a busy machine may be slow to answer
	require.Regexp(t, `^up unknown up( unknown up)*$`, seen, "without a reload, and nothing in between")
	require.Empty(t, c.must(http.StatusOK, http.MethodGet, "/api/v1/incidents", nil).list(t), "unknown is not down")
}

// another is a second tab of the same browser.
func (b tab) another() tab {
	b.t.Helper()
	ctx, shut := chromedp.NewContext(b.ctx)
	b.t.Cleanup(shut)
	require.NoError(b.t, chromedp.Do(ctx, chromedp.EmulateViewport(1360, 900)))
	b.ctx = ctx
	return b
}
