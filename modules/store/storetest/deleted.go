package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// testDeletedMonitors: what can be restored is listed, the last deleted first, and nothing
// else.
func testDeletedMonitors(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	names := func(limit int) (out []string) {
		list, err := h.DeletedMonitors(t.Context(), h.ws, limit)
		require.NoError(t, err)
		for _, m := range list {
			require.False(t, m.DeletedAt.IsZero())
			out = append(out, m.Name)
		}
		return out
	}
	require.Empty(t, names(10))
	var all []uptime.Monitor
	for range 4 {
		all = append(all, h.monitor(t))
	}
	for _, m := range all[:3] {
		require.NoError(t, h.DeleteMonitor(t.Context(), h.ws, m.ID, nil))
		h.clock.Advance(time.Hour)
	}
	require.Equal(t, []string{all[2].Name, all[1].Name, all[0].Name}, names(10))
	require.Equal(t, []string{all[2].Name}, names(1))
	_, err := h.RestoreMonitor(t.Context(), h.ws, all[1].ID, nil)
	require.NoError(t, err)
	require.Equal(t, []string{all[2].Name, all[0].Name}, names(10))
	other, err := h.DeletedMonitors(t.Context(), h.ws+1, 10)
	require.NoError(t, err)
	require.Empty(t, other, "another workspace sees nothing of it")
	h.clock.Advance(uptime.UndeleteFor - 2*time.Hour)
	require.Equal(t, []string{all[2].Name}, names(10), "the first is beyond restoring")
}
