package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// ExpiringMonitors gives the living monitors that are not paused and whose newest
// certificate ends before a time, the first to end first. It looks at two columns of
// all: an index would cost every result that sees a certificate.
func (s *Store) ExpiringMonitors(ctx context.Context, ws int64, before time.Time, limit int) (out []uptime.Monitor, err error) {
	err = s.report(ctx, func(db *gorm.DB) error {
		out = nil
		var ids []int64
		err := db.Raw(`SELECT m.id FROM monitors m JOIN monitor_states s ON s.monitor_id = m.id
			WHERE m.workspace_id = ? AND m.deleted_at IS NULL AND m.enabled AND s.cert_not_after < ?
			ORDER BY s.cert_not_after, m.id LIMIT ?`, ws, at(before), limit).Scan(&ids).Error
		if err != nil {
			return fmt.Errorf("find certificates that end: %w", err)
		}
		if len(ids) == 0 {
			return nil
		}
		var rows []viewRow
		if err := s.view(db).Where("id IN ?", ids).Find(&rows).Error; err != nil {
			return fmt.Errorf("read monitors whose certificates end: %w", err)
		}
		slices.SortFunc(rows, func(a, b viewRow) int {
			return cmp.Compare(slices.Index(ids, a.Monitor.ID), slices.Index(ids, b.Monitor.ID))
		})
		out, err = views(db, rows)
		return err
	})
	return out, err
}
