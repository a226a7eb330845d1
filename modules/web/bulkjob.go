package web

import (
	"encoding/json"
	"net/http"
	"strconv"
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
	s, err := r.scene("Job", "Monitors", Crumb{"Monitors", "/monitors"})
	if err != nil {
		return err
	}
	p := BulkJobPage{
		Frame: s.frame, ID: id, What: s.bulkWords(job.Action), Skips: job.Skips, Running: job.Status != manage.BulkDone, By: job.CreatedBy,
		At: s.whenPtr(job.CreatedAt), Undo: s.whenPtr(job.UndoUntil), Self: bulkURL(id), Unnamed: int64(job.Skipped - len(job.Skips)),
		Total: int64(job.Total), Done: int64(job.Done), Changed: int64(job.Changed), Same: int64(job.Same), Skipped: int64(job.Skipped),
	}
	p.State, p.Word = bulkState(job)
	p.Live = true
	if job.UndoneBy != nil {
		p.Undone = bulkURL(*job.UndoneBy)
	}
	if job.Undoes != nil {
		p.Undoes = bulkURL(*job.Undoes)
	}
	return r.page(http.StatusOK, "bulkjob", "board", p)
}

func bulkState(job manage.BulkJobView) (State, string) {
	switch {
	case job.Status == manage.BulkWaiting:
		return stateOf(uptime.Pending), "Waiting for its turn"
	case job.Status == manage.BulkRunning:
		return stateOf(uptime.Pending), "Under way"
	case job.Skipped > 0:
		return stateOf(uptime.Degraded), "Done, but not for all"
	}
	return stateOf(uptime.Up), "Done"
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
	}
	if json.Unmarshal(raw, &a) != nil {
		return "Change"
	}
	switch a.Action {
	case manage.BulkSilence:
		return "Silence until " + s.whenPtr(a.Until).Exact()
	case manage.BulkTagAdd:
		return "Add the tag " + strings.TrimSuffix(a.Tag, ":")
	case manage.BulkTagRemove:
		return "Remove the tag " + strings.TrimSuffix(a.Tag, ":")
	case manage.BulkChannels:
		return map[string]string{"add": "Add channels", "remove": "Remove channels"}[a.Mode] + map[bool]string{true: "Set channels"}[a.Mode == "set"]
	case manage.BulkInterval:
		return "Set the interval to " + span(time.Duration(a.Interval))
	case manage.BulkRetries:
		return "Set failures before down to " + strconv.Itoa(a.Failures)
	case manage.BulkGroup:
		if a.Group == nil || *a.Group == "" {
			return "Move out of groups"
		}
		return "Move to the group " + *a.Group
	}
	if action, known := bulkActions()[a.Action]; known {
		return action.verb
	}
	return "Undo"
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
