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
	ConfirmedAt        *time.Time            `json:"confirmed_at"` // of a monitor's: when the failure was certain
	AcknowledgedAt     *time.Time            `json:"acknowledged_at"`
	AcknowledgedBy     *int64                `json:"acknowledged_by"` // user id
	AcknowledgedByName string                `json:"acknowledged_by_name"`
	OwnerID            *int64                `json:"owner_id"` // user id of who takes care of it
	OwnerName          string                `json:"owner_name"`
	NextUpdateBy       *time.Time            `json:"next_update_by"` // null: none is promised
	RecoveredAt        *time.Time            `json:"recovered_at"`   // of a monitor's: the first success
	ResolvedAt         *time.Time            `json:"resolved_at"`
	DurationSeconds    float64               `json:"duration_seconds"` // until now while unresolved
	Cause              string                `json:"cause"`
	ErrorKind          uptime.ErrorKind      `json:"error_kind"`
	Evidence           *uptime.Evidence      `json:"evidence,omitempty"`
	Postmortem         *PostmortemView       `json:"postmortem"` // null: nobody wrote it
	Updates            []UpdateView          `json:"updates"`    // oldest first
	CreatedAt          time.Time             `json:"created_at"`
	UpdatedAt          time.Time             `json:"updated_at"`

	ETag string `json:"-"`
}

// UpdateView is one line of an incident's timeline.
type UpdateView struct {
	ID       int64        `json:"id"`
	At       time.Time    `json:"at"`
	AuthorID *int64       `json:"author_id"` // null: the program
	Author   string       `json:"author"`
	Stage    uptime.Stage `json:"stage"` // "" where it did not change
	Message  string       `json:"message"`
	Internal bool         `json:"internal"` // for the team alone
	EditedAt *time.Time   `json:"edited_at"`
}

// PostmortemView is what was learned from an incident.
type PostmortemView struct {
	Text      string    `json:"text"`
	Published bool      `json:"published"` // may be shown to the public
	WrittenAt time.Time `json:"written_at"`
}

// PersonView is somebody of the workspace, as everybody in it may know them.
type PersonView struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// MayEdit reports whether the actor may change or delete the line.
func (u UpdateView) MayEdit(actor uptime.Actor) bool {
	return u.AuthorID != nil && mayEdit(actor, *u.AuthorID)
}
