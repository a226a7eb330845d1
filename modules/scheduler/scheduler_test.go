package scheduler

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// running starts the scheduler in the bubble of the test, with a clock at base,
// and gives what stops it.
func running(t *testing.T, prepare func(*bundle)) (b *bundle, stop func()) {
	t.Helper()
	zero := time.Now()
	b = setup(t, func() time.Time { return base.Add(time.Since(zero)) }, 4)
	if prepare != nil {
		prepare(b)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done, ready := make(chan error, 1), make(chan struct{})
	go func() { done <- b.Run(ctx, sync.OnceFunc(func() { close(ready) })) }()
	<-ready
	synctest.Wait()
	return b, func() {
		cancel()
		require.NoError(t, <-done)
	}
}

// pass lets time go by, and everything that follows from it happen.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestPublishesAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, stop := running(t, func(b *bundle) {
			for id := range int64(50) {
				b.table.save(monitor(id+1, 5*time.Second))
			}
		})
		pass(60*time.Second + time.Millisecond)
		stats := b.Stats()
		require.True(t, stats.Leading)
		require.Equal(t, 50, stats.Monitors)
		require.InDelta(t, 10, stats.Rate, 1e-6)
		require.InDelta(t, -2, stats.Lag.Seconds(), 0.01)
		require.Len(t, b.queue.published(), int(stats.Published))
		stop()
		require.False(t, b.Stats().Leading)
		for id := range int64(50) {
			m := b.table.monitors[id+1]
			require.Equal(t, grid(m, base, base.Add(62*time.Second)), b.queue.slots(m.ID))
		}
		for key, at := range b.queue.at {
			require.GreaterOrEqual(t, time.UnixMilli(key.ScheduledAt).Sub(at), time.Duration(0), "published before its slot")
		}
		require.Equal(t, slices.Repeat([]time.Time{base.Add(62 * time.Second)}, 4), b.table.marks, "the stop saves the last mark")
	})
}

func TestNoticeIsHeardAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, stop := running(t, nil)
		defer stop()
		pass(1500 * time.Millisecond)
		m := monitor(5, time.Hour)
		m.CheckAt = b.Clock().Truncate(time.Millisecond)
		b.table.save(m)
		require.NoError(t, b.bus.Publish(t.Context(), uptime.Notice{Topic: uptime.TopicMonitor, ID: 5}))
		synctest.Wait()
		require.Equal(t, []time.Duration{m.CheckAt.Sub(base)}, b.queue.slots(5)[:1])
		require.Equal(t, m.CheckAt, b.queue.publishedAt(uptime.ResultKey{
			MonitorID: 5, Region: uptime.DefaultRegion, ScheduledAt: m.CheckAt.UnixMilli(),
		}), "without any wait")

		b.table.erase(5)
		require.NoError(t, b.bus.Publish(t.Context(), uptime.Notice{Topic: uptime.TopicMonitor, ID: 5}))
		synctest.Wait()
		require.Zero(t, b.Stats().Monitors)
	})
}

// Many notices become one read by change sequence; a lagging bus does too.
func TestManyNoticesAreOneRead(t *testing.T) {
	t.Parallel()
	for _, notices := range [][]uptime.Notice{
		slices.Repeat([]uptime.Notice{{Topic: uptime.TopicMonitor}}, 3*manyNotices), {{}},
	} {
		t.Run(fmt.Sprint(len(notices)), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b, stop := running(t, func(b *bundle) { b.table.save(monitor(1000, time.Minute)) })
				defer stop()
				for i := range 3 * manyNotices {
					b.table.save(monitor(int64(i+1), time.Minute))
					if len(notices) > 1 {
						notices[i].ID = int64(i + 1)
					}
				}
				reads := b.table.queries()
				require.NoError(t, b.bus.Publish(t.Context(), notices...))
				synctest.Wait()
				require.Equal(t, 3*manyNotices+1, b.Stats().Monitors)
				require.LessOrEqual(t, b.table.queries(), reads+2)
			})
		})
	}
}

