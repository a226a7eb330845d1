package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

const (
	// looks at each page, of which the medians are told.
	looks = 5
	// phone is how many times slower than this machine's the processor of a mid-range
	// phone is taken to be: what Lighthouse throttles by.
	phone = 4
)

// look is what a browser makes of a page, with nothing in its cache.
type look struct {
	Name      string  `json:"name"`
	Nodes     int     `json:"nodes"`
	HTML      float64 `json:"html_kb"`
	Packed    float64 `json:"html_packed_kb"`
	Scripts   float64 `json:"scripts_packed_kb"`
	Styles    float64 `json:"styles_packed_kb"`
	Requests  int     `json:"requests"`
	FirstByte float64 `json:"first_byte_ms"`
	Paint     float64 `json:"largest_paint_ms"`
	Shift     float64 `json:"layout_shift"`
}

// measureLook answers the members of look as JSON, once the page has been quiet for a
// second. Sizes are those on the wire.
const measureLook = `(async () => {
	const seen = (type) => new Promise((done) => {
		const list = [];
		new PerformanceObserver((entries) => list.push(...entries.getEntries())).observe({ type, buffered: true });
		setTimeout(() => done(list), 1000);
	});
	const [paints, shifts] = await Promise.all([seen('largest-contentful-paint'), seen('layout-shift')]);
	const page = performance.getEntriesByType('navigation')[0];
	const parts = performance.getEntriesByType('resource').filter((part) => !part.name.endsWith('/events'));
	const kB = (test) => parts.filter((part) => test(part.name)).reduce((sum, part) => sum + part.encodedBodySize, 0) / 1000;
	return JSON.stringify({
		nodes: document.getElementsByTagName('*').length,
		html_kb: page.decodedBodySize / 1000, html_packed_kb: page.encodedBodySize / 1000,
		scripts_packed_kb: kB((name) => name.endsWith('.js')), styles_packed_kb: kB((name) => name.endsWith('.css')),
		requests: parts.length + 1, first_byte_ms: page.responseStart - page.requestStart,
		largest_paint_ms: paints.at(-1)?.startTime ?? 0,
		layout_shift: shifts.reduce((sum, shift) => sum + (shift.hadRecentInput ? 0 : shift.value), 0),
	});
})()`

// lookAt opens pages in a browser as slow as a phone.
func (b *bench) lookAt(ctx context.Context, m *monitor) (list []look, err error) {
	pages := []struct{ name, path string }{
		{"look: overview", "/"},
		{"look: list of 100", "/monitors?size=100"},
		{"look: list of 50", "/monitors"},
		{"look: detail, 24h", fmt.Sprintf("/monitors/%d", m.ids[0])},
		{"look: detail, 30d", fmt.Sprintf("/monitors/%d?range=30d", m.ids[0])},
	}
	for i, page := range pages {
		var all []look
		for range looks {
			one, err := lookOnce(ctx, m.api.base, page.path)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", page.name, err)
			}
			all = append(all, one)
		}
		slices.SortFunc(all, func(x, y look) int { return int(x.Paint - y.Paint) })
		middle := all[len(all)/2]
		middle.Name = page.name
		list = append(list, middle)
		b.step("looking at pages", i+1, len(pages))
	}
	return list, nil
}

// lookOnce logs in, in a browser of its own, and opens the page past the cache.
func lookOnce(ctx context.Context, base, path string) (out look, err error) {
	dir, err := os.MkdirTemp("", "look")
	if err != nil {
		return out, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(dir))
	ctx, cancel := chromedp.NewExecAllocator(ctx, opts...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	err = chromedp.Do(ctx, chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile), chromedp.Navigate(base+"/login"),
		chromedp.SetValue(chromedp.CSS(`#f-email`), benchEmail), chromedp.SetValue(chromedp.CSS(`#f-password`), benchPassword))
	if err != nil {
		return out, err
	}
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(`main form .btn-primary`))); err != nil {
		return out, err
	}
	if _, err := chromedp.Call(ctx, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: phone}); err != nil {
		return out, err
	}
	if _, err := chromedp.Call(ctx, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true}); err != nil {
		return out, err
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(base+path)); err != nil {
		return out, err
	}
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](measureLook, chromedp.EvalAwaitPromise))
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal([]byte(text), &out)
}
