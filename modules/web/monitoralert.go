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

func (p *MonitorPage) fillAlert(r *request, s *scene, m manage.MonitorView) error {
	state := p.Row.Pill.State
	a := &Alert{State: state, Heading: s.t(state.Word)}
	if key := lasting()[m.Status]; p.Row.Since != "" && key != "" {
		a.Heading = s.t(key, p.Row.Since)
	}
	facts, checked := s.failing(m), true
	switch {
	case m.Retrying:
		a.Heading = s.t("Failed %s — not confirmed yet", p.Row.Pill.More)
		a.Lines = []string{s.t("Nobody has been told yet.")}
	case m.Status == uptime.Paused:
		facts, checked = nil, false
		a.Lines = []string{s.t("It is not checked, and nobody is told of anything, until you resume it.")}
	case m.Status == uptime.Pending:
		facts, checked = nil, false
		a.Heading, a.Lines = s.t("Waiting for the first result"), []string{s.t("The first check is on its way; this page shows it by itself.")}
	case m.Status == uptime.Unknown:
		checked = false
		a.Lines = []string{s.t("There is no recent result, so this is neither up nor down. Is a worker running?")}
	case m.Status == uptime.Up || m.Status == uptime.Maintenance:
		return nil
	}
	list, err := r.web.deps.Manage.Incidents(r.Request().Context(), r.actor, uptime.IncidentFilter{MonitorID: m.ID, Unresolved: true}, uptime.Page{Limit: 1})
	if err != nil {
		return err
	}
	for _, inc := range list.Items {
		row := s.incidentRow(inc)
		a.Incident, a.URL, a.Open = inc.ID, row.URL, inc.Status == uptime.IncidentOpen
		if inc.ConfirmedAt != nil && m.Status == uptime.Down {
			facts = append(facts, s.t("outage|confirmed %s", s.whenPtr(inc.ConfirmedAt).Exact()))
		}
		if inc.AcknowledgedByName != "" {
			a.Lines = append(a.Lines, s.t("Acknowledged by %s.", inc.AcknowledgedByName))
		}
	}
	if checked {
		facts = append(facts, s.nextCheck(m))
	}
	if len(facts) > 0 {
		a.Lines = append([]string{strings.Join(facts, " · ")}, a.Lines...)
	}
	p.Alert = a
	return nil
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
