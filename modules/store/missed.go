package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// missedStep is how many ranges one transaction books.
const missedStep = 100

// missedRow is a row of missed_slots.
type missedRow struct {
	WorkspaceID int64
	MonitorID   int64
	RegionID    int64
	FromAt      int64
	ToAt        int64
	Slots       int64
	Reason      int16
}

// TableName implements gorm's Tabler.
func (missedRow) TableName() string { return "missed_slots" }

// step between the slots of a range, 0 where it has one slot or its slots are
// not evenly spread (it was merged over a change of interval).
func (r missedRow) step() int64 {
	if r.Slots < 2 || (r.ToAt-r.FromAt)%(r.Slots-1) != 0 {
		return 0
	}
	return (r.ToAt - r.FromAt) / (r.Slots - 1)
}

// within counts the slots in [from, to).
func (r missedRow) within(from, to int64) int64 {
	if from <= r.FromAt && r.ToAt < to {
		return r.Slots
	}
	if r.ToAt < from || r.FromAt >= to {
		return 0
	}
	step := r.step()
	if step == 0 { // in proportion
		part := min(r.ToAt+1, to) - max(r.FromAt, from)
		return r.Slots * part / (r.ToAt + 1 - r.FromAt)
	}
	first := int64(0)
	if from > r.FromAt {
		first = (from - r.FromAt + step - 1) / step
	}
	last := min((to-1-r.FromAt)/step, r.Slots-1)
	return max(0, last-first+1)
}

// except gives what is left of a range without [from, to].
func (r missedRow) except(from, to int64) []missedRow {
	if r.ToAt < from || r.FromAt > to {
		return []missedRow{r}
	}
	var out []missedRow
	if n := r.within(r.FromAt, from); n > 0 {
		left := r
		left.Slots, left.ToAt = n, r.FromAt
		if n > 1 {
			left.ToAt = r.FromAt + (n-1)*max(r.step(), 1)
		}
		out = append(out, left)
	}
	if n := r.within(to+1, r.ToAt+1); n > 0 {
		right := r
		right.Slots, right.FromAt = n, r.ToAt
		if n > 1 {
			right.FromAt = r.ToAt - (n-1)*max(r.step(), 1)
		}
		out = append(out, right)
	}
	return out
}

// BookMissed stores runs of slots without results. Slots booked already stay as
// they are; adjacent ranges of one reason become one. Ranges of monitors that
// are gone are left out. Booking twice changes nothing.
func (s *Store) BookMissed(ctx context.Context, ranges []uptime.MissedRange) error {
	names := map[string]struct{}{}
	for _, r := range ranges {
		names[r.Region] = struct{}{}
	}
	if err := s.ensureRegions(ctx, names); err != nil {
		return fmt.Errorf("book missed slots: %w", err)
	}
	for part := range slices.Chunk(ranges, missedStep) {
		if err := s.writeBy(ctx, s.main, func(tx *gorm.DB) error { return s.book(tx, part) }); err != nil {
			return fmt.Errorf("book missed slots: %w", err)
		}
	}
	return nil
}

func (s *Store) book(tx *gorm.DB, ranges []uptime.MissedRange) error {
	ids := make([]int64, len(ranges))
	for i, r := range ranges {
		ids[i] = r.MonitorID
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	// Two who book for one monitor at the same time would not see each other.
	if s.dialect == dialectPostgres {
		if _, err := s.lockStates(tx, ids); err != nil {
			return err
		}
	}
	monitors, err := readMonitors(tx, ids)
	if err != nil {
		return err
	}
	for _, r := range ranges {
		i := slices.IndexFunc(monitors, func(m uptime.Monitor) bool { return m.ID == r.MonitorID })
		if i < 0 || r.Count <= 0 {
			continue
		}
		region, err := s.regionID(tx, r.Region)
		if err != nil {
			return err
		}
		row := missedRow{
			WorkspaceID: monitors[i].WorkspaceID, MonitorID: r.MonitorID, RegionID: region,
			FromAt: r.From.UnixMilli(), ToAt: r.To.UnixMilli(), Slots: r.Count, Reason: reasonCode(r.Reason),
		}
		if err := bookOne(tx, row, monitors[i].Interval.Milliseconds()); err != nil {
			return err
		}
	}
	return nil
}

// bookOne joins a range with those around it.
func bookOne(tx *gorm.DB, row missedRow, interval int64) error {
	near := max(row.step(), interval)
	var old []missedRow
	err := tx.Where("monitor_id = ? AND region_id = ? AND to_at >= ? AND from_at <= ?",
		row.MonitorID, row.RegionID, row.FromAt-near, row.ToAt+near).Order("from_at").Find(&old).Error
	if err != nil {
		return fmt.Errorf("read missed slots: %w", err)
	}
	pieces := []missedRow{row}
	for _, o := range old {
		var left []missedRow
		for _, p := range pieces {
			left = append(left, p.except(o.FromAt, o.ToAt)...)
		}
		pieces = left
	}
	pieces, err = withoutResults(tx, pieces)
	if err != nil {
		return err
	}
	if len(pieces) == 0 {
		return nil
	}
	merged := mergeMissed(slices.Concat(old, pieces), near)
	for _, o := range old {
		if !slices.Contains(merged, o) {
			if err := tx.Where("monitor_id = ? AND region_id = ? AND from_at = ?", o.MonitorID, o.RegionID, o.FromAt).
				Delete(&missedRow{}).Error; err != nil {
				return fmt.Errorf("replace missed slots: %w", err)
			}
		}
	}
	for _, m := range merged {
		if !slices.Contains(old, m) {
			if err := tx.Create(&m).Error; err != nil {
				return fmt.Errorf("insert missed slots: %w", err)
			}
		}
	}
	return nil
}

// withoutResults takes out the slots that have one.
func withoutResults(tx *gorm.DB, pieces []missedRow) ([]missedRow, error) {
	var out []missedRow
	for _, p := range pieces {
		var slots []int64
		err := tx.Raw(`SELECT scheduled_at FROM check_results WHERE monitor_id = ? AND region_id = ? AND scheduled_at BETWEEN ? AND ?
			ORDER BY scheduled_at`, p.MonitorID, p.RegionID, p.FromAt, p.ToAt).Scan(&slots).Error
		if err != nil {
			return nil, fmt.Errorf("read results of missed slots: %w", err)
		}
		out = append(out, p.without(slots)...)
	}
	return out, nil
}

// mergeMissed joins ranges of one reason that touch, where what comes of it is
// evenly spread: only then can a slot be found in it again.
func mergeMissed(rows []missedRow, near int64) []missedRow {
	slices.SortFunc(rows, func(a, b missedRow) int { return cmp.Compare(a.FromAt, b.FromAt) })
	var out []missedRow
	for _, r := range rows {
		if last := len(out) - 1; last >= 0 && out[last].touches(r, near) {
			out[last].ToAt = r.ToAt
			out[last].Slots += r.Slots
			continue
		}
		out = append(out, r)
	}
	return out
}

func (r missedRow) touches(next missedRow, near int64) bool {
	gap := next.FromAt - r.ToAt
	return r.Reason == next.Reason && gap > 0 && gap <= near &&
		(r.Slots == 1 || r.step() == gap) && (next.Slots == 1 || next.step() == gap)
}
