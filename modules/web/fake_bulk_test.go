package web

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"time"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func (f *fake) SilenceMonitor(_ context.Context, _ uptime.Actor, _ int64, body json.RawMessage) (manage.MonitorView, error) {
	return manage.MonitorView{}, f.change(body)
}

func (f *fake) UnsilenceMonitor(context.Context, uptime.Actor, int64) (manage.MonitorView, error) {
	return manage.MonitorView{}, f.change(nil)
}

func (f *fake) DeletedMonitors(context.Context, uptime.Actor) (out uptime.List[manage.DeletedMonitorView], err error) {
	if f.empty {
		return out, nil
	}
	names := []string{"old shop", hostile, "a name that is so long that no list has room for the whole of it and its target"}
	for i := range f.many {
		names = append(names, fmt.Sprintf("old-%03d", i))
	}
	for i, name := range names {
		at := sampleNow().Add(-time.Duration(i*31+1) * time.Hour)
		out.Items = append(out.Items, manage.DeletedMonitorView{
			ID: int64(100 + i), Name: name, Type: "http", Group: "Shop/EU", Target: "https://old.example.com/" + name, DeletedAt: at, GoneAt: at.Add(uptime.UndeleteFor),
		})
	}
	return out, nil
}

func (f *fake) RestoreMonitor(context.Context, uptime.Actor, int64) (manage.MonitorView, error) {
	return manage.MonitorView{}, f.change(nil)
}

func (f *fake) CopyMonitor(_ context.Context, _ uptime.Actor, _ int64, body json.RawMessage) (manage.MonitorView, error) {
	return manage.MonitorView{ID: 2}, f.change(body)
}

func (f *fake) BulkMonitors(_ context.Context, _ uptime.Actor, body json.RawMessage) (manage.BulkJobView, error) {
	var in struct {
		DryRun bool   `json:"dry_run"`
		Set    string `json:"set"`
		Action string `json:"action"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return manage.BulkJobView{}, err
	}
	if err := f.change(body); err != nil {
		return manage.BulkJobView{}, err
	}
	if in.DryRun {
		action := `{}`
		if in.Action == manage.BulkDefaults {
			action = `{"action":"defaults","from":{"interval":"60s","http":{"degraded_after":"0s"}},"into":{"interval":"120s","http":{"degraded_after":"2s"}}}`
		}
		return manage.BulkJobView{
			Action: json.RawMessage(action), Status: manage.BulkPreview, Total: 17, Changed: 12, Same: 3, Skipped: 2, Set: "set",
			Names: []string{"api-prod-003", "checkout", hostile}, Skips: []manage.BulkSkipView{{ID: 9, Name: hostile, Reason: "is paused"}, {ID: 99, Reason: "does not exist"}},
		}, nil
	}
	return sampleJob(7), nil
}

// sampleJob is under way (7), done (8), an undo of it (9) or waits (10).
func sampleJob(id int64) manage.BulkJobView {
	made := sampleNow().Add(-2 * time.Minute)
	v := manage.BulkJobView{
		ID: &id, Action: json.RawMessage(`{"action":"interval","interval":"5m"}`), Status: manage.BulkRunning, Total: 1284, Done: 40, Changed: 36, Same: 4,
		CreatedBy: "Mia " + hostile, CreatedAt: &made,
	}
	switch id {
	case 8:
		until := sampleNow().Add(time.Hour)
		v.Status, v.Total, v.Done, v.Changed, v.Same, v.Skipped, v.FinishedAt, v.UndoUntil = manage.BulkDone, 43, 43, 36, 4, 3, &made, &until
		v.Skips = []manage.BulkSkipView{{ID: 5, Name: hostile, Reason: "its timeout of 10s is longer"}, {ID: 6, Reason: "It does not exist any more."}}
	case 9:
		undoes := int64(8)
		v.Action, v.Status, v.Total, v.Done, v.Changed, v.Same, v.FinishedAt, v.Undoes = json.RawMessage(`{"action":"undo"}`), manage.BulkDone, 40, 40, 36, 4, &made, &undoes
	case 10:
		v.Status, v.Done, v.Changed, v.Same = manage.BulkWaiting, 0, 0, 0
	}
	return v
}

func (f *fake) BulkJob(_ context.Context, _ uptime.Actor, id int64) (manage.BulkJobView, error) {
	return sampleJob(id), f.broken
}

func (f *fake) UndoBulk(context.Context, uptime.Actor, int64) (manage.BulkJobView, error) {
	return sampleJob(9), f.change(nil)
}

// bulkShots are the pages of silence, clone and actions on many monitors.
func bulkShots() []shot {
	ok, bad := http.StatusOK, http.StatusUnprocessableEntity
	many := url.Values{"id": {"1", "2", "3"}, "back": {"/monitors?status=down"}}
	with := func(more ...string) url.Values {
		v := maps.Clone(many)
		for i := 0; i < len(more); i += 2 {
			v.Set(more[i], more[i+1])
		}
		return v
	}
	refuse := func(f *fake) {
		f.failure = uptime.Invalid(uptime.FieldError{Field: "tag", Message: "must have a name of 1 to 50 characters without : , = and control characters"})
	}
	silent := func(f *fake) { f.silent = true }
	undo := func(r *http.Request) { r.AddCookie(&http.Cookie{Name: flashCookie, Value: "monitor-deleted.11"}) }
	return []shot{
		{"monitor-silenced", "/monitors/5", nil, ok, silent, nil},
		{"overview-silenced", "/", nil, ok, silent, nil},
		{"monitors-undo", "/monitors", nil, ok, nil, undo},
		{"monitor-clone", "/monitors/11/clone", nil, ok, nil, nil},
		{"bulk-asks", "/monitors/bulk", with("action", "silence"), ok, nil, nil},
		{"bulk-channels", "/monitors/bulk", with("action", "channels"), ok, nil, nil},
		{"bulk-refused", "/monitors/bulk", with("action", "tag-add", "ready", "1", "to_tag", hostile), bad, refuse, nil},
		{"bulk-preview", "/monitors/bulk", with("action", "interval", "ready", "1", "interval", "5m"), ok, nil, nil},
		{"bulk-all", "/monitors/bulk", url.Values{"all": {"1"}, "q": {hostile}, "status": {"down"}, "tag": {"team:web", "env"}, "action": {"pause"}}, ok, nil, nil},
		{"bulk-delete", "/monitors/bulk", with("action", "delete"), ok, nil, nil},
		{"bulk-untyped", "/monitors/bulk", with("action", "delete", "confirm", "1", "set", "set", "typed", "11"), bad, nil, nil},
		{"bulk-others", "/monitors/bulk", with("action", "pause", "confirm", "1", "set", "other"), http.StatusConflict, nil, nil},
		{"bulk-running", "/monitors/bulk/7", nil, ok, nil, nil},
		{"bulk-done", "/monitors/bulk/8", nil, ok, nil, nil},
		{"bulk-undo", "/monitors/bulk/9", nil, ok, nil, nil},
		{"bulk-waiting", "/monitors/bulk/10", nil, ok, nil, nil},
	}
}

func (f *fake) silenced(m manage.MonitorView) manage.MonitorView {
	if f.silent {
		until := sampleNow().Add(3 * time.Hour)
		m.SilencedUntil, m.SilencedBy, m.SilenceNote = &until, "Mia", "Moving the rack "+hostile
	}
	return m
}
