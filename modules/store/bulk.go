package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// Jobs on many monitors. A process claims the oldest unfinished job of a workspace with a
// lease and does it in steps, each a transaction of a few monitors that also moves the job's
// position: whoever goes on after a crash does so with the next monitor. The number of the
// claim is the fence: a process that was away for longer than its lease changes nothing.

// maxWaiting is how many jobs of a workspace may be unfinished.
const maxWaiting = 20

type bulkRow struct {
	ID          int64
	WorkspaceID int64
	UserID      int64
	TokenID     int64
	UserName    string
	Address     string
	Action      string
	IDs         string `gorm:"column:ids"`
	Total       int
	Position    int
	Changed     int
	Same        int
	Skipped     int
	Undoes      reference
	Claim       int64
	LeaseUntil  instant
	CreatedAt   instant `gorm:"autoCreateTime:false"`
	StartedAt   instant
	FinishedAt  instant
	UndoneBy    reference `gorm:"->"`
}

// TableName implements gorm's Tabler.
func (bulkRow) TableName() string { return "bulk_jobs" }

func (r bulkRow) job() uptime.BulkJob {
	return uptime.BulkJob{
		ID: r.ID, WorkspaceID: r.WorkspaceID, UserID: r.UserID, TokenID: r.TokenID, UserName: r.UserName, Address: r.Address,
		Action: json.RawMessage(r.Action), Total: r.Total, Position: r.Position, Changed: r.Changed, Same: r.Same, Skipped: r.Skipped,
		Undoes: int64(r.Undoes), UndoneBy: int64(r.UndoneBy), Claim: r.Claim,
		CreatedAt: r.CreatedAt.time(), StartedAt: r.StartedAt.time(), FinishedAt: r.FinishedAt.time(),
	}
}

// CreateBulkJob stores a job that waits for its turn. uptime.ErrConflict when the job that it
// takes back is taken back already; CodeConflict when too many wait.
func (s *Store) CreateBulkJob(ctx context.Context, j uptime.BulkJob, audit *uptime.Audit) (uptime.BulkJob, error) {
	ids, err := json.Marshal(j.IDs)
	if err != nil {
		return j, fmt.Errorf("write the monitors of a job: %w", err)
	}
	var out uptime.BulkJob
	err = s.write(ctx, func(tx *gorm.DB) error {
		if err := s.lives(tx, j.WorkspaceID); err != nil {
			return err
		}
		var waiting int64
		if err := tx.Raw(`SELECT count(*) FROM bulk_jobs WHERE workspace_id = ? AND finished_at IS NULL`, j.WorkspaceID).Scan(&waiting).Error; err != nil {
			return fmt.Errorf("count jobs: %w", err)
		}
		if waiting >= maxWaiting {
			return uptime.Fail(uptime.CodeConflict, "%d jobs of this workspace wait already; wait until one is done.", waiting)
		}
		row := bulkRow{
			WorkspaceID: j.WorkspaceID, UserID: j.UserID, TokenID: j.TokenID, UserName: j.UserName, Address: j.Address,
			Action: string(j.Action), IDs: string(ids), Total: len(j.IDs), Undoes: reference(j.Undoes), CreatedAt: at(s.now()),
		}
		if row.Total == 0 {
			row.StartedAt, row.FinishedAt = row.CreatedAt, row.CreatedAt
		}
		if err := tx.Create(&row).Error; err != nil {
			return fmt.Errorf("insert a job: %w", err)
		}
		out = row.job()
		return insertAudit(tx, audit, row.ID)
	})
	return out, err
}

const bulkJobSQL = `SELECT j.id, j.workspace_id, j.user_id, j.token_id, j.user_name, j.address, j.action, j.total, j.position, j.changed,
	j.same, j.skipped, j.undoes, j.claim, j.created_at, j.started_at, j.finished_at,
	(SELECT u.id FROM bulk_jobs u WHERE u.undoes = j.id) AS undone_by FROM bulk_jobs j`

// BulkJob gives a job of the workspace.
func (s *Store) BulkJob(ctx context.Context, ws, id int64) (uptime.BulkJob, error) {
	var rows []bulkRow
	err := s.read(ctx, func(db *gorm.DB) error {
		return db.Raw(bulkJobSQL+` WHERE j.workspace_id = ? AND j.id = ?`, ws, id).Scan(&rows).Error
	})
	if err != nil {
		return uptime.BulkJob{}, fmt.Errorf("read job %d: %w", id, err)
	}
	if len(rows) == 0 {
		return uptime.BulkJob{}, fmt.Errorf("read job %d: %w", id, uptime.ErrNotFound)
	}
	return rows[0].job(), nil
}

