package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"monitor/modules/redisconn"
	"monitor/modules/uptime"
)

// The verdicts of the scripts that raise and add.
const (
	verdictDone   = "done"
	verdictFenced = "fenced"
	verdictLost   = "lost"
	verdictFull   = "full"
)

// Raise tells every partition of a new leader.
func (q *Redis) Raise(ctx context.Context, epoch int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	calls := make([]call, q.partitions)
	for p := range calls {
		calls[p] = call{[]string{redisconn.Partition(p).State()}, []any{epoch}}
	}
	known := make([]int64, q.partitions)
	var errs []error
	for p, cmd := range q.run(ctx, q.scripts.raise, calls) {
		answer, err := verdict(ctx, cmd)
		if err != nil {
			errs = append(errs, fmt.Errorf("raise epoch %d of partition %d: %w", epoch, p, err))
			continue
		}
		known[p] = noMark
		if mark, ok := instant(answer[1]); ok {
			known[p] = mark.UnixMilli()
		}
	}
	if err := gravest(errs); err != nil {
		return err
	}
	q.marks.raised(epoch, known)
	return nil
}

// Watermarks gives "published up to" for each partition.
func (q *Redis) Watermarks(ctx context.Context) ([]time.Time, error) {
	own, cancel := context.WithTimeout(ctx, redisconn.Timeout)
	defer cancel()
	pipe := q.client.Pipeline()
	cmds := make([]*redis.StringCmd, q.partitions)
	for p := range cmds {
		cmds[p] = pipe.HGet(own, redisconn.Partition(p).State(), "watermark")
	}
	_, _ = pipe.Exec(own) // each command has its error
	list := make([]time.Time, q.partitions)
	for p, cmd := range cmds {
		text, err := cmd.Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, fmt.Errorf("read watermarks: %w", redisconn.Failure(ctx, err))
		}
		if mark, ok := instant(text); ok {
			list[p] = mark
		}
	}
	return list, nil
}

// Publish appends a batch and moves the watermarks. A partition's watermark moves
// with the last piece of its jobs.
func (q *Redis) Publish(ctx context.Context, batch uptime.SlotBatch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	jobs := q.spread(len(batch.Slots), func(i int) message { return ofSlot(&batch.Slots[i]) })
	parts := q.marks.divide(jobs, time.Now())
	expect := q.marks.expect(batch.Epoch)
	over := make([]bool, q.partitions)
	err := q.inPieces(ctx, q.scripts.publish, jobs, true,
		func(p int, rest, _ int) []any {
			pace := batch.Rate * parts[p] * BacklogFactor
			upTo := any("")
			if rest == 0 && !batch.UpTo.IsZero() {
				upTo = batch.UpTo.UnixMilli()
			}
			known := any("")
			if expect[p] != noMark {
				known = expect[p]
			}
			return []any{
				q.clock(), uptime.TakeAhead.Milliseconds(), batch.Epoch, known, upTo,
				pace, burstOf(pace, parts[p]), q.bound,
			}
		},
		func(p int, rest int, answer []any) {
			if rest == 0 {
				q.marks.moved(batch.Epoch, p, batch.UpTo)
			}
			over[p] = number(answer[3]) > 0
		})
	if slices.Contains(over, true) {
		err = errors.Join(err, q.shrink(ctx, over))
	}
	if err != nil {
		return fmt.Errorf("publish under epoch %d: %w", batch.Epoch, err)
	}
	return nil
}

// Push adds jobs that no leader stands behind. The bound is kept by partition: one
// that is full takes none of its jobs (uptime.ErrFull), the others theirs.
func (q *Redis) Push(ctx context.Context, list []uptime.Job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(list) == 0 {
		return nil
	}
	err := q.inPieces(ctx, q.scripts.push, q.spread(len(list), func(i int) message { return ofJob(&list[i]) }), false,
		func(_, rest, count int) []any {
			return []any{q.clock(), uptime.TakeAhead.Milliseconds(), rest + count, q.bound}
		},
		func(int, int, []any) {})
	if err != nil {
		return fmt.Errorf("push %d jobs: %w", len(list), err)
	}
	return nil
}

// spread divides n messages by partition, each in the order of their slots.
func (q *Redis) spread(n int, of func(i int) message) [][]message {
	parts := make([][]message, q.partitions)
	for i := range n {
		m := of(i)
		p := q.Partition(m.MonitorID)
		if parts[p] == nil {
			parts[p] = make([]message, 0, n/q.partitions+n/q.partitions/8+1)
		}
		parts[p] = append(parts[p], m)
	}
	for _, part := range parts {
		slices.SortStableFunc(part, func(a, b message) int {
			return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.MonitorID, b.MonitorID))
		})
	}
	return parts
}

