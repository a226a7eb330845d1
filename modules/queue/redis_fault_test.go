package queue

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"monitor/modules/queue/queuetest"
	"monitor/modules/redisconn"
	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

func spread(n int64, slot time.Time) []uptime.Job {
	var jobs []uptime.Job
	for id := range n {
		jobs = append(jobs, job(id+1, slot))
	}
	return jobs
}

// eventually tries until there is no error: the server is coming back.
func eventually(t *testing.T, do func() error) {
	t.Helper()
	require.Eventually(t, func() bool { return do() == nil }, patience, 20*time.Millisecond)
}

func takeAll(t *testing.T, q *Redis, n int) []uptime.Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var all []uptime.Lease
	for len(all) < n {
		leases, err := q.Take(ctx, "default", 1000)
		require.NoError(t, err, "took %d of %d", len(all), n)
		all = append(all, leases...)
	}
	return all
}

// An emptied server is noticed by who leads, and heals for who takes.
func TestRedisFlushed(t *testing.T) {
	t.Parallel()
	url, process := testenv.RedisRestartable(t)
	q := newRedis(t, connect(t, url), 8, 0)
	ctx := t.Context()
	require.NoError(t, q.Raise(ctx, 1))
	now := q.stop(t)
	batch := uptime.SlotBatch{Epoch: 1, UpTo: now, Slots: queuetest.Slots(spread(100, now)), Rate: 10}
	require.NoError(t, q.Publish(ctx, batch))
	leases := takeAll(t, q, 100)
	got := make(chan []uptime.Lease, 1)
	go func() { // waits in the middle of it all
		l, _ := q.Take(ctx, "default", 1000)
		got <- l
	}()

	process.Do("FLUSHALL")
	batch.UpTo = now.Add(time.Second)
	require.ErrorIs(t, q.Publish(ctx, batch), uptime.ErrLost)
	marks, err := q.Watermarks(ctx)
	require.NoError(t, err)
	require.Equal(t, make([]time.Time, 8), marks)
	require.NoError(t, q.Renew(ctx, receiptsOf(leases)), "what is lost is ignored")
	require.NoError(t, q.Ack(ctx, receiptsOf(leases)))
	d, err := q.Depth(ctx)
	require.NoError(t, err)
	require.Equal(t, uptime.QueueDepth{}, d)

	require.NoError(t, q.Raise(ctx, 2))
	batch.Epoch = 2
	require.NoError(t, q.Publish(ctx, batch))
	first := <-got
	require.NotEmpty(t, first)
	require.Len(t, append(first, takeAll(t, q, 100-len(first))...), 100)
}

// A promoted replica lacks the last writes.
func TestRedisRewound(t *testing.T) {
	t.Parallel()
	q := newRedis(t, connect(t, testenv.Redis(t)), 4, 0)
	ctx := t.Context()
	now := q.stop(t)
	state := redisconn.Partition(2).State()
	publish := func(epoch int64, upTo time.Duration) error {
		return q.Publish(ctx, uptime.SlotBatch{Epoch: epoch, UpTo: now.Add(upTo), Slots: queuetest.Slots(spread(8, now.Add(upTo)))})
	}
	require.NoError(t, q.Raise(ctx, 1))
	require.NoError(t, publish(1, time.Second))
	require.NoError(t, publish(1, 2*time.Second))
	require.NoError(t, q.client.HSet(ctx, state, "watermark", now.Add(time.Second).UnixMilli()).Err())
	require.ErrorIs(t, publish(1, 3*time.Second), uptime.ErrLost)
	marks, err := q.Watermarks(ctx)
	require.NoError(t, err)
	require.Equal(t, now.Add(time.Second), marks[2], "the partition was left as it is")

	require.NoError(t, q.Raise(ctx, 2))
	require.NoError(t, publish(2, 3*time.Second), "a new term goes on from what is there")
	require.NoError(t, q.client.HDel(ctx, state, "watermark").Err())
	require.ErrorIs(t, publish(2, 4*time.Second), uptime.ErrLost)
	require.NoError(t, q.client.HSet(ctx, state, "epoch", 9).Err())
	require.ErrorIs(t, publish(2, 5*time.Second), uptime.ErrFenced)
}

