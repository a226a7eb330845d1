package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// maxQuery bounds the words that are searched for, in characters.
const maxQuery = 200

// narrowSQL has of monitors and their states what lists filter and sort by, without
// the wide columns. Its parameters are those of viewSQL.
func narrowSQL() string {
	derived := derivedSQL()
	return "SELECT m.id, m.workspace_id, m.deleted_at, m.enabled, m.type, m.name_key, m.group_path, m.search, m.silenced_until, " +
		"COALESCE(s.last_slot, 0) AS last_slot, s.last_response_us, " + derived + " AS derived, " + severitySQL(derived) +
		" AS severity, CASE WHEN m.group_path = '' THEN 1 ELSE 0 END AS ungrouped FROM monitors m JOIN monitor_states s ON s.monitor_id = m.id"
}

// filtered are the living monitors of a workspace that the filter chooses, as rows
// of narrowSQL.
func (s *Store) filtered(db *gorm.DB, ws int64, f uptime.MonitorFilter) *gorm.DB {
	now := unknownAt(s.now())
	q := db.Table("(?) AS v", db.Session(&gorm.Session{NewDB: true}).Raw(narrowSQL(), slices.Concat(now, now)...))
	if len(f.Statuses) > 0 {
		codes := make([]int16, len(f.Statuses))
		for i, status := range f.Statuses {
			codes[i] = statusCode(status)
		}
		q = q.Where("derived IN ?", codes)
	}
	return s.matching(q, ws, f)
}

// matching adds the conditions that need no state, on monitors v.
func (s *Store) matching(q *gorm.DB, ws int64, f uptime.MonitorFilter) *gorm.DB {
	q = q.Where("workspace_id = ? AND deleted_at IS NULL", ws)
	if len(f.Types) > 0 {
		q = q.Where("type IN ?", f.Types)
	}
	if f.IDs != nil {
		q = q.Where("id IN ?", orNone(f.IDs))
	}
	if f.Enabled != nil {
		q = q.Where("enabled = ?", *f.Enabled)
	}
	if f.Silenced != nil {
		q = q.Where("coalesce(silenced_until > ?, FALSE) = ?", at(s.now()), *f.Silenced)
	}
	for _, tag := range f.Tags {
		if tag.HasValue {
			q = q.Where("EXISTS (SELECT 1 FROM monitor_tags t WHERE t.monitor_id = v.id AND t.name = ? AND t.value = ?)", tag.Name, tag.Value)
		} else {
			q = q.Where("EXISTS (SELECT 1 FROM monitor_tags t WHERE t.monitor_id = v.id AND t.name = ?)", tag.Name)
		}
	}
	switch f.Group {
	case "":
	case uptime.NoGroup:
		q = q.Where("group_path = ''")
	default: // "0" comes after "/": all paths that go on
		q = q.Where("(group_path = ? OR (group_path >= ? AND group_path < ?))", f.Group, f.Group+"/", f.Group+"0")
	}
	if f.Query != "" {
		q = q.Where(`search LIKE ? ESCAPE '\'`, likePattern(f.Query))
	}
	return q
}

// likePattern matches text in small letters that holds the words.
func likePattern(words string) string { return holding(strings.ToLower(words)) }

// holding matches text that holds the words as they are, case included.
func holding(words string) string {
	if utf8.RuneCountInString(words) > maxQuery {
		words = string([]rune(words)[:maxQuery])
	}
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(uptime.Clean(words, 4*maxQuery)) + "%"
}

// listRow is a monitor of a list before its page is read.
type listRow struct {
	ID, Severity   int64
	NameKey        string
	GroupPath      string
	Ungrouped      int64
	LastSlot       int64
	LastResponseUS int64 `gorm:"column:last_response_us"`
}

// order is a sort order of monitors: columns and a row's values for a cursor.
type order struct {
	columns []string
	values  func(listRow) []any
	targets func() []any // to read a cursor into
}

func monitorOrder(sort string) order {
	switch sort {
	case "name":
		return order{
			[]string{"name_key", "id"},
			func(r listRow) []any { return []any{r.NameKey, r.ID} },
			func() []any { return []any{new(string), new(int64)} },
		}
	case "group": // those without one come last
		return order{
			[]string{"ungrouped", "group_path", "name_key", "id"},
			func(r listRow) []any { return []any{r.Ungrouped, r.GroupPath, r.NameKey, r.ID} },
			func() []any { return []any{new(int64), new(string), new(string), new(int64)} },
		}
	case "checked":
		return order{
			[]string{"last_slot", "id"},
			func(r listRow) []any { return []any{r.LastSlot, r.ID} },
			func() []any { return []any{new(int64), new(int64)} },
		}
	case "response":
		return order{
			[]string{"last_response_us", "id"},
			func(r listRow) []any { return []any{r.LastResponseUS, r.ID} },
			func() []any { return []any{new(int64), new(int64)} },
		}
	}
	return order{
		[]string{"severity", "name_key", "id"},
		func(r listRow) []any { return []any{r.Severity, r.NameKey, r.ID} },
		func() []any { return []any{new(int64), new(string), new(int64)} },
	}
}

// Monitors lists living monitors. A status that changes between two pages may
// move its monitor over the cursor; the other orders are stable. Which monitors
// come is found by narrow rows, and the wide ones are read of one page only.
func (s *Store) Monitors(ctx context.Context, ws int64, f uptime.MonitorFilter, p uptime.Page) (uptime.List[uptime.Monitor], error) {
	var out uptime.List[uptime.Monitor]
	err := s.report(ctx, func(db *gorm.DB) error {
		out = uptime.List[uptime.Monitor]{Items: []uptime.Monitor{}}
		list, next, err := s.chosen(db, ws, f, p)
		if err != nil || len(list) == 0 {
			return err
		}
		out.Next = next
		ids := make([]int64, len(list))
		for i, row := range list {
			ids[i] = row.ID
		}
		out.Items, err = s.inOrder(db, ids)
		return err
	})
	return out, err
}

