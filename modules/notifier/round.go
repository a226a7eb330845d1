package notifier

import (
	"context"
	"fmt"
	"time"

	"monitor/modules/uptime"
)

// heldFor is when a delivery that was held back may be claimed again. It is
// short: the channels held then are skipped by the claim itself.
const heldFor = time.Second

// runOnce emits reminders, claims what is due and there is room for, and begins
// the attempts. It gives the time until it should run again.
func (n *Notifier) runOnce(ctx, attempts context.Context) time.Duration {
	n.remind(ctx)
	for ctx.Err() == nil {
		// Asked first: this reads, while a claim is a transaction that writes.
		rest, err := n.untilDue(ctx)
		if err == nil && rest > 0 {
			return rest
		}
		claimed := 0
		if err == nil {
			claimed, err = n.claim(ctx, attempts)
		}
		n.board.asked(n.Clock(), err)
		if err != nil {
			n.Log.WarnContext(ctx, "due deliveries were not claimed", "error", err)
			return Poll
		}
		if claimed == 0 { // what is due is held back or waits for its turn, or there is no room
			return Poll
		}
	}
	return Poll
}

// remind emits the reminders that are due, once a second however often the loop
// is woken.
func (n *Notifier) remind(ctx context.Context) {
	now := n.Clock()
	if !n.board.mayRemind(now) {
		return
	}
	within, cancel := bounded(ctx)
	defer cancel()
	if _, err := n.Outbox.EmitReminders(within, reminderBatch); err != nil {
		n.Log.WarnContext(ctx, "reminders were not emitted", "error", err)
	}
}

// claim leases what is due, as far as there is room, and begins the attempts. Some
// places stay for what recorders claim. A claim is committed even if the notifier is
// asked to stop meanwhile: it is then released.
func (n *Notifier) claim(ctx, attempts context.Context) (claimed int, err error) {
	each := share(capacity - n.board.inFlight())
	places := n.reserve(capacity - mostOffered)
	if places == 0 {
		return 0, nil
	}
	defer n.giveBack(places)
	within, cancel := bounded(ctx)
	defer cancel()
	claims, err := n.Outbox.ClaimDeliveries(within, uptime.ClaimParams{
		Limit: places, PerChannel: each, SkipChannels: n.Gate.Held(), Lease: Lease,
	})
	for _, c := range claims {
		n.begin(ctx, attempts, c)
	}
	return len(claims), err
}

// share is how many attempts one channel may have on their way. When more than
// half of the places are taken each channel gets a single one, so that a few
// slow channels cannot fill them all.
func share(free int) int {
	const most = 4
	if free > capacity/2 {
		return most
	}
	return 1
}

// begin starts the attempt of a claim, or hands it back.
func (n *Notifier) begin(ctx, attempts context.Context, c uptime.Claim) {
	if ctx.Err() != nil {
		n.sending.Go(func() { n.release(attempts, c, n.Clock()) })
		return
	}
	done, ok := n.Gate.Allow(c.Channel)
	if !ok {
		n.sending.Go(func() { n.release(attempts, c, n.Clock().Add(heldFor)) })
		return
	}
	n.board.begun()
	n.sending.Go(func() {
		defer n.look()
		defer n.board.ended()
		n.attempt(attempts, c, done)
	})
}

// release hands a claim back; one that cannot be is free when its lease ends.
func (n *Notifier) release(ctx context.Context, c uptime.Claim, next time.Time) {
	within, cancel := bounded(ctx)
	defer cancel()
	n.board.released()
	if err := n.Outbox.ReleaseDelivery(within, c, next); err != nil {
		n.log(c).WarnContext(ctx, "delivery was not handed back", "error", err)
	}
}

// untilDue is the time until the next delivery falls due, 0 when one is, Poll
// at most.
func (n *Notifier) untilDue(ctx context.Context) (time.Duration, error) {
	within, cancel := bounded(ctx)
	defer cancel()
	next, err := n.Outbox.NextDue(within)
	if err != nil {
		return 0, fmt.Errorf("read when the next delivery is due: %w", err)
	}
	n.board.asked(n.Clock(), nil)
	if next.IsZero() {
		return Poll, nil
	}
	return min(max(next.Sub(n.Clock()), 0), Poll), nil
}
