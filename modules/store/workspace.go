package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

type workspaceRow struct {
	ID        int64
	Name      string
	TimeZone  string
	CreatedAt instant `gorm:"autoCreateTime:false"`
	DeletedAt instant
}

// TableName implements gorm's Tabler.
func (workspaceRow) TableName() string { return "workspaces" }

func (r workspaceRow) workspace() uptime.Workspace {
	return uptime.Workspace{ID: r.ID, Name: r.Name, TimeZone: r.TimeZone, CreatedAt: r.CreatedAt.time()}
}

// Keys of PostgreSQL's advisory locks, held until the transaction ends.
const (
	lockWorkspaces = 0x6d6f6e01 // making the default workspace
	lockFirstOwner = 0x6d6f6e02
)

// alone makes transactions that take the same lock run one after the other. On
// SQLite they do so anyhow.
func (s *Store) alone(tx *gorm.DB, lock int64) error {
	if s.dialect != dialectPostgres {
		return nil
	}
	if err := tx.Exec(`SELECT pg_advisory_xact_lock(?)`, lock).Error; err != nil {
		return fmt.Errorf("wait for a lock: %w", err)
	}
	return nil
}

// EnsureWorkspace gives the default workspace, which is the oldest, and makes it
// with this name if there is none.
func (s *Store) EnsureWorkspace(ctx context.Context, name string) (uptime.Workspace, error) {
	var row workspaceRow
	oldest := func(db *gorm.DB) error { return db.Order("id").Take(&row).Error }
	err := s.read(ctx, oldest)
	if errors.Is(err, uptime.ErrNotFound) {
		err = s.write(ctx, func(tx *gorm.DB) error {
			if err := s.alone(tx, lockWorkspaces); err != nil {
				return err
			}
			if err := oldest(tx); !errors.Is(err, gorm.ErrRecordNotFound) {
				return err
			}
			row = workspaceRow{Name: name, TimeZone: "UTC", CreatedAt: at(s.now())}
			return tx.Create(&row).Error
		})
	}
	if err != nil {
		return uptime.Workspace{}, fmt.Errorf("make the default workspace: %w", err)
	}
	return row.workspace(), nil
}

// Workspace gives a workspace that was not deleted.
func (s *Store) Workspace(ctx context.Context, ws int64) (uptime.Workspace, error) {
	var row workspaceRow
	err := s.read(ctx, func(db *gorm.DB) error { return db.Where("id = ? AND deleted_at IS NULL", ws).Take(&row).Error })
	if err != nil {
		return uptime.Workspace{}, fmt.Errorf("read workspace %d: %w", ws, err)
	}
	return row.workspace(), nil
}

// Workspaces lists all that there are, the first one first.
func (s *Store) Workspaces(ctx context.Context) ([]uptime.Workspace, error) {
	var rows []workspaceRow
	err := s.read(ctx, func(db *gorm.DB) error { return db.Where("deleted_at IS NULL").Order("id").Find(&rows).Error })
	if err != nil {
		return nil, fmt.Errorf("list workspaces: %w", err)
	}
	list := make([]uptime.Workspace, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.workspace())
	}
	return list, nil
}

// UpdateWorkspace changes name and time zone by mutate.
func (s *Store) UpdateWorkspace(ctx context.Context, ws int64, mutate func(*uptime.Workspace) error, audit *uptime.Audit) (uptime.Workspace, error) {
	var after uptime.Workspace
	err := s.write(ctx, func(tx *gorm.DB) error {
		row, err := s.lockWorkspace(tx, ws)
		if err != nil {
			return err
		}
		after = row.workspace()
		if err := mutate(&after); err != nil {
			return err
		}
		after.ID, after.CreatedAt = row.ID, row.CreatedAt.time()
		if after.Name == row.Name && after.TimeZone == row.TimeZone {
			return nil
		}
		err = tx.Exec(`UPDATE workspaces SET name = ?, time_zone = ? WHERE id = ?`, after.Name, after.TimeZone, ws).Error
		if err != nil {
			return fmt.Errorf("update workspace: %w", err)
		}
		return insertAudit(tx, audit, ws)
	})
	if err != nil {
		return uptime.Workspace{}, err
	}
	return after, nil
}

