package uptime

import (
	"slices"
	"time"
)

// Judge is the rule that turns results into state, incidents and events. The
// end state and the living incidents depend on the stored results alone, not on
// the order in which they came: results newer than all before them extend the
// state; one that comes late has the state folded anew from what is stored, and
// incidents are then moved, opened or retracted to fit.
//
// A clock that ran ahead and was set back leaves results of slots that are still
// to come. They must not stand for the newest ones until then, so what is more
// than Ahead after both the time of judging and the newest result that came is
// passed over. The state that they had made is late to every result of today, and
// is folded anew without them.
//
// random gives the unguessable part of event ids. The returned function is pure
// but for that and safe for concurrent use.
func Judge(random func() string) Decide {
	return func(s Situation) Decision {
		j := judging{Situation: s, random: random}
		return j.decide()
	}
}

// Ahead is how far clocks of processes may be apart: a slot further in the future
// comes from a clock that was wrong.
const Ahead = time.Minute

// judging is one call of Decide.
type judging struct {
	Situation
	random func() string
	fold   *fold
	// from is the earliest new slot: nothing before it changes.
	from time.Time
	// horizon is the end of time: nothing after it has happened.
	horizon time.Time
}

func (j *judging) decide() Decision {
	j.lookUp()
	j.New = slices.DeleteFunc(slices.Clone(j.New), func(r Result) bool {
		return !judged(j.Monitor, r)
	})
	sortResults(j.New)
	if len(j.New) == 0 {
		return Decision{State: j.Monitor.State}
	}
	j.from = j.New[0].ScheduledAt
	if j.Late {
		j.refold()
	} else {
		j.extend()
	}
	d := Decision{State: j.fold.state}
	d.Incidents = j.reconcile()
	d.Events = append(d.Events, j.degradation()...)
	d.Events = append(d.Events, j.certificates(&d.State)...)
	d.Retries = j.retries()
	return d
}

// lookUp finds the horizon and leaves out what lies beyond it.
func (j *judging) lookUp() {
	j.horizon = j.Horizon()
	j.History = slices.DeleteFunc(slices.Clone(j.History), func(r Result) bool {
		return r.ScheduledAt.After(j.horizon)
	})
	if len(j.New) > 0 && j.Monitor.State.JudgeFrom.After(j.horizon) {
		// Resumed, or made, by a clock that was ahead.
		j.Monitor.State.JudgeFrom = slices.MinFunc(j.New, func(a, b Result) int {
			return a.ScheduledAt.Compare(b.ScheduledAt)
		}).ScheduledAt
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// past gives a time unless it lies beyond the horizon.
func (j *judging) past(t time.Time) time.Time {
	if t.After(j.horizon) {
		return time.Time{}
	}
	return t
}

// extend goes on from the stored state.
func (j *judging) extend() {
	j.fold = newFold(j.Monitor, j.Monitor.State)
	for _, r := range j.New {
		j.fold.add(r)
	}
}

// refold starts from nothing, Lookback results before the earliest new one.
// What lies even further back shows only in how long ago the running streak,
// status or outage began, which is kept from the stored state.
func (j *judging) refold() {
	sortResults(j.History)
	stored := j.Monitor.State
	j.fold = newFold(j.Monitor, blank(stored))
	for _, r := range j.History {
		j.fold.add(r)
	}
	if !j.Cut || len(j.History) == 0 || !j.History[0].ScheduledAt.After(stored.JudgeFrom) {
		return
	}
	start := j.History[0].ScheduledAt
	j.keepOlder(start, stored)
}

// keepOlder takes over from the stored state what began before the fold did.
func (j *judging) keepOlder(start time.Time, stored State) {
	s := &j.fold.state
	if s.Status == stored.Status && j.fold.changes == 0 && stored.Since.Before(start) {
		s.Since = stored.Since
	}
	if s.LastRecovery.IsZero() {
		s.LastRecovery = j.past(stored.LastRecovery)
	}
	ahead := stored.LastSlot.After(j.horizon)
	for name, old := range stored.Regions {
		now, ok := s.Regions[name]
		if !ok {
			if slices.Contains(j.Monitor.Regions, name) && !old.LastSlot.After(j.horizon) {
				s.Regions[name] = old
			}
			continue
		}
		now.Answered = now.Answered || old.Answered
		if now.Failures > 0 && !old.FirstFailure.IsZero() && old.FirstFailure.Before(start) && old.Down == now.Down {
			now.FirstFailure = old.FirstFailure
			if !ahead { // else it counts failures that are still to come
				now.Failures = max(now.Failures, old.Failures)
			}
		}
		s.Regions[name] = now
	}
	s.ConsecutiveFailures = j.fold.longestFailure()
	if s.Outage != nil && stored.Outage != nil && stored.Outage.Started.Before(start) &&
		!stored.Outage.Confirmed.After(j.horizon) && len(j.fold.spans) == 1 {
		out := *stored.Outage
		s.Outage, s.Since = &out, out.Started
		j.fold.spans[0].Outage = out
	}
}

// degradation tells of a status that became or stopped being degraded, once
// for a batch, whatever happened within it.
func (j *judging) degradation() []Event {
	before, after := j.Monitor.State.Status, j.fold.state.Status
	newest := j.New[len(j.New)-1]
	switch {
	case before != Degraded && after == Degraded:
		return []Event{NewEvent(j.random, EventDegraded, j.Monitor, nil, &newest, newest.ScheduledAt)}
	case before == Degraded && after == Up:
		return []Event{NewEvent(j.random, EventRecovered, j.Monitor, nil, &newest, newest.ScheduledAt)}
	}
	return nil
}

// certificates warns once for each certificate and threshold.
func (j *judging) certificates(s *State) []Event {
	var events []Event
	for _, r := range j.New {
		c := r.Certificate
		if c == nil {
			continue
		}
		if !r.ScheduledAt.Before(j.past(j.Monitor.State.LastSlot)) {
			s.CertNotAfter = c.NotAfter
		}
		if !c.ends(r.ScheduledAt) || c.warning() == s.CertWarned {
			continue
		}
		s.CertWarned = c.warning()
		e := NewEvent(j.random, EventCertificate, j.Monitor, nil, &r, r.ScheduledAt)
		e.Data.Certificate = &EventCertificateData{
			Subject: c.Subject, Issuer: c.Issuer, Fingerprint: c.Fingerprint,
			NotAfter: c.NotAfter, WarnDays: c.WarnDays,
		}
		events = append(events, e)
	}
	return events
}

// retries asks for another check of each region that failed without being down
// yet. A retry is a slot of its own; one that would fall on or after the next
// regular slot is not made, because that slot is the next attempt.
func (j *judging) retries() []Job {
	newest := map[string]Result{}
	for _, r := range j.New {
		newest[r.Region] = r
	}
	var jobs []Job
	for _, name := range j.Monitor.Regions {
		r, ok := newest[name]
		region := j.fold.state.Regions[name]
		if !ok || !r.Failed() || region.Down || !r.ScheduledAt.Equal(region.LastSlot) {
			continue
		}
		at := r.ScheduledAt.Add(j.Monitor.RetryInterval).Truncate(time.Millisecond)
		if j.Monitor.RetryInterval <= 0 || !at.Before(NextSlot(j.Monitor.ID, j.Monitor.Interval, r.ScheduledAt)) {
			continue
		}
		jobs = append(jobs, Job{
			MonitorID: j.Monitor.ID, Region: name, ScheduledAt: at,
			Attempt: r.Attempt + 1, Spec: j.Monitor.Spec(),
		})
	}
	return jobs
}
