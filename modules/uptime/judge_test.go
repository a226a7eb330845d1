package uptime

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// ledger is a store in memory that applies Decide as the contract says.
type ledger struct {
	monitor   Monitor
	results   []Result
	incidents []Incident
	struck    map[int64]bool
	events    []Event
	decide    Decide
	nextID    int64
	now       time.Time
}

func newLedger(m Monitor) *ledger {
	n := 0
	return &ledger{monitor: m, struck: map[int64]bool{}, now: at(1 << 20), decide: Judge(func() string {
		n++
		return strconv.Itoa(n)
	})}
}

func (l *ledger) record(t require.TestingT, batch []Result) Decision {
	s := Situation{Monitor: l.monitor, Now: l.now}
	for _, r := range batch {
		if !slices.ContainsFunc(l.results, func(o Result) bool { return o.Key() == r.Key() }) {
			l.results = append(l.results, r)
			s.New = append(s.New, r)
		}
	}
	if len(s.New) == 0 {
		return Decision{State: l.monitor.State}
	}
	sortResults(s.New)
	sortResults(l.results)
	first := s.New[0].ScheduledAt
	s.Late = !first.After(l.monitor.State.LastSlot)
	if s.Late {
		at := slices.IndexFunc(l.results, func(r Result) bool { return !r.ScheduledAt.Before(first) })
		s.Cut = at > Lookback
		s.History = slices.Clone(l.results[max(0, at-Lookback):])
		first = s.History[0].ScheduledAt
	}
	for _, i := range l.incidents {
		if !l.struck[i.ID] && (i.Unresolved() || i.EndedAt.IsZero() || !i.EndedAt.Before(first)) {
			s.Incidents = append(s.Incidents, i)
		}
	}
	d := l.decide(s)
	l.monitor.State = d.State
	for _, c := range d.Incidents {
		l.apply(t, c)
	}
	l.events = append(l.events, d.Events...)
	return d
}

func (l *ledger) apply(t require.TestingT, c IncidentChange) {
	if c.Incident.ID == 0 {
		l.nextID++
		c.Incident.ID = l.nextID
		l.incidents = append(l.incidents, c.Incident)
	} else {
		i := slices.IndexFunc(l.incidents, func(i Incident) bool { return i.ID == c.Incident.ID })
		l.incidents[i] = c.Incident
	}
	l.struck[c.Incident.ID] = c.Retract
	l.events = append(l.events, c.Events...)
	open := 0
	for _, i := range l.living() {
		if i.Unresolved() {
			open++
		}
	}
	require.LessOrEqual(t, open, 1, "unresolved incidents at one moment")
}

