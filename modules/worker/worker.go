package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"monitor/modules/uptime"
)

// recorder takes over results.
type recorder interface {
	// Submit takes a result and the lease of its job, and never waits.
	Submit(result uptime.Result, lease uptime.Lease)
	// Missed books the slot of a job that was not run, and ends the job.
	Missed(lease uptime.Lease, reason uptime.MissedReason)
	// Unstored names the jobs that it has held for at least age.
	Unstored(age time.Duration) []string
}

// Observer measures checks. Its methods are called by many at once and must be
// quick.
type Observer interface {
	// Checked: a check was made, begun late after its slot.
	Checked(result uptime.Result, late time.Duration)
}

// Config says how much a worker does. Zero fields get the defaults named.
type Config struct {
	Concurrency int    // checks in flight; 512
	Region      string // "default"
	// Name of this worker's machine: kept with the evidence of failures, and the
	// subject of the alarm about its network. It outlives a restart, so that the
	// next run ends what this one has raised; workers of one machine share it.
	Name string
	// Drain is how long a stop waits for checks in flight; 10 s. Checks that
	// take longer are given up and made again by others.
	Drain time.Duration
	// Canaries are addresses, host:port, that tell whether this worker's own
	// network works. None: hosts that it reached within the last minute.
	Canaries []string
}

func (c Config) withDefaults() Config {
	if c.Concurrency <= 0 {
		c.Concurrency = 512
	}
	if c.Region == "" {
		c.Region = uptime.DefaultRegion
	}
	if c.Drain <= 0 {
		c.Drain = 10 * time.Second
	}
	return c
}

// handBackTime bounds the handing back of jobs that were not begun.
const handBackTime = 2 * time.Second

// heldUpAfter is how late after its deadline a check may end before that is our
// own fault.
const heldUpAfter = time.Second

// Deps are what a worker needs. Observer may be nil. Without a Dialer failures are
// never doubted; without Alarms nobody is told.
type Deps struct {
	Queue    uptime.JobQueue
	Prober   uptime.Prober
	Catalog  uptime.Catalog
	Sealer   uptime.Sealer
	Recorder recorder
	Dialer   dialer
	Alarms   alarms
	Clock    uptime.Clock
	Log      *slog.Logger
	Observer Observer
}

// Worker takes jobs and makes their checks.
type Worker struct {
	Deps
	config Config
	leases *leases
	count  counters
	faults throttle
	guard  *guard
	plain  plainSettings
	crier  *crier
	room   chan struct{} // holds one: a job has left our hands
}

// New makes a worker.
func New(d Deps, c Config) *Worker {
	w := &Worker{Deps: d, config: c.withDefaults(), leases: newLeases(), room: make(chan struct{}, 1)}
	w.crier = newCrier(d.Alarms, cmp.Or(c.Name, w.config.Region), d.Log)
	w.guard = &guard{
		canaries: parseCanaries(c.Canaries), dialer: d.Dialer, log: d.Log, hand: w.submit, tell: w.crier.tell,
		kick: make(chan struct{}, 1), targets: newTargets(w.endpointOf), greeted: map[int64]bool{},
	}
	return w
}

// Run takes jobs until ctx ends. Then it hands back what was not begun, lets
// checks in flight finish for at most Drain and what the guard holds be judged,
// and returns nil; their results are with the recorder, which must be stopped
// after the worker. Run it once.
func (w *Worker) Run(ctx context.Context, ready func()) error {
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	arrived := make(chan []uptime.Lease)
	var taking, renewing sync.WaitGroup
	taking.Go(func() {
		defer close(arrived)
		w.take(ctx, arrived)
	})
	renewing.Go(func() { w.renew(work) })
	judging, stopJudging := context.WithCancel(work)
	defer stopJudging()
	var guarding, crying sync.WaitGroup
	guarding.Go(func() { w.guard.run(judging) })
	telling, stopTelling := context.WithCancel(work)
	defer stopTelling()
	crying.Go(func() { w.crier.run(telling) })
	ready()

	checks, giveUp := context.WithCancel(work)
	defer giveUp()
	d := newDispatcher(checks, w)
	left := d.run(arrived) // ends when taking has
	taking.Wait()
	timer := time.AfterFunc(w.config.Drain, giveUp)
	var handing sync.WaitGroup
	handing.Go(func() { w.handBack(work, left) })
	d.finish()
	timer.Stop()
	// What is held is judged when nothing more can come, and told of last.
	stopJudging()
	guarding.Wait()
	stopTelling()
	crying.Wait()
	handing.Wait()
	stopWork()
	renewing.Wait()
	return nil
}

