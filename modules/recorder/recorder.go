package recorder

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"

	"monitor/modules/uptime"
)

// store is where results go.
type store interface {
	// RecordAndClaim stores a batch and what follows from it in one transaction,
	// and claims of what it has to tell as much as is offered.
	// uptime.ErrUnavailable: nothing was stored, try again.
	RecordAndClaim(ctx context.Context, batch []uptime.Result, decide uptime.Decide, offer uptime.ClaimParams) (uptime.Recorded, error)
	// Advance stores those results that change nothing but what their monitors'
	// newest figures are, in one transaction, and gives the indices of the others,
	// which RecordAndClaim must judge. Errors are RecordAndClaim's.
	Advance(ctx context.Context, batch []uptime.Result) (done uptime.Recorded, left []int, err error)
	// BookMissed books slots without results; doing so twice changes nothing.
	BookMissed(ctx context.Context, ranges []uptime.MissedRange) error
}

// queue is told what became of jobs.
type queue interface {
	Push(ctx context.Context, jobs []uptime.Job) error
	Ack(ctx context.Context, receipts []string) error
}

// notifier hears what changed.
type notifier interface {
	Publish(ctx context.Context, notices ...uptime.Notice) error
}

// courier sends what was claimed while it was recorded. Take follows each Offer,
// but one with a limit of zero.
type courier interface {
	Offer() uptime.ClaimParams
	Take(ctx context.Context, offer uptime.ClaimParams, claims []uptime.Claim)
}

// Observer measures commits. Its methods must be quick.
type Observer interface {
	// Committed: a batch was stored in took; its oldest result had waited for
	// waited from Submit on.
	Committed(results int, took, waited time.Duration)
}

// Config bounds the recorder. Zero fields get the defaults named.
type Config struct {
	Spool  int           // results held while the database is away; 10,000
	Batch  int           // results of one transaction; 1,000
	Linger time.Duration // how long an unchanged result waits for others; 250 ms
	// Drain bounds how long a stop may take to store what is held; 10 s.
	Drain time.Duration
}

// timeout bounds each call of store, queue and bus.
const timeout = 10 * time.Second

// follow is how soon acknowledgements and retries that the queue did not take
// are offered again.
const follow = time.Second

func (c Config) withDefaults() Config {
	if c.Spool <= 0 {
		c.Spool = 10_000
	}
	if c.Batch <= 0 {
		c.Batch = 1000
	}
	if c.Linger <= 0 {
		c.Linger = 250 * time.Millisecond
	}
	if c.Drain <= 0 {
		c.Drain = 10 * time.Second
	}
	return c
}

// Deps are what a recorder needs. Courier and Observer may be nil.
type Deps struct {
	Store    store
	Queue    queue
	Bus      notifier
	Courier  courier
	Decide   uptime.Decide
	Clock    uptime.Clock
	Log      *slog.Logger
	Observer Observer
}

// Recorder stores results. Submit, Missed, Unstored and Stats may be called by
// many at once, before Run and after it; nothing is stored unless Run runs.
type Recorder struct {
	Deps
	config Config
	spool  *spool
	missed *missedSlots
	after  aftermath
	count  counters
}

// New makes a recorder.
func New(d Deps, c Config) *Recorder {
	c = c.withDefaults()
	return &Recorder{Deps: d, config: c, spool: newSpool(c), missed: newMissedSlots(c.Spool)}
}

// Submit takes over a result and its job's lease (the zero one when there is
// none). It never waits: where too much is held, the least telling result makes
// room.
func (r *Recorder) Submit(result uptime.Result, lease uptime.Lease) {
	if lost, ok := r.spool.add(result, lease); ok {
		r.overflow(lost)
	}
}

// overflow turns a result that cannot be held into a missed slot.
func (r *Recorder) overflow(lost item) {
	r.count.overloaded.Add(1)
	r.after.ack(lost.receipt)
	if lost.due && lost.result.Attempt <= 1 {
		r.missed.add(slotOf(lost.result), lost.interval, uptime.MissedOverload, "")
	}
}

// Missed books the slot of a job that was not run and then acknowledges it. What
// is no slot of a schedule is acknowledged only.
func (r *Recorder) Missed(lease uptime.Lease, reason uptime.MissedReason) {
	if !due(lease, lease.ScheduledAt) {
		r.after.ack(lease.Receipt)
	} else {
		r.missed.add(slot{lease.Spec.WorkspaceID, lease.MonitorID, lease.Region, lease.ScheduledAt}, lease.Spec.Interval, reason, lease.Receipt)
	}
	r.spool.nudge()
}

