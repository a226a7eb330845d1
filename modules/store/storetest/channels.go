package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func testChannels(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	a, b := h.channel(t), h.channel(t, func(c *uptime.Channel) { c.IsDefault, c.SendDegraded = true, true })
	got, err := h.Channel(t.Context(), h.ws, b.ID)
	require.NoError(t, err)
	require.Equal(t, b, got)
	_, err = h.Channel(t.Context(), h.ws+1, b.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	ids, err := h.DefaultChannelIDs(t.Context(), h.ws)
	require.NoError(t, err)
	require.Equal(t, []int64{b.ID}, ids)

	h.clock.Advance(time.Second)
	changed, err := h.UpdateChannel(t.Context(), h.ws, a.ID, func(c *uptime.Channel) error {
		c.Name, c.Settings, c.RowKey, c.WorkspaceID, c.FallbackChannelID = "Ops", []byte(`{}`), "other", 99, b.ID
		return nil
	}, nil)
	require.NoError(t, err)
	require.Equal(t, a.RowKey, changed.RowKey)
	require.Equal(t, h.ws, changed.WorkspaceID)
	require.Equal(t, a.Version+1, changed.Version)
	require.Equal(t, h.clock.Now(), changed.UpdatedAt)
	require.Equal(t, a.CreatedAt, changed.CreatedAt)
	got, err = h.Channel(t.Context(), h.ws, a.ID)
	require.NoError(t, err)
	require.Equal(t, changed, got)
	same, err := h.UpdateChannel(t.Context(), h.ws, a.ID, func(c *uptime.Channel) error { c.UsedBy = 7; return nil }, nil)
	require.NoError(t, err)
	require.Equal(t, changed, same)

	m := h.monitor(t, a)
	h.down(t, m)
	h.finish(t, h.claimOne(t), uptime.DeliveryDelivered)
	h.down(t, h.monitor(t, a))
	gone := h.monitor(t, a)
	require.NoError(t, h.DeleteMonitor(t.Context(), h.ws, gone.ID, nil))
	list, err := h.Channels(t.Context(), h.ws, uptime.Page{Limit: 1})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	require.Equal(t, 2, list.Items[0].UsedBy)
	require.Equal(t, uptime.DeliveryDelivered, list.Items[0].LastDelivery.Status)
	require.Equal(t, m.ID, list.Items[0].LastDelivery.MonitorID)
	require.Len(t, list.Items[0].LastDelivery.Attempts, 1)
	list, err = h.Channels(t.Context(), h.ws, uptime.Page{Limit: 1, Cursor: list.Next})
	require.NoError(t, err)
	require.Equal(t, []uptime.Channel{b}, list.Items)
	require.Empty(t, list.Next)
}

func testChannelFallback(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	a := h.channel(t)
	for _, id := range []int64{a.ID, a.ID + 100} {
		_, err := h.UpdateChannel(t.Context(), h.ws, a.ID, func(c *uptime.Channel) error { c.FallbackChannelID = id; return nil }, nil)
		require.Equal(t, uptime.CodeInvalid, uptime.CodeOf(err))
	}
	_, err := h.CreateChannel(t.Context(), uptime.Channel{
		WorkspaceID: h.ws, RowKey: h.key(), Type: "webhook", Settings: []byte(`{}`), FallbackChannelID: a.ID + 100,
	}, nil)
	require.Equal(t, uptime.CodeInvalid, uptime.CodeOf(err))
}

func testDeleteChannel(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	doomed := h.channel(t, func(c *uptime.Channel) { c.IsDefault = true })
	kept := h.channel(t, func(c *uptime.Channel) { c.FallbackChannelID = doomed.ID })
	m := h.monitor(t, doomed, kept)
	h.down(t, m)
	require.ErrorIs(t, h.DeleteChannel(t.Context(), h.ws+1, doomed.ID, nil), uptime.ErrNotFound)
	require.NoError(t, h.DeleteChannel(t.Context(), h.ws, doomed.ID, nil))
	require.ErrorIs(t, h.DeleteChannel(t.Context(), h.ws, doomed.ID, nil), uptime.ErrNotFound)

	_, err := h.Channel(t.Context(), h.ws, doomed.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	list, err := h.Channels(t.Context(), h.ws, uptime.Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	require.Zero(t, list.Items[0].FallbackChannelID)
	got, err := h.Monitor(t.Context(), h.ws, m.ID)
	require.NoError(t, err)
	require.Equal(t, []int64{kept.ID}, got.ChannelIDs)
	require.Equal(t, m.Version+1, got.Version)
	ids, err := h.DefaultChannelIDs(t.Context(), h.ws)
	require.NoError(t, err)
	require.Empty(t, ids)
	require.Equal(t, []string{"incident.opened cancelled"}, h.words(t, doomed.ID))
	require.Equal(t, kept.ID, h.claimOne(t).Channel.ID)
}
