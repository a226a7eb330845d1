package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// RunOutbox is the conformance suite of events, deliveries, reminders and alarms.
func RunOutbox(t *testing.T, open OpenFunc) {
	for name, test := range map[string]func(*testing.T, OpenFunc){
		"Routing": testRouting, "MergeRules": testMergeRules, "MergeRace": testMergeRace,
		"ClaimCarriesAll": testClaimCarriesAll, "Order": testOrder, "Bounds": testBounds,
		"ClaimedAtOnce": testClaimedAtOnce, "OfferBounds": testOfferBounds, "OlderGoFirst": testOlderGoFirst, "AtOnceInOrder": testAtOnceInOrder, "AtOnceTogether": testAtOnceTogether,
		"ConcurrentClaimers": testConcurrentClaimers, "LeaseEnds": testLeaseEnds, "FinishAgain": testFinishAgain,
		"Release": testRelease, "DisabledChannel": testDisabledChannel, "EndpointGone": testEndpointGone,
		"RetryByHand": testRetryByHand, "DeliveryLists": testDeliveryLists, "Depth": testDepth,
		"Reminders": testReminders, "ConcurrentReminders": testConcurrentReminders, "RemindersPileUp": testRemindersPileUp,
		"ClockSetBack": testClockSetBack, "Promise": testPromise, "Alarms": testAlarms,
		"Silence": testSilence, "SilenceMoves": testSilenceMoves, "SilenceAndClaims": testSilenceAndClaims, "SilenceReminders": testSilenceReminders,
		"SilenceRace": testSilenceRace, "SilencedPromise": testSilencedPromise, "SilencedGone": testSilencedGone, "AlarmChannels": testAlarmChannels,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

func testRouting(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	all := h.channel(t, func(c *uptime.Channel) { c.SendDegraded = true })
	few := h.channel(t, func(c *uptime.Channel) { c.SendResolved = false })
	off := h.channel(t, func(c *uptime.Channel) { c.Enabled = false })
	other := h.channel(t)
	m := h.monitor(t, all, few, off)
	i := h.down(t, m)
	h.acknowledge(t, i.ID)
	h.finish(t, h.claim(t)[0], uptime.DeliveryDelivered)
	h.note(t, m, uptime.EventDegraded, uptime.EventCertificate)
	h.resolve(t, i.ID)

	types := func(c uptime.Channel) []uptime.EventType {
		var list []uptime.EventType
		for _, d := range h.deliveries(t, c.ID) {
			require.Equal(t, m.ID, d.MonitorID)
			list = append(list, d.EventType)
		}
		return list
	}
	require.Equal(t, []uptime.EventType{
		uptime.EventOpened, uptime.EventAcknowledged, uptime.EventDegraded, uptime.EventCertificate, uptime.EventResolved,
	}, types(all))
	require.Equal(t, []uptime.EventType{uptime.EventOpened, uptime.EventAcknowledged, uptime.EventCertificate}, types(few))
	require.Empty(t, types(off))
	require.Empty(t, types(other))
}

func testClaimCarriesAll(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	m := h.monitor(t, channel)
	i := h.down(t, m)
	c := h.claimOne(t)
	require.Equal(t, 1, c.N)
	require.Equal(t, channel, c.Channel)
	require.Equal(t, uptime.EventOpened, c.Event.Type)
	require.Equal(t, c.Delivery.EventID, c.Event.ID)
	require.Equal(t, h.ws, c.Event.WorkspaceID)
	require.Equal(t, i.ID, c.Event.IncidentID)
	require.Equal(t, i.ID, c.Event.Data.Incident.ID)
	require.Equal(t, uptime.EventMonitor{ID: m.ID, Name: m.Name, Type: m.Type, Target: m.Target, Tags: m.Tags}, *c.Event.Data.Monitor)
	require.Equal(t, uptime.DeliverySending, c.Delivery.Status)

	h.finish(t, c, uptime.DeliveryDelivered)
	h.clock.Advance(time.Second)
	h.resolve(t, i.ID)
	c = h.claimOne(t)
	require.Equal(t, m.Name, c.Event.Data.Monitor.Name)
	require.Equal(t, uptime.IncidentResolved, c.Event.Data.Incident.Status)
	require.Equal(t, h.clock.Now(), *c.Event.Data.Incident.ResolvedAt)
	require.Equal(t, h.clock.Now(), c.Event.At)
}

// testOrder: one incident reaches a channel in order, other incidents pass by.
func testOrder(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	m, other := h.monitor(t, channel), h.monitor(t, channel)
	i := h.down(t, m)
	down := h.claimOne(t)
	h.acknowledge(t, i.ID)
	h.resolve(t, i.ID)
	require.Empty(t, h.claim(t), "nothing overtakes what is being sent")
	h.down(t, other)
	require.Equal(t, other.ID, h.claimOne(t).Delivery.MonitorID)
	next, err := h.NextDue(t.Context())
	require.NoError(t, err)
	require.True(t, next.After(h.clock.Now()), "what waits for an older one is not due")
	h.finish(t, down, uptime.DeliveryDelivered)
	require.Equal(t, uptime.EventResolved, h.claimOne(t).Event.Type)
}

func testBounds(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	busy, idle := h.channel(t), h.channel(t)
	for range 5 {
		h.down(t, h.monitor(t, busy))
	}
	h.down(t, h.monitor(t, idle))
	claim := func(limit, each int, skip ...int64) map[int64]int {
		claims, err := h.ClaimDeliveries(t.Context(), uptime.ClaimParams{Limit: limit, PerChannel: each, SkipChannels: skip, Lease: lease})
		require.NoError(t, err)
		n := map[int64]int{}
		for _, c := range claims {
			n[c.Channel.ID]++
		}
		return n
	}
	require.Equal(t, map[int64]int{idle.ID: 1}, claim(10, 3, busy.ID))
	require.Equal(t, map[int64]int{busy.ID: 1}, claim(1, 3))
	require.Equal(t, map[int64]int{busy.ID: 2}, claim(10, 3), "one is in flight already")
	require.Empty(t, claim(10, 3))
	require.Equal(t, map[int64]int{busy.ID: 1}, claim(10, 4))
	_, err := h.ClaimDeliveries(t.Context(), uptime.ClaimParams{Limit: 1})
	require.Error(t, err)
}

// testConcurrentClaimers: no delivery is claimed twice, no channel has more in
// flight than its bound, and everything goes out.
func testConcurrentClaimers(t *testing.T, open OpenFunc) {
	const channels, each, bound = 4, 15, 3
	h := newHouse(t, open)
	for range channels {
		c := h.channel(t)
		for range each {
			h.down(t, h.monitor(t, c))
		}
	}
	var mu sync.Mutex
	taken := map[int64]int{}
	flying := map[int64]int{}
	left := func() int {
		mu.Lock()
		defer mu.Unlock()
		return channels*each - len(taken)
	}
	var claimers sync.WaitGroup
	for range 6 {
		claimers.Go(func() {
			for left() > 0 {
				claims, err := h.ClaimDeliveries(t.Context(), uptime.ClaimParams{Limit: 5, PerChannel: bound, Lease: lease})
				if !assert.NoError(t, err) {
					return
				}
				mu.Lock()
				for _, c := range claims {
					taken[c.Delivery.ID]++
					flying[c.Channel.ID]++
					assert.LessOrEqual(t, flying[c.Channel.ID], bound)
				}
				mu.Unlock()
				for _, c := range claims {
					mu.Lock() // before it is true, so that the count is never too high
					flying[c.Channel.ID]--
					mu.Unlock()
					assert.NoError(t, h.FinishDelivery(t.Context(), c, h.came(uptime.DeliveryDelivered)))
				}
			}
		})
	}
	claimers.Wait()
	require.Len(t, taken, channels*each)
	for id, n := range taken {
		require.Equal(t, 1, n, "delivery %d", id)
	}
}

func testLeaseEnds(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	h.down(t, h.monitor(t, channel))
	first := h.claimOne(t)
	begun := h.clock.Now()
	next, err := h.NextDue(t.Context())
	require.NoError(t, err)
	require.Equal(t, begun.Add(lease), next)
	h.clock.Advance(lease - time.Millisecond)
	require.Empty(t, h.claim(t))
	h.clock.Advance(time.Millisecond)
	second := h.claimOne(t)
	require.Equal(t, 2, second.N)
	require.Equal(t, first.Event.ID, second.Event.ID)
	require.ErrorIs(t, h.FinishDelivery(t.Context(), first, h.came(uptime.DeliveryDelivered)), uptime.ErrStale)
	require.ErrorIs(t, h.ReleaseDelivery(t.Context(), first, h.clock.Now()), uptime.ErrStale)
	h.finish(t, second, uptime.DeliveryDelivered)

	d := h.deliveries(t, channel.ID)[0]
	require.Equal(t, uptime.DeliveryDelivered, d.Status)
	require.Equal(t, h.clock.Now(), d.DeliveredAt)
	require.Len(t, d.Attempts, 2)
	require.Equal(t, uptime.Attempt{
		N: 1, At: begun, Duration: lease, Outcome: uptime.AttemptRetry, Error: "no answer was recorded",
	}, d.Attempts[0])
	require.Equal(t, 2, d.Attempts[1].N)
	require.Equal(t, uptime.AttemptOK, d.Attempts[1].Outcome)
}

func testFinishAgain(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	h.down(t, h.monitor(t, channel))
	c := h.claimOne(t)
	h.clock.Advance(2 * lease) // late, but nobody else has it
	failed := h.came(uptime.DeliveryPending)
	require.NoError(t, h.FinishDelivery(t.Context(), c, failed))
	require.NoError(t, h.FinishDelivery(t.Context(), c, failed))
	d := h.deliveries(t, channel.ID)[0]
	require.Len(t, d.Attempts, 1)
	require.Equal(t, failed.Next, d.NextAttemptAt)
	require.Empty(t, h.claim(t))
	h.clock.Advance(time.Second)
	c2 := h.claimOne(t)
	require.Equal(t, 2, c2.N)
	require.ErrorIs(t, h.FinishDelivery(t.Context(), c, failed), uptime.ErrStale)
	require.Error(t, h.FinishDelivery(t.Context(), c2, uptime.AttemptResult{Status: uptime.DeliveryPending}), "no next time")
	require.Error(t, h.FinishDelivery(t.Context(), c2, uptime.AttemptResult{Status: uptime.DeliveryMerged}))
	h.finish(t, c2, uptime.DeliveryDead)
	d = h.deliveries(t, channel.ID)[0]
	require.Equal(t, uptime.DeliveryDead, d.Status)
	require.Equal(t, "gone", d.Reason)
	require.Zero(t, d.NextAttemptAt)
	unknown := c2
	unknown.Delivery.ID += 100
	require.ErrorIs(t, h.FinishDelivery(t.Context(), unknown, failed), uptime.ErrNotFound)
}

func testRelease(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	h.down(t, h.monitor(t, channel))
	c := h.claimOne(t)
	require.NoError(t, h.ReleaseDelivery(t.Context(), c, h.clock.Now().Add(30*time.Second)))
	require.ErrorIs(t, h.FinishDelivery(t.Context(), c, h.came(uptime.DeliveryDelivered)), uptime.ErrStale)
	require.Empty(t, h.claim(t))
	h.clock.Advance(30 * time.Second)
	c = h.claimOne(t)
	require.Equal(t, 1, c.N, "no attempt was used up")
	require.NoError(t, h.ReleaseDelivery(t.Context(), c, time.Time{}))
	require.Equal(t, 1, h.claimOne(t).N)
	require.Empty(t, h.deliveries(t, channel.ID)[0].Attempts)
}
