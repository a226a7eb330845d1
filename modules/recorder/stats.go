package recorder

import "sync/atomic"

// counters live as long as the recorder.
type counters struct {
	stored, dropped, poisoned, overloaded, missed, batches, failures atomic.Uint64
	away, owing                                                      atomic.Bool
}

// Stats is how a recorder does; totals count from its making.
type Stats struct {
	Held       int    // results not stored yet
	Stored     uint64 // results that were new
	Dropped    uint64 // of monitors paused or deleted, or outside every partition
	Poisoned   uint64 // refused by the store
	Overloaded uint64 // given up while the database was away
	Missed     uint64 // slots booked as missed
	Batches    uint64 // transactions committed
	Failures   uint64 // transactions failed
	Away       bool   // the last transaction failed
	QueueAway  bool   // the last acknowledgement failed
}

// Stats may be called at any time.
func (r *Recorder) Stats() Stats {
	return Stats{
		Held: r.spool.size(), Stored: r.count.stored.Load(), Dropped: r.count.dropped.Load(),
		Poisoned: r.count.poisoned.Load(), Overloaded: r.count.overloaded.Load(), Missed: r.count.missed.Load(),
		Batches: r.count.batches.Load(), Failures: r.count.failures.Load(),
		Away: r.count.away.Load(), QueueAway: r.count.owing.Load(),
	}
}
