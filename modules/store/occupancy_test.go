package store

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"monitor/modules/testenv"
)

func occupy(t *testing.T, s *Store, shared bool) (*Occupancy, error) {
	t.Helper()
	s.stopping = 500 * time.Millisecond
	o, err := s.Occupy(t.Context(), shared)
	t.Cleanup(func() { require.NoError(t, o.Close()) })
	return o, err
}

func TestOccupy(t *testing.T) {
	t.Parallel()
	address := testenv.Postgres(t)
	s, other := opened(t, Config{URL: address}), opened(t, Config{URL: address})
	alone, err := occupy(t, s, false)
	require.NoError(t, err)
	for _, shared := range []bool{false, true} {
		_, err = occupy(t, other, shared)
		require.ErrorIs(t, err, errOccupied)
		require.ErrorContains(t, err, "set redis.url")
		require.ErrorContains(t, err, "monitor on ")
		require.ErrorContains(t, err, "from 127.0.0.1")
	}
	elsewhere, err := occupy(t, opened(t, Config{URL: testenv.Postgres(t)}), false)
	require.NoError(t, err, "another database of the same server")
	require.NoError(t, elsewhere.Close())

	// One that is just stopping is waited for.
	time.AfterFunc(200*time.Millisecond, func() { _ = alone.Close() })
	first, err := occupy(t, other, true)
	require.NoError(t, err)
	second, err := occupy(t, s, true)
	require.NoError(t, err, "those with Redis share it")
	_, err = occupy(t, s, false)
	require.ErrorContains(t, err, "set redis.url here")
	require.NoError(t, first.Close())
	require.NoError(t, second.Close())
	_, err = occupy(t, s, false)
	require.NoError(t, err)
}

func TestOccupySQLite(t *testing.T) {
	t.Parallel()
	s := opened(t, Config{DataDir: t.TempDir()})
	for range 2 {
		o, err := occupy(t, s, false)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, o.Run(ctx, func() {}))
	}
}

// holdOn runs an occupancy and gives its end.
func holdOn(t *testing.T, o *Occupancy) (done chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 2)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		done <- o.Run(ctx, func() { close(ready) })
	}()
	<-ready
	t.Cleanup(func() { cancel(); <-ended })
	return done
}

func TestOccupancyLost(t *testing.T) {
	t.Parallel()
	server := testenv.PostgresRestartable(t)
	s, other := opened(t, Config{URL: server.URL()}), opened(t, Config{URL: server.URL()})
	mine, err := occupy(t, s, false)
	require.NoError(t, err)
	done := holdOn(t, mine)
	pid := func() uint32 {
		mine.mu.Lock()
		defer mine.mu.Unlock()
		if mine.conn == nil {
			return 0
		}
		return mine.conn.PgConn().PID()
	}

	// The session ends, the server ends: taken again, as nobody else has it.
	for name, fault := range map[string]func(){
		"Session": func() {
			server.Exec("monitor", "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
		},
		"Server": func() { server.Kill(); server.Start() },
	} {
		before := pid()
		fault()
		until(t, name, func() bool { now := pid(); return now != 0 && now != before })
		_, err = occupy(t, other, false)
		require.ErrorIs(t, err, errOccupied, name)
	}

	// Somebody else takes it meanwhile: this process must stop.
	mine.mu.Lock()
	mine.drop(t.Context())
	_, err = occupy(t, other, false)
	mine.mu.Unlock()
	require.NoError(t, err)
	select {
	case err := <-done:
		require.ErrorIs(t, err, errOccupied)
		require.ErrorContains(t, err, "redis.url")
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on beside the other")
	}
}

// A session that the network left behind is ended by the process that it was of.
func TestOccupancyGhost(t *testing.T) {
	t.Parallel()
	address := testenv.Postgres(t)
	s, other := opened(t, Config{URL: address}), opened(t, Config{URL: address})
	mine, err := occupy(t, s, false)
	require.NoError(t, err)
	mine.mu.Lock()
	ghost := mine.conn // the server believes it alive
	mine.conn = nil
	mine.mu.Unlock()
	_, err = occupy(t, other, true)
	require.ErrorIs(t, err, errOccupied)
	require.NoError(t, mine.take(t.Context()))
	require.Error(t, ghost.Ping(t.Context()), "it was ended")
	_, err = occupy(t, other, true)
	require.ErrorIs(t, err, errOccupied)
}

// A session that took the lock without this process hearing of it is a ghost of
// it, too: it must not take itself for another.
func TestOccupancyUnheard(t *testing.T) {
	t.Parallel()
	s := opened(t, Config{URL: testenv.Postgres(t)})
	mine, err := occupy(t, s, false)
	require.NoError(t, err)
	mine.mu.Lock()
	mine.drop(t.Context())
	unheard, err := pgx.ConnectConfig(t.Context(), mine.config.Copy())
	require.NoError(t, err)
	mine.conn = unheard
	_, err = mine.lock(t.Context())
	mine.conn = nil
	mine.mu.Unlock()
	require.NoError(t, err)
	require.NoError(t, mine.take(t.Context()))
	require.Error(t, unheard.Ping(t.Context()), "it was ended")
}
