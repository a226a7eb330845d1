package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// Rows of groups: each group on a page shows a few of its worst monitors, and those
// that come first as many as there is room for on the page.
const (
	rowsOfAll   = 75
	rowsOfEach  = 5
	rowsOfGroup = 25
)

// Groups lists groups of the monitors that the filter chooses, worst first and then
// by path, those without a group last, with rows of them. total counts all groups, 0 beyond
// the last. What it reads of monitors is bounded, however many a group has.
func (s *Store) Groups(ctx context.Context, ws int64, f uptime.MonitorFilter, limit, offset int) ([]uptime.MonitorGroup, int64, error) {
	return s.readGroups(ctx, ws, f, limit, offset, func(db *gorm.DB, p groupPage) error {
		return s.fillGroups(db, ws, f, p.groups, p.at, allot(p.sizes))
	})
}

// GroupHeads is Groups without rows of monitors.
func (s *Store) GroupHeads(ctx context.Context, ws int64, f uptime.MonitorFilter, limit, offset int) ([]uptime.MonitorGroup, int64, error) {
	return s.readGroups(ctx, ws, f, limit, offset, func(*gorm.DB, groupPage) error { return nil })
}

// groupPage are some groups: how many monitors each has, and where the path of each is.
type groupPage struct {
	groups []uptime.MonitorGroup
	sizes  []int64
	at     map[string]int
}

// readGroups reads groups with their counts, and lets fill add to them.
func (s *Store) readGroups(ctx context.Context, ws int64, f uptime.MonitorFilter, limit, offset int, fill func(*gorm.DB, groupPage) error) (out []uptime.MonitorGroup, total int64, err error) {
	err = s.report(ctx, func(db *gorm.DB) error {
		out, total = nil, 0
		var heads []struct {
			GroupPath       string
			Worst, N, Total int64
		}
		err := s.filtered(db, ws, f).Select("group_path, min(severity) AS worst, count(*) AS n, count(*) OVER () AS total").
			Group("group_path").Order("CASE WHEN group_path = '' THEN 1 ELSE 0 END, worst, group_path").
			Limit(limit).Offset(offset).Find(&heads).Error
		if err != nil || len(heads) == 0 {
			return wrap("list groups", err)
		}
		p := groupPage{at: map[string]int{}}
		for i, h := range heads {
			p.sizes, p.at[h.GroupPath] = append(p.sizes, h.N), i
			p.groups = append(p.groups, uptime.MonitorGroup{Path: h.GroupPath, Worst: uptime.Statuses()[h.Worst], Counts: uptime.StatusCounts{}})
		}
		out, total = p.groups, heads[0].Total
		if err := s.countGroups(db, ws, f, out, p.at); err != nil {
			return err
		}
		return fill(db, p)
	})
	return out, total, err
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// allot shares the rows of a page among groups of these sizes.
func allot(sizes []int64) []int64 {
	out := make([]int64, len(sizes))
	left := int64(rowsOfAll)
	for _, most := range []int64{rowsOfEach, rowsOfGroup} {
		for i, size := range sizes {
			more := min(min(size, most)-out[i], left)
			out[i] += more
			left -= more
		}
	}
	return out
}

func pathsOf(groups []uptime.MonitorGroup) []string {
	paths := make([]string, len(groups))
	for i, g := range groups {
		paths[i] = g.Path
	}
	return paths
}

func (s *Store) countGroups(db *gorm.DB, ws int64, f uptime.MonitorFilter, groups []uptime.MonitorGroup, at map[string]int) error {
	var rows []cellRow
	err := s.filtered(db, ws, f).Where("group_path IN ?", pathsOf(groups)).
		Select("group_path, derived, count(*) AS n").Group("group_path, derived").Find(&rows).Error
	if err != nil {
		return fmt.Errorf("count monitors of groups: %w", err)
	}
	for _, r := range rows {
		groups[at[r.GroupPath]].Counts[statusOf(r.Derived)] += r.N
	}
	return nil
}

func (s *Store) fillGroups(db *gorm.DB, ws int64, f uptime.MonitorFilter, groups []uptime.MonitorGroup, at map[string]int, most []int64) error {
	var rows []struct {
		ID, Place int64
		GroupPath string
	}
	placed := s.filtered(db, ws, f).Where("group_path IN ?", pathsOf(groups)).
		Select("id, group_path, row_number() OVER (PARTITION BY group_path ORDER BY severity, name_key, id) AS place")
	err := db.Session(&gorm.Session{NewDB: true}).Table("(?) AS placed", placed).Where("place <= ?", rowsOfGroup).Order("group_path, place").Find(&rows).Error
	if err != nil {
		return fmt.Errorf("list monitors of groups: %w", err)
	}
	ids, of := []int64{}, map[int64]int{}
	for _, r := range rows {
		if i := at[r.GroupPath]; r.Place <= most[i] {
			ids, of[r.ID] = append(ids, r.ID), i
		}
	}
	list, err := s.inOrder(db, ids)
	if err != nil {
		return err
	}
	for _, m := range list {
		i := of[m.ID]
		groups[i].Rows = append(groups[i].Rows, m)
	}
	return nil
}
