package uptime

import (
	"encoding/json"
	"time"
)

// Channel is a way to tell people or programs of events.
type Channel struct {
	ID                int64
	WorkspaceID       int64
	RowKey            string
	Name              string
	Type              string
	Enabled           bool
	IsDefault         bool // used by new monitors, and told of system alarms
	SendResolved      bool
	SendDegraded      bool
	FallbackChannelID int64           // 0: none
	Settings          json.RawMessage // secrets sealed
	DisabledReason    string          // why the program disabled it, or ""
	Version           int64
	CreatedAt         time.Time
	UpdatedAt         time.Time
	DeletedAt         time.Time

	// LastDelivery is the newest finished one, nil if none; for lists.
	LastDelivery *Delivery
	UsedBy       int // monitors that name it; for lists
}

// Wants reports whether the channel is to be told of events of this type.
func (c Channel) Wants(t EventType) bool {
	if !c.Enabled || !c.DeletedAt.IsZero() {
		return false
	}
	switch t {
	case EventResolved:
		return c.SendResolved
	case EventDegraded, EventRecovered:
		return c.SendDegraded
	case EventAlarm:
		return c.IsDefault
	case EventTest:
		return false
	default:
		return true
	}
}

// Message is what a channel sends.
type Message struct {
	// ID is the event's: the same for every channel and every attempt, so that
	// a receiver can drop a repeat.
	ID        string
	Type      EventType
	TestOf    EventType // of a test: what it shows
	Timestamp time.Time // of the event
	Data      EventData
	// Merged says that the opposite event before it was never delivered and
	// this message speaks of both.
	Merged bool
	// Attempt counts from 1; AttemptAt is when it was begun.
	Attempt   int
	AttemptAt time.Time
}

// Answer is what an endpoint said.
type Answer struct {
	StatusCode int           // HTTP or SMTP code, 0: none
	Duration   time.Duration // of the whole attempt
	Text       string        // its own words, clean, at most 1 KiB
}

// SendError says how a message that was not delivered failed. Its text never
// holds a secret of the channel.
type SendError struct {
	Permanent  bool          // never try again
	Disable    bool          // the endpoint asks for no more messages: disable the channel
	RetryAfter time.Duration // the endpoint's wish, 0: none; at most an hour is honoured
	StatusCode int
	Reason     string
	Err        error
}

// Error gives the reason.
func (e *SendError) Error() string { return e.Reason }

// Unwrap gives the cause.
func (e *SendError) Unwrap() error { return e.Err }

// EndpointState is how the endpoint of a channel does, as those who send see it.
type EndpointState struct {
	ChannelID           int64
	State               BreakerState
	InFlight            int
	ConsecutiveFailures int
	// RetryAt is when one message is let through again, zero while closed.
	RetryAt time.Time
}

// BreakerState is the state of an endpoint's circuit breaker.
type BreakerState string

// The states: closed lets all messages through, open none, half open one.
const (
	BreakerClosed   BreakerState = "closed"
	BreakerOpen     BreakerState = "open"
	BreakerHalfOpen BreakerState = "half_open"
)
