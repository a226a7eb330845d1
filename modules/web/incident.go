package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// IncidentPage shows one incident.
type IncidentPage struct {
	Frame
	Row        IncidentRow
	Open       bool // not acknowledged
	Resolved   bool
	Monitor    *Link
	Stages     []StageStep
	Facts      []Fact
	Evidence   []Fact
	Excerpt    string
	Timeline   []TimelineRow
	Choices    []Option
	Message    string
	Error      string
	Deliveries []DeliveryRow
}

// StageStep is a stage on the way to the end of an incident.
type StageStep struct {
	Word          string
	Done, Current bool
}

// TimelineRow is one line of the timeline, newest first.
type TimelineRow struct {
	State   State
	Word    string
	Author  string
	Message string
	At      When
}

func (w *Web) incident(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	inc, err := w.deps.Manage.Incident(r.Request().Context(), r.actor, id)
	if err != nil {
		return err
	}
	return r.showIncident(http.StatusOK, inc, "", "")
}

func (r *request) showIncident(status int, inc manage.IncidentView, message, problem string) error {
	s, err := r.scene(inc.Title, "Incidents", Crumb{"Incidents", "/incidents"})
	if err != nil {
		return err
	}
	p := &IncidentPage{
		Frame: s.frame, Row: s.incidentRow(inc), Open: inc.Status == uptime.IncidentOpen,
		Resolved: inc.Status == uptime.IncidentResolved, Message: message, Error: problem,
	}
	p.Stages, p.Choices = stages(inc.Stage)
	p.Timeline = s.timeline(inc)
	p.Facts = s.incidentFacts(inc)
	if ev := inc.Evidence; ev != nil {
		p.Evidence, p.Excerpt = evidence(ev), ev.Excerpt
	}
	if err := p.fillMonitor(r, inc); err != nil {
		return err
	}
	if err := p.fillDeliveries(r, s, inc); err != nil {
		return err
	}
	return r.page(status, "incident", "", p)
}

func stages(at uptime.Stage) ([]StageStep, []Option) {
	all := []uptime.Stage{uptime.StageInvestigating, uptime.StageIdentified, uptime.StageMonitoring, uptime.StageResolved}
	now := slices.Index(all, at)
	var steps []StageStep
	choices := []Option{{Value: "", Label: "Keep the stage"}}
	for i, st := range all {
		steps = append(steps, StageStep{stageWord(st), i < now || at == uptime.StageResolved, i == now})
		if st != uptime.StageResolved {
			choices = append(choices, Option{Value: string(st), Label: stageWord(st)})
		}
	}
	return steps, choices
}

func (s *scene) incidentFacts(inc manage.IncidentView) []Fact {
	at := func(t time.Time) string { return s.when(t).local().Format("2 Jan 2006, 15:04:05 MST") }
	facts := []Fact{{"Started", at(inc.StartedAt)}, {"Duration", lasted(seconds(inc.DurationSeconds))}}
	if inc.Cause != "" {
		facts = append(facts, Fact{"Cause", inc.Cause})
	}
	if k := kindWord(inc.ErrorKind); k != "" {
		facts = append(facts, Fact{"Kind of failure", k})
	}
	facts = append(facts, Fact{"Impact", severityWord(inc.Severity)})
	if inc.AcknowledgedAt != nil {
		facts = append(facts, Fact{"Acknowledged", inc.AcknowledgedByName + ", " + at(*inc.AcknowledgedAt)})
	}
	if inc.ResolvedAt != nil {
		facts = append(facts, Fact{"Resolved", at(*inc.ResolvedAt)})
	}
	return facts
}

func evidence(ev *uptime.Evidence) []Fact {
	var facts []Fact
	if ev.Address != "" {
		facts = append(facts, Fact{"Address", ev.Address})
	}
	if ev.Worker != "" {
		facts = append(facts, Fact{"Worker", ev.Worker})
	}
	if c := ev.Certificate; c != nil {
		facts = append(facts, Fact{"Certificate", c.Subject + ", until " + c.NotAfter.Format("2 Jan 2006")})
	}
	names := make([]string, 0, len(ev.Headers))
	for name := range ev.Headers {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		facts = append(facts, Fact{name, ev.Headers[name]})
	}
	return facts
}

