package manage

import (
	"context"
	"encoding/json"
	"time"

	"monitor/modules/uptime"
)

// The states of a job on many monitors.
const (
	BulkPreview = "preview" // what it would do
	BulkWaiting = "waiting"
	BulkRunning = "running"
	BulkDone    = "done"
)

// BulkJobView is an action on many monitors: a job, or what one would do.
type BulkJobView struct {
	ID     *int64          `json:"id"` // nil of a preview
	Action json.RawMessage `json:"action"`
	Status string          `json:"status"`
	// Done of Total are Changed, Same (as they should be already) or Skipped. In a preview
	// these say what would be.
	Total   int `json:"total"`
	Done    int `json:"done"`
	Changed int `json:"changed"`
	Same    int `json:"same"`
	Skipped int `json:"skipped"`
	// Names are the first that would be changed, in a preview.
	Names []string `json:"names,omitempty"`
	// Skips are the first that are skipped, and why.
	Skips []BulkSkipView `json:"skips"`
	// Set names the monitors of a preview: a request with it is refused when others match.
	Set string `json:"set,omitempty"`

	CreatedBy  string     `json:"created_by,omitempty"`
	CreatedAt  *time.Time `json:"created_at"`
	FinishedAt *time.Time `json:"finished_at"`
	UndoUntil  *time.Time `json:"undo_until"` // nil: it cannot be taken back
	Undoes     *int64     `json:"undoes"`
	UndoneBy   *int64     `json:"undone_by"`
}

// BulkSkipView is a monitor that is not changed.
type BulkSkipView struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// maxSkips is how many of the skipped are named.
const maxSkips = 100

func (m *Manage) bulkView(ctx context.Context, j uptime.BulkJob) (BulkJobView, error) {
	v := BulkJobView{
		ID: &j.ID, Action: j.Action, Status: BulkWaiting, Total: j.Total, Done: j.Position, Changed: j.Changed, Same: j.Same, Skipped: j.Skipped,
		Skips: []BulkSkipView{}, CreatedBy: j.UserName, CreatedAt: timeOrNil(j.CreatedAt), FinishedAt: timeOrNil(j.FinishedAt),
		Undoes: idOrNil(j.Undoes), UndoneBy: idOrNil(j.UndoneBy),
	}
	switch {
	case !j.FinishedAt.IsZero():
		v.Status = BulkDone
	case !j.StartedAt.IsZero():
		v.Status = BulkRunning
	}
	if until, ok := m.undoUntil(j); ok {
		v.UndoUntil = &until
	}
	if j.Skipped == 0 {
		return v, nil
	}
	items, err := m.deps.Bulk.SkippedOfBulk(ctx, j.ID, maxSkips)
	if err != nil {
		return v, err
	}
	for _, i := range items {
		v.Skips = append(v.Skips, BulkSkipView{ID: i.MonitorID, Name: i.Name, Reason: i.Skipped})
	}
	return v, nil
}

// undoUntil is until when a job can be taken back; false when it cannot.
func (m *Manage) undoUntil(j uptime.BulkJob) (time.Time, bool) {
	until := j.FinishedAt.Add(uptime.UndoBulkFor)
	ok := !j.FinishedAt.IsZero() && j.Undoes == 0 && j.UndoneBy == 0 && j.Changed > 0 && bulkActionOf(j).Action != BulkCheck && m.deps.Clock().Before(until)
	return until.UTC(), ok
}

// bulkActionOf a job; what cannot be read does nothing.
func bulkActionOf(j uptime.BulkJob) bulkAction {
	var a bulkAction
	_ = json.Unmarshal(j.Action, &a) // it was written by us
	return a
}
