package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// silenced silences a monitor for a time from now, or ends its silence by zero.
func (h house) silenced(t *testing.T, m uptime.Monitor, lasts time.Duration) uptime.Monitor {
	t.Helper()
	s := uptime.Silence{By: "Mia", Note: "Moving the rack"}
	if lasts > 0 {
		s.Until = h.clock.Now().Add(lasts)
	}
	m, err := h.SilenceMonitor(t.Context(), h.ws, m.ID, s, nil)
	require.NoError(t, err)
	return m
}

// silentCases are about what comes while the monitor is silenced.
func silentCases() map[string]mergeCase {
	quiet := func(c *uptime.Channel) { c.SendResolved = false }
	return map[string]mergeCase{
		"CameAndWentInside": {
			steps: []string{"silence", "down", "nothing", "up", "after", "nothing"},
			want:  []string{"incident.opened cancelled", "incident.resolved cancelled"},
		},
		"NotesInside": {
			steps: []string{"silence", "down", "ack", "up"},
			want:  []string{"incident.opened cancelled", "incident.acknowledged cancelled", "incident.resolved cancelled"},
		},
		"QuietChannelInside": {channel: quiet, steps: []string{"silence", "down", "up"}, want: []string{"incident.opened cancelled"}},
		"DownInsideGoesOn": {
			steps: []string{"silence", "down", "after", "claim", "delivered", "up"},
			want:  []string{"incident.opened delivered", "incident.resolved pending"},
		},
		"DownInsideUpAfter": {
			steps: []string{"silence", "down", "after", "up"},
			want:  []string{"incident.opened merged", "incident.resolved pending merges"},
		},
		"ToldBefore": {
			steps: []string{"down", "claim", "delivered", "silence", "ack", "up", "nothing", "after", "claim", "delivered"},
			want:  []string{"incident.opened delivered", "incident.acknowledged merged", "incident.resolved delivered"},
		},
		"UntoldBefore": {
			steps: []string{"down", "silence", "nothing", "up", "nothing", "after", "claim", "delivered"},
			want:  []string{"incident.opened merged", "incident.resolved delivered merges"},
		},
		"TriedBefore": {
			steps: []string{"down", "claim", "silence", "pending", "nothing", "up", "nothing", "after", "claim"},
			want:  []string{"incident.opened merged", "incident.resolved sending merges"},
		},
		"SentIntoIt": {
			steps: []string{"down", "claim", "silence", "up", "delivered", "nothing", "after", "claim"},
			want:  []string{"incident.opened delivered", "incident.resolved sending"},
		},
		"EndedEarly": {
			steps: []string{"silence", "down", "unsilence", "claim", "delivered", "up"},
			want:  []string{"incident.opened delivered", "incident.resolved pending"},
		},
		"AnotherOne": {
			steps: []string{"silence", "down", "unsilence", "silence", "up", "nothing", "after", "claim"},
			want:  []string{"incident.opened merged", "incident.resolved sending merges"},
		},
		"Longer": {
			steps: []string{"silence", "down", "silence", "up"},
			want:  []string{"incident.opened cancelled", "incident.resolved cancelled"},
		},
		"SlowInside": {
			steps: []string{"silence", "degraded", "recovered", "degraded", "after", "claim"},
			want:  []string{"monitor.degraded cancelled", "monitor.recovered cancelled", "monitor.degraded sending"},
		},
	}
}

func testSilence(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	m := h.monitor(t, channel)
	audit := func() *uptime.Audit {
		return &uptime.Audit{WorkspaceID: h.ws, Action: "monitor.silence", ObjectType: "monitor", ObjectID: m.ID}
	}
	now := h.clock.Now()
	asked := uptime.Silence{Until: now.Add(time.Hour), By: "Mia", Note: "Moving the rack"}
	got, err := h.SilenceMonitor(t.Context(), h.ws, m.ID, asked, audit())
	require.NoError(t, err)
	asked.From = now
	require.Equal(t, asked, got.Silence)
	require.Equal(t, m.Version, got.Version, "no settings were changed")
	stored, err := h.Monitor(t.Context(), h.ws, m.ID)
	require.NoError(t, err)
	require.Equal(t, got, stored)

	count := func(silenced bool) int64 {
		n, err := h.CountMonitors(t.Context(), h.ws, uptime.MonitorFilter{Silenced: &silenced})
		require.NoError(t, err)
		list, err := h.Monitors(t.Context(), h.ws, uptime.MonitorFilter{Silenced: &silenced, Statuses: uptime.Statuses()}, uptime.Page{Limit: 10})
		require.NoError(t, err)
		require.Len(t, list.Items, int(n))
		return n
	}
	h.monitor(t)
	require.EqualValues(t, 1, count(true))
	require.EqualValues(t, 1, count(false))

	// What is changed otherwise leaves it alone.
	changed := change(t, h, m.ID, func(m *uptime.Monitor) { m.Name, m.Silence = "Other", uptime.Silence{} })
	require.Equal(t, asked, changed.Silence)

	h.clock.Advance(time.Minute)
	got = h.silenced(t, m, 0)
	require.Equal(t, h.clock.Now(), got.Silence.Until)
	require.Zero(t, count(true))
	again, err := h.SilenceMonitor(t.Context(), h.ws, m.ID, uptime.Silence{}, audit())
	require.NoError(t, err)
	require.Equal(t, got, again)
	log, err := h.AuditLog(t.Context(), h.ws, uptime.AuditFilter{ObjectType: "monitor"}, uptime.Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, log.Items, 1, "ending none is no change")

	_, err = h.SilenceMonitor(t.Context(), h.ws+1, m.ID, asked, nil)
	require.ErrorIs(t, err, uptime.ErrNotFound)
}

