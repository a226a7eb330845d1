package queue

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"monitor/modules/queue/queuetest"
	"monitor/modules/redisconn"
	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

// patience bounds every wait for something that must come.
const patience = 20 * time.Second

func connect(tb testing.TB, url string) *redisconn.Conn {
	tb.Helper()
	conn, err := redisconn.Open(redisconn.Params{
		URL: url, Name: "test", Log: slog.New(slog.DiscardHandler), Clock: uptime.SystemClock,
	})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, conn.Close()) })
	return conn
}

func newRedis(tb testing.TB, conn *redisconn.Conn, partitions, bound int) *Redis {
	tb.Helper()
	q, err := NewRedis(RedisParams{
		Conn: conn, Partitions: partitions, Bound: bound, Consumer: "worker-1", Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, q.Close()) })
	return q
}

// stop makes the queue's clock stand at the server's time of now.
func (q *Redis) stop(tb testing.TB) time.Time {
	tb.Helper()
	now, err := q.client.Time(context.Background()).Result()
	require.NoError(tb, err)
	q.stopped.Store(now.UnixMilli())
	return time.UnixMilli(now.UnixMilli()).UTC()
}

func (q *Redis) advance(d time.Duration) {
	q.stopped.Add(d.Milliseconds())
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, b := range q.bells {
		b.ring()
	}
}

func conforms(t *testing.T, open func(t *testing.T) *redisconn.Conn, partitions int) {
	t.Helper()
	queuetest.Run(t, func(t *testing.T, bound int) queuetest.Fixture {
		t.Helper()
		n := partitions
		if bound > 0 {
			n = 1
		}
		q := newRedis(t, open(t), n, bound)
		q.stop(t)
		now := func() time.Time { return time.UnixMilli(q.stopped.Load()).UTC() }
		return queuetest.Fixture{Queue: q, Now: now, Advance: q.advance}
	})
}

func TestRedisConformance(t *testing.T) {
	t.Parallel()
	for _, partitions := range []int{1, DefaultPartitions} {
		t.Run(fmt.Sprintf("%dPartitions", partitions), func(t *testing.T) {
			t.Parallel()
			conforms(t, func(t *testing.T) *redisconn.Conn {
				t.Helper()
				return connect(t, testenv.Redis(t))
			}, partitions)
		})
	}
}

func TestNewRedisRefuses(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	conn := connect(t, "redis://127.0.0.1:1")
	for name, p := range map[string]RedisParams{
		"NoConn":        {Consumer: "a", Log: log},
		"NoConsumer":    {Conn: conn, Log: log},
		"NoLog":         {Conn: conn, Consumer: "a"},
		"NegativeBound": {Conn: conn, Consumer: "a", Log: log, Bound: -1},
	} {
		_, err := NewRedis(p)
		require.Error(t, err, name)
	}
}

// A cluster has no databases: its tests go one after the other.
func TestRedisConformanceOnACluster(t *testing.T) {
	t.Parallel()
	url, masters := testenv.RedisCluster(t)
	var alone sync.Mutex
	t.Run("Suite", func(t *testing.T) {
		conforms(t, func(t *testing.T) *redisconn.Conn {
			t.Helper()
			alone.Lock()
			t.Cleanup(alone.Unlock)
			for _, m := range masters {
				m.Do("FLUSHALL")
			}
			return connect(t, url)
		}, DefaultPartitions)
	})
}

// What is done leaves nothing behind.
func TestRedisLeavesNothing(t *testing.T) {
	t.Parallel()
	q := newRedis(t, connect(t, testenv.Redis(t)), 2, 0)
	now := q.stop(t)
	require.NoError(t, q.Raise(t.Context(), 1))
	jobs := make([]uptime.Job, 0, 3000)
	for i := range int64(3000) {
		j := job(i+1, now.Add(-time.Duration(i%5)*20*time.Second))
		j.Spec.Interval = time.Minute
		jobs = append(jobs, j)
	}
	require.NoError(t, q.Publish(t.Context(), uptime.SlotBatch{Epoch: 1, UpTo: now, Slots: queuetest.Slots(jobs)}))
	seen := map[uptime.ResultKey]bool{}
	for len(seen) < len(jobs) {
		leases, err := q.Take(t.Context(), "default", 2000)
		require.NoError(t, err)
		now := time.UnixMilli(q.stopped.Load())
		for _, l := range leases {
			require.False(t, seen[l.Key()])
			seen[l.Key()] = true
			require.Equal(t, now.After(l.Expires()), l.Expired)
		}
		if len(seen) > 1000 { // let some leases end first
			q.advance(time.Second)
		}
		require.NoError(t, q.Ack(t.Context(), receiptsOf(leases)))
	}
	requireEmpty(t, q)
	s := q.Stats()
	require.Equal(t, uint64(3000), s.Added)
	require.Equal(t, uint64(3000), s.Acked)
	require.Equal(t, uint64(3000), s.Taken)
	require.GreaterOrEqual(t, s.Expired, uint64(600), "at least those 80 s ago")
}

