package web

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"monitor/modules/lang"
	"monitor/templates"
)

// views are the parsed pages, each with the layouts and partials, once in each language
// that somebody has asked for since the start.
type views struct {
	assets *assets

	mu  sync.Mutex
	all map[*lang.Language]pages
}

// pages by name.
type pages map[string]*template.Template

// newViews parses every template in English. An error means that one is wrong.
func newViews(a *assets) (*views, error) {
	v := &views{assets: a, all: map[*lang.Language]pages{}}
	_, err := v.in(lang.All()[0])
	return v, err
}

// in gives the pages in a language.
func (v *views) in(l *lang.Language) (pages, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if all, ok := v.all[l]; ok {
		return all, nil
	}
	all, err := parsePages(v.assets, l)
	if err == nil {
		v.all[l] = all
	}
	return all, err
}

func parsePages(a *assets, l *lang.Language) (pages, error) {
	words := a.wordsIn(l)
	base := template.New("").Funcs(sayings(l)).Funcs(template.FuncMap{
		"asset": a.url,
		"words": func() string { return words },
		"list":  func(items ...any) []any { return items },
		"dict":  dict,
	}).Option("missingkey=error")
	for _, folder := range []string{"layouts", "partials"} {
		if _, err := base.ParseFS(templates.FS, folder+"/*.html"); err != nil {
			return nil, fmt.Errorf("parse %s: %w", folder, err)
		}
	}
	if err := fold(l, base, ""); err != nil {
		return nil, err
	}
	names, err := fs.Glob(templates.FS, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("list pages: %w", err)
	}
	all := pages{}
	for _, name := range names {
		page, err := base.Clone()
		if err != nil {
			return nil, fmt.Errorf("copy layouts: %w", err)
		}
		if _, err := page.ParseFS(templates.FS, name); err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		if err := fold(l, page, path.Base(name)); err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		all[strings.TrimSuffix(path.Base(name), ".html")] = page
	}
	return all, nil
}

// sayings are what templates say in a language: t and n as in package lang, th a constant
// sentence with markup in it, see folding.
func sayings(l *lang.Language) template.FuncMap {
	return template.FuncMap{
		"t": l.T,
		"n": l.N,
		"th": func(key string, _ ...any) (template.HTML, error) {
			return "", fmt.Errorf("%q is not said by an action of its own", key) // which is folded
		},
		"said":   l.Said,
		"figure": l.Figure,
	}
}

// dict makes a map of names and values, for partials with several arguments.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict has a name without a value")
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict has the name %v, which is no text", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// show answers with a template of a page. Nothing is sent before all of it is
// drawn, so that a failure becomes an error page and not half a page.
func (w *Web) show(c echo.Context, status int, page, block string, data any) error {
	all, err := w.views.in(languageOf(c))
	if err != nil {
		return err
	}
	t, ok := all[page]
	if !ok {
		return fmt.Errorf("show %q: no such page", page)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, block, data); err != nil {
		return fmt.Errorf("draw page %s: %w", page, err)
	}
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept-Language, HX-Request")
	return c.HTMLBlob(status, b.Bytes())
}

// page answers with a whole page, or with the part of it named fragment when a
// script asked for that.
func (r *request) page(status int, name, fragment string, data any) error {
	block := "layout"
	if fragment != "" && isFragment(r.Request()) {
		block = fragment
	}
	return r.web.show(r.Context, status, name, block, data)
}

// done says what was done and goes on to another page.
func (r *request) done(code, to string) error {
	if code != "" {
		r.web.leaveFlash(r.Context, code)
	}
	return r.Redirect(http.StatusSeeOther, to)
}
