package store_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/store"
	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

func TestBadURLs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, want string }{
		{"", "neither a database URL nor a data folder"},
		{"mysql://u:hunter2@h/d", "must start with postgres:// or sqlite:///"},
		{"sqlite://", "must start with postgres:// or sqlite:///"},
		{"sqlite:///%zz", "not escaped"},
		{"postgres://u:hunter2@h:port/d", "not a PostgreSQL URL"},
	} {
		_, err := store.Open(t.Context(), store.Options{Config: store.Config{URL: c.url}})
		require.ErrorContains(t, err, c.want)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestSQLiteFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a ?#%& folder", "my.db")
	s, err := store.Open(t.Context(), store.Options{Config: store.Config{URL: "sqlite://" + url.PathEscape(path)}})
	require.NoError(t, err)
	require.Equal(t, "sqlite", s.Dialect())
	require.NoError(t, s.Ping(t.Context()))
	require.NoError(t, s.Migrate(t.Context()))
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
	require.NoError(t, s.Close())
	require.Error(t, s.Ping(t.Context()))
}

func TestMigrations(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]store.Config{
		"SQLite":   {DataDir: t.TempDir()},
		"Postgres": {URL: testenv.Postgres(t)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testMigrations(t, config)
		})
	}
}

func testMigrations(t *testing.T, config store.Config) {
	stores := make([]*store.Store, 3)
	for i := range stores {
		s, err := store.Open(t.Context(), store.Options{Config: config})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		stores[i] = s
	}
	pending, err := stores[0].Pending(t.Context())
	require.NoError(t, err)
	require.True(t, pending)
	errs := make([]error, len(stores))
	var wg sync.WaitGroup
	for i, s := range stores {
		wg.Go(func() { errs[i] = s.Migrate(t.Context()) })
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...), "three at once")
	s := stores[0]
	all, err := s.MigrationStatus(t.Context())
	require.NoError(t, err)
	require.Equal(t, "0001_core", all[0].Name)
	for i, m := range all {
		require.True(t, i == 0 || m.Version > all[i-1].Version, "each has a number of its own")
		require.False(t, m.AppliedAt.IsZero())
	}
	for range all {
		require.NoError(t, s.MigrateDown(t.Context()))
	}
	all, err = s.MigrationStatus(t.Context())
	require.NoError(t, err)
	require.Zero(t, all[0].AppliedAt)
	require.NoError(t, s.Migrate(t.Context()), "and up again")
}

func TestRunStops(t *testing.T) {
	t.Parallel()
	for _, open := range []func(*testing.T, store.Options) *store.Store{onSQLite, onPostgres} {
		s := open(t, store.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		ready, done := make(chan struct{}), make(chan error)
		go func() { done <- s.Run(ctx, func() { close(ready) }) }()
		<-ready
		cancel()
		require.NoError(t, <-done)
	}
}

// cutter is a proxy before PostgreSQL that can cut every connection.
type cutter struct {
	listener net.Listener
	target   string
	mu       sync.Mutex
	conns    []net.Conn
	wg       sync.WaitGroup
}

func newCutter(t *testing.T, target string) *cutter {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cutter{listener: l, target: target}
	c.wg.Go(c.serve)
	t.Cleanup(func() { c.close(); c.wg.Wait() })
	return c
}

func (c *cutter) serve() {
	for {
		in, err := c.listener.Accept()
		if err != nil {
			return
		}
		out, err := new(net.Dialer).DialContext(context.Background(), "tcp", c.target)
		if err != nil {
			_ = in.Close()
			continue
		}
		c.mu.Lock()
		c.conns = append(c.conns, in, out)
		c.mu.Unlock()
		c.wg.Go(func() { _, _ = io.Copy(in, out); _ = in.Close() })
		c.wg.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
	}
}

func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

func (c *cutter) close() {
	_ = c.listener.Close()
	c.cut()
}

// A connection that is reset is taken anew without anybody noticing; a database
// that is away is uptime.ErrUnavailable.
func TestPostgresAway(t *testing.T) {
	t.Parallel()
	direct, err := url.Parse(testenv.Postgres(t))
	require.NoError(t, err)
	proxy := newCutter(t, direct.Host)
	through := *direct
	through.Host = proxy.listener.Addr().String()
	s := migrated(t, store.Options{Config: store.Config{URL: through.String(), ConnectTimeout: time.Second}})
	ws, err := s.EnsureWorkspace(t.Context(), "Home")
	require.NoError(t, err)
	for range 3 {
		proxy.cut()
		_, err = s.RaiseEpoch(t.Context())
		require.NoError(t, err)
		proxy.cut()
		_, err = s.CountMonitors(t.Context(), ws.ID, uptime.MonitorFilter{})
		require.NoError(t, err)
	}
	proxy.close()
	_, err = s.RaiseEpoch(t.Context())
	require.ErrorIs(t, err, uptime.ErrUnavailable)
	_, err = s.Monitor(t.Context(), ws.ID, 1)
	require.ErrorIs(t, err, uptime.ErrUnavailable)
	require.NotErrorIs(t, err, uptime.ErrNotFound)
	require.ErrorIs(t, s.Ping(t.Context()), uptime.ErrUnavailable)
	_, err = store.Open(t.Context(), store.Options{Config: store.Config{URL: through.String(), ConnectTimeout: time.Second}})
	require.ErrorIs(t, err, uptime.ErrUnavailable)
}

// TestUpgrade: a store that was opened on the schema of an older version reads every
// table after the migrations that change them.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := migratedIn(t, dir)
	ws, err := old.EnsureWorkspace(t.Context(), "Home")
	require.NoError(t, err)
	_, err = old.CreateFirstOwner(t.Context(), uptime.User{Email: "ada@example.com", PasswordHash: "x", TimeZone: "UTC", Language: "en", Theme: "auto"}, ws, nil)
	require.NoError(t, err)
	all, err := old.MigrationStatus(t.Context())
	require.NoError(t, err)
	for range len(all) - 7 {
		require.NoError(t, old.MigrateDown(t.Context()))
	}
	require.NoError(t, old.Close())

	s, err := store.Open(t.Context(), store.Options{Config: store.Config{DataDir: dir}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	for range 8 { // every reader
		_, err = s.EnsureWorkspace(t.Context(), "Home")
		require.NoError(t, err)
	}
	require.NoError(t, s.Migrate(t.Context()))
	for range 8 {
		home, err := s.EnsureWorkspace(t.Context(), "Home")
		require.NoError(t, err)
		require.Equal(t, ws.ID, home.ID)
		ada, err := s.UserByEmail(t.Context(), "ada@example.com")
		require.NoError(t, err)
		require.Equal(t, uptime.RoleOwner, ada.Role)
	}
	_, err = s.UpdateUser(t.Context(), ws.ID, 1, func(u *uptime.User) error { u.Name = "Ada"; return nil }, nil)
	require.NoError(t, err)
}

func migratedIn(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Config: store.Config{DataDir: dir}})
	require.NoError(t, err)
	require.NoError(t, s.Migrate(t.Context()))
	return s
}