// requireEmpty: no key holds anything of a job.
func requireEmpty(t *testing.T, q *Redis) {
	t.Helper()
	for p := range q.partitions {
		k := q.region("default").of[p]
		for _, key := range []string{k.held, k.delayed, k.late, k.dying, k.gone, k.leases} {
			n, err := q.client.Exists(t.Context(), key).Result()
			require.NoError(t, err)
			require.Zero(t, n, key)
		}
		require.Zero(t, q.client.XLen(t.Context(), k.ready).Val())
		pending, err := q.client.XPending(t.Context(), k.ready, "workers").Result()
		require.NoError(t, err)
		require.Zero(t, pending.Count)
	}
}

// A lease that ended and waits to be handed out again leaves nothing either when it
// is acknowledged late.
func TestRedisLateAckLeavesNothing(t *testing.T) {
	t.Parallel()
	q := newRedis(t, connect(t, testenv.Redis(t)), 1, 0)
	now := q.stop(t)
	require.NoError(t, q.Push(t.Context(), spread(3, now)))
	leases := takeAll(t, q, 3)
	q.advance(10*time.Second + uptime.LeaseMargin)
	again, err := q.Take(t.Context(), "default", 1)
	require.NoError(t, err)
	require.NoError(t, q.Ack(t.Context(), receiptsOf(append(leases, again...))))
	requireEmpty(t, q)
}

func receiptsOf(leases []uptime.Lease) []string {
	list := make([]string, len(leases))
	for i, l := range leases {
		list[i] = l.Receipt
	}
	return list
}

// A worker that stops gives back what it has not begun.
func TestRedisHandsBack(t *testing.T) {
	t.Parallel()
	q := newRedis(t, connect(t, testenv.Redis(t)), 8, 0)
	now := q.stop(t)
	var jobs []uptime.Job
	for id := range int64(50) {
		jobs = append(jobs, job(id, now))
	}
	for range 2 {
		require.NoError(t, q.Push(t.Context(), jobs))
		leases, err := q.Take(t.Context(), "default", 400)
		require.NoError(t, err)
		require.Len(t, leases, 50)
		require.Equal(t, 1, leases[0].Taken)
		require.NoError(t, q.Ack(t.Context(), receiptsOf(leases)))
	}
}

// Each partition keeps its bound: what one has no room for is refused whole, and
// what a leader adds pushes out the oldest, whatever its region and pile.
func TestRedisBoundByPartition(t *testing.T) {
	t.Parallel()
	q := newRedis(t, connect(t, testenv.Redis(t)), 2, 20)
	now := q.stop(t)
	require.NoError(t, q.Raise(t.Context(), 1))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	at := func(id int64, slot time.Duration, region string) uptime.Job {
		j := job(id, now.Add(slot))
		j.Region = region
		return j
	}
	var even, odd []uptime.Job
	for id := range int64(12) {
		even = append(even, at(2*id, 0, "eu"))
	}
	odd = append(odd, at(1, -time.Minute, "eu"), at(3, time.Minute, "us"), at(5, -2*time.Minute, "us"), at(7, 0, "eu"))
	require.ErrorIs(t, q.Push(t.Context(), append(even, odd...)), uptime.ErrFull)
	d, err := q.Depth(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(4), d.Ready+d.Delayed, "the partition with room took its jobs")
	require.NoError(t, q.Push(t.Context(), []uptime.Job{at(9, -3*time.Minute, "us")}))
	leases, err := q.Take(ctx, "us", 1) // both into the backlog, one leased
	require.NoError(t, err)
	require.Equal(t, int64(5), leases[0].MonitorID)

	var more []uptime.Job
	for id := range int64(7) {
		more = append(more, at(101+2*id, time.Second, "asia"))
	}
	publish := func(jobs ...uptime.Job) {
		require.NoError(t, q.Publish(t.Context(), uptime.SlotBatch{Epoch: 1, Slots: queuetest.Slots(jobs)}))
	}
	publish(more...)
	require.Equal(t, uint64(2), q.Stats().Dropped)
	leases, err = q.Take(ctx, "eu", 20)
	require.NoError(t, err)
	require.Len(t, leases, 1, "the oldest slots went: those of 9 and 1")
	require.Equal(t, int64(7), leases[0].MonitorID)
	publish(at(201, 2*time.Minute, "asia"), at(203, 2*time.Minute, "asia"))
	leases, err = q.Take(ctx, "asia", 20)
	require.NoError(t, err)
	require.Len(t, leases, 5)
	publish(at(205, 3*time.Minute, "asia"))
	d, err = q.Depth(t.Context())
	require.NoError(t, err)
	require.Equal(t, uptime.QueueDepth{Delayed: 3, Leased: 7}, d, "all that is left are slots to come")
}

