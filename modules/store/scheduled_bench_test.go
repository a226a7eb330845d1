package store

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

// BenchmarkScheduledMonitors reads 100,000 monitors as a scheduler does that begins
// to lead, from opening the database on.
func BenchmarkScheduledMonitors(b *testing.B) {
	for name, config := range map[string]func(*testing.B) Config{
		"SQLite":   func(b *testing.B) Config { b.Helper(); return Config{DataDir: b.TempDir()} },
		"Postgres": func(b *testing.B) Config { b.Helper(); return Config{URL: testenv.Postgres(b)} },
	} {
		b.Run(name, func(b *testing.B) { benchmarkScheduled(b, config(b)) })
	}
}

func benchmarkScheduled(b *testing.B, config Config) {
	const monitors, page = 100_000, 2000
	s, err := Open(b.Context(), Options{Config: config})
	require.NoError(b, err)
	require.NoError(b, s.Migrate(b.Context()))
	multiply(b, s, monitors)
	require.NoError(b, s.Close())
	var longest time.Duration
	b.ReportAllocs()
	for b.Loop() {
		s, err := Open(b.Context(), Options{Config: config})
		require.NoError(b, err)
		sum := 0
		for after := int64(0); ; {
			began := time.Now()
			list, err := s.ScheduledMonitors(b.Context(), 0, after, page)
			require.NoError(b, err)
			longest = max(longest, time.Since(began))
			if sum += len(list); len(list) < page {
				break
			}
			after = list[page-1].ID
		}
		require.Equal(b, monitors, sum)
		require.NoError(b, s.Close())
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/monitors, "ns/monitor")
	b.ReportMetric(float64(longest.Microseconds())/1000, "ms/longest-page")
}

// multiply makes n monitors of one, faster than they would be created.
func multiply(b *testing.B, s *Store, n int) {
	b.Helper()
	ws, err := s.EnsureWorkspace(b.Context(), "Home")
	require.NoError(b, err)
	m, err := s.CreateMonitor(b.Context(), uptime.Monitor{
		WorkspaceID: ws.ID, RowKey: "0123456789abcdef0123456789abcdef", Name: "m", Type: "http", Enabled: true,
		Interval: time.Minute, Timeout: 10 * time.Second, RetryInterval: 20 * time.Second,
		FailuresBeforeDown: 2, SuccessesBeforeUp: 1, MinRegionsDown: 1, Regions: []string{"default"},
		Settings: []byte(`{"url":"https://host-0000001.example.com/health","method":"GET"}`),
		Target:   "https://host-0000001.example.com/health", Tags: map[string]string{"team": "web"},
	}, nil)
	require.NoError(b, err)
	const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
	columns := func(row any, own map[string]string) (string, string) {
		stmt := &gorm.Statement{DB: s.main.writes}
		require.NoError(b, stmt.Parse(row))
		names, values := make([]string, len(stmt.Schema.DBNames)), make([]string, len(stmt.Schema.DBNames))
		for i, name := range stmt.Schema.DBNames {
			if names[i], values[i] = name, name; own[name] != "" {
				values[i] = own[name]
			}
		}
		return strings.Join(names, ", "), strings.Join(values, ", ")
	}
	require.NoError(b, s.write(b.Context(), func(tx *gorm.DB) error {
		for _, copies := range []struct {
			table, key string
			row        any
			own        map[string]string
		}{
			{"monitors", "id", monitorRow{}, map[string]string{"id": "id + i", "change_seq": "change_seq + i", "row_key": "row_key || i"}},
			{"monitor_states", "monitor_id", stateRow{}, map[string]string{"monitor_id": "monitor_id + i", "last_slot": "1767323045000"}},
		} {
			names, values := columns(copies.row, copies.own)
			err := tx.Exec(numbers+"INSERT INTO "+copies.table+" ("+names+") SELECT "+values+" FROM "+copies.table+", n WHERE "+copies.key+" = ?",
				n-1, m.ID).Error
			if err != nil {
				return err
			}
		}
		return tx.Exec(numbers+"INSERT INTO monitor_tags (monitor_id, name, value) SELECT ? + i, 'team', 'web' FROM n", n-1, m.ID).Error
	}))
	if s.dialect == dialectPostgres {
		require.NoError(b, s.main.writes.Exec("ANALYZE").Error)
	}
}