// testSilenceMoves: held deliveries follow the end of the silence, and their age counts from
// there.
func testSilenceMoves(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	m := h.silenced(t, h.monitor(t, channel), 48*time.Hour)
	h.down(t, m)
	due := func() time.Time {
		d := h.deliveries(t, channel.ID)[0]
		require.Equal(t, uptime.DeliveryPending, d.Status)
		require.Equal(t, d.NextAttemptAt, d.Since())
		return d.NextAttemptAt
	}
	require.Equal(t, m.Silence.Until, due())
	require.Contains(t, h.deliveries(t, channel.ID)[0].Reason, "silenced until")
	next, err := h.NextDue(t.Context())
	require.NoError(t, err)
	require.Equal(t, m.Silence.Until, next)
	for _, lasts := range []time.Duration{72 * time.Hour, time.Hour, 12 * time.Hour} {
		m = h.silenced(t, m, lasts)
		require.Equal(t, m.Silence.Until, due(), lasts)
	}
	h.clock.Advance(-time.Millisecond)
	require.Empty(t, h.claim(t), "what is held is no stray of a clock that was ahead")
	h.clock.Advance(time.Hour)
	h.silenced(t, m, 0)
	require.Equal(t, h.clock.Now(), due())
	c := h.claimOne(t)
	require.Empty(t, c.Delivery.Reason)
	require.Equal(t, h.clock.Now(), c.Delivery.Since())
	h.finish(t, c, uptime.DeliveryDelivered)
	depth, err := h.Outbox(t.Context())
	require.NoError(t, err)
	require.Zero(t, depth.Due+depth.Waiting)
}

// testSilenceAndClaims: what is silenced is not claimed in the transaction of its event, and
// system alarms are never silenced.
func testSilenceAndClaims(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	silent, loud := h.monitor(t, channel), h.monitor(t, channel)
	h.silenced(t, silent, time.Hour)
	done := h.breaks(t, offered(4, 4), silent, loud)
	require.Len(t, done.Claims, 1)
	require.Equal(t, loud.ID, done.Claims[0].Delivery.MonitorID)
	raised, err := h.RaiseAlarm(t.Context(), uptime.Alarm{
		WorkspaceID: h.ws, Kind: uptime.AlarmClock, Subject: "s", Every: time.Hour, ChannelIDs: []int64{channel.ID},
		About: uptime.EventData{Monitor: &uptime.EventMonitor{ID: silent.ID}},
	})
	require.NoError(t, err)
	require.True(t, raised)
	require.Equal(t, uptime.EventAlarm, h.claimOne(t).Event.Type)
}

func testSilenceReminders(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	emit := func() int {
		n, err := h.EmitReminders(t.Context(), 10)
		require.NoError(t, err)
		return n
	}
	told := h.monitor(t, channel)
	h.down(t, told)
	h.finish(t, h.claimOne(t), uptime.DeliveryDelivered)
	h.clock.Advance(time.Second)
	h.silenced(t, told, time.Hour)
	untold := h.silenced(t, h.monitor(t, channel), time.Hour)
	h.down(t, untold)
	h.clock.Advance(30 * time.Minute)
	require.Zero(t, emit(), "nobody is reminded in a silence")
	h.clock.Advance(31 * time.Minute)
	require.Equal(t, 1, emit(), "of what was told before it")
	for _, c := range h.claim(t) {
		h.finish(t, c, uptime.DeliveryDelivered)
	}
	require.ElementsMatch(t, []string{"incident.opened delivered", "incident.opened delivered", "incident.reminder delivered"}, h.words(t, channel.ID))
	h.clock.Advance(told.ResendEvery)
	require.Equal(t, 2, emit(), "as always from then on")
}

// testSilenceRace: however a failing attempt and the beginning of a silence cross, the next
// attempt waits for its end.
func testSilenceRace(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	for range 20 {
		channel := h.channel(t)
		m := h.monitor(t, channel)
		h.down(t, m)
		claimed := h.claimOne(t)
		failed := h.came(uptime.DeliveryPending)
		until := h.clock.Now().Add(time.Hour)
		var both sync.WaitGroup
		both.Go(func() {
			_, err := h.SilenceMonitor(t.Context(), h.ws, m.ID, uptime.Silence{Until: until}, nil)
			assert.NoError(t, err)
		})
		both.Go(func() { assert.NoError(t, h.FinishDelivery(t.Context(), claimed, failed)) })
		both.Wait()
		require.Equal(t, until, h.deliveries(t, channel.ID)[0].NextAttemptAt)
	}
}

// testSilencedGone: a silence of what is deleted holds nothing up.
func testSilencedGone(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	m := h.monitor(t, channel)
	h.down(t, m)
	h.finish(t, h.claimOne(t), uptime.DeliveryDelivered)
	h.silenced(t, m, time.Hour)
	_, err := h.UpdateMonitor(t.Context(), h.ws, m.ID, func(m *uptime.Monitor) error { m.Enabled = false; return nil }, nil)
	require.NoError(t, err)
	require.Empty(t, h.claim(t), "pausing ends the incident, and that is told at the end")
	require.NoError(t, h.DeleteMonitor(t.Context(), h.ws, m.ID, nil))
	require.Equal(t, uptime.EventResolved, h.claimOne(t).Event.Type)
	back, err := h.RestoreMonitor(t.Context(), h.ws, m.ID, nil)
	require.NoError(t, err)
	require.True(t, back.Silence.Holds(h.clock.Now()), "restored, it is silenced as before")
}
