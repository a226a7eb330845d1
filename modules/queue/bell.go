package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"monitor/modules/redisconn"
	"monitor/modules/uptime"
)

const (
	// bellBlock is the longest that one read waits for news.
	bellBlock = 5 * time.Second
	// bellRest is the least time between two reads that found news: much news at
	// once wakes those who wait once.
	bellRest = 10 * time.Millisecond
	// bellRetry is how long a bell waits after an error; whoever takes asks at
	// least as often by itself.
	bellRetry = time.Second
	// sweepIdle is how long a consumer that holds nothing must have been away to
	// be forgotten.
	sweepIdle = time.Hour
)

// bell wakes every Take of a region when something was added to one of its
// streams. It only looks at them: what it missed is found by the Takes' own
// looking.
type bell struct {
	q      *Redis
	keys   *regionKeys
	client redis.UniversalClient
	cancel context.CancelFunc
	ears   sync.WaitGroup

	mu   sync.Mutex
	rung chan struct{} // closed, and made anew, at each ring
}

// bell gives the region's, begun by its first Take and ended by Close.
func (q *Redis) bell(ctx context.Context, region string) (*bell, error) {
	keys := q.region(region)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, fmt.Errorf("take jobs: the queue is closed: %w", uptime.ErrUnavailable)
	}
	if b := q.bells[region]; b != nil {
		return b, nil
	}
	// One read of a single server hears all streams; those of a cluster are in
	// different slots.
	groups := [][]string{nil}
	for i, k := range keys.of {
		if q.conn.Cluster() && i > 0 {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], k.ready)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it outlives the call
	b := &bell{
		q: q, keys: keys, cancel: cancel, rung: make(chan struct{}),
		client: q.conn.Client(redisconn.Purpose{Name: "queue.bell", Size: len(groups), Block: bellBlock}),
	}
	q.bells[region] = b
	for _, streams := range groups {
		b.ears.Go(func() { b.hear(ctx, streams) })
	}
	return b, nil
}

// close ends the bell. Closing the client ends the read that waits.
func (b *bell) close() error {
	b.cancel()
	err := b.q.conn.Discard(b.client)
	b.ears.Wait()
	b.ring()
	return err
}

// listen gives a channel that is closed at the next ring.
func (b *bell) listen() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rung
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.rung)
	b.rung = make(chan struct{})
}

// hear listens to these streams until ctx ends. Its errors are those of everybody
// who takes, and told by them.
func (b *bell) hear(ctx context.Context, streams []string) {
	swept := false
	for ctx.Err() == nil {
		rest := bellRest
		if !swept {
			swept = b.sweep(ctx, streams)
		}
		if err := b.once(ctx, streams); err != nil {
			rest = bellRetry
		}
		timer := time.NewTimer(rest)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// once reads how far the streams are, rings for what came until then, and waits
// for more.
func (b *bell) once(ctx context.Context, streams []string) error {
	last, err := b.ends(ctx, streams)
	if err != nil {
		return err
	}
	b.ring()
	err = b.client.XRead(ctx, &redis.XReadArgs{
		Streams: append(append([]string(nil), streams...), last...), Count: 1, Block: bellBlock,
	}).Err()
	if errors.Is(err, redis.Nil) {
		return nil // nothing came
	}
	return err
}

// ends gives the newest entry of each stream.
func (b *bell) ends(ctx context.Context, streams []string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, redisconn.Timeout)
	defer cancel()
	pipe := b.client.Pipeline()
	cmds := make([]*redis.XMessageSliceCmd, len(streams))
	for i, s := range streams {
		cmds[i] = pipe.XRevRangeN(ctx, s, "+", "-", 1)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	last := make([]string, len(streams))
	for i, cmd := range cmds {
		last[i] = "0-0"
		if entries := cmd.Val(); len(entries) > 0 {
			last[i] = entries[0].ID
		}
	}
	return last, nil
}

// sweep forgets consumers of processes long gone, and reports whether it could.
func (b *bell) sweep(ctx context.Context, streams []string) bool {
	calls := make([]call, len(streams))
	for i, s := range streams {
		calls[i] = call{[]string{s}, []any{sweepIdle.Milliseconds()}}
	}
	for _, cmd := range b.q.run(ctx, b.q.scripts.sweep, calls) {
		if cmd.Err() != nil {
			return false
		}
	}
	return true
}