// A server that crashes and comes back with what it held: nothing is lost, and
// nobody has to do anything.
func TestRedisRestarted(t *testing.T) {
	t.Parallel()
	url, process := testenv.RedisRestartable(t)
	q := newRedis(t, connect(t, url), 8, 0)
	ctx := t.Context()
	require.NoError(t, q.Raise(ctx, 1))
	now := q.stop(t)
	require.NoError(t, q.Publish(ctx, uptime.SlotBatch{Epoch: 1, UpTo: now, Slots: queuetest.Slots(spread(100, now)), Rate: 10}))
	leases := takeAll(t, q, 100)
	require.NoError(t, q.Push(ctx, spread(200, now)))

	process.Kill()
	requireAway(t, q)
	process.Start()
	eventually(t, func() error { return q.Ack(ctx, receiptsOf(leases)) })
	require.Len(t, takeAll(t, q, 100), 100)
	require.NoError(t, q.Publish(ctx, uptime.SlotBatch{Epoch: 1, UpTo: now.Add(time.Second), Slots: queuetest.Slots(spread(1, now.Add(time.Second)))}))
}

// requireAway: every call fails in time with what says that others may help.
func requireAway(t *testing.T, q *Redis) {
	t.Helper()
	now := time.Now().UTC()
	lost := job(1, now)
	receipts := []string{newReceipt(0, &lost, "1-0", 1)}
	var all sync.WaitGroup
	for name, call := range map[string]func(context.Context) error{
		"Take":    func(ctx context.Context) error { _, err := q.Take(ctx, "default", 10); return err },
		"Push":    func(ctx context.Context) error { return q.Push(ctx, []uptime.Job{lost}) },
		"Ack":     func(ctx context.Context) error { return q.Ack(ctx, receipts) },
		"Renew":   func(ctx context.Context) error { return q.Renew(ctx, receipts) },
		"Depth":   func(ctx context.Context) error { _, err := q.Depth(ctx); return err },
		"Marks":   func(ctx context.Context) error { _, err := q.Watermarks(ctx); return err },
		"Raise":   func(ctx context.Context) error { return q.Raise(ctx, 1) },
		"Publish": func(ctx context.Context) error { return q.Publish(ctx, uptime.SlotBatch{Epoch: 1, UpTo: now}) },
	} {
		all.Go(func() {
			began := time.Now()
			assert.ErrorIs(t, call(t.Context()), uptime.ErrUnavailable, name) //nolint:testifylint // not in a goroutine
			assert.Less(t, time.Since(began), 2*redisconn.Timeout, name)
		})
	}
	all.Wait()
}

// A server that neither answers nor goes away.
func TestRedisPaused(t *testing.T) {
	t.Parallel()
	url, process := testenv.RedisRestartable(t)
	q, closing := newRedis(t, connect(t, url), 8, 0), newRedis(t, connect(t, url), 8, 0)
	ctx := t.Context()
	require.NoError(t, q.Raise(ctx, 1))
	now := time.Now()
	require.NoError(t, closing.Push(ctx, spread(8, now)))
	require.Len(t, takeAll(t, closing, 8), 8) // so that it listens
	process.Pause()
	requireAway(t, q)
	began := time.Now()
	require.NoError(t, closing.Close())
	require.Less(t, time.Since(began), 2*redisconn.Timeout)
	_, err := closing.Take(ctx, "default", 1)
	require.ErrorIs(t, err, uptime.ErrUnavailable)
	process.Resume()
	eventually(t, func() error { return q.Push(ctx, spread(20, now)) })
	for _, l := range takeAll(t, q, 12) {
		if l.ScheduledAt.Equal(now.Truncate(time.Millisecond)) {
			require.Greater(t, l.MonitorID, int64(8), "the first 8 are in the hands of another")
		}
	}
}

// A server that became a replica of another refuses until it leads again.
func TestRedisReadOnly(t *testing.T) {
	t.Parallel()
	url, process := testenv.RedisRestartable(t)
	q := newRedis(t, connect(t, url), 8, 0)
	ctx := t.Context()
	require.NoError(t, q.Raise(ctx, 1))
	process.Do("REPLICAOF", "127.0.0.1", "1")
	for name, err := range map[string]error{
		"Push":    q.Push(ctx, spread(1, time.Now())),
		"Publish": q.Publish(ctx, uptime.SlotBatch{Epoch: 1, UpTo: time.Now()}),
	} {
		require.ErrorIs(t, err, uptime.ErrUnavailable, name)
	}
	_, err := q.Take(ctx, "default", 1)
	require.ErrorIs(t, err, uptime.ErrUnavailable)
	process.Do("REPLICAOF", "NO", "ONE")
	eventually(t, func() error { return q.Push(ctx, spread(8, time.Now())) })
	require.Len(t, takeAll(t, q, 8), 8)
}

