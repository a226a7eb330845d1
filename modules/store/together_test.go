package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"monitor/modules/store"
	"monitor/modules/store/storetest"
	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

// onOne opens the same database each time, as processes do.
func onOne(address string) storetest.OpenFunc {
	return func(t *testing.T, o store.Options) *store.Store {
		t.Helper()
		o.Config = store.Config{URL: address}
		return migrated(t, o)
	}
}

func TestRecordTogether(t *testing.T) {
	t.Parallel()
	storetest.RunRecordTogether(t, onOne(testenv.Postgres(t)), 3, 20, nil)
}

// administer gives a connection of its own.
func administer(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// endSessions of the database at random moments, until the function that it gives
// is called, which tells how many.
func endSessions(t *testing.T, address string) (stop func() int64) {
	t.Helper()
	admin := administer(t, address)
	var killed int64
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
			}
			var n int64
			err := admin.QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
				WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.1`).Scan(&n)
			if err != nil {
				t.Errorf("end sessions: %v", err)
				return
			}
			killed += n
		}
	}()
	return func() int64 {
		close(end)
		<-ended
		return killed
	}
}

// TestRecordWhileKilled ends sessions at random moments, commits among them.
func TestRecordWhileKilled(t *testing.T) {
	t.Parallel()
	address := testenv.Postgres(t)
	var killed int64
	storetest.RunRecordTogether(t, onOne(address), 2, 15, func() func() {
		stop := endSessions(t, address)
		return func() { killed += stop() }
	})
	t.Logf("%d sessions ended", killed)
	require.Greater(t, killed, int64(5))
}

// TestRecordWhileRefused has the server fail a fifth of all transactions with
// serialization failures, half of those while committing.
func TestRecordWhileRefused(t *testing.T) {
	t.Parallel()
	address := testenv.Postgres(t)
	admin := administer(t, address)
	open := func(t *testing.T, o store.Options) *store.Store {
		t.Helper()
		s := onOne(address)(t, o)
		_, err := admin.Exec(t.Context(), `
			CREATE SEQUENCE IF NOT EXISTS refused;
			CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				IF random() < 0.1 THEN PERFORM nextval('refused'); RAISE EXCEPTION 'refused' USING ERRCODE = '40001'; END IF; RETURN NULL;
			END $$;
			CREATE OR REPLACE TRIGGER refuse AFTER UPDATE ON monitor_states FOR EACH STATEMENT EXECUTE FUNCTION refuse();
			DROP TRIGGER IF EXISTS refuse_late ON monitor_states;
			CREATE CONSTRAINT TRIGGER refuse_late AFTER UPDATE ON monitor_states DEFERRABLE INITIALLY DEFERRED
				FOR EACH ROW EXECUTE FUNCTION refuse()`)
		require.NoError(t, err)
		return s
	}
	storetest.RunRecordTogether(t, open, 2, 15, nil) // nil: no failure may come out
	var refused int
	require.NoError(t, admin.QueryRow(t.Context(), "SELECT last_value FROM refused").Scan(&refused))
	t.Logf("%d refused", refused)
	require.Greater(t, refused, 20)
}

// TestServerAway: under load through two processes, nothing acknowledged is lost,
// nothing is doubled, and work goes on within 10 s.
func TestServerAway(t *testing.T) {
	t.Parallel()
	server := testenv.PostgresRestartable(t)
	open := onOne(server.URL())
	stores := []*store.Store{open(t, store.Options{}), open(t, store.Options{})}
	ids := monitorsFor(t, stores[0], 4)
	loads := make([]*load, len(stores))
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i, s := range stores {
		loads[i] = &load{store: s, ids: ids, first: i, step: len(stores)}
		wg.Go(func() { loads[i].run(ctx, t) })
	}
	for _, fault := range []struct {
		name       string
		begin, end func()
	}{
		{"Restart", server.Stop, server.Start},
		{"Kill", server.Kill, server.Start},
		{"Pause", server.Pause, server.Resume},
	} {
		for _, l := range loads {
			l.await(t, l.done.Load()+5, "before "+fault.name)
		}
		fault.begin()
		if fault.name == "Pause" { // beyond a call's own deadline would take long: sessions are to hang
			short, end := context.WithTimeout(t.Context(), time.Second)
			require.ErrorIs(t, stores[0].Ping(short), uptime.ErrUnavailable)
			end()
		}
		fault.end()
		began := time.Now()
		for _, l := range loads {
			l.await(t, l.done.Load()+5, "after "+fault.name)
		}
		took := time.Since(began)
		t.Logf("%s: recording goes on after %s", fault.name, took)
		require.Less(t, took, 10*time.Second)
	}
	cancel()
	wg.Wait()
	var done int64
	for _, l := range loads {
		done += l.done.Load()
	}
	admin := administer(t, server.URL())
	var rows, keys, open2 int64
	require.NoError(t, admin.QueryRow(t.Context(), `SELECT count(*), count(DISTINCT (monitor_id, region_id, scheduled_at)) FROM check_results`).Scan(&rows, &keys))
	require.Equal(t, rows, keys)
	require.GreaterOrEqual(t, rows, done*int64(len(ids)))
	require.LessOrEqual(t, rows, (done+int64(len(loads)))*int64(len(ids)), "but for the batch that each broke off")
	require.NoError(t, admin.QueryRow(t.Context(), `SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM incidents
		WHERE resolved_at IS NULL AND deleted_at IS NULL GROUP BY monitor_id) x`).Scan(&open2))
	require.LessOrEqual(t, open2, int64(1))
}

// load records one batch after the other, each until it is stored.
type load struct {
	store       *store.Store
	ids         []int64
	first, step int
	done        atomic.Int64
}

func (l *load) run(ctx context.Context, t *testing.T) {
	start := time.Now().UTC().Truncate(time.Second).Add(time.Second)
	for n := l.first; ctx.Err() == nil; n += l.step {
		batch := make([]uptime.Result, len(l.ids))
		for i, id := range l.ids {
			slot := start.Add(time.Duration(n) * 10 * time.Millisecond)
			batch[i] = uptime.Result{MonitorID: id, Region: "default", ScheduledAt: slot, StartedAt: slot, Attempt: 1}
			batch[i].Status = []uptime.Status{uptime.Up, uptime.Down}[n/10%2]
		}
		for ctx.Err() == nil {
			_, err := l.store.Record(ctx, batch, uptime.Judge(rand.Text))
			if err == nil {
				l.done.Add(1)
				break
			}
			if ctx.Err() == nil && !errors.Is(err, uptime.ErrUnavailable) {
				assert.NoError(t, err)
				return
			}
		}
	}
}

func (l *load) await(t *testing.T, n int64, what string) {
	t.Helper()
	require.Eventually(t, func() bool { return l.done.Load() >= n }, 30*time.Second, 5*time.Millisecond, what)
}

// monitorsFor makes monitors and what they need.
func monitorsFor(t *testing.T, s *store.Store, n int) (ids []int64) {
	t.Helper()
	require.NoError(t, s.EnsurePartitions(t.Context(), 2))
	ws, err := s.EnsureWorkspace(t.Context(), "Home")
	require.NoError(t, err)
	for range n {
		m, err := s.CreateMonitor(t.Context(), uptime.Monitor{
			WorkspaceID: ws.ID, RowKey: rand.Text(), Name: "m", Type: "http", Enabled: true, Interval: time.Minute, Timeout: time.Second,
			FailuresBeforeDown: 2, SuccessesBeforeUp: 1, MinRegionsDown: 1, Regions: []string{"default"}, Settings: []byte("{}"),
		}, nil)
		require.NoError(t, err)
		ids = append(ids, m.ID)
	}
	return ids
}

// TestSchemaChanges: statements prepared before a change of the schema are made
// anew without anybody noticing.
func TestSchemaChanges(t *testing.T) {
	t.Parallel()
	address := testenv.Postgres(t)
	s := onOne(address)(t, store.Options{})
	monitorsFor(t, s, 1)
	admin := administer(t, address)
	ws, err := s.EnsureWorkspace(t.Context(), "Home")
	require.NoError(t, err)
	for _, change := range []string{
		"ALTER TABLE workspaces ADD COLUMN extra BIGINT NOT NULL DEFAULT 0",
		"ALTER TABLE workspaces DROP COLUMN extra",
	} {
		for range 3 {
			_, err = s.Workspace(t.Context(), ws.ID)
			require.NoError(t, err)
			require.NoError(t, onlyErr(s.UpdateWorkspace(t.Context(), ws.ID, func(*uptime.Workspace) error { return nil }, nil)))
		}
		_, err = admin.Exec(t.Context(), change)
		require.NoError(t, err)
		_, err = s.Workspace(t.Context(), ws.ID)
		require.NoError(t, err, change)
		require.NoError(t, onlyErr(s.UpdateWorkspace(t.Context(), ws.ID, func(*uptime.Workspace) error { return nil }, nil)), change)
	}
}

func onlyErr[T any](_ T, err error) error { return err }

// TestPausedInTransaction: who stops in the middle of a transaction, and has its
// locks, is ended so that others go on.
func TestPausedInTransaction(t *testing.T) {
	t.Parallel()
	address := testenv.Postgres(t)
	a, b := onOne(address)(t, store.Options{}), onOne(address)(t, store.Options{})
	ids := monitorsFor(t, a, 1)
	wake, asleep := make(chan struct{}), make(chan struct{})
	slept := sync.OnceFunc(func() { close(asleep); <-wake })
	slot := time.Now().UTC().Truncate(time.Second)
	result := uptime.Result{MonitorID: ids[0], Region: "default", ScheduledAt: slot.Add(time.Second), StartedAt: slot, Attempt: 1}
	result.Status = uptime.Up
	paused := make(chan error, 1)
	judge := uptime.Judge(rand.Text)
	go func() {
		_, err := a.Record(context.WithoutCancel(t.Context()), []uptime.Result{result}, func(s uptime.Situation) uptime.Decision {
			slept()
			return judge(s)
		})
		paused <- err
	}()
	<-asleep
	began := time.Now()
	result.ScheduledAt = slot.Add(2 * time.Second)
	_, err := b.Record(t.Context(), []uptime.Result{result}, judge)
	require.NoError(t, err)
	t.Logf("the other went on after %s", time.Since(began))
	close(wake)
	require.NoError(t, <-paused, "it did its own again")
}
