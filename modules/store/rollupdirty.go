package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
)

// dirtyPage is how many marked hours one transaction does again.
const dirtyPage = 10

type dirtyMark struct{ MonitorID, StartAt int64 }

// markDirty notes the hours of results that came so late that they may have been
// rolled up, with those that they reach into, or that one before reaches into no
// more.
func markDirty(tx *gorm.DB, rows []resultRow, intervals map[int64]int64, now time.Time) error {
	for _, r := range rows {
		hour := r.ScheduledAt - r.ScheduledAt%hourMS
		if hour+hourMS+dirtyAfter.Milliseconds() > now.UnixMilli() {
			continue
		}
		var longest int64 // at that time, and of those before that may reach so far
		err := tx.Raw(`SELECT coalesce(max(interval_ms), 0) FROM monitor_schedules
			WHERE monitor_id = ? AND from_at <= ? AND (until_at IS NULL OR until_at + 2 * interval_ms + ? >= ?)`,
			r.MonitorID, r.ScheduledAt, reach(0), r.ScheduledAt).Scan(&longest).Error
		if err != nil {
			return fmt.Errorf("read the intervals of a monitor: %w", err)
		}
		longest = max(longest, intervals[r.MonitorID])
		end := min(r.ScheduledAt+reach(longest), now.UnixMilli())
		for ; hour < end; hour += hourMS {
			// It updates a mark that is there: whoever is doing the hour again, and
			// does not see this result, takes that mark away only after it.
			err := tx.Exec(`INSERT INTO rollups_dirty (monitor_id, start_at) VALUES (?, ?)
				ON CONFLICT (monitor_id, start_at) DO UPDATE SET start_at = excluded.start_at`, r.MonitorID, hour).Error
			if err != nil {
				return fmt.Errorf("mark an hour: %w", err)
			}
		}
	}
	return nil
}

// dirty does marked hours again, and their days where those were done. The mark
// goes in the same transaction and before the results are read, so that a result
// that is recorded meanwhile marks the hour anew.
func (r *roller) dirty(ctx context.Context, _ int64) error {
	for {
		var marks []dirtyMark
		var days int64
		err := r.readBy(ctx, r.main, func(db *gorm.DB) error {
			marks = nil
			hours, d, err := rolled(db)
			if err != nil {
				return err
			}
			days = d
			return db.Raw("SELECT monitor_id, start_at FROM rollups_dirty WHERE start_at < ? ORDER BY monitor_id, start_at LIMIT ?",
				hours, dirtyPage).Scan(&marks).Error
		})
		if err != nil || len(marks) == 0 {
			return err
		}
		if err := r.writeBy(ctx, r.main, func(tx *gorm.DB) error { return r.redo(tx, marks, days) }); err != nil {
			return err
		}
	}
}

func (r *roller) redo(tx *gorm.DB, marks []dirtyMark, days int64) error {
	var again []dirtyMark // days
	for _, m := range marks {
		if err := tx.Exec("DELETE FROM rollups_dirty WHERE monitor_id = ? AND start_at = ?", m.MonitorID, m.StartAt).Error; err != nil {
			return fmt.Errorf("remove a mark: %w", err)
		}
		ids := []int64{m.MonitorID}
		h, err := r.sumHour(tx, ids, m.StartAt)
		if err != nil {
			return err
		}
		if kept, err := hasMore(tx, m, h.rows); err != nil || kept {
			if err != nil {
				return err
			}
			continue
		}
		if err := r.saveHour(tx, ids, h); err != nil {
			return err
		}
		if day := m.StartAt - m.StartAt%dayMS; day < days {
			again = append(again, dirtyMark{m.MonitorID, day})
		}
	}
	for _, d := range slices.Compact(again) {
		ids := []int64{d.MonitorID}
		rows, err := r.sumDay(tx, ids, d.StartAt)
		if err != nil {
			return err
		}
		if err := r.saveRollups(tx, daily, ids, d.StartAt, rows); err != nil {
			return err
		}
	}
	return nil
}

// hasMore reports whether an hour was rolled up from more results than there are
// now: retention took them, and what is left must not replace the sums.
func hasMore(tx *gorm.DB, m dirtyMark, rows []rollupRow) (bool, error) {
	var before, now int64
	err := tx.Raw("SELECT coalesce(sum(up + degraded + down + unknown), 0) FROM "+hourly+" WHERE monitor_id = ? AND start_at = ?",
		m.MonitorID, m.StartAt).Scan(&before).Error
	if err != nil {
		return false, fmt.Errorf("count what was rolled up: %w", err)
	}
	for _, r := range rows {
		now += r.Up + r.Degraded + r.Down + r.Unknown
	}
	return now < before, nil
}
