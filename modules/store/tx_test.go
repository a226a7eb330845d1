package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

func both(t *testing.T, test func(*testing.T, *Store)) {
	t.Helper()
	for name, config := range map[string]Config{
		"SQLite":   {DataDir: t.TempDir()},
		"Postgres": {URL: testenv.Postgres(t)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Open(t.Context(), Options{Config: config})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			require.NoError(t, s.Migrate(t.Context()))
			test(t, s)
		})
	}
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *Store) {
		endless := "SELECT pg_sleep(600)"
		if s.dialect == dialectSQLite {
			endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c"
		}
		run := func(db *gorm.DB) error { return db.Exec(endless).Error }
		for name, call := range map[string]func(context.Context, func(*gorm.DB) error) error{"read": s.read, "write": s.write, "record": func(ctx context.Context, fn func(*gorm.DB) error) error { return s.writeBy(ctx, s.hot, fn) }} {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			require.ErrorIs(t, call(ctx, run), uptime.ErrUnavailable, name)
			ctx, cancel = context.WithCancel(t.Context())
			cancel()
			err := call(ctx, run)
			require.ErrorIs(t, err, context.Canceled, name)
			require.NotErrorIs(t, err, uptime.ErrUnavailable, name)
		}
		_, err := s.RaiseEpoch(t.Context())
		require.NoError(t, err, "the connections are still good")
	})
}

func TestTransactions(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, s *Store) {
		stop := errors.New("no")
		require.Equal(t, stop, s.write(t.Context(), func(tx *gorm.DB) error {
			_, err := next(tx, sequenceEpoch)
			require.NoError(t, err)
			return stop
		}))
		require.Panics(t, func() {
			_ = s.write(t.Context(), func(tx *gorm.DB) error {
				_, err := next(tx, sequenceEpoch)
				require.NoError(t, err)
				panic("no")
			})
		})
		tries := 0
		require.NoError(t, s.write(t.Context(), func(tx *gorm.DB) error {
			if tries++; tries < 3 {
				_, err := next(tx, sequenceEpoch)
				return errors.Join(err, asked{})
			}
			return nil
		}))
		require.Equal(t, 3, tries)
		epoch, err := s.RaiseEpoch(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 1, epoch, "nothing of the failed ones stayed")
		if s.dialect == dialectSQLite {
			require.ErrorIs(t, s.read(t.Context(), func(db *gorm.DB) error {
				return db.Exec("UPDATE sequences SET value = 9").Error
			}), sqlite3.READONLY)
		}
	})
}

// asked is the error of a statement that never reached the server.
type asked struct{}

func (asked) Error() string     { return "again" }
func (asked) SafeToRetry() bool { return true }
