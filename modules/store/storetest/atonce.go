package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// breaks records a failure of each monitor, within an offer.
func (h *house) breaks(t *testing.T, offer uptime.ClaimParams, monitors ...uptime.Monitor) uptime.Recorded {
	t.Helper()
	h.clock.Advance(time.Second)
	var batch []uptime.Result
	for _, m := range monitors {
		batch = append(batch, plainResult(m, h.clock.Now(), uptime.Down))
	}
	done, err := h.RecordAndClaim(t.Context(), batch, uptime.Judge(h.eventID), offer)
	require.NoError(t, err)
	return done
}

func offered(limit, each int, skip ...int64) uptime.ClaimParams {
	return uptime.ClaimParams{Limit: limit, PerChannel: each, SkipChannels: skip, Lease: lease}
}

// testClaimedAtOnce: what is claimed with the result is what would be claimed
// after it, and it ends as any claim does.
func testClaimedAtOnce(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	m := h.monitor(t, channel)
	done := h.breaks(t, offered(4, 2), m)
	require.Len(t, done.Claims, 1)
	require.False(t, done.Due)
	for _, n := range done.Notices {
		require.NotEqual(t, uptime.TopicOutbox, n.Topic, "nobody has to look")
	}
	first := done.Claims[0]
	require.Equal(t, uptime.DeliverySending, first.Delivery.Status)
	require.Empty(t, h.claim(t), "it is claimed")

	h.clock.Advance(lease)
	second := h.claimOne(t)
	require.Equal(t, 2, second.N)
	require.Equal(t, first.Event, second.Event)
	require.Equal(t, first.Channel, second.Channel)
	require.Equal(t, first.Delivery, second.Delivery)
	require.ErrorIs(t, h.FinishDelivery(t.Context(), first, h.came(uptime.DeliveryDelivered)), uptime.ErrStale)
	h.finish(t, second, uptime.DeliveryDelivered)
	attempts := h.deliveries(t, channel.ID)[0].Attempts
	require.Len(t, attempts, 2)
	require.Equal(t, "no answer was recorded", attempts[0].Error)
}

// testOfferBounds: an offer is not exceeded, and what it leaves is due.
func testOfferBounds(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	busy, idle, held, off := h.channel(t), h.channel(t), h.channel(t), h.channel(t, func(c *uptime.Channel) { c.Enabled = false })
	var monitors []uptime.Monitor
	for range 3 {
		monitors = append(monitors, h.monitor(t, busy, off))
	}
	monitors = append(monitors, h.monitor(t, idle), h.monitor(t, held))
	done := h.breaks(t, offered(10, 2, held.ID), monitors...)
	count := func(claims []uptime.Claim) map[int64]int {
		n := map[int64]int{}
		for _, c := range claims {
			n[c.Channel.ID]++
		}
		return n
	}
	require.Equal(t, map[int64]int{busy.ID: 2, idle.ID: 1}, count(done.Claims))
	require.True(t, done.Due)
	require.Equal(t, map[int64]int{busy.ID: 1, held.ID: 1}, count(h.claim(t)))

	require.Empty(t, h.breaks(t, offered(10, 2), h.monitor(t, busy)).Claims, "three are in flight")
	require.Len(t, h.claim(t), 1)
	require.Len(t, h.breaks(t, offered(10, 5), h.monitor(t, busy)).Claims, 1)
	require.Empty(t, h.breaks(t, uptime.ClaimParams{}, h.monitor(t, idle)).Claims, "no offer")
	require.Len(t, h.claim(t), 1)
	require.Len(t, h.breaks(t, offered(1, 5), h.monitor(t, idle), h.monitor(t, idle)).Claims, 1)
}

// testOlderGoFirst: what is new does not pass others of its channel that are due.
func testOlderGoFirst(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	busy, idle := h.channel(t), h.channel(t)
	older := h.monitor(t, busy)
	require.Empty(t, h.breaks(t, uptime.ClaimParams{}, older).Claims)
	done := h.breaks(t, offered(4, 4), h.monitor(t, busy, idle))
	require.Len(t, done.Claims, 1)
	require.Equal(t, idle.ID, done.Claims[0].Channel.ID)
	require.True(t, done.Due)
	first := h.claim(t)
	require.Len(t, first, 2)
	require.Equal(t, older.ID, first[0].Delivery.MonitorID)
	for _, c := range first {
		h.finish(t, c, uptime.DeliveryDelivered)
	}
	require.Len(t, h.breaks(t, offered(4, 4), h.monitor(t, busy)).Claims, 1)
}

// testAtOnceInOrder: an end does not overtake what is being sent, and takes the
// place of what was not.
func testAtOnceInOrder(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	m := h.monitor(t, h.channel(t))
	ends := func() uptime.Recorded {
		h.clock.Advance(time.Second)
		done, err := h.RecordAndClaim(t.Context(), []uptime.Result{plainResult(m, h.clock.Now(), uptime.Up)}, uptime.Judge(h.eventID), offered(4, 4))
		require.NoError(t, err)
		return done
	}
	began := h.breaks(t, offered(4, 4), m).Claims
	require.Len(t, began, 1)
	ended := ends()
	require.Empty(t, ended.Claims)
	require.True(t, ended.Due)
	h.finish(t, began[0], uptime.DeliveryDelivered)
	h.finish(t, h.claimOne(t), uptime.DeliveryDelivered)

	require.Empty(t, h.breaks(t, uptime.ClaimParams{}, m).Claims)
	ended = ends()
	require.Len(t, ended.Claims, 1)
	require.Equal(t, uptime.EventResolved, ended.Claims[0].Event.Type)
	require.True(t, ended.Claims[0].Delivery.Merges, "one message tells of both")
}

// testAtOnceTogether: recorders that claim, notifiers that claim and finish, all
// for the same channels, get in nobody's way for ever and claim nothing twice.
func testAtOnceTogether(t *testing.T, open OpenFunc) {
	const channels, each, bound = 3, 12, 3
	h := newHouse(t, open)
	shared := make([]uptime.Channel, channels)
	for i := range shared {
		shared[i] = h.channel(t)
	}
	var batches [][]uptime.Result
	for range each {
		var batch []uptime.Result
		for _, c := range shared {
			m := h.monitor(t, c)
			batch = append(batch, plainResult(m, h.clock.Now(), uptime.Down))
		}
		batches = append(batches, batch)
	}
	var mu sync.Mutex
	taken := map[int64]int{}
	send := func(claims []uptime.Claim) {
		mu.Lock()
		for _, c := range claims {
			taken[c.Delivery.ID]++
		}
		mu.Unlock()
		for _, c := range claims {
			assert.NoError(t, h.FinishDelivery(t.Context(), c, h.came(uptime.DeliveryDelivered)))
		}
	}
	left := func() int {
		mu.Lock()
		defer mu.Unlock()
		return channels*each - len(taken)
	}
	var all sync.WaitGroup
	for _, batch := range batches {
		all.Go(func() {
			done, err := h.RecordAndClaim(t.Context(), batch, uptime.Judge(h.eventID), offered(8, bound))
			assert.NoError(t, err)
			send(done.Claims)
		})
	}
	for range 3 {
		all.Go(func() {
			for left() > 0 && t.Context().Err() == nil {
				claims, err := h.ClaimDeliveries(t.Context(), offered(5, bound))
				if !assert.NoError(t, err) {
					return
				}
				send(claims)
			}
		})
	}
	all.Wait()
	require.Len(t, taken, channels*each)
	for id, n := range taken {
		require.Equal(t, 1, n, "delivery %d", id)
	}
}