// timeline is what the program and people wrote, newest first.
func (s *scene) timeline(inc manage.IncidentView) []TimelineRow {
	var out []TimelineRow
	for _, u := range slices.Backward(inc.Updates) {
		row := TimelineRow{State: State{"paused", "", "note"}, Author: u.Author, Message: u.Message, At: s.when(u.At)}
		if u.Stage != "" {
			row.Word = stageWord(u.Stage)
			row.State = State{"degraded", row.Word, "flag"}
		}
		if u.Stage == uptime.StageResolved {
			row.State = State{"up", row.Word, "up"}
		}
		out = append(out, row)
	}
	return append(out, TimelineRow{State: stateOf(uptime.Down), Word: "Started", Message: inc.Cause, At: s.when(inc.StartedAt)})
}

func (p *IncidentPage) fillMonitor(r *request, inc manage.IncidentView) error {
	if inc.MonitorID == nil {
		return nil
	}
	m, err := r.web.deps.Manage.Monitor(r.Request().Context(), r.actor, *inc.MonitorID)
	switch {
	case err == nil:
	case uptime.CodeOf(err) == uptime.CodeNotFound:
		return nil
	default:
		return err
	}
	p.Monitor = &Link{Label: m.Name, URL: monitorURL(m.ID)}
	return nil
}

func (p *IncidentPage) fillDeliveries(r *request, s *scene, inc manage.IncidentView) error {
	list, err := r.web.deps.Manage.Deliveries(r.Request().Context(), r.actor, uptime.DeliveryFilter{IncidentID: inc.ID}, uptime.Page{Limit: 50})
	if err != nil {
		return err
	}
	names, err := r.channelNames()
	if err != nil {
		return err
	}
	for _, d := range list.Items {
		row := s.deliveryRow(d)
		row.Channel = names[d.ChannelID]
		p.Deliveries = append(p.Deliveries, row)
	}
	return nil
}

func (w *Web) incidentAcknowledge(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	if _, err := w.deps.Manage.AcknowledgeIncident(r.Request().Context(), r.actor, id, nil); err != nil {
		return err
	}
	return r.done("incident-acked", r.back("/incidents/"+strconv.FormatInt(id, 10)))
}

func (w *Web) incidentResolve(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	if _, err := w.deps.Manage.ResolveIncident(r.Request().Context(), r.actor, id, nil); err != nil {
		return err
	}
	return r.done("incident-closed", r.back("/incidents/"+strconv.FormatInt(id, 10)))
}

func (w *Web) incidentUpdate(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	message := strings.TrimSpace(r.FormValue("message"))
	update := map[string]string{"message": message}
	if stage := r.FormValue("stage"); stage != "" {
		update["stage"] = stage
	}
	raw, err := json.Marshal(update)
	if err != nil {
		return err
	}
	_, failure := w.deps.Manage.AddIncidentUpdate(r.Request().Context(), r.actor, id, raw)
	if failure == nil {
		return r.done("incident-updated", "/incidents/"+strconv.FormatInt(id, 10))
	}
	return r.refuseUpdate(id, message, failure)
}

// refuseUpdate shows the incident again with what is wrong with the update.
func (r *request) refuseUpdate(id int64, message string, failure error) error {
	errs, bad := fieldErrors(failure)
	if !bad {
		return failure
	}
	inc, err := r.web.deps.Manage.Incident(r.Request().Context(), r.actor, id)
	if err != nil {
		return err
	}
	problem := errorOf("message", errs)
	if problem == "" {
		problem = errorOf("stage", errs)
	}
	if problem == "" {
		problem, _ = problems(failure)
	}
	return r.showIncident(http.StatusUnprocessableEntity, inc, message, problem)
}
