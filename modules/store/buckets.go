package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// MaxBuckets bounds what one call of Buckets gives for a monitor.
const MaxBuckets = 20_000

// Buckets cuts [from, to) into pieces of width and sums the results of each, for
// bars and charts: ceil((to − from) ÷ width) for each of the monitors, those of
// other workspaces and deleted ones left out. Widths below an hour read stored
// results; others read hours, and whole UTC days where the buckets are such days,
// as far as they are rolled up. An hour counts where it begins. Downtime is exact.
func (s *Store) Buckets(ctx context.Context, ws int64, monitorIDs []int64, from, to time.Time, width time.Duration) (map[int64][]uptime.Bucket, error) {
	width = width.Truncate(time.Millisecond)
	if width <= 0 || to.Sub(from) > width*MaxBuckets {
		return nil, uptime.Fail(uptime.CodeMalformed, "At most %d pieces can be asked for.", MaxBuckets)
	}
	var out map[int64][]uptime.Bucket
	err := s.report(ctx, func(db *gorm.DB) error {
		var ids []int64
		err := db.Raw("SELECT id FROM monitors WHERE workspace_id = ? AND deleted_at IS NULL AND id IN ? ORDER BY id", ws, monitorIDs).Scan(&ids).Error
		if err != nil {
			return err
		}
		b := bucketing{Store: s, db: db, ids: ids, from: from.UnixMilli(), to: to.UnixMilli(), width: width.Milliseconds()}
		out, err = b.run()
		return err
	})
	return out, err
}

type bucketing struct {
	*Store
	db              *gorm.DB
	ids             []int64
	from, to, width int64
}

// sample is what falls into one bucket: a rollup, or a stored result.
type sample struct {
	at     int64
	rollup *rollupRow
	result *resultRow
}

func (b *bucketing) run() (map[int64][]uptime.Bucket, error) {
	out := make(map[int64][]uptime.Bucket, len(b.ids))
	if len(b.ids) == 0 {
		return out, nil
	}
	samples, err := b.samples()
	if err != nil {
		return nil, err
	}
	from, to := time.UnixMilli(b.from).UTC(), time.UnixMilli(b.to).UTC()
	down, err := outages(b.db, b.ids, from, to)
	if err != nil {
		return nil, err
	}
	missed, err := b.missedRows(b.db, b.ids, from, to)
	if err != nil {
		return nil, err
	}
	t := newTally()
	for _, id := range b.ids {
		buckets := b.empty()
		if err := fill(t, buckets, b, samples[id]); err != nil {
			return nil, err
		}
		b.addDowntime(buckets, down[id])
		for _, m := range missed {
			if m.MonitorID == id {
				b.addMissed(buckets, m)
			}
		}
		out[id] = buckets
	}
	return out, nil
}

func (b *bucketing) empty() []uptime.Bucket {
	var out []uptime.Bucket
	for start := b.from; start < b.to; start += b.width {
		out = append(out, uptime.Bucket{
			From: time.UnixMilli(start).UTC(), To: time.UnixMilli(min(start+b.width, b.to)).UTC(),
		})
	}
	return out
}

// samples by monitor, in order of time.
func (b *bucketing) samples() (map[int64][]sample, error) {
	out := map[int64][]sample{}
	hours, days, err := rolled(b.db)
	if err != nil {
		return nil, err
	}
	// [from, first) and [last, to) are read from stored results, [first, middle)
	// by day and [middle, last) by hour.
	first, last := b.to, b.to
	if b.width >= hourMS {
		first = min(ceil(b.from, hourMS), b.to)
		last = max(first, min(b.to-b.to%hourMS, hours))
	}
	middle := first
	if b.width%dayMS == 0 && b.from%dayMS == 0 {
		middle = max(first, min(last-last%dayMS, days))
	}
	if err := b.addRollups(out, daily, first, middle); err != nil {
		return nil, err
	}
	if err := b.addRollups(out, hourly, middle, last); err != nil {
		return nil, err
	}
	for _, part := range [][2]int64{{b.from, first}, {last, b.to}} {
		if err := b.addRaw(out, part[0], part[1]); err != nil {
			return nil, err
		}
	}
	for _, list := range out {
		slices.SortStableFunc(list, func(x, y sample) int { return cmp.Compare(x.at, y.at) })
	}
	return out, nil
}

func (b *bucketing) addRollups(out map[int64][]sample, table string, from, to int64) error {
	rows, err := rollups(b.db, table, b.ids, from, to)
	for _, row := range rows {
		out[row.MonitorID] = append(out[row.MonitorID], sample{at: row.StartAt, rollup: &row})
	}
	return err
}

func (b *bucketing) addRaw(out map[int64][]sample, from, to int64) error {
	if from >= to {
		return nil
	}
	if err := b.regions.load(b.db); err != nil {
		return err
	}
	rows, err := resultRows(b.db, "SELECT "+resultColumns+` FROM check_results
		WHERE monitor_id IN ? AND region_id IN ? AND scheduled_at >= ? AND scheduled_at < ?`, b.ids, b.regions.all(), from, to)
	for _, row := range rows {
		out[row.MonitorID] = append(out[row.MonitorID], sample{at: row.ScheduledAt, result: &row})
	}
	return err
}

// fill tallies samples, which are in order, bucket by bucket: one histogram
// serves them all.
func fill(t *tally, buckets []uptime.Bucket, b *bucketing, samples []sample) error {
	for i := 0; i < len(samples); {
		index := (samples[i].at - b.from) / b.width
		t.reset()
		for ; i < len(samples) && (samples[i].at-b.from)/b.width == index; i++ {
			var err error
			if s := samples[i]; s.rollup != nil {
				err = t.merge(*s.rollup)
			} else {
				err = t.add(*s.result)
			}
			if err != nil {
				return err
			}
		}
		bucket := &buckets[index]
		bucket.Checks = t.counts
		bucket.P50, bucket.P95, bucket.P99 = t.percentile(50), t.percentile(95), t.percentile(99)
	}
	return nil
}

// touched are the indices of buckets that share time with [from, to].
func (b *bucketing) touched(from, to int64, n int) (first, last int) {
	first = int(max(0, (from-b.from)/b.width))
	last = int(min(int64(n-1), (to-b.from)/b.width))
	return first, last
}

func (b *bucketing) addDowntime(buckets []uptime.Bucket, rows []outageRow) {
	now := b.now().UnixMilli()
	for _, o := range rows {
		if o.To == 0 { // goes on: until now, not into the future
			o.To = now
		}
		first, last := b.touched(o.From, o.To, len(buckets))
		for i := first; i <= last; i++ {
			buckets[i].Downtime += millis(o.overlap(buckets[i].From.UnixMilli(), buckets[i].To.UnixMilli()))
		}
	}
}

func (b *bucketing) addMissed(buckets []uptime.Bucket, m missedRow) {
	first, last := b.touched(m.FromAt, m.ToAt, len(buckets))
	for i := first; i <= last; i++ {
		buckets[i].Checks.Missed += m.within(buckets[i].From.UnixMilli(), buckets[i].To.UnixMilli())
	}
}
