package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// MaxBuckets bounds what one call of Buckets gives for a monitor.
const MaxBuckets = 20_000

// Buckets cuts [from, to) into pieces of width and sums the results of each, for
// bars and charts: ceil((to − from) ÷ width) for each of the monitors, those of
// other workspaces, deleted ones and the future left out. Known time and downtime are exact.
// What is rolled up is counted where it begins: UTC days where the buckets are such
// days, else hours, and in buckets below an hour slices of five minutes, or hours
// where those are gone (fineKept). Stored results are read of the newest two hours
// only, and in buckets of an hour or more of the partial hours at both ends.
func (s *Store) Buckets(ctx context.Context, ws int64, monitorIDs []int64, from, to time.Time, width time.Duration) (map[int64][]uptime.Bucket, error) {
	width = width.Truncate(time.Millisecond)
	if width <= 0 || to.Sub(from) > width*MaxBuckets {
		return nil, uptime.Fail(uptime.CodeMalformed, "At most %d pieces can be asked for.", MaxBuckets)
	}
	var out map[int64][]uptime.Bucket
	err := s.report(ctx, func(db *gorm.DB) error {
		ids, err := livingMonitors(db, ws, monitorIDs)
		if err != nil {
			return err
		}
		b := bucketing{from: from.UnixMilli(), to: to.UnixMilli(), width: width.Milliseconds()}
		out, err = b.run(s, db, ids)
		return err
	})
	return out, err
}

// livingMonitors of a workspace among those named.
func livingMonitors(db *gorm.DB, ws int64, among []int64) (ids []int64, err error) {
	err = db.Raw("SELECT id FROM monitors WHERE workspace_id = ? AND deleted_at IS NULL AND id IN ? ORDER BY id", ws, among).Scan(&ids).Error
	if err != nil {
		return nil, fmt.Errorf("choose monitors: %w", err)
	}
	return ids, nil
}

type bucketing struct{ from, to, width int64 }

func (b bucketing) run(s *Store, db *gorm.DB, ids []int64) (map[int64][]uptime.Bucket, error) {
	out := make(map[int64][]uptime.Bucket, len(ids))
	end := min(b.to, s.now().UnixMilli())
	if end <= b.from {
		for _, id := range ids {
			out[id] = b.empty()
		}
		return out, nil
	}
	// Finer than slices is only what results tell.
	exact := b.width < hourMS && (b.width%sliceMS != 0 || b.from%sliceMS != 0)
	r, err := s.newReading(db, ids, b.from, end, exact)
	if err != nil {
		return nil, err
	}
	hoursFrom := b.from
	if b.width%dayMS == 0 && b.from%dayMS == 0 {
		hoursFrom = end
	}
	if err := r.readRollups(hoursFrom, true); err != nil {
		return nil, err
	}
	err = b.draw(r, func(id int64, _ timeline, buckets []uptime.Bucket, _ *tally) { out[id] = buckets })
	return out, err
}

// draw gives the buckets of each monitor of a reading with rollups that begins at the
// first of them or before, with its timeline in the whole reading and a sum of the buckets,
// which is good until draw returns from give.
func (b bucketing) draw(r *reading, give func(int64, timeline, []uptime.Bucket, *tally)) error {
	var samples map[int64][]sample
	var err error
	if b.width < hourMS {
		samples, err = r.fineSamples(b.from)
	} else {
		samples, err = r.samples()
	}
	if err != nil {
		return err
	}
	var all, one tally
	for _, id := range r.ids {
		buckets := b.empty()
		all.reset()
		if err := b.fill(buckets, samples[id], &all, &one); err != nil {
			return err
		}
		line, _, err := r.timelines(id)
		if err != nil {
			return err
		}
		known := line.open(b.from, r.to).and(line.known)
		b.spread(known, func(i int, ms int64) { buckets[i].Known += millis(ms) })
		b.spread(known.and(line.down), func(i int, ms int64) { buckets[i].Downtime += millis(ms) })
		for _, m := range r.missed[id] {
			b.addMissed(buckets, m)
		}
		give(id, line, buckets, &all)
	}
	return nil
}

func (b bucketing) empty() []uptime.Bucket {
	var out []uptime.Bucket
	for start := b.from; start < b.to; start += b.width {
		out = append(out, uptime.Bucket{
			From: time.UnixMilli(start).UTC(), To: time.UnixMilli(min(start+b.width, b.to)).UTC(),
		})
	}
	return out
}

// fill tallies samples bucket by bucket, each with t, and all of them.
func (b bucketing) fill(buckets []uptime.Bucket, samples []sample, all, t *tally) error {
	slices.SortStableFunc(samples, func(x, y sample) int { return cmp.Compare(x.at, y.at) })
	for i := 0; i < len(samples); {
		index := (samples[i].at - b.from) / b.width
		t.reset()
		for ; i < len(samples) && (samples[i].at-b.from)/b.width == index; i++ {
			if err := t.sample(samples[i]); err != nil {
				return err
			}
		}
		all.join(t)
		bucket := &buckets[index]
		bucket.Checks = t.counts
		bucket.P50, bucket.P95, bucket.P99 = t.histogram.percentile(50), t.histogram.percentile(95), t.histogram.percentile(99)
	}
	return nil
}

// spread calls add with the part of a set, which lies in the window, in each bucket.
func (b bucketing) spread(set spans, add func(i int, ms int64)) {
	for _, s := range set {
		for at := s.from; at < s.to; {
			i := (at - b.from) / b.width
			end := min(b.from+(i+1)*b.width, s.to)
			add(int(i), end-at)
			at = end
		}
	}
}

func (b bucketing) addMissed(buckets []uptime.Bucket, m missedRow) {
	first := max(0, (m.FromAt-b.from)/b.width)
	last := min(int64(len(buckets)-1), (m.ToAt-b.from)/b.width)
	for i := first; i <= last; i++ {
		buckets[i].Checks.Missed += m.within(buckets[i].From.UnixMilli(), buckets[i].To.UnixMilli())
	}
}
