package uptime

import (
	"encoding/json"
	"time"
)

// DeliveryStatus is how far a delivery is.
type DeliveryStatus string

// The statuses of a delivery.
const (
	DeliveryPending   DeliveryStatus = "pending"
	DeliverySending   DeliveryStatus = "sending"
	DeliveryDelivered DeliveryStatus = "delivered"
	DeliveryDead      DeliveryStatus = "dead"
	DeliveryMerged    DeliveryStatus = "merged"
	DeliveryCancelled DeliveryStatus = "cancelled"
)

// Delivery is one event on its way to one channel. (event, channel) is unique.
type Delivery struct {
	ID            int64
	WorkspaceID   int64
	EventID       string
	EventType     EventType
	ChannelID     int64
	IncidentID    int64 // 0: none
	MonitorID     int64 // 0: none
	Status        DeliveryStatus
	Reason        string
	Merges        bool // says the opposite event before it, too
	Attempts      []Attempt
	NextAttemptAt time.Time // zero: none will be made
	HeldUntil     time.Time // the end of the silence that held it back, zero: none did
	CreatedAt     time.Time
	DeliveredAt   time.Time
}

// Since is from when on it could be sent: its age counts from here.
func (d Delivery) Since() time.Time {
	if d.HeldUntil.After(d.CreatedAt) {
		return d.HeldUntil
	}
	return d.CreatedAt
}

// deliveryNotice is what an event stream shows of a delivery.
type deliveryNotice struct {
	ID        int64          `json:"id"`
	EventID   string         `json:"event_id"`
	EventType EventType      `json:"event_type"`
	ChannelID int64          `json:"channel_id"`
	MonitorID *int64         `json:"monitor_id"`
	Status    DeliveryStatus `json:"status"`
}

// Notice says on the bus that the delivery changed. Its data is what an event
// stream shows.
func (d Delivery) Notice() Notice {
	shown := deliveryNotice{ID: d.ID, EventID: d.EventID, EventType: d.EventType, ChannelID: d.ChannelID, Status: d.Status}
	if d.MonitorID != 0 {
		shown.MonitorID = &d.MonitorID
	}
	n := Notice{Topic: TopicDelivery, WorkspaceID: d.WorkspaceID, ID: d.ID}
	n.Data, _ = json.Marshal(shown) // numbers and strings cannot fail
	return n
}

// AttemptOutcome is how an attempt ended.
type AttemptOutcome string

// The outcomes of an attempt.
const (
	AttemptOK        AttemptOutcome = "ok"
	AttemptRetry     AttemptOutcome = "retry"
	AttemptPermanent AttemptOutcome = "permanent"
)

// Attempt is one try to deliver.
type Attempt struct {
	N          int
	At         time.Time
	Duration   time.Duration
	Outcome    AttemptOutcome
	StatusCode int
	Error      string
}

// Claim is a delivery that this notifier alone may attempt until its lease
// ends, with what it needs to do so.
type Claim struct {
	Delivery Delivery
	// N is the number of the attempt to be made, from 1 without a gap. It is
	// the fence: a result is committed only under the number claimed last.
	N       int
	Event   Event
	Channel Channel
}

// AttemptResult is what a claim came to.
type AttemptResult struct {
	Attempt Attempt
	Status  DeliveryStatus // Pending (try again), Delivered or Dead
	Next    time.Time      // of Pending
	Reason  string         // of Dead
	// DisableChannel disables the channel with Reason.
	DisableChannel bool
}
