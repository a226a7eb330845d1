package notifier

import (
	"context"
	"errors"
	"time"

	"monitor/modules/failpoint"
	"monitor/modules/uptime"
)

// commitRetry is the wait between two tries to commit a result.
const commitRetry = 250 * time.Millisecond

// attempt sends one claimed message and commits how it went.
func (n *Notifier) attempt(ctx context.Context, c uptime.Claim, done func(error)) {
	failpoint.Here("notifier.claimed")
	at := n.Clock()
	began := time.Now()
	answer, err := n.send(ctx, c, at)
	done(err)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		// Ended by the stop, not by the endpoint. It may have been received,
		// so the number stays used: the lease ends and it is tried again.
		n.log(c).WarnContext(ctx, "attempt was cut short by the stop")
		return
	}
	took := time.Since(began)
	result := n.judge(c, uptime.Attempt{N: c.N, At: at, Duration: took, StatusCode: answer.StatusCode}, err)
	n.Observer.Attempted(c.Channel.Type, result.Attempt.Outcome, took, n.Clock().Sub(c.Delivery.Since()))
	failpoint.Here("notifier.answered")
	n.commit(ctx, c, result)
}

// send makes the attempt within SendTimeout.
func (n *Notifier) send(ctx context.Context, c uptime.Claim, at time.Time) (answer uptime.Answer, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = recovered(v)
			n.log(c).ErrorContext(ctx, "channel panicked", "error", err)
		}
	}()
	opened, err := n.open(c.Channel)
	if err != nil {
		return uptime.Answer{}, err
	}
	within, cancel := context.WithTimeout(ctx, SendTimeout)
	defer cancel()
	return n.Channels.Send(within, opened, uptime.Message{
		ID: c.Event.ID, Type: c.Event.Type, Timestamp: c.Event.At, Data: c.Event.Data,
		Merged: c.Delivery.Merges, Attempt: c.N, AttemptAt: at,
	})
}

// judge says what becomes of the delivery after an attempt.
func (n *Notifier) judge(c uptime.Claim, a uptime.Attempt, err error) uptime.AttemptResult {
	if err == nil {
		a.Outcome = uptime.AttemptOK
		return uptime.AttemptResult{Attempt: a, Status: uptime.DeliveryDelivered}
	}
	failed := new(uptime.SendError)
	if !errors.As(err, &failed) {
		failed = &uptime.SendError{Reason: uptime.Say("internal error"), Err: err}
	}
	a.Error = uptime.Clean(failed.Reason, 1<<10)
	if failed.StatusCode != 0 {
		a.StatusCode = failed.StatusCode
	}
	if failed.Permanent {
		a.Outcome = uptime.AttemptPermanent
		return uptime.AttemptResult{
			Attempt: a, Status: uptime.DeliveryDead, Reason: a.Error, DisableChannel: failed.Disable,
		}
	}
	a.Outcome = uptime.AttemptRetry
	next, ok := Next(c.N, c.Delivery.Since(), n.Clock(), failed.RetryAfter, n.Random())
	if !ok {
		return uptime.AttemptResult{
			Attempt: a, Status: uptime.DeliveryDead, Reason: uptime.Say("given up after 72 h: %s", a.Error),
		}
	}
	return uptime.AttemptResult{Attempt: a, Status: uptime.DeliveryPending, Next: next}
}

// commit writes the result. It goes on trying while the lease is this
// notifier's: a result that is lost means a message sent twice.
func (n *Notifier) commit(ctx context.Context, c uptime.Claim, r uptime.AttemptResult) {
	if r.Status == uptime.DeliveryDead {
		// First, so that dying between the two tells twice and not never.
		n.raise(ctx, c, r)
	}
	err := n.finish(ctx, c, r)
	if errors.Is(err, uptime.ErrStale) || errors.Is(err, uptime.ErrNotFound) {
		n.log(c).WarnContext(ctx, "delivery was taken over or is gone; its result is dropped", "error", err)
		return
	}
	if err != nil {
		n.log(c).ErrorContext(ctx, "result of an attempt was not committed", "error", err)
		return
	}
	failpoint.Here("notifier.committed")
	n.board.finished(r.Status)
	n.report(ctx, c, r)
	if r.Status == uptime.DeliveryDelivered {
		n.end(ctx, c)
	}
}

// finish commits, again and again until the lease is over.
func (n *Notifier) finish(ctx context.Context, c uptime.Claim, r uptime.AttemptResult) error {
	leased, cancel := context.WithTimeout(context.WithoutCancel(ctx), Lease-SendTimeout)
	defer cancel()
	for {
		err := n.Outbox.FinishDelivery(leased, c, r)
		if err == nil || errors.Is(err, uptime.ErrStale) || errors.Is(err, uptime.ErrNotFound) {
			return err
		}
		n.pause(leased, commitRetry)
		if leased.Err() != nil {
			return err
		}
	}
}

// report logs the result and tells the live streams.
func (n *Notifier) report(ctx context.Context, c uptime.Claim, r uptime.AttemptResult) {
	switch r.Status {
	case uptime.DeliveryDelivered:
		n.Observer.Ended(c.Channel.Type, r.Status)
		n.log(c).InfoContext(ctx, "event was delivered", "type", c.Event.Type)
	case uptime.DeliveryDead:
		n.Observer.Ended(c.Channel.Type, r.Status)
		n.log(c).WarnContext(ctx, "delivery is dead", "type", c.Event.Type, "reason", r.Reason)
	default:
		n.log(c).InfoContext(ctx, "delivery failed and is tried again", "type", c.Event.Type, "error", r.Attempt.Error, "next", r.Next)
	}
	ended := c.Delivery
	ended.Status = r.Status
	n.announce(ctx, ended.Notice())
}
