package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// testIncidentSpans: those that touch a range are found, and none else.
func testIncidentSpans(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	m, other := h.monitor(t), h.monitor(t)
	begin := h.clock.Now()
	var all []uptime.Incident
	for range 3 { // ten minutes each, an hour apart
		all = append(all, h.down(t, m))
		h.clock.Advance(10 * time.Minute)
		h.tell(t, all[len(all)-1].ID, uptime.EventResolved, func(i *uptime.Incident) {
			i.Status, i.Stage, i.ResolvedAt = uptime.IncidentResolved, uptime.StageResolved, h.clock.Now()
			i.RecoveredAt, i.EndedAt = h.clock.Now(), h.clock.Now()
		})
		h.decide(t, m, func(s uptime.Situation) uptime.Decision {
			state := s.Monitor.State
			state.Status = uptime.Up
			return uptime.Decision{State: state}
		})
		h.clock.Advance(50 * time.Minute)
	}
	open4 := h.down(t, m)
	h.down(t, other)
	h.clock.Advance(time.Hour)
	for _, c := range []struct {
		from, to time.Duration // from the begin on
		want     []int64
	}{
		{-time.Hour, 6 * time.Hour, []int64{open4.ID, all[2].ID, all[1].ID, all[0].ID}},
		{5 * time.Minute, 6 * time.Minute, []int64{all[0].ID}},
		{20 * time.Minute, 30 * time.Minute, nil},
		{5 * time.Minute, 70 * time.Minute, []int64{all[1].ID, all[0].ID}},
		{200 * time.Minute, 210 * time.Minute, []int64{open4.ID}},
		{-time.Hour, -time.Minute, nil},
	} {
		list, err := h.IncidentSpans(t.Context(), h.ws, m.ID, begin.Add(c.from), begin.Add(c.to), 10)
		require.NoError(t, err)
		var got []int64
		for _, i := range list {
			got = append(got, i.ID)
		}
		require.Equal(t, c.want, got, "%s to %s", c.from, c.to)
	}
	list, err := h.IncidentSpans(t.Context(), h.ws, m.ID, begin.Add(-time.Hour), h.clock.Now(), 1)
	require.NoError(t, err)
	require.Equal(t, []uptime.IncidentSpan{{ID: open4.ID, Cause: "timeout", StartedAt: open4.StartedAt, ConfirmedAt: open4.ConfirmedAt}}, list)
	_, err = h.IncidentSpans(t.Context(), h.ws+1, m.ID, begin, h.clock.Now(), 10)
	require.ErrorIs(t, err, uptime.ErrNotFound)
}

// testExpiringMonitors: the first to end comes first; who is paused is left out.
func testExpiringMonitors(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	now := h.clock.Now()
	var made []uptime.Monitor
	for _, left := range []time.Duration{9 * 24 * time.Hour, -time.Hour, 30 * 24 * time.Hour, 24 * time.Hour, 0} {
		m := h.monitor(t)
		if left != 0 { // the last has no certificate
			h.decide(t, m, func(s uptime.Situation) uptime.Decision {
				state := s.Monitor.State
				state.CertNotAfter = now.Add(left)
				return uptime.Decision{State: state}
			})
		}
		made = append(made, m)
	}
	ids := func(limit int) (out []int64) {
		list, err := h.ExpiringMonitors(t.Context(), h.ws, now.Add(14*24*time.Hour), limit)
		require.NoError(t, err)
		for _, m := range list {
			out = append(out, m.ID)
		}
		return out
	}
	require.Equal(t, []int64{made[1].ID, made[3].ID, made[0].ID}, ids(10))
	require.Equal(t, []int64{made[1].ID}, ids(1))
	_, err := h.UpdateMonitor(t.Context(), h.ws, made[1].ID, func(m *uptime.Monitor) error { m.Enabled = false; return nil }, nil)
	require.NoError(t, err)
	require.NoError(t, h.DeleteMonitor(t.Context(), h.ws, made[3].ID, nil))
	require.Equal(t, []int64{made[0].ID}, ids(10))
	list, err := h.ExpiringMonitors(t.Context(), h.ws+1, now.Add(14*24*time.Hour), 10)
	require.NoError(t, err)
	require.Empty(t, list)
}
