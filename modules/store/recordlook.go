package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// lockedRow is a state under lock.
type lockedRow struct {
	stateRow
	revision int64 // raised whenever the row is written, but by Advance
}

// lockStates locks the state rows of monitors, in order of id, and reads them.
func (s *Store) lockStates(tx *gorm.DB, ids []int64) ([]lockedRow, error) {
	list, err := s.idList(ids)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Statement.ConnPool.QueryContext(tx.Statement.Context, s.lockStatesSQL(), list)
	if err != nil {
		return nil, fmt.Errorf("lock states: %w", err)
	}
	out := make([]lockedRow, 0, len(ids))
	err = each(rows, func() error {
		var r lockedRow
		if err := rows.Scan(append([]any{&r.revision}, r.fields()...)...); err != nil {
			return err
		}
		out = append(out, r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("lock states: %w", err)
	}
	return out, nil
}

// look reads what each situation needs beside the new results.
func (r *recording) look() error {
	for i := range r.situations {
		s := &r.situations[i]
		sortResults(s.New)
		if s.New[0].ScheduledAt.After(s.Monitor.State.LastSlot) {
			continue
		}
		s.Late = true
		if err := r.lookBack(s); err != nil {
			return err
		}
	}
	// What came too late is stored and judged no more.
	r.situations = slices.DeleteFunc(r.situations, func(s uptime.Situation) bool { return len(s.New) == 0 })
	return r.lookForIncidents()
}

func sortResults(results []uptime.Result) {
	slices.SortFunc(results, func(a, b uptime.Result) int {
		return cmp.Or(a.ScheduledAt.Compare(b.ScheduledAt), strings.Compare(a.Region, b.Region))
	})
}

// lookBack fills the history of a late situation.
func (r *recording) lookBack(s *uptime.Situation) error {
	regions, err := r.regionsOf(s)
	if err != nil {
		return err
	}
	later, err := r.around(s, regions, ">=", "ASC", uptime.MaxRejudge+1)
	if err != nil {
		return err
	}
	if len(later) > uptime.MaxRejudge {
		return r.lookBackLess(s, regions)
	}
	earlier, err := r.around(s, regions, "<", "DESC", uptime.Lookback+1)
	if err != nil {
		return err
	}
	return r.remember(s, earlier, later)
}

// lookBackLess leaves out the new results that more than MaxRejudge stored ones
// come after, then looks again.
func (r *recording) lookBackLess(s *uptime.Situation, regions []int64) error {
	var slots []int64
	for _, region := range regions {
		var part []int64
		err := r.tx.Raw(`SELECT scheduled_at FROM check_results WHERE monitor_id = ? AND region_id = ? AND scheduled_at <= ?
			ORDER BY scheduled_at DESC LIMIT ?`, s.Monitor.ID, region, s.Horizon().UnixMilli(), uptime.MaxRejudge).Scan(&part).Error
		if err != nil {
			return fmt.Errorf("read the newest slots of monitor %d: %w", s.Monitor.ID, err)
		}
		slots = append(slots, part...)
	}
	slices.Sort(slots)
	bound := slots[len(slots)-uptime.MaxRejudge]
	s.New = slices.DeleteFunc(s.New, func(n uptime.Result) bool { return n.ScheduledAt.UnixMilli() <= bound })
	if len(s.New) == 0 {
		return nil
	}
	if s.New[0].ScheduledAt.After(s.Monitor.State.LastSlot) {
		s.Late = false
		return nil
	}
	return r.lookBack(s)
}

// around reads up to limit results of each region on one side of the earliest
// new one, nearest first, none beyond the horizon: those that a clock ahead has
// left would else count as later ones, and nothing be judged until they are past.
func (r *recording) around(s *uptime.Situation, regions []int64, side, order string, limit int) ([]resultRow, error) {
	var out []resultRow
	for _, region := range regions {
		rows, err := resultRows(r.tx, "SELECT "+resultReading+" FROM check_results WHERE monitor_id = ? AND region_id = ? AND scheduled_at "+
			side+" ? AND scheduled_at <= ? ORDER BY scheduled_at "+order+" LIMIT ?",
			s.Monitor.ID, region, s.New[0].ScheduledAt.UnixMilli(), s.Horizon().UnixMilli(), limit)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// remember joins what was stored, newest Lookback of the earlier ones, with the
// new results as they came: they carry evidence and certificates.
func (r *recording) remember(s *uptime.Situation, earlier, later []resultRow) error {
	came := make(map[uptime.ResultKey]uptime.Result, len(s.New))
	for _, n := range s.New {
		came[n.Key()] = n
	}
	history := make([]uptime.Result, 0, len(earlier)+len(later))
	for _, row := range slices.Concat(earlier, later) {
		name, err := r.regionName(r.tx, row.RegionID)
		if err != nil {
			return err
		}
		result := row.result(s.Monitor.WorkspaceID, name)
		if n, ok := came[result.Key()]; ok {
			result = n
		}
		history = append(history, result)
	}
	sortResults(history)
	if extra := len(earlier) - uptime.Lookback; extra > 0 {
		s.Cut, history = true, history[extra:]
	}
	s.History = history
	return nil
}

// regionsOf are the numbers of all regions that the monitor may have results of.
func (r *recording) regionsOf(s *uptime.Situation) ([]int64, error) {
	names := slices.Clone(s.Monitor.Regions)
	for _, n := range s.New {
		names = append(names, n.Region)
	}
	slices.Sort(names)
	var ids []int64
	for _, name := range slices.Compact(names) {
		id, err := r.regionID(r.tx, name)
		if err != nil {
			return nil, err
		}
		if id != 0 {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// lookForIncidents reads the own incidents of all situations at once.
func (r *recording) lookForIncidents() error {
	if len(r.situations) == 0 {
		return nil
	}
	var ids []int64
	byID := map[int64]*uptime.Situation{}
	earliest := int64(0)
	for i := range r.situations {
		s := &r.situations[i]
		ids, byID[s.Monitor.ID] = append(ids, s.Monitor.ID), s
		if first := firstSlot(s); earliest == 0 || first < earliest {
			earliest = first
		}
	}
	list, err := r.idList(ids)
	if err != nil {
		return err
	}
	rows, err := r.tx.Statement.ConnPool.QueryContext(r.tx.Statement.Context, r.ownIncidentsSQL(), list, earliest)
	if err != nil {
		return fmt.Errorf("read incidents: %w", err)
	}
	var found []incidentRow
	err = each(rows, func() error {
		var row incidentRow
		if err := r.tx.ScanRows(rows, &row); err != nil {
			return err
		}
		found = append(found, row)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read incidents: %w", err)
	}
	incidents, err := incidentsOf(found)
	if err != nil {
		return err
	}
	for _, i := range incidents {
		s := byID[i.MonitorID]
		if i.Unresolved() || i.EndedAt.IsZero() || i.EndedAt.UnixMilli() >= firstSlot(s) {
			s.Incidents = append(s.Incidents, i)
		}
	}
	for _, s := range byID {
		slices.SortFunc(s.Incidents, func(a, b uptime.Incident) int {
			return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.ID, b.ID))
		})
	}
	return nil
}

func firstSlot(s *uptime.Situation) int64 {
	if s.Late {
		return s.History[0].ScheduledAt.UnixMilli()
	}
	return s.New[0].ScheduledAt.UnixMilli()
}
