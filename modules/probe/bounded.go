package probe

import (
	"context"
	"time"
)

// bounded is a context with a deadline that it names but does not watch: sockets
// do, by clocks of their own, and a timer for each check is saved. So it may be
// given only to what keeps to deadlines by itself.
type bounded struct {
	context.Context

	deadline time.Time
}

// Deadline is not later than that of the context within.
func (b bounded) Deadline() (time.Time, bool) { return b.deadline, true }

// orEnd gives, where the check is over, that as the reason: it ended what was going
// on, whatever error came of it.
func (b bounded) orEnd(err error) error {
	if err != nil && b.Err() == nil && !time.Now().Before(b.deadline) {
		return context.DeadlineExceeded
	}
	return orEnd(b.Context, err)
}

func orEnd(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
