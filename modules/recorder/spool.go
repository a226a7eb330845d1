package recorder

import (
	"math"
	"sync"
	"time"

	"monitor/modules/uptime"
)

// item is a result that is not stored yet.
type item struct {
	result   uptime.Result
	receipt  string
	interval time.Duration // of the monitor, 0: not known
	due      bool          // a slot of the schedule, which is missed when it has no result
	at       time.Time     // of Submit, by the monotonic clock
	changed  bool          // says something new: may not wait
}

// spool holds results in two lines: changed ones, which go at once and are given
// up last, and steady ones.
type spool struct {
	config Config
	wake   chan struct{} // holds one: there is something to do

	mu      sync.Mutex
	changed []item
	steady  []item
	taken   []item // in a transaction now
	known   memory
}

func newSpool(c Config) *spool {
	return &spool{config: c, wake: make(chan struct{}, 1), known: newMemory()}
}

// nudge wakes Run.
func (s *spool) nudge() {
	select {
	case s.wake <- struct{}{}:
	default: // it is awake already
	}
}

// add takes a result, and gives up another where there is no room for both.
func (s *spool) add(r uptime.Result, lease uptime.Lease) (lost item, full bool) {
	s.mu.Lock()
	it := item{
		result: r, receipt: lease.Receipt, interval: lease.Spec.Interval, due: due(lease, r.ScheduledAt), at: time.Now(),
	}
	it.changed = s.known.changes(r, it.at)
	if it.changed {
		s.changed = append(s.changed, it)
	} else {
		s.steady = append(s.steady, it)
	}
	held := len(s.changed) + len(s.steady)
	if held+len(s.taken) > s.config.Spool {
		lost, full = s.giveUp()
	}
	s.mu.Unlock()
	if it.changed || held == 1 || held >= s.config.Batch {
		s.nudge()
	}
	return lost, full
}

// giveUp removes the oldest steady one, or else the oldest changed one.
func (s *spool) giveUp() (item, bool) {
	line := &s.steady
	if len(*line) == 0 {
		line = &s.changed
	}
	if len(*line) == 0 {
		return item{}, false
	}
	lost := (*line)[0]
	(*line)[0] = item{} // the evidence of a result may be large
	*line = (*line)[1:]
	return lost, true
}

// trim gives up what is beyond the bound, which a returned batch may exceed.
func (s *spool) trim() []item {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lost []item
	for len(s.changed)+len(s.steady)+len(s.taken) > s.config.Spool {
		it, ok := s.giveUp()
		if !ok {
			break
		}
		lost = append(lost, it)
	}
	return lost
}

// due is how long the next batch may still grow, 0 when it is to go at once.
func (s *spool) due(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case len(s.changed) > 0, len(s.steady) >= s.config.Batch:
		return 0
	case len(s.steady) > 0:
		return max(s.steady[0].at.Add(s.config.Linger).Sub(now), 0)
	}
	return math.MaxInt64
}

// take gives the next batch, changed ones first. Until giveBack it is held as
// taken.
func (s *spool) take() []item {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.changed), s.config.Batch)
	m := min(len(s.steady), s.config.Batch-n)
	batch := make([]item, 0, n+m)
	batch = append(batch, s.changed[:n]...)
	batch = append(batch, s.steady[:m]...)
	s.changed, s.steady = rest(s.changed, n), rest(s.steady, m)
	s.taken = batch
	return batch
}

// rest drops the first n and lets go of the memory when nothing is left.
func rest(line []item, n int) []item {
	if n == len(line) {
		return nil
	}
	clear(line[:n])
	return line[n:]
}

// giveBack ends a take; left, which was not stored, comes first again.
func (s *spool) giveBack(left []item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = nil
	var changed, steady []item
	for _, it := range left {
		if it.changed {
			changed = append(changed, it)
		} else {
			steady = append(steady, it)
		}
	}
	s.changed = append(changed, s.changed...)
	s.steady = append(steady, s.steady...)
}

// size counts what is not stored.
func (s *spool) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.changed) + len(s.steady) + len(s.taken)
}

// receipts of what has been held for at least age.
func (s *spool) receipts(age time.Duration) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := time.Now().Add(-age)
	var all []string
	for _, line := range [][]item{s.taken, s.changed, s.steady} {
		for _, it := range line {
			if it.receipt != "" && !it.at.After(limit) {
				all = append(all, it.receipt)
			}
		}
	}
	return all
}
