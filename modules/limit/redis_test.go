package limit_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"monitor/modules/limit"
	"monitor/modules/limit/limittest"
	"monitor/modules/redisconn"
	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

func TestMain(m *testing.M) {
	// A pool whose server is away looks for it once a second, and sees its own
	// end only then.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

// process is the limiter of one of several processes.
type process struct {
	*limit.Redis
	conn  *redisconn.Conn
	clock *handClock
}

func newProcess(t *testing.T, url string) process {
	t.Helper()
	conn, err := redisconn.Open(redisconn.Params{
		URL: url, Name: "test", Log: slog.New(slog.DiscardHandler), Clock: uptime.SystemClock,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	clock := newHandClock()
	r, err := limit.NewRedis(limit.RedisParams{
		Conn: conn, Local: limit.NewMemory(clock.Now, 0), Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	return process{r, conn, clock}
}

// turns is one limiter of two processes that are asked by turns.
type turns struct {
	next chan process
}

func (l turns) Allow(ctx context.Context, key string, rate uptime.Rate) (uptime.LimitDecision, error) {
	p := <-l.next
	l.next <- p
	return p.Allow(ctx, key, rate)
}

func (l turns) GiveBack(ctx context.Context, key string, rate uptime.Rate) error {
	p := <-l.next
	l.next <- p
	return p.GiveBack(ctx, key, rate)
}

func conformance(t *testing.T, processes int, fresh func(t *testing.T) string) {
	t.Helper()
	limittest.Run(t, func(t *testing.T) limittest.Fixture {
		t.Helper()
		url := fresh(t)
		l := turns{make(chan process, processes)}
		var clocks []*handClock
		for range processes {
			p := newProcess(t, url)
			clocks = append(clocks, p.clock)
			l.next <- p
		}
		return limittest.Fixture{Limiter: l, Advance: func(d time.Duration) {
			for _, c := range clocks {
				c.move(d)
			}
			<-time.After(d) // the server's clock cannot be moved
		}}
	})
}

func TestRedisConformance(t *testing.T) {
	t.Parallel()
	conformance(t, 1, func(t *testing.T) string { t.Helper(); return testenv.Redis(t) })
}

func TestRedisConformanceOfTwoProcesses(t *testing.T) {
	t.Parallel()
	conformance(t, 2, func(t *testing.T) string { t.Helper(); return testenv.Redis(t) })
}

func TestRedisCluster(t *testing.T) {
	t.Parallel()
	url, _ := testenv.RedisCluster(t)
	p := newProcess(t, url)
	rate := uptime.Rate{Limit: 1, Per: time.Hour}
	for _, key := range []string{"a", "b", "c", "d", "e", "f"} {
		require.True(t, take(t, p, key, rate).Allowed)
		require.False(t, take(t, p, key, rate).Allowed)
		require.NoError(t, p.GiveBack(t.Context(), key, rate))
		require.True(t, take(t, p, key, rate).Allowed)
	}
	require.True(t, p.conn.Cluster())
}

func take(t *testing.T, p process, key string, rate uptime.Rate) uptime.LimitDecision {
	t.Helper()
	d, err := p.Allow(t.Context(), key, rate)
	require.NoError(t, err)
	return d
}

// Without Redis each process goes on from what it has counted.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	_, server := testenv.RedisRestartable(t)
	url := "redis://" + server.Addr() + "/0"
	a, b := newProcess(t, url), newProcess(t, url)
	rate := uptime.Rate{Limit: 4, Per: time.Hour}
	require.Equal(t, 3, take(t, a, "k", rate).Remaining)
	require.Equal(t, 2, take(t, b, "k", rate).Remaining)
	server.Kill()
	begun := time.Now()
	for i := range 3 {
		d := take(t, a, "k", rate)
		require.True(t, d.Allowed)
		require.Equal(t, 2-i, d.Remaining, "its own share goes on")
	}
	for range 1000 {
		d := take(t, a, "k", rate)
		require.False(t, d.Allowed)
		require.Positive(t, d.RetryAfter)
	}
	require.NoError(t, a.GiveBack(t.Context(), "k", rate))
	require.True(t, take(t, a, "k", rate).Allowed)
	require.Less(t, time.Since(begun), 5*time.Second, "an outage makes no request slow")

	server.Start()
	a.clock.move(2 * time.Second)
	d := take(t, a, "k", rate)
	require.True(t, d.Allowed)
	require.Equal(t, 1, d.Remaining, "what all share counts again")
}

// The connection's own word is enough: not even the first request waits.
func TestRedisKnownToBeAway(t *testing.T) {
	t.Parallel()
	url, kill := testenv.RedisServer(t)
	p := newProcess(t, url)
	kill()
	require.ErrorIs(t, p.conn.Ping(t.Context()), uptime.ErrUnavailable)
	require.True(t, take(t, p, "k", uptime.Rate{Limit: 1, Per: time.Hour}).Allowed)
	require.False(t, take(t, p, "k", uptime.Rate{Limit: 1, Per: time.Hour}).Allowed)
}

func TestLimitKeysEndByThemselves(t *testing.T) {
	t.Parallel()
	url := testenv.Redis(t)
	p := newProcess(t, url)
	rate := uptime.Rate{Limit: 10, Per: time.Minute}
	take(t, p, "k", rate)
	require.NoError(t, p.GiveBack(t.Context(), "k", rate))
	options, err := redis.ParseURL(url)
	require.NoError(t, err)
	client := redis.NewClient(options)
	defer func() { require.NoError(t, client.Close()) }()
	keys, err := client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	require.Len(t, keys, 1)
	left, err := client.TTL(t.Context(), keys[0]).Result()
	require.NoError(t, err)
	require.Positive(t, left)
	require.LessOrEqual(t, left, 7*time.Second)
}

func TestNewRedisRefuses(t *testing.T) {
	t.Parallel()
	_, err := limit.NewRedis(limit.RedisParams{})
	require.Error(t, err)
}
