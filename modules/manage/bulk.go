package manage

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"monitor/modules/uptime"
)

const (
	// bulkRead is how many monitors are read at once.
	bulkRead = 1000
	maxNames = 10 // of a preview
)

// BulkMonitors does one action to many monitors: {"ids":[…]} or {"filter":{…}}, "action" and
// what that needs. With "dry_run" it says what would be done, and does nothing. Otherwise it
// makes a job of it; which monitors it is about is fixed then. A "set" is that of a preview:
// CodeConflict when other monitors match by now.
func (m *Manage) BulkMonitors(ctx context.Context, actor uptime.Actor, raw json.RawMessage) (BulkJobView, error) {
	if err := m.permit(actor, ChangeMonitor); err != nil {
		return BulkJobView{}, err
	}
	q, err := m.readBulk(ctx, actor, raw)
	if err != nil {
		return BulkJobView{}, err
	}
	ids, err := m.chosen(ctx, actor.WorkspaceID, q)
	if err != nil {
		return BulkJobView{}, err
	}
	if q.set != "" && q.set != bulkSet(ids, q.action) {
		return BulkJobView{}, uptime.Fail(uptime.CodeConflict, "This is not what was shown before: other monitors match, %d by now, or other defaults count. Look at it again.", len(ids))
	}
	if q.dryRun {
		return m.previewBulk(ctx, actor.WorkspaceID, q.action, ids)
	}
	if len(ids) == 0 {
		return BulkJobView{}, uptime.Invalid(uptime.FieldError{Field: "ids", Message: "must name at least 1 monitor"})
	}
	return m.startBulk(ctx, actor, q.action, ids, 0)
}

// bulkSet names a set of monitors, and what the action takes from elsewhere.
func bulkSet(ids []int64, action bulkAction) string {
	hash := sha256.New()
	_, _ = hash.Write(action.Into)
	for _, id := range ids {
		_ = binary.Write(hash, binary.BigEndian, id) // a hash takes everything
	}
	return base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:12])
}

func (m *Manage) previewBulk(ctx context.Context, ws int64, action bulkAction, ids []int64) (BulkJobView, error) {
	raw, err := json.Marshal(action)
	if err != nil {
		return BulkJobView{}, fmt.Errorf("write action: %w", err)
	}
	v := BulkJobView{Action: raw, Status: BulkPreview, Total: len(ids), Set: bulkSet(ids, action), Names: []string{}, Skips: []BulkSkipView{}}
	skip := func(id int64, name, reason string) {
		if v.Skipped++; len(v.Skips) < maxSkips {
			v.Skips = append(v.Skips, BulkSkipView{ID: id, Name: name, Reason: reason})
		}
	}
	now := m.deps.Clock()
	for part := range slices.Chunk(ids, bulkRead) {
		list, err := m.deps.Bulk.MonitorsOf(ctx, ws, part)
		if err != nil {
			return BulkJobView{}, err
		}
		found := make(map[int64]bool, len(list))
		for _, mon := range list {
			found[mon.ID] = true
			reason, changes := action.verdict(mon, now)
			switch {
			case reason != "":
				skip(mon.ID, mon.Name, reason)
			case !changes:
				v.Same++
			default:
				if v.Changed++; len(v.Names) < maxNames {
					v.Names = append(v.Names, mon.Name)
				}
			}
		}
		for _, id := range part {
			if !found[id] {
				skip(id, "", uptime.Say("does not exist"))
			}
		}
	}
	return v, nil
}

func (m *Manage) startBulk(ctx context.Context, actor uptime.Actor, action bulkAction, ids []int64, undoes int64) (BulkJobView, error) {
	raw, err := json.Marshal(action)
	if err != nil {
		return BulkJobView{}, fmt.Errorf("write action: %w", err)
	}
	audit := m.audited(actor, "monitor.bulk", "bulk_job", 0)
	audit.Detail = detail(map[string]any{"action": action, "monitors": len(ids)})
	job, err := m.deps.Bulk.CreateBulkJob(ctx, uptime.BulkJob{
		WorkspaceID: actor.WorkspaceID, UserID: actor.UserID, TokenID: actor.TokenID, UserName: actor.Name, Address: actor.Address,
		Action: raw, IDs: ids, Undoes: undoes,
	}, audit)
	if err != nil {
		return BulkJobView{}, err
	}
	select {
	case m.bulk <- struct{}{}:
	default: // it is awake
	}
	return m.bulkView(ctx, job)
}

// BulkJob tells how far a job is.
func (m *Manage) BulkJob(ctx context.Context, actor uptime.Actor, id int64) (BulkJobView, error) {
	if err := m.permit(actor, Read); err != nil {
		return BulkJobView{}, err
	}
	job, err := m.deps.Bulk.BulkJob(ctx, actor.WorkspaceID, id)
	if err != nil {
		return BulkJobView{}, err
	}
	return m.bulkView(ctx, job)
}

// UndoBulk takes a job back that ended within the last hour, by a job of its own. CodeConflict
// when that cannot be.
func (m *Manage) UndoBulk(ctx context.Context, actor uptime.Actor, id int64) (BulkJobView, error) {
	if err := m.permit(actor, ChangeMonitor); err != nil {
		return BulkJobView{}, err
	}
	job, err := m.deps.Bulk.BulkJob(ctx, actor.WorkspaceID, id)
	if err != nil {
		return BulkJobView{}, err
	}
	if _, ok := m.undoUntil(job); !ok {
		return BulkJobView{}, uptime.Fail(uptime.CodeConflict, "This cannot be undone: only a job that is done, changed something and ended within the last hour, and that once.")
	}
	ids, err := m.deps.BulkWork.UndoableOfBulk(ctx, id)
	if err != nil {
		return BulkJobView{}, err
	}
	v, err := m.startBulk(ctx, actor, bulkAction{Action: bulkUndo, Undoes: id}, ids, id)
	if errors.Is(err, uptime.ErrConflict) && uptime.CodeOf(err) == uptime.CodeConflict {
		return v, &uptime.Error{Code: uptime.CodeConflict, Detail: "This is being undone already.", Err: err}
	}
	return v, err
}
