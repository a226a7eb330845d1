package store

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

// opened store on PostgreSQL.
func opened(t *testing.T, c Config) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Config: c})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// running store, until the function that it gives is called.
func running(t *testing.T, s *Store) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- s.Run(ctx, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-done:
		require.NoError(t, err)
	}
	return func() {
		cancel()
		require.NoError(t, <-done)
	}
}

// until asks again and again, as something is to happen by itself.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, 20*time.Second, 10*time.Millisecond, what)
}

// usable waits until a replica is, or is not, used.
func usable(t *testing.T, s *Store, i int, want bool) {
	t.Helper()
	until(t, "the replica is noticed", func() bool { return s.Replicas()[i].Usable == want })
}

func TestReplica(t *testing.T) {
	t.Parallel()
	primary, replica := testenv.PostgresReplica(t)
	s := opened(t, Config{URL: primary.URL(), ReplicaURLs: []string{replica.URL()}})
	require.NoError(t, s.Migrate(t.Context()))
	ws, err := s.EnsureWorkspace(t.Context(), "Home")
	require.NoError(t, err)
	count := func(ctx context.Context) int64 {
		n, err := s.CountMonitors(ctx, ws.ID, uptime.MonitorFilter{})
		require.NoError(t, err)
		return n
	}
	create := func(key string) uptime.Monitor {
		m, err := s.CreateMonitor(t.Context(), uptime.Monitor{
			WorkspaceID: ws.ID, RowKey: key, Name: key, Type: "http", Enabled: true, Interval: time.Minute, Timeout: time.Second,
			FailuresBeforeDown: 1, SuccessesBeforeUp: 1, MinRegionsDown: 1, Regions: []string{"default"}, Settings: []byte("{}"),
		}, nil)
		require.NoError(t, err)
		return m
	}
	count(t.Context())
	require.Zero(t, s.Replicas()[0].Reads, "nobody watches it yet")

	replica.CatchUp(primary)
	stop := running(t, s)
	defer func() { stop() }()
	usable(t, s, 0, true)
	count(t.Context())
	require.EqualValues(t, 1, s.Replicas()[0].Reads)

	// What is paused there is seen in who reads what.
	replica.PauseReplay()
	m := create("one")
	require.Zero(t, count(t.Context()), "from the replica")
	require.EqualValues(t, 1, count(uptime.WithFresh(t.Context())), "from the primary")
	_, err = s.Monitor(t.Context(), ws.ID, m.ID)
	require.NoError(t, err, "single objects come from the primary")
	_, err = s.Stats(t.Context(), ws.ID, m.ID, time.Now().Add(-time.Hour), time.Now())
	require.NoError(t, err, "what the replica does not have yet is looked for on the primary")
	monitors, err := s.ScheduledMonitors(t.Context(), 0, 0, 10)
	require.NoError(t, err)
	require.Len(t, monitors, 1, "the scheduler reads the primary")
	require.True(t, s.Replicas()[0].Usable)
	replica.ResumeReplay()
	replica.CatchUp(primary)
	require.EqualValues(t, 1, count(t.Context()))

	// Away in each way: no read fails, none hangs.
	for name, fault := range map[string]struct{ begin, end func() }{
		"Killed":  {replica.Kill, replica.Start},
		"Stopped": {replica.Stop, replica.Start},
		"Hung":    {replica.Pause, replica.Resume},
	} {
		usable(t, s, 0, true)
		fault.begin()
		began := time.Now()
		require.EqualValues(t, 1, count(t.Context()), name)
		require.Less(t, time.Since(began), 2*replicaPatience, name)
		usable(t, s, 0, false)
		began = time.Now()
		for range 20 {
			require.EqualValues(t, 1, count(t.Context()), name)
		}
		require.Less(t, time.Since(began), replicaPatience, "%s: a hang is paid once", name)
		fault.end()
	}
	usable(t, s, 0, true)

	// The primary goes: lists still come from the replica, what needs the primary says so.
	primary.Stop()
	require.EqualValues(t, 1, count(t.Context()))
	_, err = s.Monitor(t.Context(), ws.ID, m.ID)
	require.ErrorIs(t, err, uptime.ErrUnavailable)
	primary.Start()
	until(t, "the primary is back", func() bool { return s.Ping(t.Context()) == nil })
	stop()
	require.False(t, s.Replicas()[0].Usable, "nobody watches it any more")
	stop = running(t, s)
}

func TestReplicaDeadAtStart(t *testing.T) {
	t.Parallel()
	primary, replica := testenv.PostgresReplica(t)
	replica.Stop()
	s := opened(t, Config{URL: primary.URL(), ReplicaURLs: []string{replica.URL(), "postgres://u:hunter2@127.0.0.1:1/monitor"}})
	require.NoError(t, s.Migrate(t.Context()))
	stop := running(t, s)
	defer stop()
	ws, err := s.EnsureWorkspace(t.Context(), "Home")
	require.NoError(t, err)
	_, err = s.CountMonitors(t.Context(), ws.ID, uptime.MonitorFilter{})
	require.NoError(t, err)
	replica.Start()
	usable(t, s, 0, true)
	_, err = s.CountMonitors(t.Context(), ws.ID, uptime.MonitorFilter{})
	require.NoError(t, err)
	states := s.Replicas()
	require.EqualValues(t, 1, states[0].Reads)
	require.False(t, states[1].Usable)
	require.NotEmpty(t, states[1].Problem)
	require.NotContains(t, states[1].Problem+states[1].Address, "hunter2")
}

