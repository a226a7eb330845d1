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
const missedStep = 500

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

// book writes ranges of one transaction. What is overloaded books much, so it reads
// and writes all of them at once.
func (s *Store) book(tx *gorm.DB, ranges []uptime.MissedRange) error {
	ids := make([]int64, len(ranges))
	from, to := ranges[0].From.UnixMilli(), ranges[0].To.UnixMilli()
	for i, r := range ranges {
		ids[i] = r.MonitorID
		from, to = min(from, r.From.UnixMilli()), max(to, r.To.UnixMilli())
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	// Two who book for one monitor at the same time would not see each other.
	if s.dialect == dialectPostgres {
		if _, err := s.lockStates(tx, ids); err != nil {
			return err
		}
	}
	books, err := s.openBooks(tx, ids, from, to)
	if err != nil {
		return err
	}
	for _, r := range ranges {
		owner, ok := books.owners[r.MonitorID]
		if !ok || r.Count <= 0 {
			continue
		}
		region, err := s.regionID(tx, r.Region)
		if err != nil {
			return err
		}
		books.add(missedRow{
			WorkspaceID: owner.WorkspaceID, MonitorID: r.MonitorID, RegionID: region,
			FromAt: r.From.UnixMilli(), ToAt: r.To.UnixMilli(), Slots: r.Count, Reason: reasonCode(r.Reason),
		}, owner.IntervalMS)
	}
	return s.saveBooks(tx, books)
}

// books are the booked ranges of some monitors around a time.
type books struct {
	owners map[int64]owner
	old    map[missedKey][]missedRow // as stored, ascending
	now    map[missedKey][]missedRow // as they are to be
}

type owner struct {
	ID, WorkspaceID int64
	IntervalMS      int64 `gorm:"column:interval_ms"`
}

type missedKey struct{ monitor, region int64 }

func (r missedRow) key() missedKey { return missedKey{r.MonitorID, r.RegionID} }

func (s *Store) openBooks(tx *gorm.DB, ids []int64, from, to int64) (*books, error) {
	var owners []owner
	if err := tx.Raw("SELECT id, workspace_id, interval_ms FROM monitors WHERE id IN ?", ids).Scan(&owners).Error; err != nil {
		return nil, fmt.Errorf("read the monitors of missed slots: %w", err)
	}
	b := &books{owners: map[int64]owner{}, old: map[missedKey][]missedRow{}, now: map[missedKey][]missedRow{}}
	var longest int64
	for _, o := range owners {
		b.owners[o.ID] = o
		longest = max(longest, o.IntervalMS)
	}
	near := max(longest, to-from)
	var rows []missedRow
	err := tx.Where("monitor_id IN ? AND to_at >= ? AND from_at <= ?", ids, from-near, to+near).Order("from_at").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read missed slots: %w", err)
	}
	for _, r := range rows {
		b.old[r.key()] = append(b.old[r.key()], r)
		b.now[r.key()] = append(b.now[r.key()], r)
	}
	return b, nil
}

// add joins a range with those around it.
func (b *books) add(row missedRow, interval int64) {
	near := max(row.step(), interval)
	var around, far []missedRow
	pieces := []missedRow{row}
	for _, o := range b.now[row.key()] {
		if o.ToAt < row.FromAt-near || o.FromAt > row.ToAt+near {
			far = append(far, o)
			continue
		}
		around = append(around, o)
		var left []missedRow
		for _, p := range pieces {
			left = append(left, p.except(o.FromAt, o.ToAt)...)
		}
		pieces = left
	}
	if len(pieces) > 0 {
		b.now[row.key()] = append(far, mergeMissed(slices.Concat(around, pieces), near)...)
	}
}

// saveBooks writes what differs.
func (s *Store) saveBooks(tx *gorm.DB, b *books) error {
	var gone, made []missedRow
	for key, now := range b.now {
		for _, o := range b.old[key] {
			if !slices.Contains(now, o) {
				gone = append(gone, o)
			}
		}
		for _, n := range now {
			if !slices.Contains(b.old[key], n) {
				made = append(made, n)
			}
		}
	}
	byKey := func(x, y missedRow) int {
		return cmp.Or(cmp.Compare(x.MonitorID, y.MonitorID), cmp.Compare(x.RegionID, y.RegionID), cmp.Compare(x.FromAt, y.FromAt))
	}
	slices.SortFunc(gone, byKey)
	slices.SortFunc(made, byKey)
	err := s.eachMissed(tx, deleteMissedSQLite, deleteMissedPostgres, gone, func(r missedRow) []int64 {
		return []int64{r.MonitorID, r.RegionID, r.FromAt}
	})
	if err != nil {
		return fmt.Errorf("replace missed slots: %w", err)
	}
	err = s.eachMissed(tx, insertMissedSQLite, insertMissedPostgres, made, func(r missedRow) []int64 {
		return []int64{r.MonitorID, r.RegionID, r.FromAt, r.WorkspaceID, r.ToAt, r.Slots, int64(r.Reason)}
	})
	if err != nil {
		return fmt.Errorf("insert missed slots: %w", err)
	}
	return nil
}

const (
	deleteMissedSQLite   = "DELETE FROM missed_slots WHERE monitor_id = ? AND region_id = ? AND from_at = ?"
	deleteMissedPostgres = `DELETE FROM missed_slots m USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS i (monitor_id, region_id, from_at)
		WHERE m.monitor_id = i.monitor_id AND m.region_id = i.region_id AND m.from_at = i.from_at`
	insertMissedSQLite   = "INSERT INTO missed_slots (monitor_id, region_id, from_at, workspace_id, to_at, slots, reason) VALUES (?, ?, ?, ?, ?, ?, ?)"
	insertMissedPostgres = `INSERT INTO missed_slots (monitor_id, region_id, from_at, workspace_id, to_at, slots, reason)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])`
)

// eachMissed runs a statement for each row on SQLite, and one for all of them on
// PostgreSQL.
func (s *Store) eachMissed(tx *gorm.DB, sqlite, postgres string, rows []missedRow, values func(missedRow) []int64) error {
	if len(rows) == 0 {
		return nil
	}
	if s.dialect != dialectPostgres {
		return execEach(tx, sqlite, rows, func(r missedRow) []any {
			var args []any
			for _, v := range values(r) {
				args = append(args, v)
			}
			return args
		})
	}
	columns := make([][]int64, len(values(rows[0])))
	for _, r := range rows {
		for i, v := range values(r) {
			columns[i] = append(columns[i], v)
		}
	}
	arrays := make([]any, len(columns))
	for i, c := range columns {
		arrays[i] = c
	}
	return execArrays(tx, postgres, arrays...)
}

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
