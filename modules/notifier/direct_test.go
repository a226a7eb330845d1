package notifier_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/notifier"
	"monitor/modules/uptime"
)

// hand claims a delivery as a recorder does, within an offer.
func hand(m *memory, r *row) uptime.Claim {
	m.mu.Lock()
	defer m.mu.Unlock()
	r.status, r.due = uptime.DeliverySending, time.Now().Add(notifier.Lease)
	r.claim.N++
	return r.claim
}

func TestTakesWhatWasClaimed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		n := newNotifier(m, func(context.Context, uptime.Channel, uptime.Message) error { return nil })
		require.Zero(t, n.Offer(), "it does not run yet")
		stop := start(n)
		began := time.Now()
		offer := n.Offer()
		require.Positive(t, offer.Limit)
		require.Positive(t, offer.PerChannel)
		require.Equal(t, notifier.Lease, offer.Lease)
		r := m.add(numbered(1), event("a"))
		n.Take(t.Context(), offer, []uptime.Claim{hand(m, r)})
		synctest.Wait()
		require.Equal(t, uptime.DeliveryDelivered, r.status)
		require.Equal(t, began, time.Now())
		stop()
		require.Zero(t, n.Offer(), "it has stopped")
	})
}

// Places are offered once: what is kept for one recorder is not for others, nor
// for what the database has.
func TestOffersNoMoreThanItHas(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		release := make(chan struct{})
		n := newNotifier(m, func(context.Context, uptime.Channel, uptime.Message) error { <-release; return nil })
		stop := start(n)
		var offers []uptime.ClaimParams
		total := 0
		for offer := n.Offer(); offer.Limit > 0; offer = n.Offer() {
			offers = append(offers, offer)
			total += offer.Limit
		}
		require.Equal(t, n.Stats().Capacity, total)
		r := m.add(numbered(1), event("a"))
		time.Sleep(3 * notifier.Poll)
		synctest.Wait()
		require.Equal(t, uptime.DeliveryPending, r.status, "all places are kept")
		for _, offer := range offers {
			n.Take(t.Context(), offer, nil)
		}
		time.Sleep(notifier.Poll)
		synctest.Wait()
		require.Equal(t, uptime.DeliverySending, r.status)
		close(release)
		synctest.Wait()
		stop()
	})
}

// What was claimed while the notifier stopped is given back, not held.
func TestTakenAfterTheStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		n := newNotifier(m, func(context.Context, uptime.Channel, uptime.Message) error { return nil })
		stop := start(n)
		offer := n.Offer()
		r := m.add(numbered(1), event("a"))
		claim := hand(m, r)
		stop()
		n.Take(t.Context(), offer, []uptime.Claim{claim})
		require.Equal(t, uptime.DeliveryPending, r.status)
		require.Zero(t, r.claim.N)
		require.False(t, r.due.After(time.Now()))
	})
}

// What was claimed by a transaction that took so long that an attempt may outlast
// the lease is not sent: somebody else could send it meanwhile.
func TestTakenTooLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		var sent atomic.Int32
		n := newNotifier(m, func(context.Context, uptime.Channel, uptime.Message) error { sent.Add(1); return nil })
		stop := start(n)
		offer := n.Offer()
		r := m.add(numbered(1), event("a"))
		claim := hand(m, r)
		time.Sleep(notifier.Lease - notifier.SendTimeout + time.Millisecond)
		n.Take(t.Context(), offer, []uptime.Claim{claim})
		synctest.Wait()
		require.Zero(t, sent.Load())
		time.Sleep(notifier.Poll)
		synctest.Wait()
		require.EqualValues(t, 1, sent.Load(), "it was handed back")
		require.Equal(t, uptime.DeliveryDelivered, r.status)
		require.Equal(t, 1, r.claim.N)
		stop()
	})
}

// An endpoint that is held back after the offer costs no attempt.
func TestTakenForAHeldEndpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		n := newNotifier(m, func(context.Context, uptime.Channel, uptime.Message) error {
			return &uptime.SendError{Reason: "down"}
		})
		stop := start(n)
		offer := n.Offer()
		for range 8 {
			m.add(numbered(1), event("a"))
		}
		time.Sleep(10 * time.Second) // its breaker opens
		synctest.Wait()
		require.Contains(t, n.Offer().SkipChannels, int64(1))
		r := m.add(numbered(1), event("b"))
		n.Take(t.Context(), offer, []uptime.Claim{hand(m, r)})
		synctest.Wait()
		require.Equal(t, uptime.DeliveryPending, r.status)
		require.Empty(t, r.log)
		stop()
	})
}
