package web

import (
	"cmp"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// OverviewPage answers "is anything wrong, and what changed".
type OverviewPage struct {
	Frame
	None      bool
	State     State // the worst
	Headline  string
	Under     string
	Counts    []CountTile
	Attention []MonitorRow
	More      int64 // need attention beyond those shown
	Incidents []IncidentRow
	Log       []LogLine
	Groups    []GroupTile
	MoreTiles int64 // groups beyond those shown
	Steps     []Step
	Read      When
}

// CountTile is how many monitors have a status.
type CountTile struct {
	State State
	N     int64
	URL   string
}

// LogLine is one thing that happened.
type LogLine struct {
	State State
	Text  string
	Why   string
	URL   string
	At    When
}

// ClockMark is the time of day as an element, for a sentence that it stands in.
func (w When) ClockMark() template.HTML { return w.element(w.Clock()) }

const maxAttention = 20

// maxOpen is how many open incidents it names.
const maxOpen = 8

func (w *Web) overview(r *request) error {
	s, err := r.scene(r.t("Overview"), "Overview")
	if err != nil {
		return err
	}
	p := OverviewPage{Frame: s.frame, Read: s.when(r.now)}
	p.Live, p.Crumbs = true, []Crumb{{Label: s.t("Overview")}}
	p.None = uptime.StatusCounts(s.counts).Total() == 0
	p.Counts = countTiles(s.counts)
	for _, fill := range []func(*request, *scene) error{p.fillAttention, p.fillIncidents, p.fillTiles, p.fillSteps} {
		if err := fill(r, s); err != nil {
			return err
		}
	}
	p.State, p.Headline = headline(s.lang, s.counts)
	return r.page(http.StatusOK, "overview", "board", p)
}

func countTiles(counts manage.Counts) []CountTile {
	var out []CountTile
	for _, s := range uptime.Statuses() {
		// What is usual is shown with its zero; the rest only when it happens.
		usual := s == uptime.Down || s == uptime.Degraded || s == uptime.Up
		if counts[s] > 0 || usual {
			out = append(out, CountTile{stateOf(s), counts[s], "/monitors?status=" + string(s)})
		}
	}
	return out
}

// headline says the worst in words.
func headline(l *lang.Language, c manage.Counts) (State, string) {
	switch {
	case c[uptime.Down] > 0:
		return stateOf(uptime.Down), l.N(c[uptime.Down], "%s monitor is down", "%s monitors are down")
	case c[uptime.Degraded] > 0:
		return stateOf(uptime.Degraded), l.N(c[uptime.Degraded], "%s monitor is degraded", "%s monitors are degraded")
	case c[uptime.Unknown] > 0:
		return stateOf(uptime.Unknown), l.N(c[uptime.Unknown], "Status of %s monitor unknown", "Status of %s monitors unknown")
	case c[uptime.Up] > 0:
		return stateOf(uptime.Up), l.T("Everything is up")
	case c[uptime.Maintenance] > 0:
		return stateOf(uptime.Maintenance), l.N(c[uptime.Maintenance], "%s monitor is under maintenance", "%s monitors are under maintenance")
	case c[uptime.Pending] > 0:
		return stateOf(uptime.Pending), l.T("Waiting for the first results")
	}
	return stateOf(uptime.Paused), l.T("Nothing is being watched")
}

func (p *OverviewPage) fillAttention(r *request, s *scene) error {
	f := uptime.MonitorFilter{Statuses: []uptime.Status{uptime.Down, uptime.Degraded, uptime.Unknown}, Sort: "status"}
	list, err := r.web.deps.Manage.Monitors(r.Request().Context(), r.actor, f, uptime.Page{Limit: maxAttention})
	if err != nil {
		return err
	}
	for _, m := range list.Items {
		row := s.row(m)
		if m.LastError != nil {
			row.Error = s.lang.Said(*m.LastError)
		}
		p.Attention = append(p.Attention, row)
	}
	wrong := s.counts[uptime.Down] + s.counts[uptime.Degraded] + s.counts[uptime.Unknown]
	p.More = max(wrong-int64(len(p.Attention)), 0)
	return p.fillExpiring(r, s)
}

// fillExpiring adds certificates that end soon, below what is wrong already.
func (p *OverviewPage) fillExpiring(r *request, s *scene) error {
	list, err := r.web.deps.Manage.ExpiringCertificates(r.Request().Context(), r.actor, expiringSoon)
	if err != nil {
		return err
	}
	for _, m := range list {
		text := certEnds(s.lang, m.CertificateExpiresAt.Sub(s.now))
		if i := slices.IndexFunc(p.Attention, func(row MonitorRow) bool { return row.ID == m.ID }); i >= 0 {
			p.Attention[i].Error = strings.TrimPrefix(p.Attention[i].Error+" · "+text, " · ")
			continue
		}
		if len(p.Attention) == maxAttention {
			break
		}
		row := s.row(m)
		row.Error, row.Since = text, ""
		p.Attention = append(p.Attention, row)
	}
	return nil
}

// fillIncidents reads the newest unresolved ones, those of the rows, and those of the last
// 24 hours.
func (p *OverviewPage) fillIncidents(r *request, s *scene) error {
	ctx, uses := r.Request().Context(), r.web.deps.Manage
	open, err := uses.Incidents(ctx, r.actor, uptime.IncidentFilter{Unresolved: true}, uptime.Page{Limit: maxOpen})
	if err != nil {
		return err
	}
	for _, inc := range open.Items {
		p.Incidents = append(p.Incidents, s.incidentRow(inc))
	}
	if err := p.ownAll(r); err != nil {
		return err
	}
	recent, err := uses.Incidents(ctx, r.actor, uptime.IncidentFilter{}, uptime.Page{Limit: 30})
	if err != nil {
		return err
	}
	p.Log = s.log(recent.Items, r.now.Add(-24*time.Hour))
	switch {
	case s.open > 0:
		p.Under = s.lang.N(s.open, "%s open incident.", "%s open incidents.")
	case len(recent.Items) > 0:
		p.Under = s.t("Last problem: %s.", s.when(recent.Items[0].StartedAt).Text())
	default:
		p.Under = s.t("No incident so far.")
	}
	return nil
}

// ownAll tells the rows which incident is theirs, however many others are open.
func (p *OverviewPage) ownAll(r *request) error {
	var ids []int64
	for _, row := range p.Attention {
		ids = append(ids, row.ID)
	}
	if len(ids) == 0 {
		return nil
	}
	f := uptime.IncidentFilter{Unresolved: true, OpenedFor: ids}
	list, err := r.web.deps.Manage.Incidents(r.Request().Context(), r.actor, f, uptime.Page{Limit: 2 * maxAttention})
	for _, inc := range list.Items {
		p.own(inc)
	}
	return err
}

// own tells the rows which incident is theirs and who has it.
func (p *OverviewPage) own(inc manage.IncidentView) {
	if inc.MonitorID == nil {
		return
	}
	i := slices.IndexFunc(p.Attention, func(m MonitorRow) bool { return m.ID == *inc.MonitorID })
	if i < 0 {
		return
	}
	p.Attention[i].Incident = inc.ID
	if inc.Status == uptime.IncidentAcknowledged {
		p.Attention[i].Acknowledged = cmp.Or(inc.OwnerName, inc.AcknowledgedByName)
	}
}

// log is what happened since then, newest first.
func (s *scene) log(list []manage.IncidentView, since time.Time) []LogLine {
	var out []LogLine
	for _, inc := range list {
		to, title := incidentURL(inc.ID), titleOf(s.lang, inc)
		if inc.ResolvedAt != nil && inc.ResolvedAt.After(since) {
			out = append(out, LogLine{stateOf(uptime.Up), s.t("Resolved: %s", title), s.t("length|after %s", s.lang.Lasted(inc.ResolvedAt.Sub(inc.StartedAt))), to, s.when(*inc.ResolvedAt)})
		}
		if inc.AcknowledgedAt != nil && inc.AcknowledgedAt.After(since) {
			out = append(out, LogLine{incidentState(uptime.IncidentAcknowledged), s.t("Acknowledged: %s", title), s.t("person|by %s", inc.AcknowledgedByName), to, s.when(*inc.AcknowledgedAt)})
		}
		if inc.StartedAt.After(since) {
			out = append(out, LogLine{stateOf(uptime.Down), title, causeOf(s.lang, inc), to, s.when(inc.StartedAt)})
		}
	}
	slices.SortStableFunc(out, func(a, b LogLine) int { return b.At.At.Compare(a.At.At) })
	return out[:min(len(out), 30)]
}
