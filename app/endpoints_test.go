package app

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/fleet"
	"monitor/modules/uptime"
)

func TestEndpointsOfAllProcesses(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	state := func(id int64, s uptime.BreakerState, inFlight int, retry time.Time) uptime.EndpointState {
		return uptime.EndpointState{ChannelID: id, State: s, InFlight: inFlight, RetryAt: retry}
	}
	e := &endpoints{
		own: func() []uptime.EndpointState {
			return []uptime.EndpointState{
				state(1, uptime.BreakerClosed, 2, time.Time{}), state(2, uptime.BreakerHalfOpen, 1, now.Add(-time.Minute)),
			}
		},
		clock: func() time.Time { return now },
	}
	require.Len(t, e.Endpoints(), 2)
	require.Equal(t, []uptime.EndpointState{state(2, uptime.BreakerHalfOpen, 1, now.Add(-time.Minute))}, e.held())
	require.False(t, e.holdBack(), "nothing has been sent to it for long")

	e.hear([]fleet.Member{
		{ID: "me", Held: []uptime.EndpointState{state(9, uptime.BreakerOpen, 0, now)}},
		{ID: "a", Held: []uptime.EndpointState{state(1, uptime.BreakerOpen, 1, now.Add(time.Second))}},
		{ID: "b", Held: []uptime.EndpointState{state(1, uptime.BreakerHalfOpen, 1, now)}},
	}, "me")
	require.Equal(t, []uptime.EndpointState{
		state(1, uptime.BreakerOpen, 4, now.Add(time.Second)), state(2, uptime.BreakerHalfOpen, 1, now.Add(-time.Minute)),
	}, e.Endpoints())
	require.True(t, e.holdBack())
	e.hear(nil, "me")
	require.False(t, e.holdBack())
}