func (l *ledger) living() []Incident {
	var out []Incident
	for _, i := range l.incidents {
		if !l.struck[i.ID] {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, func(a, b Incident) int { return a.StartedAt.Compare(b.StartedAt) })
	return out
}

// outages is what must not depend on the order of arrival.
func (l *ledger) outages() []string {
	var out []string
	for _, i := range l.living() {
		out = append(out, string(i.Status)+" "+second(i.StartedAt)+" "+second(i.ConfirmedAt)+" "+
			second(i.RecoveredAt)+" "+second(i.EndedAt)+" "+second(i.ResolvedAt))
	}
	return out
}

func at(s int) time.Time { return time.Unix(1_700_000_000+int64(s), 0).UTC() }

func second(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return strconv.FormatInt(t.Unix()-1_700_000_000, 10)
}

func subject(failures, successes int, regions ...string) Monitor {
	if len(regions) == 0 {
		regions = []string{DefaultRegion}
	}
	return Monitor{
		ID: 7, WorkspaceID: 1, Name: "Shop", Type: "http", Enabled: true,
		Interval: time.Minute, RetryInterval: 20 * time.Second, Timeout: 10 * time.Second,
		FailuresBeforeDown: failures, SuccessesBeforeUp: successes,
		Regions: regions, MinRegionsDown: 1,
		State: State{Status: Pending, Since: at(-100), JudgeFrom: at(-100)},
	}
}

// series spells results a second apart: u up, s slow (degraded), d down, ? unknown.
func series(word string) []Result {
	var out []Result
	for i, c := range word {
		out = append(out, spelt(c, i))
	}
	return out
}

func spelt(c rune, second int) Result {
	r := Result{MonitorID: 7, WorkspaceID: 1, Region: DefaultRegion, ScheduledAt: at(second), Attempt: 1}
	switch c {
	case 'u':
		r.Status = Up
	case 's':
		r.Status = Degraded
	case 'd':
		r.Status, r.ErrorKind, r.Error = Down, KindStatus, "HTTP 503"
	case '?':
		r.Status, r.ErrorKind = Unknown, KindInternal
	}
	return r
}

func TestJudgeSeries(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name                string
		failures, successes int
		word                string
		status              Status
		since               int
		outages             []string // status started confirmed recovered ended resolved
		streak              int
	}{
		{"FirstUp", 2, 1, "u", Up, 0, nil, 0},
		{"FirstFailureIsPending", 2, 1, "d", Pending, -100, nil, 1},
		{"NeverUpGoesDown", 2, 1, "dd", Down, 0, []string{"open 0 1 - - -"}, 2},
		{"OneFailureOfTwo", 2, 1, "ud", Up, 0, nil, 1},
		{"Confirmed", 2, 1, "udd", Down, 1, []string{"open 1 2 - - -"}, 2},
		{"StaysOne", 2, 1, "udddddd", Down, 1, []string{"open 1 2 - - -"}, 6},
		{"Recovered", 2, 1, "uddu", Up, 3, []string{"resolved 1 2 3 3 3"}, 0},
		{"TwoOutages", 2, 1, "udduddu", Up, 6, []string{"resolved 1 2 3 3 3", "resolved 4 5 6 6 6"}, 0},
		{"RecoveryNeedsTwo", 1, 2, "dudu", Down, 0, []string{"open 0 0 - - -"}, 0},
		{"RecoveryFromItsFirst", 1, 2, "dduu", Up, 2, []string{"resolved 0 0 2 3 2"}, 0},
		{"UnknownDoesNotBreak", 3, 1, "ud?d?d", Down, 1, []string{"open 1 5 - - -"}, 3},
		{"UnknownDoesNotExtend", 3, 1, "ud??????", Up, 0, nil, 1},
		{"OnlyUnknown", 2, 1, "???", Pending, -100, nil, 0},
		{"Slow", 2, 1, "us", Degraded, 1, nil, 0},
		{"SlowBreaksAStreak", 2, 1, "dsd", Degraded, 1, nil, 1},
		{"RecoveredSlow", 1, 1, "ds", Degraded, 1, []string{"resolved 0 0 1 1 1"}, 0},
		{"Flapping", 2, 1, "udududud", Up, 0, nil, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, whole := range []bool{true, false} {
				l := newLedger(subject(c.failures, c.successes))
				if whole {
					l.record(t, series(c.word))
				} else {
					for _, r := range series(c.word) {
						l.record(t, []Result{r})
					}
				}
				require.Equal(t, c.status, l.monitor.State.Status)
				require.Equal(t, at(c.since), l.monitor.State.Since)
				require.Equal(t, c.outages, l.outages())
				require.Equal(t, c.streak, l.monitor.State.ConsecutiveFailures)
			}
		})
	}
}

