package store

import (
	"slices"
	"time"

	"gorm.io/gorm"
)

// What pages read of results: rollups, and stored results of the newest two hours
// at most. Beyond that only counts and response times of the partial hours at both
// ends of a window are read from results. Where rollups lag behind by more, as they
// do for a while after a stop, what lies between is not known yet: coverage says
// so, and uptime leaves it out.
const frontierReach = 2 * time.Hour

// frontier is where stored results take over from rollups.
func (s *Store) frontier(hours int64) int64 {
	return max(hours, ceil(s.now().Add(-frontierReach).UnixMilli(), hourMS))
}

func ceil(ms, step int64) int64 { return floor(ms+step-1, step) }

func floor(ms, step int64) int64 { return ms - ms%step }

// reading is what one call reads about some monitors in [from, to).
type reading struct {
	*Store
	db       *gorm.DB
	ids      []int64
	from, to int64
	frontier int64 // within the window
	days     int64 // up to where days are rolled up
	now      int64

	raw     map[int64]*rawMonitor // from the frontier on, with all plans
	rollups map[int64][]rollupRow // hours and days
	outages map[int64]spans
	missed  map[int64][]missedRow
}

// newReading opens a window; exact keeps stored results of two hours even where
// they are rolled up.
func (s *Store) newReading(db *gorm.DB, ids []int64, from, to int64, exact bool) (*reading, error) {
	hours, days, err := rolled(db)
	if err != nil {
		return nil, err
	}
	r := &reading{Store: s, db: db, ids: ids, from: from, to: to, days: days, now: s.now().UnixMilli(), frontier: s.frontier(hours)}
	if exact {
		r.frontier = min(r.frontier, s.frontier(0))
	}
	r.frontier = min(max(r.frontier, from), to)
	if r.raw, err = s.rawResults(db, ids, from, span{r.frontier, to}); err != nil {
		return nil, err
	}
	if r.outages, err = s.outages(db, ids, from, to, r.now); err != nil {
		return nil, err
	}
	r.missed, err = s.missedWithout(db, ids, from, to, r.raw)
	return r, err
}

// whole hours of the window that are rolled up.
func (r *reading) whole() (from, to int64) {
	from = min(ceil(r.from, hourMS), r.frontier)
	return from, max(from, floor(r.frontier, hourMS))
}

// readRollups reads the hours of the window, with those that it cuts, and days
// instead of hours where they end before hoursFrom. Sums are read of all, or of what
// follows those days only.
func (r *reading) readRollups(hoursFrom int64, allSums bool) error {
	from, to := floor(r.from, hourMS), ceil(r.frontier, hourMS)
	if r.from >= r.frontier {
		to = from
	}
	first, last := r.whole()
	first, last = ceil(first, dayMS), min(floor(min(last, hoursFrom), dayMS), r.days)
	if first >= last {
		first, last = to, to
	}
	r.rollups = map[int64][]rollupRow{}
	for i, part := range []struct {
		table    string
		from, to int64
	}{{hourly, from, min(first, to)}, {daily, first, last}, {hourly, last, to}} {
		withSums := allSums || i == 2 || first == last
		rows, err := r.Store.rollups(r.db, part.table, r.ids, part.from, part.to, withSums)
		if err != nil {
			return err
		}
		for len(rows) > 0 { // those of one monitor lie together
			id, n := rows[0].MonitorID, 1
			for n < len(rows) && rows[n].MonitorID == id {
				n++
			}
			r.rollups[id] = append(r.rollups[id], rows[:n:n]...)
			rows = rows[n:]
		}
	}
	return nil
}

// edges of the window: parts of hours that are rolled up, of which only stored
// results know what was counted in them.
func (r *reading) edges() (out []span) {
	first, last := r.whole()
	if r.from < first {
		out = append(out, span{r.from, first})
	}
	if last = max(last, first); last < r.frontier {
		out = append(out, span{last, r.frontier})
	}
	return out
}

// sample is what is counted at a time: a rollup, or a stored result.
type sample struct {
	at     int64
	region int64
	rollup *sums
	result *measuredRow
}

func (t *tally) sample(s sample) error {
	if s.rollup != nil {
		return t.merge(*s.rollup)
	}
	t.add(*s.result)
	return nil
}

