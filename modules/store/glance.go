package store

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// Glances gives what lists show of several monitors, by as many statements as for
// one: each part of the past is read once. Those of other workspaces and deleted
// ones are left out. The pieces of the bar are at most an hour long, are cut at
// multiples of five minutes, and hold what those of Buckets do.
func (s *Store) Glances(ctx context.Context, ws int64, monitorIDs []int64, q uptime.GlanceQuery) (map[int64]uptime.Glance, error) {
	b := bucketing{from: q.From.UnixMilli(), to: q.To.UnixMilli(), width: q.Width.Milliseconds()}
	since := q.Since.UnixMilli()
	if b.width <= 0 || b.width >= hourMS || b.width%sliceMS != 0 || b.from%sliceMS != 0 || (b.to-b.from)/b.width > MaxBuckets || since > b.from {
		return nil, uptime.Fail(uptime.CodeMalformed, "A bar has pieces of 5 to 55 minutes that begin at whole ones, and lies in the time that uptime is asked of.")
	}
	var out map[int64]uptime.Glance
	err := s.report(ctx, func(db *gorm.DB) error {
		ids, err := livingMonitors(db, ws, monitorIDs)
		if err != nil {
			return err
		}
		out = make(map[int64]uptime.Glance, len(ids))
		var at sync.Mutex
		return atOnce(slices.Chunk(ids, max(leastAtOnce, (len(ids)+1)/2)), func(ids []int64) error {
			return s.glances(db, ids, b, since, func(id int64, g uptime.Glance) {
				at.Lock()
				defer at.Unlock()
				out[id] = g
			})
		})
	})
	return out, err
}

// leastAtOnce is of how many monitors one half of a list is read beside the other.
const leastAtOnce = 10

// atOnce does parts of a reading side by side, each on a connection of its own.
func atOnce(parts iter.Seq[[]int64], do func(ids []int64) error) error {
	var all sync.WaitGroup
	var at sync.Mutex
	var failed error
	for part := range parts {
		all.Go(func() {
			if err := do(part); err != nil {
				at.Lock()
				defer at.Unlock()
				failed = errors.Join(failed, err)
			}
		})
	}
	all.Wait()
	return failed
}

// glances of monitors that live, one after the other to give.
func (s *Store) glances(db *gorm.DB, ids []int64, b bucketing, since int64, give func(int64, uptime.Glance)) error {
	r, err := s.newReading(db, ids, since, max(since, min(b.to, s.now().UnixMilli())), false)
	if err != nil {
		return err
	}
	if err := r.readRollups(b.from, false); err != nil {
		return err
	}
	return b.draw(r, func(id int64, line timeline, buckets []uptime.Bucket, all *tally) {
		give(id, uptime.Glance{Buckets: buckets, P95: all.histogram.percentile(95), Uptime: line.measure(r.from, r.to).uptime()})
	})
}
