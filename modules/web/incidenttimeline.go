package web

import (
	"cmp"
	"slices"
	"time"

	"monitor/modules/lang"
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
	Audience string
	Internal bool // one of people, for the team alone
	Edited   When
	EditURL  string // "": not by who looks at it
	Edit     *LineForm
	order    int // among those of one moment
}

// audienceOf what people wrote.
func audienceOf(l *lang.Language, internal bool) string {
	if internal {
		return l.T("audience|Internal")
	}
	return l.T("audience|Public")
}

func (s *scene) automatic() string { return s.t("audience|Automatic") }

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
	for _, d := range list.Items {
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
	if why := s.whyUntold(list.Items); why != "" && inc.MonitorID != nil {
		p.Facts = append(p.Facts, Fact{s.t("Told"), why})
	}
	return nil
}

// whyUntold says why nobody was told by these messages, "" where somebody was.
func (s *scene) whyUntold(list []manage.DeliveryView) string {
	switch {
	case len(list) == 0:
		return s.t("Nobody: the monitor had no channel that wants to hear of this.")
	case !slices.ContainsFunc(list, func(d manage.DeliveryView) bool { return d.Status == uptime.DeliveryDelivered }):
		return s.t("Nobody yet: no message has arrived.")
	}
	return ""
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
	start := TimelineRow{State: stateOf(uptime.Down), Word: s.t("First failure"), Message: causeOf(s.lang, inc), At: s.when(inc.StartedAt), Audience: s.automatic()}
	if inc.MonitorID == nil {
		start.Word, start.Message, start.State.Icon = s.t("Started"), "", "flag"
	}
	out := []TimelineRow{start}
	add := func(at *time.Time, state State, word, author string, order int) {
		out = append(out, TimelineRow{State: state, Word: s.t(word), Author: author, At: s.when(*at), Audience: s.automatic(), order: order})
	}
	if !tells(inc.ConfirmedAt, byProgram) {
		add(inc.ConfirmedAt, stateOf(uptime.Down), lang.Key("outage|Confirmed"), "", orderConfirmed)
	}
	if !tells(inc.AcknowledgedAt, func(u manage.UpdateView) bool { return u.Stage == "" }) {
		add(inc.AcknowledgedAt, incidentState(uptime.IncidentAcknowledged), lang.Key("incident|Acknowledged"), inc.AcknowledgedByName, orderAcknowledged)
	}
	ended := func(u manage.UpdateView) bool { return u.Stage == uptime.StageResolved }
	if !tells(inc.RecoveredAt, ended) {
		add(inc.RecoveredAt, stateOf(uptime.Up), lang.Key("monitor|Recovered"), "", orderOver)
	}
	if !tells(inc.ResolvedAt, ended) && (inc.RecoveredAt == nil || !inc.RecoveredAt.Equal(*inc.ResolvedAt)) {
		add(inc.ResolvedAt, incidentState(uptime.IncidentResolved), lang.Key("incident|Resolved"), "", orderOver)
	}
	if inc.Postmortem != nil {
		row := TimelineRow{State: State{"paused", "", "edit"}, Word: s.t("Post-mortem"), At: s.when(inc.Postmortem.WrittenAt), order: orderOver}
		row.Audience = audienceOf(s.lang, !inc.Postmortem.Published)
		out = append(out, row)
	}
	return out
}

func byProgram(u manage.UpdateView) bool { return u.AuthorID == nil }

// line is what the program or somebody wrote; n is its place among those.
func (s *scene) line(inc manage.IncidentView, u manage.UpdateView, n int) TimelineRow {
	row := TimelineRow{
		ID: u.ID, State: State{"paused", "", "note"}, Author: u.Author, Message: u.Message, At: s.when(u.At), Edited: s.whenPtr(u.EditedAt),
		Audience: audienceOf(s.lang, u.Internal), Internal: u.Internal, order: orderLine + n,
	}
	if byProgram(u) {
		row.Audience, row.Internal = s.automatic(), false
	}
	word := "" // a key
	switch {
	case u.Stage == uptime.StageResolved && byProgram(u) && u.Message == lang.Key("Recovered."):
		word, row.State, row.order = lang.Key("monitor|Recovered"), stateOf(uptime.Up), orderOver
	case u.Stage == uptime.StageResolved:
		word, row.State, row.order = stageWord(u.Stage), stateOf(uptime.Up), orderOver
	case byProgram(u) && inc.ConfirmedAt != nil && u.At.Equal(*inc.ConfirmedAt):
		word, row.State, row.order = lang.Key("outage|Confirmed"), stateOf(uptime.Down), orderConfirmed
	case u.Stage != "":
		word = stageWord(u.Stage)
		row.State = State{"degraded", word, "flag"}
	case inc.AcknowledgedAt != nil && u.At.Equal(*inc.AcknowledgedAt):
		word, row.State, row.order = lang.Key("incident|Acknowledged"), incidentState(uptime.IncidentAcknowledged), orderAcknowledged
	}
	if word != "" {
		row.Word = s.t(word)
	}
	switch {
	case u.Message == inEnglish(word)+".":
		row.Message = "" // the word says it
	case byProgram(u), handsOver(u):
		row.Message = s.lang.Said(u.Message)
	}
	return row
}

// inEnglish is what a key says there, which is what is stored.
func inEnglish(key string) string { return (*lang.Language)(nil).T(key) }

// handsOver reports that the program wrote the line for who gave the incident to somebody,
// took it or gave it up; nobody has changed it since.
func handsOver(u manage.UpdateView) bool {
	return u.Internal && u.Stage == "" && u.EditedAt == nil && manage.HandedOver(u.Message)
}

// alert is a message to a channel: when it was sent, or what keeps it.
func (s *scene) alert(d manage.DeliveryView, channel string) TimelineRow {
	channel = cmp.Or(channel, s.t("a deleted channel"))
	row := s.deliveryRow(d)
	out := TimelineRow{State: row.State, At: s.when(d.CreatedAt), Audience: s.automatic(), order: orderAlert, Message: s.t(row.Event)}
	out.State.Icon = "send"
	if n := len(d.Attempts); n > 0 {
		out.At = s.when(d.Attempts[n-1].At)
	}
	switch d.Status {
	case uptime.DeliveryDelivered:
		out.Word = s.t("Alert sent to %s", channel)
		if d.DeliveredAt != nil {
			out.At = s.when(*d.DeliveredAt)
		}
	case uptime.DeliveryDead:
		out.Word = s.t("Alert to %s failed for good", channel)
	case uptime.DeliveryMerged, uptime.DeliveryCancelled:
		out.Word, out.At = s.t("Alert to %s not sent", channel), s.when(d.CreatedAt)
	case uptime.DeliveryPending, uptime.DeliverySending:
		out.Word = s.t("Alert to %s waits", channel)
		if len(d.Attempts) > 0 {
			out.Word, out.State = s.t("Alert to %s failed, it is tried again", channel), State{"degraded", "", "send"}
		}
	}
	if row.Said != "" && d.Status != uptime.DeliveryDelivered {
		out.Message += ": " + row.Said
	}
	return out
}
