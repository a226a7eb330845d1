package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

const (
	maxOwnViews = 50  // of one person in a workspace
	maxViews    = 500 // that one person is shown
)

type savedViewRow struct {
	ID          int64
	WorkspaceID int64
	UserID      int64
	Name        string
	Query       string
	Shared      bool
	CreatedAt   instant `gorm:"autoCreateTime:false"`
	Maker       string  `gorm:"->"`
}

// TableName implements gorm's Tabler.
func (savedViewRow) TableName() string { return "saved_views" }

func (r savedViewRow) view() uptime.SavedView {
	return uptime.SavedView{
		ID: r.ID, WorkspaceID: r.WorkspaceID, UserID: r.UserID, Maker: r.Maker, Name: r.Name, Query: r.Query,
		Shared: r.Shared, CreatedAt: r.CreatedAt.time(),
	}
}

// CreateView adds a view. An *uptime.Error with CodeConflict when its maker has as
// many as one may have.
func (s *Store) CreateView(ctx context.Context, v uptime.SavedView, audit *uptime.Audit) (uptime.SavedView, error) {
	err := s.write(ctx, func(tx *gorm.DB) error {
		// Locked, so that two at once are counted one after the other.
		maker, err := s.lockMember(tx, v.WorkspaceID, v.UserID)
		if err == nil && !maker.joined() {
			err = uptime.ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("create view: %w", err)
		}
		var n int64
		if err := tx.Raw("SELECT count(*) FROM saved_views WHERE workspace_id = ? AND user_id = ?", v.WorkspaceID, v.UserID).Scan(&n).Error; err != nil {
			return fmt.Errorf("count views: %w", err)
		}
		if n >= maxOwnViews {
			return uptime.Fail(uptime.CodeConflict, "You have %d saved views; delete one first.", n)
		}
		row := savedViewRow{
			WorkspaceID: v.WorkspaceID, UserID: v.UserID, Name: v.Name, Query: v.Query, Shared: v.Shared, CreatedAt: at(s.now()),
		}
		if err := tx.Omit("Maker").Create(&row).Error; err != nil {
			return fmt.Errorf("create view: %w", err)
		}
		row.Maker = maker.Name
		v = row.view()
		return insertAudit(tx, audit, row.ID)
	})
	return v, err
}

// Views lists a person's own views and those that are shared with the workspace, by
// name.
func (s *Store) Views(ctx context.Context, ws, userID int64) ([]uptime.SavedView, error) {
	var rows []savedViewRow
	err := s.read(ctx, func(db *gorm.DB) error {
		return db.Raw(`SELECT v.*, u.name AS maker FROM saved_views v JOIN users u ON u.id = v.user_id
			WHERE v.workspace_id = ? AND (v.user_id = ? OR v.shared) ORDER BY lower(v.name), v.id LIMIT ?`, ws, userID, maxViews).Scan(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("list views: %w", err)
	}
	out := make([]uptime.SavedView, len(rows))
	for i, r := range rows {
		out[i] = r.view()
	}
	return out, nil
}

// View gives one that the person is shown.
func (s *Store) View(ctx context.Context, ws, userID, id int64) (uptime.SavedView, error) {
	var row savedViewRow
	err := s.read(ctx, func(db *gorm.DB) error {
		return db.Where("workspace_id = ? AND id = ? AND (user_id = ? OR shared)", ws, id, userID).Omit("Maker").Take(&row).Error
	})
	if err != nil {
		return uptime.SavedView{}, fmt.Errorf("read view: %w", err)
	}
	return row.view(), nil
}

// DeleteView removes one.
func (s *Store) DeleteView(ctx context.Context, ws, id int64, audit *uptime.Audit) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		done := tx.Exec("DELETE FROM saved_views WHERE workspace_id = ? AND id = ?", ws, id)
		if done.Error != nil {
			return fmt.Errorf("delete view: %w", done.Error)
		}
		if done.RowsAffected == 0 {
			return fmt.Errorf("delete view %d: %w", id, uptime.ErrNotFound)
		}
		return insertAudit(tx, audit, id)
	})
}
