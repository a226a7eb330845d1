package web

import (
	"fmt"
	"strconv"
	"time"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// TestPanel is what a check found, for people: of a monitor that is not saved.
type TestPanel struct {
	State        State
	Said         string
	Message      string
	Facts        []Fact
	Phases       []PhaseBar
	Expectations []uptime.Expectation
	Excerpt      string
	Problem      string // the test could not be made
	Summary      []ErrorLink
}

// PhaseBar is a part of the response time, in percent of the whole.
type PhaseBar struct {
	Label, Text string
	X, Width    string
}

func ms(v float64) time.Duration { return time.Duration(v * float64(time.Millisecond)) }

type phase struct {
	label string
	took  time.Duration
}

// phases that happened, in order. Labels are keys of the catalogue.
func phases(v manage.PhasesView) []phase {
	var out []phase
	for _, p := range []struct {
		label string
		ms    *float64
	}{{"DNS", v.DNSMS}, {lang.Key("phase|Connect"), v.ConnectMS}, {"TLS", v.TLSMS}, {lang.Key("phase|First byte"), v.FirstByteMS}} {
		if p.ms != nil {
			out = append(out, phase{p.label, ms(*p.ms)})
		}
	}
	return out
}

// testPanel draws the outcome of a test.
func (s *scene) testPanel(v manage.MonitorTestView) *TestPanel {
	l := s.lang
	t := &TestPanel{State: stateOf(v.Status), Message: l.Said(v.Error), Excerpt: v.Excerpt}
	for _, e := range v.Expectations {
		t.Expectations = append(t.Expectations, uptime.Expectation{Name: l.Said(e.Name), Expected: l.Said(e.Expected), Actual: l.Said(e.Actual), Met: e.Met})
	}
	response := ms(v.ResponseMS)
	switch {
	case v.StatusCode != nil:
		t.Said = l.T("Answered %s in %s", strconv.Itoa(*v.StatusCode), l.Latency(response))
	case v.Status == uptime.Up || v.Status == uptime.Degraded:
		t.Said = l.T("Answered in %s", l.Latency(response))
	default:
		t.Said = l.T(kindWord(v.ErrorKind))
	}
	t.Phases = phaseBars(l, phases(v.Phases), response)
	if v.Address != "" {
		t.Facts = append(t.Facts, Fact{l.T("Address"), v.Address})
	}
	if c := v.Certificate; c != nil {
		t.Facts = append(t.Facts, Fact{l.T("Certificate"), l.T("%s, issued by %s, until %s (%s)",
			c.Subject, c.Issuer, s.when(c.NotAfter).Day(), certDays(l, c.NotAfter.Sub(s.now)))})
	}
	return t
}

func phaseBars(l *lang.Language, list []phase, whole time.Duration) []PhaseBar {
	var sum time.Duration
	for _, p := range list {
		sum += p.took
	}
	whole = max(whole, sum)
	if whole <= 0 {
		return nil
	}
	if rest := whole - sum; rest > 0 && len(list) > 0 {
		list = append(list, phase{lang.Key("phase|Body"), rest})
	}
	var out []PhaseBar
	at := time.Duration(0)
	percentOf := func(d time.Duration) string { return fmt.Sprintf("%.1f", 100*float64(d)/float64(whole)) }
	for _, p := range list {
		// Half a percent is the least that can be seen.
		width := max(p.took, whole/200)
		out = append(out, PhaseBar{l.T(p.label), l.Latency(p.took), percentOf(at), percentOf(width)})
		at += p.took
	}
	return out
}
