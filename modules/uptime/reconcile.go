package uptime

import (
	"slices"
	"strings"
	"time"
)

// reconcile makes the monitor's incidents fit the outages that the fold saw.
// An incident and an outage that overlap in time are the same one. Retractions
// come first and openings last, so that at no moment two are unresolved.
func (j *judging) reconcile() []IncidentChange {
	stored := slices.Clone(j.Incidents)
	slices.SortFunc(stored, func(a, b Incident) int { return a.StartedAt.Compare(b.StartedAt) })
	matched := make([]bool, len(stored))
	var moved, opened []IncidentChange
	// The newest outage chooses first: an unresolved incident stays with the
	// outage that goes on.
	for _, sp := range slices.Backward(j.fold.spans) {
		if !sp.Ended.IsZero() && sp.Ended.Before(j.from) {
			continue
		}
		if i := overlapping(stored, matched, sp.Outage); i >= 0 {
			matched[i] = true
			if change, ok := j.move(stored[i], sp); ok {
				moved = append(moved, change)
			}
			continue
		}
		opened = append(opened, j.open(sp))
	}
	var retracted []IncidentChange
	for i, inc := range stored {
		if matched[i] || (!inc.EndedAt.IsZero() && inc.EndedAt.Before(j.from)) {
			continue
		}
		if change, ok := j.strike(inc); ok {
			retracted = append(retracted, change)
		}
	}
	// Those that end are written before one that opens again.
	slices.SortStableFunc(moved, func(a, b IncidentChange) int {
		return boolInt(a.Incident.Unresolved()) - boolInt(b.Incident.Unresolved())
	})
	slices.Reverse(opened)
	return slices.Concat(retracted, moved, opened)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// overlapping is the newest incident not taken yet that shares time with the
// outage, or -1.
func overlapping(stored []Incident, taken []bool, out Outage) int {
	for i, inc := range slices.Backward(stored) {
		if !taken[i] && inc.Outage().overlaps(out) {
			return i
		}
	}
	return -1
}

// overlaps reports whether two outages share time.
func (o Outage) overlaps(other Outage) bool {
	return (o.Recovered.IsZero() || other.Started.Before(o.Recovered)) &&
		(other.Recovered.IsZero() || o.Started.Before(other.Recovered))
}

// equal compares instants.
func (o Outage) equal(other Outage) bool {
	return o.Started.Equal(other.Started) && o.Confirmed.Equal(other.Confirmed) &&
		o.Recovered.Equal(other.Recovered) && o.Ended.Equal(other.Ended)
}

// move fits a stored incident to its outage; false when nothing changes.
func (j *judging) move(inc Incident, sp span) (IncidentChange, bool) {
	if inc.Outage().equal(sp.Outage) {
		return IncidentChange{}, false
	}
	wasOver := !inc.RecoveredAt.IsZero()
	byHand := !inc.Unresolved() && !wasOver
	inc.StartedAt, inc.ConfirmedAt = sp.Started, sp.Confirmed
	inc.RecoveredAt, inc.EndedAt = sp.Recovered, sp.Ended
	change := IncidentChange{Incident: inc}
	switch {
	case byHand:
	case wasOver && sp.Ended.IsZero():
		j.reopen(&change)
	case !sp.Ended.IsZero():
		j.resolve(&change, sp, !wasOver)
	}
	return change, true
}

// reopen takes back a recovery that a late result disproved.
func (j *judging) reopen(c *IncidentChange) {
	inc := &c.Incident
	inc.Status, inc.Stage, inc.ResolvedAt = IncidentOpen, StageInvestigating, time.Time{}
	if !inc.AcknowledgedAt.IsZero() {
		inc.Status = IncidentAcknowledged
	}
	j.remind(inc)
	c.Updates = append(c.Updates, IncidentUpdate{
		At: j.Now, Stage: StageInvestigating, Internal: true, Message: Say("Still down: a result that came late disproved the recovery."),
	})
	c.Events = append(c.Events, NewEvent(j.random, EventOpened, j.Monitor, inc, &j.New[len(j.New)-1], j.Now))
}

// resolve ends an incident with its outage. tell is false when only the time
// of a recovery that was told before has moved.
func (j *judging) resolve(c *IncidentChange, sp span, tell bool) {
	inc := &c.Incident
	inc.Status, inc.Stage = IncidentResolved, StageResolved
	inc.ResolvedAt, inc.NextReminderAt = sp.Recovered, time.Time{}
	if !tell {
		return
	}
	c.Updates = append(c.Updates, IncidentUpdate{At: sp.Recovered, Stage: StageResolved, Internal: true, Message: Say("Recovered.")})
	c.Events = append(c.Events, NewEvent(j.random, EventResolved, j.Monitor, inc, sp.recovery, sp.Recovered))
}

// open makes the incident of an outage, which may be over already.
func (j *judging) open(sp span) IncidentChange {
	cause := sp.cause
	if cause == nil {
		cause = &j.New[0]
	}
	inc := Incident{
		WorkspaceID: j.Monitor.WorkspaceID, MonitorID: j.Monitor.ID,
		Title:  Say("%s is down", j.Monitor.Name),
		Status: IncidentOpen, Stage: StageInvestigating, Severity: SeverityMajor,
		Cause: cause.Error, ErrorKind: cause.ErrorKind, Evidence: cause.Evidence,
		StartedAt: sp.Started, ConfirmedAt: sp.Confirmed,
		RecoveredAt: sp.Recovered, EndedAt: sp.Ended,
	}
	j.remind(&inc)
	c := IncidentChange{Incident: inc, Updates: []IncidentUpdate{{
		At: sp.Confirmed, Stage: StageInvestigating, Internal: true, Message: confirmation(j.Monitor, cause),
	}}}
	c.Events = append(c.Events, NewEvent(j.random, EventOpened, j.Monitor, &inc, cause, sp.Confirmed))
	if !sp.Ended.IsZero() {
		j.resolve(&c, sp, true)
	}
	return c
}

func confirmation(m Monitor, cause *Result) string {
	if m.FailuresBeforeDown == 1 {
		return Say("Down: %s", cause.Error)
	}
	return Say("Down after %d failed checks in a row: %s", m.FailuresBeforeDown, cause.Error)
}

// remind plans the first reminder, counted from now: late news needs no burst.
func (j *judging) remind(inc *Incident) {
	if j.Monitor.ResendEvery > 0 && inc.Status == IncidentOpen {
		inc.NextReminderAt = j.Now.Add(j.Monitor.ResendEvery)
	}
}

// strike deals with an incident that no outage stands behind. One that was
// confirmed at or after the first new result is retracted: there was no outage;
// so is one whose outage turned out to be part of another's. An older one was
// right when it was made (the thresholds may have changed since) and ends where
// the state that holds now began.
func (j *judging) strike(inc Incident) (IncidentChange, bool) {
	over := !inc.RecoveredAt.IsZero()
	retract := !inc.ConfirmedAt.Before(j.from) || j.absorbed(inc)
	if over && !retract {
		return IncidentChange{}, false
	}
	c := IncidentChange{Incident: inc, Retract: retract}
	end := j.fold.state.Since
	if end.Before(inc.StartedAt) {
		end = inc.StartedAt
	}
	tell := inc.Unresolved()
	c.Incident.RecoveredAt, c.Incident.EndedAt = end, end
	if tell {
		if c.Retract {
			c.Incident.Cause = CleanLine(sentences(inc.Cause, Say("Withdrawn: a result that came late shows that it was not down.")), 1024)
		}
		newest := j.New[len(j.New)-1]
		j.resolve(&c, span{Outage: c.Incident.Outage(), recovery: &newest}, true)
	}
	return c, true
}

// absorbed reports whether the incident's time belongs to an outage that
// another incident stands for now.
func (j *judging) absorbed(inc Incident) bool {
	return slices.ContainsFunc(j.fold.spans, func(sp span) bool {
		return sp.overlaps(inc.Outage())
	})
}

// sentences puts one after the other, each with its full stop.
func sentences(first, second string) string {
	first = strings.TrimRight(first, ". ")
	if first == "" {
		return second
	}
	return first + ". " + second
}

// Halt is the rule for a monitor that stops being judged: paused or deleted.
// going is its own incident that is unresolved or whose outage goes on, nil if
// there is none. It gives the state that holds from then on and the end of the
// incident, with the event that tells the channels; nil when there is nothing
// to end. why is a sentence for people: "Monitor paused."
func Halt(random func() string, m Monitor, going *Incident, why string, at time.Time) (State, *IncidentChange) {
	state := blank(m.State)
	state.Since, state.JudgeFrom = at, at
	if going == nil {
		return state, nil
	}
	inc := *going
	tell := inc.Unresolved()
	inc.RecoveredAt, inc.EndedAt = at, at
	if !tell {
		return state, &IncidentChange{Incident: inc}
	}
	inc.Status, inc.Stage, inc.ResolvedAt = IncidentResolved, StageResolved, at
	inc.NextReminderAt = time.Time{}
	inc.Cause = CleanLine(sentences(inc.Cause, why), 1024)
	told := NewEvent(random, EventResolved, m, &inc, nil, at)
	told.Data.Incident.Reason = why
	return state, &IncidentChange{
		Incident: inc,
		Updates:  []IncidentUpdate{{At: at, Stage: StageResolved, Internal: true, Message: why}},
		Events:   []Event{told},
	}
}
