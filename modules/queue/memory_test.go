package queue

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"monitor/modules/queue/queuetest"
	"monitor/modules/uptime"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// handClock is a clock that a test moves.
type handClock struct {
	mu  sync.Mutex
	now time.Time
}

func newHandClock() *handClock {
	return &handClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newQueue(tb testing.TB, clock uptime.Clock, bound int) *Memory {
	tb.Helper()
	q, err := NewMemory(MemoryParams{Clock: clock, Bound: bound})
	require.NoError(tb, err)
	return q
}

// wakeAll stands for timers that come due when the clock is moved by hand.
func (q *Memory) wakeAll() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range q.regions {
		r.wake()
	}
}

func TestMemoryConformance(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, func(t *testing.T, bound int) queuetest.Fixture {
		t.Helper()
		clock := newHandClock()
		q := newQueue(t, clock.Now, bound)
		return queuetest.Fixture{Queue: q, Now: clock.Now, Advance: func(d time.Duration) {
			clock.move(d)
			q.wakeAll()
		}}
	})
}

func TestNewMemoryRefuses(t *testing.T) {
	t.Parallel()
	_, err := NewMemory(MemoryParams{})
	require.Error(t, err)
	_, err = NewMemory(MemoryParams{Clock: time.Now, Bound: -1})
	require.Error(t, err)
}

func job(id int64, slot time.Time) uptime.Job {
	return uptime.Job{
		MonitorID: id, Region: "default", ScheduledAt: slot, Attempt: 1,
		Spec: uptime.Spec{Interval: time.Hour, Timeout: 10 * time.Second},
	}
}

// A waiting Take wakes by itself, and at the very moment.
func TestTakeWakesExactly(t *testing.T) {
	t.Parallel()
	const lease = 10*time.Second + uptime.LeaseMargin
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, time.Now, 0)
		began := time.Now()
		slot := began.Add(90*time.Second + 7*time.Millisecond)
		require.NoError(t, q.Push(t.Context(), []uptime.Job{job(1, slot)}))
		_, err := q.Take(t.Context(), "default", 5)
		require.NoError(t, err)
		require.Equal(t, slot.Add(-uptime.TakeAhead), time.Now(), "by the slot")
		_, err = q.Take(t.Context(), "default", 5)
		require.NoError(t, err)
		require.Equal(t, slot.Add(lease), time.Now(), "by the end of the lease")

		// A second slot that comes earlier than what is waited for.
		got := make(chan time.Time, 1)
		go func() {
			_, _ = q.Take(t.Context(), "default", 1)
			got <- time.Now()
		}()
		synctest.Wait()
		soon := time.Now().Add(3 * time.Second)
		require.NoError(t, q.Push(t.Context(), []uptime.Job{job(2, soon)}))
		require.Equal(t, soon.Add(-uptime.TakeAhead), <-got)
	})
}

// The pace wakes a Take that waits for its allowance.
func TestTakeWakesByPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, time.Now, 0)
		jobs := make([]uptime.Job, 300)
		for i := range jobs {
			jobs[i] = job(int64(i+1), time.Now().Add(-time.Minute))
		}
		began := time.Now()
		require.NoError(t, q.Raise(t.Context(), 1))
		require.NoError(t, q.Publish(t.Context(), uptime.SlotBatch{Epoch: 1, Slots: queuetest.Slots(jobs), Rate: 25}))
		for range jobs {
			leases, err := q.Take(t.Context(), "default", 1)
			require.NoError(t, err)
			require.NoError(t, q.Ack(t.Context(), []string{leases[0].Receipt}))
		}
		// 25 at once, then 50 a second.
		require.InDelta(t, 5.5, time.Since(began).Seconds(), 0.5)
	})
}

// Whatever is done in whatever order, the queue holds what it should.
func TestMemoryAccounts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		clock := newHandClock()
		q, err := NewMemory(MemoryParams{Clock: clock.Now, Bound: 40, Partitions: 3})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		require.NoError(t, q.Raise(ctx, 1))
		live := map[string]bool{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0:
				var jobs []uptime.Job
				for range rapid.IntRange(1, 20).Draw(t, "jobs") {
					j := job(rapid.Int64Range(1, 30).Draw(t, "id"),
						clock.Now().Add(time.Duration(rapid.IntRange(-40, 10).Draw(t, "slot"))*time.Second))
					j.Spec.Interval = 20 * time.Second
					jobs = append(jobs, j)
				}
				require.NoError(t, q.Publish(ctx, uptime.SlotBatch{Epoch: 1, Slots: queuetest.Slots(jobs), Rate: 3}))
			case 1, 2:
				leases, _, _ := q.tryTake("default", rapid.IntRange(1, 10).Draw(t, "n"))
				for _, l := range leases {
					require.LessOrEqual(t, l.ScheduledAt, clock.Now().Add(uptime.TakeAhead))
					require.Equal(t, clock.Now().After(l.Expires()), l.Expired)
					live[l.Receipt] = true
				}
			case 3:
				for r := range live {
					require.NoError(t, q.Ack(ctx, []string{r}))
					delete(live, r)
					break
				}
			case 4:
				clock.move(time.Duration(rapid.IntRange(0, 25).Draw(t, "seconds")) * time.Second)
			}
			d, err := q.Depth(ctx)
			require.NoError(t, err)
			require.Equal(t, int64(q.count), d.Ready+d.Delayed+d.Leased)
			require.LessOrEqual(t, q.count, 40)
			s := q.Stats()
			require.Equal(t, s.Added, s.Acked+s.Dropped+uint64(q.count))
		}
	})
}
