package store_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3/driver"
	"github.com/stretchr/testify/require"

	"monitor/modules/store"
	"monitor/modules/uptime"
)

// The test binary starts itself as a writer when these are set.
const (
	crashFolder = "STORE_TEST_CRASH_FOLDER"
	crashFrom   = "STORE_TEST_CRASH_FROM"
)

const (
	crashKills = 50
	crashBatch = 20
)

// crashBase is a slot that every writer knows.
func crashBase() time.Time { return time.UnixMilli(1_800_000_000_000).UTC() }

// TestKillNine: what Record acknowledged survives kill -9, and the file is never
// damaged. Batches open and resolve incidents, too.
func TestKillNine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Options{Config: store.Config{DataDir: dir}, Clock: crashBase})
	require.NoError(t, err)
	require.NoError(t, s.Migrate(t.Context()))
	ws, err := s.EnsureWorkspace(t.Context(), "Home")
	require.NoError(t, err)
	_, err = s.CreateMonitor(t.Context(), uptime.Monitor{
		WorkspaceID: ws.ID, RowKey: "r", Name: "m", Type: "http", Enabled: true, Interval: time.Minute, Timeout: time.Second,
		FailuresBeforeDown: 1, SuccessesBeforeUp: 1, MinRegionsDown: 1, Regions: []string{"default"}, Settings: []byte("{}"),
	}, nil)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	acked := 0
	for i := range crashKills {
		acked = writeAndKill(t, dir, acked, 1+i%7)
		requireIntact(t, dir, acked)
	}
	require.GreaterOrEqual(t, acked, crashKills)
}

// writeAndKill runs a writer until it acknowledged some more batches, kills it,
// and gives how many are acknowledged, those still in the pipe included.
func writeAndKill(t *testing.T, dir string, from, more int) int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashFolder+"="+dir, crashFrom+"="+strconv.Itoa(from))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	acked := from
	for lines.Scan() {
		n, err := strconv.Atoi(lines.Text())
		require.NoError(t, err, lines.Text())
		if acked = n; acked == from+more {
			require.NoError(t, cmd.Process.Kill())
		}
	}
	_ = cmd.Wait() // it was killed
	require.GreaterOrEqual(t, acked, from+more, stderr.String())
	return acked
}

func requireIntact(t *testing.T, dir string, acked int) {
	t.Helper()
	db, err := driver.Open("file:" + filepath.Join(dir, store.FileName))
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	require.Equal(t, "ok", ask[string](t, db, "PRAGMA integrity_check"))
	require.Equal(t, acked*crashBatch, ask[int](t, db, "SELECT count(*) FROM check_results WHERE scheduled_at < "+
		strconv.FormatInt(crashSlot(acked, 0).UnixMilli(), 10)))
	require.LessOrEqual(t, ask[int](t, db, "SELECT count(*) FROM incidents WHERE resolved_at IS NULL AND deleted_at IS NULL"), 1)
	require.Zero(t, ask[int](t, db, "SELECT count(*) FROM incidents i WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.incident_id = i.id)"))
}

func ask[T any](t *testing.T, db *sql.DB, query string) (out T) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&out))
	return out
}

func crashSlot(batch, i int) time.Time {
	return crashBase().Add(time.Duration(batch*crashBatch+i) * time.Second)
}

// writeUntilKilled is the other process: it prints the number of batches that
// are acknowledged after each one.
func writeUntilKilled(dir string) int {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{Config: store.Config{DataDir: dir}, Clock: crashBase})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go func() { _ = s.Run(ctx, func() {}) }()
	from, err := strconv.Atoi(os.Getenv(crashFrom))
	for k := from; err == nil; k++ {
		batch := make([]uptime.Result, crashBatch)
		for i := range batch {
			slot := crashSlot(k, i)
			batch[i] = uptime.Result{MonitorID: 1, Region: "default", ScheduledAt: slot, StartedAt: slot, Attempt: 1}
			batch[i].Status = []uptime.Status{uptime.Up, uptime.Down}[i/5%2]
		}
		if _, err = s.Record(ctx, batch, uptime.Judge(rand.Text)); err == nil {
			fmt.Println(k + 1) //nolint:forbidigo // the pipe to the test
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}
