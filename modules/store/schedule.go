package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// scheduleRow says what was due: grid slots in (FromAt, UntilAt].
type scheduleRow struct {
	MonitorID  int64
	FromAt     instant
	UntilAt    instant // zero: still holds
	IntervalMS int64   `gorm:"column:interval_ms"`
	Regions    string
}

func (r scheduleRow) interval() time.Duration { return millis(r.IntervalMS) }

func (r scheduleRow) regionNames() ([]string, error) {
	var names []string
	if err := json.Unmarshal([]byte(r.Regions), &names); err != nil {
		return nil, fmt.Errorf("read the regions of a schedule: %w", err)
	}
	return names, nil
}

// reschedule keeps the history of what was due after a change of a monitor.
func reschedule(tx *gorm.DB, before, after uptime.Monitor, now time.Time) error {
	asks := !after.CheckAt.Equal(before.CheckAt)
	if due(before) && due(after) && !asks && before.Interval == after.Interval && slices.Equal(before.Regions, after.Regions) {
		return nil
	}
	from := now
	if asks {
		from = after.CheckAt
	}
	if due(before) {
		if err := closeSchedule(tx, after.ID, judgeFrom(now, from)); err != nil {
			return err
		}
	}
	if !due(after) {
		return nil
	}
	regions, err := json.Marshal(after.Regions)
	if err != nil {
		return fmt.Errorf("write the regions of a schedule: %w", err)
	}
	// Two changes within a millisecond: the later one holds.
	err = tx.Exec(`INSERT INTO monitor_schedules (monitor_id, from_at, until_at, interval_ms, regions) VALUES (?, ?, NULL, ?, ?)
		ON CONFLICT (monitor_id, from_at) DO UPDATE SET until_at = NULL, interval_ms = excluded.interval_ms, regions = excluded.regions`,
		after.ID, at(from), after.Interval.Milliseconds(), string(regions)).Error
	if err != nil {
		return fmt.Errorf("insert a schedule: %w", err)
	}
	return nil
}

// closeSchedule ends the schedule that holds; one that never came to hold goes.
func closeSchedule(tx *gorm.DB, monitorID int64, until time.Time) error {
	if err := tx.Exec("DELETE FROM monitor_schedules WHERE monitor_id = ? AND until_at IS NULL AND from_at >= ?",
		monitorID, at(until)).Error; err != nil {
		return fmt.Errorf("remove a schedule: %w", err)
	}
	if err := tx.Exec("UPDATE monitor_schedules SET until_at = ? WHERE monitor_id = ? AND until_at IS NULL",
		at(until), monitorID).Error; err != nil {
		return fmt.Errorf("end a schedule: %w", err)
	}
	return nil
}

// schedules of monitors that reach into [from, to), ascending.
func (s *Store) schedules(db *gorm.DB, ids []int64, from, to time.Time) (map[int64][]scheduleRow, error) {
	out := map[int64][]scheduleRow{}
	if len(ids) == 0 {
		return out, nil
	}
	query := "SELECT monitor_id, from_at, until_at, interval_ms, regions FROM monitor_schedules WHERE monitor_id " + s.in(1) +
		" AND from_at < $2 AND (until_at IS NULL OR until_at >= $3) ORDER BY monitor_id, from_at"
	err := s.list(db, query, []any{ids, to.UnixMilli(), from.UnixMilli()}, func(scan func(...any) error) error {
		var r scheduleRow
		if err := scan(&r.MonitorID, &r.FromAt, &r.UntilAt, &r.IntervalMS, &r.Regions); err != nil {
			return err
		}
		out[r.MonitorID] = append(out[r.MonitorID], r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read schedules: %w", err)
	}
	return out, nil
}
