package web

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// compressFrom is the least length of an answer, in bytes, that is worth it.
const compressFrom = 1024

// compress sends pages, style sheets and scripts gzipped to whom that suits.
//
// The attack known as BREACH guesses a secret of a page from the length of its
// compressed answers, by putting guesses into the same page. Nothing can be
// won here: stored secrets are masked, the session is a cookie, posts are judged by
// their origin and not by a token in the form, the token of an invitation or of a link
// that sets a password is shown to nobody but who asked with it, and pages that show a
// secret once are not compressed.
func compress() echo.MiddlewareFunc {
	return middleware.GzipWithConfig(middleware.GzipConfig{
		MinLength: compressFrom,
		Skipper: func(c echo.Context) bool {
			r := c.Request()
			// A stream must not wait in a buffer, and a range is one of the
			// bytes as they are.
			return r.URL.Path == "/events" || showsSecret(r.URL.Path) || r.Header.Get("Range") != "" || refusesGzip(r)
		},
	})
}

// showsSecret names the pages that show one once.
func showsSecret(path string) bool {
	return strings.HasPrefix(path, "/settings/security/") || path == "/settings/people" || path == "/settings/tokens" || path == "/settings/wallboards"
}

// refusesGzip reports whether the client names gzip with the weight zero.
func refusesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.TrimSpace(name) != "gzip" {
			continue
		}
		value, ok := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
		return ok && strings.Trim(value, "0.") == ""
	}
	return false
}
