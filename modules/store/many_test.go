package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/driver"
	"github.com/stretchr/testify/require"

	"monitor/modules/store"
	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

// manyMonitors is a database with monitors, rollups of so many days and results of
// the last two hours, all made by SQL. With ten
// thousand monitors and thirty days that takes minutes.
type manyMonitors struct {
	*store.Store
	ws  int64
	ids []int64
	db  *sql.DB // past the store
	now time.Time
}

func newManyMonitors(tb testing.TB, dialect string, monitors, days, hourlyDays int) *manyMonitors {
	tb.Helper()
	m := &manyMonitors{now: time.Now().UTC().Truncate(time.Hour).Add(40 * time.Minute)}
	config := store.Config{DataDir: tb.TempDir()}
	if dialect == "Postgres" {
		config = store.Config{URL: testenv.Postgres(tb)}
	}
	s, err := store.Open(tb.Context(), store.Options{Config: config, Clock: func() time.Time { return m.now }})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	require.NoError(tb, s.Migrate(tb.Context()))
	require.NoError(tb, s.EnsurePartitions(tb.Context(), 1))
	ws, err := s.EnsureWorkspace(tb.Context(), "Home")
	require.NoError(tb, err)
	m.Store, m.ws = s, ws.ID
	if dialect == "Postgres" {
		m.db, err = sql.Open("pgx", config.URL)
	} else {
		m.db, err = driver.Open("file:" + filepath.Join(config.DataDir, store.FileName))
	}
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, m.db.Close()) })
	fillMany(tb, m.db, dialect, ws.ID, monitors, days, hourlyDays, m.now)
	for id := range int64(monitors) {
		m.ids = append(m.ids, id+1)
	}
	return m
}

// series is a table n (i) of the numbers below a count.
func series(dialect, name string, count int) string {
	if dialect == "Postgres" {
		return fmt.Sprintf("(SELECT g AS i FROM generate_series(0::bigint, %d::bigint) g) AS %s", count-1, name)
	}
	return fmt.Sprintf("(WITH RECURSIVE g (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM g WHERE i + 1 < %d) SELECT i FROM g) AS %s", count, name)
}