func TestJudgeEvents(t *testing.T) {
	t.Parallel()
	types := func(l *ledger) []EventType {
		var out []EventType
		for _, e := range l.events {
			out = append(out, e.Type)
		}
		return out
	}
	feed := func(t *testing.T, l *ledger, words ...string) {
		t.Helper()
		n := 0
		for _, w := range words {
			var batch []Result
			for _, c := range w {
				batch = append(batch, spelt(c, n))
				n++
			}
			l.record(t, batch)
		}
	}
	t.Run("OpenedAndResolvedOnce", func(t *testing.T) {
		t.Parallel()
		l := newLedger(subject(2, 1))
		feed(t, l, "u", "d", "d", "d", "d", "u", "u")
		require.Equal(t, []EventType{EventOpened, EventResolved}, types(l))
		require.Equal(t, "HTTP 503", l.events[0].Data.Incident.Cause)
		require.NotNil(t, l.events[1].Data.Incident.ResolvedAt)
	})
	t.Run("Degraded", func(t *testing.T) {
		t.Parallel()
		l := newLedger(subject(2, 1))
		feed(t, l, "u", "s", "s", "u")
		require.Equal(t, []EventType{EventDegraded, EventRecovered}, types(l))
	})
	t.Run("ResolvedByHandStaysClosedUntilUp", func(t *testing.T) {
		t.Parallel()
		l := newLedger(subject(1, 1))
		feed(t, l, "d")
		l.incidents[0].Status, l.incidents[0].ResolvedAt = IncidentResolved, at(1)
		n := 1
		for _, c := range "dddudd" {
			l.record(t, []Result{spelt(c, n)})
			n++
		}
		require.Equal(t, []EventType{EventOpened, EventOpened}, types(l))
		require.Equal(t, []string{"resolved 0 0 4 4 1", "open 5 5 - - -"}, l.outages())
	})
	t.Run("LateSuccessRetracts", func(t *testing.T) {
		t.Parallel()
		l := newLedger(subject(2, 1))
		l.record(t, []Result{spelt('u', 0), spelt('d', 1), spelt('d', 3)})
		l.record(t, []Result{spelt('u', 2)})
		require.Empty(t, l.living())
		require.Equal(t, []EventType{EventOpened, EventResolved}, types(l))
		require.Equal(t, Up, l.monitor.State.Status)
	})
	t.Run("LateFailureReopens", func(t *testing.T) {
		t.Parallel()
		l := newLedger(subject(1, 2))
		l.record(t, []Result{spelt('d', 0), spelt('u', 1), spelt('u', 3)})
		require.Equal(t, []string{"resolved 0 0 1 3 1"}, l.outages())
		l.record(t, []Result{spelt('d', 2)})
		require.Equal(t, []string{"open 0 0 - - -"}, l.outages())
		require.Equal(t, []EventType{EventOpened, EventResolved, EventOpened}, types(l))
	})
	t.Run("CertificateOnce", func(t *testing.T) {
		t.Parallel()
		l := newLedger(subject(2, 1))
		for i := range 3 {
			r := spelt('u', i)
			r.Certificate = &Certificate{Fingerprint: "ab", NotAfter: at(86400 * 3), WarnDays: 14}
			l.record(t, []Result{r})
		}
		require.Equal(t, []EventType{EventCertificate}, types(l))
	})
}

func TestJudgeRetries(t *testing.T) {
	t.Parallel()
	m := subject(3, 1)
	slot := NextSlot(m.ID, m.Interval, at(0))
	fail := spelt('d', 0)
	fail.ScheduledAt = slot
	l := newLedger(m)
	d := l.record(t, []Result{fail})
	require.Len(t, d.Retries, 1)
	require.Equal(t, slot.Add(20*time.Second), d.Retries[0].ScheduledAt)
	require.Equal(t, 2, d.Retries[0].Attempt)
	fail.ScheduledAt, fail.Attempt = d.Retries[0].ScheduledAt, 2
	d = l.record(t, []Result{fail})
	require.Equal(t, slot.Add(40*time.Second), d.Retries[0].ScheduledAt)
	fail.ScheduledAt, fail.Attempt = d.Retries[0].ScheduledAt, 3
	require.Empty(t, l.record(t, []Result{fail}).Retries, "down: no retry")

	m.RetryInterval = m.Interval
	fail.ScheduledAt, fail.Attempt = slot, 1
	require.Empty(t, newLedger(m).record(t, []Result{fail}).Retries, "the next regular slot is the next attempt")
}

