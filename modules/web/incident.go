package web

import (
	"net/http"
	"slices"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// IncidentPage shows one incident.
type IncidentPage struct {
	Frame
	Row        IncidentRow
	Open       bool // not acknowledged
	Resolved   bool
	ByHand     bool
	Promise    When // of the next update
	Stages     []StageStep
	Facts      []Fact
	Monitors   []MonitorTick
	Gone       string // monitors that were deleted since, or ""
	Evidence   []Fact
	Excerpt    string
	Timeline   []TimelineRow
	Older      bool // messages that the timeline leaves out
	Composer   *Composer
	Owner      *OwnerForm
	Postmortem *PostmortemText
	Problem    string // with what somebody is writing
	Summary    []ErrorLink
}

// StageStep is a stage on the way to the end of an incident.
type StageStep struct {
	Word          string
	Done, Current bool
}

func (w *Web) incident(r *request) error {
	inc, err := r.storedIncident()
	if err != nil {
		return err
	}
	return r.showIncident(http.StatusOK, inc, typing{line: idOf(r.QueryParam("edit"))})
}

// typing is what somebody is writing on an incident's page, with what is wrong with it.
type typing struct {
	line    int64 // that is being edited, 0: none
	values  map[string]string
	failure error
}

func (r *request) showIncident(status int, inc manage.IncidentView, t typing) error {
	s, err := r.scene(titleOf(r.lang(), inc), "Incidents", Crumb{r.t("Incidents"), "/incidents"})
	if err != nil {
		return err
	}
	p := &IncidentPage{
		Frame: s.frame, Row: s.incidentRow(inc), Open: inc.Status == uptime.IncidentOpen,
		Resolved: inc.Status == uptime.IncidentResolved, ByHand: inc.MonitorID == nil, Promise: s.whenPtr(inc.NextUpdateBy),
	}
	p.Scripts = append(p.Scripts, "js/incident.js")
	p.Stages = s.stageSteps(inc)
	p.Facts = s.incidentFacts(inc)
	if ev := inc.Evidence; ev != nil {
		p.Evidence, p.Excerpt = evidence(s.lang, ev), ev.Excerpt
	}
	if inc.Postmortem != nil {
		p.Postmortem = s.postmortemText(*inc.Postmortem)
	}
	if p.CanEdit {
		p.Composer = s.composer(inc, t)
	}
	for _, fill := range []func(*request, *scene, manage.IncidentView) error{p.fillMonitors, p.fillTimeline, p.fillOwner} {
		if err := fill(r, s, inc); err != nil {
			return err
		}
	}
	p.editLine(inc, t)
	p.Problem, p.Summary = problems(s.lang, t.failure, p.typedFields()...)
	return r.page(status, "incident", "", p)
}

// typedFields are those of the forms for updates.
func (p *IncidentPage) typedFields() [][]FieldView {
	var all [][]FieldView
	if c := p.Composer; c != nil {
		all = append(all, []FieldView{c.Message}, c.Fields)
	}
	for _, row := range p.Timeline {
		if row.Edit != nil {
			all = append(all, []FieldView{row.Edit.Message, row.Edit.Internal})
		}
	}
	return all
}

func (s *scene) stageSteps(inc manage.IncidentView) []StageStep {
	all := append(openStages(), uptime.StageResolved)
	now := slices.Index(all, inc.Stage)
	var steps []StageStep
	for i, st := range all {
		steps = append(steps, StageStep{s.t(stageWord(st)), i < now || inc.Stage == uptime.StageResolved, i == now && inc.Postmortem == nil})
	}
	if inc.Postmortem != nil {
		steps = append(steps, StageStep{s.t("Post-mortem"), true, true})
	}
	return steps
}

func (s *scene) incidentFacts(inc manage.IncidentView) []Fact {
	facts := []Fact{{s.t("Started"), s.when(inc.StartedAt).Full()}}
	if inc.ConfirmedAt != nil {
		facts = append(facts, Fact{s.t("Detected after"), s.lang.Lasted(inc.ConfirmedAt.Sub(inc.StartedAt))})
	}
	if inc.AcknowledgedAt != nil {
		said := s.lang.Lasted(inc.AcknowledgedAt.Sub(inc.StartedAt))
		if inc.AcknowledgedByName != "" {
			said = s.t("length and person|%s, by %s", said, inc.AcknowledgedByName)
		}
		facts = append(facts, Fact{s.t("Acknowledged after"), said})
	}
	facts = append(facts, Fact{s.t("Duration"), s.lang.Lasted(seconds(inc.DurationSeconds))}, Fact{s.t("Impact"), s.t(severityWord(inc.Severity))})
	if inc.Cause != "" && inc.MonitorID != nil {
		facts = append(facts, Fact{s.t("Cause"), causeOf(s.lang, inc)})
	}
	if k := kindWord(inc.ErrorKind); k != "" {
		facts = append(facts, Fact{s.t("Kind of failure"), s.t(k)})
	}
	if inc.ResolvedAt != nil {
		facts = append(facts, Fact{s.t("incident|Resolved"), s.when(*inc.ResolvedAt).Full()})
	}
	return facts
}

func evidence(l *lang.Language, ev *uptime.Evidence) []Fact {
	var facts []Fact
	if ev.Address != "" {
		facts = append(facts, Fact{l.T("Address"), ev.Address})
	}
	if ev.Worker != "" {
		facts = append(facts, Fact{l.T("Worker"), ev.Worker})
	}
	if c := ev.Certificate; c != nil {
		facts = append(facts, Fact{l.T("Certificate"), l.T("%s, until %s", c.Subject, l.Date(c.NotAfter))})
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

// fillMonitors shows the affected ones as they are now.
func (p *IncidentPage) fillMonitors(r *request, s *scene, inc manage.IncidentView) error {
	list, err := r.web.deps.Manage.MonitorsOf(r.Request().Context(), r.actor, inc.MonitorIDs)
	if err != nil {
		return err
	}
	for _, m := range list {
		p.Monitors = append(p.Monitors, tickOf(m, true))
	}
	if gone := len(inc.MonitorIDs) - len(list); gone > 0 {
		p.Gone = s.lang.N(int64(gone), "%s monitor was deleted since.", "%s monitors were deleted since.")
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
	return r.done("incident-acked", r.back(incidentURL(id)))
}

func (w *Web) incidentResolve(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	if _, err := w.deps.Manage.ResolveIncident(r.Request().Context(), r.actor, id, nil); err != nil {
		return err
	}
	return r.done("incident-closed", r.back(incidentURL(id)))
}

// overdue says by how much the next update is late, "" where it is not.
func (s *scene) overdue(inc manage.IncidentView) string {
	if inc.NextUpdateBy == nil || !s.now.After(*inc.NextUpdateBy) {
		return ""
	}
	return s.t("Update overdue by %s", s.lang.Span(s.now.Sub(*inc.NextUpdateBy)))
}
