package lock_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"monitor/modules/lock"
	"monitor/modules/lock/locktest"
	"monitor/modules/redisconn"
	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

const (
	// short is the length of a lease in these tests: a quick one's parts are too
	// short for a machine that does other things besides.
	short = 3 * time.Second
	trust = short * 7 / 10
	// ease is what a busy machine may add.
	ease     = 2 * time.Second
	patience = 40 * time.Second
)

func open(t *testing.T, url string) *redisconn.Conn {
	t.Helper()
	conn, err := redisconn.Open(redisconn.Params{
		URL: url, Name: "test", Log: slog.New(slog.DiscardHandler), Clock: uptime.SystemClock,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

func redisParams(conn *redisconn.Conn, epochs uptime.Epochs) lock.RedisParams {
	return lock.RedisParams{Conn: conn, Epochs: epochs, Log: slog.New(slog.DiscardHandler)}
}

// counter is the database's row.
type counter struct{ n atomic.Int64 }

func (c *counter) RaiseEpoch(context.Context) (int64, error) { return c.n.Add(1), nil }

// term is one time of leading.
type term struct {
	epoch int64
	ended <-chan struct{}
}

// contender runs a part that does nothing until its term ends.
type contender struct {
	t     *testing.T
	lock  *lock.Redis
	terms chan term
	stop  context.CancelFunc
	done  chan error
}

func contend(t *testing.T, conn *redisconn.Conn, epochs uptime.Epochs) *contender {
	t.Helper()
	l, err := lock.NewQuickRedis(redisParams(conn, epochs), short)
	require.NoError(t, err)
	return campaign(t, l)
}

func campaign(t *testing.T, l *lock.Redis) *contender {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := &contender{t: t, lock: l, terms: make(chan term, 100), stop: cancel, done: make(chan error, 1)}
	go func() {
		c.done <- l.Lead(ctx, func(ctx context.Context, epoch int64) error {
			c.terms <- term{epoch, ctx.Done()}
			<-ctx.Done()
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, receive(t, c.done, patience))
	})
	return c
}

// leads waits for the next term.
func (c *contender) leads(within time.Duration) term {
	c.t.Helper()
	return receive(c.t, c.terms, within)
}

// receive waits for a value, or for a channel to be closed.
func receive[T any](t *testing.T, from <-chan T, within time.Duration) T {
	t.Helper()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case v := <-from:
		return v
	case <-timer.C:
		require.FailNow(t, "nothing came in time")
		panic("unreachable")
	}
}

// stays fails when the term ends before d has passed.
func (tm term) stays(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-tm.ended:
		require.FailNow(t, "the term ended")
	case <-timer.C:
	}
}

func TestRedisConformance(t *testing.T) {
	t.Parallel()
	locktest.Run(t, func(t *testing.T) func(uptime.Epochs) uptime.Leader {
		t.Helper()
		conn := open(t, testenv.Redis(t))
		return func(epochs uptime.Epochs) uptime.Leader {
			l, err := lock.NewQuickRedis(redisParams(conn, epochs), short)
			if err != nil {
				t.Error(err) // called from goroutines too
			}
			return l
		}
	})
}

func TestNewRedisRefuses(t *testing.T) {
	t.Parallel()
	_, err := lock.NewRedis(lock.RedisParams{})
	require.Error(t, err)
}

func TestRedisHandsOverAtOnce(t *testing.T) {
	t.Parallel()
	conn, epochs := open(t, testenv.Redis(t)), &counter{}
	var both [2]*contender
	for i := range both {
		l, err := lock.NewRedis(redisParams(conn, epochs)) // with the real durations
		require.NoError(t, err)
		both[i] = campaign(t, l)
		if i == 0 {
			require.Equal(t, int64(1), both[i].leads(patience).epoch)
		}
	}
	began := time.Now()
	both[0].stop()
	require.Equal(t, int64(2), both[1].leads(patience).epoch)
	require.Less(t, time.Since(began), 2*time.Second)
}

// slowRow is a row of a database that takes its time with the first number.
type slowRow struct {
	*counter
	first       sync.Once
	asked, done chan struct{}
}

func (r *slowRow) RaiseEpoch(ctx context.Context) (int64, error) {
	r.first.Do(func() {
		close(r.asked)
		<-r.done
	})
	return r.counter.RaiseEpoch(ctx)
}

// Whoever lost the seat while the database took its time does not lead, not even
// for a moment: its epoch is higher than that of who leads by now.
func TestRedisLostBeforeTheEpoch(t *testing.T) {
	t.Parallel()
	conn, epochs := open(t, testenv.Redis(t)), &counter{}
	slow := &slowRow{counter: epochs, asked: make(chan struct{}), done: make(chan struct{})}
	a := contend(t, conn, slow)
	receive(t, slow.asked, patience)
	client := conn.Client(redisconn.Purpose{Name: "loss", Size: 1})
	require.NoError(t, client.Del(t.Context(), redisconn.LockKey()).Err())
	b := contend(t, conn, epochs)
	second := b.leads(patience)
	require.Equal(t, int64(1), second.epoch)
	second.stays(t, short) // a's trust has ended by then
	close(slow.done)
	b.stop()
	require.Equal(t, int64(3), a.leads(patience).epoch, "2 was of no use")
}

// Who died left its key: others wait for its lease, and no longer.
func TestRedisAfterACrash(t *testing.T) {
	t.Parallel()
	conn := open(t, testenv.Redis(t))
	client := conn.Client(redisconn.Purpose{Name: "crash", Size: 1})
	began := time.Now()
	require.NoError(t, client.Set(t.Context(), redisconn.LockKey(), "of the dead", short).Err())
	contend(t, conn, &counter{}).leads(patience)
	require.GreaterOrEqual(t, time.Since(began), short-50*time.Millisecond)
	require.Less(t, time.Since(began), short+short/10+ease)
}

func TestRedisKeyIsGone(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(context.Context, redis.UniversalClient) error{
		"Deleted":  func(ctx context.Context, c redis.UniversalClient) error { return c.Del(ctx, redisconn.LockKey()).Err() },
		"FlushAll": func(ctx context.Context, c redis.UniversalClient) error { return c.FlushAll(ctx).Err() },
		"Taken": func(ctx context.Context, c redis.UniversalClient) error {
			return c.Set(ctx, redisconn.LockKey(), "another", short).Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, _ := testenv.RedisServer(t)
			conn := open(t, url)
			c := contend(t, conn, &counter{})
			first := c.leads(patience)
			first.stays(t, short) // extensions go on
			began := time.Now()
			require.NoError(t, lose(t.Context(), conn.Client(redisconn.Purpose{Name: "loss", Size: 1})))
			receive(t, first.ended, patience)
			require.Less(t, time.Since(began), short*3/10+ease, "the next extension says no")
			require.Greater(t, c.leads(patience).epoch, first.epoch)
		})
	}
}

