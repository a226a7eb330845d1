package queue

import (
	"context"
	"fmt"
	"time"

	"monitor/modules/redisconn"
	"monitor/modules/uptime"
)

const (
	// lookEvery is the longest that a Take waits without asking: what comes due
	// by itself, or was announced while the bell's connection was away, is still
	// a second before its slot then.
	lookEvery = time.Second
	// fillRounds bounds how often partitions are asked once there is something
	// to hand out, and goodFill is the part of what was asked for that is enough.
	fillRounds = 4
	goodFill   = 0.75
)

// Take waits for jobs of the region and leases up to n of them. Jobs that were
// leased when ctx ended are given all the same, without an error.
func (q *Redis) Take(ctx context.Context, region string, n int) ([]uptime.Lease, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b, err := q.bell(ctx, region)
	if err != nil {
		return nil, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rung := b.listen() // before the look: nothing falls between
		leases, next, err := q.tryTake(ctx, region, max(n, 1))
		switch {
		case len(leases) > 0:
			return leases, nil
		case err != nil:
			return nil, fmt.Errorf("take jobs: %w", err)
		case next.again:
			continue
		}
		if err := pause(ctx, rung, next.wait); err != nil {
			return nil, err
		}
	}
}

// next says when to look after a look that found nothing.
type next struct {
	again bool // at once: there is more than one script goes through
	wait  time.Duration
}

// tryTake leases what may be taken now. The answers are waited for even where ctx
// ends: they may hold leases.
func (q *Redis) tryTake(ctx context.Context, region string, n int) ([]uptime.Lease, next, error) {
	own := context.WithoutCancel(ctx)
	l := look{q: q, region: region, wanted: n, next: next{wait: lookEvery}}
	ask := make([]int, q.partitions)
	first := int(q.turn.Add(1)) % q.partitions
	for i := range ask {
		ask[i] = (first + i) % q.partitions
	}
	var failed error
	for round := 0; len(ask) > 0 && len(l.leases) < n; round++ {
		got := len(l.leases)
		if round > 0 && ctx.Err() != nil || got > 0 && round >= fillRounds || float64(got) >= goodFill*float64(n) {
			break
		}
		// Fewer jobs than partitions: some are asked for one each, and the
		// others only if those have none.
		now := ask[:min(len(ask), n-len(l.leases))]
		ask = ask[len(now):]
		more, err := l.ask(own, now)
		if err != nil {
			failed = err
		}
		ask = append(ask, more...)
	}
	return l.leases, l.next, failed
}

// look is one search through the partitions.
type look struct {
	q      *Redis
	region string
	wanted int
	leases []uptime.Lease
	next   next
}

// ask takes from these partitions, each for its share of what is still wanted. It
// gives those that have more, and the first error.
func (l *look) ask(ctx context.Context, partitions []int) (more []int, failed error) {
	q := l.q
	keys := q.region(l.region)
	calls := make([]call, len(partitions))
	left := l.wanted - len(l.leases)
	for i, p := range partitions {
		k := keys.of[p]
		share := left / len(partitions)
		if i < left%len(partitions) {
			share++
		}
		calls[i] = call{
			[]string{k.state, k.ready, k.held, k.delayed, k.late, k.dying, k.gone, k.leases},
			[]any{
				q.clock(), min(share, piece), q.consumer, l.region, uptime.TakeAhead.Milliseconds(),
				BacklogAfter.Milliseconds(), uptime.LeaseMargin.Milliseconds(), expiredShare, piece,
			},
		}
	}
	for i, cmd := range q.run(ctx, q.scripts.take, calls) {
		answer, err := cmd.Slice()
		if err != nil {
			if failed == nil {
				failed = redisconn.Failure(ctx, err)
			}
			continue
		}
		if l.read(ctx, partitions[i], answer) {
			more = append(more, partitions[i])
		}
	}
	return more, failed
}

// The parts of a take script's answer.
const (
	takeWait = iota
	takeMore
	takeReclaimed
	takeBroken
	takeJobs
	takeStride = 4
)

// read keeps what a partition gave, and reports whether it has more.
func (l *look) read(ctx context.Context, partition int, answer []any) bool {
	q := l.q
	q.count.reclaimed.Add(uint64(number(answer[takeReclaimed]))) //nolint:gosec // a count
	broken := uint64(number(answer[takeBroken]))                 //nolint:gosec // likewise
	if wait := number(answer[takeWait]); wait >= 0 {
		l.next.wait = min(l.next.wait, time.Duration(max(wait, 1))*time.Millisecond)
	}
	var unreadable []string
	for i := takeJobs; i+takeStride <= len(answer); i += takeStride {
		entry, _ := answer[i].(string)
		taken := number(answer[i+1])
		text, _ := answer[i+3].(string)
		job, err := readJob(text, l.region)
		if err != nil {
			head := readHead(text, l.region)
			unreadable = append(unreadable, newReceipt(partition, &head, entry, taken))
			continue
		}
		lease := uptime.Lease{
			Job: job, Receipt: newReceipt(partition, &job, entry, taken),
			Taken: int(taken), Expired: number(answer[i+2]) == 1,
		}
		q.count.taken.Add(1)
		if lease.Expired {
			q.count.expired.Add(1)
		}
		l.leases = append(l.leases, lease)
	}
	q.discard(ctx, broken, unreadable)
	more := number(answer[takeMore]) == 1
	l.next.again = l.next.again || more || len(unreadable) > 0
	return more
}

// discard ends jobs that this program cannot read: they must not block the others.
// The audit finds their slots.
func (q *Redis) discard(ctx context.Context, broken uint64, receipts []string) {
	if broken == 0 && len(receipts) == 0 {
		return
	}
	q.count.unreadable.Add(broken + uint64(len(receipts)))
	// Where that fails they come again when their leases end.
	_, err := q.hold(ctx, q.scripts.ack, receipts, nil, func(args []any, r *receipt) []any {
		return append(args, r.entry, r.name(), r.holding())
	})
	q.unreadable.Do(func() {
		q.log.WarnContext(ctx, "jobs were dropped that this version cannot read; said once", "error", err)
	})
}
