package uptime

import "time"

// Lookback is how many results before a late one are read to know what the
// state was then. A result that is late by more than MaxRejudge results is
// stored but changes no verdict.
const (
	Lookback   = 200
	MaxRejudge = 2000
)

// Situation is what the store has read, inside the recording transaction and
// under a lock on the monitor's state, for one monitor of a batch.
type Situation struct {
	Monitor Monitor // State as stored
	// New are the results of this batch that were not stored before, by slot,
	// then region, ascending.
	New []Result
	// Late is set when a new result is not newer than State.LastSlot. History
	// then holds every stored result from Lookback before the earliest new one
	// up to Horizon, New included, ascending. Cut says that there are older ones.
	Late    bool
	History []Result
	Cut     bool
	// Incidents are the monitor's own (not made by hand) that are unresolved,
	// whose outage goes on, or whose outage ended at or after the first result
	// of History (or of New, when not late), ascending by StartedAt.
	Incidents []Incident
	Now       time.Time
}

// Horizon is the end of time: what is stored beyond it has not happened, but was
// left by a clock that was ahead.
func (s Situation) Horizon() time.Time {
	end := s.Now
	for _, r := range s.New {
		end = latest(end, r.ScheduledAt)
	}
	return end.Add(Ahead)
}

// Decision is what becomes of a situation. The store writes it as it is.
type Decision struct {
	State State
	// Changes to incidents, to be written in this order.
	Incidents []IncidentChange
	// Events without an incident.
	Events []Event
	// Retries are checks to be made before the next regular slot, at most one
	// for each region.
	Retries []Job
}

// IncidentChange opens, changes or retracts one incident, with its events.
type IncidentChange struct {
	// Incident with ID 0 is to be inserted.
	Incident Incident
	// Retract deletes it softly: results that came late show that there was
	// no outage.
	Retract bool
	// Updates are added to its timeline.
	Updates []IncidentUpdate
	// Events about it, in order. Where Incident.ID was 0 the store fills
	// IncidentID and Data.Incident.ID.
	Events []Event
}

// Decide is the pure rule that Record applies to each monitor of a batch. It
// is called again when the transaction is repeated.
type Decide func(Situation) Decision

// Recorded is what a committed batch changed.
type Recorded struct {
	Stored int // results that were new
	// Dropped are results of monitors that are paused or deleted, or that lie
	// outside every partition.
	Dropped int
	Retries []Job
	// Notices to be published, in order.
	Notices []Notice
	// Claims are deliveries that were written and claimed at once.
	Claims []Claim
	// Due says that other deliveries were written which may be sent now.
	Due bool
}
