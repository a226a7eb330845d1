package web

import (
	"net/http"
	"strconv"

	"monitor/modules/manage"
)

// monitorClone shows the form of a new monitor as another one has it.
func (w *Web) monitorClone(r *request) error {
	m, kind, err := r.stored()
	if err != nil {
		return err
	}
	s, err := r.scene(r.t("Clone %s", m.Name), "Monitors", Crumb{r.t("Monitors"), "/monitors"}, Crumb{m.Name, monitorURL(m.ID)})
	if err != nil {
		return err
	}
	d, err := storedDraft(kind, m)
	if err != nil {
		return err
	}
	d.values["name"] = manage.CopyName(m.Name)
	if d.channels == nil {
		d.channels = []int64{}
	}
	p, err := r.monitorForm(s, d, nil)
	if err != nil {
		return err
	}
	p.copyOf(m.ID)
	return r.page(http.StatusOK, "monitorform", "", p)
}

// copyOf makes it the form of a copy: what is masked in it is that of the other monitor.
func (p *MonitorForm) copyOf(id int64) {
	p.CopyOf, p.Action, p.Cancel = id, monitorURL(id)+"/clone", monitorURL(id)
}

func (w *Web) monitorCopy(r *request) error {
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
	delete(over, "external_key")
	b, err := bodyOf(kind, v, over)
	if err != nil {
		return err
	}
	copied, failure := w.deps.Manage.CopyMonitor(r.Request().Context(), r.actor, m.ID, b)
	if failure == nil {
		return r.done("monitor-created", monitorURL(copied.ID))
	}
	return r.refuseMonitor(r.t("Clone %s", m.Name), typedDraft(kind, v), failure, func(p *MonitorForm) { p.copyOf(m.ID) })
}

// idOf is an id in a form, 0 for none.
func idOf(text string) int64 {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 0 {
		return 0
	}
	return id
}
