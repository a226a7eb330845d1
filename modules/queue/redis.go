package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"monitor/modules/redisconn"
	"monitor/modules/uptime"
)

const (
	// piece is the most jobs that one script adds, ends or moves: it blocks the
	// server for about 2 ms.
	piece = 500
	// poolSize bounds the connections to each server.
	poolSize = 16
)

// RedisParams are what NewRedis needs. Zero numbers stand for the defaults.
type RedisParams struct {
	Conn       *redisconn.Conn
	Partitions int // the same in every process
	// Bound is the most jobs held, leased ones included. It is kept by each
	// partition for itself: Bound/Partitions.
	Bound int
	// Consumer is this process's name in the streams' group, other than that of
	// every other one.
	Consumer string
	Log      *slog.Logger
}

// Redis is the queue that processes share. It is safe for concurrent use. Every
// call is bounded by redisconn.Timeout for each round trip; a server that is away
// gives uptime.ErrUnavailable.
type Redis struct {
	conn       *redisconn.Conn
	client     redis.UniversalClient
	partitions int
	bound      int // of each partition
	consumer   string
	log        *slog.Logger
	scripts    scripts
	count      counters
	turn       atomic.Uint32 // which partition is asked first
	unreadable sync.Once     // logged
	// stopped is the time in Unix ms that a test has set the queue's clock to; 0:
	// it is the server's.
	stopped *atomic.Int64

	marks *marks

	mu      sync.Mutex
	regions map[string]*regionKeys
	bells   map[string]*bell
	closed  bool
}

// counters are of this process.
type counters struct {
	added, duplicates, taken, expired, reclaimed, acked, dropped, unreadable atomic.Uint64
}

var (
	_ uptime.JobQueue      = (*Redis)(nil)
	_ uptime.SlotPublisher = (*Redis)(nil)
)

// NewRedis makes a queue. It connects to nothing: a server that is away fails the
// calls until it is back. Close it.
func NewRedis(p RedisParams) (*Redis, error) {
	switch {
	case p.Conn == nil || p.Log == nil || p.Consumer == "":
		return nil, errors.New("new redis queue: a connection, a consumer name and a logger are required")
	case p.Partitions < 0 || p.Bound < 0:
		return nil, errors.New("new redis queue: numbers may not be negative")
	}
	if p.Partitions == 0 {
		p.Partitions = DefaultPartitions
	}
	if p.Bound == 0 {
		p.Bound = DefaultBound
	}
	return &Redis{
		conn:       p.Conn,
		client:     p.Conn.Client(redisconn.Purpose{Name: "queue", Size: poolSize}),
		partitions: p.Partitions, bound: max(p.Bound/p.Partitions, 1),
		consumer: p.Consumer, log: p.Log,
		scripts: newScripts(),
		stopped: new(atomic.Int64),
		marks:   newMarks(p.Partitions),
		regions: map[string]*regionKeys{},
		bells:   map[string]*bell{},
	}, nil
}

// Close ends what waits for news and its connections, and returns when that is
// gone. Calls made afterwards fail. A second one does nothing.
func (q *Redis) Close() error {
	q.mu.Lock()
	bells, closed := q.bells, q.closed
	q.bells, q.closed = map[string]*bell{}, true
	q.mu.Unlock()
	if closed {
		return nil
	}
	var errs []error
	for _, b := range bells {
		errs = append(errs, b.close())
	}
	return errors.Join(append(errs, q.conn.Discard(q.client))...)
}

// Stats gives what this process did.
func (q *Redis) Stats() Stats {
	c := &q.count
	return Stats{
		Added: c.added.Load(), Duplicates: c.duplicates.Load(), Taken: c.taken.Load(), Expired: c.expired.Load(),
		Reclaimed: c.reclaimed.Load(), Acked: c.acked.Load(), Dropped: c.dropped.Load(), Unreadable: c.unreadable.Load(),
	}
}

// Partition of a monitor.
func (q *Redis) Partition(monitorID int64) int {
	n := int64(q.partitions)
	return int((monitorID%n + n) % n)
}

// clock is what scripts get in place of the server's clock: nothing.
func (q *Redis) clock() any {
	if t := q.stopped.Load(); t != 0 {
		return t
	}
	return ""
}

// Renew extends the leases of these receipts whose jobs nobody else was given.
func (q *Redis) Renew(ctx context.Context, receipts []string) error {
	_, err := q.hold(ctx, q.scripts.renew, receipts, []any{q.clock(), uptime.LeaseMargin.Milliseconds()},
		func(args []any, r *receipt) []any {
			return append(args, r.entry, r.name(), r.holding(),
				r.job.ScheduledAt.UnixMilli(), r.job.Spec.Timeout.Milliseconds())
		})
	if err != nil {
		return fmt.Errorf("renew %d leases: %w", len(receipts), err)
	}
	return nil
}

