package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// DeletedMonitors lists those that RestoreMonitor brings back, the last deleted first.
func (s *Store) DeletedMonitors(ctx context.Context, ws int64, limit int) ([]uptime.Monitor, error) {
	var out []uptime.Monitor
	err := s.report(ctx, func(db *gorm.DB) error {
		var rows []viewRow
		err := s.view(db).Where("workspace_id = ? AND deleted_at > ?", ws, at(s.now().Add(-uptime.UndeleteFor))).
			Order("deleted_at DESC, id DESC").Limit(limit).Find(&rows).Error
		if err != nil {
			return fmt.Errorf("read deleted monitors: %w", err)
		}
		out, err = views(db, rows)
		return err
	})
	return out, err
}