// handBack gives jobs that were not begun to other workers at once, instead of
// letting them wait for the end of their leases. The lease ends first: a queue
// takes no job whose key it holds. Where the queue is lost in between, the slots
// are booked as missed.
func (w *Worker) handBack(ctx context.Context, left []task) {
	if len(left) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, handBackTime)
	defer cancel()
	jobs, receipts := make([]uptime.Job, len(left)), make([]string, len(left))
	for i, t := range left {
		jobs[i], receipts[i] = t.lease.Job, t.lease.Receipt
	}
	w.leases.drop(receipts...)
	w.count.held.Add(-int64(len(left)))
	if err := w.Queue.Ack(ctx, receipts); err != nil {
		w.Log.WarnContext(ctx, "jobs that were not begun wait for the end of their leases", "error", err, "jobs", len(left))
		return
	}
	if err := w.Queue.Push(ctx, jobs); err != nil {
		w.Log.WarnContext(ctx, "jobs that were not begun cannot be handed back", "error", err, "jobs", len(left))
		for _, t := range left {
			w.Recorder.Missed(t.lease, uptime.MissedStopped)
		}
	}
}

// checkOne makes the check of one job.
func (w *Worker) checkOne(ctx context.Context, t task) {
	w.count.running.Add(1)
	defer w.done()
	lease := t.lease
	// Waiting is measured from when the job was due in our hands: the clock that
	// its slot was set by is the queue's.
	if time.Since(t.due) > max(lease.Spec.Interval, lease.Spec.Timeout) {
		w.missed(lease)
		return
	}
	started, begun := w.Clock(), time.Now()
	outcome, err := w.probe(ctx, lease)
	if err == nil && outcome.Status == uptime.Down && (outcome.StatusCode == 0 || outcome.ErrorKind == uptime.KindTimeout) {
		err = heldUp(started, w.Clock(), lease.Spec.Timeout)
	}
	cut := false
	if err != nil {
		if ctx.Err() != nil {
			// Given up by a stop. The lease ends by itself.
			w.leases.drop(lease.Receipt)
			return
		}
		cut = errors.Is(err, uptime.ErrUnavailable)
		outcome = w.fault(ctx, lease, err)
	}
	if outcome.Evidence != nil && w.config.Name != "" {
		outcome.Evidence.Worker = w.config.Name
	}
	result := uptime.Result{
		MonitorID: lease.MonitorID, WorkspaceID: lease.Spec.WorkspaceID, Region: lease.Region,
		ScheduledAt: lease.ScheduledAt, StartedAt: started, Attempt: lease.Attempt, SpecOf: lease.Spec.Of, Outcome: outcome,
	}
	r := report{result: result, lease: lease, begun: begun, late: max(started.Sub(lease.ScheduledAt), 0), cut: cut}
	if w.Dialer == nil {
		w.submit(r)
		return
	}
	w.guard.judge(r)
}

// submit hands a result over to the recorder.
func (w *Worker) submit(r report) {
	w.Recorder.Submit(r.result, r.lease)
	w.leases.drop(r.lease.Receipt)
	w.count.checked(r.result.Status, r.late)
	if w.Observer != nil {
		w.Observer.Checked(r.result, r.late)
	}
}

// heldUp is the error of a check that ended long after its deadline without a whole
// answer: this process was stopped, the machine slept or had no time, and the
// target is not to blame. A machine that sleeps stops the monotonic clock, so the
// wall clock is asked, too.
func heldUp(started, ended time.Time, timeout time.Duration) error {
	took := max(ended.Sub(started), ended.Round(0).Sub(started.Round(0)))
	if took <= timeout+heldUpAfter {
		return nil
	}
	return fmt.Errorf("it took %s, over its limit of %s: this machine was paused or overloaded", took.Round(100*time.Millisecond), timeout)
}

func (w *Worker) done() {
	w.count.running.Add(-1)
	w.count.held.Add(-1)
	w.nudge()
}

// nudge tells take that there may be room.
func (w *Worker) nudge() {
	select {
	case w.room <- struct{}{}:
	default: // it knows already
	}
}

// missed books a job that is too old to be run.
func (w *Worker) missed(lease uptime.Lease) {
	w.count.stale.Add(1)
	w.Recorder.Missed(lease, uptime.MissedStale)
	w.leases.drop(lease.Receipt)
}

// fault makes the outcome of a check that we could not make.
func (w *Worker) fault(ctx context.Context, lease uptime.Lease, err error) uptime.Outcome {
	w.count.faults.Add(1)
	attributes := []any{"error", err, "monitor", lease.MonitorID, "type", lease.Spec.Type}
	if p, ok := errors.AsType[*panicError](err); ok {
		attributes = append(attributes, "stack", p.stack)
	}
	if more, ok := w.faults.allow(time.Now()); ok {
		w.Log.ErrorContext(ctx, "check could not be made", append(attributes, "unlogged_before", more)...)
	}
	return uptime.Outcome{
		Status: uptime.Unknown, ErrorKind: uptime.KindInternal,
		Error: uptime.CleanLine(uptime.Say("Could not check: %v", err), 300),
	}
}
