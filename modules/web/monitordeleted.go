package web

import (
	"net/http"

	"monitor/modules/manage"
)

// DeletedPage is the monitors that were deleted and can still be restored.
type DeletedPage struct {
	Frame
	Rows []DeletedRow
	More bool // there may be others that were deleted before
}

// DeletedRow is one of them.
type DeletedRow struct {
	ID           int64
	Name, Target string
	Kind         string
	At, Gone     When
}

func (w *Web) monitorsDeleted(r *request) error {
	s, err := r.scene(r.t("Deleted monitors"), "Monitors", Crumb{r.t("Monitors"), "/monitors"})
	if err != nil {
		return err
	}
	list, err := w.deps.Manage.DeletedMonitors(r.Request().Context(), r.actor)
	if err != nil {
		return err
	}
	p, kinds := DeletedPage{Frame: s.frame}, w.deps.Manage.MonitorKinds()
	for _, m := range list.Items {
		p.Rows = append(p.Rows, DeletedRow{m.ID, m.Name, m.Target, s.t(kindLabel(kinds, m.Type)), s.when(m.DeletedAt), s.when(m.GoneAt)})
	}
	p.More = len(p.Rows) == manage.MaxDeleted
	return r.page(http.StatusOK, "deleted", "", p)
}
