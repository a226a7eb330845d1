package web

import "monitor/modules/uptime"

// State is how one status looks on every page: its word, its shape and the name
// that style sheets choose colours by. Trouble is never told by colour alone.
type State struct {
	Key  string // data-state of elements
	Word string
	Icon string // symbol in the sprite
}

// Pill is a state with what its word is followed by.
type Pill struct {
	State
	More string // "2/3", "for 4 min", or ""
}

// Text of the pill.
func (p Pill) Text() string {
	if p.More == "" {
		return p.Word
	}
	return p.Word + " " + p.More
}

// states is the vocabulary of statuses.
func states() map[uptime.Status]State {
	return map[uptime.Status]State{
		uptime.Up:          {"up", "Up", "up"},
		uptime.Degraded:    {"degraded", "Degraded", "degraded"},
		uptime.Down:        {"down", "Down", "down"},
		uptime.Maintenance: {"maintenance", "Maintenance", "maintenance"},
		uptime.Paused:      {"paused", "Paused", "paused"},
		uptime.Pending:     {"pending", "Pending", "pending"},
		uptime.Unknown:     {"unknown", "Unknown", "unknown"},
	}
}

// stateOf gives the look of a status; one that is not known looks unknown.
func stateOf(s uptime.Status) State {
	if st, ok := states()[s]; ok {
		return st
	}
	return states()[uptime.Unknown]
}

// retrying is the look of a monitor that failed and is not confirmed down.
func retrying() State { return State{"retrying", "Retrying", "retrying"} }

// incidentState is how an incident's status looks.
func incidentState(s uptime.IncidentStatus) State {
	switch s {
	case uptime.IncidentAcknowledged:
		return State{"degraded", "Acknowledged", "check"}
	case uptime.IncidentResolved:
		return State{"up", "Resolved", "up"}
	case uptime.IncidentOpen:
	}
	return State{"down", "Open", "down"}
}

// deliveryState is how a delivery's status looks.
func deliveryState(s uptime.DeliveryStatus) State {
	switch s {
	case uptime.DeliveryDelivered:
		return State{"up", "Delivered", "up"}
	case uptime.DeliveryDead:
		return State{"down", "Failed", "down"}
	case uptime.DeliverySending:
		return State{"pending", "Sending", "pending"}
	case uptime.DeliveryMerged:
		return State{"paused", "Merged", "check"}
	case uptime.DeliveryCancelled:
		return State{"paused", "Cancelled", "paused"}
	case uptime.DeliveryPending:
	}
	return State{"pending", "Waiting", "pending"}
}

// stageWord names a stage of an incident.
func stageWord(s uptime.Stage) string {
	switch s {
	case uptime.StageIdentified:
		return "Identified"
	case uptime.StageMonitoring:
		return "Monitoring"
	case uptime.StageResolved:
		return "Resolved"
	case uptime.StageInvestigating:
	}
	return "Investigating"
}

// severityWord names an incident's impact.
func severityWord(s uptime.Severity) string {
	switch s {
	case uptime.SeverityMinor:
		return "Minor"
	case uptime.SeverityMajor:
		return "Major"
	case uptime.SeverityCritical:
		return "Critical"
	case uptime.SeverityNone:
	}
	return "None"
}

// eventWord says what an event told.
func eventWord(t uptime.EventType) string {
	switch t {
	case uptime.EventOpened:
		return "Incident opened"
	case uptime.EventAcknowledged:
		return "Incident acknowledged"
	case uptime.EventResolved:
		return "Incident resolved"
	case uptime.EventReminder:
		return "Reminder"
	case uptime.EventDegraded:
		return "Monitor degraded"
	case uptime.EventRecovered:
		return "Monitor recovered"
	case uptime.EventCertificate:
		return "Certificate expiring"
	case uptime.EventAlarm:
		return "System alarm"
	case uptime.EventTest:
		return "Test message"
	}
	return string(t)
}

// kindWord says in words why a check failed.
func kindWord(k uptime.ErrorKind) string {
	words := map[uptime.ErrorKind]string{
		uptime.KindTimeout: "Timed out", uptime.KindDNS: "Name not found",
		uptime.KindConnectRefused: "Connection refused", uptime.KindConnect: "No connection",
		uptime.KindTLS: "TLS failed", uptime.KindCertificate: "Certificate not valid",
		uptime.KindStatus: "Unexpected status", uptime.KindKeyword: "Keyword not as expected",
		uptime.KindAssertion: "Assertion failed", uptime.KindProtocol: "Protocol error",
		uptime.KindBodyTooLarge: "Body too large", uptime.KindRedirects: "Too many redirects",
		uptime.KindNoHeartbeat: "No heartbeat", uptime.KindInternal: "Could not check",
		uptime.KindBlocked: "Blocked by policy", uptime.KindNetwork: "Own network suspected",
	}
	return words[k]
}
