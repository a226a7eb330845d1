package web

import (
	"fmt"
	"strings"
	"time"

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
	a := &Alert{State: state, Heading: state.Word}
	if p.Row.Since != "" {
		a.Heading += " for " + p.Row.Since
	}
	facts, checked := failing(m), true
	switch {
	case m.Retrying:
		a.Heading = "Failed " + p.Row.Pill.More + " — not confirmed yet"
		a.Lines = []string{"Nobody has been told yet."}
	case m.Status == uptime.Paused:
		facts, checked = nil, false
		a.Lines = []string{"It is not checked, and nobody is told of anything, until you resume it."}
	case m.Status == uptime.Pending:
		facts, checked = nil, false
		a.Heading, a.Lines = "Waiting for the first result", []string{"The first check is on its way; this page shows it by itself."}
	case m.Status == uptime.Unknown:
		checked = false
		a.Lines = []string{"There is no recent result, so this is neither up nor down. Is a worker running?"}
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
			facts = append(facts, "confirmed "+s.whenPtr(inc.ConfirmedAt).Exact())
		}
		if inc.AcknowledgedByName != "" {
			a.Lines = append(a.Lines, "Acknowledged by "+inc.AcknowledgedByName+".")
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

// failing says what the newest check found, and from how many places.
func failing(m manage.MonitorView) []string {
	if m.LastError == nil {
		return nil
	}
	out := []string{*m.LastError}
	if n := len(m.Regions); n > 1 && m.FailingRegions > 0 {
		out = append(out, fmt.Sprintf("from %d of %d locations", m.FailingRegions, n))
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
		return "next check now"
	}
	return "next check in " + span(left)
}
