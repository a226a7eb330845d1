// Package fleettest is the conformance suite of the fleet and of uptime.Recent.
package fleettest

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/fleet"
	"monitor/modules/uptime"
)

// Fleet is what the suite tests.
type Fleet interface {
	uptime.Recent
	Report(ctx context.Context, m fleet.Member) error
	Members(ctx context.Context) ([]fleet.Member, error)
	Leave(ctx context.Context, id string) error
}

// Fixture is a fleet with a clock that the suite moves.
type Fixture struct {
	// Handle gives the fleet, each time as if it were in another process.
	Handle func() Fleet
	// Now is the clock that members are stamped by.
	Now func() time.Time
	// Advance moves all clocks.
	Advance func(d time.Duration)
}

// Factory makes a fixture without members and notes.
type Factory func(t *testing.T) Fixture

// Run tests an implementation.
func Run(t *testing.T, fresh Factory) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Fixture){
		"MembersAreSeenByAll":  seen,
		"ReportReplaces":       replaces,
		"SilentOnesAreGone":    gone,
		"LeaveIsAtOnce":        leave,
		"NoID":                 noID,
		"CancelledContext":     cancelled,
		"WritesAreSeenByAll":   wrote,
		"WritesAreRenewed":     renewed,
		"WritersAreApart":      apart,
		"ManyAtOnce":           many,
		"ClockOfTheMemberIsIt": started,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, fresh(t))
		})
	}
}

func member(id string, now time.Time) fleet.Member {
	return fleet.Member{
		ID: id, Host: "h1", Roles: []string{"web", "worker"}, Healthy: []string{"web"}, Version: "1.2.3", Leading: true,
		StartedAt: now.Add(-time.Hour), ChecksPerSecond: 12.5,
		Late: fleet.Lateness{Bounds: []time.Duration{time.Millisecond, time.Second}, Counts: []uint64{5, 3, 1}},
	}
}

func ids(t *testing.T, f Fleet) []string {
	t.Helper()
	list, err := f.Members(t.Context())
	require.NoError(t, err)
	var out []string
	for _, m := range list {
		out = append(out, m.ID)
	}
	return out
}

func seen(t *testing.T, f Fixture) {
	t.Helper()
	require.Empty(t, ids(t, f.Handle()))
	want := member("a", f.Now())
	require.NoError(t, f.Handle().Report(t.Context(), want))
	list, err := f.Handle().Members(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 1)
	got := list[0]
	require.WithinDuration(t, f.Now(), got.SeenAt, time.Second)
	require.WithinDuration(t, want.StartedAt, got.StartedAt, time.Second)
	got.SeenAt, got.StartedAt, want.StartedAt = time.Time{}, time.Time{}, time.Time{}
	require.Equal(t, want, got)
}

func replaces(t *testing.T, f Fixture) {
	t.Helper()
	m := member("a", f.Now())
	require.NoError(t, f.Handle().Report(t.Context(), m))
	m.Leading, m.Healthy = false, nil
	require.NoError(t, f.Handle().Report(t.Context(), m))
	list, err := f.Handle().Members(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.False(t, list[0].Leading)
	require.Empty(t, list[0].Healthy)
}

func gone(t *testing.T, f Fixture) {
	t.Helper()
	young := member("b", f.Now())
	young.StartedAt = f.Now()
	require.NoError(t, f.Handle().Report(t.Context(), young))
	require.NoError(t, f.Handle().Report(t.Context(), member("a", f.Now())))
	require.Equal(t, []string{"a", "b"}, ids(t, f.Handle()), "the eldest first")
	f.Advance(fleet.Gone - 2*time.Second)
	require.NoError(t, f.Handle().Report(t.Context(), young))
	f.Advance(3 * time.Second)
	require.Equal(t, []string{"b"}, ids(t, f.Handle()))
	f.Advance(fleet.Gone)
	require.Empty(t, ids(t, f.Handle()))
}

func leave(t *testing.T, f Fixture) {
	t.Helper()
	require.NoError(t, f.Handle().Report(t.Context(), member("a", f.Now())))
	require.NoError(t, f.Handle().Report(t.Context(), member("b", f.Now())))
	require.NoError(t, f.Handle().Leave(t.Context(), "a"))
	require.NoError(t, f.Handle().Leave(t.Context(), "a"), "a repeat is harmless")
	require.Equal(t, []string{"b"}, ids(t, f.Handle()))
}

func noID(t *testing.T, f Fixture) {
	t.Helper()
	require.Error(t, f.Handle().Report(t.Context(), fleet.Member{Host: "h1"}))
}

func cancelled(t *testing.T, f Fixture) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h := f.Handle()
	require.ErrorIs(t, h.Report(ctx, member("a", f.Now())), context.Canceled)
	_, err := h.Members(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, h.Leave(ctx, "a"), context.Canceled)
	// What was written is there, whether its client is or not.
	h.Wrote(ctx, "user:1")
	require.True(t, f.Handle().DidWrite(t.Context(), "user:1"))
	require.False(t, f.Handle().DidWrite(t.Context(), "user:2"), "a client that is gone says nothing of the others")
}

func wrote(t *testing.T, f Fixture) {
	t.Helper()
	require.False(t, f.Handle().DidWrite(t.Context(), "user:7"))
	f.Handle().Wrote(t.Context(), "user:7")
	require.True(t, f.Handle().DidWrite(t.Context(), "user:7"))
	f.Advance(uptime.RecentFor - time.Second)
	require.True(t, f.Handle().DidWrite(t.Context(), "user:7"))
	f.Advance(1100 * time.Millisecond)
	require.False(t, f.Handle().DidWrite(t.Context(), "user:7"))
}

func renewed(t *testing.T, f Fixture) {
	t.Helper()
	h := f.Handle()
	h.Wrote(t.Context(), "token:1")
	f.Advance(uptime.RecentFor - time.Second)
	h.Wrote(t.Context(), "token:1")
	f.Advance(uptime.RecentFor - time.Second)
	require.True(t, h.DidWrite(t.Context(), "token:1"))
	require.True(t, f.Handle().DidWrite(t.Context(), "token:1"))
	f.Advance(uptime.RecentFor)
	require.False(t, h.DidWrite(t.Context(), "token:1"))
}

func apart(t *testing.T, f Fixture) {
	t.Helper()
	h := f.Handle()
	h.Wrote(t.Context(), "user:1")
	require.False(t, h.DidWrite(t.Context(), "user:11"))
	require.False(t, f.Handle().DidWrite(t.Context(), "token:1"))
}

func many(t *testing.T, f Fixture) {
	t.Helper()
	var wg sync.WaitGroup
	h := f.Handle()
	for i := range 20 {
		wg.Go(func() {
			id := "user:" + strconv.Itoa(i)
			h.Wrote(t.Context(), id)
			if err := h.Report(t.Context(), member(id, f.Now())); err != nil {
				t.Error(err)
			}
			if !f.Handle().DidWrite(t.Context(), id) {
				t.Errorf("%s wrote", id)
			}
		})
	}
	wg.Wait()
	require.Len(t, ids(t, h), 20)
}

func started(t *testing.T, f Fixture) {
	t.Helper()
	require.NoError(t, f.Handle().Report(t.Context(), member("a", f.Now())))
	f.Advance(5 * time.Second)
	list, err := f.Handle().Members(t.Context())
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.InDelta(t, time.Hour, list[0].SeenAt.Sub(list[0].StartedAt), float64(time.Second))
}
