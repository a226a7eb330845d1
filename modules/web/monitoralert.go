package web

import (
	"strings"
	"time"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// Alert is the box of a monitor that is not up.
type Alert struct {
	State    State
	Heading  string
	Lines    []string
	Incident int64
	Open     bool // not acknowledged yet
	URL      string
}

// fillAlert shows the box, with the incident that goes on.
func (p *MonitorPage) fillAlert(r *request, s *scene, m manage.MonitorView) error {
	if !m.Retrying && (m.Status == uptime.Up || m.Status == uptime.Maintenance) {
		return nil
	}
	list, err := r.web.deps.Manage.Incidents(r.Request().Context(), r.actor, uptime.IncidentFilter{MonitorID: m.ID, Unresolved: true}, uptime.Page{Limit: 1})
	if err != nil {
		return err
	}
	p.Alert = s.alertOf(m, p.Row)
	for _, inc := range list.Items {
		p.Alert.Incident, p.Alert.URL, p.Alert.Open = inc.ID, incidentURL(inc.ID), inc.Status == uptime.IncidentOpen
		if inc.AcknowledgedByName != "" {
			p.Alert.Lines = append(p.Alert.Lines, s.t("Acknowledged by %s.", inc.AcknowledgedByName))
		}
	}
	if facts := s.alertFacts(m, list.Items); len(facts) > 0 {
		p.Alert.Lines = append([]string{strings.Join(facts, " · ")}, p.Alert.Lines...)
	}
	return nil
}

// alertOf says in which state a monitor is, and what that means.
func (s *scene) alertOf(m manage.MonitorView, row MonitorRow) *Alert {
	state := row.Pill.State
	a := &Alert{State: state, Heading: s.t(state.Word)}
	if key := lasting()[m.Status]; row.Since != "" && key != "" {
		a.Heading = s.t(key, row.Since)
	}
	switch {
	case m.Retrying:
		a.Heading = s.t("Failed %s — not confirmed yet", row.Pill.More)
		a.Lines = []string{s.t("Nobody has been told yet.")}
	case m.Status == uptime.Paused:
		a.Lines = []string{s.t("It is not checked, and nobody is told of anything, until you resume it.")}
	case m.Status == uptime.Pending:
		a.Heading, a.Lines = s.t("Waiting for the first result"), []string{s.t("The first check is on its way; this page shows it by itself.")}
	case m.Status == uptime.Unknown:
		a.Lines = []string{s.t("There is no recent result, so this is neither up nor down. Is a worker running?")}
	}
	return a
}

// alertFacts say what the newest check found, since when that is confirmed, and when the
// next one comes. There are none of a monitor that is paused or was not checked yet, and
// nothing is promised of a next check where no results come in.
func (s *scene) alertFacts(m manage.MonitorView, incidents []manage.IncidentView) []string {
	if !m.Retrying && (m.Status == uptime.Paused || m.Status == uptime.Pending) {
		return nil
	}
	facts := s.failing(m)
	for _, inc := range incidents {
		if inc.ConfirmedAt != nil && m.Status == uptime.Down {
			facts = append(facts, s.t("outage|confirmed %s", s.whenPtr(inc.ConfirmedAt).Exact()))
		}
	}
	if m.Retrying || m.Status != uptime.Unknown {
		facts = append(facts, s.nextCheck(m))
	}
	return facts
}

// lasting are headings that say for how long a monitor has been in a state.
func lasting() map[uptime.Status]string {
	return map[uptime.Status]string{
		uptime.Down: lang.Key("Down for %s"), uptime.Degraded: lang.Key("Degraded for %s"),
		uptime.Paused: lang.Key("Paused for %s"), uptime.Unknown: lang.Key("Unknown for %s"),
	}
}

// failing says what the newest check found, and from how many places.
func (s *scene) failing(m manage.MonitorView) []string {
	if m.LastError == nil {
		return nil
	}
	out := []string{s.lang.Said(*m.LastError)}
	if n := len(m.Regions); n > 1 && m.FailingRegions > 0 {
		out = append(out, s.t("from %s of %s locations", s.lang.Figure(int64(m.FailingRegions)), s.lang.Figure(int64(n))))
	}
	return out
}

// nextCheck says when the monitor is checked next: at its next slot, or before as
// long as a failure is tried again.
func (s *scene) nextCheck(m manage.MonitorView) string {
	next := uptime.NextSlot(m.ID, max(time.Duration(m.Interval), time.Second), s.now)
	if m.Retrying && m.LastCheckedAt != nil {
		next = earlier(next, m.LastCheckedAt.Add(time.Duration(m.RetryInterval)))
	}
	left := next.Sub(s.now)
	if left < time.Second {
		return s.t("next check now")
	}
	return s.t("next check in %s", s.lang.Span(left))
}
