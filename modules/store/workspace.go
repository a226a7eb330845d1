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

// Workspace gives a workspace.
func (s *Store) Workspace(ctx context.Context, ws int64) (uptime.Workspace, error) {
	var row workspaceRow
	err := s.read(ctx, func(db *gorm.DB) error { return db.Where("id = ?", ws).Take(&row).Error })
	if err != nil {
		return uptime.Workspace{}, fmt.Errorf("read workspace %d: %w", ws, err)
	}
	return row.workspace(), nil
}

// UpdateWorkspace changes name and time zone by mutate.
func (s *Store) UpdateWorkspace(ctx context.Context, ws int64, mutate func(*uptime.Workspace) error) (uptime.Workspace, error) {
	var after uptime.Workspace
	err := s.write(ctx, func(tx *gorm.DB) error {
		var row workspaceRow
		if err := s.forUpdate(tx).Where("id = ?", ws).Take(&row).Error; err != nil {
			return fmt.Errorf("read workspace %d: %w", ws, err)
		}
		after = row.workspace()
		if err := mutate(&after); err != nil {
			return err
		}
		after.ID, after.CreatedAt = row.ID, row.CreatedAt.time()
		if after.Name == row.Name && after.TimeZone == row.TimeZone {
			return nil
		}
		return tx.Exec(`UPDATE workspaces SET name = ?, time_zone = ? WHERE id = ?`, after.Name, after.TimeZone, ws).Error
	})
	if err != nil {
		return uptime.Workspace{}, err
	}
	return after, nil
}
