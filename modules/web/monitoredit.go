package web

import (
	"net/http"
	"net/url"
	"strings"

	"monitor/modules/form"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func (w *Web) monitorNew(r *request) error {
	s, err := r.scene(r.t("New monitor"), "Monitors", Crumb{r.t("Monitors"), "/monitors"})
	if err != nil {
		return err
	}
	usual, err := w.deps.Manage.MonitorDefaults(r.Request().Context(), r.actor)
	if err != nil {
		return err
	}
	d := newDraft(kindOf(w.deps.Manage.MonitorKinds(), r.QueryParam("type")), usual)
	// A change of type keeps what was typed for every type.
	for _, f := range append(append(whenFields(), tellFields()...), form.Field{Name: "name"}) {
		if r.QueryParams().Has(f.Name) {
			d.values[f.Name] = r.QueryParam(f.Name)
		}
	}
	p, err := r.monitorForm(s, d, nil)
	if err != nil {
		return err
	}
	p.first(r.QueryParam("first") != "")
	return r.page(http.StatusOK, "monitorform", "kindfields", p)
}

// first makes it the form of the very first monitor: one field.
func (p *MonitorForm) first(yes bool) {
	if !yes {
		return
	}
	p.First, p.Heading = true, p.Lang.T("What should we watch?")
	for i := range p.What {
		if p.What[i].Required {
			p.What[i].Big, p.What[i].Help = true, ""
		}
	}
}

func (w *Web) monitorCreate(r *request) error {
	v, err := r.FormParams()
	if err != nil {
		return err
	}
	v = completed(v)
	kind := kindOf(w.deps.Manage.MonitorKinds(), v.Get("type"))
	b, err := bodyOf(kind, v, nil)
	if err != nil {
		return err
	}
	m, failure := w.deps.Manage.CreateMonitor(r.Request().Context(), r.actor, b)
	if failure == nil {
		return r.done("monitor-created", monitorURL(m.ID))
	}
	return r.refuseMonitor(r.t("New monitor"), typedDraft(kind, v), failure, func(p *MonitorForm) { p.first(v.Get("first") != "") })
}

// completed helps people who type an address without its scheme into a field
// for URLs: example.com means https://example.com.
func completed(v url.Values) url.Values {
	for name, values := range v {
		if !strings.HasSuffix(name, ".url") || len(values) != 1 {
			continue
		}
		text := strings.TrimSpace(values[0])
		if text != "" && !strings.Contains(text, "://") && !strings.ContainsAny(text, " \t\n") {
			v.Set(name, "https://"+text)
		}
	}
	return v
}

// refuseMonitor shows the form again with what is wrong, and all that was typed.
func (r *request) refuseMonitor(title string, d draft, failure error, dress func(*MonitorForm)) error {
	if _, bad := fieldErrors(nil, failure); !bad {
		return failure
	}
	s, err := r.scene(title, "Monitors", Crumb{r.t("Monitors"), "/monitors"})
	if err != nil {
		return err
	}
	p, err := r.monitorForm(s, d, failure)
	if err != nil {
		return err
	}
	dress(p)
	return r.page(http.StatusUnprocessableEntity, "monitorform", "", p)
}

func (w *Web) monitorEdit(r *request) error {
	m, kind, err := r.stored()
	if err != nil {
		return err
	}
	s, err := r.scene(r.t("Edit %s", m.Name), "Monitors", Crumb{r.t("Monitors"), "/monitors"}, Crumb{m.Name, monitorURL(m.ID)})
	if err != nil {
		return err
	}
	d, err := storedDraft(kind, m)
	if err != nil {
		return err
	}
	if d.channels == nil {
		d.channels = []int64{}
	}
	p, err := r.monitorForm(s, d, nil)
	if err != nil {
		return err
	}
	p.of(m)
	return r.page(http.StatusOK, "monitorform", "", p)
}

// of makes it the form of a monitor that is stored.
func (p *MonitorForm) of(m manage.MonitorView) {
	p.ID, p.ETag, p.Heading = m.ID, m.ETag, p.Lang.T("Edit %s", m.Name)
	p.Action, p.Cancel = monitorURL(m.ID)+"/edit", monitorURL(m.ID)
}

// stored reads the monitor of the path and its type.
func (r *request) stored() (manage.MonitorView, uptime.Kind, error) {
	id, err := r.id()
	if err != nil {
		return manage.MonitorView{}, uptime.Kind{}, err
	}
	m, err := r.web.deps.Manage.Monitor(r.Request().Context(), r.actor, id)
	if err != nil {
		return manage.MonitorView{}, uptime.Kind{}, err
	}
	return m, kindOf(r.web.deps.Manage.MonitorKinds(), m.Type), nil
}

func (w *Web) monitorSave(r *request) error {
	m, kind, err := r.stored()
	if err != nil {
		return err
	}
	v, err := r.FormParams()
	if err != nil {
		return err
	}
	v = completed(v)
	over, err := settable(m)
	if err != nil {
		return err
	}
	b, err := bodyOf(kind, v, over)
	if err != nil {
		return err
	}
	_, failure := w.deps.Manage.ReplaceMonitor(r.Request().Context(), r.actor, m.ID, b, v.Get("etag"))
	if failure == nil {
		return r.done("monitor-saved", monitorURL(m.ID))
	}
	if uptime.CodeOf(failure) == uptime.CodePrecondition {
		return r.conflictingMonitor(kind, typedDraft(kind, v))
	}
	return r.refuseMonitor(r.t("Edit %s", m.Name), typedDraft(kind, v), failure, func(p *MonitorForm) { p.of(m) })
}

// conflictingMonitor shows the form of a monitor that somebody else changed meanwhile,
// with what was typed and the newest version, so that saving again overwrites it.
func (r *request) conflictingMonitor(kind uptime.Kind, d draft) error {
	m, _, err := r.stored()
	if err != nil {
		return err
	}
	s, err := r.scene(r.t("Edit %s", m.Name), "Monitors", Crumb{r.t("Monitors"), "/monitors"}, Crumb{m.Name, monitorURL(m.ID)})
	if err != nil {
		return err
	}
	p, err := r.monitorForm(s, d, nil)
	if err != nil {
		return err
	}
	p.of(m)
	stored, err := storedDraft(kind, m)
	if err != nil {
		return err
	}
	p.Conflict, err = r.conflictOf(s, "monitor", m.ID, stored.values, p.What, p.When, p.Check, p.More, p.Tell)
	if err != nil {
		return err
	}
	if theirs, yours := p.channelNames(stored.channels), p.channelNames(d.channels); theirs != yours {
		p.Conflict.Rows = append(p.Conflict.Rows, ConflictRow{s.t("Channels"), theirs, yours})
	}
	return r.page(http.StatusConflict, "monitorform", "", p)
}

// monitorTest runs the form's monitor once. It saves nothing and alerts nobody.
func (w *Web) monitorTest(r *request) error {
	v, err := r.FormParams()
	if err != nil {
		return err
	}
	v = completed(v)
	kind := kindOf(w.deps.Manage.MonitorKinds(), v.Get("type"))
	over := body{}
	title := r.t("New monitor")
	if id := r.formID(); id > 0 { // masked secrets are those of the stored one
		if title = r.t("Edit monitor"); v.Get("id") == "" {
			title = r.t("Clone monitor")
		}
		if err := over.set("id", id); err != nil {
			return err
		}
	}
	b, err := bodyOf(kind, v, over)
	if err != nil {
		return err
	}
	s, err := r.scene(title, "Monitors", Crumb{r.t("Monitors"), "/monitors"})
	if err != nil {
		return err
	}
	found, failure := w.deps.Manage.TestMonitor(r.Request().Context(), r.actor, b)
	return r.showTest(s, typedDraft(kind, v), found, failure)
}

// showTest shows the outcome in place, or the whole form with it.
func (r *request) showTest(s *scene, d draft, found manage.MonitorTestView, failure error) error {
	_, bad := fieldErrors(nil, failure)
	code := uptime.CodeOf(failure)
	if failure != nil && !bad && code != uptime.CodeUnavailable && code != uptime.CodeLimited {
		return failure
	}
	p, err := r.monitorForm(s, d, failure)
	if err != nil {
		return err
	}
	p.first(d.values["first"] != "")
	if id := idOf(d.values["copy_of"]); id > 0 {
		p.copyOf(id)
	} else if id := idOf(d.values["id"]); id > 0 {
		p.ID, p.ETag = id, d.values["etag"]
		p.Action, p.Cancel = monitorURL(id)+"/edit", monitorURL(id)
	}
	status := http.StatusOK
	if failure != nil {
		status = statusOf(failure)
		r.web.setRetryAfter(r.Context, failure, status)
		p.Test = &TestPanel{Problem: p.Problem, Summary: p.Summary}
	} else {
		p.Test = s.testPanel(found)
	}
	return r.page(status, "monitorform", "testpanel", p)
}
