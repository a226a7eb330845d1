package uptime

import (
	"encoding/json"
	"time"
)

// Limits and defaults of a monitor, as the public contract states them.
const (
	DefaultInterval           = 60 * time.Second
	DefaultTimeout            = 10 * time.Second
	DefaultRetryInterval      = 20 * time.Second
	DefaultFailuresBeforeDown = 2
	DefaultSuccessesBeforeUp  = 1
	DefaultRegion             = "default"
	MaxInterval               = 30 * 24 * time.Hour
	MaxThreshold              = 20
	MaxNameLength             = 200

	// UndeleteFor is how long a softly deleted monitor, channel or incident
	// can be brought back.
	UndeleteFor = 7 * 24 * time.Hour

	// UnknownGrace is what is added to two intervals before a monitor without
	// a known result is unknown.
	UnknownGrace = 30 * time.Second
)

// Monitor is one thing that is watched, with its judged state.
type Monitor struct {
	ID          int64
	WorkspaceID int64
	// RowKey is random and never changes: sealed secrets are bound to it.
	RowKey string

	Name        string
	Type        string // names the settings block and the probe
	Enabled     bool   // false: paused
	ExternalKey string // unique in the workspace among living monitors, or ""
	Group       string // slash-separated path, or ""

	Interval           time.Duration
	Timeout            time.Duration // not above Interval
	RetryInterval      time.Duration // not above Interval
	FailuresBeforeDown int           // 1–MaxThreshold
	SuccessesBeforeUp  int           // 1–MaxThreshold
	ResendEvery        time.Duration // 0: no reminders
	Regions            []string      // at least one
	MinRegionsDown     int           // 1–len(Regions)

	// Settings is the type's own block as JSON, secrets sealed.
	Settings json.RawMessage
	// Target is what people call the address that is checked, without any
	// credential; drawn from Settings when they are saved, for lists and search.
	Target     string
	Tags       map[string]string
	ChannelIDs []int64 // ascending

	// Silence is the last one, in force or over.
	Silence Silence

	// CheckAt is the extra slot of the last change that asks for a check at
	// once: creation, resume, a new target or interval. Grid slots at or
	// before it do not exist.
	CheckAt time.Time

	// Version rises with every change of the settings above (not with state);
	// it is the ETag. ChangeSeq is the store-wide change sequence of the last
	// change, deletion included; the scheduler reads what changed by it.
	Version   int64
	ChangeSeq int64

	State State
	// Status is derived when read, by one expression of the store: paused,
	// unknown, or the judged state.
	Status Status

	CreatedAt time.Time
	UpdatedAt time.Time
	DeletedAt time.Time // zero: lives
}

// MonitorGauge is what metrics tell of a monitor.
type MonitorGauge struct {
	ID          int64
	Name, Type  string
	Status      Status
	Response    time.Duration // of the newest check
	Certificate time.Time     // end of the one last seen, zero: none
}

// State is what the stored results of one monitor amount to. It is computed by
// Judge alone and stored beside the results in the same transaction.
type State struct {
	Status Status    // Pending, Up, Degraded or Down
	Since  time.Time // since when; the first failure for Down

	// Regions holds the streaks of each region that has answered.
	Regions map[string]RegionState
	// Outage is the confirmed outage that goes on, nil unless Status is Down.
	Outage *Outage
	// LastRecovery is when the outage before it ended, zero if there was none:
	// outages do not overlap.
	LastRecovery time.Time

	// JudgeFrom is the start of judging: creation or the last resume. Results
	// of earlier slots are stored but say nothing about the state.
	JudgeFrom time.Time
	// LastSlot is the newest slot judged; KnownSlot the newest whose result
	// was not unknown.
	LastSlot  time.Time
	KnownSlot time.Time

	// ConsecutiveFailures is the longest running failure streak of a region.
	ConsecutiveFailures int
	// What the newest result said, for display.
	LastResponse  time.Duration
	LastError     string
	LastErrorKind ErrorKind
	LastResult    Status

	// CertNotAfter is the end of the newest certificate seen, zero if none.
	CertNotAfter time.Time
	// CertWarned names the certificate and threshold last warned of.
	CertWarned string
}

// RegionState is the streak of one region, in order of slots.
type RegionState struct {
	Down         bool      `json:"down,omitempty"`
	Answered     bool      `json:"answered,omitempty"` // was up or degraded since judging began
	Degraded     bool      `json:"degraded,omitempty"` // newest success was slow
	Failures     int       `json:"failures,omitempty"`
	Successes    int       `json:"successes,omitempty"` // capped at MaxThreshold
	FirstFailure time.Time `json:"first_failure,omitzero"`
	FirstSuccess time.Time `json:"first_success,omitzero"` // of the running streak, while Down
	LastSlot     time.Time `json:"last_slot,omitzero"`
}

// Outage is one confirmed time of being down.
type Outage struct {
	Started   time.Time `json:"started"`            // slot of the first failure
	Confirmed time.Time `json:"confirmed"`          // slot of the failure that confirmed it
	Recovered time.Time `json:"recovered,omitzero"` // slot of the first success after it; zero: goes on
	Ended     time.Time `json:"ended,omitzero"`     // slot of the success that confirmed the recovery
}

// Retrying reports whether the monitor failed without being down yet, which
// pages call "retrying".
func (m Monitor) Retrying() bool {
	return m.Enabled && m.State.Status != Down && m.State.ConsecutiveFailures > 0
}

// Spec is what a worker must know to check a monitor.
func (m Monitor) Spec() Spec {
	return Spec{
		WorkspaceID: m.WorkspaceID, RowKey: m.RowKey, Type: m.Type,
		Interval: m.Interval, Timeout: m.Timeout, Of: m.CheckAt, Settings: m.Settings,
	}
}
