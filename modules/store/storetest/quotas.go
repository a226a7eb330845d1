package storetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"monitor/modules/store"
	"monitor/modules/uptime"
)

// testQuotas: of many who come at once a workspace takes as many as it may have.
func testQuotas(t *testing.T, open OpenFunc) {
	h := newHouse(t, func(t *testing.T, o store.Options) *store.Store {
		o.Quotas = store.Quotas{Workspaces: 2, Monitors: 3, Channels: 1, Members: 2}
		return open(t, o)
	})
	var made, refused atomic.Int64
	var racers sync.WaitGroup
	for range 12 {
		racers.Go(func() {
			_, err := h.CreateMonitor(t.Context(), uptime.Monitor{
				WorkspaceID: h.ws, RowKey: h.key(), Name: h.key(), Type: "http", Enabled: true, Interval: time.Minute, Timeout: time.Second, RetryInterval: time.Second,
				FailuresBeforeDown: 1, SuccessesBeforeUp: 1, Regions: []string{uptime.DefaultRegion}, MinRegionsDown: 1, Settings: []byte(`{}`),
			}, nil)
			if err == nil {
				made.Add(1)
			} else if assert.Equal(t, uptime.CodeConflict, uptime.CodeOf(err), err) {
				refused.Add(1)
			}
		})
	}
	racers.Wait()
	require.EqualValues(t, 3, made.Load())
	require.EqualValues(t, 9, refused.Load())

	// What was deleted makes room, and does not come back into none.
	list, err := h.Monitors(t.Context(), h.ws, uptime.MonitorFilter{}, uptime.Page{Limit: 10})
	require.NoError(t, err)
	gone := list.Items[0].ID
	require.NoError(t, h.DeleteMonitor(t.Context(), h.ws, gone, nil))
	h.monitor(t)
	_, err = h.RestoreMonitor(t.Context(), h.ws, gone, nil)
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
	require.ErrorContains(t, err, "limits.monitors")

	h.channel(t)
	_, err = h.CreateChannel(t.Context(), uptime.Channel{WorkspaceID: h.ws, RowKey: h.key(), Name: "Second", Type: "webhook", Settings: []byte(`{}`)}, nil)
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
	owner := h.user(t, uptime.RoleOwner)
	h.user(t, uptime.RoleViewer)
	_, err = h.CreateUser(t.Context(), uptime.User{WorkspaceID: h.ws, Role: uptime.RoleViewer, Email: "third@example.com", InviteHash: "abc"}, nil)
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))

	// Another workspace has its own.
	annex := h.second(t, owner)
	_, err = h.CreateWorkspace(t.Context(), uptime.Workspace{Name: "Third", TimeZone: "UTC"}, owner.ID, nil)
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
	_, err = h.CreateChannel(t.Context(), uptime.Channel{WorkspaceID: annex.ID, RowKey: h.key(), Name: "First", Type: "webhook", Settings: []byte(`{}`)}, nil)
	require.NoError(t, err)
}
