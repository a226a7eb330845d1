package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func testForScheduler(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	one, two, three := h.monitor(t), h.monitor(t), h.monitor(t)
	change(t, h, two.ID, func(m *uptime.Monitor) { m.Enabled = false })
	ids := func(seq, id int64, limit int) (out []int64) {
		list, err := h.ScheduledMonitors(t.Context(), seq, id, limit)
		require.NoError(t, err)
		for _, m := range list {
			out = append(out, m.ID)
		}
		return out
	}
	require.Equal(t, []int64{one.ID, three.ID}, ids(0, 0, 10))
	require.Equal(t, []int64{one.ID}, ids(0, 0, 1))
	require.Equal(t, []int64{three.ID}, ids(0, one.ID, 10))
	require.Equal(t, []int64{two.ID}, ids(three.ChangeSeq, 0, 10))
	require.NoError(t, h.DeleteMonitor(t.Context(), h.ws, one.ID, nil))
	require.Equal(t, []int64{three.ID, two.ID, one.ID}, ids(one.ChangeSeq, 0, 10))
	_, err := h.ScheduledMonitor(t.Context(), three.ID+1000)
	require.ErrorIs(t, err, uptime.ErrNotFound)
}

// testScheduledAsItIs: a scheduler reads the same of a monitor as anybody else, by
// whichever way it reads, with results and without.
func testScheduledAsItIs(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	one, two := h.monitor(t), h.monitor(t)
	change(t, h, two.ID, func(m *uptime.Monitor) {
		m.Regions = []string{"default", "eu"}
		m.Settings = []byte(`{"url":"https://x.test","text":"ä,\\\""}`)
	})
	same := func() {
		t.Helper()
		for _, id := range []int64{one.ID, two.ID} {
			whole, err := h.Monitor(t.Context(), h.ws, id)
			require.NoError(t, err)
			want := whole.Scheduled()
			got, err := h.ScheduledMonitor(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, want, got)
			for _, seq := range []int64{0, want.ChangeSeq - 1} {
				list, err := h.ScheduledMonitors(t.Context(), seq, id-1, 1)
				require.NoError(t, err)
				require.Equal(t, []uptime.Scheduled{want}, list)
			}
		}
	}
	same()
	decide := uptime.Judge(h.eventID)
	for _, region := range []string{"default", "eu", "default"} {
		h.clock.Advance(time.Second)
		for _, id := range []int64{one.ID, two.ID} {
			now := h.clock.Now()
			_, err := h.Record(t.Context(), []uptime.Result{{
				MonitorID: id, WorkspaceID: h.ws, Region: region, ScheduledAt: now, StartedAt: now, Attempt: 1,
				Outcome: uptime.Outcome{Status: uptime.Up},
			}}, decide)
			require.NoError(t, err)
		}
		same()
	}
	scheduled, err := h.ScheduledMonitor(t.Context(), two.ID)
	require.NoError(t, err)
	require.Equal(t, time.Second, scheduled.LastSlot.Sub(scheduled.Answered), "the other region is a slot behind")
}
