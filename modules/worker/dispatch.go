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

const (
	// growth is in how many steps all checkers can be there. What is overdue at a start
	// comes at once, and the first checkers work most of it off before each of it has
	// one of its own: 512 would take 12 MB of stacks and buffers.
	growth = 256
	// Every spell those end that are beyond twice the most that were busy in it, and a
	// few.
	spell = 10 * time.Second
	spare = 8
)

// task is a job and when it is to be begun, by the monotonic clock.
type task struct {
	lease uptime.Lease
	due   time.Time
}

// dispatcher holds jobs until their slot and hands them to checkers, of which it
// starts as many as are needed. Checkers stay for a while: a goroutine that was used
// has the stack that a check needs.
type dispatcher struct {
	*Worker
	checks  context.Context // of all checks; ends when they are given up
	held    tasks
	backlog []task // due, waiting for a checker, oldest first
	work    chan task
	grew    time.Time // when the step began in which checkers were added last
	added   int       // in that step
	busiest int       // the most checkers at work in this spell
	since   time.Time // when it began
	running sync.WaitGroup
}

func newDispatcher(checks context.Context, w *Worker) *dispatcher {
	return &dispatcher{Worker: w, checks: checks, work: make(chan task)}
}

// run releases jobs until arrived is closed, and returns those not begun.
func (d *dispatcher) run(arrived <-chan []uptime.Lease) []task {
	timer := time.NewTimer(math.MaxInt64)
	defer timer.Stop()
	for {
		now := time.Now()
		d.release(now)
		out, head := d.offer(now)
		d.retire(now)
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
	d.count.checkers.Store(0)
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
func (d *dispatcher) offer(now time.Time) (chan<- task, task) {
	// Those that get one now are not counted as running yet.
	d.busiest = max(d.busiest, int(d.count.running.Load())+len(d.backlog))
	for len(d.backlog) > 0 {
		head := d.backlog[0]
		select {
		case d.work <- head:
		default:
			if !d.mayGrow(now) {
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

// mayGrow reports whether a checker may be added, and counts it.
func (d *dispatcher) mayGrow(now time.Time) bool {
	if now.Sub(d.grew) >= step {
		d.grew, d.added = now, 0
	}
	if d.added >= max(d.config.Concurrency/growth, 2) || int(d.count.checkers.Load()) >= d.config.Concurrency {
		return false
	}
	d.added++
	return true
}

// start adds a checker, which begins with a task.
func (d *dispatcher) start(first task) {
	d.count.checkers.Add(1)
	d.running.Go(func() {
		for t, ok := first, true; ok && !t.due.IsZero(); t, ok = <-d.work {
			d.checkOne(d.checks, t)
		}
	})
}

// retire ends checkers that the spell that is over did not need: a task that is never
// due tells one that is free to end.
func (d *dispatcher) retire(now time.Time) {
	if now.Sub(d.since) < spell {
		return
	}
	for needless := int(d.count.checkers.Load()) - 2*d.busiest - spare; needless > 0; needless-- {
		select {
		case d.work <- task{}:
			d.count.checkers.Add(-1)
		default: // it is about to be free
		}
	}
	d.busiest, d.since = 0, now
}

// wait is how long there is nothing to do but to hand out the backlog.
func (d *dispatcher) wait(now time.Time) time.Duration {
	if len(d.backlog) > 0 && int(d.count.checkers.Load()) < d.config.Concurrency {
		return step // then there may be more checkers
	}
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