// Unstored names the jobs whose results or missed slots have been held for at
// least age, so that their leases can be renewed.
func (r *Recorder) Unstored(age time.Duration) []string {
	return append(r.spool.receipts(age), r.missed.waiting()...)
}

// Run stores until ctx ends, then stores what is left, for at most Drain. Stop
// whatever submits first. It returns an error when something could not be
// stored; its jobs will be run again by others.
func (r *Recorder) Run(ctx context.Context, ready func()) error {
	work := context.WithoutCancel(ctx)
	retry := newBackoff()
	timer := time.NewTimer(0)
	defer timer.Stop()
	ready()
	for {
		select {
		case <-ctx.Done():
			return r.drain(work)
		case <-r.spool.wake:
		case <-timer.C:
		}
		wait := r.next()
		if wait <= 0 {
			if err := r.runOnce(work); err != nil {
				// While the database is away wake-ups are left alone.
				if !r.pause(ctx, retry.NextBackOff()) {
					return r.drain(work)
				}
			} else {
				retry.Reset()
			}
			wait = max(r.next(), 0)
		}
		timer.Reset(wait)
	}
}

// newBackoff waits 3 s at most, jitter and all: what is held is to be stored within
// 10 s of the database's return, however long it was away and however much that is.
func newBackoff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval = 100*time.Millisecond, 2*time.Second
	return b
}

// pause waits, and reports false when ctx ended meanwhile.
func (r *Recorder) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// next is how long nothing needs to be done.
func (r *Recorder) next() time.Duration {
	wait := r.spool.due(time.Now())
	if r.missed.pending() {
		wait = min(wait, r.missed.due(time.Now(), r.config.Linger))
	}
	if r.after.pending() {
		wait = min(wait, r.after.due(time.Now()))
	}
	return wait
}

// runOnce stores one batch and the missed slots, and offers again what the queue
// did not take. Its error says that the store could not, and is logged already.
func (r *Recorder) runOnce(ctx context.Context) error {
	defer r.settle(ctx)
	if batch := r.spool.take(); len(batch) > 0 {
		left, err := r.commit(ctx, batch)
		r.spool.giveBack(left)
		for _, lost := range r.spool.trim() {
			r.overflow(lost)
		}
		if r.reportAway(ctx, err); err != nil {
			return err
		}
	}
	if err := r.bookMissed(ctx); err != nil {
		r.reportAway(ctx, err)
		return err
	}
	return nil
}

// reportAway logs once when the store goes away and once when it is back.
func (r *Recorder) reportAway(ctx context.Context, err error) {
	switch was := r.count.away.Swap(err != nil); {
	case err != nil && !was:
		r.Log.WarnContext(ctx, "results wait for the database", "error", err, "held", r.spool.size())
	case err == nil && was:
		r.Log.InfoContext(ctx, "results are stored again", "held", r.spool.size())
	}
}

// drain stores what is left until Drain is over.
func (r *Recorder) drain(work context.Context) error {
	limited, cancel := context.WithTimeout(work, r.config.Drain)
	defer cancel()
	retry := newBackoff()
	for r.spool.size() > 0 || r.missed.pending() {
		if err := r.runOnce(limited); err != nil && !r.pause(limited, retry.NextBackOff()) {
			break
		}
	}
	r.after.hurry()
	r.settle(limited)
	if n := r.spool.size(); n > 0 {
		return fmt.Errorf("store results before the end: %d are not stored and will be checked again", n)
	}
	return nil
}

// bookMissed writes what was missed since the last time.
func (r *Recorder) bookMissed(ctx context.Context) error {
	ranges, receipts := r.missed.take(r.config.Batch)
	if len(ranges) == 0 {
		r.after.ack(receipts...)
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := r.Store.BookMissed(limited, ranges)
	switch {
	case err == nil:
		for _, m := range ranges {
			r.count.missed.Add(uint64(max(m.Count, 0)))
		}
	case away(err):
		r.missed.giveBack(ranges, receipts)
		return fmt.Errorf("book missed slots: %w", err)
	default:
		// The hourly audit finds them again; holding them would hold up others.
		r.Log.ErrorContext(ctx, "missed slots cannot be booked", "error", err, "ranges", len(ranges))
	}
	r.after.ack(receipts...)
	return nil
}
