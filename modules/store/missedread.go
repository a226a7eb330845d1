package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// A stored result wins over a missed mark of its slot. Where both are stored, the
// slot is taken out of the range: when the range is booked, and when the hour of
// the result is rolled up, or done again because the result was late. So only hours
// that are not rolled up need to be compared when ranges are read, and those are
// read anyway.

// missedColumns of missed_slots m, in the order of missedRow.fields.
const missedColumns = "m.workspace_id, m.monitor_id, m.region_id, m.from_at, m.to_at, m.slots, m.reason"

func (r *missedRow) fields() []any {
	return []any{&r.WorkspaceID, &r.MonitorID, &r.RegionID, &r.FromAt, &r.ToAt, &r.Slots, &r.Reason}
}

// missedRows reads ranges of monitors that touch [from, to), oldest first. Ranges
// of one monitor and region do not overlap, so that of those that begin before from
// only the newest can reach into it. The regions must be loaded.
func (s *Store) missedRows(db *gorm.DB, ids []int64, from, to int64) (out []missedRow, err error) {
	if len(ids) == 0 || from >= to {
		return nil, nil
	}
	before := `json_each($1) i CROSS JOIN json_each($2) r CROSS JOIN missed_slots m ON m.monitor_id = i.value AND m.region_id = r.value AND m.from_at = (
			SELECT max(x.from_at) FROM missed_slots x WHERE x.monitor_id = i.value AND x.region_id = r.value AND x.from_at < $3)`
	if s.dialect == dialectPostgres {
		before = `unnest($1::bigint[]) AS i (id) CROSS JOIN unnest($2::bigint[]) AS r (id) CROSS JOIN LATERAL (SELECT * FROM missed_slots x
			WHERE x.monitor_id = i.id AND x.region_id = r.id AND x.from_at < $3 ORDER BY x.from_at DESC LIMIT 1) m`
	}
	query := "SELECT " + missedColumns + " FROM " + before + " WHERE m.to_at >= $3 UNION ALL SELECT " + missedColumns +
		" FROM missed_slots m WHERE m.monitor_id " + s.in(1) + " AND m.region_id " + s.in(2) + " AND m.from_at >= $3 AND m.from_at < $4 ORDER BY 4, 2, 3"
	err = s.list(db, query, []any{ids, s.regions.all(), from, to}, func(scan func(...any) error) error {
		var r missedRow
		if err := scan(r.fields()...); err != nil {
			return err
		}
		out = append(out, r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read missed slots: %w", err)
	}
	return out, nil
}

// without gives what is left of a range without the slots that have a result,
// ascending.
func (r missedRow) without(slots []int64) []missedRow {
	left := []missedRow{r}
	for _, slot := range slots {
		if len(left) == 0 {
			break
		}
		last := left[len(left)-1]
		if step := last.step(); step != 0 && (slot-last.FromAt)%step != 0 {
			continue // a retry between two slots
		}
		left = append(left[:len(left)-1], last.except(slot, slot)...)
	}
	return left
}

// missedWithout reads ranges like missedRows, less the slots of results.
func (s *Store) missedWithout(db *gorm.DB, ids []int64, from, to int64, raw map[int64]*rawMonitor) (map[int64][]missedRow, error) {
	rows, err := s.missedRows(db, ids, from, to)
	out := map[int64][]missedRow{}
	for _, r := range rows {
		out[r.MonitorID] = append(out[r.MonitorID], r.without(slotsOf(raw, r))...)
	}
	return out, err
}

// slotsOf results that a range may hold.
func slotsOf(raw map[int64]*rawMonitor, r missedRow) []int64 {
	m := raw[r.MonitorID]
	if m == nil {
		return nil
	}
	var out []int64
	for _, row := range m.regions[r.RegionID] {
		if r.FromAt <= row.ScheduledAt && row.ScheduledAt <= r.ToAt {
			out = append(out, row.ScheduledAt)
		}
	}
	return out
}

// missedChange replaces a range.
type missedChange struct {
	old  missedRow
	left []missedRow
}

// missedChanges finds the ranges that hold slots with a result in [from, to).
func (s *Store) missedChanges(db *gorm.DB, ids []int64, from, to int64, raw map[int64]*rawMonitor) ([]missedChange, error) {
	rows, err := s.missedRows(db, ids, from, to)
	if err != nil {
		return nil, err
	}
	var out []missedChange
	for _, r := range rows {
		left := r.without(slotsOf(raw, r))
		if len(left) != 1 || left[0] != r {
			out = append(out, missedChange{r, left})
		}
	}
	return out, nil
}

// applyMissed replaces ranges that are as they were read; others are left to the
// next time.
func applyMissed(tx *gorm.DB, changes []missedChange) error {
	for _, c := range changes {
		res := tx.Exec("DELETE FROM missed_slots WHERE monitor_id = ? AND region_id = ? AND from_at = ? AND to_at = ? AND slots = ?",
			c.old.MonitorID, c.old.RegionID, c.old.FromAt, c.old.ToAt, c.old.Slots)
		if res.Error != nil {
			return fmt.Errorf("replace missed slots: %w", res.Error)
		}
		if res.RowsAffected == 0 || len(c.left) == 0 {
			continue
		}
		if err := tx.Create(&c.left).Error; err != nil {
			return fmt.Errorf("insert missed slots: %w", err)
		}
	}
	return nil
}

// Missed gives the booked ranges of a living monitor that touch [from, to),
// oldest first, without the slots that have a result: a stored result wins.
func (s *Store) Missed(ctx context.Context, ws, monitorID int64, from, to time.Time) (out []uptime.MissedRange, err error) {
	err = s.report(ctx, func(db *gorm.DB) error {
		if _, err := s.livingMonitor(db, ws, monitorID); err != nil {
			return err
		}
		ids, start, end := []int64{monitorID}, from.UnixMilli(), to.UnixMilli()
		hours, _, err := rolled(db)
		if err != nil {
			return err
		}
		raw, err := s.rawResults(db, ids, start, span{max(start, s.frontier(hours)), end})
		if err != nil {
			return err
		}
		rows, err := s.missedWithout(db, ids, start, end, raw)
		if err != nil {
			return err
		}
		out = make([]uptime.MissedRange, 0, len(rows[monitorID]))
		for _, r := range rows[monitorID] {
			region, err := s.regionName(db, r.RegionID)
			if err != nil {
				return err
			}
			out = append(out, uptime.MissedRange{
				MonitorID: r.MonitorID, WorkspaceID: r.WorkspaceID, Region: region,
				From: time.UnixMilli(r.FromAt).UTC(), To: time.UnixMilli(r.ToAt).UTC(),
				Count: r.Slots, Reason: reasonOf(r.Reason),
			})
		}
		return nil
	})
	return out, err
}