// SkippedOfBulk gives the first monitors of a job that could not be changed, by id.
func (s *Store) SkippedOfBulk(ctx context.Context, jobID int64, limit int) ([]uptime.BulkItem, error) {
	return s.bulkItems(ctx, `job_id = ? AND skipped <> '' ORDER BY monitor_id LIMIT ?`, jobID, limit)
}

// UndoableOfBulk gives the monitors of a job whose change can be taken back, ascending.
func (s *Store) UndoableOfBulk(ctx context.Context, jobID int64) (ids []int64, err error) {
	err = s.read(ctx, func(db *gorm.DB) error {
		return db.Raw(`SELECT monitor_id FROM bulk_items WHERE job_id = ? AND undo <> '' ORDER BY monitor_id LIMIT ?`, jobID, uptime.MaxBulk).
			Scan(&ids).Error
	})
	if err != nil {
		return nil, fmt.Errorf("read what a job changed: %w", err)
	}
	return ids, nil
}

// UndoOfBulk gives what takes the changes of a job to these monitors back.
func (s *Store) UndoOfBulk(ctx context.Context, jobID int64, ids []int64) ([]uptime.BulkItem, error) {
	return s.bulkItems(ctx, `job_id = ? AND undo <> '' AND monitor_id IN (?) ORDER BY monitor_id`, jobID, ids)
}

func (s *Store) bulkItems(ctx context.Context, where string, args ...any) ([]uptime.BulkItem, error) {
	var rows []struct {
		MonitorID           int64
		Name, Skipped, Undo string
	}
	err := s.read(ctx, func(db *gorm.DB) error {
		return db.Raw(`SELECT monitor_id, name, skipped, undo FROM bulk_items WHERE `+where, args...).Scan(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("read what became of a job: %w", err)
	}
	items := make([]uptime.BulkItem, 0, len(rows))
	for _, r := range rows {
		items = append(items, uptime.BulkItem{MonitorID: r.MonitorID, Name: r.Name, Skipped: r.Skipped, Undo: json.RawMessage(r.Undo)})
	}
	return items, nil
}

// nextBulk is the oldest unfinished job of a workspace that nobody holds. Argument: now.
const nextBulk = `SELECT j.id FROM bulk_jobs j WHERE j.finished_at IS NULL AND (j.lease_until IS NULL OR j.lease_until <= ?)
	AND NOT EXISTS (SELECT 1 FROM bulk_jobs o WHERE o.workspace_id = j.workspace_id AND o.finished_at IS NULL AND o.id < j.id)
	ORDER BY j.id LIMIT 1`

// ClaimBulkJob leases a job that waits or was left behind to the caller, with the ids of its
// monitors. uptime.ErrNotFound where there is none.
func (s *Store) ClaimBulkJob(ctx context.Context, lease time.Duration) (uptime.BulkJob, error) {
	none := fmt.Errorf("claim a job: %w", uptime.ErrNotFound)
	var ids []int64
	err := s.readBy(ctx, s.main, func(db *gorm.DB) error { return db.Raw(nextBulk, at(s.now())).Scan(&ids).Error })
	if err != nil {
		return uptime.BulkJob{}, fmt.Errorf("look for a job: %w", err)
	}
	if len(ids) == 0 {
		return uptime.BulkJob{}, none
	}
	var job uptime.BulkJob
	err = s.writeBy(ctx, s.main, func(tx *gorm.DB) error {
		now := s.now()
		query := nextBulk
		if s.dialect == dialectPostgres {
			query += ` FOR UPDATE SKIP LOCKED`
		}
		var id int64
		if err := tx.Raw(query, at(now)).Scan(&id).Error; err != nil {
			return err
		}
		if id == 0 {
			return none
		}
		err := tx.Exec(`UPDATE bulk_jobs SET claim = claim + 1, lease_until = ?, started_at = coalesce(started_at, ?) WHERE id = ?`,
			at(now.Add(lease)), at(now), id).Error
		if err != nil {
			return err
		}
		var row bulkRow
		if err := tx.Where("id = ?", id).Take(&row).Error; err != nil {
			return err
		}
		job = row.job()
		return json.Unmarshal([]byte(row.IDs), &job.IDs)
	})
	if err != nil {
		return uptime.BulkJob{}, fmt.Errorf("claim a job: %w", err)
	}
	return job, nil
}

// ReleaseBulkJob gives a claim back, so that another process goes on at once.
func (s *Store) ReleaseBulkJob(ctx context.Context, j uptime.BulkJob) error {
	return s.writeBy(ctx, s.main, func(tx *gorm.DB) error {
		return tx.Exec(`UPDATE bulk_jobs SET lease_until = NULL WHERE id = ? AND claim = ?`, j.ID, j.Claim).Error
	})
}
