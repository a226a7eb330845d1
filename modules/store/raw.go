package store

import (
	"fmt"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// maxReach of a result.
const maxReach = 2*uptime.MaxInterval + uptime.UnknownGrace

// rawMonitor holds stored results of one monitor and how far each reaches.
type rawMonitor struct {
	coverage
	rows []resultRow
}

// rawResults reads the results in [from, to) of monitors, and those before from
// that may reach into it.
func (s *Store) rawResults(db *gorm.DB, ids []int64, from, to time.Time) (map[int64]*rawMonitor, error) {
	var intervals []struct{ ID, IntervalMS int64 }
	err := db.Raw("SELECT id, interval_ms AS interval_ms FROM monitors WHERE id IN ?", ids).Scan(&intervals).Error
	if err != nil {
		return nil, fmt.Errorf("read intervals: %w", err)
	}
	plans, err := schedules(db, ids, from.Add(-maxReach), to)
	if err != nil {
		return nil, err
	}
	if err := s.regions.load(db); err != nil {
		return nil, err
	}
	out := make(map[int64]*rawMonitor, len(ids))
	// Monitors of one reach share a query: 5 s and 30 d in one would read a
	// month of every 5 s.
	groups := map[int64][]int64{}
	for _, i := range intervals {
		longest := i.IntervalMS
		for _, p := range plans[i.ID] {
			longest = max(longest, p.IntervalMS)
		}
		out[i.ID] = &rawMonitor{coverage: coverage{plans: plans[i.ID], interval: i.IntervalMS}}
		groups[reach(longest)] = append(groups[reach(longest)], i.ID)
	}
	for _, id := range ids {
		if out[id] == nil {
			out[id] = &rawMonitor{}
		}
	}
	for back, group := range groups {
		rows, err := resultRows(db, "SELECT "+resultColumns+` FROM check_results
			WHERE monitor_id IN ? AND region_id IN ? AND scheduled_at >= ? AND scheduled_at < ?`,
			group, s.regions.all(), from.UnixMilli()-back, to.UnixMilli())
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			out[row.MonitorID].rows = append(out[row.MonitorID].rows, row)
		}
	}
	return out, nil
}
