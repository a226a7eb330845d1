package app_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// plenty makes so many monitors at once, most of which nothing checks; it ends when the
// others have their first result.
func (c client) plenty(n, checked int, url string) {
	c.t.Helper()
	numbers, made := make(chan int), sync.WaitGroup{}
	for range 8 {
		made.Go(func() {
			for i := range numbers {
				a, err := c.try(http.MethodPost, "/api/v1/monitors", map[string]any{
					"name": fmt.Sprintf("api-%05d", i), "type": "http", "enabled": i < checked, "interval": "1h", "group": fmt.Sprintf("Shop/%d", i%40),
					"tags": map[string]string{"team": fmt.Sprintf("t%d", i%9), "env": "prod", "tier": "1"}, "http": map[string]any{"url": fmt.Sprintf("%s/healthz/%d", url, i)},
				})
				if assert.NoError(c.t, err) {
					assert.Equal(c.t, http.StatusCreated, a.status, "%s", a.raw)
				}
			}
		})
	}
	for i := range n {
		numbers <- i
	}
	close(numbers)
	made.Wait()
	eventually(c.t, "the first results", func() bool {
		return len(c.must(http.StatusOK, http.MethodGet, "/api/v1/monitors?status=up&limit=100", nil).list(c.t)) == min(checked, 100)
	})
}

// TestChecklist10TenThousand: the list of so many is as small as that of a hundred. How fast
// it is depends on the machine: benchmarks hold that, this test tells it. Making them takes
// the whole machine, so it runs beside no other.
func TestChecklist10TenThousand(t *testing.T) { //nolint:paralleltest // as told above
	p := serve(t, t.TempDir(), "--limits.api_per_minute", "0")
	c := p.setup()
	c.plenty(10_000, 100, newTarget(t).URL)
	b := openTab(t, p.base)
	b.logIn("10-log-in", "owner@example.com")
	const measured = `(async () => {
		const { encodedBodySize: zipped, decodedBodySize: whole, responseStart, requestStart } = performance.getEntriesByType('navigation')[0];
		const lcp = await new Promise((done) => { new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime)).observe({ type: 'largest-contentful-paint', buffered: true }); });
		return { zipped, whole, nodes: document.querySelectorAll('*').length, rows: document.querySelectorAll('#list tbody tr').length, ttfb: responseStart - requestStart, lcp };
	})()`
	for _, path := range []string{"/monitors?size=100", "/monitors?size=100&page=50", "/monitors?size=100&view=grouped"} {
		b.do("10-list", b.open(path), heading("Monitors"))
		got, err := chromedp.Run(b.ctx, chromedp.Evaluate[map[string]float64](measured, chromedp.EvalAwaitPromise))
		require.NoError(t, err)
		require.LessOrEqual(t, got["zipped"], 50.0*1024, path)
		require.Less(t, got["zipped"], got["whole"]/2, "it is compressed")
		require.LessOrEqual(t, got["nodes"], 3000.0, path)
		require.LessOrEqual(t, got["rows"], 100.0, path)
		t.Logf("%s: %.0f rows, %.1f KB of %.1f, %.0f elements; first byte after %.0f ms, largest paint at %.0f ms", path, got["rows"], got["zipped"]/1024, got["whole"]/1024, got["nodes"], got["ttfb"], got["lcp"])
	}
	b.do("10-last", b.open("/monitors?size=100"), sees("of 10,000"))
	require.Equal(t, "100", b.reads(`String(document.querySelectorAll('#list tbody tr').length)`))
}
