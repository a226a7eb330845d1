package recorder_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"monitor/modules/uptime"
)

// world stands in for store, queue and bus, and notes what they were told.
type world struct {
	mu       sync.Mutex
	refuse   func(batch []uptime.Result) error
	queueErr error
	slow     time.Duration

	free   int // places of the notifier
	offers int // that were not taken
	taken  int

	calm     map[int64]bool // monitors whose results need not be judged
	advanced [][]uptime.Result

	batches [][]uptime.Result
	at      []time.Duration // of the batches, since the start
	calls   int
	missed  []uptime.MissedRange
	acked   []string
	pushed  []uptime.Job
	notices []uptime.Notice
	order   []string
	start   time.Time
}

func (w *world) RecordAndClaim(ctx context.Context, batch []uptime.Result, decide uptime.Decide, offer uptime.ClaimParams) (uptime.Recorded, error) {
	w.mu.Lock()
	slow := w.slow
	w.mu.Unlock()
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-ctx.Done():
			return uptime.Recorded{}, ctx.Err()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	if w.refuse != nil {
		if err := w.refuse(batch); err != nil {
			return uptime.Recorded{}, err
		}
	}
	w.batches = append(w.batches, slices.Clone(batch))
	w.at = append(w.at, time.Since(w.start))
	w.order = append(w.order, "record")
	out := uptime.Recorded{Stored: len(batch)}
	if offer.Limit > 0 {
		out.Claims = []uptime.Claim{{N: len(w.batches)}}
	}
	for _, r := range batch {
		d := decide(uptime.Situation{New: []uptime.Result{r}})
		out.Retries = append(out.Retries, d.Retries...)
		out.Due = out.Due || len(d.Retries) > 0
	}
	return out, nil
}

// Advance takes the results of monitors in calm.
func (w *world) Advance(_ context.Context, batch []uptime.Result) (done uptime.Recorded, left []int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var taken []uptime.Result
	for i, r := range batch {
		if w.calm[r.MonitorID] {
			taken = append(taken, r)
		} else {
			left = append(left, i)
		}
	}
	if w.refuse != nil && len(taken) > 0 {
		if err := w.refuse(taken); err != nil {
			return done, nil, err
		}
	}
	if done.Stored = len(taken); len(taken) > 0 {
		w.advanced = append(w.advanced, taken)
		w.order = append(w.order, "advance")
	}
	return done, left, nil
}

func (w *world) BookMissed(_ context.Context, ranges []uptime.MissedRange) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse != nil {
		if err := w.refuse(nil); err != nil {
			return err
		}
	}
	w.missed = append(w.missed, ranges...)
	return nil
}

func (w *world) Push(_ context.Context, jobs []uptime.Job) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queueErr != nil {
		return w.queueErr
	}
	w.pushed = append(w.pushed, jobs...)
	w.order = append(w.order, "push")
	return nil
}

func (w *world) Ack(_ context.Context, receipts []string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queueErr != nil {
		return w.queueErr
	}
	w.acked = append(w.acked, receipts...)
	w.order = append(w.order, "ack")
	return nil
}

func (w *world) Publish(_ context.Context, notices ...uptime.Notice) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notices = append(w.notices, notices...)
	w.order = append(w.order, "publish")
	return nil
}

// Offer and Take are those of a notifier.
func (w *world) Offer() uptime.ClaimParams {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.offers++
	return uptime.ClaimParams{Limit: w.free}
}

func (w *world) Take(_ context.Context, _ uptime.ClaimParams, claims []uptime.Claim) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.offers--
	w.taken += len(claims)
	w.order = append(w.order, "take")
}

func (w *world) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

// told is a copy of what the world was told so far.
type told struct {
	batches  [][]uptime.Result
	at       []time.Duration
	calls    int
	missed   []uptime.MissedRange
	acked    []string
	pushed   []uptime.Job
	notices  []uptime.Notice
	order    []string
	advanced [][]uptime.Result
}

func (w *world) told() told {
	w.mu.Lock()
	defer w.mu.Unlock()
	return told{
		slices.Clone(w.batches), slices.Clone(w.at), w.calls, slices.Clone(w.missed),
		slices.Clone(w.acked), slices.Clone(w.pushed), slices.Clone(w.notices), slices.Clone(w.order), slices.Clone(w.advanced),
	}
}

// stored lists the monitors of all stored results, in order.
func (w *world) stored() []int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ids []int64
	for _, b := range w.batches {
		for _, r := range b {
			ids = append(ids, r.MonitorID)
		}
	}
	return ids
}