// inPieces runs a script that adds jobs, one piece of each partition at a time: a
// piece is not sent before the one ahead of it is done, nor after one that failed.
// empty: partitions without jobs are called too. head makes what stands before the
// regions, told how many jobs are left behind this piece and how many are in it.
func (q *Redis) inPieces(
	ctx context.Context, s script, jobs [][]message, empty bool,
	head func(partition, rest, count int) []any, done func(partition, rest int, answer []any),
) error {
	var errs []error
	failed := make([]bool, q.partitions)
	for first := true; ; first = false {
		var calls []call
		var whose []int
		for p, list := range jobs {
			if failed[p] || (len(list) == 0 && (!first || !empty)) {
				continue
			}
			n := min(len(list), piece)
			jobs[p] = list[n:]
			calls = append(calls, q.adding(p, list[:n], head(p, len(list)-n, n)))
			whose = append(whose, p)
		}
		if len(calls) == 0 {
			return gravest(errs)
		}
		for i, cmd := range q.run(ctx, s, calls) {
			p := whose[i]
			answer, err := verdict(ctx, cmd)
			if err != nil {
				failed[p] = true
				errs = append(errs, fmt.Errorf("partition %d: %w", p, err))
				continue
			}
			q.count.added.Add(uint64(number(answer[1])))      //nolint:gosec // a count
			q.count.duplicates.Add(uint64(number(answer[2]))) //nolint:gosec // likewise
			done(p, len(jobs[p]), answer)
		}
	}
}

// adding makes the call that adds these jobs to a partition.
func (q *Redis) adding(p int, jobs []message, head []any) call {
	part := redisconn.Partition(p)
	keys := []string{part.State(), part.Held(), part.Regions()}
	numbers := map[string]int{}
	var names []any
	tail := make([]any, 0, 2*len(jobs))
	size := 0
	for i := range jobs {
		size += jobRoom + len(jobs[i].Spec)
	}
	text := make([]byte, 0, size)
	for i := range jobs {
		job := &jobs[i]
		n := numbers[job.Region]
		if n == 0 {
			n = len(names) + 1
			numbers[job.Region] = n
			names = append(names, job.Region)
			k := q.region(job.Region).of[p]
			keys = append(keys, k.ready, k.delayed)
		}
		// One buffer for all: each job keeps its part of it.
		from := len(text)
		text = appendJob(text, job)
		tail = append(tail, n, text[from:len(text):len(text)])
	}
	args := append(head, len(names))
	return call{keys, append(append(args, names...), tail...)}
}

// shrink drops the oldest waiting jobs of these partitions until the bound is kept.
func (q *Redis) shrink(ctx context.Context, over []bool) error {
	regions, err := q.known(ctx)
	if err != nil {
		return err
	}
	for {
		var calls []call
		var whose []int
		for p, is := range over {
			if !is {
				continue
			}
			keys, args := []string{redisconn.Partition(p).Held()}, []any{q.bound, piece}
			for _, name := range regions[p] {
				k := q.region(name).of[p]
				keys = append(keys, k.ready, k.delayed, k.late, k.dying, k.gone)
				args = append(args, name)
			}
			calls, whose = append(calls, call{keys, args}), append(whose, p)
		}
		if len(calls) == 0 {
			return nil
		}
		for i, cmd := range q.run(ctx, q.scripts.shrink, calls) {
			n, err := cmd.Uint64()
			if err != nil {
				return redisconn.Failure(ctx, err)
			}
			q.count.dropped.Add(n)
			over[whose[i]] = n == piece // else the bound is kept, or all is leased
		}
	}
}

// verdict reads a script's answer; what is not done is an error.
func verdict(ctx context.Context, cmd *redis.Cmd) ([]any, error) {
	answer, err := cmd.Slice()
	if err != nil {
		return nil, redisconn.Failure(ctx, err)
	}
	switch word, _ := answer[0].(string); word {
	case verdictDone:
		return answer, nil
	case verdictFenced:
		return nil, fmt.Errorf("it is at epoch %d: %w", number(answer[1]), uptime.ErrFenced)
	case verdictLost:
		return nil, uptime.ErrLost
	case verdictFull:
		return nil, uptime.ErrFull
	default:
		return nil, fmt.Errorf("%w: the script answered %q", uptime.ErrUnavailable, word)
	}
}

// gravest gives the error that decides what is to be done: being fenced above
// having lost, that above being away, for which a caller tries again, and that above
// all else.
func gravest(errs []error) error {
	for _, of := range []error{uptime.ErrFenced, uptime.ErrLost, uptime.ErrUnavailable} {
		for _, err := range errs {
			if errors.Is(err, of) {
				return err
			}
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return errs[0]
}

func parseMillis(text string) (int64, bool) {
	ms, err := strconv.ParseInt(text, 10, 64)
	return ms, err == nil
}