// fillMany makes monitors 1…n: one in 500 is down, one in 200 has no recent result.
func fillMany(tb testing.TB, db *sql.DB, dialect string, ws int64, monitors, days, hourlyDays int, now time.Time) {
	tb.Helper()
	hour, day := now.Truncate(time.Hour).UnixMilli(), now.Truncate(24*time.Hour).UnixMilli()
	begin, hours := day-int64(days)*24*3_600_000, day-int64(hourlyDays)*24*3_600_000
	yes, packed := "1", "X'904e1e904e1e880408'"
	// Five minutes each: number, four counts, length, histogram.
	slices, blob := "", "X'%s'"
	for i := range 12 {
		slices += fmt.Sprintf("%02x0500000003904e05", i)
	}
	if dialect == "Postgres" {
		yes, packed, blob = "true", `'\x904e1e904e1e880408'::bytea`, `'\x%s'::bytea`
	}
	n, h, d := series(dialect, "n", monitors), series(dialect, "h", int(hour-hours)/3_600_000), series(dialect, "d", days)
	recent, results := series(dialect, "h", 48), series(dialect, "r", 120)
	for _, query := range []string{
		"INSERT INTO regions (id, name) VALUES (1, 'default')",
		fmt.Sprintf(`INSERT INTO monitors (id, workspace_id, row_key, name, name_key, group_path, type, enabled, interval_ms, timeout_ms, retry_interval_ms,
			failures_before_down, successes_before_up, regions, min_regions_down, settings, target, search, version, change_seq, created_at, updated_at)
			SELECT i + 1, %d, CAST(i AS TEXT), 'Shop ' || CAST(i AS TEXT), 'shop ' || CAST(i AS TEXT), 'shop/' || CAST(i %% 200 AS TEXT), 'http', %s, 60000, 10000, 20000, 2, 1, '["default"]', 1,
			'{"url":"https://shop.example.com/a/rather/long/path/of/a/health/check","headers":{"Authorization":"sealed:0123456789012345678901234567890123456789"}}',
			'https://shop.example.com', 'shop ' || CAST(i AS TEXT) || ' https://shop.example.com team:web', 1, i + 1, %d, %d FROM %s`, ws, yes, begin, begin, n),
		"INSERT INTO monitor_tags (monitor_id, name, value) SELECT id, 'team', CAST(id % 40 AS TEXT) FROM monitors",
		"INSERT INTO monitor_tags (monitor_id, name, value) SELECT id, 'env', 'prod' FROM monitors",
		fmt.Sprintf("INSERT INTO monitor_schedules (monitor_id, from_at, interval_ms, regions) SELECT id, %d, 60000, '[\"default\"]' FROM monitors", begin),
		fmt.Sprintf(`INSERT INTO monitor_states (monitor_id, change_seq, status, since, last_slot, known_slot, last_response_us, last_result, regions)
			SELECT id, change_seq, CASE WHEN id %% 500 = 0 THEN 3 ELSE 1 END, %d, %d, CASE WHEN id %% 200 = 1 THEN 1 ELSE %d END, 12000, 1,
			'' FROM monitors`, begin, now.UnixMilli()-20_000, now.UnixMilli()-20_000),
		fmt.Sprintf(`INSERT INTO rollups_hourly (monitor_id, start_at, region_id, up, degraded, down, unknown, known_ms, down_ms, unknown_ms, maintenance_ms, response_us, histogram)
			SELECT n.i + 1, %d + h.i * 3600000, 1, 60, 0, 0, 0, 3600000, 0, 0, 0, 900000, %s FROM %s, %s`, hours, packed, n, h),
		fmt.Sprintf(`INSERT INTO rollups_daily (monitor_id, start_at, region_id, up, degraded, down, unknown, known_ms, down_ms, unknown_ms, maintenance_ms, response_us, histogram)
			SELECT n.i + 1, %d + d.i * 86400000, 1, 1440, 0, 0, 0, 86400000, 0, 0, 0, 21600000, %s FROM %s, %s`, begin, packed, n, d),
		fmt.Sprintf(`INSERT INTO rollups_fine (monitor_id, start_at, region_id, slices)
			SELECT n.i + 1, %d - (48 - h.i) * 3600000, 1, %s FROM %s, %s`, hour, fmt.Sprintf(blob, slices), n, recent),
		fmt.Sprintf(`INSERT INTO check_results (monitor_id, region_id, scheduled_at, started_ms, response_us, dns_us, connect_us, tls_us, first_byte_us,
			status, error_kind, status_code, attempt)
			SELECT n.i + 1, 1, %d - (119 - r.i) * 60000, 1, 15000, 1, 1, 1, 1, 1, 0, 200, '1' FROM %s, %s`, now.UnixMilli(), n, results),
		fmt.Sprintf(`INSERT INTO incidents (workspace_id, monitor_id, title, status, stage, severity, started_at, resolved_at, recovered_at, ended_at, version, created_at, updated_at)
			SELECT %d, n.i + 1, 'x', 'resolved', 'resolved', 'major', %d + h.i * 86400000, %d + h.i * 86400000, %d + h.i * 86400000, %d + h.i * 86400000, 1, 1, 1 FROM %s, %s`,
			ws, begin, begin+60_000, begin+60_000, begin+60_000, n, series(dialect, "h", days)),
		fmt.Sprintf("INSERT INTO past_outages (monitor_id, started_at, recovered_at) SELECT n.i + 1, %d - h.i * 86400000, %d - h.i * 86400000 FROM %s, %s",
			begin, begin+60_000, n, series(dialect, "h", 10)),
		fmt.Sprintf(`INSERT INTO missed_slots (workspace_id, monitor_id, region_id, from_at, to_at, slots, reason)
			SELECT %d, n.i + 1, 1, %d + h.i * 86400000, %d + h.i * 86400000, 2, 1 FROM %s, %s`, ws, begin, begin+60_000, n, series(dialect, "h", days)),
		fmt.Sprintf("UPDATE sequences SET value = %d WHERE name = 'rolled_hours'", hour),
		fmt.Sprintf("UPDATE sequences SET value = %d WHERE name = 'rolled_days'", day),
		"ANALYZE",
	} {
		_, err := db.ExecContext(tb.Context(), query)
		require.NoError(tb, err, query)
	}
}

