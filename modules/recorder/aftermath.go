package recorder

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"monitor/modules/uptime"
)

// mostOwed bounds acknowledgements and retries each that wait for a queue which
// is away. What is forgotten costs a check that is made twice, or a retry.
const mostOwed = 100_000

// aftermath is what the queue must still be told.
type aftermath struct {
	mu       sync.Mutex
	receipts []string
	retries  []uptime.Job
	notYet   time.Time // not to be tried before
}

func (a *aftermath) ack(receipts ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, receipt := range receipts {
		if receipt != "" {
			a.receipts = append(a.receipts, receipt)
		}
	}
	a.receipts = a.receipts[max(len(a.receipts)-mostOwed, 0):]
}

func (a *aftermath) retry(jobs []uptime.Job) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.retries = append(a.retries, jobs...)
	a.retries = a.retries[max(len(a.retries)-mostOwed, 0):]
}

func (a *aftermath) pending() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.receipts)+len(a.retries) > 0
}

func (a *aftermath) due(now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return max(a.notYet.Sub(now), 0)
}

// hurry lets the next attempt be made at once.
func (a *aftermath) hurry() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.notYet = time.Time{}
}

func (a *aftermath) take() ([]string, []uptime.Job) {
	a.mu.Lock()
	defer a.mu.Unlock()
	receipts, retries := a.receipts, a.retries
	a.receipts, a.retries = nil, nil
	return receipts, retries
}

// settle tells the queue what it must know: retries first, for they are due
// soonest. What it does not take is kept for the next time.
func (r *Recorder) settle(ctx context.Context) {
	if r.after.due(time.Now()) > 0 {
		return
	}
	receipts, retries := r.after.take()
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var failed error
	retries = r.worthwhile(retries)
	if len(retries) > 0 {
		if err := r.Queue.Push(limited, retries); err != nil && !errors.Is(err, uptime.ErrFull) {
			failed = err
			r.after.retry(retries)
		}
	}
	if len(receipts) > 0 {
		if err := r.Queue.Ack(limited, receipts); err != nil {
			failed = err
			r.after.ack(receipts...)
		}
	}
	if failed != nil {
		r.after.mu.Lock()
		r.after.notYet = time.Now().Add(follow)
		r.after.mu.Unlock()
	}
	switch was := r.count.owing.Swap(failed != nil); {
	case failed != nil && !was:
		r.Log.WarnContext(ctx, "the queue cannot be told of stored results", "error", failed)
	case failed == nil && was:
		r.Log.InfoContext(ctx, "the queue is told of stored results again")
	}
}

// worthwhile drops retries that are too old to be run.
func (r *Recorder) worthwhile(jobs []uptime.Job) []uptime.Job {
	now := r.Clock()
	return slices.DeleteFunc(jobs, func(j uptime.Job) bool { return now.After(j.Expires()) })
}
