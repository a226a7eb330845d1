package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
)

const (
	rollupPage = 50 // monitors in a transaction
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
	r := roller{Store: s, tally: newTally()}
	for _, step := range []func(context.Context, int64) error{r.hours, r.days, r.dirty} {
		if err := step(ctx, upTo.UnixMilli()); err != nil {
			return fmt.Errorf("roll up results: %w", err)
		}
	}
	return nil
}

type roller struct {
	*Store
	tally *tally
}

// rolled is up to where hours and days are done, in Unix milliseconds.
func rolled(db *gorm.DB) (hours, days int64, err error) {
	if hours, err = sequence(db, sequenceHours); err != nil {
		return 0, 0, err
	}
	days, err = sequence(db, sequenceDays)
	return hours, days, err
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

// hour of some monitors.
func (r *roller) hour(ctx context.Context, ids []int64, start int64) error {
	var rows []rollupRow
	err := r.readBy(ctx, r.main, func(db *gorm.DB) error {
		var err error
		rows, err = r.sumHour(db, ids, start)
		return err
	})
	if err != nil {
		return err
	}
	return r.writeBy(ctx, r.main, func(tx *gorm.DB) error { return saveRollups(tx, hourly, rows) })
}

// sumHour reads results and sums them.
func (r *roller) sumHour(db *gorm.DB, ids []int64, start int64) ([]rollupRow, error) {
	window := time.UnixMilli(start)
	raw, err := r.rawResults(db, ids, window, window.Add(time.Hour))
	if err != nil {
		return nil, err
	}
	rows := make([]rollupRow, 0, len(ids))
	for _, id := range ids {
		m := raw[id]
		r.tally.reset()
		for _, row := range m.rows {
			if row.ScheduledAt < start {
				continue
			}
			if err := r.tally.add(row); err != nil {
				return nil, err
			}
		}
		rows = append(rows, r.tally.row(id, start, m.known(m.rows, start, start+hourMS)))
	}
	return rows, nil
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
		err := r.pages(ctx, func(ids []int64) error {
			return r.writeBy(ctx, r.main, func(tx *gorm.DB) error { return r.day(tx, ids, start) })
		})
		if err != nil {
			return err
		}
		if err := r.advance(ctx, sequenceDays, start+dayMS); err != nil {
			return err
		}
	}
	return nil
}

// day of some monitors, from its hours.
func (r *roller) day(tx *gorm.DB, ids []int64, start int64) error {
	hours, err := rollups(tx, hourly, ids, start, start+dayMS)
	if err != nil {
		return err
	}
	rows := make([]rollupRow, 0, len(ids))
	for _, id := range ids {
		first := slices.IndexFunc(hours, func(h rollupRow) bool { return h.MonitorID == id })
		last := first
		for last >= 0 && last < len(hours) && hours[last].MonitorID == id {
			last++
		}
		row, err := sumRollups(r.tally, id, start, hours[max(first, 0):max(last, 0)])
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	return saveRollups(tx, daily, rows)
}

// dirty does marked hours again, and their days where those were done. The mark
// goes in the same transaction and before the results are read, so that a result
// that is recorded meanwhile marks the hour anew.
func (r *roller) dirty(ctx context.Context, _ int64) error {
	for {
		var marks []struct{ MonitorID, StartAt int64 }
		var hours, days int64
		err := r.readBy(ctx, r.main, func(db *gorm.DB) (err error) {
			if hours, days, err = rolled(db); err != nil {
				return err
			}
			return db.Raw("SELECT monitor_id, start_at FROM rollups_dirty WHERE start_at < ? ORDER BY monitor_id, start_at LIMIT ?",
				hours, rollupPage).Scan(&marks).Error
		})
		if err != nil || len(marks) == 0 {
			return err
		}
		for _, mark := range marks {
			err := r.writeBy(ctx, r.main, func(tx *gorm.DB) error {
				return r.redo(tx, mark.MonitorID, mark.StartAt, days)
			})
			if err != nil {
				return err
			}
		}
	}
}

func (r *roller) redo(tx *gorm.DB, id, start, days int64) error {
	if err := tx.Exec("DELETE FROM rollups_dirty WHERE monitor_id = ? AND start_at = ?", id, start).Error; err != nil {
		return err
	}
	rows, err := r.sumHour(tx, []int64{id}, start)
	if err != nil {
		return err
	}
	if err := saveRollups(tx, hourly, rows); err != nil {
		return err
	}
	if day := start - start%dayMS; day < days {
		return r.day(tx, []int64{id}, day)
	}
	return nil
}
