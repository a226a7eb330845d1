package uptime

import "time"

// EventType is what happened.
type EventType string

// The types of the public contract.
const (
	EventOpened       EventType = "incident.opened"
	EventAcknowledged EventType = "incident.acknowledged"
	EventResolved     EventType = "incident.resolved"
	EventReminder     EventType = "incident.reminder"
	EventDegraded     EventType = "monitor.degraded"
	EventRecovered    EventType = "monitor.recovered"
	EventCertificate  EventType = "certificate.expiring"
	EventAlarm        EventType = "system.alarm"
	EventTest         EventType = "test"
)

// Event is something that channels are told of. It is written in the
// transaction of the change that it speaks of (transactional outbox).
type Event struct {
	ID          string // "evt_" and 26 random base32 characters
	WorkspaceID int64
	Type        EventType
	MonitorID   int64 // 0: none
	IncidentID  int64 // 0: none
	At          time.Time
	Data        EventData
}

// EventData is what was true when the event happened. It is stored as JSON.
type EventData struct {
	Monitor     *EventMonitor         `json:"monitor,omitempty"`
	Incident    *EventIncident        `json:"incident,omitempty"`
	Result      *EventResult          `json:"result,omitempty"`
	Certificate *EventCertificateData `json:"certificate,omitempty"`
	Alarm       *EventAlarmData       `json:"alarm,omitempty"`
}

// EventMonitor names the monitor.
type EventMonitor struct {
	ID     int64             `json:"id"`
	Name   string            `json:"name"`
	Type   string            `json:"type"`
	Target string            `json:"target"`
	Tags   map[string]string `json:"tags"`
}

// EventIncident is the incident as it was.
type EventIncident struct {
	ID             int64          `json:"id"`
	Status         IncidentStatus `json:"status"`
	StartedAt      time.Time      `json:"started_at"`
	ResolvedAt     *time.Time     `json:"resolved_at"`
	Cause          string         `json:"cause"`
	ErrorKind      ErrorKind      `json:"error_kind"`
	AcknowledgedBy string         `json:"acknowledged_by,omitempty"`
	// Reason is why it was resolved although nothing recovered, a sentence:
	// "Monitor paused."
	Reason string `json:"reason,omitempty"`
}

// EventResult is the result that the event follows from.
type EventResult struct {
	Status     Status  `json:"status"`
	Error      string  `json:"error"`
	StatusCode *int    `json:"status_code"`
	ResponseMS float64 `json:"response_ms"`
}

// EventCertificateData is the certificate that ends soon.
type EventCertificateData struct {
	Subject     string    `json:"subject"`
	Issuer      string    `json:"issuer"`
	Fingerprint string    `json:"fingerprint"`
	NotAfter    time.Time `json:"not_after"`
	WarnDays    int       `json:"warn_days"`
}

// EventAlarmData says what is wrong with the program itself.
type EventAlarmData struct {
	Kind    AlarmKind `json:"kind"`
	Subject string    `json:"subject"`
	Detail  string    `json:"detail"`
	Ended   bool      `json:"ended"`
}

// AlarmKind is what a system alarm is about.
type AlarmKind string

// The kinds of the public contract.
const (
	AlarmWorkerNetwork AlarmKind = "worker_network"
	AlarmChannelDead   AlarmKind = "channel_dead"
	AlarmClock         AlarmKind = "clock"
	AlarmStorage       AlarmKind = "storage"
)

// Alarm is a system alarm to be raised: told at most once in Every for its kind
// and subject.
type Alarm struct {
	WorkspaceID int64
	Kind        AlarmKind
	Subject     string
	Detail      string
	// About is what the alarm is about besides the program itself: the monitor
	// and incident of a message that was lost.
	About EventData
	// ChannelIDs are told; empty: every channel that wants alarms.
	ChannelIDs []int64
	Every      time.Duration
}

// NewEvent makes an event about a monitor and, unless it is nil, an incident.
// The id comes from random, which must be unguessable and unique.
func NewEvent(random func() string, t EventType, m Monitor, inc *Incident, r *Result, at time.Time) Event {
	e := Event{
		ID: "evt_" + random(), WorkspaceID: m.WorkspaceID, Type: t, MonitorID: m.ID, At: at,
		Data: EventData{Monitor: monitorData(m)},
	}
	if inc != nil {
		e.IncidentID = inc.ID
		e.Data.Incident = incidentData(*inc)
	}
	if r != nil {
		e.Data.Result = resultData(*r)
	}
	return e
}

func monitorData(m Monitor) *EventMonitor {
	tags := m.Tags
	if tags == nil {
		tags = map[string]string{}
	}
	return &EventMonitor{ID: m.ID, Name: m.Name, Type: m.Type, Target: m.Target, Tags: tags}
}

func incidentData(i Incident) *EventIncident {
	d := &EventIncident{
		ID: i.ID, Status: i.Status, StartedAt: i.StartedAt, Cause: i.Cause, ErrorKind: i.ErrorKind,
	}
	if !i.ResolvedAt.IsZero() {
		at := i.ResolvedAt
		d.ResolvedAt = &at
	}
	return d
}

func resultData(r Result) *EventResult {
	d := &EventResult{
		Status: r.Status, Error: r.Error,
		ResponseMS: float64(r.Response) / float64(time.Millisecond),
	}
	if r.StatusCode != 0 {
		code := r.StatusCode
		d.StatusCode = &code
	}
	return d
}