// What another version wrote, or nobody knows who, blocks nothing.
func TestRedisDropsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	q := newRedis(t, connect(t, testenv.Redis(t)), 1, 0)
	now := q.stop(t)
	foreign := job(1, now)
	m := ofJob(&foreign)
	text := appendJob(nil, &m)
	text[0] = jobVersion + 1
	k := q.region("default").of[0]
	ctx := t.Context()
	require.NoError(t, q.client.HSet(ctx, k.held, string(text[nameFrom:nameTo])+"default", "").Err())
	for _, entry := range []any{text, "short", ""} {
		require.NoError(t, q.client.XAdd(ctx, &redis.XAddArgs{Stream: k.ready, Values: []any{"j", entry}}).Err())
	}
	require.NoError(t, q.Push(ctx, []uptime.Job{job(2, now)}))
	leases, err := q.Take(ctx, "default", 1)
	require.NoError(t, err)
	require.Equal(t, int64(2), leases[0].MonitorID)
	require.NoError(t, q.Ack(ctx, receiptsOf(leases)))
	require.Equal(t, uint64(3), q.Stats().Unreadable)
	require.Zero(t, q.client.XLen(ctx, k.ready).Val())
	require.Zero(t, q.client.HLen(ctx, k.held).Val())
}

// The bell rings for what another process adds, and not only when its read ends.
func TestRedisBellRings(t *testing.T) {
	t.Parallel()
	url := testenv.Redis(t)
	q, other := newRedis(t, connect(t, url), 8, 0), newRedis(t, connect(t, url), 8, 0)
	b, err := q.bell(t.Context(), "default")
	require.NoError(t, err)
	<-b.listen() // it has begun
	for id := range int64(8) {
		rung := b.listen()
		require.NoError(t, other.Push(t.Context(), []uptime.Job{job(id, time.Now())}))
		select {
		case <-rung:
		case <-time.After(bellBlock / 2):
			require.Fail(t, "no ring", "partition %d", id)
		}
	}
}

func TestRedisForgetsConsumers(t *testing.T) {
	t.Parallel()
	q := newRedis(t, connect(t, testenv.Redis(t)), 1, 0)
	q.stop(t)
	k := q.region("default").of[0]
	require.NoError(t, q.client.XGroupCreateMkStream(t.Context(), k.ready, "workers", "0").Err())
	require.NoError(t, q.client.XGroupCreateConsumer(t.Context(), k.ready, "workers", "gone").Err())
	require.NoError(t, q.Push(t.Context(), []uptime.Job{job(1, q.stop(t))}))
	_, err := q.Take(t.Context(), "default", 1)
	require.NoError(t, err)
	consumers := func() (names []string) {
		list, err := q.client.XInfoConsumers(t.Context(), k.ready, "workers").Result()
		require.NoError(t, err)
		for _, c := range list {
			names = append(names, c.Name)
		}
		return names
	}
	sweep := func(idle int) {
		for _, cmd := range q.run(t.Context(), q.scripts.sweep, []call{{[]string{k.ready}, []any{idle}}}) {
			require.NoError(t, cmd.Err())
		}
	}
	sweep(3_600_000)
	require.ElementsMatch(t, []string{"gone", "worker-1"}, consumers())
	sweep(-1)
	require.Equal(t, []string{"worker-1"}, consumers(), "one that holds a job stays")
}
