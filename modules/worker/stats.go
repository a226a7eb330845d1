package worker

import (
	"sync"
	"sync/atomic"
	"time"

	"monitor/modules/uptime"
)

// lateSteps is the number of bounds that lateness is counted in.
const lateSteps = 18

// lateBounds are the upper bounds of lateness; what is later counts beyond the
// last.
func lateBounds() [lateSteps]time.Duration {
	const ms = time.Millisecond
	return [lateSteps]time.Duration{
		1 * ms, 2 * ms, 3 * ms, 5 * ms, 7 * ms, 10 * ms, 15 * ms, 20 * ms, 30 * ms, 50 * ms,
		100 * ms, 200 * ms, 500 * ms, 1000 * ms, 2000 * ms, 5000 * ms, 10_000 * ms, 60_000 * ms,
	}
}

// counters live as long as the worker.
type counters struct {
	held, backlog, running             atomic.Int64 // held: in our hands, running ones included
	checkers                           atomic.Int64
	taken, faults, panics              atomic.Uint64
	up, degraded, down, unknown, stale atomic.Int64
	late                               [lateSteps + 1]atomic.Uint64
}

// done counts the jobs that have left our hands.
func (c *counters) done() int64 {
	return c.up.Load() + c.degraded.Load() + c.down.Load() + c.unknown.Load() + c.stale.Load()
}

func (c *counters) checked(s uptime.Status, late time.Duration) {
	switch s {
	case uptime.Up:
		c.up.Add(1)
	case uptime.Degraded:
		c.degraded.Add(1)
	case uptime.Down:
		c.down.Add(1)
	default:
		c.unknown.Add(1)
	}
	i := 0
	for _, bound := range lateBounds() {
		if late <= bound {
			break
		}
		i++
	}
	c.late[i].Add(1)
}

// Stats is how a worker does; totals count from its making.
type Stats struct {
	Concurrency int
	Running     int    // checks in flight
	Checkers    int    // goroutines that make checks, those that are free included
	Held        int    // jobs in hand, running ones included
	Backlog     int    // due, and no checker is free
	Taken       uint64 // jobs
	Checks      uptime.CheckCounts
	Faults      uint64 // checks that could not be made, panics included
	Panics      uint64
	Late        Lateness
	Network     NetworkStats
}

// Lateness counts checks by how long after their slot they were begun.
type Lateness struct {
	Bounds []time.Duration // upper, ascending
	Counts []uint64        // one more than Bounds: the last is beyond all
}

// Quantile gives the bound below which the share q (0–1) of checks was begun;
// zero without checks, the last bound for what is beyond it.
func (l Lateness) Quantile(q float64) time.Duration {
	var total, sum uint64
	for _, n := range l.Counts {
		total += n
	}
	if total == 0 {
		return 0
	}
	for i, n := range l.Counts {
		sum += n
		if float64(sum) >= q*float64(total) {
			return l.Bounds[min(i, len(l.Bounds)-1)]
		}
	}
	return l.Bounds[len(l.Bounds)-1]
}

// Stats may be called at any time.
func (w *Worker) Stats() Stats {
	c := &w.count
	bounds := lateBounds()
	s := Stats{
		Concurrency: w.config.Concurrency,
		Running:     int(c.running.Load()), Checkers: int(c.checkers.Load()), Held: int(c.held.Load()), Backlog: int(c.backlog.Load()),
		Taken: c.taken.Load(), Faults: c.faults.Load(), Panics: c.panics.Load(),
		Checks: uptime.CheckCounts{
			Up: c.up.Load(), Degraded: c.degraded.Load(), Down: c.down.Load(),
			Unknown: c.unknown.Load(), Missed: c.stale.Load(),
		},
		Network: w.guard.snapshot(),
		Late:    Lateness{Bounds: bounds[:], Counts: make([]uint64, lateSteps+1)},
	}
	for i := range c.late {
		s.Late.Counts[i] = c.late[i].Load()
	}
	return s
}

// throttle lets one log line a second through: what is wrong with this machine
// is wrong with thousands of checks at once.
type throttle struct {
	mu     sync.Mutex
	last   time.Time
	silent int
}

// allow reports whether to log now, and how many lines were left out before.
func (t *throttle) allow(now time.Time) (left int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.last.IsZero() && now.Sub(t.last) < time.Second {
		t.silent++
		return 0, false
	}
	left, t.silent, t.last = t.silent, 0, now
	return left, true
}
