package store

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// maxQuery bounds the words that are searched for, in characters.
const maxQuery = 200

// filtered are the living monitors of a workspace that the filter chooses.
func (s *Store) filtered(db *gorm.DB, ws int64, f uptime.MonitorFilter) *gorm.DB {
	q := s.view(db).Where("workspace_id = ? AND deleted_at IS NULL", ws)
	if len(f.Statuses) > 0 {
		codes := make([]int16, len(f.Statuses))
		for i, status := range f.Statuses {
			codes[i] = statusCode(status)
		}
		q = q.Where("derived IN ?", codes)
	}
	if len(f.Types) > 0 {
		q = q.Where("type IN ?", f.Types)
	}
	if f.Enabled != nil {
		q = q.Where("enabled = ?", *f.Enabled)
	}
	for _, tag := range f.Tags {
		if tag.HasValue {
			q = q.Where("EXISTS (SELECT 1 FROM monitor_tags t WHERE t.monitor_id = v.id AND t.name = ? AND t.value = ?)", tag.Name, tag.Value)
		} else {
			q = q.Where("EXISTS (SELECT 1 FROM monitor_tags t WHERE t.monitor_id = v.id AND t.name = ?)", tag.Name)
		}
	}
	if f.Group != "" { // "0" comes after "/": all paths that go on
		q = q.Where("(group_path = ? OR (group_path >= ? AND group_path < ?))", f.Group, f.Group+"/", f.Group+"0")
	}
	if f.Query != "" {
		q = q.Where(`search LIKE ? ESCAPE '\'`, likePattern(f.Query))
	}
	return q
}

// likePattern matches text that holds the words as they are.
func likePattern(words string) string {
	if utf8.RuneCountInString(words) > maxQuery {
		words = string([]rune(words)[:maxQuery])
	}
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(uptime.Clean(strings.ToLower(words), 4*maxQuery)) + "%"
}

// order is a sort order of monitors: columns and a row's values for a cursor.
type order struct {
	columns []string
	values  func(viewRow) []any
	targets func() []any // to read a cursor into
}

func monitorOrder(sort string) order {
	id := func(r viewRow) any { return r.Monitor.ID }
	switch sort {
	case "name":
		return order{
			[]string{"name_key", "id"},
			func(r viewRow) []any { return []any{r.Monitor.NameKey, id(r)} },
			func() []any { return []any{new(string), new(int64)} },
		}
	case "checked":
		return order{
			[]string{"COALESCE(state_last_slot, 0)", "id"},
			func(r viewRow) []any { return []any{int64(r.State.LastSlot), id(r)} },
			func() []any { return []any{new(int64), new(int64)} },
		}
	case "response":
		return order{
			[]string{"state_last_response_us", "id"},
			func(r viewRow) []any { return []any{r.State.LastResponseUS, id(r)} },
			func() []any { return []any{new(int64), new(int64)} },
		}
	}
	return order{
		[]string{"severity", "name_key", "id"},
		func(r viewRow) []any { return []any{r.Severity, r.Monitor.NameKey, id(r)} },
		func() []any { return []any{new(int64), new(string), new(int64)} },
	}
}

// Monitors lists living monitors. A status that changes between two pages may
// move its monitor over the cursor; the other orders are stable.
func (s *Store) Monitors(ctx context.Context, ws int64, f uptime.MonitorFilter, p uptime.Page) (uptime.List[uptime.Monitor], error) {
	var out uptime.List[uptime.Monitor]
	err := s.report(ctx, func(db *gorm.DB) error {
		out = uptime.List[uptime.Monitor]{}
		o, limit := monitorOrder(f.Sort), pageLimit(p)
		kind := fmt.Sprintf("monitors %s %t", f.Sort, f.Desc)
		q := s.filtered(db, ws, f)
		if p.Cursor != "" {
			targets := o.targets()
			if err := decodeCursor(kind, p.Cursor, targets...); err != nil {
				return err
			}
			sign := ">"
			if f.Desc {
				sign = "<"
			}
			marks := strings.TrimSuffix(strings.Repeat("?, ", len(targets)), ", ")
			q = q.Where("("+strings.Join(o.columns, ", ")+") "+sign+" ("+marks+")", targets...)
		} else if f.Offset > 0 {
			q = q.Offset(f.Offset)
		}
		for _, column := range o.columns {
			if f.Desc {
				column += " DESC"
			}
			q = q.Order(column)
		}
		var rows []viewRow
		if err := q.Limit(limit + 1).Find(&rows).Error; err != nil {
			return fmt.Errorf("list monitors: %w", err)
		}
		if len(rows) > limit {
			rows = rows[:limit]
			out.Next = encodeCursor(kind, o.values(rows[limit-1])...)
		}
		var err error
		out.Items, err = views(db, rows)
		return err
	})
	return out, err
}

