package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"monitor/modules/testenv"
)

// BenchmarkRollup sums an hour of a thousand monitors with 120 results each, and
// tells how long the longest write transaction of it took.
func BenchmarkRollup(b *testing.B) {
	const monitors, results = 1000, 120
	for _, dialect := range []string{"SQLite", "Postgres"} {
		b.Run(dialect, func(b *testing.B) {
			config := Config{DataDir: b.TempDir()}
			if dialect == "Postgres" {
				config = Config{URL: testenv.Postgres(b)}
			}
			start := time.Now().UTC().Truncate(24 * time.Hour).UnixMilli()
			s, err := Open(b.Context(), Options{Config: config})
			require.NoError(b, err)
			b.Cleanup(func() { require.NoError(b, s.Close()) })
			require.NoError(b, s.Migrate(b.Context()))
			require.NoError(b, s.EnsurePartitions(b.Context(), 1))
			ws, err := s.EnsureWorkspace(b.Context(), "Home")
			require.NoError(b, err)
			fillHour(b, s, ws.ID, start, monitors, results)

			r := roller{Store: s}
			var longest, reading, writing time.Duration
			for b.Loop() {
				err := r.pages(b.Context(), func(ids []int64) error {
					began := time.Now()
					var h summedHour
					err := r.readBy(b.Context(), r.main, func(db *gorm.DB) (err error) {
						h, err = r.sumHour(db, ids, start)
						return err
					})
					require.NoError(b, err)
					read := time.Now()
					err = r.writeBy(b.Context(), r.main, func(tx *gorm.DB) error { return r.saveHour(tx, ids, h) })
					reading += read.Sub(began)
					writing += time.Since(read)
					longest = max(longest, time.Since(read))
					return err
				})
				require.NoError(b, err)
			}
			b.ReportMetric(float64(reading.Milliseconds())/float64(b.N), "read-ms/hour")
			b.ReportMetric(float64(writing.Milliseconds())/float64(b.N), "write-ms/hour")
			b.ReportMetric(float64(longest.Microseconds())/1000, "longest-write-ms")
		})
	}
}

func fillHour(b *testing.B, s *Store, ws, start int64, monitors, results int) {
	b.Helper()
	for _, query := range []string{
		"INSERT INTO regions (id, name) VALUES (1, 'default')",
		fmt.Sprintf(`INSERT INTO monitors (id, workspace_id, row_key, name, name_key, type, enabled, interval_ms, timeout_ms, retry_interval_ms,
			failures_before_down, successes_before_up, regions, min_regions_down, settings, version, change_seq, created_at, updated_at)
			WITH RECURSIVE g (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < %d)
			SELECT i, %d, CAST(i AS TEXT), 'x', 'x', 'http', true, 30000, 10000, 20000, 2, 1, '["default"]', 1, '{}', 1, i, 0, 0 FROM g`, monitors, ws),
		fmt.Sprintf("INSERT INTO monitor_schedules (monitor_id, from_at, interval_ms, regions) SELECT id, %d, 30000, '[\"default\"]' FROM monitors", start),
		fmt.Sprintf(`INSERT INTO check_results (monitor_id, region_id, scheduled_at, started_ms, response_us, dns_us, connect_us, tls_us, first_byte_us,
			status, error_kind, status_code, attempt)
			WITH RECURSIVE g (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM g WHERE i + 1 < %d)
			SELECT m.id, 1, %d + i * 30000, 1, 10000 + (i * 7919 + m.id * 31) %% 90000, 1, 1, 1, 1, 1, 0, 200, '1' FROM monitors m, g`, results, start),
	} {
		require.NoError(b, s.main.writes.Exec(query).Error, query)
	}
}
