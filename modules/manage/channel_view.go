package manage

import (
	"encoding/json"
	"time"

	"monitor/modules/uptime"
)

// ChannelView is a channel as the public contract shows it, secrets masked.
type ChannelView struct {
	ID                int64           `json:"id"`
	Name              string          `json:"name"`
	Type              string          `json:"type"`
	Enabled           bool            `json:"enabled"`
	IsDefault         bool            `json:"is_default"`
	SendResolved      bool            `json:"send_resolved"`
	SendDegraded      bool            `json:"send_degraded"`
	FallbackChannelID *int64          `json:"fallback_channel_id"`
	Settings          json.RawMessage `json:"settings"`
	DisabledReason    string          `json:"disabled_reason"`
	Target            string          `json:"target"`
	UsedBy            int             `json:"used_by"`
	LastDelivery      *DeliveryView   `json:"last_delivery"`
	Endpoint          EndpointView    `json:"endpoint"`
	CreatedAt         time.Time       `json:"created_at"`
	UpdatedAt         time.Time       `json:"updated_at"`

	ETag string `json:"-"`
}

// EndpointView is how the endpoint does, by the worst word of all processes that
// send: closed lets every message through, open none until RetryAt.
type EndpointView struct {
	State               uptime.BreakerState `json:"state"`
	InFlight            int                 `json:"in_flight"`
	ConsecutiveFailures int                 `json:"consecutive_failures"`
	RetryAt             *time.Time          `json:"retry_at"`
}

// ChannelTestView is what the two messages of a test came to.
type ChannelTestView struct {
	OK       bool              `json:"ok"` // both were taken
	Attempts []TestAttemptView `json:"attempts"`
}

// TestAttemptView is one message of a test. Type is what it shows.
type TestAttemptView struct {
	Type       uptime.EventType `json:"type"`
	StatusCode *int             `json:"status_code"`
	DurationMS float64          `json:"duration_ms"`
	Answer     string           `json:"answer"`
	Error      string           `json:"error"`
}

// DeliveryView is a delivery as the public contract shows it.
type DeliveryView struct {
	ID            int64                 `json:"id"`
	EventID       string                `json:"event_id"`
	EventType     uptime.EventType      `json:"event_type"`
	ChannelID     int64                 `json:"channel_id"`
	IncidentID    *int64                `json:"incident_id"`
	MonitorID     *int64                `json:"monitor_id"`
	Status        uptime.DeliveryStatus `json:"status"`
	Attempts      []AttemptView         `json:"attempts"`
	NextAttemptAt *time.Time            `json:"next_attempt_at"`
	CreatedAt     time.Time             `json:"created_at"`
	DeliveredAt   *time.Time            `json:"delivered_at"`
	Reason        string                `json:"reason"`
}

// AttemptView is one try to deliver.
type AttemptView struct {
	N          int                   `json:"n"`
	At         time.Time             `json:"at"`
	DurationMS float64               `json:"duration_ms"`
	Outcome    uptime.AttemptOutcome `json:"outcome"`
	StatusCode *int                  `json:"status_code"`
	Error      string                `json:"error"`
}
