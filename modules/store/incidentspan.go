package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// IncidentSpans gives a living monitor's own incidents that touch [from, to), newest
// first. The outages of one monitor do not overlap, so that of those that began
// before from only the newest can reach into it: no older ones are read.
func (s *Store) IncidentSpans(ctx context.Context, ws, monitorID int64, from, to time.Time, limit int) (out []uptime.IncidentSpan, err error) {
	err = s.report(ctx, func(db *gorm.DB) error {
		out = nil
		if _, err := s.livingMonitor(db, ws, monitorID); err != nil {
			return err
		}
		var rows []incidentRow
		err := db.Raw(`SELECT i.id, i.cause, i.started_at, i.confirmed_at, i.recovered_at FROM incidents i
			WHERE i.monitor_id = ? AND i.deleted_at IS NULL AND i.started_at < ? AND i.started_at >= coalesce(
				(SELECT x.started_at FROM incidents x WHERE x.monitor_id = ? AND x.deleted_at IS NULL AND x.started_at < ?
					ORDER BY x.started_at DESC LIMIT 1), ?)
			AND (i.recovered_at IS NULL OR i.recovered_at > ?) ORDER BY i.started_at DESC LIMIT ?`,
			monitorID, at(to), monitorID, at(from), at(from), at(from), limit).Scan(&rows).Error
		if err != nil {
			return fmt.Errorf("read incidents of a range: %w", err)
		}
		for _, r := range rows {
			out = append(out, uptime.IncidentSpan{
				ID: r.ID, Cause: r.Cause, StartedAt: r.StartedAt.time(), ConfirmedAt: r.ConfirmedAt.time(), RecoveredAt: r.RecoveredAt.time(),
			})
		}
		return nil
	})
	return out, err
}
