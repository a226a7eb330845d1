package web

import (
	"cmp"
	"slices"
	"time"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// TimelineRow is one line of the timeline.
type TimelineRow struct {
	ID       int64 // of an update, 0: it has none
	State    State
	Word     string
	Author   string
	Message  string
	At       When
	Audience string // "Public", "Internal" or "Automatic"
	Edited   When
	EditURL  string // "": not by who looks at it
	Edit     *LineForm
	order    int // among those of one moment
}

// audiences of a line.
const (
	forAll    = "Public"
	forTeam   = "Internal"
	automatic = "Automatic"
)

func audienceOf(internal bool) string {
	if internal {
		return forTeam
	}
	return forAll
}

// deliveriesShown bounds the messages in a timeline.
const deliveriesShown = 50

// fillTimeline merges what the program saw and did with what people wrote, newest first.
func (p *IncidentPage) fillTimeline(r *request, s *scene, inc manage.IncidentView) error {
	list, err := r.web.deps.Manage.Deliveries(r.Request().Context(), r.actor, uptime.DeliveryFilter{IncidentID: inc.ID}, uptime.Page{Limit: deliveriesShown})
	if err != nil {
		return err
	}
	names, err := r.channelNames()
	if err != nil {
		return err
	}
	rows := s.milestones(inc)
	told := false
	for _, d := range list.Items {
		told = told || d.Status == uptime.DeliveryDelivered
		rows = append(rows, s.alert(d, names[d.ChannelID]))
	}
	for i, u := range inc.Updates {
		row := s.line(inc, u, i)
		if u.MayEdit(r.actor) && p.CanEdit {
			row.EditURL = p.Row.URL + "?edit=" + itoa(u.ID) + "#u" + itoa(u.ID)
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b TimelineRow) int {
		return cmp.Or(b.At.At.Compare(a.At.At), cmp.Compare(b.order, a.order))
	})
	p.Timeline, p.Older = rows, list.Next != ""
	if inc.MonitorID != nil && len(list.Items) == 0 {
		p.Facts = append(p.Facts, Fact{"Told", "Nobody: the monitor had no channel that wants to hear of this."})
	} else if inc.MonitorID != nil && !told {
		p.Facts = append(p.Facts, Fact{"Told", "Nobody yet: no message has arrived."})
	}
	return nil
}

// The order of what happened at one moment.
const (
	orderStart = iota
	orderConfirmed
	orderAlert
	orderAcknowledged
	orderLine // and those behind it
	orderOver = 1 << 30
)

// milestones are the automatic events that no line of the timeline tells of.
func (s *scene) milestones(inc manage.IncidentView) []TimelineRow {
	tells := func(at *time.Time, kind func(manage.UpdateView) bool) bool {
		return at == nil || slices.ContainsFunc(inc.Updates, func(u manage.UpdateView) bool { return u.At.Equal(*at) && kind(u) })
	}
	start := TimelineRow{State: stateOf(uptime.Down), Word: "First failure", Message: inc.Cause, At: s.when(inc.StartedAt), Audience: automatic}
	if inc.MonitorID == nil {
		start.Word, start.Message, start.State.Icon = "Started", "", "flag"
	}
	out := []TimelineRow{start}
	add := func(at *time.Time, state State, word, author string, order int) {
		out = append(out, TimelineRow{State: state, Word: word, Author: author, At: s.when(*at), Audience: automatic, order: order})
	}
	if !tells(inc.ConfirmedAt, byProgram) {
		add(inc.ConfirmedAt, stateOf(uptime.Down), "Confirmed", "", orderConfirmed)
	}
	if !tells(inc.AcknowledgedAt, func(u manage.UpdateView) bool { return u.Stage == "" }) {
		add(inc.AcknowledgedAt, incidentState(uptime.IncidentAcknowledged), "Acknowledged", inc.AcknowledgedByName, orderAcknowledged)
	}
	ended := func(u manage.UpdateView) bool { return u.Stage == uptime.StageResolved }
	if !tells(inc.RecoveredAt, ended) {
		add(inc.RecoveredAt, stateOf(uptime.Up), "Recovered", "", orderOver)
	}
	if !tells(inc.ResolvedAt, ended) && (inc.RecoveredAt == nil || !inc.RecoveredAt.Equal(*inc.ResolvedAt)) {
		add(inc.ResolvedAt, incidentState(uptime.IncidentResolved), "Resolved", "", orderOver)
	}
	if inc.Postmortem != nil {
		row := TimelineRow{State: State{"paused", "", "edit"}, Word: "Post-mortem", At: s.when(inc.Postmortem.WrittenAt), order: orderOver}
		row.Audience = audienceOf(!inc.Postmortem.Published)
		out = append(out, row)
	}
	return out
}

func byProgram(u manage.UpdateView) bool { return u.AuthorID == nil }

// line is what the program or somebody wrote; n is its place among those.
func (s *scene) line(inc manage.IncidentView, u manage.UpdateView, n int) TimelineRow {
	row := TimelineRow{
		ID: u.ID, State: State{"paused", "", "note"}, Author: u.Author, Message: u.Message, At: s.when(u.At), Edited: s.whenPtr(u.EditedAt),
		Audience: audienceOf(u.Internal), order: orderLine + n,
	}
	if byProgram(u) {
		row.Audience = automatic
	}
	switch {
	case u.Stage == uptime.StageResolved && byProgram(u) && u.Message == "Recovered.":
		row.Word, row.State, row.Message, row.order = "Recovered", stateOf(uptime.Up), "", orderOver
	case u.Stage == uptime.StageResolved:
		row.Word, row.State, row.order = stageWord(u.Stage), stateOf(uptime.Up), orderOver
	case byProgram(u) && inc.ConfirmedAt != nil && u.At.Equal(*inc.ConfirmedAt):
		row.Word, row.State, row.order = "Confirmed", stateOf(uptime.Down), orderConfirmed
	case u.Stage != "":
		row.Word = stageWord(u.Stage)
		row.State = State{"degraded", row.Word, "flag"}
	case inc.AcknowledgedAt != nil && u.At.Equal(*inc.AcknowledgedAt):
		row.Word, row.State, row.order = "Acknowledged", incidentState(uptime.IncidentAcknowledged), orderAcknowledged
	}
	if row.Message == row.Word+"." {
		row.Message = "" // the word says it
	}
	return row
}

// alert is a message to a channel: when it was sent, or what keeps it.
func (s *scene) alert(d manage.DeliveryView, channel string) TimelineRow {
	channel = cmp.Or(channel, "a deleted channel")
	row := s.deliveryRow(d)
	out := TimelineRow{State: row.State, At: s.when(d.CreatedAt), Audience: automatic, order: orderAlert, Message: row.Event}
	out.State.Icon = "send"
	if n := len(d.Attempts); n > 0 {
		out.At = s.when(d.Attempts[n-1].At)
	}
	switch d.Status {
	case uptime.DeliveryDelivered:
		out.Word = "Alert sent to " + channel
		if d.DeliveredAt != nil {
			out.At = s.when(*d.DeliveredAt)
		}
	case uptime.DeliveryDead:
		out.Word = "Alert to " + channel + " failed for good"
	case uptime.DeliveryMerged, uptime.DeliveryCancelled:
		out.Word, out.At = "Alert to "+channel+" not sent", s.when(d.CreatedAt)
	case uptime.DeliveryPending, uptime.DeliverySending:
		out.Word = "Alert to " + channel + " waits"
		if len(d.Attempts) > 0 {
			out.Word, out.State = "Alert to "+channel+" failed, it is tried again", State{"degraded", "", "send"}
		}
	}
	if row.Said != "" && d.Status != uptime.DeliveryDelivered {
		out.Message += ": " + row.Said
	}
	return out
}
