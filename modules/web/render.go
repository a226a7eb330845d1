package web

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/labstack/echo/v4"

	"monitor/templates"
)

// views are the parsed pages, each with the layouts and partials.
type views struct {
	pages map[string]*template.Template
}

func newViews(a *assets) (*views, error) {
	base := template.New("").Funcs(template.FuncMap{
		"asset":   a.url,
		"latency": latency,
		"percent": percent,
		"plural":  plural,
		"figure":  figure,
		"span":    span,
		"list":    func(items ...any) []any { return items },
		"dict":    dict,
	}).Option("missingkey=error")
	for _, folder := range []string{"layouts", "partials"} {
		if _, err := base.ParseFS(templates.FS, folder+"/*.html"); err != nil {
			return nil, fmt.Errorf("parse %s: %w", folder, err)
		}
	}
	names, err := fs.Glob(templates.FS, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("list pages: %w", err)
	}
	v := &views{pages: map[string]*template.Template{}}
	for _, name := range names {
		page, err := base.Clone()
		if err != nil {
			return nil, fmt.Errorf("copy layouts: %w", err)
		}
		if _, err := page.ParseFS(templates.FS, name); err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
		v.pages[strings.TrimSuffix(path.Base(name), ".html")] = page
	}
	return v, nil
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
	t, ok := w.views.pages[page]
	if !ok {
		return fmt.Errorf("show %q: no such page", page)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, block, data); err != nil {
		return fmt.Errorf("draw page %s: %w", page, err)
	}
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "HX-Request")
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