func (s *Store) lockWorkspace(tx *gorm.DB, ws int64) (workspaceRow, error) {
	var row workspaceRow
	if err := s.forUpdate(tx).Where("id = ? AND deleted_at IS NULL", ws).Take(&row).Error; err != nil {
		return row, fmt.Errorf("read workspace %d: %w", ws, err)
	}
	return row, nil
}

// CreateWorkspace makes a workspace whose owner is the person. The line of the audit log
// is the first one of the new workspace.
func (s *Store) CreateWorkspace(ctx context.Context, w uptime.Workspace, ownerID int64, audit *uptime.Audit) (uptime.Workspace, error) {
	var row workspaceRow
	err := s.write(ctx, func(tx *gorm.DB) error {
		if err := s.alone(tx, lockWorkspaces); err != nil {
			return err
		}
		if err := s.roomForWorkspace(tx); err != nil {
			return err
		}
		if _, err := s.lockAccount(tx, "id = ?", ownerID); err != nil {
			return err
		}
		now := at(s.now())
		row = workspaceRow{Name: w.Name, TimeZone: w.TimeZone, CreatedAt: now}
		if err := tx.Create(&row).Error; err != nil {
			return fmt.Errorf("create workspace: %w", err)
		}
		owner := userRow{ID: ownerID, WorkspaceID: row.ID, Role: uptime.RoleOwner}
		if err := addMembership(tx, owner, now); err != nil {
			return err
		}
		if audit != nil {
			line := *audit
			line.WorkspaceID = row.ID
			audit = &line
		}
		return insertAudit(tx, audit, row.ID)
	})
	if err != nil {
		return uptime.Workspace{}, err
	}
	return row.workspace(), nil
}

// DeleteWorkspace removes a workspace with its memberships, sessions and API tokens. The
// first one stays, and so does one with monitors, channels or other members, or whose
// last member has no other workspace: an *uptime.Error with CodeConflict.
func (s *Store) DeleteWorkspace(ctx context.Context, ws int64, audit *uptime.Audit) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		if _, err := s.lockWorkspace(tx, ws); err != nil {
			return err
		}
		var ids []int64
		if err := tx.Raw(`SELECT user_id FROM memberships WHERE workspace_id = ? ORDER BY user_id`, ws).Scan(&ids).Error; err != nil {
			return fmt.Errorf("read members: %w", err)
		}
		for _, id := range ids {
			if _, err := s.lockAccount(tx, "id = ?", id); err != nil {
				return err
			}
		}
		if err := checkEmpty(tx, ws); err != nil {
			return err
		}
		for _, id := range ids {
			m, err := member(tx, ws, id)
			if err == nil {
				err = s.leave(tx, m)
			}
			if err != nil {
				return err
			}
		}
		if err := tx.Exec(`UPDATE workspaces SET deleted_at = ? WHERE id = ?`, at(s.now()), ws).Error; err != nil {
			return fmt.Errorf("delete workspace: %w", err)
		}
		return insertAudit(tx, audit, ws)
	})
}

// checkEmpty says why a workspace cannot be deleted.
func checkEmpty(tx *gorm.DB, ws int64) error {
	var has struct{ Older, Monitors, Channels, Others, Homeless int64 }
	err := tx.Raw(`SELECT (SELECT count(*) FROM workspaces WHERE id < ?) AS older,
		(SELECT count(*) FROM monitors WHERE workspace_id = ? AND deleted_at IS NULL) AS monitors,
		(SELECT count(*) FROM channels WHERE workspace_id = ? AND deleted_at IS NULL) AS channels,
		(SELECT count(*) - 1 FROM members WHERE workspace_id = ?) AS others,
		(SELECT count(*) FROM members WHERE workspace_id = ? AND NOT elsewhere) AS homeless`, ws, ws, ws, ws, ws).Scan(&has).Error
	if err != nil {
		return fmt.Errorf("count what a workspace has: %w", err)
	}
	for _, in := range []struct {
		way  bool
		text string
	}{
		{has.Older == 0, uptime.Say("The first workspace cannot be deleted.")},
		{has.Monitors > 0, uptime.Say("The workspace still has monitors; delete them first.")},
		{has.Channels > 0, uptime.Say("The workspace still has channels; delete them first.")},
		{has.Others > 0, uptime.Say("The workspace still has other members; remove them first.")},
		{has.Homeless > 0, uptime.Say("This is your only workspace; join another one first.")},
	} {
		if in.way {
			return uptime.Fail(uptime.CodeConflict, "%s", in.text)
		}
	}
	return nil
}
