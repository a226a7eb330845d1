package housekeeper

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"monitor/modules/uptime"
)

// records is what housekeeping needs of the results in the database.
type records interface {
	// EnsurePartitions makes the partitions of today and so many days ahead.
	EnsurePartitions(ctx context.Context, days int) error
	// Rollup sums up complete hours before upTo; it may be run again.
	Rollup(ctx context.Context, upTo time.Time) error
	// Purge removes what is older, in small steps, and counts what it removed.
	Purge(ctx context.Context, keep uptime.Retention) (uptime.Purged, error)
	// UnknownMonitors gives those whose derived status became unknown after since.
	UnknownMonitors(ctx context.Context, since time.Time) ([]uptime.Monitor, error)
}

// auditor is what the audit of missed slots needs of the database.
type auditor interface {
	// AuditMissed books the slots due in [from, to) that have neither result
	// nor mark, and stores to as the end of the last audit.
	AuditMissed(ctx context.Context, from, to time.Time, reason uptime.MissedReason) (int64, error)
	// LastAudit is the end of the last audit, zero: none yet.
	LastAudit(ctx context.Context) (time.Time, error)
}

// Params are what New needs; all of it is required.
type Params struct {
	// Kept says how long history is kept, each time anew: people change it while
	// the program runs. After an error nothing is removed.
	Kept    func(ctx context.Context) (uptime.Retention, error)
	Records records
	Auditor auditor
	Leader  uptime.Leader
	Bus     uptime.Bus
	Clock   uptime.Clock
	Log     *slog.Logger
}

// Housekeeper is the running part.
type Housekeeper struct {
	Params
	tasks []*task

	mu    sync.Mutex
	stats map[string]TaskStats
}

// TaskStats is how a task does, for metrics and health.
type TaskStats struct {
	Runs     uint64
	Failures uint64
	// LastSuccess is when it last ended well; zero: never in this process.
	LastSuccess time.Time
	// LastTook is how long its newest run took.
	LastTook time.Duration
}

// New makes a housekeeper.
func New(p Params) (*Housekeeper, error) {
	if p.Kept == nil || p.Records == nil || p.Auditor == nil || p.Leader == nil || p.Bus == nil || p.Clock == nil || p.Log == nil {
		return nil, errors.New("new housekeeper: every param is required")
	}
	h := &Housekeeper{Params: p, stats: map[string]TaskStats{}}
	h.tasks = h.table()
	return h, nil
}

// Run does the tasks while this process leads, until ctx ends. A standby is
// ready.
func (h *Housekeeper) Run(ctx context.Context, ready func()) error {
	ready()
	return h.Leader.Lead(ctx, func(ctx context.Context, _ int64) error {
		var all sync.WaitGroup
		for _, t := range h.tasks {
			all.Go(func() { h.repeat(ctx, t) })
		}
		all.Wait()
		return nil
	})
}

// Stats gives the numbers of each task by its name.
func (h *Housekeeper) Stats() map[string]TaskStats {
	h.mu.Lock()
	defer h.mu.Unlock()
	stats := make(map[string]TaskStats, len(h.tasks))
	for _, t := range h.tasks {
		stats[t.name] = h.stats[t.name]
	}
	return stats
}

// repeat runs a task by its timetable until ctx ends.
func (h *Housekeeper) repeat(ctx context.Context, t *task) {
	timer := time.NewTimer(t.first)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if err := h.runOnce(ctx, t); err != nil {
			if ctx.Err() != nil {
				return
			}
			h.Log.Warn("housekeeping failed; trying again", "task", t.name, "error", err)
			timer.Reset(min(retryEvery, t.every))
			continue
		}
		timer.Reset(max(t.wait(h.Clock()), time.Duration(t.rest)*h.Stats()[t.name].LastTook))
	}
}

// runOnce runs a task within its deadline and counts it.
func (h *Housekeeper) runOnce(ctx context.Context, t *task) error {
	ctx, cancel := context.WithTimeout(ctx, t.deadline)
	defer cancel()
	began := h.Clock()
	err := t.run(ctx)
	ended := h.Clock()
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.stats[t.name]
	s.Runs++
	s.LastTook = ended.Sub(began)
	if err != nil {
		s.Failures++
	} else {
		s.LastSuccess = ended
	}
	h.stats[t.name] = s
	return err
}
