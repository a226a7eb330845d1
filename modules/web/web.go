package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"monitor/modules/replay"
	"monitor/modules/uptime"
)

// Deps is what New needs; all of it is required but where a nil or "" is
// explained. Requests come through httpd, with an uptime.Request in their context.
type Deps struct {
	Manage useCases
	Bus    uptime.Bus
	Clock  uptime.Clock
	Log    *slog.Logger
	// PublicURL is the address that people use, "" when it is the one of each
	// request. Posts from pages of that origin are taken.
	PublicURL string
	Version   string
	Random    func() string // unguessable; names this process in its streams
	// Recent remembers who wrote, so that they read no replica that is behind;
	// nil where there are none.
	Recent uptime.Recent
	// Conditions says what is not as it should be with the program itself; it
	// answers at once, asking nobody. nil: nothing ever is.
	Conditions func(ctx context.Context) []uptime.Condition
}

// Web serves the pages. Make it with New and Run it beside its requests; it needs no
// closing: event streams end with their requests.
type Web struct {
	deps    Deps
	heard   *replay.Log
	tallies tallies

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
	w := &Web{deps: deps, assets: files, views: pages, heard: replay.New(deps.Random()), origin: http.NewCrossOriginProtection()}
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
	if err := w.origin.Check(asKnown(r)); err != nil {
		w.refuseOrigin(rw, r)
		return
	}
	r.Body = http.MaxBytesReader(rw, r.Body, maxForm)
	w.echo.ServeHTTP(rw, r)
}

// asKnown gives the request with the host that its client used: behind a trusted
// proxy the Host header may be one that only the proxy knows, and browsers
// without Sec-Fetch-Site are judged by it.
func asKnown(r *http.Request) *http.Request {
	host := uptime.RequestOf(r.Context()).Host
	if host == "" || host == r.Host {
		return r
	}
	known := r.Clone(r.Context())
	known.Host = host
	return known
}

// asPost gives the request as if it changed something, for what is to be asked by no
// other site though it only reads.
func asPost(r *http.Request) *http.Request {
	post := asKnown(r).Clone(r.Context())
	post.Method = http.MethodPost
	return post
}

// secure sets what every answer carries. Nothing inline ever runs or styles.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
}
