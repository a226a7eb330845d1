package storetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func testReminders(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	m := h.monitor(t, channel)
	i := h.down(t, m)
	h.finish(t, h.claimOne(t), uptime.DeliveryDelivered)
	emit := func() int {
		n, err := h.EmitReminders(t.Context(), 10)
		require.NoError(t, err)
		return n
	}
	require.Zero(t, emit())
	h.clock.Advance(m.ResendEvery)
	require.Equal(t, 1, emit())
	require.Zero(t, emit(), "once for a due time")
	c := h.claimOne(t)
	require.Equal(t, uptime.EventReminder, c.Event.Type)
	require.Equal(t, m.Name, c.Event.Data.Monitor.Name)
	require.Equal(t, i.ID, c.Event.Data.Incident.ID)
	require.Equal(t, uptime.Down, c.Event.Data.Result.Status, "the newest result")
	h.finish(t, c, uptime.DeliveryDelivered)
	h.clock.Advance(5 * m.ResendEvery)
	require.Equal(t, 1, emit(), "missed ones are not made up for")
	require.Zero(t, emit())
	h.finish(t, h.claimOne(t), uptime.DeliveryDelivered)
	h.acknowledge(t, i.ID)
	h.clock.Advance(2 * m.ResendEvery)
	require.Zero(t, emit(), "acknowledged")

	quiet := h.monitor(t, channel)
	h.down(t, quiet)
	_, err := h.UpdateMonitor(t.Context(), h.ws, quiet.ID, func(m *uptime.Monitor) error { m.ResendEvery = 0; return nil }, nil)
	require.NoError(t, err)
	h.clock.Advance(2 * m.ResendEvery)
	require.Zero(t, emit(), "not wanted any more")
}

func testConcurrentReminders(t *testing.T, open OpenFunc) {
	const incidents = 12
	h := newHouse(t, open)
	channel := h.channel(t)
	var wait time.Duration
	for range incidents {
		m := h.monitor(t, channel)
		h.down(t, m)
		wait = m.ResendEvery
	}
	h.clock.Advance(wait)
	var told atomic.Int64
	var emitters sync.WaitGroup
	for range 4 {
		emitters.Go(func() {
			for told.Load() < incidents {
				n, err := h.EmitReminders(t.Context(), 5)
				if !assert.NoError(t, err) {
					return
				}
				told.Add(int64(n))
			}
		})
	}
	emitters.Wait()
	require.EqualValues(t, incidents, told.Load())
	n := 0
	for _, d := range h.deliveries(t, channel.ID) {
		if d.EventType == uptime.EventReminder {
			n++
		}
	}
	require.Equal(t, incidents, n)
}

// testRemindersPileUp: an endpoint that was away gets one reminder, not all.
func testRemindersPileUp(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	run := steps{house: h, monitor: h.monitor(t, channel)}
	for _, step := range []string{"down", "claim", "delivered", "remind", "remind", "claim", "remind", "pending"} {
		run.do(t, step)
	}
	require.Equal(t, []string{
		"incident.opened delivered", "incident.reminder merged", "incident.reminder merged", "incident.reminder pending",
	}, h.words(t, channel.ID))
}

func testAlarms(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t, func(c *uptime.Channel) { c.IsDefault = true })
	h.channel(t)
	about := uptime.EventData{Monitor: &uptime.EventMonitor{ID: 7, Name: "Shop"}, Incident: &uptime.EventIncident{ID: 12}}
	alarm := uptime.Alarm{WorkspaceID: h.ws, Kind: uptime.AlarmStorage, Subject: "disk", Detail: "full", About: about, Every: time.Hour}
	var told atomic.Int64
	var raisers sync.WaitGroup
	for range 8 {
		raisers.Go(func() {
			raised, err := h.RaiseAlarm(t.Context(), alarm)
			assert.NoError(t, err)
			if raised {
				told.Add(1)
			}
		})
	}
	raisers.Wait()
	require.EqualValues(t, 1, told.Load())
	c := h.claimOne(t)
	require.Equal(t, channel.ID, c.Channel.ID)
	require.Equal(t, uptime.EventAlarmData{Kind: uptime.AlarmStorage, Subject: "disk", Detail: "full"}, *c.Event.Data.Alarm)
	require.Equal(t, "Shop", c.Event.Data.Monitor.Name)
	require.EqualValues(t, 12, c.Event.Data.Incident.ID)
	h.finish(t, c, uptime.DeliveryDelivered)

	other := alarm
	other.Subject = "memory"
	raised, err := h.RaiseAlarm(t.Context(), other)
	require.NoError(t, err)
	require.True(t, raised)
	h.finish(t, h.claimOne(t), uptime.DeliveryDelivered)

	ended, err := h.EndAlarm(t.Context(), h.ws, alarm.Kind, alarm.Subject)
	require.NoError(t, err)
	require.True(t, ended)
	ended, err = h.EndAlarm(t.Context(), h.ws, alarm.Kind, alarm.Subject)
	require.NoError(t, err)
	require.False(t, ended, "told once")
	c = h.claimOne(t)
	require.True(t, c.Event.Data.Alarm.Ended)
	h.finish(t, c, uptime.DeliveryDelivered)

	raised, err = h.RaiseAlarm(t.Context(), alarm)
	require.NoError(t, err)
	require.False(t, raised, "told within the hour")
	ended, err = h.EndAlarm(t.Context(), h.ws, alarm.Kind, alarm.Subject)
	require.NoError(t, err)
	require.False(t, ended, "what was not told has no end")
	h.clock.Advance(time.Hour)
	raised, err = h.RaiseAlarm(t.Context(), alarm)
	require.NoError(t, err)
	require.True(t, raised)
}

func testAlarmChannels(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	h.channel(t, func(c *uptime.Channel) { c.IsDefault = true })
	named, off := h.channel(t), h.channel(t, func(c *uptime.Channel) { c.Enabled = false })
	raised, err := h.RaiseAlarm(t.Context(), uptime.Alarm{
		WorkspaceID: h.ws, Kind: uptime.AlarmChannelDead, Subject: "7", ChannelIDs: []int64{named.ID, off.ID}, Every: time.Hour,
	})
	require.NoError(t, err)
	require.True(t, raised)
	h.finish(t, h.claimOne(t), uptime.DeliveryDelivered)
	_, err = h.EndAlarm(t.Context(), h.ws, uptime.AlarmChannelDead, "7")
	require.NoError(t, err)
	require.Equal(t, named.ID, h.claimOne(t).Channel.ID, "the end goes where the alarm went")
}
