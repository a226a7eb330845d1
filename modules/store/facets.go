package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

const (
	// maxCells bounds what monitors are counted by at once: where they have more
	// different statuses, types and groups, groups are not counted.
	maxCells = 10_000
	// maxTagCounts is how many tags are offered.
	maxTagCounts = 100
)

// Facets counts what Monitors lists, and what it would list with other statuses,
// types, groups or tags: by two queries, however many there are.
func (s *Store) Facets(ctx context.Context, ws int64, f uptime.MonitorFilter) (out uptime.Facets, err error) {
	err = s.report(ctx, func(db *gorm.DB) error {
		out = uptime.Facets{Statuses: uptime.StatusCounts{}, Types: map[string]int64{}, Groups: map[string]int64{}}
		cells, err := s.cells(db, ws, f, "derived, type, group_path", "")
		if err == nil && len(cells) > maxCells {
			out.Groups = nil
			cells, err = s.cells(db, ws, f, "derived, type", f.Group)
		}
		if err != nil {
			return err
		}
		for _, c := range cells {
			by := f
			if out.Groups == nil {
				by.Group = "" // they are of it
			}
			out.Add(uptime.FacetCell{Status: statusOf(c.Derived), Type: c.Type, Group: c.GroupPath, N: c.N}, by)
		}
		out.Tags, err = s.tagCounts(db, ws, f)
		return err
	})
	return out, err
}

type cellRow struct {
	Derived         int16
	Type, GroupPath string
	N               int64
}

func (s *Store) cells(db *gorm.DB, ws int64, f uptime.MonitorFilter, by, group string) (rows []cellRow, err error) {
	f.Statuses, f.Types, f.Group = nil, nil, group
	err = s.filtered(db, ws, f).Select(by + ", count(*) AS n").Group(by).Limit(maxCells + 1).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("count monitors by what they are: %w", err)
	}
	return rows, nil
}

func (s *Store) tagCounts(db *gorm.DB, ws int64, f uptime.MonitorFilter) ([]uptime.TagCount, error) {
	rows := []uptime.TagCount{}
	err := s.chosenBy(db, ws, f).Joins("JOIN monitor_tags ON monitor_tags.monitor_id = v.id").
		Select("monitor_tags.name, monitor_tags.value, count(*) AS n").Group("monitor_tags.name, monitor_tags.value").Order("n DESC, monitor_tags.name, monitor_tags.value").
		Limit(maxTagCounts).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("count tags: %w", err)
	}
	return rows, nil
}

// chosenBy is filtered, but without a look at states where the filter needs none.
func (s *Store) chosenBy(db *gorm.DB, ws int64, f uptime.MonitorFilter) *gorm.DB {
	if len(f.Statuses) > 0 {
		return s.filtered(db, ws, f)
	}
	return matching(db.Table("monitors AS v"), ws, f)
}