// A server whose clock is behind that of the one before it leads: the backlog goes
// on at its pace, and does not wait until that time comes again.
func TestRedisClockSetBack(t *testing.T) {
	t.Parallel()
	q := newRedis(t, connect(t, testenv.Redis(t)), 1, 0)
	ctx := t.Context()
	now := q.stop(t)
	require.NoError(t, q.Raise(ctx, 1))
	batch := uptime.SlotBatch{Epoch: 1, Rate: 10, Slots: queuetest.Slots(spread(200, now.Add(-20*time.Minute)))}
	require.NoError(t, q.Publish(ctx, batch))
	require.Len(t, takeAll(t, q, 10), 10, "half a second's allowance")
	q.advance(-10 * time.Minute)
	batch.Slots = nil
	require.NoError(t, q.Publish(ctx, batch))
	q.advance(time.Second / 2)
	require.Len(t, takeAll(t, q, 10), 10)
	q.advance(-10 * time.Minute) // likewise without a leader
	require.NoError(t, q.Push(ctx, []uptime.Job{job(1000, now.Add(-20*time.Minute))}))
	takeAll(t, q, 1)
	q.advance(time.Second / 2)
	require.GreaterOrEqual(t, len(takeAll(t, q, 9)), 9)
}

// A part that is away may take what it could not: that another one is full does not
// hide it.
func TestRedisAwayAboveFull(t *testing.T) {
	t.Parallel()
	q := newRedis(t, connect(t, testenv.Redis(t)), 2, 4)
	ctx := t.Context()
	now := q.stop(t)
	require.NoError(t, q.Push(ctx, []uptime.Job{job(2, now), job(4, now)}))
	held := redisconn.Partition(1).Held()
	require.NoError(t, q.client.Set(ctx, held, "no hash", 0).Err())
	err := q.Push(ctx, []uptime.Job{job(6, now), job(7, now)})
	require.ErrorIs(t, err, uptime.ErrUnavailable)
	require.NoError(t, q.client.Del(ctx, held).Err())
	require.ErrorIs(t, q.Push(ctx, []uptime.Job{job(6, now), job(7, now)}), uptime.ErrFull)
	require.Len(t, takeAll(t, q, 3), 3)
}

// Somebody removes the group: it is made again from the start of the stream, and
// what is in workers' hands stays there.
func TestRedisGroupRemoved(t *testing.T) {
	t.Parallel()
	q := newRedis(t, connect(t, testenv.Redis(t)), 1, 0)
	ctx := t.Context()
	now := q.stop(t)
	late := job(100, now.Add(-30*time.Second))
	require.NoError(t, q.Push(ctx, append(spread(10, now), late)))
	leases, err := q.Take(ctx, "default", 5)
	require.NoError(t, err)
	require.Len(t, leases, 5)
	q.advance(5 * time.Second) // what is leased is late by now
	require.NoError(t, q.client.XGroupDestroy(ctx, q.region("default").of[0].ready, "workers").Err())
	seen := map[int64]bool{}
	for _, l := range append(leases, takeAll(t, q, 6)...) {
		require.False(t, seen[l.MonitorID], "monitor %d was handed out twice", l.MonitorID)
		seen[l.MonitorID] = true
		require.Equal(t, 1, l.Taken)
	}
	require.NoError(t, q.Ack(ctx, receiptsOf(leases)))
	q.advance(10*time.Second + uptime.LeaseMargin)
	for _, l := range takeAll(t, q, 6) {
		require.Equal(t, 2, l.Taken)
	}
}

// A replica is promoted that lacks the last writes: who leads is told so, goes on
// from what there is, and the address stays.
func TestRedisBehindSentinel(t *testing.T) {
	t.Parallel()
	s := testenv.RedisSentinel(t)
	q := newRedis(t, connect(t, s.URL), 8, 0)
	ctx := t.Context()
	require.NoError(t, q.Raise(ctx, 1))
	now := q.stop(t)
	publish := func(epoch int64, upTo time.Duration) error {
		return q.Publish(ctx, uptime.SlotBatch{Epoch: epoch, UpTo: now.Add(upTo), Slots: queuetest.Slots(spread(40, now.Add(upTo)))})
	}
	require.NoError(t, publish(1, 0))
	s.Master().Do("WAIT", 1, 5000)
	s.CutReplication()
	require.NoError(t, publish(1, time.Second))
	s.KillMaster()
	eventually(t, func() error { _, err := q.Watermarks(ctx); return err })
	var err error
	eventually(t, func() error {
		if err = publish(1, 2*time.Second); errors.Is(err, uptime.ErrUnavailable) {
			return err
		}
		return nil
	})
	require.ErrorIs(t, err, uptime.ErrLost)
	require.NoError(t, q.Raise(ctx, 2))
	marks, err := q.Watermarks(ctx)
	require.NoError(t, err)
	for _, m := range marks {
		require.Equal(t, now, m)
	}
	require.NoError(t, publish(2, time.Second))
	leases := takeAll(t, q, 80)
	require.Len(t, leases, 80, "each slot once")
	require.NoError(t, q.Ack(ctx, receiptsOf(leases)))
}

