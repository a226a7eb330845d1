package limit_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"monitor/modules/limit"
	"monitor/modules/limit/limittest"
	"monitor/modules/uptime"
)

// handClock is a clock that a test moves.
type handClock struct {
	mu  sync.Mutex
	now time.Time
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

func newHandClock() *handClock {
	return &handClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func TestMemoryConformance(t *testing.T) {
	t.Parallel()
	limittest.Run(t, func(*testing.T) limittest.Fixture {
		clock := newHandClock()
		return limittest.Fixture{Limiter: limit.NewMemory(clock.Now, 0), Advance: clock.move}
	})
}

func TestKeysAreForgottenWhenFull(t *testing.T) {
	t.Parallel()
	clock := newHandClock()
	m := limit.NewMemory(clock.Now, 0)
	rate := uptime.Rate{Limit: 1, Per: time.Second}
	for i := range 1000 {
		_, err := m.Allow(t.Context(), fmt.Sprint(i), rate)
		require.NoError(t, err)
	}
	require.Equal(t, 1000, m.Keys())
	clock.move(time.Second)
	require.Zero(t, m.Keys())
}

// A flood of fresh keys keeps to the bound and does not free who used the most.
func TestBoundForgetsTheLeast(t *testing.T) {
	t.Parallel()
	m := limit.NewMemory(newHandClock().Now, 100)
	rate := uptime.Rate{Limit: 5, Per: time.Minute}
	for range 5 {
		_, err := m.Allow(t.Context(), "greedy", rate)
		require.NoError(t, err)
	}
	for i := range 1000 {
		d, err := m.Allow(t.Context(), fmt.Sprint(i), rate)
		require.NoError(t, err)
		require.True(t, d.Allowed)
	}
	require.Equal(t, 100, m.Keys())
	d, err := m.Allow(t.Context(), "greedy", rate)
	require.NoError(t, err)
	require.False(t, d.Allowed)
}

// In no window of any length are more than limit + rate × window let through,
// and what a refusal says is true.
func TestNeverMoreThanTheRate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		clock := newHandClock()
		m := limit.NewMemory(clock.Now, 0)
		rate := uptime.Rate{
			Limit: rapid.IntRange(1, 20).Draw(t, "limit"),
			Per:   time.Duration(rapid.IntRange(1, 5000).Draw(t, "per")) * time.Millisecond,
		}
		var passed []time.Time
		for range rapid.IntRange(1, 200).Draw(t, "calls") {
			clock.move(time.Duration(rapid.IntRange(0, 500).Draw(t, "ms")) * time.Millisecond)
			d, err := m.Allow(t.Context(), "k", rate)
			require.NoError(t, err)
			if !d.Allowed {
				clock.move(d.RetryAfter)
				d, err = m.Allow(t.Context(), "k", rate)
				require.NoError(t, err)
				require.True(t, d.Allowed, "after RetryAfter")
			}
			require.GreaterOrEqual(t, d.Remaining, 0)
			require.Less(t, d.Remaining, rate.Limit)
			passed = append(passed, clock.Now())
		}
		step := rate.Per / time.Duration(rate.Limit)
		for i := range passed {
			for j := i; j < len(passed); j++ {
				if most := rate.Limit + int(passed[j].Sub(passed[i])/step); j-i+1 > most {
					require.Failf(t, "too many", "%d in %s, %d allowed", j-i+1, passed[j].Sub(passed[i]), most)
				}
			}
		}
	})
}
