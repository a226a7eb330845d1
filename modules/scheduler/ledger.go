package scheduler

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"monitor/modules/uptime"
)

// bookSize is how many ranges one call books.
const bookSize = 500

// ledger writes watermarks and missed ranges to the database, off the loop that
// publishes. What fails is kept and tried again. It is safe for concurrent use.
type ledger struct {
	store store
	log   *slog.Logger
	epoch int64
	parts int

	writing sync.Mutex // one runOnce at a time

	mu     sync.Mutex
	upTo   time.Time // of all partitions
	saved  time.Time
	missed []uptime.MissedRange
}

func newLedger(s *Scheduler, epoch int64, parts int) *ledger {
	return &ledger{store: s.Store, log: s.Log, epoch: epoch, parts: parts}
}

// mark notes that every partition is published up to t.
func (l *ledger) mark(t time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.upTo = later(l.upTo, t)
}

// miss notes ranges to be booked.
func (l *ledger) miss(ranges []uptime.MissedRange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.missed = append(l.missed, ranges...)
}

// run writes every saveEvery until ctx ends.
func (l *ledger) run(ctx context.Context) {
	ticker := time.NewTicker(saveEvery)
	defer ticker.Stop()
	for {
		l.runOnce(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// runOnce writes what is new.
func (l *ledger) runOnce(ctx context.Context) {
	l.writing.Lock()
	defer l.writing.Unlock()
	// Missed ranges first: a watermark that was saved past slots that are
	// neither published nor booked would leave them to the audit.
	if err := l.book(ctx); err != nil {
		if ctx.Err() == nil {
			l.log.Warn("cannot book missed slots; trying again", "error", err)
		}
		return
	}
	if err := l.save(ctx); err != nil && ctx.Err() == nil {
		l.log.Warn("cannot save watermarks; trying again", "error", err)
	}
}

func (l *ledger) book(ctx context.Context) error {
	for {
		l.mu.Lock()
		part := l.missed[:min(bookSize, len(l.missed))]
		l.mu.Unlock()
		if len(part) == 0 {
			return nil
		}
		own, cancel := context.WithTimeout(ctx, callTimeout)
		err := l.store.BookMissed(own, part)
		cancel()
		if err != nil {
			return err
		}
		l.mu.Lock()
		l.missed = l.missed[len(part):]
		l.mu.Unlock()
	}
}

func (l *ledger) save(ctx context.Context) error {
	l.mu.Lock()
	upTo, fresh := l.upTo, l.upTo.After(l.saved)
	l.mu.Unlock()
	if !fresh {
		return nil
	}
	marks := make([]time.Time, l.parts)
	for i := range marks {
		marks[i] = upTo
	}
	own, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := l.store.SaveWatermarks(own, l.epoch, marks); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.saved = upTo
	return nil
}
