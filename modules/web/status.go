package web

import (
	"monitor/modules/lang"
	"monitor/modules/uptime"
)

// State is how one status looks on every page: its word, its shape and the name
// that style sheets choose colours by. Trouble is never told by colour alone.
type State struct {
	Key  string // data-state of elements
	Word string // in the catalogue
	Icon string // symbol in the sprite
}

// Pill is a state with what its word is followed by.
type Pill struct {
	State
	More string // "2/3", "for 4 min", or ""
}

// states is the vocabulary of statuses.
func states() map[uptime.Status]State {
	return map[uptime.Status]State{
		uptime.Up:          {"up", lang.Key("status|Up"), "up"},
		uptime.Degraded:    {"degraded", lang.Key("status|Degraded"), "degraded"},
		uptime.Down:        {"down", lang.Key("status|Down"), "down"},
		uptime.Maintenance: {"maintenance", lang.Key("status|Maintenance"), "maintenance"},
		uptime.Paused:      {"paused", lang.Key("status|Paused"), "paused"},
		uptime.Pending:     {"pending", lang.Key("status|Pending"), "pending"},
		uptime.Unknown:     {"unknown", lang.Key("status|Unknown"), "unknown"},
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
func retrying() State { return State{"retrying", lang.Key("status|Retrying"), "retrying"} }

// incidentState is how an incident's status looks.
func incidentState(s uptime.IncidentStatus) State {
	switch s {
	case uptime.IncidentAcknowledged:
		return State{"degraded", lang.Key("incident|Acknowledged"), "check"}
	case uptime.IncidentResolved:
		return State{"up", lang.Key("incident|Resolved"), "up"}
	case uptime.IncidentOpen:
	}
	return State{"down", lang.Key("incident|Open"), "down"}
}

// deliveryState is how a delivery's status looks.
func deliveryState(s uptime.DeliveryStatus) State {
	switch s {
	case uptime.DeliveryDelivered:
		return State{"up", lang.Key("message|Delivered"), "up"}
	case uptime.DeliveryDead:
		return State{"down", lang.Key("message|Failed"), "down"}
	case uptime.DeliverySending:
		return State{"pending", lang.Key("message|Sending"), "pending"}
	case uptime.DeliveryMerged:
		return State{"paused", lang.Key("message|Merged"), "check"}
	case uptime.DeliveryCancelled:
		return State{"paused", lang.Key("message|Cancelled"), "paused"}
	case uptime.DeliveryPending:
	}
	return State{"pending", lang.Key("message|Waiting"), "pending"}
}

// stageWord names a stage of an incident: a key of the catalogue.
func stageWord(s uptime.Stage) string {
	switch s {
	case uptime.StageIdentified:
		return lang.Key("stage|Identified")
	case uptime.StageMonitoring:
		return lang.Key("stage|Monitoring")
	case uptime.StageResolved:
		return lang.Key("stage|Resolved")
	case uptime.StageInvestigating:
	}
	return lang.Key("stage|Investigating")
}

// severityWord names an incident's impact: a key of the catalogue.
func severityWord(s uptime.Severity) string {
	switch s {
	case uptime.SeverityMinor:
		return lang.Key("impact|Minor")
	case uptime.SeverityMajor:
		return lang.Key("impact|Major")
	case uptime.SeverityCritical:
		return lang.Key("impact|Critical")
	case uptime.SeverityNone:
	}
	return lang.Key("impact|None")
}

// eventWord says what an event told: a key of the catalogue.
func eventWord(t uptime.EventType) string {
	switch t {
	case uptime.EventOpened:
		return lang.Key("event|Incident opened")
	case uptime.EventAcknowledged:
		return lang.Key("event|Incident acknowledged")
	case uptime.EventResolved:
		return lang.Key("event|Incident resolved")
	case uptime.EventReminder:
		return lang.Key("event|Reminder")
	case uptime.EventDegraded:
		return lang.Key("event|Monitor degraded")
	case uptime.EventRecovered:
		return lang.Key("event|Monitor recovered")
	case uptime.EventCertificate:
		return lang.Key("event|Certificate expiring")
	case uptime.EventAlarm:
		return lang.Key("event|System alarm")
	case uptime.EventTest:
		return lang.Key("event|Test message")
	}
	return string(t)
}

// kindWord says in words why a check failed: a key of the catalogue.
func kindWord(k uptime.ErrorKind) string {
	words := map[uptime.ErrorKind]string{
		uptime.KindTimeout: lang.Key("Timed out"), uptime.KindDNS: lang.Key("Name not found"),
		uptime.KindConnectRefused: lang.Key("Connection refused"), uptime.KindConnect: lang.Key("No connection"),
		uptime.KindTLS: lang.Key("TLS failed"), uptime.KindCertificate: lang.Key("Certificate not valid"),
		uptime.KindStatus: lang.Key("Unexpected status"), uptime.KindKeyword: lang.Key("Keyword not as expected"),
		uptime.KindAssertion: lang.Key("Assertion failed"), uptime.KindProtocol: lang.Key("Protocol error"),
		uptime.KindBodyTooLarge: lang.Key("Body too large"), uptime.KindRedirects: lang.Key("Too many redirects"),
		uptime.KindNoHeartbeat: lang.Key("No heartbeat"), uptime.KindInternal: lang.Key("Could not check"),
		uptime.KindBlocked: lang.Key("Blocked by policy"), uptime.KindNetwork: lang.Key("Own network suspected"),
	}
	return words[k]
}
