package probe

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"monitor/modules/form"
	"monitor/modules/outbound"
	"monitor/modules/uptime"
)

// excerptWait is how long the start of an unexpected answer is waited for after
// its head came: it only illustrates the incident.
const excerptWait = 500 * time.Millisecond

// redirectError is why a redirect is not followed.
type redirectError string

// Error says it for people.
func (e redirectError) Error() string { return string(e) }

// exchange is one check: all hops, from the first name looked up to the last
// byte read.
type exchange struct {
	*httpType
	settings *httpSettings
	detail   bool
	target   *url.URL
	tracker  tracker
	secure   *http.Transport // made when a hop needs it
	started  time.Time
	timeout  time.Duration

	response *http.Response // the last hop's, nil: none came
	body     bodyFound
	found    *failure
}

func newExchange(h *httpType, s *httpSettings, detail bool) *exchange {
	return &exchange{httpType: h, settings: s, detail: detail}
}

// run makes the check. Response covers everything: DNS, all hops, and reading
// the body to its end or its cap.
func (x *exchange) run(ctx context.Context) (uptime.Outcome, error) {
	x.started = time.Now()
	if deadline, ok := ctx.Deadline(); ok {
		x.timeout = time.Until(deadline).Round(time.Millisecond)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, x.tracker.trace())
	request, err := x.request(outbound.Bind(ctx))
	if err != nil {
		return uptime.Outcome{}, err
	}
	defer x.hangUp()
	response, err := x.client().Do(request)
	if err == nil {
		defer func() { _ = response.Body.Close() }() // only ever read: closing loses nothing
		x.response = response
		err = x.read(cancel)
	}
	took := time.Since(x.started)
	seen := x.tracker.end()
	if err != nil {
		found, own := x.explain(err, &seen)
		if own != nil {
			return uptime.Outcome{}, own
		}
		x.found = found
	}
	return x.outcome(took, &seen, err), nil
}

// hangUp closes what HTTP/2 would keep.
func (x *exchange) hangUp() {
	if x.secure != nil {
		x.secure.CloseIdleConnections()
	}
}

func (x *exchange) request(ctx context.Context) (*http.Request, error) {
	var body io.Reader
	if x.settings.Body != "" {
		body = strings.NewReader(x.settings.Body)
	}
	target, err := url.Parse(x.settings.URL)
	if err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
		// The error would repeat the URL, which may hold a password.
		return nil, errors.New("the stored URL cannot be read")
	}
	x.target = target
	request, err := http.NewRequestWithContext(ctx, x.settings.Method, "http://host/", body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	bare := *target
	bare.User = nil
	request.URL, request.Host = &bare, target.Host
	request.Header.Set("User-Agent", x.userAgent)
	request.Header.Set("Accept", "*/*")
	if u := target.User; u != nil {
		password, _ := u.Password()
		request.SetBasicAuth(u.Username(), password)
	}
	for name, value := range x.settings.Headers {
		if strings.EqualFold(name, "Host") {
			request.Host = value
			continue
		}
		request.Header.Set(name, value)
	}
	return request, nil
}

func (x *exchange) client() *http.Client {
	return &http.Client{Transport: x, CheckRedirect: x.redirect}
}

// RoundTrip makes one hop on a fresh connection.
func (x *exchange) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Scheme != "https" {
		return x.plain.RoundTrip(request)
	}
	if x.secure == nil {
		// A transport changes its TLS settings, so it gets its own copy.
		var config *tls.Config
		if x.settings.VerifyTLS {
			config = x.verified.Clone()
		} else {
			config = x.trusting.Clone()
		}
		x.secure = x.guard.Transport(outbound.TransportOptions{TLS: config, MaxHeaderBytes: maxHeaderBytes})
	}
	return x.secure.RoundTrip(request)
}

// redirect decides on the next hop. Where it leads to another origin, what
// authorises at the first one stays behind, and so does its address, whose query
// may hold a token.
func (x *exchange) redirect(next *http.Request, before []*http.Request) error {
	if !x.settings.FollowRedirects {
		return http.ErrUseLastResponse
	}
	if next.URL.Scheme != "http" && next.URL.Scheme != "https" {
		return redirectError("It redirects to an address that is neither http nor https")
	}
	if len(before) > maxRedirects {
		return redirectError(fmt.Sprintf("It redirects more than %d times", maxRedirects))
	}
	first := before[0].URL
	if next.URL.Scheme != first.Scheme && next.URL.Scheme != "https" || next.URL.Host != first.Host && !sameHost(next.URL, first) {
		for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "Referer"} {
			next.Header.Del(name)
		}
	}
	return nil
}

