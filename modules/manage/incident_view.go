package manage

import (
	"time"

	"monitor/modules/uptime"
)

// IncidentView is an incident as the public contract shows it.
type IncidentView struct {
	ID                 int64                 `json:"id"`
	MonitorID          *int64                `json:"monitor_id"` // null: made by hand
	MonitorIDs         []int64               `json:"monitor_ids"`
	Title              string                `json:"title"`
	Status             uptime.IncidentStatus `json:"status"`
	Stage              uptime.Stage          `json:"stage"`
	Severity           uptime.Severity       `json:"severity"`
	StartedAt          time.Time             `json:"started_at"`
	AcknowledgedAt     *time.Time            `json:"acknowledged_at"`
	AcknowledgedBy     *int64                `json:"acknowledged_by"` // user id
	AcknowledgedByName string                `json:"acknowledged_by_name"`
	ResolvedAt         *time.Time            `json:"resolved_at"`
	DurationSeconds    float64               `json:"duration_seconds"` // until now while unresolved
	Cause              string                `json:"cause"`
	ErrorKind          uptime.ErrorKind      `json:"error_kind"`
	Evidence           *uptime.Evidence      `json:"evidence,omitempty"`
	Updates            []UpdateView          `json:"updates"` // oldest first
	CreatedAt          time.Time             `json:"created_at"`
	UpdatedAt          time.Time             `json:"updated_at"`

	// ConfirmedAt is the slot of the failure that confirmed it.
	ConfirmedAt *time.Time `json:"-"`
	ETag        string     `json:"-"`
}

// UpdateView is one line of an incident's timeline.
type UpdateView struct {
	ID       int64        `json:"id"`
	At       time.Time    `json:"at"`
	AuthorID *int64       `json:"author_id"` // null: the program
	Author   string       `json:"author"`
	Stage    uptime.Stage `json:"stage"` // "" where it did not change
	Message  string       `json:"message"`
}
