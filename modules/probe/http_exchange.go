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
	*httpPlan
	detail  bool
	tracker tracker
	started time.Time
	took    time.Duration
	timeout time.Duration

	hop      *hop               // the first one, nil: net/http makes it
	secure   *http.Transport    // made when a hop needs it
	cancel   context.CancelFunc // of what net/http does, nil: nothing
	hurried  *time.Timer        // calls cancel soon, nil: does not
	response *http.Response     // the last hop's when net/http gave it
	buffer   *[]byte            // pooled, for the body

	answered bool
	status   int // the last hop's
	body     bodyFound
	found    *failure
}

// run makes the check. Response covers everything: DNS, all hops, and reading
// the body to its end or its cap.
func (h *httpType) run(ctx context.Context, p *httpPlan, detail bool) (uptime.Outcome, error) {
	x := &exchange{httpType: h, httpPlan: p, detail: detail, started: time.Now()}
	if deadline, ok := ctx.Deadline(); ok {
		x.timeout = deadline.Sub(x.started).Round(time.Millisecond)
	}
	defer x.hangUp()
	err := x.ask(ctx)
	x.took = time.Since(x.started)
	seen := x.tracker.end()
	if err != nil {
		found, own := x.explain(err, &seen)
		if own != nil {
			return uptime.Outcome{}, own
		}
		x.found = found
	}
	return x.outcome(&seen, err), nil
}

// ask makes the hops and judges the last one. A redirect is net/http's: it knows
// what may be followed, how, and with what headers.
func (x *exchange) ask(ctx context.Context) error {
	if x.wire == nil || x.onlyNetHTTP {
		return x.follow(ctx)
	}
	x.hop = x.newHop()
	if err := x.hop.ask(ctx, x.httpPlan, &x.tracker); err != nil {
		return orEnd(ctx, err)
	}
	if x.hop.redirects() {
		return x.follow(ctx)
	}
	x.answered, x.status = true, x.hop.status
	return orEnd(ctx, x.read(x.hop, x.hop.hurry))
}

// follow leaves the check to net/http. Where the first hop is made already,
// RoundTrip gives its answer.
func (x *exchange) follow(ctx context.Context) error {
	var limited context.Context
	limited, x.cancel = watched(ctx)
	traced := httptrace.WithClientTrace(limited, x.tracker.trace())
	request, err := x.request(outbound.Bind(traced), x.userAgent)
	if err != nil {
		return err
	}
	client := http.Client{Transport: x, CheckRedirect: x.redirect}
	response, err := client.Do(request) //nolint:bodyclose // hangUp closes it
	if err != nil {
		return err
	}
	x.response, x.answered, x.status = response, true, response.StatusCode
	return x.read(response.Body, func() {
		x.hurried = time.AfterFunc(excerptWait, x.cancel)
		if x.hop != nil {
			x.hop.hurry()
		}
	})
}

// hangUp ends what the check began. Nothing that it read is used afterwards.
func (x *exchange) hangUp() {
	if x.response != nil {
		_ = x.response.Body.Close() // only ever read: closing loses nothing
	}
	if x.hurried != nil {
		x.hurried.Stop()
	}
	if x.cancel != nil {
		x.cancel()
	}
	if x.hop != nil {
		x.hop.release()
	}
	if x.secure != nil {
		x.secure.CloseIdleConnections() // HTTP/2 would keep them
	}
	if x.buffer != nil {
		x.buffers.Put(x.buffer)
	}
}

// RoundTrip makes one hop on a fresh connection.
func (x *exchange) RoundTrip(request *http.Request) (*http.Response, error) {
	if x.hop != nil && !x.hop.given {
		return x.hop.give(request), nil
	}
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
		return redirectError(uptime.Say("It redirects to an address that is neither http nor https"))
	}
	if len(before) > maxRedirects {
		return redirectError(uptime.Say("It redirects more than %d times", maxRedirects))
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

// read judges the answer and reads its body. hurry bounds the wait for a body
// that only illustrates. The error is one of the network; what the target did
// wrong is left in found.
func (x *exchange) read(body io.Reader, hurry func()) error {
	s := x.settings
	x.buffer = x.buffers.Get().(*[]byte)
	if !expects(x.expected, x.status) {
		x.found = down(uptime.KindStatus, "Status %s, expected %s", x.statusText(), strings.Join(s.ExpectedStatus, ", "))
		hurry()
		// What comes illustrates, what does not is not missed.
		n, _ := io.ReadFull(body, (*x.buffer)[:startBytes])
		x.body.start = (*x.buffer)[:n]
		return nil
	}
	x.tracker.enter(stageBody)
	var err error
	if x.body, err = search(body, s.Keyword, *x.buffer); err != nil {
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

// header of the last answer, as net/http reads it.
func (x *exchange) header() http.Header {
	if x.response != nil {
		return x.response.Header
	}
	return x.hop.header()
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
	return strings.TrimSpace(itoa(x.status) + " " + http.StatusText(x.status))
}

// outcome puts together what was found.
func (x *exchange) outcome(seen *tracker, cause error) uptime.Outcome {
	s := x.settings
	o := uptime.Outcome{
		Status: uptime.Up, Response: x.took, Phases: seen.phases, StatusCode: x.status,
		Certificate: soonest(seen.hops, s.CertificateWarningDays),
	}
	slow := time.Duration(s.DegradedAfter)
	switch {
	case x.found != nil:
		scrub := newScrubber(s, x.target)
		o.Status, o.ErrorKind, o.Error = x.found.status, x.found.kind, scrub.line(x.found.text, maxErrorText)
	case slow > 0 && x.took > slow:
		o.Status = uptime.Degraded
		o.Error = uptime.Say("Slow: %s, degraded after %s", form.FormatDuration(x.took.Round(time.Millisecond)), form.FormatDuration(slow))
	}
	if o.Status == uptime.Down || x.detail {
		o.Evidence = x.evidence(seen, o.Certificate, cause)
	}
	if x.detail {
		o.Expectations = x.expectations(o)
	}
	return o
}
