// Package limittest is the conformance suite of uptime.Limiter.
package limittest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// slack is how far off an implementation's times may be: one on a server counts
// in its own clock's steps.
const slack = 10 * time.Millisecond

// Fixture is a limiter with a clock that the suite moves.
type Fixture struct {
	Limiter uptime.Limiter
	// Advance moves the limiter's clock; one on a server may really wait. The
	// suite's waits sum up to less than five seconds.
	Advance func(d time.Duration)
}

// Factory makes a fixture that knows no key.
type Factory func(t *testing.T) Fixture

// Run tests an implementation.
func Run(t *testing.T, fresh Factory) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Fixture){
		"Numbers":          numbers,
		"OneComesBack":     comesBack,
		"RefusedIsFree":    refusedIsFree,
		"GivenBack":        givenBack,
		"KeysAreApart":     apart,
		"Concurrency":      concurrent,
		"CancelledContext": cancelled,
		"BadRate":          badRate,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, fresh(t))
		})
	}
}

func allow(t *testing.T, f Fixture, key string, rate uptime.Rate) uptime.LimitDecision {
	t.Helper()
	d, err := f.Limiter.Allow(t.Context(), key, rate)
	require.NoError(t, err)
	require.Equal(t, rate.Limit, d.Limit)
	return d
}

func numbers(t *testing.T, f Fixture) {
	t.Helper()
	rate := uptime.Rate{Limit: 4, Per: time.Minute}
	for i := range 4 {
		d := allow(t, f, "k", rate)
		require.True(t, d.Allowed)
		require.Equal(t, 3-i, d.Remaining)
		require.Zero(t, d.RetryAfter)
		near(t, time.Duration(i+1)*15*time.Second, d.ResetAfter)
	}
	d := allow(t, f, "k", rate)
	require.False(t, d.Allowed)
	require.Zero(t, d.Remaining)
	near(t, 15*time.Second, d.RetryAfter)
	near(t, time.Minute, d.ResetAfter)
}

// near allows for the time that the calls themselves took.
func near(t *testing.T, want, got time.Duration) {
	t.Helper()
	require.LessOrEqual(t, got, want+slack)
	require.GreaterOrEqual(t, got, want-5*time.Second)
}

func comesBack(t *testing.T, f Fixture) {
	t.Helper()
	rate := uptime.Rate{Limit: 2, Per: time.Second}
	require.True(t, allow(t, f, "k", rate).Allowed)
	require.True(t, allow(t, f, "k", rate).Allowed)
	d := allow(t, f, "k", rate)
	require.False(t, d.Allowed)
	f.Advance(d.RetryAfter + slack)
	require.True(t, allow(t, f, "k", rate).Allowed)
	require.False(t, allow(t, f, "k", rate).Allowed, "only one came back")
	f.Advance(rate.Per + slack)
	require.Equal(t, 1, allow(t, f, "k", rate).Remaining, "all came back, and no more")
}

func refusedIsFree(t *testing.T, f Fixture) {
	t.Helper()
	rate := uptime.Rate{Limit: 1, Per: time.Second}
	require.True(t, allow(t, f, "k", rate).Allowed)
	for range 20 {
		require.False(t, allow(t, f, "k", rate).Allowed)
	}
	f.Advance(rate.Per + slack)
	require.True(t, allow(t, f, "k", rate).Allowed)
}

func givenBack(t *testing.T, f Fixture) {
	t.Helper()
	rate := uptime.Rate{Limit: 3, Per: time.Minute}
	give := func(key string) { require.NoError(t, f.Limiter.GiveBack(t.Context(), key, rate)) }
	give("a") // has all of it
	for range 3 {
		require.True(t, allow(t, f, "a", rate).Allowed)
		allow(t, f, "b", rate)
	}
	require.False(t, allow(t, f, "a", rate).Allowed)
	give("a")
	require.True(t, allow(t, f, "a", rate).Allowed)
	require.False(t, allow(t, f, "a", rate).Allowed)
	for range 5 {
		give("a")
	}
	require.Equal(t, 2, allow(t, f, "a", rate).Remaining)
	require.False(t, allow(t, f, "b", rate).Allowed)
	require.Error(t, f.Limiter.GiveBack(t.Context(), "a", uptime.Rate{}))
}

func apart(t *testing.T, f Fixture) {
	t.Helper()
	rate := uptime.Rate{Limit: 1, Per: time.Hour}
	require.True(t, allow(t, f, "a", rate).Allowed)
	require.True(t, allow(t, f, "b", rate).Allowed)
	require.False(t, allow(t, f, "a", rate).Allowed)
	require.True(t, allow(t, f, "", rate).Allowed)
}

func concurrent(t *testing.T, f Fixture) {
	t.Helper()
	rate := uptime.Rate{Limit: 50, Per: time.Hour}
	var allowed atomic.Int64
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			for range 20 {
				d, err := f.Limiter.Allow(t.Context(), "k", rate)
				if err != nil {
					t.Error(err)
				}
				if d.Allowed {
					allowed.Add(1)
				}
			}
		})
	}
	all.Wait()
	require.Equal(t, int64(50), allowed.Load())
}

func cancelled(t *testing.T, f Fixture) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.Limiter.Allow(ctx, "k", uptime.Rate{Limit: 1, Per: time.Second})
	require.ErrorIs(t, err, context.Canceled)
}

func badRate(t *testing.T, f Fixture) {
	t.Helper()
	for _, rate := range []uptime.Rate{{}, {Limit: -1, Per: time.Second}, {Limit: 1}} {
		_, err := f.Limiter.Allow(t.Context(), "k", rate)
		require.Error(t, err, "%+v", rate)
	}
}
