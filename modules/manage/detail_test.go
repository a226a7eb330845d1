package manage_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// TestChangesOfAMonitor are for all who may read it, but not what the audit log says
// beyond: from where it was done, and the secrets.
func TestChangesOfAMonitor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.owner.Address = "192.0.2.7"
	v := b.monitor(t, `{"name":"Shop","type":"http","http":{"url":"https://example.com","headers":{"Authorization":"Bearer hidden"}}}`)
	other := b.monitor(t, leastMonitor)
	_, err := b.PatchMonitor(t.Context(), b.owner, v.ID, json.RawMessage(`{"interval":"5m","http":{"headers":{"Authorization":"Bearer other"}}}`), "")
	require.NoError(t, err)
	_, err = b.PauseMonitor(t.Context(), b.owner, v.ID)
	require.NoError(t, err)
	_, err = b.PauseMonitor(t.Context(), b.owner, other.ID)
	require.NoError(t, err)

	viewer := uptime.Actor{WorkspaceID: b.owner.WorkspaceID, UserID: b.owner.UserID, Role: uptime.RoleViewer}
	list, err := b.MonitorChanges(t.Context(), viewer, v.ID, uptime.Page{})
	require.NoError(t, err)
	var actions []string
	for _, c := range list.Items {
		actions = append(actions, c.Action)
	}
	require.Equal(t, []string{"monitor.pause", "monitor.update", "monitor.create"}, actions)
	require.Contains(t, string(list.Items[1].Detail), `"interval":{"from":"60s","to":"300s"}`)
	raw, err := json.Marshal(list.Items)
	require.NoError(t, err)
	require.NotContains(t, string(raw), "192.0.2.7")
	require.NotContains(t, string(raw), "Bearer")
	first, err := b.MonitorChanges(t.Context(), viewer, v.ID, uptime.Page{Limit: 2})
	require.NoError(t, err)
	rest, err := b.MonitorChanges(t.Context(), viewer, v.ID, uptime.Page{Limit: 2, Cursor: first.Next})
	require.NoError(t, err)
	require.Equal(t, list.Items[2:], rest.Items)

	_, err = b.MonitorChanges(t.Context(), viewer, 999, uptime.Page{})
	require.Equal(t, uptime.CodeNotFound, uptime.CodeOf(err))
	_, err = b.MonitorChanges(t.Context(), uptime.Actor{}, v.ID, uptime.Page{})
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	require.NoError(t, b.DeleteMonitor(t.Context(), b.owner, v.ID, ""))
	_, err = b.MonitorChanges(t.Context(), viewer, v.ID, uptime.Page{})
	require.Equal(t, uptime.CodeNotFound, uptime.CodeOf(err))
}

// TestRangesOfIncidentsAreChecked before anything is asked.
func TestRangesOfIncidentsAreChecked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v, now := b.monitor(t, leastMonitor), b.clock.Now()
	list, err := b.IncidentSpans(t.Context(), b.owner, v.ID, now.Add(-time.Hour), now)
	require.NoError(t, err)
	require.Empty(t, list)
	_, err = b.IncidentSpans(t.Context(), b.owner, v.ID, now, now.Add(-time.Hour))
	require.Equal(t, uptime.CodeInvalid, uptime.CodeOf(err))
	_, err = b.IncidentSpans(t.Context(), uptime.Actor{}, v.ID, now.Add(-time.Hour), now)
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	expiring, err := b.ExpiringCertificates(t.Context(), b.owner, 14*24*time.Hour)
	require.NoError(t, err)
	require.Empty(t, expiring)
	_, err = b.ExpiringCertificates(t.Context(), uptime.Actor{}, time.Hour)
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	_, err = b.Result(t.Context(), b.owner, v.ID, "default", now)
	require.Equal(t, uptime.CodeNotFound, uptime.CodeOf(err))
	_, err = b.Result(t.Context(), uptime.Actor{}, v.ID, "default", now)
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
}
