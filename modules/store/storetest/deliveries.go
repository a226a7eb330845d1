package storetest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func testDisabledChannel(t *testing.T, open OpenFunc) {
	off := func(c *uptime.Channel) error { c.Enabled = false; return nil }
	h := newHouse(t, open)
	channel := h.channel(t)
	h.down(t, h.monitor(t, channel))
	flying := h.claimOne(t)
	h.down(t, h.monitor(t, channel))
	_, err := h.UpdateChannel(t.Context(), h.ws, channel.ID, off, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"incident.opened sending", "incident.opened cancelled"}, h.words(t, channel.ID))
	h.finish(t, flying, uptime.DeliveryPending)
	require.Equal(t, []string{"incident.opened cancelled", "incident.opened cancelled"}, h.words(t, channel.ID))
	require.NotEmpty(t, h.deliveries(t, channel.ID)[0].Reason)

	lost := h.channel(t)
	h.down(t, h.monitor(t, lost))
	h.claimOne(t)
	require.NoError(t, h.DeleteChannel(t.Context(), h.ws, lost.ID, nil))
	h.clock.Advance(lease)
	require.Empty(t, h.claim(t))
	require.Equal(t, []string{"incident.opened cancelled"}, h.words(t, lost.ID))
	next, err := h.NextDue(t.Context())
	require.NoError(t, err)
	require.Zero(t, next)
}

func testEndpointGone(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	h.down(t, h.monitor(t, channel))
	c := h.claimOne(t)
	h.down(t, h.monitor(t, channel))
	r := h.came(uptime.DeliveryDead)
	r.DisableChannel, r.Reason = true, "The endpoint answered 410."
	require.NoError(t, h.FinishDelivery(t.Context(), c, r))
	require.Equal(t, []string{"incident.opened dead", "incident.opened cancelled"}, h.words(t, channel.ID))
	got, err := h.Channel(t.Context(), h.ws, channel.ID)
	require.NoError(t, err)
	require.False(t, got.Enabled)
	require.Equal(t, r.Reason, got.DisabledReason)
	require.Equal(t, channel.Version+1, got.Version)
	require.Equal(t, uptime.DeliveryDead, got.LastDelivery.Status)
	got, err = h.UpdateChannel(t.Context(), h.ws, channel.ID, func(c *uptime.Channel) error { c.Enabled = true; return nil }, nil)
	require.NoError(t, err)
	require.Empty(t, got.DisabledReason)
}

func testRetryByHand(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	h.down(t, h.monitor(t, channel))
	c := h.claimOne(t)
	_, err := h.RetryDelivery(t.Context(), h.ws, c.Delivery.ID, nil)
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
	h.finish(t, c, uptime.DeliveryDead)
	_, err = h.RetryDelivery(t.Context(), h.ws+1, c.Delivery.ID, nil)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	d, err := h.RetryDelivery(t.Context(), h.ws, c.Delivery.ID, nil)
	require.NoError(t, err)
	require.Equal(t, uptime.DeliveryPending, d.Status)
	require.Equal(t, h.clock.Now(), d.NextAttemptAt)
	require.Len(t, d.Attempts, 1)
	again := h.claimOne(t)
	require.Equal(t, 2, again.N)
	h.finish(t, again, uptime.DeliveryDead)
	require.NoError(t, h.DeleteChannel(t.Context(), h.ws, channel.ID, nil))
	_, err = h.RetryDelivery(t.Context(), h.ws, c.Delivery.ID, nil)
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
}

func testDeliveryLists(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	var all []int64
	var last uptime.Incident
	for range 5 {
		last = h.down(t, h.monitor(t, channel))
		all = append(all, h.claimOne(t).Delivery.ID)
	}
	slices.Reverse(all)
	var got []int64
	page := uptime.Page{Limit: 2}
	for {
		list, err := h.Deliveries(t.Context(), h.ws, uptime.DeliveryFilter{Status: uptime.DeliverySending}, page)
		require.NoError(t, err)
		for _, d := range list.Items {
			got = append(got, d.ID)
		}
		if page.Cursor = list.Next; page.Cursor == "" {
			break
		}
	}
	require.Equal(t, all, got)
	list, err := h.Deliveries(t.Context(), h.ws, uptime.DeliveryFilter{IncidentID: last.ID}, uptime.Page{Limit: 5})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	require.Empty(t, list.Next)
	list, err = h.Deliveries(t.Context(), h.ws, uptime.DeliveryFilter{MonitorID: last.MonitorID}, uptime.Page{Limit: 5})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	require.Equal(t, last.MonitorID, list.Items[0].MonitorID)
	one, err := h.Delivery(t.Context(), h.ws, list.Items[0].ID)
	require.NoError(t, err)
	require.Equal(t, list.Items[0], one)
	_, err = h.Delivery(t.Context(), h.ws+1, one.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, err = h.Deliveries(t.Context(), h.ws, uptime.DeliveryFilter{}, uptime.Page{Limit: 5, Cursor: "nonsense"})
	require.Equal(t, uptime.CodeMalformed, uptime.CodeOf(err))
}

func testDepth(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	empty, err := h.Outbox(t.Context())
	require.NoError(t, err)
	require.Zero(t, empty)
	next, err := h.NextDue(t.Context())
	require.NoError(t, err)
	require.Zero(t, next)
	h.down(t, h.monitor(t, channel))
	h.finish(t, h.claimOne(t), uptime.DeliveryDead)
	h.down(t, h.monitor(t, channel))
	h.finish(t, h.claimOne(t), uptime.DeliveryPending)
	h.down(t, h.monitor(t, channel))
	depth, err := h.Outbox(t.Context())
	require.NoError(t, err)
	require.Equal(t, uptime.OutboxDepth{Due: 1, Waiting: 1, Dead: 1, Oldest: h.clock.Now()}, depth)
}
