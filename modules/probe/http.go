package probe

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"monitor/modules/form"
	"monitor/modules/outbound"
	"monitor/modules/uptime"
)

const (
	maxRedirects   = 10
	maxHeaderBytes = 64 << 10
	maxBodyBytes   = 1 << 20 // of the answer, after decompression
	maxSendBytes   = 1 << 20 // of the request's body
	maxHeaderCount = 50
	chunkBytes     = 16 << 10
	startBytes     = 2 * maxExcerpt // of an answer's body: cleaning may halve it
	bufferBytes    = chunkBytes + startBytes
)

// httpSettings is the block "http" of a monitor.
type httpSettings struct {
	URL                    string            `json:"url" label:"URL" kind:"url" placeholder:"https://example.com/health" validate:"required,http_url,max=2048" secret:"url" help:"The address to check, http or https."`
	Method                 string            `json:"method" label:"Method" options:"GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS" help:"HEAD asks for no body, so it cannot look for a keyword."`
	Headers                map[string]string `json:"headers" label:"Request headers" kind:"map" secret:"headers" placeholder:"Accept: application/json" validate:"max=50,dive,max=8192" advanced:"true" help:"One per line. Authorization, cookies and API keys are stored sealed, shown masked and not sent to other hosts on redirects."`
	Body                   string            `json:"body" label:"Request body" kind:"textarea" validate:"max=1048576" advanced:"true" help:"Sent as it is, at most 1 MiB."`
	ExpectedStatus         []string          `json:"expected_status" label:"Expected status" placeholder:"200-299" validate:"min=1,max=50" help:"Status codes that count as up, one per line: 200, 200-299 or 2xx."`
	FollowRedirects        bool              `json:"follow_redirects" label:"Follow redirects" help:"Up to 10. Otherwise the redirect itself is the answer."`
	Keyword                string            `json:"keyword" label:"Keyword" validate:"max=1000" help:"Text that the first MiB of the answer must contain, upper and lower case told apart."`
	KeywordAbsent          bool              `json:"keyword_absent" label:"Keyword must be absent" help:"Turns it round: down when the keyword is found."`
	DegradedAfter          form.Duration     `json:"degraded_after" label:"Degraded after" min:"0s" max:"1h" help:"Slower answers count as degraded; 0s turns it off."`
	CertificateWarningDays int               `json:"certificate_warning_days" label:"Certificate warning" min:"0" max:"365" help:"Days before its end at which a certificate is warned of; 0 turns it off."`
	VerifyTLS              bool              `json:"verify_tls" label:"Verify TLS" advanced:"true" help:"Turn off for self-signed certificates. Their end is still watched."`
}

var _ planner = (*httpType)(nil)

// httpType checks a URL.
type httpType struct {
	guard     *outbound.Guard
	clock     uptime.Clock
	userAgent string
	// plain serves http URLs for all checks. https URLs get a transport each:
	// one for all would let two checks share an HTTP/2 connection.
	plain    *http.Transport
	verified *tls.Config
	trusting *tls.Config
	buffers  sync.Pool // *[]byte of bufferBytes
	hops     sync.Pool // *hop
	unzips   sync.Pool // *gzip.Reader
	// onlyNetHTTP has net/http make every hop: what hop must equal.
	onlyNetHTTP bool
}

func newHTTP(d Deps) *httpType {
	version := d.Version
	if version == "" {
		version = "dev"
	}
	return &httpType{
		guard:     d.Guard,
		clock:     d.Clock,
		userAgent: "monitor/" + version,
		plain:     d.Guard.Transport(outbound.TransportOptions{HTTP1Only: true, MaxHeaderBytes: maxHeaderBytes}),
		verified:  &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: d.RootCAs},
		trusting:  &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}, //nolint:gosec // verify_tls=false is the user's choice
		buffers: sync.Pool{New: func() any {
			b := make([]byte, bufferBytes)
			return &b
		}},
		hops:   sync.Pool{New: func() any { return makeHop() }},
		unzips: sync.Pool{New: func() any { return new(gzip.Reader) }},
	}
}

// Kind describes the type.
func (h *httpType) Kind() uptime.Kind {
	return uptime.Kind{
		Name:  "http",
		Label: "HTTP(S)",
		Help:  "Asks for a URL and looks at status, text, speed and certificate of the answer.",
		New: func() any {
			return &httpSettings{
				Method: http.MethodGet, Headers: map[string]string{}, ExpectedStatus: []string{"200-299"},
				FollowRedirects: true, CertificateWarningDays: 14, VerifyTLS: true,
			}
		},
		Target: func(settings any) string { return shownURL(settings.(*httpSettings).URL) },
		Check:  func(settings any) []uptime.FieldError { return settings.(*httpSettings).check() },
	}
}

// shownURL is a URL without what may be secret in it: user, password, query and
// fragment. It goes into mails and webhooks.
func shownURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		// What cannot be parsed is not shown: a password may be in it.
		return ""
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	return u.String()
}

// check is what the tags cannot say.
func (s *httpSettings) check() []uptime.FieldError {
	var errs []uptime.FieldError
	fail := func(field string, message uptime.Sentence) {
		errs = append(errs, uptime.FieldError{Field: field, Message: message})
	}
	if u, err := url.Parse(s.URL); s.URL != "" && (err != nil || u.Hostname() == "" || !validPort(u.Port()) || u.Opaque != "") {
		fail("url", "must be an absolute http or https URL")
	}
	if len(s.Body) > maxSendBytes {
		fail("body", "must be at most 1 MiB")
	}
	given := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		value, again := s.Headers[name], given[strings.ToLower(name)]
		given[strings.ToLower(name)] = true
		switch {
		case again: // names are the same in any case
			fail("headers."+name, "is given twice")
		case !validHeaderName(name):
			fail("headers."+uptime.CleanLine(name, 100), "is not the name of a header")
		case !validHeaderValue(value):
			fail("headers."+name, "must not contain line breaks or control characters")
		case isFraming(name):
			fail("headers."+name, "is set by the program itself")
		}
	}
	for i, text := range s.ExpectedStatus {
		if _, err := parseStatusRange(text); err != nil {
			fail("expected_status["+itoa(i)+"]", err.Error())
		}
	}
	if s.Keyword != "" && s.Method == http.MethodHead {
		fail("keyword", "cannot be looked for with HEAD, whose answers have no body")
	}
	return errs
}

// isFraming reports headers that say where a message ends: sent by hand they
// would contradict the message.
func isFraming(name string) bool {
	switch strings.ToLower(name) {
	case "content-length", "transfer-encoding", "connection", "trailer", "upgrade", "te":
		return true
	}
	return false
}

// Probe asks once.
func (h *httpType) Probe(ctx context.Context, settings any, detail bool) (uptime.Outcome, error) {
	p, err := h.plan(settings)
	if err != nil {
		return uptime.Outcome{}, err
	}
	return h.probe(ctx, p, detail)
}

func (h *httpType) plan(settings any) (any, error) {
	s, ok := settings.(*httpSettings)
	if !ok {
		return nil, errForeignSettings
	}
	return newHTTPPlan(s, h.userAgent)
}

func (h *httpType) probe(ctx context.Context, plan any, detail bool) (uptime.Outcome, error) {
	p, ok := plan.(*httpPlan)
	if !ok {
		return uptime.Outcome{}, errForeignSettings
	}
	return h.run(ctx, p, detail)
}