// CountMonitors counts what Monitors lists.
func (s *Store) CountMonitors(ctx context.Context, ws int64, f uptime.MonitorFilter) (n int64, err error) {
	err = s.report(ctx, func(db *gorm.DB) error {
		if err := s.filtered(db, ws, f).Count(&n).Error; err != nil {
			return fmt.Errorf("count monitors: %w", err)
		}
		return nil
	})
	return n, err
}

// StatusCounts counts living monitors by status.
func (s *Store) StatusCounts(ctx context.Context, ws int64) (counts uptime.StatusCounts, err error) {
	err = s.report(ctx, func(db *gorm.DB) error {
		var rows []struct {
			Derived int16
			N       int64
		}
		err := db.Raw("SELECT derived, count(*) AS n FROM (SELECT "+derivedSQL()+` AS derived
			FROM monitors m JOIN monitor_states s ON s.monitor_id = m.id
			WHERE m.workspace_id = ? AND m.deleted_at IS NULL) v GROUP BY derived`, append(unknownAt(s.now()), ws)...).Scan(&rows).Error
		if err != nil {
			return fmt.Errorf("count monitors by status: %w", err)
		}
		counts = uptime.StatusCounts{}
		for _, row := range rows {
			counts[statusOf(row.Derived)] += row.N
		}
		return nil
	})
	return counts, err
}

// TagsAndGroups gives the values of each tag, and the groups, of living
// monitors, ascending.
func (s *Store) TagsAndGroups(ctx context.Context, ws int64) (tags map[string][]string, groups []string, err error) {
	err = s.report(ctx, func(db *gorm.DB) error {
		var rows []struct{ Name, Value string }
		err := db.Raw(`SELECT DISTINCT t.name, t.value FROM monitor_tags t JOIN monitors m ON m.id = t.monitor_id
			WHERE m.workspace_id = ? AND m.deleted_at IS NULL ORDER BY t.name, t.value`, ws).Scan(&rows).Error
		if err != nil {
			return fmt.Errorf("list tags: %w", err)
		}
		tags = map[string][]string{}
		for _, row := range rows {
			tags[row.Name] = append(tags[row.Name], row.Value)
		}
		groups = []string{}
		err = db.Raw(`SELECT DISTINCT group_path FROM monitors
			WHERE workspace_id = ? AND deleted_at IS NULL AND group_path <> '' ORDER BY group_path`, ws).Scan(&groups).Error
		if err != nil {
			return fmt.Errorf("list groups: %w", err)
		}
		return nil
	})
	return tags, groups, err
}

// UnknownMonitors gives the living monitors of all workspaces whose status is
// unknown now and was not at since.
func (s *Store) UnknownMonitors(ctx context.Context, since time.Time) ([]uptime.Monitor, error) {
	return s.viewed(ctx, func(q *gorm.DB) *gorm.DB {
		before := "SELECT m.id FROM monitors m JOIN monitor_states s ON s.monitor_id = m.id WHERE " + unknownSQL
		return q.Where("derived = ? AND deleted_at IS NULL AND id NOT IN ("+before+")",
			append([]any{codeUnknown}, unknownAt(since)...)...).Order("id")
	})
}

func (s *Store) viewed(ctx context.Context, choose func(*gorm.DB) *gorm.DB) (out []uptime.Monitor, err error) {
	err = s.readBy(ctx, s.main, func(db *gorm.DB) error {
		var rows []viewRow
		if err := choose(s.view(db)).Find(&rows).Error; err != nil {
			return fmt.Errorf("read monitors: %w", err)
		}
		out, err = views(db, rows)
		return err
	})
	return out, err
}
