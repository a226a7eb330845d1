package probe

import (
	"context"
	"time"
)

// bounded is a context with a deadline that it names but does not watch: sockets
// do, by clocks of their own, and a timer for each check is saved. It is for what
// keeps to deadlines by itself; watched makes one for the rest.
type bounded struct {
	context.Context

	deadline time.Time
}

func bound(ctx context.Context, timeout time.Duration) context.Context {
	deadline := time.Now().Add(timeout)
	if end, ok := ctx.Deadline(); ok && end.Before(deadline) {
		deadline = end
	}
	return bounded{ctx, deadline}
}

// Deadline is not later than that of the context within.
func (b bounded) Deadline() (time.Time, bool) { return b.deadline, true }

// watched gives a context that ends at the deadline that ctx names.
func watched(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline)
}

// orEnd gives, where ctx is over, that as the reason: it ended what was going on,
// whatever error came of it.
func orEnd(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return err
}
