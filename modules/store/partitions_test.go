package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"monitor/modules/store"
	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

// TestPartitionsHoldUpNobody: while somebody reads results, days are made ahead, and
// while one is dropped, which waits for that reader, results are stored.
func TestPartitionsHoldUpNobody(t *testing.T) {
	t.Parallel()
	address := testenv.Postgres(t)
	now := time.Now().UTC().Truncate(time.Second)
	s, err := store.Open(t.Context(), store.Options{Config: store.Config{URL: address}, Clock: func() time.Time { return now }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	require.NoError(t, s.EnsurePartitions(t.Context(), 1))
	ws, err := s.EnsureWorkspace(t.Context(), "Home")
	require.NoError(t, err)
	m, err := s.CreateMonitor(t.Context(), uptime.Monitor{
		WorkspaceID: ws.ID, RowKey: "k", Name: "m", Type: "http", Enabled: true, Interval: 10 * time.Second, Timeout: time.Second,
		FailuresBeforeDown: 2, SuccessesBeforeUp: 1, MinRegionsDown: 1, Regions: []string{"default"}, Settings: []byte("{}"),
	}, nil)
	require.NoError(t, err)

	reader := administer(t, address)
	reading, err := reader.Begin(t.Context())
	require.NoError(t, err)
	var n int
	require.NoError(t, reading.QueryRow(t.Context(), "SELECT count(*) FROM check_results").Scan(&n))
	require.NoError(t, s.EnsurePartitions(t.Context(), 12), "made while somebody reads")

	now = now.Add(2 * 24 * time.Hour)
	purged := make(chan error, 1)
	go func() {
		_, err := s.Purge(t.Context(), uptime.Retention{Results: 24 * time.Hour})
		purged <- err
	}()
	watcher := administer(t, address)
	waits := func() bool { // the detaching one, for the reader
		var waiting int
		require.NoError(t, watcher.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks WHERE NOT granted`).Scan(&waiting))
		return waiting > 0
	}
	for !waits() {
		select {
		case err := <-purged:
			require.Fail(t, "the partition was dropped under a reader", "%v", err)
		case <-time.After(time.Millisecond):
		}
	}
	slot := now.Add(10 * time.Second)
	done, err := s.Record(t.Context(), []uptime.Result{{
		MonitorID: m.ID, Region: "default", ScheduledAt: slot, StartedAt: slot, Attempt: 1, Outcome: uptime.Outcome{Status: uptime.Up},
	}}, uptime.Judge(func() string { return "" }))
	require.NoError(t, err)
	require.Equal(t, 1, done.Stored)
	require.True(t, waits(), "stored while the day was being dropped")
	require.NoError(t, reading.Rollback(t.Context()))
	require.NoError(t, <-purged)
	left := partitions(t, watcher)
	require.Equal(t, partitionOf(now.AddDate(0, 0, -1)), left[0])
	require.Equal(t, partitionOf(now.AddDate(0, 0, 10)), left[len(left)-1])

	before, err := s.Result(t.Context(), ws.ID, m.ID, "default", slot)
	require.NoError(t, err)
	require.NoError(t, s.MigrateDown(t.Context()), "results survive it")
	require.NoError(t, s.Migrate(t.Context()))
	after, err := s.Result(t.Context(), ws.ID, m.ID, "default", slot)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func partitionOf(day time.Time) string { return "check_results_" + day.Format("20060102") }

func partitions(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'check_results_%' ORDER BY relname")
	require.NoError(t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err, fmt.Sprint(names))
	return names
}