// pageRead is what a page asks of the store.
type pageRead struct {
	name string
	read func(context.Context) error
}

func (m *manyMonitors) pages() []pageRead {
	return []pageRead{
		{"Counts", m.counts},
		{"Rows", m.rows},
		{"List", m.list},
		{"Facets", m.facets},
		{"Groups", m.groups},
		{"Search", m.search},
		{"Palette", m.palette},
		{"Next", m.next},
		{"Wall", m.wall},
		{"LastPage", m.lastPage},
		{"Bars", m.bars},
		{"Overview", m.overview},
		{"Detail", m.detail},
		{"Incidents", m.incidentPage},
		{"IncidentSearch", m.incidentSearch},
	}
}

// incidentPage is the list of incidents with the monitors that tell which began together.
func (m *manyMonitors) incidentPage(ctx context.Context) error {
	if err := m.counts(ctx); err != nil {
		return err
	}
	return m.incidents(ctx, uptime.IncidentFilter{OpenFirst: true})
}

func (m *manyMonitors) incidentSearch(ctx context.Context) error {
	return m.incidents(ctx, uptime.IncidentFilter{
		OpenFirst: true, Query: "down", Group: "Shop", Tags: []uptime.TagFilter{{Name: "team"}}, From: m.now.Add(-24 * time.Hour),
	})
}

// incidents leaves out the count for the pager: what it counts, it has to look at.
func (m *manyMonitors) incidents(ctx context.Context, f uptime.IncidentFilter) error {
	if _, err := m.Incidents(ctx, m.ws, f, uptime.Page{Limit: 50}); err != nil {
		return err
	}
	_, err := m.MonitorsOf(ctx, m.ws, []int64{1, 2, 3})
	return err
}

// counts are in the frame of every page.
func (m *manyMonitors) counts(ctx context.Context) error {
	if _, err := m.StatusCounts(ctx, m.ws); err != nil {
		return err
	}
	_, err := m.CountIncidents(ctx, m.ws, uptime.IncidentFilter{Unresolved: true})
	return err
}

func (m *manyMonitors) rows(ctx context.Context) error {
	_, err := m.Monitors(ctx, m.ws, uptime.MonitorFilter{}, uptime.Page{Limit: 50})
	return err
}

// list is the page: counts of the frame and of the pager, rows, bars and figures.
func (m *manyMonitors) list(ctx context.Context) error {
	if err := m.counts(ctx); err != nil {
		return err
	}
	if err := m.facets(ctx); err != nil {
		return err
	}
	if err := m.rows(ctx); err != nil {
		return err
	}
	if _, err := m.Views(ctx, m.ws, 1); err != nil {
		return err
	}
	return m.bars(ctx)
}

func (m *manyMonitors) facets(ctx context.Context) error {
	_, err := m.Facets(ctx, m.ws, uptime.MonitorFilter{})
	return err
}

func (m *manyMonitors) groups(ctx context.Context) error {
	_, _, err := m.Groups(ctx, m.ws, uptime.MonitorFilter{}, 20, 0)
	return err
}

func (m *manyMonitors) search(ctx context.Context) error {
	_, err := m.Monitors(ctx, m.ws, uptime.MonitorFilter{Query: "shop 9"}, uptime.Page{Limit: 50})
	return err
}

// palette is what is asked at every key.
func (m *manyMonitors) palette(ctx context.Context) error {
	for _, words := range []string{"sho", "9", "nothing is called so"} {
		if _, err := m.Find(ctx, m.ws, words, 10); err != nil {
			return err
		}
	}
	return nil
}