// sameHost allows the upgrade from http to https on the default ports.
func sameHost(a, b *url.URL) bool {
	return strings.EqualFold(a.Hostname(), b.Hostname()) && a.Port() == "" && b.Port() == ""
}

// read judges the answer and reads its body. The error is one of the network;
// what the target did wrong is left in found.
func (x *exchange) read(giveUp context.CancelFunc) error {
	s := x.settings
	if !expects(s.ExpectedStatus, x.response.StatusCode) {
		x.found = down(uptime.KindStatus, "Status %s, expected %s", x.statusText(), strings.Join(s.ExpectedStatus, ", "))
		timer := time.AfterFunc(excerptWait, giveUp)
		defer timer.Stop()
		x.body.start, _ = io.ReadAll(io.LimitReader(x.response.Body, 2*maxExcerpt)) // what comes illustrates, what does not is not missed
		return nil
	}
	x.tracker.enter(stageBody)
	var err error
	if x.body, err = x.search(x.response.Body, s.Keyword); err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	if s.Keyword != "" {
		x.found = x.judgeKeyword()
	}
	return nil
}

func (x *exchange) judgeKeyword() *failure {
	s := x.settings
	switch {
	case x.body.keyword && s.KeywordAbsent:
		return down(uptime.KindKeyword, "The answer contains %q, which must be absent", s.Keyword)
	case x.body.keyword:
		return nil
	case x.body.cut:
		return down(uptime.KindBodyTooLarge, "The answer is larger than %d MiB and its first part does not have %q", maxBodyBytes>>20, s.Keyword)
	case s.KeywordAbsent:
		return nil
	}
	return down(uptime.KindKeyword, "The answer does not contain %q", s.Keyword)
}

// explain tells what an error of the client means.
func (x *exchange) explain(err error, seen *tracker) (*failure, error) {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // its own text would repeat the URL
	}
	var redirect redirectError
	switch {
	case errors.As(err, &redirect):
		return down(uptime.KindRedirects, "%s", redirect), nil
	case strings.Contains(err.Error(), "failed to parse Location header"):
		return down(uptime.KindRedirects, "It redirects to an address that cannot be read"), nil
	case strings.Contains(err.Error(), "no Host in request URL"):
		return down(uptime.KindRedirects, "It redirects to an address without a host"), nil
	}
	a := attempt{host: cmp.Or(uptime.CleanLine(seen.host, 255), x.target.Hostname()), address: seen.address, stage: seen.stage, timeout: x.timeout}
	if host, ok := errors.AsType[x509.HostnameError](err); ok {
		a.host = uptime.CleanLine(host.Host, 255)
	}
	return explain(err, a)
}

// statusText is "404 Not Found", in the standard's words, not the target's.
func (x *exchange) statusText() string {
	return strings.TrimSpace(itoa(x.response.StatusCode) + " " + http.StatusText(x.response.StatusCode))
}

// outcome puts together what was found.
func (x *exchange) outcome(took time.Duration, seen *tracker, cause error) uptime.Outcome {
	s := x.settings
	o := uptime.Outcome{
		Status: uptime.Up, Response: took, Phases: seen.phases,
		Certificate: soonest(seen.hops, s.CertificateWarningDays),
	}
	if x.response != nil {
		o.StatusCode = x.response.StatusCode
	}
	slow := time.Duration(s.DegradedAfter)
	switch {
	case x.found != nil:
		scrub := newScrubber(s, x.target)
		o.Status, o.ErrorKind, o.Error = x.found.status, x.found.kind, scrub.line(x.found.text, maxErrorText)
	case slow > 0 && took > slow:
		o.Status = uptime.Degraded
		o.Error = fmt.Sprintf("Slow: %s, degraded after %s", form.FormatDuration(took.Round(time.Millisecond)), form.FormatDuration(slow))
	}
	if o.Status == uptime.Down || x.detail {
		o.Evidence = x.evidence(seen, o.Certificate, cause)
	}
	if x.detail {
		o.Expectations = x.expectations(o)
	}
	return o
}