func TestRedisAway(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]struct{ goes, returns func(*testenv.RedisProcess) }{
		"Killed": {(*testenv.RedisProcess).Kill, (*testenv.RedisProcess).Start},
		"Paused": {(*testenv.RedisProcess).Pause, (*testenv.RedisProcess).Resume},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, server := testenv.RedisRestartable(t)
			c := contend(t, open(t, url), &counter{})
			first := c.leads(patience)
			began := time.Now()
			away.goes(server)
			receive(t, first.ended, patience)
			require.Less(t, time.Since(began), trust+ease, "nobody trusts longer than that")
			require.Empty(t, c.terms)
			away.returns(server)
			began = time.Now()
			require.Greater(t, c.leads(patience).epoch, first.epoch)
			require.Less(t, time.Since(began), short+ease)
		})
	}
}

// A server that is back with its data before trust ends costs no term.
func TestRedisRestartWithinTrust(t *testing.T) {
	t.Parallel()
	url, server := testenv.RedisRestartable(t)
	l, err := lock.NewRedis(redisParams(open(t, url), &counter{})) // the real trust: a start takes a while
	require.NoError(t, err)
	first := campaign(t, l).leads(patience)
	server.Kill()
	server.Start()
	first.stays(t, 9*time.Second)
	epoch, leading := l.Leading()
	require.True(t, leading)
	require.Equal(t, first.epoch, epoch)
}

func TestRedisCluster(t *testing.T) {
	t.Parallel()
	url, _ := testenv.RedisCluster(t)
	conn, epochs := open(t, url), &counter{}
	a := contend(t, conn, epochs)
	first := a.leads(patience)
	b := contend(t, conn, epochs)
	first.stays(t, short*3/2)
	a.stop()
	require.Greater(t, b.leads(patience).epoch, first.epoch)
}

// A replica that never heard of the key is promoted: the old leader learns it from
// its next extension, and somebody leads under a higher epoch.
func TestRedisFailover(t *testing.T) {
	t.Parallel()
	s := testenv.RedisSentinel(t)
	conn, epochs := open(t, s.URL), &counter{}
	s.CutReplication()
	a := contend(t, conn, epochs)
	first := a.leads(patience)
	b := contend(t, conn, epochs)
	s.KillMaster()
	receive(t, first.ended, patience)
	select {
	case next := <-a.terms:
		require.Greater(t, next.epoch, first.epoch)
	case next := <-b.terms:
		require.Greater(t, next.epoch, first.epoch)
	case <-time.After(patience):
		require.FailNow(t, "nobody leads after the failover")
	}
}
