package web

import (
	"fmt"
	"time"

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

// phases that happened, in order.
func phases(v manage.PhasesView) []phase {
	var out []phase
	for _, p := range []struct {
		label string
		ms    *float64
	}{{"DNS", v.DNSMS}, {"Connect", v.ConnectMS}, {"TLS", v.TLSMS}, {"First byte", v.FirstByteMS}} {
		if p.ms != nil {
			out = append(out, phase{p.label, ms(*p.ms)})
		}
	}
	return out
}

// testPanel draws the outcome of a test.
func (s *scene) testPanel(v manage.MonitorTestView) *TestPanel {
	t := &TestPanel{State: stateOf(v.Status), Message: v.Error, Expectations: v.Expectations, Excerpt: v.Excerpt}
	response := ms(v.ResponseMS)
	switch {
	case v.StatusCode != nil:
		t.Said = fmt.Sprintf("Answered %d in %s", *v.StatusCode, latency(response))
	case v.Status == uptime.Up || v.Status == uptime.Degraded:
		t.Said = "Answered in " + latency(response)
	default:
		t.Said = kindWord(v.ErrorKind)
	}
	t.Phases = phaseBars(phases(v.Phases), response)
	if v.Address != "" {
		t.Facts = append(t.Facts, Fact{"Address", v.Address})
	}
	if c := v.Certificate; c != nil {
		t.Facts = append(t.Facts, Fact{"Certificate", fmt.Sprintf("%s, issued by %s, until %s (%s)",
			c.Subject, c.Issuer, s.when(c.NotAfter).local().Format("2 Jan 2006"), certDays(s.lang, c.NotAfter.Sub(s.now)))})
	}
	return t
}

func phaseBars(list []phase, whole time.Duration) []PhaseBar {
	var sum time.Duration
	for _, p := range list {
		sum += p.took
	}
	whole = max(whole, sum)
	if whole <= 0 {
		return nil
	}
	if rest := whole - sum; rest > 0 && len(list) > 0 {
		list = append(list, phase{"Body", rest})
	}
	var out []PhaseBar
	at := time.Duration(0)
	percentOf := func(d time.Duration) string { return fmt.Sprintf("%.1f", 100*float64(d)/float64(whole)) }
	for _, p := range list {
		// Half a percent is the least that can be seen.
		width := max(p.took, whole/200)
		out = append(out, PhaseBar{p.label, latency(p.took), percentOf(at), percentOf(width)})
		at += p.took
	}
	return out
}
