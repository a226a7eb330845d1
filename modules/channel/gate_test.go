package channel_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/channel"
	"monitor/modules/uptime"
)

func TestGateBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := channel.NewGate(nil)
		ch := uptime.Channel{ID: 3, Version: 1}
		other := uptime.Channel{ID: 4, Version: 1}
		attempt := func(err error) {
			t.Helper()
			done, ok := g.Allow(ch)
			require.True(t, ok)
			done(err)
		}
		down := &uptime.SendError{Reason: "down"}
		for range 4 {
			attempt(down)
		}
		attempt(nil) // a success starts the count anew
		for range 4 {
			attempt(down)
		}
		attempt(&uptime.SendError{Permanent: true}) // neither counts nor clears
		attempt(context.Canceled)
		require.Empty(t, g.Held())
		require.Equal(t, []uptime.EndpointState{{ChannelID: 3, State: uptime.BreakerClosed, ConsecutiveFailures: 4}}, g.Endpoints())

		attempt(errors.New("fifth"))
		opened := time.Now().UTC()
		require.Equal(t, []int64{3}, g.Held())
		_, ok := g.Allow(ch)
		require.False(t, ok)
		done, ok := g.Allow(other)
		require.True(t, ok, "others are not held")
		done(nil)
		state := g.Endpoints()[0]
		require.Equal(t, uptime.BreakerOpen, state.State)
		require.True(t, opened.Add(30*time.Second).Equal(state.RetryAt))

		time.Sleep(30 * time.Second) // within the bubble: no real time passes
		_, ok = g.Allow(ch)
		require.False(t, ok, "not before 30 s are over")
		time.Sleep(time.Millisecond)
		require.Empty(t, g.Held())
		done, ok = g.Allow(ch)
		require.True(t, ok)
		_, ok = g.Allow(ch)
		require.False(t, ok, "one try only")
		require.Equal(t, []int64{3}, g.Held())
		require.Equal(t, uptime.BreakerHalfOpen, g.Endpoints()[0].State)
		done(down)
		require.Equal(t, uptime.BreakerOpen, g.Endpoints()[0].State)

		time.Sleep(31 * time.Second)
		attempt(nil)
		require.Equal(t, uptime.BreakerClosed, g.Endpoints()[0].State)
		attempt(nil)
	})
}

func TestGateStartsAnewWhenTheChannelChanges(t *testing.T) {
	t.Parallel()
	g := channel.NewGate(nil)
	for range 5 {
		done, ok := g.Allow(uptime.Channel{ID: 3, Version: 1})
		require.True(t, ok)
		done(errors.New("down"))
	}
	_, ok := g.Allow(uptime.Channel{ID: 3, Version: 1})
	require.False(t, ok)
	done, ok := g.Allow(uptime.Channel{ID: 3, Version: 2})
	require.True(t, ok)
	done(nil)
	require.Empty(t, g.Held())
}

func TestGateLimitsConcurrency(t *testing.T) {
	t.Parallel()
	g := channel.NewGate(nil)
	ch := uptime.Channel{ID: 3}
	var ends []func(error)
	for range channel.PerEndpoint {
		done, ok := g.Allow(ch)
		require.True(t, ok)
		ends = append(ends, done)
	}
	_, ok := g.Allow(ch)
	require.False(t, ok)
	require.Equal(t, []int64{3}, g.Held())
	require.Equal(t, channel.PerEndpoint, g.Endpoints()[0].InFlight)
	ends[0](nil)
	require.Empty(t, g.Held())
	done, ok := g.Allow(ch)
	require.True(t, ok)
	done(nil)
}
