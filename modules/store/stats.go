package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// Stats sums the results of a living monitor in [from, to), of which the future
// is left out. docs/uptime.md says what the figures mean. The number of its
// statements is fixed, and of stored results it reads two hours at most and the
// partial hours at both ends.
func (s *Store) Stats(ctx context.Context, ws, monitorID int64, from, to time.Time) (out uptime.Stats, err error) {
	err = s.report(ctx, func(db *gorm.DB) error {
		if _, err := s.livingMonitor(db, ws, monitorID); err != nil {
			return err
		}
		var err error
		out, err = s.stats(db, monitorID, from, to)
		return err
	})
	return out, err
}

func (s *Store) stats(db *gorm.DB, id int64, from, to time.Time) (out uptime.Stats, err error) {
	out = uptime.Stats{From: from, To: to}
	end := to
	if now := s.now(); end.After(now) {
		end = now
	}
	if !end.After(from) {
		return out, nil
	}
	r, err := s.newReading(db, []int64{id}, from.UnixMilli(), end.UnixMilli(), false)
	if err != nil {
		return out, err
	}
	if err := r.readRollups(r.to, true); err != nil {
		return out, err
	}
	samples, err := r.samples()
	if err != nil {
		return out, err
	}
	if out, err = r.stats(id, samples[id]); err != nil {
		return out, err
	}
	out.From, out.To = from, to
	return out, nil
}

// stats of one monitor.
func (r *reading) stats(id int64, samples []sample) (out uptime.Stats, err error) {
	whole, byRegion, err := r.timelines(id)
	if err != nil {
		return out, err
	}
	m := whole.measure(r.from, r.to)
	out.Known, out.Downtime, out.Unknown, out.Maintenance = millis(m.known), millis(m.down), millis(m.unknown), millis(m.maintenance)
	out.Uptime, out.Coverage, out.Incidents = m.uptime(), m.coverage(), int64(len(r.outages[id]))

	var all tally
	tallies := map[int64]*tally{}
	for _, s := range samples {
		if tallies[s.region] == nil {
			tallies[s.region] = &tally{}
		}
		if err := tallies[s.region].sample(s); err != nil {
			return out, err
		}
	}
	regions := map[string]*tally{}
	for region, t := range tallies {
		all.join(t)
		if region == 0 {
			continue
		}
		name, err := r.regionName(r.db, region)
		if err != nil {
			return out, err
		}
		regions[name] = t
		if _, ok := byRegion[name]; !ok {
			byRegion[name] = timeline{}
		}
	}
	out.Responses, out.Checks = all.figures()
	for _, missed := range r.missed[id] {
		out.Checks.Missed += missed.within(r.from, r.to)
	}
	for _, name := range slices.Sorted(maps.Keys(byRegion)) {
		one := r.regionStats(byRegion[name], regions[name])
		one.Region = name
		for _, missed := range r.missed[id] {
			if number, ok := r.regions.id(name); ok && number == missed.RegionID {
				one.Checks.Missed += missed.within(r.from, r.to)
			}
		}
		out.Regions = append(out.Regions, one)
	}
	return out, nil
}

func (r *reading) regionStats(line timeline, t *tally) (out uptime.RegionStats) {
	m := line.measure(r.from, r.to)
	out.Known, out.Downtime, out.Unknown, out.Maintenance = millis(m.known), millis(m.down), millis(m.unknown), millis(m.maintenance)
	out.Uptime = m.uptime()
	if t != nil {
		out.Responses, out.Checks = t.figures()
	}
	return out
}

// figures of what was tallied.
func (t *tally) figures() (uptime.Responses, uptime.CheckCounts) {
	var out uptime.Responses
	if t.responses() > 0 {
		out.HasResponse, out.Mean = true, t.mean()
		out.P50, out.P95, out.P99 = t.histogram.percentile(50), t.histogram.percentile(95), t.histogram.percentile(99)
	}
	return out, t.counts
}
