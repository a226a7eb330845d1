package manage

import (
	"encoding/json"
	"time"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

// MonitorView is a monitor as the public contract shows it, secrets masked. As
// JSON it holds the settings under the name of the type.
type MonitorView struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Type        string `json:"type"`
	Enabled     bool   `json:"enabled"`
	ExternalKey string `json:"external_key"`
	Group       string `json:"group"`

	Interval           form.Duration `json:"interval"`
	Timeout            form.Duration `json:"timeout"`
	RetryInterval      form.Duration `json:"retry_interval"`
	FailuresBeforeDown int           `json:"failures_before_down"`
	SuccessesBeforeUp  int           `json:"successes_before_up"`
	ResendEvery        form.Duration `json:"resend_every"`
	Regions            []string      `json:"regions"`
	MinRegionsDown     int           `json:"min_regions_down"`

	// Settings is the type's block; in JSON it stands here, under its name.
	Settings json.RawMessage `json:"-"`

	Target     string            `json:"target"`
	Tags       map[string]string `json:"tags"`
	ChannelIDs []int64           `json:"channel_ids"`

	Status               uptime.Status    `json:"status"`
	StatusSince          *time.Time       `json:"status_since"`
	ConsecutiveFailures  int              `json:"consecutive_failures"`
	LastCheckedAt        *time.Time       `json:"last_checked_at"`
	LastResponseMS       *float64         `json:"last_response_ms"`
	LastError            *string          `json:"last_error"`
	LastErrorKind        uptime.ErrorKind `json:"last_error_kind,omitempty"`
	CertificateExpiresAt *time.Time       `json:"certificate_expires_at"`
	// SilencedUntil is the end of the silence that holds, nil for none.
	SilencedUntil *time.Time `json:"silenced_until"`
	SilencedBy    string     `json:"silenced_by,omitempty"`
	SilenceNote   string     `json:"silence_note,omitempty"`
	CreatedAt     time.Time  `json:"created_at"`
	UpdatedAt     time.Time  `json:"updated_at"`

	// Retrying: failed, not down yet.
	Retrying bool `json:"-"`
	// FailingRegions is how many of its regions fail now, confirmed or not.
	FailingRegions int `json:"-"`
	// ETag is the strong validator of the version, quotes included.
	ETag string `json:"-"`
}

// FacetsView counts monitors by one thing at a time: a count is how many a list would
// have if this were asked for and its other conditions stayed as they are.
type FacetsView struct {
	Total    int64                   `json:"total"` // of the filter as it is
	Statuses map[uptime.Status]int64 `json:"statuses"`
	Types    map[string]int64        `json:"types"`
	Groups   map[string]int64        `json:"groups"` // by the path that monitors have, "" for none; empty where there are thousands
	Tags     []TagCountView          `json:"tags"`   // most used first, at most 100
}

// TagCountView is how many monitors have a tag.
type TagCountView struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Count int64  `json:"count"`
}

// GroupView is monitors of one group, without those below it.
type GroupView struct {
	Path   string // "" of those without one
	Worst  uptime.Status
	Counts uptime.StatusCounts
	Rows   []MonitorView // the worst, not all where there are many
}

// Counts are the living monitors by status, every status included.
type Counts map[uptime.Status]int64

// TagsAndGroups are the names in use, for filters and completion.
type TagsAndGroups struct {
	Tags   map[string][]string // values by name, sorted
	Groups []string            // sorted
}
