package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"
)

// dirtyPage is how many marked hours one transaction does again.
const dirtyPage = 10

type dirtyMark struct{ MonitorID, StartAt int64 }

// markDirty notes the hours of results that came so late that they may have been
// rolled up, with those that they reach into, or that one before reaches into no
// more. After a time without the database thousands come at once: it asks once, and
// marks each hour once.
func markDirty(tx *gorm.DB, rows []resultRow, intervals map[int64]int64, now time.Time) error {
	var late []resultRow
	var ids []int64
	oldest := now.UnixMilli()
	for _, r := range rows {
		if floor(r.ScheduledAt, hourMS)+hourMS+dirtyAfter.Milliseconds() <= now.UnixMilli() {
			late, ids, oldest = append(late, r), append(ids, r.MonitorID), min(oldest, r.ScheduledAt)
		}
	}
	if len(late) == 0 {
		return nil
	}
	slices.Sort(ids)
	longest, err := longestIntervals(tx, slices.Compact(ids), oldest)
	if err != nil {
		return err
	}
	marks := map[dirtyMark]struct{}{}
	for _, r := range late {
		end := min(r.ScheduledAt+reach(max(longest[r.MonitorID], intervals[r.MonitorID])), now.UnixMilli())
		for hour := floor(r.ScheduledAt, hourMS); hour < end; hour += hourMS {
			marks[dirtyMark{r.MonitorID, hour}] = struct{}{}
		}
	}
	inOrder := slices.SortedFunc(maps.Keys(marks), func(a, b dirtyMark) int { // two recorders take locks in one order
		return cmp.Or(cmp.Compare(a.MonitorID, b.MonitorID), cmp.Compare(a.StartAt, b.StartAt))
	})
	for _, m := range inOrder {
		// It updates a mark that is there: whoever is doing the hour again, and
		// does not see this result, takes that mark away only after it.
		err := tx.Exec(`INSERT INTO rollups_dirty (monitor_id, start_at) VALUES (?, ?)
			ON CONFLICT (monitor_id, start_at) DO UPDATE SET start_at = excluded.start_at`, m.MonitorID, m.StartAt).Error
		if err != nil {
			return fmt.Errorf("mark an hour: %w", err)
		}
	}
	return nil
}

// longestIntervals that each monitor had since a time, or before where their results
// may reach to it.
func longestIntervals(tx *gorm.DB, ids []int64, since int64) (map[int64]int64, error) {
	var rows []struct{ MonitorID, Longest int64 }
	err := tx.Raw(`SELECT monitor_id, max(interval_ms) AS longest FROM monitor_schedules
		WHERE monitor_id IN ? AND (until_at IS NULL OR until_at + 2 * interval_ms + ? >= ?) GROUP BY monitor_id`,
		ids, reach(0), since).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read the intervals of monitors: %w", err)
	}
	out := make(map[int64]int64, len(rows))
	for _, r := range rows {
		out[r.MonitorID] = r.Longest
	}
	return out, nil
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