// Several processes publish, take, renew, acknowledge, die with jobs in their
// hands and lose their connections: every job is handed out, and none to two at
// the same time.
func TestRedisNemesis(t *testing.T) {
	t.Parallel()
	const takers, lasts = 4, 3 * time.Second
	url, process := testenv.RedisRestartable(t)
	clock := new(atomic.Int64) // of all queues; it runs 200 times as fast
	clock.Store(time.Now().UnixMilli())
	open := func() *Redis {
		q := newRedis(t, connect(t, url), 4, 0)
		q.stopped = clock
		return q
	}
	w := &hands{t: t, clock: clock, until: map[uptime.ResultKey]int64{}, done: map[uptime.ResultKey]bool{}}
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	var all sync.WaitGroup
	for i := range takers {
		q := open()
		q.consumer = string(rune('a' + i))
		all.Go(func() { w.work(ctx, q, rand.New(rand.NewPCG(1, uint64(i)))) })
	}
	leader := open()
	require.NoError(t, leader.Raise(ctx, 1))

	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	published := 0
	for step := 0; time.Duration(step)*10*time.Millisecond < lasts; step++ {
		<-tick.C
		clock.Add(2000)
		jobs := spread(20, time.UnixMilli(clock.Load()).UTC())
		if step%3 == 0 {
			eventually(t, func() error { return leader.Push(ctx, jobs) })
		} else {
			eventually(t, func() error {
				return leader.Publish(ctx, uptime.SlotBatch{Epoch: 1, UpTo: jobs[0].ScheduledAt, Slots: queuetest.Slots(jobs)})
			})
		}
		published += len(jobs)
		if step%50 == 25 {
			process.Do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		}
	}
	for w.finished() < published {
		select {
		case <-ctx.Done():
			require.Fail(t, "not all were handed out", "%d of %d", w.finished(), published)
		case <-tick.C:
			clock.Add(2000)
		}
	}
	cancel()
	all.Wait()
	require.Equal(t, published, w.finished())
	require.Positive(t, w.again.Load(), "nobody died")
	d, err := leader.Depth(t.Context())
	require.NoError(t, err)
	require.Zero(t, d.Delayed)
}

// hands knows who works on what.
type hands struct {
	t     *testing.T
	clock *atomic.Int64
	again atomic.Int64

	mu    sync.Mutex
	until map[uptime.ResultKey]int64 // no earlier may it be handed out again
	done  map[uptime.ResultKey]bool
}

func (w *hands) finished() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.done)
}

func (w *hands) work(ctx context.Context, q *Redis, random *rand.Rand) {
	for ctx.Err() == nil {
		before := w.clock.Load()
		leases, err := q.Take(ctx, "default", 1+random.IntN(40))
		if err != nil {
			continue
		}
		w.given(leases, before, w.clock.Load())
		switch random.IntN(8) {
		case 0: // dies
			continue
		case 1, 2:
			_ = q.Renew(ctx, receiptsOf(leases))
		}
		if q.Ack(ctx, receiptsOf(leases)) == nil {
			w.mu.Lock()
			for _, l := range leases {
				w.done[l.Key()] = true
			}
			w.mu.Unlock()
		}
	}
}

// given checks that leases handed out between two times were nobody's.
func (w *hands) given(leases []uptime.Lease, before, after int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range leases {
		key := l.Key()
		if l.Taken > 1 {
			w.again.Add(1)
		}
		if after < w.until[key] {
			w.t.Errorf("%v was handed out at %d, within a lease until %d", key, after, w.until[key])
		}
		from := max(before, l.ScheduledAt.UnixMilli())
		w.until[key] = from + (l.Spec.Timeout + uptime.LeaseMargin).Milliseconds()
	}
}
