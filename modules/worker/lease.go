package worker

import (
	"context"
	"sync"
	"time"

	"monitor/modules/uptime"
)

const (
	// renewEvery is how often leases are looked through, and how old one must
	// be to be renewed. Most checks are stored before that.
	renewEvery = uptime.LeaseMargin / 3
	// renewBatch bounds one call to the queue, whose script holds up others.
	renewBatch = 1000
)

// leases knows since when the jobs in our hands are leased.
type leases struct {
	mu    sync.Mutex
	since map[string]time.Time // by receipt: taken or renewed last
}

func newLeases() *leases { return &leases{since: map[string]time.Time{}} }

func (l *leases) add(now time.Time, taken []uptime.Lease) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range taken {
		l.since[t.Receipt] = now
	}
}

func (l *leases) drop(receipts ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range receipts {
		delete(l.since, r)
	}
}

// old names the leases of at least the age, and counts them as renewed now.
func (l *leases) old(now time.Time, age time.Duration) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []string
	for receipt, since := range l.since {
		if now.Sub(since) >= age {
			list = append(list, receipt)
			l.since[receipt] = now
		}
	}
	return list
}

// renew keeps the leases of all that is not stored until ctx ends.
func (w *Worker) renew(ctx context.Context) {
	ticker := time.NewTicker(renewEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			w.renewOnce(ctx)
		}
	}
}

func (w *Worker) renewOnce(ctx context.Context) {
	receipts := append(w.leases.old(time.Now(), renewEvery), w.Recorder.Unstored(renewEvery)...)
	ctx, cancel := context.WithTimeout(ctx, renewEvery)
	defer cancel()
	for len(receipts) > 0 {
		n := min(len(receipts), renewBatch)
		if err := w.Queue.Renew(ctx, receipts[:n]); err != nil {
			// Others may make these checks a second time, which is harmless.
			w.Log.DebugContext(ctx, "leases cannot be renewed", "error", err, "jobs", len(receipts))
			return
		}
		receipts = receipts[n:]
	}
}