func (m *manyMonitors) next(ctx context.Context) error {
	_, err := m.Neighbour(ctx, m.ws, m.ids[len(m.ids)/2], uptime.MonitorFilter{}, false)
	return err
}

func (m *manyMonitors) wall(ctx context.Context) error {
	_, err := m.Tiles(ctx, m.ws, uptime.MonitorFilter{}, 400)
	return err
}

func (m *manyMonitors) lastPage(ctx context.Context) error {
	_, err := m.Monitors(ctx, m.ws, uptime.MonitorFilter{Offset: max(0, len(m.ids)-50)}, uptime.Page{Limit: 50})
	return err
}

func (m *manyMonitors) bars(ctx context.Context) error {
	ids := m.ids[:min(50, len(m.ids))]
	end := m.now.Truncate(30 * time.Minute).Add(30 * time.Minute)
	_, err := m.Glances(ctx, m.ws, ids, uptime.GlanceQuery{From: end.Add(-24 * time.Hour), To: end, Width: 30 * time.Minute, Since: m.now.Add(-30 * 24 * time.Hour)})
	return err
}

func (m *manyMonitors) overview(ctx context.Context) error {
	if err := m.counts(ctx); err != nil {
		return err
	}
	f := uptime.MonitorFilter{Statuses: []uptime.Status{uptime.Down, uptime.Degraded, uptime.Unknown}, Sort: "status"}
	if _, err := m.Monitors(ctx, m.ws, f, uptime.Page{Limit: 20}); err != nil {
		return err
	}
	if _, err := m.Incidents(ctx, m.ws, uptime.IncidentFilter{Unresolved: true}, uptime.Page{Limit: 8}); err != nil {
		return err
	}
	if _, err := m.Incidents(ctx, m.ws, uptime.IncidentFilter{Unresolved: true, OpenedFor: m.ids[:min(20, len(m.ids))]}, uptime.Page{Limit: 40}); err != nil {
		return err
	}
	if _, err := m.ExpiringMonitors(ctx, m.ws, m.now.Add(14*24*time.Hour), 20); err != nil {
		return err
	}
	if _, _, err := m.GroupHeads(ctx, m.ws, uptime.MonitorFilter{}, 12, 0); err != nil {
		return err
	}
	_, err := m.Incidents(ctx, m.ws, uptime.IncidentFilter{}, uptime.Page{Limit: 30})
	return err
}

func (m *manyMonitors) detail(ctx context.Context) error {
	const day = 24 * time.Hour
	if _, err := m.Monitor(ctx, m.ws, 7); err != nil {
		return err
	}
	if _, err := m.Availability(ctx, m.ws, 7, []time.Duration{day, 7 * day, 30 * day, 365 * day}); err != nil {
		return err
	}
	if _, err := m.Stats(ctx, m.ws, 7, m.now.Add(-day), m.now); err != nil {
		return err
	}
	if _, err := m.Stats(ctx, m.ws, 7, m.now.Add(-2*day), m.now.Add(-day)); err != nil {
		return err
	}
	if _, err := m.IncidentSpans(ctx, m.ws, 7, m.now.Add(-90*day), m.now, 200); err != nil {
		return err
	}
	end := m.now.Truncate(10 * time.Minute).Add(10 * time.Minute)
	if _, err := m.Buckets(ctx, m.ws, m.ids[:1], end.Add(-day), end, 10*time.Minute); err != nil {
		return err
	}
	end = m.now.Truncate(day).Add(day)
	if _, err := m.Buckets(ctx, m.ws, m.ids[:1], end.Add(-90*day), end, day); err != nil {
		return err
	}
	if _, err := m.Results(ctx, m.ws, 7, uptime.ResultFilter{}, uptime.Page{Limit: 25}); err != nil {
		return err
	}
	_, err := m.Missed(ctx, m.ws, 7, m.now.Add(-day), m.now)
	return err
}
