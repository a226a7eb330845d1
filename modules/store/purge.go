package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

const (
	// No write transaction but the recorder's may last over 50 ms on SQLite:
	// purging goes in steps of so many rows.
	purgeRows      = 1000
	purgeIncidents = 25
)

// Purge removes what retention does not keep, what was deleted over
// uptime.UndeleteFor ago, and what has expired, in small steps. It can be
// stopped and run again at any time.
func (s *Store) Purge(ctx context.Context, r uptime.Retention) (uptime.Purged, error) {
	p := purge{Store: s, now: s.now(), keep: r}
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"results", p.results},
		{"rollups", p.rollups},
		{"incidents", p.incidents},
		{"events", p.events},
		{"deleted monitors", p.monitors},
		{"deleted channels", p.channels},
		{"jobs on many monitors", p.bulk},
		{"expired rows", p.expired},
		{"free pages", p.vacuum},
	} {
		if err := step.run(ctx); err != nil {
			return p.done, fmt.Errorf("purge %s: %w", step.name, err)
		}
	}
	return p.done, nil
}

type purge struct {
	*Store
	now  time.Time
	keep uptime.Retention
	done uptime.Purged
}

// some runs a statement that removes a bounded number of rows until it finds
// fewer, each time in a transaction of its own.
func (p *purge) some(ctx context.Context, limit int, count *int64, fn func(tx *gorm.DB) *gorm.DB) error {
	for {
		var n int64
		err := p.writeBy(ctx, p.main, func(tx *gorm.DB) error {
			res := fn(tx)
			n = res.RowsAffected
			return res.Error
		})
		if err != nil {
			return err
		}
		*count += n
		if n < int64(limit) {
			return nil
		}
	}
}

func (p *purge) results(ctx context.Context) error {
	if p.keep.Results <= 0 {
		return nil
	}
	before := p.now.Add(-p.keep.Results)
	if p.dialect == dialectPostgres {
		_, rows, err := p.dropPartitions(ctx, before)
		p.done.Results += rows
		return err
	}
	return p.eachMonitor(ctx, func(id int64) error { return p.monitorResults(ctx, id, before) })
}

func (p *purge) eachMonitor(ctx context.Context, fn func(id int64) error) error {
	r := roller{Store: p.Store}
	return r.pages(ctx, func(ids []int64) error {
		for _, id := range ids {
			if err := fn(id); err != nil {
				return err
			}
		}
		return nil
	})
}

// monitorResults of one monitor before a time. Each region is a range of the key.
func (p *purge) monitorResults(ctx context.Context, id int64, before time.Time) error {
	for _, region := range p.regionNumbers(ctx) {
		if old, err := p.hasResults(ctx, id, region, before); err != nil || !old {
			if err != nil {
				return err
			}
			continue
		}
		err := p.some(ctx, purgeRows, &p.done.Results, func(tx *gorm.DB) *gorm.DB {
			return tx.Exec(`DELETE FROM check_results WHERE monitor_id = ? AND region_id = ? AND scheduled_at IN (
				SELECT scheduled_at FROM check_results WHERE monitor_id = ? AND region_id = ? AND scheduled_at < ?
				ORDER BY scheduled_at LIMIT ?)`, id, region, id, region, before.UnixMilli(), purgeRows)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *purge) regionNumbers(ctx context.Context) []int64 {
	if err := p.readBy(ctx, p.main, p.regions.load); err != nil {
		p.log.WarnContext(ctx, "regions could not be read", "error", err)
	}
	return p.regions.all()
}

// hasResults spares a write transaction where there is nothing to do.
func (p *purge) hasResults(ctx context.Context, id, region int64, before time.Time) (old bool, err error) {
	err = p.readBy(ctx, p.main, func(db *gorm.DB) error {
		return db.Raw("SELECT EXISTS (SELECT 1 FROM check_results WHERE monitor_id = ? AND region_id = ? AND scheduled_at < ?)",
			id, region, before.UnixMilli()).Scan(&old).Error
	})
	return old, err
}

// fineKept is how long slices are kept: charts of a day and bars need no more.
const fineKept = 48 * time.Hour

// rollups, and all else that uptime figures are made from.
func (p *purge) rollups(ctx context.Context) error {
	if err := p.oldRollups(ctx, fine, p.now.Add(-fineKept).UnixMilli(), new(int64)); err != nil || p.keep.Rollups <= 0 {
		return err
	}
	before := p.now.Add(-p.keep.Rollups).UnixMilli()
	if err := p.oldRollups(ctx, hourly, before-hourMS+1, &p.done.Rollups); err != nil {
		return err
	}
	if err := p.oldRollups(ctx, daily, before-dayMS+1, &p.done.Rollups); err != nil {
		return err
	}
	var others int64
	return p.eachMonitor(ctx, func(id int64) error {
		for _, t := range []struct{ table, key, condition string }{
			{"past_outages", "started_at", "recovered_at < ?"},
			{"missed_slots", "from_at", "to_at < ?"},
			{"monitor_schedules", "from_at", "until_at < ?"},
		} {
			if err := p.oldRows(ctx, t.table, t.key, t.condition, id, before, &others); err != nil {
				return err
			}
		}
		return nil
	})
}

// oldRollups removes those that start before a time, of many monitors in one
// transaction: each hour every monitor has one more.
func (p *purge) oldRollups(ctx context.Context, table string, before int64, count *int64) error {
	r := roller{Store: p.Store}
	return r.pages(ctx, func(ids []int64) error {
		var found bool
		err := p.readBy(ctx, p.main, func(db *gorm.DB) error {
			return db.Raw("SELECT EXISTS (SELECT 1 FROM "+table+" WHERE monitor_id IN ? AND start_at < ?)", ids, before).Scan(&found).Error
		})
		if err != nil || !found {
			return err
		}
		return p.some(ctx, purgeRows, count, func(tx *gorm.DB) *gorm.DB {
			return tx.Exec("DELETE FROM "+table+" WHERE (monitor_id, start_at, region_id) IN (SELECT monitor_id, start_at, region_id FROM "+table+
				" WHERE monitor_id IN ? AND start_at < ? LIMIT ?)", ids, before, purgeRows)
		})
	})
}

// oldRows removes rows of one monitor that meet a condition of age.
func (p *purge) oldRows(ctx context.Context, table, key, condition string, id, before int64, count *int64) error {
	var found bool
	err := p.readBy(ctx, p.main, func(db *gorm.DB) error {
		return db.Raw("SELECT EXISTS (SELECT 1 FROM "+table+" WHERE monitor_id = ? AND "+condition+")", id, before).Scan(&found).Error
	})
	if err != nil || !found {
		return err
	}
	return p.some(ctx, purgeRows, count, func(tx *gorm.DB) *gorm.DB {
		return tx.Exec("DELETE FROM "+table+" WHERE monitor_id = ? AND "+condition+" AND "+key+" IN (SELECT "+key+" FROM "+table+
			" WHERE monitor_id = ? AND "+condition+" ORDER BY "+key+" LIMIT ?)", id, before, id, before, purgeRows)
	})
}
