package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"monitor/modules/form"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// BulkJobPage shows how far a job on many monitors is.
type BulkJobPage struct {
	Frame
	ID      int64
	What    string
	State   State
	Word    string
	Values  []AuditChange // what it changes, where that is the same for all
	Skips   []manage.BulkSkipView
	Running bool
	Unnamed int64 // skipped beyond those that are named
	By      string
	At      When
	Undo    When // until when it can be undone, zero: it cannot
	Undone  string
	Undoes  string
	Self    string

	Total, Done, Changed, Same, Skipped int64
}

func (w *Web) bulkJob(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	job, err := w.deps.Manage.BulkJob(r.Request().Context(), r.actor, id)
	if err != nil {
		return err
	}
	s, err := r.scene(r.t("Job"), "Monitors", Crumb{r.t("Monitors"), "/monitors"})
	if err != nil {
		return err
	}
	p := BulkJobPage{
		Frame: s.frame, ID: id, What: s.bulkWords(job.Action), Values: valuesOf(job.Action), Skips: job.Skips, Running: job.Status != manage.BulkDone, By: job.CreatedBy,
		At: s.whenPtr(job.CreatedAt), Undo: s.whenPtr(job.UndoUntil), Self: bulkURL(id), Unnamed: int64(job.Skipped - len(job.Skips)),
		Total: int64(job.Total), Done: int64(job.Done), Changed: int64(job.Changed), Same: int64(job.Same), Skipped: int64(job.Skipped),
	}
	p.State, p.Word = s.bulkState(job)
	p.Live = true
	if job.UndoneBy != nil {
		p.Undone = bulkURL(*job.UndoneBy)
	}
	if job.Undoes != nil {
		p.Undoes = bulkURL(*job.Undoes)
	}
	return r.page(http.StatusOK, "bulkjob", "board", p)
}

func (s *scene) bulkState(job manage.BulkJobView) (State, string) {
	switch {
	case job.Status == manage.BulkWaiting:
		return stateOf(uptime.Pending), s.t("Waiting for its turn")
	case job.Status == manage.BulkRunning:
		return stateOf(uptime.Pending), s.t("Under way")
	case job.Skipped > 0:
		return stateOf(uptime.Degraded), s.t("Done, but not for all")
	}
	return stateOf(uptime.Up), s.t("Done")
}

// bulkWords say what an action does.
func (s *scene) bulkWords(raw json.RawMessage) string {
	var a struct {
		Action   string        `json:"action"`
		Until    *time.Time    `json:"until"`
		Tag      string        `json:"tag"`
		Mode     string        `json:"mode"`
		Interval form.Duration `json:"interval"`
		Failures int           `json:"failures_before_down"`
		Group    *string       `json:"group"`
		To       string        `json:"to"`
	}
	if json.Unmarshal(raw, &a) != nil {
		return s.t("job|Change")
	}
	switch a.Action {
	case manage.BulkSilence:
		return s.t("Silence until %s", s.whenPtr(a.Until).Exact())
	case manage.BulkTagAdd:
		return s.t("Add the tag %s", strings.TrimSuffix(a.Tag, ":"))
	case manage.BulkTagRemove:
		return s.t("Remove the tag %s", strings.TrimSuffix(a.Tag, ":"))
	case manage.BulkChannels:
		return map[string]string{"add": s.t("Add channels"), "remove": s.t("Remove channels"), "set": s.t("Set channels")}[a.Mode]
	case manage.BulkInterval:
		return s.t("Set the interval to %s", s.lang.Span(time.Duration(a.Interval)))
	case manage.BulkRetries:
		return s.t("Set failures before down to %d", a.Failures)
	case manage.BulkGroup:
		if a.Group == nil || *a.Group == "" {
			return s.t("Move out of groups")
		}
		return s.t("Move to the group %s", *a.Group)
	case manage.BulkTagRename:
		return s.t("Rename the tag %s to %s", a.Tag, a.To)
	case manage.BulkGroupRename:
		if a.Group != nil && a.To != "" {
			return s.t("Rename the group %s to %s", *a.Group, a.To)
		}
		return s.t("Dissolve a group")
	}
	if action, known := bulkActions()[a.Action]; known {
		return s.t(action.verb)
	}
	return s.t("job|Undo")
}

func (w *Web) bulkUndo(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	job, err := w.deps.Manage.UndoBulk(r.Request().Context(), r.actor, id)
	if err != nil {
		return err
	}
	return r.Redirect(http.StatusSeeOther, bulkURL(*job.ID))
}
