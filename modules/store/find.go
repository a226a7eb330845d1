package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"monitor/modules/uptime"
)

const (
	// maxWords bounds how many words are looked for.
	maxWords = 5
	// findIncidents is how many of the newest incidents are looked at.
	findIncidents = 1000
)

// Find gives up to limit things of each kind whose text has all the words, in any
// case: monitors by name, target, group and tags, those first whose name begins with
// the words; the newest incidents by title, unresolved ones first; channels by name.
func (s *Store) Find(ctx context.Context, ws int64, words string, limit int) (found uptime.Finds, err error) {
	all := strings.Fields(words)
	all = all[:min(len(all), maxWords)]
	if len(all) == 0 {
		return found, nil
	}
	err = s.report(ctx, func(db *gorm.DB) error {
		found = uptime.Finds{}
		ids, err := monitorsNamed(db, ws, all, limit)
		if err != nil {
			return err
		}
		newest := db.Table("incidents").Where("workspace_id = ? AND deleted_at IS NULL", ws).Order("started_at DESC, id DESC").Limit(findIncidents)
		incidents := with(db.Table("(?) AS newest", newest), "lower(title)", all).Order("(resolved_at IS NOT NULL), started_at DESC, id DESC").Limit(limit)
		channels := with(db.Where("workspace_id = ? AND deleted_at IS NULL", ws), "lower(name)", all).Order("lower(name), id").Limit(limit)
		return s.fill(db, &found, ids, incidents, channels)
	})
	return found, err
}

// FindByID gives the living things of the workspace that are named, monitors in the
// order in which they are.
func (s *Store) FindByID(ctx context.Context, ws int64, ids uptime.FindIDs) (found uptime.Finds, err error) {
	err = s.report(ctx, func(db *gorm.DB) error {
		found = uptime.Finds{}
		var living []int64
		if err := db.Raw("SELECT id FROM monitors WHERE workspace_id = ? AND deleted_at IS NULL AND id IN ?", ws, orNone(ids.Monitors)).Scan(&living).Error; err != nil {
			return fmt.Errorf("find monitors: %w", err)
		}
		mine := slices.DeleteFunc(slices.Clone(ids.Monitors), func(id int64) bool { return !slices.Contains(living, id) })
		return s.fill(db, &found, mine,
			db.Table("incidents").Where("workspace_id = ? AND deleted_at IS NULL AND id IN ?", ws, orNone(ids.Incidents)),
			db.Where("workspace_id = ? AND deleted_at IS NULL AND id IN ?", ws, orNone(ids.Channels)))
	})
	return found, err
}

// orNone makes an empty list one that nothing is in.
func orNone(ids []int64) []int64 {
	if len(ids) == 0 {
		return []int64{0}
	}
	return ids
}

// with asks for all words in a column.
func with(q *gorm.DB, column string, words []string) *gorm.DB {
	for _, word := range words {
		q = q.Where(column+` LIKE ? ESCAPE '\'`, likePattern(word))
	}
	return q
}

// monitorsNamed gives the ids of living monitors with all words, the likeliest first.
func monitorsNamed(db *gorm.DB, ws int64, words []string, limit int) (ids []int64, err error) {
	whole := likePattern(strings.Join(words, " "))
	q := with(db.Table("monitors").Where("workspace_id = ? AND deleted_at IS NULL", ws), "search", words)
	likeliest := clause.Expr{SQL: `CASE WHEN name_key LIKE ? ESCAPE '\' THEN 0 WHEN name_key LIKE ? ESCAPE '\' THEN 1 ELSE 2 END, name_key, id`, Vars: []any{whole[1:], whole}}
	err = q.Clauses(clause.OrderBy{Expression: likeliest}).Limit(limit).Pluck("id", &ids).Error
	if err != nil {
		return nil, fmt.Errorf("find monitors: %w", err)
	}
	return ids, nil
}

func (s *Store) fill(db *gorm.DB, found *uptime.Finds, ids []int64, incidents, channels *gorm.DB) error {
	var rows []viewRow
	if err := s.view(db).Where("id IN ?", orNone(ids)).Find(&rows).Error; err != nil {
		return fmt.Errorf("read what was found: %w", err)
	}
	slices.SortFunc(rows, func(a, b viewRow) int { return slices.Index(ids, a.Monitor.ID) - slices.Index(ids, b.Monitor.ID) })
	var err error
	if found.Monitors, err = views(db, rows); err != nil {
		return err
	}
	var told []incidentRow
	if err := incidents.Find(&told).Error; err != nil {
		return fmt.Errorf("find incidents: %w", err)
	}
	if found.Incidents, err = incidentsOf(told); err != nil {
		return err
	}
	var ways []channelRow
	if err := channels.Find(&ways).Error; err != nil {
		return fmt.Errorf("find channels: %w", err)
	}
	for _, row := range ways {
		found.Channels = append(found.Channels, row.channel())
	}
	return nil
}

// Neighbour gives the monitor after one in the order of a filter, or before it; 0 where
// there is none. ErrNotFound when the one is not there; it need not match the filter.
func (s *Store) Neighbour(ctx context.Context, ws, id int64, f uptime.MonitorFilter, before bool) (next int64, err error) {
	err = s.report(ctx, func(db *gorm.DB) error {
		next = 0
		o := monitorOrder(f.Sort)
		var rows []listRow
		if err := s.filtered(db, ws, uptime.MonitorFilter{}).Where("id = ?", id).Select(o.columns).Find(&rows).Error; err != nil {
			return fmt.Errorf("read the place of a monitor: %w", err)
		}
		if len(rows) == 0 {
			return fmt.Errorf("monitor %d: %w", id, gorm.ErrRecordNotFound)
		}
		sign, way := ">", ""
		if f.Desc != before {
			sign, way = "<", " DESC"
		}
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(o.columns)), ", ")
		q := s.filtered(db, ws, f).Where("("+strings.Join(o.columns, ", ")+") "+sign+" ("+marks+")", o.values(rows[0])...)
		for _, column := range o.columns {
			q = q.Order(column + way)
		}
		var ids []int64
		if err := q.Limit(1).Pluck("id", &ids).Error; err != nil {
			return fmt.Errorf("find the next monitor: %w", err)
		}
		if len(ids) > 0 {
			next = ids[0]
		}
		return nil
	})
	return next, err
}
