package web

import (
	"net/http"
	"strings"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// ConfirmPage asks before something is lost.
type ConfirmPage struct {
	Frame
	Question string
	Lost     string
	Action   string
	Verb     string
	Cancel   string
	ETag     string
}

func (w *Web) monitorConfirmDelete(r *request) error {
	m, _, err := r.stored()
	if err != nil {
		return err
	}
	s, err := r.scene(r.t("Delete"), "Monitors", Crumb{r.t("Monitors"), "/monitors"}, Crumb{m.Name, monitorURL(m.ID)})
	if err != nil {
		return err
	}
	p := ConfirmPage{
		Frame: s.frame, Question: s.t("Delete monitor %s?", m.Name), Verb: s.t("Delete monitor"),
		Lost: s.t("It is not checked any more, an open incident of it is resolved, and its history of %s goes with it. For 7 days it can be restored.",
			s.lang.Span(s.now.Sub(m.CreatedAt))),
		Action: monitorURL(m.ID) + "/delete", Cancel: monitorURL(m.ID), ETag: m.ETag,
	}
	return r.page(http.StatusOK, "confirm", "", p)
}

func (w *Web) monitorDelete(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	if err := w.deps.Manage.DeleteMonitor(r.Request().Context(), r.actor, id, ""); err != nil {
		return err
	}
	return r.doneUndo("monitor-deleted", id, "/monitors")
}

func (w *Web) monitorRestore(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	if _, err := w.deps.Manage.RestoreMonitor(r.Request().Context(), r.actor, id); err != nil {
		return err
	}
	return r.done("monitor-restored", monitorURL(id))
}

func (w *Web) monitorPause(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	if _, err := w.deps.Manage.PauseMonitor(r.Request().Context(), r.actor, id); err != nil {
		return err
	}
	return r.doneUndo("monitor-paused", id, r.back(monitorURL(id)))
}

func (w *Web) monitorResume(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	if _, err := w.deps.Manage.ResumeMonitor(r.Request().Context(), r.actor, id); err != nil {
		return err
	}
	return r.done("monitor-resumed", r.back(monitorURL(id)))
}

// monitorCheck checks now and says what came of it.
func (w *Web) monitorCheck(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	result, err := w.deps.Manage.CheckNow(r.Request().Context(), r.actor, id)
	if err != nil {
		return err
	}
	return r.done(checkedFlash(result), r.back(monitorURL(id)))
}

func checkedFlash(v manage.ResultView) string {
	switch v.Status {
	case uptime.Up, uptime.Degraded, uptime.Down:
		return "checked-" + string(v.Status)
	default:
		return "checked-unknown"
	}
}

// back is where the form says that it was sent from, within this site.
func (r *request) back(usual string) string {
	to := r.FormValue("back")
	if to == "" || strings.TrimSpace(to) == "" {
		return usual
	}
	return safeNext(to)
}
