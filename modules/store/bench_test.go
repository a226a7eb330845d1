//go:build unix

package store_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/store"
	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

// BenchmarkRecord judges and stores agreeing results of a thousand monitors in turn.
func BenchmarkRecord(b *testing.B) { benchmarkStoring(b, false) }

// BenchmarkAdvance stores the same without judging them.
func BenchmarkAdvance(b *testing.B) { benchmarkStoring(b, true) }

func benchmarkStoring(b *testing.B, calm bool) {
	b.Helper()
	for name, config := range map[string]func(*testing.B) store.Config{
		"SQLite":   func(b *testing.B) store.Config { b.Helper(); return store.Config{DataDir: b.TempDir()} },
		"Postgres": func(b *testing.B) store.Config { b.Helper(); return store.Config{URL: testenv.Postgres(b)} },
	} {
		for _, size := range []int{1, 50, 500} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) { benchmarkRecord(b, config(b), size, calm) })
		}
	}
}

func benchmarkRecord(b *testing.B, config store.Config, size int, calm bool) {
	const monitors = 1000
	s, err := store.Open(b.Context(), store.Options{Config: config})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	require.NoError(b, s.Migrate(b.Context()))
	ws, err := s.EnsureWorkspace(b.Context(), "Home")
	require.NoError(b, err)
	ids := make([]int64, monitors)
	for i := range ids {
		m, err := s.CreateMonitor(b.Context(), uptime.Monitor{
			WorkspaceID: ws.ID, RowKey: fmt.Sprint(i), Name: "m", Type: "http", Enabled: true, Interval: 10 * time.Second, Timeout: time.Second,
			FailuresBeforeDown: 2, SuccessesBeforeUp: 1, MinRegionsDown: 1, Regions: []string{"default"}, Settings: []byte("{}"),
		}, nil)
		require.NoError(b, err)
		ids[i] = m.ID
	}
	start := time.Now().UTC().Truncate(time.Second).Add(time.Second)
	decide := uptime.Judge(func() string { return "" })
	n := 0
	next := func() []uptime.Result {
		batch := make([]uptime.Result, size)
		for i := range batch {
			slot := start.Add(time.Duration(n/monitors) * 10 * time.Second)
			batch[i] = uptime.Result{MonitorID: ids[n%monitors], Region: "default", ScheduledAt: slot, StartedAt: slot, Attempt: 1}
			batch[i].Status, batch[i].Response, batch[i].StatusCode = uptime.Up, 12*time.Millisecond, 200
			n++
		}
		return batch
	}
	for n < 2*monitors { // until all are known to be calm
		_, err := s.Record(b.Context(), next(), decide)
		require.NoError(b, err)
	}
	n = 2 * monitors
	b.ResetTimer()
	before := cpuTime(b)
	for b.Loop() {
		var done uptime.Recorded
		var err error
		if batch := next(); calm {
			done, _, err = s.Advance(b.Context(), batch)
		} else {
			done, err = s.Record(b.Context(), batch, decide)
		}
		if err != nil || done.Stored != size {
			b.Fatalf("%+v %v", done, err)
		}
	}
	n -= 2 * monitors
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "µs/result")
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(n), "cpu-µs/result")
}

// cpuTime of this process: steadier than wall time on a busy machine.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
