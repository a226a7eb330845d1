package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
)

const (
	// rollupPage is how many monitors one transaction rolls up: it writes for a
	// few of the 50 ms that the writer of SQLite may be held.
	rollupPage = 50
	// A transaction that records takes seconds at most: an hour is rolled up
	// only rollupDelay after its end, and a result that is recorded dirtyAfter
	// its hour's end marks the hour to be done again.
	rollupDelay = 2 * time.Minute
	dirtyAfter  = time.Minute
)

// Rollup sums complete hours before upTo, then complete UTC days, and does hours
// again that got results since. It goes on where it stopped; running it twice
// changes nothing. One caller at a time: the leader.
func (s *Store) Rollup(ctx context.Context, upTo time.Time) error {
	if limit := s.now().Add(-rollupDelay); upTo.After(limit) {
		upTo = limit
	}
	r := roller{Store: s}
	for _, step := range []func(context.Context, int64) error{r.hours, r.days, r.dirty} {
		if err := step(ctx, upTo.UnixMilli()); err != nil {
			return fmt.Errorf("roll up results: %w", err)
		}
	}
	return nil
}

type roller struct{ *Store }

// rolled is up to where hours and days are done, in Unix milliseconds.
func rolled(db *gorm.DB) (hours, days int64, err error) {
	var rows []struct {
		Name  string
		Value int64
	}
	if err := db.Raw("SELECT name, value FROM sequences WHERE name IN (?, ?)", sequenceHours, sequenceDays).Scan(&rows).Error; err != nil {
		return 0, 0, fmt.Errorf("read how far results are rolled up: %w", err)
	}
	for _, r := range rows {
		if r.Name == sequenceHours {
			hours = r.Value
		} else {
			days = r.Value
		}
	}
	return hours, days, nil
}

// beginning is where the first rollup starts: at the first monitor.
func (r *roller) beginning(ctx context.Context, name string, step, end int64) (start int64, err error) {
	err = r.readBy(ctx, r.main, func(db *gorm.DB) error {
		if start, err = sequence(db, name); err != nil || start != 0 {
			return err
		}
		var first instant
		if err := db.Raw("SELECT min(from_at) FROM monitor_schedules").Row().Scan(&first); err != nil {
			return err
		}
		start = int64(first) - int64(first)%step
		if first == 0 {
			start = end - end%step
		}
		return nil
	})
	return start, err
}

func (r *roller) hours(ctx context.Context, end int64) error {
	start, err := r.beginning(ctx, sequenceHours, hourMS, end)
	if err != nil {
		return err
	}
	for ; start+hourMS <= end; start += hourMS {
		err := r.pages(ctx, func(ids []int64) error { return r.hour(ctx, ids, start) })
		if err != nil {
			return err
		}
		if err := r.advance(ctx, sequenceHours, start+hourMS); err != nil {
			return err
		}
	}
	return nil
}

func (r *roller) advance(ctx context.Context, name string, to int64) error {
	return r.writeBy(ctx, r.main, func(tx *gorm.DB) error { return raise(tx, name, to) })
}

// pages calls fn with the ids of all monitors that have a row, some at a time.
func (r *roller) pages(ctx context.Context, fn func(ids []int64) error) error {
	for after := int64(0); ; {
		var ids []int64
		err := r.readBy(ctx, r.main, func(db *gorm.DB) error {
			ids = nil
			return db.Raw("SELECT id FROM monitors WHERE id > ? ORDER BY id LIMIT ?", after, rollupPage).Scan(&ids).Error
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := fn(ids); err != nil {
			return err
		}
		after = ids[len(ids)-1]
	}
}

// hour of some monitors. It is read without a transaction: a result that is
// recorded meanwhile marks the hour.
func (r *roller) hour(ctx context.Context, ids []int64, start int64) error {
	var h summedHour
	err := r.readBy(ctx, r.main, func(db *gorm.DB) error {
		var err error
		h, err = r.sumHour(db, ids, start)
		return err
	})
	if err != nil || len(h.rows) == 0 { // the program was off: no week of empty transactions
		return err
	}
	return r.writeBy(ctx, r.main, func(tx *gorm.DB) error { return r.saveHour(tx, ids, h) })
}

func (r *roller) days(ctx context.Context, _ int64) error {
	var end int64
	err := r.readBy(ctx, r.main, func(db *gorm.DB) (err error) {
		end, err = sequence(db, sequenceHours)
		return err
	})
	if err != nil {
		return err
	}
	start, err := r.beginning(ctx, sequenceDays, dayMS, end)
	if err != nil {
		return err
	}
	for ; start+dayMS <= end; start += dayMS {
		if err := r.pages(ctx, func(ids []int64) error { return r.day(ctx, ids, start) }); err != nil {
			return err
		}
		if err := r.advance(ctx, sequenceDays, start+dayMS); err != nil {
			return err
		}
	}
	return nil
}

// day of some monitors, from its hours.
func (r *roller) day(ctx context.Context, ids []int64, start int64) error {
	var rows []rollupRow
	err := r.readBy(ctx, r.main, func(db *gorm.DB) (err error) {
		rows, err = r.sumDay(db, ids, start)
		return err
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	return r.writeBy(ctx, r.main, func(tx *gorm.DB) error { return r.saveRollups(tx, daily, ids, start, rows) })
}

// sumDay joins the hours of each monitor and region.
func (r *roller) sumDay(db *gorm.DB, ids []int64, start int64) ([]rollupRow, error) {
	hours, err := r.rollups(db, hourly, ids, start, start+dayMS, true)
	if err != nil {
		return nil, err
	}
	byRegion := map[place][]rollupRow{}
	for _, h := range hours {
		p := place{h.MonitorID, h.RegionID}
		byRegion[p] = append(byRegion[p], h)
	}
	var t tally
	rows := make([]rollupRow, 0, len(byRegion))
	for p, list := range byRegion {
		day, err := joinHours(&t, list)
		if err != nil {
			return nil, err
		}
		day.MonitorID, day.RegionID, day.StartAt = p.monitor, p.region, start
		day.pack(day.StartAt+dayMS, &t)
		rows = append(rows, day.rollupRow)
	}
	slices.SortFunc(rows, compareRollups)
	return rows, nil
}
