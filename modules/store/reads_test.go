package store_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/store"
)

// asked are the statements of one page.
func (m *manyMonitors) asked(t *testing.T, page pageRead, heard *hearing) []store.Statement {
	t.Helper()
	heard.take()
	require.NoError(t, page.read(t.Context()), page.name)
	return heard.take()
}

// hearing collects statements.
type hearing struct {
	mu   sync.Mutex
	list []store.Statement
}

func (h *hearing) tell(s store.Statement) func() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, s)
	return func() {}
}

func (h *hearing) take() []store.Statement {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.list
	h.list = nil
	return list
}

// mostStatements that a page may ask, whatever there is: a reading of figures is a
// dozen, of which the list makes two side by side and the page of a monitor five.
var mostStatements = map[string]int{
	"Counts": 2, "Rows": 4, "List": 36, "Facets": 3, "Groups": 6, "Search": 4, "LastPage": 4, "Bars": 28, "Overview": 14, "Detail": 75,
	"Incidents": 12, "IncidentSearch": 10, "Palette": 16, "Next": 4, "Wall": 4,
}

// Pages ask a fixed number of questions, each of which finds what it needs by an
// index, and read stored results of two hours at most.
func TestPageReads(t *testing.T) {
	t.Parallel()
	for _, dialect := range []string{"SQLite", "Postgres"} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			asked := map[string][]store.Statement{}
			for _, monitors := range []int{25, 1000} {
				m := newManyMonitors(t, dialect, monitors, 20, 3)
				var heard hearing
				m.WatchReads(heard.tell)
				for _, page := range m.pages() {
					list := m.asked(t, page, &heard)
					if before, ok := asked[page.name]; ok {
						require.Len(t, list, len(before), "%s of %d monitors", page.name, monitors)
					}
					require.LessOrEqual(t, len(list), mostStatements[page.name], page.name)
					asked[page.name] = list
				}
				if monitors == 1000 {
					for name, list := range asked {
						m.requireBounded(t, name, list)
						for _, s := range list {
							m.requireIndexed(t, dialect, name, s)
						}
					}
				}
			}
		})
	}
}

// requireBounded: stored results are read of the newest two hours, and of parts of
// an hour at the ends of a window.
func (m *manyMonitors) requireBounded(t *testing.T, page string, list []store.Statement) {
	t.Helper()
	for _, s := range list {
		if !strings.Contains(s.Text, "FROM check_results c") || !strings.Contains(s.Text, "c.scheduled_at < $4") {
			continue
		}
		require.Len(t, s.Args, 4, s.Text)
		from, to := s.Args[2].(int64), s.Args[3].(int64)
		require.LessOrEqual(t, time.Duration(to-from)*time.Millisecond, 2*time.Hour, page)
		if to-from > time.Hour.Milliseconds() {
			require.GreaterOrEqual(t, from, m.now.Add(-2*time.Hour).UnixMilli(), page)
		}
	}
}

// large are the tables that no page may read from end to end.
var large = regexp.MustCompile(`^(check_results|rollups_|incidents$|past_outages$|missed_slots$)`)

func (m *manyMonitors) requireIndexed(t *testing.T, dialect, page string, s store.Statement) {
	t.Helper()
	if dialect == "SQLite" {
		m.requireIndexedSQLite(t, page, s)
		return
	}
	var plan string
	require.NoError(t, m.db.QueryRowContext(t.Context(), "EXPLAIN (FORMAT JSON) "+s.Text, s.Args...).Scan(&plan), s.Text)
	var root []struct{ Plan planNode }
	require.NoError(t, json.Unmarshal([]byte(plan), &root))
	root[0].Plan.walk(func(n planNode) {
		if n.Type == "Seq Scan" && n.Cost > 10 { // partitions without a row have no better plan
			require.NotRegexp(t, large, n.Relation, "%s: %s\n%s", page, s.Text, plan)
		}
	})
}

// planNode of PostgreSQL.
type planNode struct {
	Type     string     `json:"Node Type"`
	Relation string     `json:"Relation Name"`
	Cost     float64    `json:"Total Cost"`
	Plans    []planNode `json:"Plans"`
}

func (n planNode) walk(fn func(planNode)) {
	fn(n)
	for _, child := range n.Plans {
		child.walk(fn)
	}
}

// small is what SQLite may scan: lists of parameters, tables of a few rows, an index
// of which only the first is taken, and what
// a recursion made.
var small = regexp.MustCompile(`VIRTUAL TABLE|CONSTANT ROW|^SCAN (monitor_tags|t) USING COVERING INDEX|^SCAN (\(subquery-\d+\)|(regions|workspaces|sequences|t|placed|counted|newest|\d+)\b)`)

func (m *manyMonitors) requireIndexedSQLite(t *testing.T, page string, s store.Statement) {
	t.Helper()
	rows, err := m.db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+s.Text, s.Args...)
	require.NoError(t, err, s.Text)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
		// All monitors are of the workspace.
		all := (detail == "SCAN m" && strings.Contains(s.Text, "FROM monitors m JOIN monitor_states s")) ||
			(detail == "SCAN v" && strings.Contains(s.Text, "FROM monitors AS v"))
		if strings.HasPrefix(detail, "SCAN") && !all {
			require.Regexp(t, small, detail, "%s: %s", page, s.Text)
		}
	}
	require.NoError(t, rows.Err())
}
