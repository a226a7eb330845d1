package uptime

import (
	"slices"
	"strings"
	"time"
)

// fold walks over results in order of slot and keeps what they amount to. It
// is the whole rule of up and down; everything else is book-keeping about it.
type fold struct {
	monitor Monitor
	state   State
	spans   []span
	// changes counts changes of status after the first one that was known.
	changes int
}

// span is an outage seen while folding, with the results that made it so.
type span struct {
	Outage
	cause    *Result // that confirmed it; nil when it began before the fold
	recovery *Result // that confirmed its end
}

// newFold goes on from a state whose outage, if any, is the first span.
func newFold(m Monitor, from State) *fold {
	regions := make(map[string]RegionState, len(m.Regions))
	for name, r := range from.Regions {
		if slices.Contains(m.Regions, name) {
			regions[name] = r
		}
	}
	from.Regions = regions
	f := &fold{monitor: m, state: from}
	if from.Outage != nil {
		f.spans = append(f.spans, span{Outage: *from.Outage})
	}
	return f
}

// blank is the state before the first result.
func blank(s State) State {
	return State{
		Status: Pending, Since: s.JudgeFrom, JudgeFrom: s.JudgeFrom,
		CertNotAfter: s.CertNotAfter, CertWarned: s.CertWarned,
	}
}

// sortResults by slot, then region: the order in which they are judged.
func sortResults(results []Result) {
	slices.SortStableFunc(results, func(a, b Result) int {
		if c := a.ScheduledAt.Compare(b.ScheduledAt); c != 0 {
			return c
		}
		return strings.Compare(a.Region, b.Region)
	})
}

// judged reports whether a result says anything about the monitor's state: it
// is of a region that counts and not from before judging began.
func judged(m Monitor, r Result) bool {
	return !r.ScheduledAt.Before(m.State.JudgeFrom) && slices.Contains(m.Regions, r.Region)
}

// add judges the next result.
func (f *fold) add(r Result) {
	if !judged(f.monitor, r) {
		return
	}
	f.show(r)
	region := f.state.Regions[r.Region]
	next := region.step(r, f.monitor)
	recovered := next.FirstSuccess
	if !next.Down {
		next.FirstSuccess = time.Time{}
	}
	f.state.Regions[r.Region] = next
	f.state.ConsecutiveFailures = f.longestFailure()
	f.settle(r, recovered)
}

// show keeps what pages say of the newest result.
func (f *fold) show(r Result) {
	s := &f.state
	s.LastSlot = r.ScheduledAt
	s.LastResult, s.LastResponse = r.Status, r.Response
	s.LastError, s.LastErrorKind = r.Error, r.ErrorKind
	if r.Status != Unknown {
		s.KnownSlot = r.ScheduledAt
	}
}

// step is the streak of one region after one more result.
func (r RegionState) step(res Result, m Monitor) RegionState {
	r.LastSlot = res.ScheduledAt
	switch res.Status {
	case Down:
		r.Successes, r.FirstSuccess = 0, time.Time{}
		if r.Failures == 0 && !r.Down {
			r.FirstFailure = res.ScheduledAt
		}
		r.Failures++
		if r.Failures >= m.FailuresBeforeDown {
			r.Down, r.Degraded = true, false
		}
	case Up, Degraded:
		r.Failures, r.Answered = 0, true
		r.Successes = min(r.Successes+1, MaxThreshold)
		if r.Down {
			if r.Successes == 1 {
				r.FirstSuccess = res.ScheduledAt
			}
			if r.Successes < m.SuccessesBeforeUp {
				return r
			}
		}
		// While a region is well its successes are not counted: they decide nothing.
		r.Down, r.Degraded, r.Successes = false, res.Status == Degraded, 0
		r.FirstFailure = time.Time{}
	default: // unknown: neither breaks nor extends a streak
	}
	return r
}

// settle draws the monitor's status from its regions after r changed one.
// recovered is the first success of the streak that ended a region's outage.
func (f *fold) settle(r Result, recovered time.Time) {
	status := f.verdict()
	if status == f.state.Status {
		return
	}
	if f.state.Status != Pending {
		f.changes++
	}
	since := r.ScheduledAt
	switch {
	case status == Down:
		out := Outage{Started: f.firstFailure(), Confirmed: r.ScheduledAt}
		f.state.Outage, since = &out, out.Started
		f.spans = append(f.spans, span{Outage: out, cause: &r})
	case f.state.Status == Down:
		last := &f.spans[len(f.spans)-1]
		since = last.recoveredAt(recovered, r.ScheduledAt)
		last.Recovered, last.Ended, last.recovery = since, r.ScheduledAt, &r
		f.state.Outage, f.state.LastRecovery = nil, since
	}
	f.state.Status, f.state.Since = status, since
}

// recoveredAt is when an outage ended: at the first success of the region that
// ended it, or, where a quorum was completed only after that success, at the
// one that confirmed the recovery. No outage is shorter than a millisecond.
func (o Outage) recoveredAt(first, confirmed time.Time) time.Time {
	at := first
	if !at.After(o.Confirmed) {
		at = confirmed
	}
	if !at.After(o.Started) {
		at = o.Started.Add(time.Millisecond)
	}
	return at
}

// verdict of all regions together: down when enough of them are, degraded when
// fewer are or an answer was slow.
func (f *fold) verdict() Status {
	var down, degraded, answered int
	for _, r := range f.state.Regions {
		if r.Down {
			down++
		}
		if r.Degraded {
			degraded++
		}
		if r.Answered {
			answered++
		}
	}
	switch {
	case down >= f.quorum():
		return Down
	case down > 0 || degraded > 0:
		return Degraded
	case answered > 0:
		return Up
	}
	return Pending
}

func (f *fold) longestFailure() int {
	longest := 0
	for _, r := range f.state.Regions {
		longest = max(longest, r.Failures)
	}
	return longest
}

// firstFailure is since when enough regions were failing: the first failure of
// the one that completed the quorum, but not before the last outage ended.
func (f *fold) firstFailure() time.Time {
	var starts []time.Time
	for _, r := range f.state.Regions {
		if r.Down {
			starts = append(starts, r.FirstFailure)
		}
	}
	slices.SortFunc(starts, time.Time.Compare)
	start := starts[min(f.quorum(), len(starts))-1]
	if start.Before(f.state.LastRecovery) {
		return f.state.LastRecovery
	}
	return start
}

// quorum is how many regions must be down for the monitor to be.
func (f *fold) quorum() int {
	return min(max(f.monitor.MinRegionsDown, 1), max(len(f.monitor.Regions), 1))
}