func TestReplicasInTurn(t *testing.T) {
	t.Parallel()
	r := replicas{list: []*replica{{address: "a"}, {address: "b"}, {address: "c"}}}
	require.Nil(t, r.next(t.Context()))
	r.list[0].usable.Store(true)
	r.list[2].usable.Store(true)
	seen := map[string]int{}
	for range 30 {
		seen[r.next(t.Context()).address]++
	}
	require.Len(t, seen, 2)
	require.GreaterOrEqual(t, min(seen["a"], seen["c"]), 10)
	require.Nil(t, r.next(uptime.WithFresh(t.Context())))
}

func TestReplicaRefused(t *testing.T) {
	t.Parallel()
	_, err := Open(t.Context(), Options{Config: Config{DataDir: t.TempDir(), ReplicaURLs: []string{"postgres://h/d"}}})
	require.ErrorContains(t, err, "database.replica_urls")
	mine := testenv.Postgres(t)
	_, err = Open(t.Context(), Options{Config: Config{URL: mine, ReplicaURLs: []string{"postgres://u:hunter2@h:port/d"}}})
	require.ErrorContains(t, err, "database.replica_urls")
	require.NotContains(t, err.Error(), "hunter2")

	s := opened(t, Config{URL: mine, ReplicaURLs: []string{testenv.Postgres(t)}})
	err = s.Run(t.Context(), func() { t.Error("it must not start") })
	require.ErrorContains(t, err, "database.replica_urls")
	require.ErrorContains(t, err, "does not follow the database")

	// The primary itself is no replica: it works, and is not used as one.
	same := opened(t, Config{URL: mine, ReplicaURLs: []string{mine}})
	stop := running(t, same)
	defer stop()
	require.Contains(t, same.Replicas()[0].Problem, "takes writes itself")
}

func TestStandbyAsPrimary(t *testing.T) {
	t.Parallel()
	primary, replica := testenv.PostgresReplica(t)
	_, err := Open(t.Context(), Options{Config: Config{URL: replica.URL()}})
	require.ErrorContains(t, err, "is a standby")

	// Both hosts named: the one that takes writes is found, also after a failover.
	both, err := url.Parse(primary.URL())
	require.NoError(t, err)
	both.Host = replica.Address() + "," + primary.Address()
	both.RawQuery += "&target_session_attrs=read-write"
	s := opened(t, Config{URL: both.String()})
	require.NoError(t, s.Migrate(t.Context()))
	epoch, err := s.RaiseEpoch(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, epoch)
	replica.CatchUp(primary)
	primary.Kill()
	replica.Promote()
	began := time.Now()
	until(t, "writing goes on", func() bool { epoch, err = s.RaiseEpoch(t.Context()); return err == nil })
	require.EqualValues(t, 2, epoch)
	require.NoError(t, s.Ping(t.Context()))
	t.Logf("writes %s after the promotion", time.Since(began))
}

// A server that stops taking writes under living connections: they are dropped,
// and the next try finds what the address leads to by then.
func TestReadOnlyUnderneath(t *testing.T) {
	t.Parallel()
	primary := testenv.PostgresRestartable(t)
	s := opened(t, Config{URL: primary.URL()})
	require.NoError(t, s.Migrate(t.Context()))
	before := s.era.Load()
	primary.Exec("postgres", "ALTER DATABASE monitor SET default_transaction_read_only = on")
	s.era.Add(1) // connections that know of it
	_, err := s.RaiseEpoch(t.Context())
	require.ErrorIs(t, err, uptime.ErrUnavailable)
	require.Greater(t, s.era.Load(), before+1)
	primary.Exec("postgres", "ALTER DATABASE monitor SET default_transaction_read_only = off")
	until(t, "a connection is made anew", func() bool { _, err := s.RaiseEpoch(t.Context()); return err == nil })
}

// A replica that is too far behind is not used, whatever it says itself.
func TestReplicaBehind(t *testing.T) {
	t.Parallel()
	primary, replica := testenv.PostgresReplica(t)
	s := opened(t, Config{URL: primary.URL(), ReplicaURLs: []string{replica.URL()}})
	replica.CatchUp(primary)
	w, r := &watch{Store: s}, s.replicas.list[0]
	require.ErrorContains(t, w.look(t.Context(), r), "cannot be compared")
	w.mark(t.Context())
	reached, now := w.trail.list[0].lsn, time.Now()
	for _, c := range []struct {
		since time.Duration
		want  string
	}{{replicaLag - time.Second, ""}, {replicaLag + 10*time.Second, "is 40s behind"}} {
		w.trail.list = []position{{now.Add(-c.since), reached}, {now, reached + 1<<30}}
		err := w.look(t.Context(), r)
		if c.want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, c.want)
		}
		require.Equal(t, c.want == "", s.Replicas()[0].Usable)
	}
	w.trail.list = []position{{now, reached + 1<<30}}
	require.ErrorContains(t, w.look(t.Context(), r), "longer than can be told")
}

