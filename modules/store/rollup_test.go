package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // by name, for a look past the store
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/stretchr/testify/require"

	"monitor/modules/store"
	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

// besides is a database with a connection that goes past the store.
type besides struct {
	config store.Config
	db     *sql.DB
}

// bothBesides are one of each dialect.
func bothBesides(t *testing.T) map[string]besides {
	t.Helper()
	folder, address := t.TempDir(), testenv.Postgres(t)
	lite, err := driver.Open("file:" + filepath.Join(folder, store.FileName))
	require.NoError(t, err)
	pg, err := sql.Open("pgx", address)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, lite.Close()); require.NoError(t, pg.Close()) })
	return map[string]besides{
		"SQLite":   {store.Config{DataDir: folder}, lite},
		"Postgres": {store.Config{URL: address}, pg},
	}
}

func (b besides) exec(t *testing.T, query string) {
	t.Helper()
	_, err := b.db.ExecContext(context.Background(), query)
	require.NoError(t, err)
}

// Rows from before regions were kept apart go on counting, whether their results
// are still there or not.
func TestRollupsOfOlderVersions(t *testing.T) {
	t.Parallel()
	for name, b := range bothBesides(t) {
		t.Run(name, func(t *testing.T) { t.Parallel(); testOlderRollups(t, b) })
	}
}

func testOlderRollups(t *testing.T, b besides) {
	now := time.Now().UTC().Truncate(24 * time.Hour).Add(25 * time.Hour)
	s := migrated(t, store.Options{Config: b.config, Clock: func() time.Time { return now }})
	ws, err := s.EnsureWorkspace(t.Context(), "Home")
	require.NoError(t, err)
	day := now.Truncate(24 * time.Hour).Add(-24 * time.Hour)
	clock := now
	now = day
	m, err := s.CreateMonitor(t.Context(), uptime.Monitor{
		WorkspaceID: ws.ID, RowKey: "r", Name: "old", Type: "http", Enabled: true, Interval: time.Minute, Timeout: time.Second,
		FailuresBeforeDown: 1, SuccessesBeforeUp: 1, MinRegionsDown: 1, Regions: []string{"default"}, Settings: []byte("{}"), CheckAt: day,
	}, nil)
	require.NoError(t, err)
	now = clock
	for version := len(migrations(t, s)); version > 3; version-- {
		require.NoError(t, s.MigrateDown(t.Context()))
	}
	bars := map[bool]string{true: "X'804e1e804e1e'", false: "'\\x804e1e804e1e'::bytea"}[b.config.URL == ""]
	for hour := range 24 {
		// Bars of 10 ms and of 20 ms, 30 times each.
		b.exec(t, fmt.Sprintf(`INSERT INTO rollups_hourly (monitor_id, start_at, up, degraded, down, unknown, known_ms, response_us, histogram)
			VALUES (%d, %d, 58, 2, 0, 0, 3600000, 900000, %s)`, m.ID, day.Add(time.Duration(hour)*time.Hour).UnixMilli(),
			bars))
	}
	b.exec(t, fmt.Sprintf(`INSERT INTO rollups_daily (monitor_id, start_at, up, degraded, down, unknown, known_ms, response_us, histogram)
		SELECT monitor_id, %d, sum(up), sum(degraded), 0, 0, sum(known_ms), sum(response_us), %s FROM rollups_hourly GROUP BY monitor_id`,
		day.UnixMilli(), bars))
	b.exec(t, fmt.Sprintf("UPDATE sequences SET value = %d WHERE name IN ('rolled_hours', 'rolled_days')", day.Add(24*time.Hour).UnixMilli()))
	require.NoError(t, s.Migrate(t.Context()))
	for range 2 { // before and after hours are done again, of which no result is left
		got, err := s.Stats(t.Context(), ws.ID, m.ID, day, day.Add(24*time.Hour))
		require.NoError(t, err)
		require.Equal(t, uptime.CheckCounts{Up: 24 * 58, Degraded: 48}, got.Checks)
		require.Equal(t, 24*time.Hour, got.Known)
		require.InDelta(t, 0.015, got.Mean.Seconds(), 1e-9)
		require.InDelta(t, 0.010, got.P50.Seconds(), 1e-4)
		require.InDelta(t, 0.020, got.P99.Seconds(), 2e-4)
		half, err := s.Stats(t.Context(), ws.ID, m.ID, day, day.Add(12*time.Hour))
		require.NoError(t, err)
		require.EqualValues(t, 12*58, half.Checks.Up)
		pieces, err := s.Buckets(t.Context(), ws.ID, []int64{m.ID}, day, day.Add(24*time.Hour), 30*time.Minute)
		require.NoError(t, err)
		require.EqualValues(t, 58, pieces[m.ID][0].Checks.Up, "an hour without slices counts where it begins")
		require.NoError(t, s.Rollup(t.Context(), now))
	}
	require.NoError(t, s.MigrateDown(t.Context()))
	var up, known int64
	row := b.db.QueryRowContext(t.Context(), "SELECT sum(up), sum(known_ms) FROM rollups_hourly")
	require.NoError(t, row.Scan(&up, &known))
	require.EqualValues(t, 24*58, up)
	require.EqualValues(t, 24*3_600_000, known)
	require.NoError(t, s.Migrate(t.Context()))
}

func migrations(t *testing.T, s *store.Store) []uptime.Migration {
	t.Helper()
	all, err := s.MigrationStatus(t.Context())
	require.NoError(t, err)
	return all
}
