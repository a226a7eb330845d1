package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/css"
	"github.com/tdewolff/minify/v2/js"

	"monitor/modules/lang"
	"monitor/modules/uptime"
	"monitor/static"
)

// assets are the files of package static and the icons of the tab, under names
// that carry a hash of their content: a browser may keep them for ever.
type assets struct {
	names map[string]string // "js/app.js" → "/static/js/app.3fa9c1d2e4.js"
	files map[string][]byte // by path below /static/
	words []string          // keys of the catalogue that scripts say
}

// bundles are the scripts that go together as one file, so that a first view asks for few:
// those of every page, of pages of people who are logged in, and of some pages.
func bundles() map[string][]string {
	return map[string][]string{
		"js/open.js":    {"js/words.js", "js/app.js", "js/toast.js"},
		"js/main.js":    {"vendor/htmx/htmx.min.js", "js/words.js", "js/app.js", "js/toast.js", "js/live.js"},
		"js/monitor.js": {"vendor/uplot/uPlot.iife.min.js", "js/chart.js", "js/bar.js"},

		"js/incident.js": {"js/incident.js", "js/form.js"},
		formScript:       {"js/form.js"},
	}
}

func newAssets() (*assets, error) {
	a := &assets{names: map[string]string{}, files: map[string][]byte{}}
	small, parts := minifier(), map[string][]byte{}
	var sheet bytes.Buffer
	err := fs.WalkDir(static.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(static.FS, name)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		switch path.Ext(name) {
		case ".css": // in the order of their names, served as one sheet
			if !vendored(name) {
				if content, err = small.Bytes(".css", content); err != nil {
					return fmt.Errorf("minify %s: %w", name, err)
				}
			}
			sheet.Write(content)
			sheet.WriteByte('\n')
		case ".js":
			if !vendored(name) {
				a.words = append(a.words, saidBy(content)...)
			}
			parts[name], err = minified(small, name, content)
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	a.add("app.css", sheet.Bytes())
	a.addScripts(parts)
	for _, s := range []uptime.Status{uptime.Up, uptime.Down, uptime.Unknown} {
		a.add("favicon-"+string(s)+".svg", []byte(favicon(s)))
	}
	return a, nil
}

func vendored(name string) bool { return strings.HasPrefix(name, "vendor/") }

// addScripts serves the bundles, and alone the parts that are in none.
func (a *assets) addScripts(parts map[string][]byte) {
	all, bundled := bundles(), map[string]bool{}
	for _, names := range all {
		for _, name := range names {
			bundled[name] = true
		}
	}
	for name := range parts {
		if !bundled[name] {
			all[name] = []string{name}
		}
	}
	for script, names := range all {
		var content bytes.Buffer
		for _, name := range names {
			content.Write(parts[name])
			content.WriteString(";\n")
		}
		a.add(script, content.Bytes())
	}
}

// minified is a part as it is served: what is vendored is as it is; ours see nothing of one
// another, unless another asks for what they export, and go on where another one failed.
func minified(small *minify.M, name string, content []byte) ([]byte, error) {
	switch {
	case vendored(name):
		return content, nil
	case !bytes.Contains(content, []byte("\nexport ")):
		content = slices.Concat([]byte("(() => {'use strict'; try {\n"), content, []byte("\n} catch (e) { reportError(e); } })();"))
	}
	out, err := small.Bytes(".js", content)
	if err != nil {
		return nil, fmt.Errorf("minify %s: %w", name, err)
	}
	return out, nil
}

// minifier takes comments and spaces out of our own scripts and style sheets, and gives
// local names one letter: almost a third less, gzipped, while the sources stay as people
// read them. What is vendored is minified already.
func minifier() *minify.M {
	m := minify.New()
	m.AddFunc(".js", js.Minify)
	m.AddFunc(".css", css.Minify)
	return m
}

func (a *assets) add(name string, content []byte) {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:5]) + ext
	a.names[name] = "/static/" + hashed
	a.files[hashed] = content
}

// url of an asset; an unknown name is an error, so that a template cannot be
// executed with it.
func (a *assets) url(name string) (string, error) {
	if u, ok := a.names[name]; ok {
		return u, nil
	}
	return "", fmt.Errorf("no asset %q", name)
}

// sayings of a script: t('…') says a sentence, n(count, '…', '…') one that counts.
var scriptSays = regexp.MustCompile(`\b(?:t\(|n\([^,'"]+, '(?:[^'\\]|\\.)*', )'((?:[^'\\]|\\.)*)'`)

// saidBy lists the keys of the catalogue in a script.
func saidBy(script []byte) (keys []string) {
	for _, found := range scriptSays.FindAllSubmatch(script, -1) {
		keys = append(keys, strings.ReplaceAll(string(found[1]), `\'`, `'`))
	}
	return keys
}

// wordsIn gives what scripts say in a language as a JSON object by key, "" where that is
// what they say by themselves.
func (a *assets) wordsIn(l *lang.Language) string {
	words := l.Catalogue(a.words)
	if len(words) == 0 {
		return ""
	}
	raw, err := json.Marshal(words)
	if err != nil {
		return "" // texts alone are always JSON
	}
	return string(raw)
}

// static serves the assets by their hashed names alone.
func (w *Web) static(c echo.Context) error {
	name := c.Param("*")
	content, ok := w.assets.files[name]
	if !ok {
		return uptime.ErrNotFound
	}
	types := map[string]string{
		".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	}
	h := c.Response().Header()
	h.Set("Content-Type", types[path.Ext(name)])
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, bytes.NewReader(content))
	return nil
}

// favicon tells the worst state by shape, not by colour alone: a low skyline,
// one with a tower, or stubs.
func favicon(s uptime.Status) string {
	marks := map[uptime.Status]string{
		uptime.Up:      `<path fill="#17866c" d="M3 13h5v14H3zm7 0h5v14h-5zm7 0h5v14h-5zm7 0h5v14h-5z"/>`,
		uptime.Down:    `<path fill="#17866c" d="M3 13h5v14H3zm7 0h5v14h-5zm14 0h5v14h-5z"/><path fill="#dc4a44" d="M16 3h7v24h-7z"/>`,
		uptime.Unknown: `<path fill="#6b7480" d="M3 22h5v5H3zm7 0h5v5h-5zm7 0h5v5h-5zm7 0h5v5h-5z"/>`,
	}
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">` + marks[s] + `</svg>`
}