// samples of each monitor: whole hours and days, and results of the rest.
func (r *reading) samples() (map[int64][]sample, error) {
	out := map[int64][]sample{}
	first, last := r.whole()
	for id, rows := range r.rollups {
		for i := range rows {
			if at := rows[i].StartAt; first <= at && at < last {
				out[id] = append(out[id], sample{at: at, region: rows[i].RegionID, rollup: &rows[i].sums})
			}
		}
	}
	for _, edge := range r.edges() {
		rows, err := r.resultsWithin(r.db, r.ids, edge.from, edge.to)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			out[rows[i].MonitorID] = append(out[rows[i].MonitorID], sample{at: rows[i].ScheduledAt, region: rows[i].RegionID, result: &rows[i]})
		}
	}
	r.rawSamples(out, r.frontier)
	return out, nil
}

// rawSamples adds the results from a time on.
func (r *reading) rawSamples(out map[int64][]sample, from int64) {
	for _, id := range r.ids {
		for region, rows := range r.raw[id].regions {
			out[id] = slices.Grow(out[id], len(rows))
			for i := range rows {
				if at := rows[i].ScheduledAt; at >= from {
					out[id] = append(out[id], sample{at: at, region: region, result: &rows[i]})
				}
			}
		}
	}
}

// timelines of a monitor: its own, and by name that of each region it was meant to
// be checked from, or was.
func (r *reading) timelines(id int64) (whole timeline, byRegion map[string]timeline, err error) {
	known, down := map[int64][]span{}, map[int64][]span{}
	for _, row := range r.rollups[id] {
		k, d, err := row.spans()
		if err != nil {
			return whole, nil, err
		}
		known[row.RegionID] = append(known[row.RegionID], k...)
		down[row.RegionID] = append(down[row.RegionID], d...)
	}
	m := r.raw[id]
	for region, rows := range m.regions {
		k, d := m.knownSpans(rows)
		known[region] = append(known[region], k.within(r.frontier, r.to)...)
		down[region] = append(down[region], d.within(r.frontier, r.to)...)
	}
	byRegion = map[string]timeline{}
	for _, name := range m.regionNames(r.from, r.to) {
		byRegion[name] = timeline{scheduled: scheduled(m.rows, name)}
	}
	var all []span
	for region := range known {
		all = append(all, known[region]...)
		if region == 0 {
			continue
		}
		name, err := r.regionName(r.db, region)
		if err != nil {
			return whole, nil, err
		}
		byRegion[name] = timeline{scheduled: scheduled(m.rows, name), known: joined(known[region]), down: joined(down[region])}
	}
	return timeline{scheduled: m.all, known: joined(all), down: r.outages[id]}, byRegion, nil
}

// regionNames that the monitor was meant to be checked from in [from, to).
func (p plan) regionNames(from, to int64) (out []string) {
	for _, row := range p.rows {
		if int64(row.FromAt) >= to || (row.UntilAt != 0 && int64(row.UntilAt) <= from) {
			continue
		}
		if names, err := row.regionNames(); err == nil {
			out = append(out, names...)
		}
	}
	return out
}

// fineSamples of each monitor in the part of the window that begins at start:
// slices, hours that have none, and results from the frontier on.
func (r *reading) fineSamples(start int64) (map[int64][]sample, error) {
	out := map[int64][]sample{}
	from, to := floor(start, hourMS), ceil(r.frontier, hourMS)
	if start >= r.frontier {
		to = from
	}
	rows, err := r.fineRollups(r.db, r.ids, from, to)
	if err != nil {
		return nil, err
	}
	type hour struct{ monitor, start, region int64 }
	sliced := map[hour]bool{}
	expected := int((r.to - start) / sliceMS) // of one region; results come after
	add := func(monitor, at, region int64, s *sums) {
		if start <= at && at < r.frontier {
			if out[monitor] == nil {
				out[monitor] = make([]sample, 0, expected)
			}
			out[monitor] = append(out[monitor], sample{at: at, region: region, rollup: s})
		}
	}
	for _, row := range rows {
		sliced[hour{row.MonitorID, row.StartAt, row.RegionID}] = true
		parts, err := unpackSlices(row.slices, row.StartAt)
		if err != nil {
			return nil, err
		}
		for i := range parts {
			add(row.MonitorID, parts[i].at, row.RegionID, &parts[i].sums)
		}
	}
	for _, list := range r.rollups {
		for i := range list {
			if row := &list[i]; !sliced[hour{row.MonitorID, row.StartAt, row.RegionID}] {
				add(row.MonitorID, row.StartAt, row.RegionID, &row.sums)
			}
		}
	}
	r.rawSamples(out, max(r.frontier, start))
	return out, nil
}
