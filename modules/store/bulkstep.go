package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// StepBulk does the next monitors of a claimed job and moves its position, in one
// transaction; after the last one the job is finished. It gives the job as it is then, and
// which monitors were changed. uptime.ErrStale when the claim is not the newest any more or
// these are not the next monitors: nothing was done.
func (s *Store) StepBulk(ctx context.Context, j uptime.BulkJob, changes []uptime.BulkChange, lease time.Duration) (uptime.BulkJob, []int64, error) {
	step := bulkStep{Store: s, changes: changes, lease: lease}
	err := s.writeBy(ctx, s.main, func(tx *gorm.DB) error {
		step.job, step.changed = j, nil
		return step.run(tx)
	})
	if err != nil {
		return j, nil, fmt.Errorf("do a step of job %d: %w", j.ID, err)
	}
	return step.job, step.changed, nil
}

type bulkStep struct {
	*Store
	changes []uptime.BulkChange
	lease   time.Duration

	job     uptime.BulkJob
	changed []int64
}

func (b *bulkStep) run(tx *gorm.DB) error {
	now := b.now()
	held := tx.Exec(`UPDATE bulk_jobs SET lease_until = ? WHERE id = ? AND claim = ? AND position = ? AND finished_at IS NULL`,
		at(now.Add(b.lease)), b.job.ID, b.job.Claim, b.job.Position)
	if held.Error != nil {
		return held.Error
	}
	if held.RowsAffected == 0 {
		return uptime.ErrStale
	}
	if err := b.lock(tx); err != nil {
		return err
	}
	for _, c := range b.changes {
		if err := b.one(tx, c); err != nil {
			return err
		}
	}
	b.job.Position += len(b.changes)
	if b.job.Position >= b.job.Total {
		b.job.FinishedAt = now
	}
	return tx.Exec(`UPDATE bulk_jobs SET position = ?, changed = ?, same = ?, skipped = ?, finished_at = ? WHERE id = ?`,
		b.job.Position, b.job.Changed, b.job.Same, b.job.Skipped, at(b.job.FinishedAt), b.job.ID).Error
}

// lock takes what the changes need in the order in which all do: the workspace, then the
// states of the monitors by id.
func (b *bulkStep) lock(tx *gorm.DB) error {
	if b.dialect != dialectPostgres {
		return nil
	}
	var ids []int64
	restores := false
	for _, c := range b.changes {
		ids = append(ids, c.MonitorID)
		restores = restores || !c.Restore.IsZero()
	}
	if restores && b.quotas.Monitors > 0 {
		if _, err := b.lockWorkspace(tx, b.job.WorkspaceID); err != nil {
			return err
		}
	}
	_, err := b.lockStates(tx, ids)
	return err
}

// one does one monitor in a savepoint of its own: what cannot be done to it stops no other.
func (b *bulkStep) one(tx *gorm.DB, c uptime.BulkChange) error {
	item := uptime.BulkItem{MonitorID: c.MonitorID, Name: c.Name, Skipped: c.Skip}
	changed := c.Done
	if c.Skip == "" && !c.Done {
		err := tx.Transaction(func(inner *gorm.DB) error {
			before, after, err := b.apply(inner, c)
			if err != nil {
				item.Name = cmp.Or(before.Name, item.Name)
				return err
			}
			item.Name = after.Name
			if changed = after.Version != before.Version || after.Silence != before.Silence; changed && c.Undo != nil {
				item.Undo = c.Undo(before, after)
			}
			return nil
		})
		if !c.Restore.IsZero() && errors.Is(failure(err), uptime.ErrNotFound) {
			err = uptime.Fail(uptime.CodeNotFound, "It is there already, or can be restored no more.")
		}
		if item.Skipped = whySkipped(failure(err)); err != nil && item.Skipped == "" {
			return err
		}
		changed = changed && err == nil
	}
	switch {
	case item.Skipped != "":
		b.job.Skipped++
	case changed:
		b.job.Changed++
		b.changed = append(b.changed, c.MonitorID)
	default:
		b.job.Same++
		return nil
	}
	return tx.Exec(`INSERT INTO bulk_items (job_id, monitor_id, name, skipped, undo) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		b.job.ID, item.MonitorID, item.Name, item.Skipped, string(item.Undo)).Error
}

func (b *bulkStep) apply(tx *gorm.DB, c uptime.BulkChange) (before, after uptime.Monitor, err error) {
	if !c.Restore.IsZero() {
		after, err = b.restore(tx, b.job.WorkspaceID, c.MonitorID, c.Restore, c.Audit)
		return uptime.Monitor{}, after, err
	}
	before, err = b.lockMonitor(tx, "workspace_id = ? AND id = ? AND deleted_at IS NULL", b.job.WorkspaceID, c.MonitorID)
	if err != nil {
		return before, before, err
	}
	switch after = before; {
	case c.Delete:
		after.Version++
		err = b.remove(tx, before, c.Audit)
	case c.Silence != nil:
		after, err = b.silence(tx, before, *c.Silence, c.Audit)
	default:
		after, err = b.change(tx, before, c.Mutate, c.Audit)
	}
	return before, after, err
}

// whySkipped says in words why a monitor could not be changed; "" for a fault that has nothing
// to do with it and lets the step fail.
func whySkipped(err error) uptime.Sentence {
	var told *uptime.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &told) && len(told.Fields) > 0:
		return told.Fields[0].Field + " " + told.Fields[0].Message
	case errors.As(err, &told) && told.Code != uptime.CodeUnavailable && told.Detail != "":
		return told.Detail
	case errors.Is(err, uptime.ErrNotFound):
		return "It does not exist any more."
	case errors.Is(err, uptime.ErrConflict):
		return "Its external key is taken by another monitor."
	}
	return ""
}

// MonitorIDs gives the ids of what Monitors lists, ascending, at most limit.
func (s *Store) MonitorIDs(ctx context.Context, ws int64, f uptime.MonitorFilter, limit int) (ids []int64, err error) {
	err = s.read(ctx, func(db *gorm.DB) error {
		q := s.matching(db.Table("monitors AS v"), ws, f)
		if len(f.Statuses) > 0 {
			q = s.filtered(db, ws, f)
		}
		return q.Select("id").Order("id").Limit(limit).Find(&ids).Error
	})
	if err != nil {
		return nil, fmt.Errorf("list the ids of monitors: %w", err)
	}
	return ids, nil
}

// MonitorsOf gives the living ones of these monitors of a workspace, by id.
func (s *Store) MonitorsOf(ctx context.Context, ws int64, ids []int64) (out []uptime.Monitor, err error) {
	err = s.read(ctx, func(db *gorm.DB) error {
		var rows []viewRow
		if err := s.view(db).Where("workspace_id = ? AND deleted_at IS NULL AND id IN ?", ws, ids).Order("id").Find(&rows).Error; err != nil {
			return err
		}
		out, err = views(db, rows)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read monitors: %w", err)
	}
	return out, nil
}
