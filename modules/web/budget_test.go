package web

import (
	"bytes"
	"compress/gzip"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"monitor/static"
)

func zipped(t *testing.T, content []byte) int {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(content)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Len()
}

// withinBudget holds pages to the sizes that the design promises.
func withinBudget(t *testing.T) {
	t.Helper()
	w, f := setup(t)
	f.many = 100
	html := ask(w, "/monitors?size=100", nil).Body.Bytes()
	nodes := len(regexp.MustCompile(`<[a-z]`).FindAll(html, -1))
	size := zipped(t, html)
	require.LessOrEqual(t, nodes, 3000, "elements of a list of 100")
	require.LessOrEqual(t, size, 20<<10, "a list of 100, gzipped")
	f.many = 75 // as many as a page of groups has
	html = ask(w, "/monitors?view=grouped", nil).Body.Bytes()
	grouped := len(regexp.MustCompile(`<[a-z]`).FindAll(html, -1))
	require.LessOrEqual(t, grouped, 3000, "elements of fifteen groups")
	require.LessOrEqual(t, zipped(t, html), 20<<10, "fifteen groups, gzipped")
	require.LessOrEqual(t, zipped(t, w.assets.files[strings.TrimPrefix(w.assets.names["js/list.js"], "/static/")]), 2<<10, "the script of the list, gzipped")

	script, sheet := 0, 0
	for name, content := range w.assets.files {
		switch path.Ext(name) {
		case ".js":
			if "/static/"+name == w.assets.names["js/open.js"] {
				continue // what it holds is in js/main.js, too
			}
			script += zipped(t, content)
		case ".css":
			sheet += zipped(t, content)
		}
	}
	require.LessOrEqual(t, script, 60<<10, "all scripts, gzipped")
	require.LessOrEqual(t, sheet, 14<<10, "the style sheet, gzipped")
	t.Logf("list of 100: %d elements, %d bytes gzipped; groups: %d elements; scripts %d, style sheet %d", nodes, size, grouped, script, sheet)
	script = 0
	for _, at := range regexp.MustCompile(`<script[^>]* src="/static/([^"]+)"`).FindAllStringSubmatch(string(html), -1) {
		script += zipped(t, w.assets.files[at[1]])
	}
	require.LessOrEqual(t, script, 25<<10, "scripts of the list, gzipped")
	t.Logf("scripts of the list: %d bytes gzipped", script)
}

// fewRequests: a first view of a page asks for the page, a style sheet, an icon, scripts, and
// the stream that keeps it true: at most six in all, of which the rows that are read again
// once are none.
func fewRequests(t *testing.T) {
	t.Helper()
	for _, path := range []string{"/", "/monitors", "/monitors/1", "/incidents/1", "/monitors/new"} {
		ctx, base, _ := desk(t, func(*fake) {})
		var mu sync.Mutex
		var asked []string
		require.NoError(t, chromedp.Listen(ctx, func(ev any) {
			if e, ok := ev.(*network.EventRequestWillBeSent); ok && e.Request.Headers["HX-Request"] == nil && strings.HasPrefix(e.Request.URL, base) {
				mu.Lock()
				defer mu.Unlock()
				asked = append(asked, strings.TrimPrefix(e.Request.URL, base))
			}
		}))
		require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(base+path)))
		require.Eventually(t, func() bool { // the icon and the stream are what a page asks for last
			mu.Lock()
			defer mu.Unlock()
			for _, last := range []string{"/events", "/static/favicon"} {
				if !slices.ContainsFunc(asked, func(url string) bool { return strings.HasPrefix(url, last) }) {
					return false
				}
			}
			return true
		}, time.Minute, 20*time.Millisecond, path)
		says(ctx, t, `await until(() => document.readyState === 'complete'); return ''`)
		mu.Lock()
		require.LessOrEqual(t, len(asked), 6, "%s: %v", path, asked)
		mu.Unlock()
	}
}

// TestOwnAssetsAreMinified: what is ours is served without comments, what is vendored as it
// is, and what scripts say is read from the source.
func TestOwnAssetsAreMinified(t *testing.T) {
	t.Parallel()
	a, err := newAssets()
	require.NoError(t, err)
	served := func(name string) string { return string(a.files[strings.TrimPrefix(a.names[name], "/static/")]) }
	source := func(name string) string {
		raw, err := static.FS.ReadFile(name)
		require.NoError(t, err)
		return string(raw)
	}
	own := 0
	for _, name := range bundles()["js/main.js"] {
		require.Contains(t, source(name), map[bool]string{true: "var htmx", false: "\n// "}[vendored(name)], name)
		if !vendored(name) {
			own += len(source(name))
		}
	}
	main := served("js/main.js")
	require.NotContains(t, main, "\n// ")
	require.Less(t, len(main)-len(source("vendor/htmx/htmx.min.js")), own*3/4)
	require.True(t, strings.HasPrefix(main, source("vendor/htmx/htmx.min.js")), "what is vendored is as it is")
	require.Equal(t, 4, strings.Count(main, "reportError("), "each part goes on where another one failed")
	require.NotContains(t, a.names, "js/app.js", "it is part of others")
	require.Contains(t, served("js/palette.js"), "export function open", "another part asks for it")
	require.NotContains(t, served("app.css"), "/* Buttons */")
	require.Contains(t, served("app.css"), source("vendor/uplot/uPlot.min.css"))
	require.Subset(t, a.words, []string{"Live", "%s monitors went down", "title|(%s down) %s", "keys|go to %s"})
}
