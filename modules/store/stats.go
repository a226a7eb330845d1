package store

import (
	"context"
	"math"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// Stats sums the results of a living monitor in [from, to), of which the future
// is left out. doc.go says what the figures mean.
func (s *Store) Stats(ctx context.Context, ws, monitorID int64, from, to time.Time) (out uptime.Stats, err error) {
	err = s.report(ctx, func(db *gorm.DB) error {
		if _, err := s.livingMonitor(db, ws, monitorID); err != nil {
			return err
		}
		out, err = s.stats(db, monitorID, from, to)
		return err
	})
	return out, err
}

func (s *Store) stats(db *gorm.DB, id int64, from, to time.Time) (uptime.Stats, error) {
	out := uptime.Stats{From: from, To: to}
	end := to
	if now := s.now(); end.After(now) {
		end = now
	}
	if !end.After(from) {
		return out, nil
	}
	t := newTally()
	known, err := s.sum(db, t, id, from.UnixMilli(), end.UnixMilli())
	if err != nil {
		return out, err
	}
	plans, err := schedules(db, []int64{id}, from, end)
	if err != nil {
		return out, err
	}
	scheduled := coverage{plans: plans[id]}.scheduled(from.UnixMilli(), end.UnixMilli())
	down, err := outages(db, []int64{id}, from, end)
	if err != nil {
		return out, err
	}
	missed, err := s.missedRows(db, []int64{id}, from, end)
	if err != nil {
		return out, err
	}
	for _, m := range missed {
		t.counts.Missed += m.within(from.UnixMilli(), end.UnixMilli())
	}
	var downtime int64
	for _, o := range down[id] {
		downtime += o.overlap(from.UnixMilli(), end.UnixMilli())
		out.Incidents++
	}
	out.Checks, out.Downtime = t.counts, millis(downtime)
	out.Unknown = millis(max(0, scheduled-known))
	out.Uptime = uptimeRatio(known, downtime)
	if scheduled > 0 {
		out.Coverage = min(1, float64(known)/float64(scheduled))
	}
	if t.responses > 0 {
		out.HasResponse, out.Mean = true, t.mean()
		out.P50, out.P95, out.P99 = t.percentile(50), t.percentile(95), t.percentile(99)
	}
	return out, nil
}

// uptimeRatio is 1 only without any downtime, and nil where nothing is known.
func uptimeRatio(known, downtime int64) *float64 {
	if known <= 0 {
		return nil
	}
	// An outage may go on while nothing is known of the monitor.
	ratio := 1 - float64(downtime)/float64(max(known, downtime))
	if downtime > 0 && ratio == 1 {
		ratio = math.Nextafter(1, 0)
	}
	return &ratio
}

// sum tallies results in [from, to) and gives the known time: complete days and
// hours from rollups, the rest from what is stored.
func (s *Store) sum(db *gorm.DB, t *tally, id, from, to int64) (known int64, err error) {
	hours, days, err := rolled(db)
	if err != nil {
		return 0, err
	}
	first, last := ceil(from, hourMS), min(to-to%hourMS, hours)
	if first >= last {
		return s.sumRaw(db, t, id, from, to)
	}
	firstDay, lastDay := ceil(first, dayMS), min(last-last%dayMS, days)
	if firstDay >= lastDay {
		firstDay, lastDay = last, last
	}
	for _, part := range []struct {
		table    string
		from, to int64
	}{{hourly, first, firstDay}, {daily, firstDay, lastDay}, {hourly, lastDay, last}} {
		rows, err := rollups(db, part.table, []int64{id}, part.from, part.to)
		if err != nil {
			return 0, err
		}
		for _, r := range rows {
			known += r.KnownMS
			if err := t.merge(r); err != nil {
				return 0, err
			}
		}
	}
	for _, part := range [][2]int64{{from, first}, {last, to}} {
		n, err := s.sumRaw(db, t, id, part[0], part[1])
		if err != nil {
			return 0, err
		}
		known += n
	}
	return known, nil
}

func ceil(ms, step int64) int64 {
	if ms%step == 0 {
		return ms
	}
	return ms - ms%step + step
}

// sumRaw tallies stored results in [from, to).
func (s *Store) sumRaw(db *gorm.DB, t *tally, id, from, to int64) (known int64, err error) {
	if from >= to {
		return 0, nil
	}
	raw, err := s.rawResults(db, []int64{id}, time.UnixMilli(from), time.UnixMilli(to))
	if err != nil {
		return 0, err
	}
	m := raw[id]
	for _, row := range m.rows {
		if row.ScheduledAt < from {
			continue
		}
		if err := t.add(row); err != nil {
			return 0, err
		}
	}
	return m.known(m.rows, from, to), nil
}
