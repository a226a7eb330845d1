package store

import (
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

const hourMS = int64(time.Hour / time.Millisecond)

// The rollup tables.
const (
	hourly = "rollups_hourly"
	daily  = "rollups_daily"
)

// rollupRow sums the results of one monitor over an hour or a UTC day.
type rollupRow struct {
	MonitorID  int64
	StartAt    int64
	Up         int64
	Degraded   int64
	Down       int64
	Unknown    int64
	KnownMS    int64 `gorm:"column:known_ms"`
	ResponseUS int64 `gorm:"column:response_us"`
	Histogram  []byte
}

func (r rollupRow) empty() bool { return r.Up+r.Degraded+r.Down+r.Unknown+r.KnownMS == 0 }

// row of what was tallied.
func (t *tally) row(monitorID, startAt, knownMS int64) rollupRow {
	return rollupRow{
		MonitorID: monitorID, StartAt: startAt, KnownMS: knownMS, ResponseUS: t.sumUS,
		Up: t.counts.Up, Degraded: t.counts.Degraded, Down: t.counts.Down, Unknown: t.counts.Unknown,
		Histogram: packHistogram(t.histogram),
	}
}

// saveRollups replaces rows of one start; empty ones are removed.
func saveRollups(tx *gorm.DB, table string, rows []rollupRow) error {
	var full []rollupRow
	for _, r := range rows {
		if !r.empty() {
			full = append(full, r)
			continue
		}
		if err := tx.Exec("DELETE FROM "+table+" WHERE monitor_id = ? AND start_at = ?", r.MonitorID, r.StartAt).Error; err != nil {
			return fmt.Errorf("remove an empty rollup: %w", err)
		}
	}
	if len(full) == 0 {
		return nil
	}
	err := tx.Table(table).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "monitor_id"}, {Name: "start_at"}},
		DoUpdates: clause.AssignmentColumns([]string{"up", "degraded", "down", "unknown", "known_ms", "response_us", "histogram"}),
	}).Create(&full).Error
	if err != nil {
		return fmt.Errorf("save rollups: %w", err)
	}
	return nil
}

// rollups of monitors that start in [from, to), by monitor and start.
func rollups(db *gorm.DB, table string, ids []int64, from, to int64) ([]rollupRow, error) {
	var rows []rollupRow
	if from >= to {
		return nil, nil
	}
	err := db.Table(table).Where("monitor_id IN ? AND start_at >= ? AND start_at < ?", ids, from, to).
		Order("monitor_id, start_at").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read rollups: %w", err)
	}
	return rows, nil
}

// sumRollups joins hours into one row.
func sumRollups(t *tally, monitorID, startAt int64, rows []rollupRow) (rollupRow, error) {
	t.reset()
	var known int64
	for _, r := range rows {
		if err := t.merge(r); err != nil {
			return rollupRow{}, err
		}
		known += r.KnownMS
	}
	return t.row(monitorID, startAt, known), nil
}

// markDirty notes the hours of results that came so late that they may have been
// rolled up, with those that they reach into.
func markDirty(tx *gorm.DB, rows []resultRow, intervals map[int64]int64, now time.Time) error {
	for _, r := range rows {
		hour := r.ScheduledAt - r.ScheduledAt%hourMS
		if hour+hourMS+dirtyAfter.Milliseconds() > now.UnixMilli() {
			continue
		}
		end := min(r.ScheduledAt+reach(intervals[r.MonitorID]), now.UnixMilli())
		for ; hour < end; hour += hourMS {
			err := tx.Exec("INSERT INTO rollups_dirty (monitor_id, start_at) VALUES (?, ?) ON CONFLICT DO NOTHING", r.MonitorID, hour).Error
			if err != nil {
				return fmt.Errorf("mark an hour: %w", err)
			}
		}
	}
	return nil
}
