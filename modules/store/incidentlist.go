package store

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// Incidents lists living incidents with their timelines, newest first. A monitor's are its own and
// those made by hand that name it.
func (s *Store) Incidents(ctx context.Context, ws int64, f uptime.IncidentFilter, p uptime.Page) (uptime.List[uptime.Incident], error) {
	var list uptime.List[uptime.Incident]
	err := s.report(ctx, func(db *gorm.DB) error {
		rows, next, err := s.incidentPage(db, ws, f, p)
		if err != nil {
			return err
		}
		list.Next = next
		if list.Items, err = withMonitors(db, rows); err != nil {
			return err
		}
		return withUpdates(db, list.Items)
	})
	if err != nil {
		return uptime.List[uptime.Incident]{}, fmt.Errorf("list incidents: %w", err)
	}
	return list, nil
}

func (s *Store) incidentPage(db *gorm.DB, ws int64, f uptime.IncidentFilter, p uptime.Page) (rows []incidentRow, next string, err error) {
	limit := pageLimit(p)
	if f.OpenFirst && !f.Unresolved && !f.Resolved {
		rows, err = s.openFirst(db, ws, f, limit)
		return rows, "", err
	}
	query := s.newest(db, ws, f)
	if p.Cursor != "" {
		var started, id int64
		if err := decodeCursor("incidents", p.Cursor, &started, &id); err != nil {
			return nil, "", err
		}
		query = query.Where("(started_at, id) < (?, ?)", started, id)
	}
	if err := query.Limit(limit + 1).Find(&rows).Error; err != nil {
		return nil, "", err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		last := rows[limit-1]
		next = encodeCursor("incidents", int64(last.StartedAt), last.ID)
	}
	return rows, next, nil
}

func (s *Store) newest(db *gorm.DB, ws int64, f uptime.IncidentFilter) *gorm.DB {
	query := s.filterIncidents(db, ws, f).Order("started_at DESC, id DESC")
	if f.Offset > 0 {
		query = query.Offset(f.Offset)
	}
	return query
}

// openFirst gives a page of the unresolved ones and, behind them, of the others. Each
// part is read in the order of its index: to sort all by whether they are resolved would
// cost more with every incident that ever was.
func (s *Store) openFirst(db *gorm.DB, ws int64, f uptime.IncidentFilter, limit int) ([]incidentRow, error) {
	open, over := f, f
	open.Unresolved, over.Resolved = true, true
	var n int64
	if err := s.filterIncidents(db.Model(&incidentRow{}), ws, open).Count(&n).Error; err != nil {
		return nil, err
	}
	var rows []incidentRow
	if int64(f.Offset) < n {
		if err := s.newest(db, ws, open).Limit(limit).Find(&rows).Error; err != nil {
			return nil, err
		}
	}
	if len(rows) == limit {
		return rows, nil
	}
	over.Offset = max(f.Offset-int(n), 0)
	var rest []incidentRow
	if err := s.newest(db, ws, over).Limit(limit - len(rows)).Find(&rest).Error; err != nil {
		return nil, err
	}
	seen := make(map[int64]bool, len(rows))
	for _, r := range rows {
		seen[r.ID] = true
	}
	for _, r := range rest {
		if !seen[r.ID] { // else it was resolved between the two readings
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// CountIncidents counts what Incidents lists over all pages.
func (s *Store) CountIncidents(ctx context.Context, ws int64, f uptime.IncidentFilter) (int64, error) {
	var n int64
	err := s.report(ctx, func(db *gorm.DB) error {
		return s.filterIncidents(db.Model(&incidentRow{}), ws, f).Count(&n).Error
	})
	if err != nil {
		return 0, fmt.Errorf("count incidents: %w", err)
	}
	return n, nil
}

func (s *Store) filterIncidents(query *gorm.DB, ws int64, f uptime.IncidentFilter) *gorm.DB {
	query = query.Where("workspace_id = ? AND deleted_at IS NULL", ws)
	if f.MonitorID != 0 {
		query = query.Where(`(monitor_id = ? OR id IN (SELECT incident_id FROM incident_monitors WHERE monitor_id = ?))`,
			f.MonitorID, f.MonitorID)
	}
	if len(f.OpenedFor) > 0 {
		query = query.Where("monitor_id IN ?", f.OpenedFor)
	}
	if f.Unresolved {
		query = query.Where("resolved_at IS NULL")
	}
	if f.Resolved {
		query = query.Where("resolved_at IS NOT NULL")
	}
	if !f.From.IsZero() {
		query = query.Where("started_at >= ?", at(f.From))
	}
	if !f.To.IsZero() {
		query = query.Where("started_at < ?", at(f.To))
	}
	if len(f.Severities) > 0 {
		query = query.Where("severity IN ?", column(f.Severities, func(v uptime.Severity) string { return string(v) }))
	}
	if f.Query != "" {
		query = query.Where(titleHolds(query, f.Query))
	}
	if f.Group != "" || len(f.Tags) > 0 {
		query = s.ofMonitors(query, ws, f)
	}
	return query
}

// titleHolds is a condition on titles that hold the words. Databases may fold the case of
// ASCII letters alone (SQLite does), so other letters are tried small, large, and large
// at the start.
func titleHolds(db *gorm.DB, words string) *gorm.DB {
	first, size := utf8.DecodeRuneInString(words)
	tried := map[string]bool{}
	either := db.Session(&gorm.Session{NewDB: true})
	for _, form := range []string{words, strings.ToLower(words), strings.ToUpper(words), string(unicode.ToUpper(first)) + strings.ToLower(words[size:])} {
		pattern := strings.Map(func(r rune) rune {
			if r < utf8.RuneSelf {
				return unicode.ToLower(r)
			}
			return r
		}, form)
		if !tried[pattern] {
			tried[pattern] = true
			either = either.Or(`lower(title) LIKE ? ESCAPE '\'`, holding(pattern))
		}
	}
	return either
}

// ofMonitors narrows incidents to those of living monitors with the tags and of the group.
func (s *Store) ofMonitors(query *gorm.DB, ws int64, f uptime.IncidentFilter) *gorm.DB {
	monitors := func() *gorm.DB {
		v := query.Session(&gorm.Session{NewDB: true}).Table("monitors AS v").Select("v.id")
		return s.matching(v, ws, uptime.MonitorFilter{Tags: f.Tags, Group: f.Group})
	}
	return query.Where("(monitor_id IN (?) OR id IN (SELECT x.incident_id FROM incident_monitors x WHERE x.monitor_id IN (?)))",
		monitors(), monitors())
}
