package probe

import (
	"crypto/tls"
	"errors"
	"strings"
	"time"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

// evidence is what an incident keeps, or a test shows.
func (x *exchange) evidence(seen *tracker, certificate *uptime.Certificate, cause error) *uptime.Evidence {
	e := &uptime.Evidence{Address: seen.address, Certificate: certificate}
	if unverified, ok := errors.AsType[*tls.CertificateVerificationError](cause); ok {
		e.Certificate = certificateOf(unverified.UnverifiedCertificates, x.settings.CertificateWarningDays)
	}
	if x.answered {
		scrub := newScrubber(x.settings, x.target)
		e.Headers = scrub.headers(x.header())
		e.Excerpt = uptime.Clean(scrub.replacer.Replace(string(x.body.start)), maxExcerpt)
	}
	return e
}

// expectations lists what was demanded and what came, for people who test a
// monitor before they save it.
func (x *exchange) expectations(o uptime.Outcome) []uptime.Expectation {
	s := x.settings
	status := uptime.Expectation{Name: "status", Expected: strings.Join(s.ExpectedStatus, ", "), Actual: o.Error}
	if x.answered {
		status.Actual = x.statusText()
		status.Met = expects(x.expected, x.status)
	}
	list := []uptime.Expectation{status}
	if s.Keyword != "" {
		list = append(list, x.keywordExpectation())
	}
	if s.DegradedAfter > 0 {
		list = append(list, uptime.Expectation{
			Name:     "response time",
			Expected: uptime.Say("at most %s", form.FormatDuration(time.Duration(s.DegradedAfter))),
			Actual:   form.FormatDuration(o.Response.Round(time.Millisecond)),
			Met:      o.Response <= time.Duration(s.DegradedAfter),
		})
	}
	if c := o.Certificate; c != nil && s.CertificateWarningDays > 0 {
		days := int(c.NotAfter.Sub(x.clock()) / (24 * time.Hour))
		list = append(list, uptime.Expectation{
			Name:     "certificate",
			Expected: uptime.Say("%d days left", s.CertificateWarningDays),
			Actual:   uptime.Say("%d days left", days),
			Met:      days >= s.CertificateWarningDays,
		})
	}
	return list
}

func (x *exchange) keywordExpectation() uptime.Expectation {
	s := x.settings
	e := uptime.Expectation{Name: "keyword", Expected: uptime.Say("contains %s", s.Keyword), Actual: "no answer"}
	if s.KeywordAbsent {
		e.Name, e.Expected = uptime.Say("keyword absent"), uptime.Say("does not contain %s", s.Keyword)
	}
	if !x.answered {
		return e
	}
	e.Actual = uptime.Say("not found")
	if x.body.keyword {
		e.Actual = uptime.Say("found")
	}
	e.Met = x.found == nil
	return e
}
