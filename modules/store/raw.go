package store

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// maxReach of a result.
const maxReach = 2*uptime.MaxInterval + uptime.UnknownGrace

// rawMonitor holds stored results of one monitor by region, in order of slots.
type rawMonitor struct {
	plan
	regions map[int64][]measuredRow
}

// since is from when on a result may reach to at.
func (p plan) since(at int64) int64 {
	first := at
	for _, r := range p.rows {
		if until := int64(r.UntilAt); until == 0 || until+reach(r.IntervalMS) > at {
			first = min(first, max(int64(r.FromAt), at-reach(r.IntervalMS)))
		}
	}
	return first
}

// rawResults reads the results within a span of time of monitors, and of each region
// the newest before it, which alone may reach into it; and their plans from some
// time before.
func (s *Store) rawResults(db *gorm.DB, ids []int64, plansFrom int64, in span) (map[int64]*rawMonitor, error) {
	plans, err := s.schedules(db, ids, time.UnixMilli(plansFrom).Add(-maxReach), time.UnixMilli(in.to))
	if err != nil {
		return nil, err
	}
	if err := s.regions.load(db); err != nil {
		return nil, err
	}
	out := make(map[int64]*rawMonitor, len(ids))
	since := make([]int64, 0, len(ids))
	for _, id := range ids {
		m := &rawMonitor{plan: newPlan(plans[id]), regions: map[int64][]measuredRow{}}
		out[id] = m
		since = append(since, m.since(in.from))
	}
	if in.from >= in.to {
		return out, nil
	}
	before, err := s.resultsBefore(db, ids, since, in.from)
	if err != nil {
		return nil, err
	}
	rows, err := s.resultsWithin(db, ids, in.from, in.to)
	if err != nil {
		return nil, err
	}
	for i := range before {
		out[before[i].MonitorID].regions[before[i].RegionID] = before[i : i+1 : i+1]
	}
	for run := range runs(rows) {
		m := out[run[0].MonitorID]
		m.regions[run[0].RegionID] = slices.Concat(m.regions[run[0].RegionID], run)
	}
	return out, nil
}

// runs of rows that are of one monitor and region and lie together.
func runs(rows []measuredRow) iter.Seq[[]measuredRow] {
	return func(yield func([]measuredRow) bool) {
		for len(rows) > 0 {
			n := 1
			for n < len(rows) && rows[n].MonitorID == rows[0].MonitorID && rows[n].RegionID == rows[0].RegionID {
				n++
			}
			if !yield(rows[:n]) {
				return
			}
			rows = rows[n:]
		}
	}
}

// measuredRow is what figures are made from of a row of check_results. A page reads
// thousands of them.
type measuredRow struct {
	MonitorID, RegionID, ScheduledAt, ResponseUS int64
	Status                                       int16
}

// measuredColumns of check_results c, in that order.
const measuredColumns = "c.monitor_id, c.region_id, c.scheduled_at, c.response_us, c.status"

// measured reads rows whose columns are measuredColumns.
func (s *Store) measured(db *gorm.DB, query string, args ...any) (out []measuredRow, err error) {
	var r measuredRow
	fields := []any{&r.MonitorID, &r.RegionID, &r.ScheduledAt, &r.ResponseUS, &r.Status}
	err = s.list(db, query, args, func(scan func(...any) error) error {
		if err := scan(fields...); err != nil {
			return err
		}
		out = append(out, r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	return out, nil
}

// resultsWithin [from, to), by monitor, region and slot. The regions must be
// loaded: naming them lets the key find the slots.
func (s *Store) resultsWithin(db *gorm.DB, ids []int64, from, to int64) ([]measuredRow, error) {
	if from >= to || len(ids) == 0 {
		return nil, nil
	}
	return s.measured(db, "SELECT "+measuredColumns+" FROM check_results c WHERE c.monitor_id "+s.in(1)+" AND c.region_id "+s.in(2)+
		" AND c.scheduled_at >= $3 AND c.scheduled_at < $4 ORDER BY c.monitor_id, c.region_id, c.scheduled_at",
		ids, s.regions.all(), from, to)
}

// resultsBefore gives the newest result of each monitor and region before a time,
// where it is not older than since of the monitor. Each is found by one look into
// the key, however many results there are.
func (s *Store) resultsBefore(db *gorm.DB, ids, since []int64, before int64) ([]measuredRow, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	query := "SELECT " + measuredColumns + ` FROM json_each($1) m JOIN json_each($2) f ON f.key = m.key CROSS JOIN json_each($3) r CROSS JOIN check_results c
		WHERE c.monitor_id = m.value AND c.region_id = r.value AND c.scheduled_at = (
			SELECT max(x.scheduled_at) FROM check_results x
			WHERE x.monitor_id = m.value AND x.region_id = r.value AND x.scheduled_at < $4 AND x.scheduled_at >= f.value)`
	if s.dialect == dialectPostgres {
		query = "SELECT " + measuredColumns + ` FROM unnest($1::bigint[], $2::bigint[]) AS m (id, since) CROSS JOIN unnest($3::bigint[]) AS r (id)
			CROSS JOIN LATERAL (SELECT * FROM check_results x
				WHERE x.monitor_id = m.id AND x.region_id = r.id AND x.scheduled_at < $4 AND x.scheduled_at >= m.since
				ORDER BY x.scheduled_at DESC LIMIT 1) c`
	}
	return s.measured(db, query, ids, since, s.regions.all(), before)
}