// inOrder reads the monitors of a page in the order of the ids.
func (s *Store) inOrder(db *gorm.DB, ids []int64) ([]uptime.Monitor, error) {
	place := make(map[int64]int, len(ids))
	for i, id := range ids {
		place[id] = i
	}
	var rows []viewRow
	if err := s.view(db).Where("id IN ?", ids).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read a page of monitors: %w", err)
	}
	slices.SortFunc(rows, func(a, b viewRow) int { return cmp.Compare(place[a.Monitor.ID], place[b.Monitor.ID]) })
	return views(db, rows)
}

// chosen gives the monitors of a page in their order, and the cursor of the next.
func (s *Store) chosen(db *gorm.DB, ws int64, f uptime.MonitorFilter, p uptime.Page) (rows []listRow, next string, err error) {
	o, limit := monitorOrder(f.Sort), pageLimit(p)
	kind := fmt.Sprintf("monitors %s %t", f.Sort, f.Desc)
	q := s.filtered(db, ws, f).Select(o.columns)
	if p.Cursor != "" {
		targets := o.targets()
		if err := decodeCursor(kind, p.Cursor, targets...); err != nil {
			return nil, "", err
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
	if err := q.Limit(limit + 1).Find(&rows).Error; err != nil {
		return nil, "", fmt.Errorf("list monitors: %w", err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = encodeCursor(kind, o.values(rows[limit-1])...)
	}
	return rows, next, nil
}

// CountMonitors counts what Monitors lists.
func (s *Store) CountMonitors(ctx context.Context, ws int64, f uptime.MonitorFilter) (n int64, err error) {
	err = s.report(ctx, func(db *gorm.DB) error {
		if err := s.chosenBy(db, ws, f).Count(&n).Error; err != nil {
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
// monitors, ascending. It steps from one to the next by an index, so that its cost
// follows from how many there are and not from how many monitors have them.
func (s *Store) TagsAndGroups(ctx context.Context, ws int64) (tags map[string][]string, groups []string, err error) {
	err = s.report(ctx, func(db *gorm.DB) error {
		var rows []struct{ Name, Value string }
		if err := db.Raw(tagsSQL, ws).Scan(&rows).Error; err != nil {
			return fmt.Errorf("list tags: %w", err)
		}
		tags = map[string][]string{}
		for _, row := range rows {
			tags[row.Name] = append(tags[row.Name], row.Value)
		}
		groups = []string{}
		if err := db.Raw(groupsSQL, ws, ws).Scan(&groups).Error; err != nil {
			return fmt.Errorf("list groups: %w", err)
		}
		return nil
	})
	return tags, groups, err
}

const (
	// The tags of all workspaces, then those that a living monitor of one has.
	tagsSQL = `WITH RECURSIVE t (name, value) AS (
			SELECT (SELECT name FROM monitor_tags ORDER BY name, value LIMIT 1), (SELECT value FROM monitor_tags ORDER BY name, value LIMIT 1)
			UNION ALL
			SELECT (SELECT n.name FROM monitor_tags n WHERE (n.name, n.value) > (t.name, t.value) ORDER BY n.name, n.value LIMIT 1),
				(SELECT n.value FROM monitor_tags n WHERE (n.name, n.value) > (t.name, t.value) ORDER BY n.name, n.value LIMIT 1)
			FROM t WHERE t.name IS NOT NULL)
		SELECT name, value FROM t WHERE name IS NOT NULL AND EXISTS (
			SELECT 1 FROM monitor_tags x JOIN monitors m ON m.id = x.monitor_id
			WHERE x.name = t.name AND x.value = t.value AND m.workspace_id = ? AND m.deleted_at IS NULL)
		ORDER BY name, value`
	groupsSQL = `WITH RECURSIVE t (path) AS (
			SELECT min(group_path) FROM monitors WHERE workspace_id = ? AND deleted_at IS NULL AND group_path > ''
			UNION ALL
			SELECT (SELECT min(n.group_path) FROM monitors n WHERE n.workspace_id = ? AND n.deleted_at IS NULL AND n.group_path > t.path AND n.group_path > '')
			FROM t WHERE t.path IS NOT NULL)
		SELECT path FROM t WHERE path IS NOT NULL ORDER BY path`
)

// UnknownMonitors gives the living monitors of all workspaces whose status is
// unknown now and was not at since. It looks at all of them, at the few columns that
// tell; more is read of those that it finds.
func (s *Store) UnknownMonitors(ctx context.Context, since time.Time) (out []uptime.Monitor, err error) {
	var ids []int64
	err = s.readBy(ctx, s.main, func(db *gorm.DB) error {
		return db.Raw("SELECT m.id FROM monitor_states s JOIN monitors m ON m.id = s.monitor_id WHERE m.enabled AND m.deleted_at IS NULL AND "+
			unknownSQL+" AND NOT coalesce("+unknownSQL+", FALSE) ORDER BY m.id", append(unknownAt(s.now()), unknownAt(since)...)...).Scan(&ids).Error
	})
	if err != nil {
		return nil, fmt.Errorf("find unknown monitors: %w", err)
	}
	for some := range slices.Chunk(ids, unknownAtOnce) {
		list, err := s.viewed(ctx, func(q *gorm.DB) *gorm.DB { return q.Where("id IN ? AND derived = ?", some, codeUnknown).Order("id") })
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// unknownAtOnce is how many are read in one statement: all of a region may turn at once.
const unknownAtOnce = 500

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
