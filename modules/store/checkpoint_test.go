package store

import (
	"os"
	"testing"

	"github.com/ncruces/go-sqlite3/driver"
	"github.com/stretchr/testify/require"
)

// The WAL grows as long as nobody checkpoints it; PASSIVE keeps its size, and
// beyond the limit it is cut, with readers and a writer at work.
func TestCheckpoint(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Options{Config: Config{DataDir: t.TempDir()}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	db, err := driver.Open(sqliteDSN(s.path, false))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, assertPragmas(t.Context(), db, false))
	size := func() int64 {
		info, err := os.Stat(s.path + "-wal")
		require.NoError(t, err)
		return info.Size()
	}
	grow := func() {
		for range 50 {
			_, err := s.RaiseEpoch(t.Context())
			require.NoError(t, err)
		}
	}
	before := size()
	grow()
	grown := size()
	require.Greater(t, grown, before)
	require.NoError(t, s.checkpoint(t.Context(), db, grown+1))
	require.Equal(t, grown, size())
	require.NoError(t, s.checkpoint(t.Context(), db, grown))
	require.Zero(t, size())
	grow()
	epoch, err := s.RaiseEpoch(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 101, epoch)
}