// Ack ends the jobs leased under these receipts.
func (q *Redis) Ack(ctx context.Context, receipts []string) error {
	ended, err := q.hold(ctx, q.scripts.ack, receipts, nil, func(args []any, r *receipt) []any {
		return append(args, r.entry, r.name(), r.holding())
	})
	q.count.acked.Add(ended)
	if err != nil {
		return fmt.Errorf("acknowledge %d jobs: %w", len(receipts), err)
	}
	return nil
}

// hold runs a script over receipts, in calls of at most piece of them, and sums
// what it gives.
func (q *Redis) hold(
	ctx context.Context, s script, texts []string, head []any, add func([]any, *receipt) []any,
) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	var calls []call
	for of, list := range sortReceipts(texts, q.partitions) {
		k := q.region(of.region).of[of.partition]
		for len(list) > 0 {
			n := min(len(list), piece)
			args := append([]any(nil), head...)
			for i := range list[:n] {
				args = add(args, &list[i])
			}
			calls = append(calls, call{[]string{k.ready, k.held, k.late, k.dying, k.gone, k.leases}, args})
			list = list[n:]
		}
	}
	if len(calls) == 0 {
		return 0, nil
	}
	var sum uint64
	var failed error
	for _, cmd := range q.run(ctx, s, calls) {
		n, err := cmd.Uint64()
		sum += n
		if err != nil && failed == nil {
			failed = redisconn.Failure(ctx, err)
		}
	}
	return sum, failed
}

// Depth counts what is held. Its cost does not depend on how much that is.
func (q *Redis) Depth(ctx context.Context) (uptime.QueueDepth, error) {
	if err := ctx.Err(); err != nil {
		return uptime.QueueDepth{}, err
	}
	var d uptime.QueueDepth
	regions, err := q.known(ctx)
	if err != nil {
		return d, fmt.Errorf("measure the queue: %w", err)
	}
	var calls []call
	for p, names := range regions {
		var keys []string
		for _, name := range names {
			k := q.region(name).of[p]
			keys = append(keys, k.ready, k.delayed, k.late, k.gone, k.leases)
		}
		if len(keys) > 0 {
			calls = append(calls, call{keys, []any{q.clock(), uptime.TakeAhead.Milliseconds()}})
		}
	}
	if len(calls) == 0 {
		return d, nil
	}
	for _, cmd := range q.run(ctx, q.scripts.depth, calls) {
		answer, err := cmd.Slice()
		if err != nil {
			return uptime.QueueDepth{}, fmt.Errorf("measure the queue: %w", redisconn.Failure(ctx, err))
		}
		d.Ready += number(answer[0])
		d.Delayed += number(answer[1])
		d.Leased += number(answer[2])
		if slot, ok := instant(answer[3]); ok && (d.Oldest.IsZero() || slot.Before(d.Oldest)) {
			d.Oldest = slot
		}
	}
	return d, nil
}

// known gives the regions that each partition has had jobs of.
func (q *Redis) known(ctx context.Context) ([][]string, error) {
	own, cancel := context.WithTimeout(ctx, redisconn.Timeout)
	defer cancel()
	pipe := q.client.Pipeline()
	cmds := make([]*redis.StringSliceCmd, q.partitions)
	for p := range cmds {
		cmds[p] = pipe.SMembers(own, redisconn.Partition(p).Regions())
	}
	if _, err := pipe.Exec(own); err != nil {
		return nil, redisconn.Failure(ctx, err)
	}
	names := make([][]string, q.partitions)
	for p, cmd := range cmds {
		names[p] = cmd.Val()
	}
	return names, nil
}

// pileKeys are those of one region in one partition.
type pileKeys struct {
	state, held, ready, delayed, late, dying, gone, leases string
}

// regionKeys are those of a region, by partition.
type regionKeys struct{ of []pileKeys }

// region gives the keys of a region; they are made once.
func (q *Redis) region(name string) *regionKeys {
	q.mu.Lock()
	defer q.mu.Unlock()
	keys := q.regions[name]
	if keys == nil {
		keys = &regionKeys{of: make([]pileKeys, q.partitions)}
		for i := range keys.of {
			p := redisconn.Partition(i)
			keys.of[i] = pileKeys{
				state: p.State(), held: p.Held(), ready: p.Ready(name), delayed: p.Delayed(name),
				late: p.Late(name), dying: p.Dying(name), gone: p.Gone(name), leases: p.Leases(name),
			}
		}
		q.regions[name] = keys
	}
	return keys
}

// number reads an integer of a script's answer.
func number(v any) int64 {
	n, _ := v.(int64)
	return n
}

// instant reads a time in Unix milliseconds; false for none.
func instant(v any) (time.Time, bool) {
	text, _ := v.(string)
	ms, ok := parseMillis(text)
	return time.UnixMilli(ms).UTC(), ok
}
