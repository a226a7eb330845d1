package api

import (
	"strings"

	"monitor/modules/uptime"
)

// paged is what every list takes, after its own parameters.
func paged(own ...param) []param {
	return append(own,
		param{name: "limit", kind: whole, least: 1, most: 200, about: "how many at most, 1 to 200; 50 when absent"},
		param{name: "cursor", kind: text, about: "next_cursor of the page before"},
	)
}

func monitorQuery() []param {
	return paged(append(monitorConditions(),
		param{name: "sort", kind: choice, options: []string{"status", "name", "checked", "response", "group"}, about: "status when absent: worst first"},
		direction(),
	)...)
}

// monitorConditions choose monitors.
func monitorConditions() []param {
	return []param{
		{name: "status", kind: choice, options: words(uptime.Statuses()), many: true, split: true, about: "any of these statuses"},
		{name: "type", kind: text, many: true, split: true, about: "any of these types"},
		{name: "tag", kind: text, many: true, about: "a tag's name, or its name and value as team:web; all must match"},
		{name: "group", kind: text, about: "this group and everything below it; / for those without a group"},
		{name: "q", kind: text, about: "text in name, target, group or tags"},
		{name: "enabled", kind: truth, about: "true leaves out paused ones, false leaves only them"},
		{name: "silenced", kind: truth, about: "true leaves only those that are silenced, false leaves them out"},
	}
}

func direction() param {
	return param{name: "dir", kind: choice, options: []string{"asc", "desc"}, about: "asc when absent"}
}

func (q query) monitors() uptime.MonitorFilter {
	f := uptime.MonitorFilter{
		Types: q["type"], Group: q.text("group"), Query: q.text("q"), Enabled: q.truth("enabled"), Silenced: q.truth("silenced"),
		Sort: q.text("sort"), Desc: q.text("dir") == "desc", Tags: q.tags(),
	}
	for _, status := range q["status"] {
		f.Statuses = append(f.Statuses, uptime.Status(status))
	}
	return f
}

func (q query) tags() []uptime.TagFilter {
	var tags []uptime.TagFilter
	for _, tag := range q["tag"] {
		name, value, has := strings.Cut(tag, ":")
		tags = append(tags, uptime.TagFilter{Name: name, Value: value, HasValue: has})
	}
	return tags
}

// window is from and to.
func window(about string) []param {
	return []param{
		{name: "from", kind: moment, about: about + " at or after this time"},
		{name: "to", kind: moment, about: about + " before this time"},
	}
}

func resultQuery() []param {
	own := append(window("scheduled"),
		param{name: "region", kind: text, about: "of this region only"},
		param{name: "status", kind: choice, options: words(resultStatuses()), about: "of this status only"},
		param{name: "include", kind: choice, options: []string{"gaps"}, about: "gaps adds the ranges without results between from and to (the last 24 hours when absent) and why"},
	)
	return paged(own...)
}

func resultStatuses() []uptime.Status {
	return []uptime.Status{uptime.Up, uptime.Degraded, uptime.Down, uptime.Unknown}
}

func (q query) results() uptime.ResultFilter {
	return uptime.ResultFilter{
		From: q.moment("from"), To: q.moment("to"), Region: q.text("region"), Status: uptime.Status(q.text("status")),
	}
}

func statsQuery() []param {
	own := param{name: "window", kind: choice, options: []string{"24h", "7d", "30d", "90d", "1y"}, about: "up to now; 24h when absent; not with from and to"}
	return append([]param{own}, window("checks")...)
}

func incidentQuery() []param {
	own := append([]param{
		{name: "monitor_id", kind: ident, about: "of this monitor only"},
		{name: "severity", kind: choice, options: severities(), many: true, split: true, about: "any of these severities"},
		{name: "tag", kind: text, many: true, about: "of monitors with this tag: its name, or its name and value as team:web; all must match"},
		{name: "group", kind: text, about: "of monitors of this group and everything below it"},
		{name: "q", kind: text, about: "text in the title"},
		{name: "open", kind: truth, about: "true: those that are unresolved; false: those that are resolved"},
	}, window("started")...)
	return paged(own...)
}

func (q query) incidents() uptime.IncidentFilter {
	open := q.truth("open")
	f := uptime.IncidentFilter{
		MonitorID: q.whole("monitor_id"), Unresolved: open != nil && *open, Resolved: open != nil && !*open, From: q.moment("from"), To: q.moment("to"),
		Query: q.text("q"), Group: q.text("group"), Tags: q.tags(),
	}
	for _, severity := range q["severity"] {
		f.Severities = append(f.Severities, uptime.Severity(severity))
	}
	return f
}

func deliveryStatuses() []uptime.DeliveryStatus {
	return []uptime.DeliveryStatus{
		uptime.DeliveryPending, uptime.DeliverySending, uptime.DeliveryDelivered,
		uptime.DeliveryDead, uptime.DeliveryMerged, uptime.DeliveryCancelled,
	}
}

func deliveryQuery() []param {
	return paged(
		param{name: "status", kind: choice, options: words(deliveryStatuses()), about: "of this status only"},
		param{name: "channel_id", kind: ident, about: "to this channel only"},
		param{name: "incident_id", kind: ident, about: "about this incident only"},
		param{name: "monitor_id", kind: ident, about: "about this monitor only"},
	)
}

func (q query) deliveries() uptime.DeliveryFilter {
	return uptime.DeliveryFilter{
		Status: uptime.DeliveryStatus(q.text("status")), ChannelID: q.whole("channel_id"), IncidentID: q.whole("incident_id"),
		MonitorID: q.whole("monitor_id"),
	}
}

func auditQuery() []param {
	own := append([]param{
		{name: "user_id", kind: ident, about: "by this person only"},
		{name: "object_type", kind: text, about: "of things of this kind only: monitor, channel, incident, user, token, passkey …"},
		{name: "object_id", kind: ident, about: "of things with this id only"},
	}, window("done")...)
	return paged(own...)
}

func (q query) audit() uptime.AuditFilter {
	return uptime.AuditFilter{
		UserID: q.whole("user_id"), ObjectType: q.text("object_type"), ObjectID: q.whole("object_id"), From: q.moment("from"), To: q.moment("to"),
	}
}

func eventTypes() []uptime.Topic {
	return []uptime.Topic{uptime.TopicStatus, uptime.TopicIncident, uptime.TopicDelivery, uptime.TopicResult}
}

func eventQuery() []param {
	return []param{
		{name: "types", kind: choice, options: words(eventTypes()), many: true, split: true, about: "events of these types only; result comes only when it is named here or with monitor_id"},
		{name: "monitor_id", kind: ident, about: "events about this monitor only"},
	}
}

// words are typed texts as plain ones.
func words[T ~string](list []T) []string {
	out := make([]string, 0, len(list))
	for _, word := range list {
		out = append(out, string(word))
	}
	return out
}