// A lost notice costs a refresh, and what a refresh cannot see a re-read.
func TestRefreshAndReread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, stop := running(t, func(b *bundle) {
			m := monitor(1, time.Minute)
			m.UpdatedAt = base.Add(-time.Hour)
			b.table.save(m)
		})
		defer stop()
		b.bus.setDeaf()
		m := monitor(2, 10*time.Second)
		m.CheckAt = base
		b.table.save(m)
		pass(31 * time.Second)
		require.Equal(t, 2, b.Stats().Monitors)
		require.NotEmpty(t, b.queue.slots(2))
		require.NotContains(t, b.queue.slots(2), time.Duration(0), "too old by now")

		m.Enabled = false
		b.table.save(m)
		pass(30 * time.Second)
		require.Equal(t, 1, b.Stats().Monitors)

		b.table.erase(1) // no change sequence tells
		pass(5 * time.Minute)
		require.Equal(t, 1, b.Stats().Monitors)
		pass(5 * time.Minute)
		require.Zero(t, b.Stats().Monitors)
	})
}

// Without the database slots go on; what waits is written when it is back.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := monitor(1, 5*time.Second)
		b, stop := running(t, func(b *bundle) { b.table.save(m) })
		pass(time.Second)
		b.table.setAway(true)
		added := monitor(2, 5*time.Second)
		added.CheckAt = base.Add(time.Second)
		b.table.save(added)
		require.NoError(t, b.bus.Publish(t.Context(), uptime.Notice{Topic: uptime.TopicMonitor, ID: 2}))
		pass(20 * time.Minute)
		require.Equal(t, grid(m, base, base.Add(20*time.Minute+3*time.Second)), b.queue.slots(1))
		require.Empty(t, b.queue.slots(2))
		require.Positive(t, b.Stats().RefreshErrors)
		b.table.setAway(false)
		pass(6 * time.Second)
		require.NotEmpty(t, b.queue.slots(2), "tried again each second")
		require.True(t, b.table.saved()[0].After(base.Add(20*time.Minute)))
		stop()
	})
}

// A queue that was away for longer than the interval: nothing is lost silently.
func TestQueueAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, stop := running(t, func(b *bundle) { b.table.save(monitor(1, 5*time.Second)) })
		pass(10 * time.Second)
		b.queue.setFails(func(int) bool { return true })
		pass(time.Minute)
		b.queue.setFails(func(int) bool { return false })
		pass(10 * time.Second)
		stop()
		published := b.queue.slots(1)
		var missed int64
		for _, r := range b.table.booked() {
			missed += r.Count
		}
		require.Positive(t, missed)
		all := grid(b.table.monitors[1], base, base.Add(82*time.Second))
		require.Len(t, all, len(published)+int(missed))
		require.Equal(t, missed, int64(b.Stats().MissedSlots))
	})
}

// A fenced leader stops at once, and publishes again only under a new epoch.
func TestFencedLeaderStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, stop := running(t, func(b *bundle) { b.table.save(monitor(1, 5*time.Second)) })
		pass(3500 * time.Millisecond)
		require.NoError(t, b.queue.Raise(t.Context(), 2))
		before := len(b.queue.published())
		pass(time.Second)
		require.ErrorIs(t, b.leader.failures()[0], uptime.ErrFenced)
		require.Len(t, b.queue.published(), before)
		pass(10 * time.Second)
		require.Equal(t, int64(2), b.Stats().Epoch)
		stop()
		require.Equal(t, grid(b.table.monitors[1], base, base.Add(16*time.Second)), b.queue.slots(1)[:3:3])
	})
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	_, err := New(Params{})
	require.Error(t, err)
	p := setup(t, time.Now, 1).Params
	p.Config.Tick = 0
	_, err = New(p)
	require.Error(t, err)
}

func TestStartStopStress(t *testing.T) {
	t.Parallel()
	b := setup(t, time.Now, 4)
	for id := range int64(100) {
		b.table.save(monitor(id+1, 5*time.Second))
	}
	b.Config.Tick, b.Config.Refresh = time.Millisecond, time.Millisecond
	for i := range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		if i%2 == 0 {
			require.NoError(t, b.Run(ctx, cancel)) // stopped as soon as it is ready
			continue
		}
		before := b.Stats().Published
		done := make(chan error, 1)
		go func() { done <- b.Run(ctx, func() {}) }()
		require.NoError(t, b.bus.Publish(ctx, uptime.Notice{Topic: uptime.TopicMonitor, ID: int64(i)}))
		if i == 1 {
			require.Eventually(t, func() bool { return b.Stats().Published > before }, 10*time.Second, time.Millisecond)
		}
		cancel()
		require.NoError(t, <-done)
	}
}