func TestTrail(t *testing.T) {
	t.Parallel()
	start := time.Now()
	var tr trail
	at := func(second int) time.Time { return start.Add(time.Duration(second) * time.Second) }
	_, known := tr.lag(5, at(0))
	require.False(t, known, "nothing is known")
	for i := range 5 {
		tr.add(position{at(i), int64(10 * (i + 1))})
	}
	for _, c := range []struct {
		lsn   int64
		lag   time.Duration
		known bool
	}{{9, 0, false}, {10, 5 * time.Second, true}, {39, 3 * time.Second, true}, {50, 0, true}, {70, 0, true}} {
		lag, known := tr.lag(c.lsn, at(5))
		require.Equal(t, c.known, known, c.lsn)
		require.Equal(t, c.lag, lag, c.lsn)
	}
	lag, known := tr.lag(50, at(500))
	require.True(t, known)
	require.Zero(t, lag, "a primary that is away writes nothing")
	tr.add(position{at(100), 60})
	_, known = tr.lag(50, at(100))
	require.False(t, known, "what is older than the trail")
	tr.add(position{at(101), 7}) // a failover lost the end
	lag, known = tr.lag(7, at(101))
	require.True(t, known)
	require.Zero(t, lag)
}

// Pages that hang on every connection of theirs delay nobody else.
func TestPagesStarveNobody(t *testing.T) {
	t.Parallel()
	s := opened(t, Config{URL: testenv.Postgres(t)})
	require.NoError(t, s.Migrate(t.Context()))
	ws, err := s.EnsureWorkspace(t.Context(), "Home")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	pool, err := s.pages.reads.DB()
	require.NoError(t, err)
	hung := make(chan error)
	const pages = 20
	for range pages {
		go func() {
			hung <- s.read(ctx, func(db *gorm.DB) error { return db.Exec("SELECT pg_sleep(600)").Error })
		}()
	}
	until(t, "every connection of pages hangs", func() bool {
		stats := pool.Stats()
		return stats.InUse == stats.MaxOpenConnections && stats.WaitCount > 0
	})
	short, end := context.WithTimeout(t.Context(), 100*time.Millisecond)
	_, err = s.Workspace(short, ws.ID)
	end()
	require.ErrorIs(t, err, uptime.ErrUnavailable, "a page waits")
	began := time.Now()
	for name, call := range map[string]func() error{
		"Record": func() error {
			_, err := s.Record(t.Context(), []uptime.Result{{MonitorID: 1, Region: "default", ScheduledAt: time.Now(), StartedAt: time.Now(), Attempt: 1}}, uptime.Judge(randomID))
			return err
		},
		"Claim": func() error {
			_, err := s.ClaimDeliveries(t.Context(), uptime.ClaimParams{Limit: 1, PerChannel: 1, Lease: time.Second})
			return err
		},
		"Alarm": func() error {
			_, err := s.RaiseAlarm(t.Context(), uptime.Alarm{WorkspaceID: ws.ID, Kind: "k", Subject: "s", Every: time.Hour})
			return err
		},
		"Epoch":   func() error { _, err := s.RaiseEpoch(t.Context()); return err },
		"Plan":    func() error { _, err := s.ScheduledMonitors(t.Context(), 0, 0, 1); return err },
		"House":   func() error { return s.EnsurePartitions(t.Context(), 1) },
		"Health":  func() error { return s.Ping(t.Context()) },
		"Metrics": func() error { _, err := s.Outbox(t.Context()); return err },
	} {
		require.NoError(t, call(), name)
	}
	require.Less(t, time.Since(began), 3*time.Second)
	cancel()
	for range pages {
		require.Error(t, <-hung)
	}
}

func TestDivide(t *testing.T) {
	t.Parallel()
	require.Equal(t, sizes{hot: 2, outbox: 1, main: 2, pages: 2, health: 1}, divide(8))
	for conns := range 200 {
		d := divide(conns)
		require.GreaterOrEqual(t, min(d.hot, d.outbox, d.pages, d.health), 1)
		require.GreaterOrEqual(t, d.main, 2, "migrations hold one and use another")
		require.LessOrEqual(t, d.hot+d.outbox+d.main+d.pages+d.health, max(6, conns))
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	c, err := connection(Config{}, "postgres://u@a,b/d?sslmode=prefer")
	require.NoError(t, err)
	require.Equal(t, 2, hostsOf(c))
	c, err = connection(Config{}, "postgres://u@a/d?sslmode=prefer")
	require.NoError(t, err)
	require.Equal(t, 1, hostsOf(c), "the same one without TLS")
}
