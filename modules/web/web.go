package web

import (
	"fmt"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"monitor/modules/uptime"
)

// Deps is what New needs; all of it but PublicURL is required. Requests come
// through httpd, with an uptime.Request in their context.
type Deps struct {
	Manage useCases
	Bus    uptime.Bus
	Clock  uptime.Clock
	Log    *slog.Logger
	// PublicURL is the address that people use, "" when it is the one of each
	// request. Posts from pages of that origin are taken.
	PublicURL string
	Version   string
}

// Web serves the pages. Make it with New; it needs no closing: event streams
// end with their requests.
type Web struct {
	deps   Deps
	assets *assets
	views  *views
	origin *http.CrossOriginProtection
	echo   *echo.Echo
}

// maxForm bounds the body of a post: a monitor may hold a body of a mebibyte,
// which percent-encoding makes up to three times as long.
const maxForm = 4 << 20

// New parses every template and names every asset by its content. An error
// means that the program was built wrong.
func New(deps Deps) (*Web, error) {
	files, err := newAssets()
	if err != nil {
		return nil, fmt.Errorf("name assets: %w", err)
	}
	pages, err := newViews(files)
	if err != nil {
		return nil, fmt.Errorf("parse templates: %w", err)
	}
	w := &Web{deps: deps, assets: files, views: pages, origin: http.NewCrossOriginProtection()}
	if deps.PublicURL != "" {
		origin, err := originOf(deps.PublicURL)
		if err != nil {
			return nil, fmt.Errorf("trust the public URL: %w", err)
		}
		if err := w.origin.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("trust the public URL: %w", err)
		}
	}
	w.echo = echo.New()
	w.echo.HTTPErrorHandler = w.answerError
	w.echo.IPExtractor = clientAddress
	w.echo.Use(compress())
	w.route(w.echo)
	return w, nil
}

// ServeHTTP answers one request.
func (w *Web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	secure(rw.Header())
	if err := w.origin.Check(r); err != nil {
		w.refuseOrigin(rw, r)
		return
	}
	r.Body = http.MaxBytesReader(rw, r.Body, maxForm)
	w.echo.ServeHTTP(rw, r)
}

// secure sets what every answer carries. Nothing inline ever runs or styles.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}
