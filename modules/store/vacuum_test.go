package store_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver" // database/sql's "sqlite3"
	"github.com/stretchr/testify/require"

	"monitor/modules/store"
	"monitor/modules/uptime"
)

func TestPurgeGivesBackWhatIsFree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Options{Config: store.Config{DataDir: dir}})
	require.NoError(t, err)
	require.NoError(t, s.Migrate(t.Context()))
	file := filepath.Join(dir, "monitor.db")
	db, err := sql.Open("sqlite3", "file:"+file+"?_pragma=busy_timeout(10000)")
	require.NoError(t, err)
	size := func() int64 {
		var pages int64
		require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA page_count").Scan(&pages))
		return 4096 * pages
	}
	_, err = db.ExecContext(t.Context(), "CREATE TABLE much AS SELECT zeroblob(3000) AS b FROM generate_series(1, 8000)")
	require.NoError(t, err)
	full := size()
	require.Greater(t, full, int64(24<<20))
	_, err = db.ExecContext(t.Context(), "DROP TABLE much")
	require.NoError(t, err)
	require.Equal(t, full, size(), "nothing is given back at once")

	_, err = s.Purge(t.Context(), uptime.Retention{Results: time.Hour, Rollups: time.Hour})
	require.NoError(t, err)
	require.Less(t, size(), full/4)
	require.NoError(t, db.Close())
	require.NoError(t, s.Close())
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Less(t, info.Size(), full/4)
}
