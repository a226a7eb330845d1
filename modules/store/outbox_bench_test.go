package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

// BenchmarkInsertEvents writes what 500 monitors with five channels tell of when
// all go down at once: the longest that an outbox keeps the recorder waiting.
func BenchmarkInsertEvents(b *testing.B) {
	for name, config := range map[string]func(*testing.B) Config{
		"SQLite":   func(b *testing.B) Config { b.Helper(); return Config{DataDir: b.TempDir()} },
		"Postgres": func(b *testing.B) Config { b.Helper(); return Config{URL: testenv.Postgres(b)} },
	} {
		b.Run(name, func(b *testing.B) { benchmarkInsertEvents(b, config(b)) })
	}
}

func benchmarkInsertEvents(b *testing.B, config Config) {
	const monitors, channels = 500, 5
	s, err := Open(b.Context(), Options{Config: config})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	require.NoError(b, s.Migrate(b.Context()))
	ws, err := s.EnsureWorkspace(b.Context(), "Home")
	require.NoError(b, err)
	var ids []int64
	for i := range channels {
		c, err := s.CreateChannel(b.Context(), uptime.Channel{
			WorkspaceID: ws.ID, RowKey: fmt.Sprint(i), Name: fmt.Sprint(i), Type: "webhook", Enabled: true, SendResolved: true, Settings: []byte("{}"),
		}, nil)
		require.NoError(b, err)
		ids = append(ids, c.ID)
	}
	events := make([]uptime.Event, monitors)
	for i := range events {
		m, err := s.CreateMonitor(b.Context(), uptime.Monitor{
			WorkspaceID: ws.ID, RowKey: fmt.Sprint(i), Name: "m", Type: "http", Enabled: true, Interval: 10 * time.Second, Timeout: time.Second,
			FailuresBeforeDown: 1, SuccessesBeforeUp: 1, MinRegionsDown: 1, Regions: []string{"default"}, Settings: []byte("{}"), ChannelIDs: ids,
		}, nil)
		require.NoError(b, err)
		events[i] = uptime.Event{WorkspaceID: ws.ID, Type: uptime.EventOpened, MonitorID: m.ID, IncidentID: m.ID, At: time.Now()}
	}
	for b.Loop() {
		for i := range events {
			events[i].ID = s.random()
		}
		require.NoError(b, s.writeBy(b.Context(), s.hot, func(tx *gorm.DB) error {
			due, err := s.insertEvents(tx, events)
			require.NotEmpty(b, due)
			return err
		}))
	}
}
