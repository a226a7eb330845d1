package api

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"
)

//go:embed docs
var docsFiles embed.FS

// policy lets the page of the documentation use what this server serves and
// nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// document is bytes that anyone may read.
type document struct {
	media string
	etag  string
	body  []byte
}

func newDocument(media string, body []byte) document {
	sum := sha256.Sum256(body)
	return document{media: media, etag: `"` + hex.EncodeToString(sum[:12]) + `"`, body: body}
}

// serve writes the document, 304 where the client has it.
func (d document) serve(c echo.Context) error {
	h := c.Response().Header()
	h.Set("ETag", d.etag)
	h.Set("Cache-Control", "no-cache")
	if matches(c.Request().Header.Values("If-None-Match"), d.etag) {
		send(c.Response(), c.Request(), http.StatusNotModified, nil)
		return nil
	}
	h.Set("Content-Type", d.media)
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	send(c.Response(), c.Request(), http.StatusOK, d.body)
	return nil
}

// matches compares weakly (RFC 9110, section 13.1.2).
func matches(headers []string, etag string) bool {
	for tag := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

// document serves the OpenAPI document and the page to read it. Both are written when
// somebody first asks: they take more memory than a small installation's checks.
func (s *server) document(e *echo.Echo, api *huma.OpenAPI) {
	spec := sync.OnceValues(func() ([]byte, error) { return json.Marshal(api) })
	for path, d := range map[string]struct {
		media string
		read  func() ([]byte, error)
	}{
		"/api/openapi.json": {"application/json", spec},
		"/api/docs": {"text/html; charset=utf-8", func() ([]byte, error) {
			raw, err := spec()
			if err != nil {
				return nil, err
			}
			return docsPage(raw)
		}},
		"/api/docs/docs.css": {"text/css; charset=utf-8", func() ([]byte, error) { return docsFiles.ReadFile("docs/docs.css") }},
		"/api/docs/docs.js":  {"text/javascript; charset=utf-8", func() ([]byte, error) { return docsFiles.ReadFile("docs/docs.js") }},
	} {
		made := sync.OnceValues(func() (document, error) {
			body, err := d.read()
			if err != nil {
				return document{}, fmt.Errorf("write %s: %w", path, err)
			}
			return newDocument(d.media, body), nil
		})
		serve := func(c echo.Context) error {
			doc, err := made()
			if err != nil {
				s.fail(c.Response(), c.Request(), err)
				return nil
			}
			return doc.serve(c)
		}
		e.GET(path, serve)
		e.HEAD(path, serve)
	}
}
