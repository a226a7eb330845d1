package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// testClockSetBack: a clock that was ahead for a while leaves nothing that waits
// until it is as late again.
func testClockSetBack(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	const ahead = 3 * time.Hour
	channel := func() uptime.Channel { return h.channel(t) }
	waits, fresh, retried, sending := channel(), channel(), channel(), channel()

	// The longest wait that the schedule knows stays as it is.
	h.down(t, h.monitor(t, waits))
	c, longest := h.claimOne(t), h.came(uptime.DeliveryPending)
	longest.Next = h.clock.Now().Add(6 * time.Hour * 12 / 10)
	require.NoError(t, h.FinishDelivery(t.Context(), c, longest))
	h.clock.Advance(time.Second)

	h.clock.Advance(ahead)
	alarm := uptime.Alarm{WorkspaceID: h.ws, Kind: "clock", Subject: "s", Every: time.Hour, ChannelIDs: []int64{waits.ID}}
	raised, err := h.RaiseAlarm(t.Context(), alarm)
	require.NoError(t, err)
	require.True(t, raised)
	h.finish(t, h.claimOne(t), uptime.DeliveryDelivered)
	h.down(t, h.monitor(t, retried))
	c, later := h.claimOne(t), h.came(uptime.DeliveryPending)
	later.Next = h.clock.Now().Add(time.Minute)
	require.NoError(t, h.FinishDelivery(t.Context(), c, later))
	h.down(t, h.monitor(t, sending))
	h.claimOne(t) // by a notifier that dies
	h.down(t, h.monitor(t, fresh))

	h.clock.Advance(-ahead)
	claims := h.claim(t)
	var got []int64
	for _, c := range claims {
		got = append(got, c.Channel.ID)
		if c.Channel.ID == sending.ID {
			require.Equal(t, 2, c.N)
		}
	}
	require.ElementsMatch(t, []int64{fresh.ID, retried.ID, sending.ID}, got)
	attempts := h.deliveries(t, sending.ID)[0].Attempts
	require.Len(t, attempts, 1)
	require.GreaterOrEqual(t, attempts[0].Duration, time.Duration(0))
	n, err := h.EmitReminders(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, 3, n, "reminders that were put off are due, the one of the first outage is not")
	raised, err = h.RaiseAlarm(t.Context(), alarm)
	require.NoError(t, err)
	require.True(t, raised, "told within the hour, but by a clock that was ahead")

	// Once only: a failed attempt waits its time.
	for _, c := range claims {
		h.finish(t, c, uptime.DeliveryPending)
	}
	h.clock.Advance(-time.Millisecond) // has it look again
	for _, c := range h.claim(t) {
		require.Equal(t, uptime.EventAlarm, c.Event.Type, "only the new alarm is due")
	}
}
