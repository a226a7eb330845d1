package fleet_test

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"monitor/modules/fleet"
	"monitor/modules/fleet/fleettest"
	"monitor/modules/uptime"
)

func TestMain(m *testing.M) {
	// A pool whose server is away looks for it once a second, and sees its own
	// end only then.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

// handClock stands until it is moved.
type handClock struct {
	mu  sync.Mutex
	now time.Time
}

func newHandClock() *handClock { return &handClock{now: time.Now().UTC()} }

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestMemoryConformance(t *testing.T) {
	t.Parallel()
	fleettest.Run(t, func(*testing.T) fleettest.Fixture {
		clock := newHandClock()
		f := fleet.NewMemory(clock.Now)
		return fleettest.Fixture{
			Handle: func() fleettest.Fleet { return f }, Now: clock.Now, Advance: clock.Advance,
		}
	})
}

func TestLateness(t *testing.T) {
	t.Parallel()
	bounds := []time.Duration{time.Millisecond, time.Second}
	a := fleet.Lateness{Bounds: bounds, Counts: []uint64{90, 9, 0}}
	b := fleet.Lateness{Bounds: bounds, Counts: []uint64{0, 0, 1}}
	sum := a.Plus(b)
	require.Equal(t, []uint64{90, 9, 1}, sum.Counts)
	require.Equal(t, []uint64{90, 9, 0}, a.Counts, "it is a sum of its own")
	require.Equal(t, time.Millisecond, sum.Quantile(0.5))
	require.Equal(t, time.Second, sum.Quantile(0.95))
	require.Equal(t, time.Second, sum.Quantile(1), "beyond the last bound")
	require.Zero(t, fleet.Lateness{}.Quantile(0.5))
	require.Equal(t, a, fleet.Lateness{}.Plus(a))
	require.Equal(t, a, a.Plus(fleet.Lateness{Bounds: bounds[:1], Counts: []uint64{7, 7}}), "of another version")
}

func TestWatch(t *testing.T) {
	t.Parallel()
	clock := newHandClock()
	w := fleet.NewWatch(clock.Now)
	all := []fleet.Member{{Roles: []string{"web", "scheduler", "notifier"}}, {Roles: []string{"worker"}}}
	names := func(list []uptime.Condition) (out []string) {
		for _, c := range list {
			require.NotEmpty(t, c.Detail)
			out = append(out, c.Name)
		}
		return out
	}
	require.Empty(t, w.Look(nil), "they may still be starting")
	clock.Advance(fleet.Patience)
	require.Equal(t, []string{"scheduler", "workers", "notifiers"}, names(w.Look(nil)))
	require.Empty(t, w.Look(all))
	require.Empty(t, w.Look(all[:1]))
	clock.Advance(fleet.Patience)
	require.Equal(t, []string{"workers"}, names(w.Look(all[:1])))
	w.Forget()
	require.Empty(t, w.Look(all[:1]), "nobody could tell, so it begins anew")
}

// TestNotesAreForgotten: a process that runs for months keeps seconds.
func TestNotesAreForgotten(t *testing.T) {
	t.Parallel()
	clock := newHandClock()
	f := fleet.NewMemory(clock.Now)
	for i := range 10_000 {
		f.Wrote(t.Context(), "user:"+strconv.Itoa(i))
		clock.Advance(10 * time.Millisecond)
	}
	require.InDelta(t, 1000, f.Notes(), 1)
	clock.Advance(time.Minute)
	require.False(t, f.DidWrite(t.Context(), "user:1"))
	require.Zero(t, f.Notes())
}