func TestHalt(t *testing.T) {
	t.Parallel()
	l := newLedger(subject(1, 1))
	l.record(t, series("udd"))
	state, change := Halt(func() string { return "x" }, l.monitor, &l.incidents[0], "Monitor paused.", at(9))
	require.Equal(t, Pending, state.Status)
	require.Nil(t, state.Outage)
	require.Equal(t, at(9), change.Incident.ResolvedAt)
	require.Equal(t, "HTTP 503. Monitor paused.", change.Incident.Cause)
	require.Equal(t, EventResolved, change.Events[0].Type)
	require.Equal(t, "Monitor paused.", change.Events[0].Data.Incident.Reason)
	require.Nil(t, change.Events[0].Data.Result)
	// A result from before the pause says nothing any more.
	l.monitor.State = state
	l.apply(t, *change)
	l.record(t, []Result{spelt('d', 8)})
	require.Equal(t, []string{"resolved 1 1 9 9 9"}, l.outages())
	require.Equal(t, Pending, l.monitor.State.Status)
}

// TestJudgeAnyOrder: whatever the order, the batches and the repeats, the end
// state and the living incidents are those of the results in order.
func TestJudgeAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		regions := []string{"eu", "us"}[:rapid.IntRange(1, 2).Draw(t, "regions")]
		m := subject(rapid.IntRange(1, 4).Draw(t, "failures"), rapid.IntRange(1, 3).Draw(t, "successes"), regions...)
		m.MinRegionsDown = rapid.IntRange(1, len(regions)).Draw(t, "min")
		var all []Result
		for i, c := range rapid.SliceOfN(rapid.SampledFrom([]rune("uuudddds?")), 1, 40).Draw(t, "series") {
			r := spelt(c, i/len(regions)) // regions share their slots
			r.Region = regions[i%len(regions)]
			all = append(all, r)
		}
		want := newLedger(m)
		for _, r := range all {
			want.record(t, []Result{r})
		}
		got := newLedger(m)
		rest := rapid.Permutation(all).Draw(t, "order")
		rest = append(rest, rest[:rapid.IntRange(0, len(rest)).Draw(t, "repeats")]...)
		for len(rest) > 0 {
			n := rapid.IntRange(1, len(rest)).Draw(t, "batch")
			got.record(t, rest[:n])
			rest = rest[n:]
		}
		require.Equal(t, want.outages(), got.outages())
		require.Equal(t, want.monitor.State, got.monitor.State)
	})
}

// TestJudgeAfterAClockThatWasAhead: results of slots that are still to come change
// nothing from the first result on that comes after the clock was set back.
func TestJudgeAfterAClockThatWasAhead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := subject(rapid.IntRange(1, 4).Draw(t, "failures"), rapid.IntRange(1, 3).Draw(t, "successes"))
		word := func(name string, from, least int) []Result {
			var out []Result
			for i, c := range rapid.SliceOfN(rapid.SampledFrom([]rune("uuudddds?")), least, 30).Draw(t, name) {
				out = append(out, spelt(c, from+i))
			}
			return out
		}
		before, ahead, after := word("before", 0, 0), word("ahead", 100_000, 1), word("after", 40, 1)
		got, want := newLedger(m), newLedger(m)
		for _, r := range before {
			got.record(t, []Result{r})
			want.record(t, []Result{r})
		}
		got.now = at(100_050)
		for len(ahead) > 0 {
			n := rapid.IntRange(1, len(ahead)).Draw(t, "batch")
			got.record(t, ahead[:n])
			ahead = ahead[n:]
		}
		got.now, want.now = at(75), at(75)
		for _, r := range after {
			got.record(t, []Result{r})
			want.record(t, []Result{r})
			require.Equal(t, want.monitor.State, got.monitor.State)
			require.Equal(t, want.outages(), got.outages())
		}
	})
}

// TestJudgeOfAMonitorMadeAhead: one that a clock ahead made or resumed is judged
// as soon as that clock is set back.
func TestJudgeOfAMonitorMadeAhead(t *testing.T) {
	t.Parallel()
	m := subject(1, 1)
	m.State = blank(State{JudgeFrom: at(100_000)})
	l := newLedger(m)
	l.now = at(10)
	l.record(t, []Result{spelt('u', 5)})
	require.Equal(t, Up, l.monitor.State.Status)
	require.Equal(t, at(5), l.monitor.State.JudgeFrom)
	l.record(t, []Result{spelt('d', 6)})
	require.Equal(t, Down, l.monitor.State.Status)
}
