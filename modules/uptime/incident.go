package uptime

import "time"

// IncidentStatus says what is to be done about an incident.
type IncidentStatus string

// The statuses of an incident.
const (
	IncidentOpen         IncidentStatus = "open"
	IncidentAcknowledged IncidentStatus = "acknowledged"
	IncidentResolved     IncidentStatus = "resolved"
)

// Stage is how far people are with an incident.
type Stage string

// The stages, in their usual order.
const (
	StageInvestigating Stage = "investigating"
	StageIdentified    Stage = "identified"
	StageMonitoring    Stage = "monitoring"
	StageResolved      Stage = "resolved"
)

// Severity is an incident's impact.
type Severity string

// The severities, least first.
const (
	SeverityNone     Severity = "none"
	SeverityMinor    Severity = "minor"
	SeverityMajor    Severity = "major"
	SeverityCritical Severity = "critical"
)

// Incident is an outage that people are told of, or one made by hand. At most
// one is unresolved for a monitor.
type Incident struct {
	ID          int64
	WorkspaceID int64
	MonitorID   int64   // 0: made by hand
	MonitorIDs  []int64 // of one made by hand
	Title       string
	Status      IncidentStatus
	Stage       Stage
	Severity    Severity
	Cause       string
	ErrorKind   ErrorKind
	Evidence    *Evidence

	StartedAt      time.Time
	ConfirmedAt    time.Time // slot of the failure that confirmed it
	AcknowledgedAt time.Time
	AcknowledgedBy int64 // user id, 0: nobody
	ResolvedAt     time.Time
	// RecoveredAt is the slot of the first success, and EndedAt of the one
	// that confirmed it; both are zero while the monitor is still down, also
	// when somebody resolved the incident by hand.
	RecoveredAt time.Time
	EndedAt     time.Time
	// NextReminderAt is when channels are reminded, zero: never.
	NextReminderAt time.Time

	OwnerID int64 // user id of who takes care of it, 0: nobody
	// NextUpdateBy is when people are promised the next update, zero: they are not.
	NextUpdateBy time.Time
	Postmortem   Postmortem // only of a resolved one

	Updates   []IncidentUpdate // oldest first
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Outage is the outage that an incident of a monitor stands for.
func (i Incident) Outage() Outage {
	return Outage{Started: i.StartedAt, Confirmed: i.ConfirmedAt, Recovered: i.RecoveredAt, Ended: i.EndedAt}
}

// Unresolved reports whether the incident still needs somebody.
func (i Incident) Unresolved() bool { return i.Status != IncidentResolved }

// IncidentUpdate is one line of an incident's timeline.
type IncidentUpdate struct {
	ID         int64
	IncidentID int64
	At         time.Time
	AuthorID   int64  // 0: the program
	Author     string // name of the author when read
	Stage      Stage  // "" where it did not change
	Message    string
	// Internal: for the team alone. What the program writes is: a cause may name what
	// outsiders should not read.
	Internal bool
	EditedAt time.Time // zero: never
}

// Postmortem is what was learned from an incident: plain text.
type Postmortem struct {
	Text      string // "": nobody wrote it
	Published bool   // may be shown to the public
	WrittenAt time.Time
}
