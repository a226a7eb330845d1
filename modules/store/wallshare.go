package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

type wallShareRow struct {
	ID          int64
	WorkspaceID int64
	UserID      int64
	Name        string
	Tag         string
	GroupPath   string
	Prefix      string
	Hash        string
	ExpiresAt   instant
	LastUsedAt  instant
	CreatedAt   instant `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (wallShareRow) TableName() string { return "wall_shares" }

func (r wallShareRow) share() uptime.WallShare {
	return uptime.WallShare{
		ID: r.ID, WorkspaceID: r.WorkspaceID, UserID: r.UserID, Name: r.Name, Tag: r.Tag, Group: r.GroupPath, Prefix: r.Prefix, Hash: r.Hash,
		ExpiresAt: r.ExpiresAt.time(), LastUsedAt: r.LastUsedAt.time(), CreatedAt: r.CreatedAt.time(),
	}
}

// CreateWallShare adds a share and gives it back with its id. ErrConflict when the
// workspace has most of them.
func (s *Store) CreateWallShare(ctx context.Context, w uptime.WallShare, most int, audit *uptime.Audit) (uptime.WallShare, error) {
	err := s.write(ctx, func(tx *gorm.DB) error {
		if _, err := s.lockWorkspace(tx, w.WorkspaceID); err != nil {
			return err
		}
		var n int64
		if err := tx.Model(&wallShareRow{}).Where("workspace_id = ?", w.WorkspaceID).Count(&n).Error; err != nil {
			return fmt.Errorf("count wall shares: %w", err)
		}
		if n >= int64(most) {
			return fmt.Errorf("create wall share: there are %d: %w", n, uptime.ErrConflict)
		}
		row := wallShareRow{
			WorkspaceID: w.WorkspaceID, UserID: w.UserID, Name: w.Name, Tag: w.Tag, GroupPath: w.Group,
			Prefix: w.Prefix, Hash: w.Hash, ExpiresAt: at(w.ExpiresAt), CreatedAt: at(s.now()),
		}
		if err := tx.Create(&row).Error; err != nil {
			return fmt.Errorf("create wall share: %w", err)
		}
		w = row.share()
		return insertAudit(tx, audit, row.ID)
	})
	if err != nil {
		return uptime.WallShare{}, err
	}
	return w, nil
}

// WallShares lists the shares of a workspace by id.
func (s *Store) WallShares(ctx context.Context, ws int64, p uptime.Page) (uptime.List[uptime.WallShare], error) {
	list := uptime.List[uptime.WallShare]{}
	err := s.read(ctx, func(db *gorm.DB) error {
		rows, next, err := pageByID(db.Where("workspace_id = ?", ws), p, "wall shares", ascending, func(r wallShareRow) int64 { return r.ID })
		list.Items, list.Next = make([]uptime.WallShare, 0, len(rows)), next
		for _, r := range rows {
			list.Items = append(list.Items, r.share())
		}
		return err
	})
	if err != nil {
		return uptime.List[uptime.WallShare]{}, fmt.Errorf("list wall shares: %w", err)
	}
	return list, nil
}

// WallShareByHash gives the share of a living workspace that has not ended.
func (s *Store) WallShareByHash(ctx context.Context, hash string) (uptime.WallShare, error) {
	var row wallShareRow
	err := s.read(ctx, func(db *gorm.DB) error {
		return db.Where("hash = ? AND (expires_at IS NULL OR expires_at > ?)", hash, at(s.now())).
			Where("EXISTS (SELECT 1 FROM workspaces w WHERE w.id = wall_shares.workspace_id AND w.deleted_at IS NULL)").Take(&row).Error
	})
	if err != nil {
		return uptime.WallShare{}, fmt.Errorf("read wall share: %w", err)
	}
	return row.share(), nil
}

// DeleteWallShare ends a share.
func (s *Store) DeleteWallShare(ctx context.Context, ws, id int64, audit *uptime.Audit) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		done := tx.Exec(`DELETE FROM wall_shares WHERE workspace_id = ? AND id = ?`, ws, id)
		if done.Error != nil {
			return fmt.Errorf("delete wall share: %w", done.Error)
		}
		if done.RowsAffected == 0 {
			return fmt.Errorf("delete wall share %d: %w", id, uptime.ErrNotFound)
		}
		return insertAudit(tx, audit, id)
	})
}

// TouchWallShare notes that a share was used, at most once a minute.
func (s *Store) TouchWallShare(ctx context.Context, id int64, used time.Time) error {
	return s.touch(ctx, "wall_shares", "last_used_at", id, used)
}
