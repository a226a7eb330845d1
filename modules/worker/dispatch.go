package worker

import (
	"context"
	"math"
	"sync"
	"time"

	"monitor/modules/uptime"
)

// step is the least time between two releases: jobs due within it go together.
const step = time.Millisecond

// task is a job and when it is to be begun, by the monotonic clock.
type task struct {
	lease uptime.Lease
	due   time.Time
}

// dispatcher holds jobs until their slot and hands them to checkers, of which it
// starts as many as are needed. Checkers stay: a goroutine that was used has the
// stack that a check needs.
type dispatcher struct {
	*Worker
	checks   context.Context // of all checks; ends when they are given up
	held     tasks
	backlog  []task // due, waiting for a checker, oldest first
	work     chan task
	checkers int
	running  sync.WaitGroup
}

func newDispatcher(checks context.Context, w *Worker) *dispatcher {
	return &dispatcher{Worker: w, checks: checks, work: make(chan task)}
}

// run releases jobs until arrived is closed, and returns those not begun.
func (d *dispatcher) run(arrived <-chan []uptime.Lease) []task {
	timer := time.NewTimer(math.MaxInt64)
	defer timer.Stop()
	for {
		d.release(time.Now())
		out, head := d.offer()
		timer.Reset(d.wait(time.Now()))
		select {
		case leases, ok := <-arrived:
			if !ok {
				return append(d.backlog, d.held...)
			}
			d.accept(leases)
		case out <- head:
			d.pop()
		case <-timer.C:
		}
	}
}

// finish waits for the checks in flight.
func (d *dispatcher) finish() {
	close(d.work)
	d.running.Wait()
}

// accept takes jobs into the heap. A slot that seems further away than jobs are
// handed out ahead is a clock that is wrong, and is not waited for.
func (d *dispatcher) accept(leases []uptime.Lease) {
	now, slots := time.Now(), d.Clock()
	for _, l := range leases {
		d.count.taken.Add(1)
		if l.Expired {
			d.count.held.Add(-1)
			d.missed(l)
			continue
		}
		ahead := min(max(l.ScheduledAt.Sub(slots), 0), uptime.TakeAhead)
		d.held.push(task{l, now.Add(ahead)})
	}
	if len(leases) > 0 {
		d.nudge() // some may have been expired
	}
}

// release moves what is due to the backlog.
func (d *dispatcher) release(now time.Time) {
	for len(d.held) > 0 && !d.held[0].due.After(now) {
		d.backlog = append(d.backlog, d.held.pop())
	}
	d.count.backlog.Store(int64(len(d.backlog)))
}

// offer hands out as much of the backlog as there are free checkers, and gives
// the channel and the task to wait with; a nil channel when nothing waits.
func (d *dispatcher) offer() (chan<- task, task) {
	for len(d.backlog) > 0 {
		head := d.backlog[0]
		select {
		case d.work <- head:
		default:
			if d.checkers >= d.config.Concurrency {
				return d.work, head
			}
			d.start(head)
		}
		d.pop()
	}
	return nil, task{}
}

func (d *dispatcher) pop() {
	d.backlog[0] = task{}
	if d.backlog = d.backlog[1:]; len(d.backlog) == 0 {
		d.backlog = nil
		defer d.nudge()
	}
	d.count.backlog.Store(int64(len(d.backlog)))
}

// start adds a checker, which begins with a task.
func (d *dispatcher) start(first task) {
	d.checkers++
	d.running.Go(func() {
		d.checkOne(d.checks, first)
		for t := range d.work {
			d.checkOne(d.checks, t)
		}
	})
}

// wait is how long nothing is due.
func (d *dispatcher) wait(now time.Time) time.Duration {
	if len(d.held) == 0 {
		return math.MaxInt64
	}
	return max(d.held[0].due.Sub(now), step)
}

// tasks is a binary heap by due time. container/heap would box each task, twice.
type tasks []task

func (t *tasks) push(one task) {
	*t = append(*t, one)
	h := *t
	i := len(h) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !one.due.Before(h[parent].due) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = one
}

// pop takes out the first one due.
func (t *tasks) pop() task {
	h := *t
	first, last := h[0], h[len(h)-1]
	h[len(h)-1] = task{}
	h = h[:len(h)-1]
	*t = h
	if len(h) == 0 {
		return first
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1].due.Before(h[child].due) {
			child++
		}
		if !h[child].due.Before(last.due) {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = last
	return first
}
