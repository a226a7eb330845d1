package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"monitor/modules/uptime"
)

// Defaults of the in-process queue.
const (
	DefaultPartitions = 8
	DefaultBound      = 1_000_000
)

// MemoryParams are what NewMemory needs. Zero numbers stand for the defaults.
type MemoryParams struct {
	Clock      uptime.Clock
	Partitions int
	// Bound is the most jobs held, leased ones included.
	Bound int
}

// Stats counts what a queue did since it was made.
type Stats struct {
	Added      uint64 // jobs published or pushed that were new
	Duplicates uint64 // jobs absorbed because their key was held
	Taken      uint64 // jobs handed out, repeats included
	Expired    uint64 // of these, handed out as expired
	Reclaimed  uint64 // leases that ended without an acknowledgement
	Acked      uint64
	Dropped    uint64 // beyond the bound
	// Unreadable counts jobs that were dropped because this version cannot read
	// them.
	Unreadable uint64
}

// partition is the leader's side of one part of the queue.
type partition struct {
	epoch     int64
	watermark time.Time
}

// Memory is the queue of a process that runs alone. It is safe for concurrent
// use; no call but Take waits for anything but a short lock.
type Memory struct {
	clock uptime.Clock
	bound int

	mu       sync.Mutex
	parts    []partition
	regions  map[string]*region
	held     map[uptime.ResultKey]*held
	receipts map[string]*held
	serial   uint64
	pace     pace
	stats    Stats
}

var (
	_ uptime.JobQueue      = (*Memory)(nil)
	_ uptime.SlotPublisher = (*Memory)(nil)
)

// NewMemory makes an empty queue.
func NewMemory(p MemoryParams) (*Memory, error) {
	if p.Clock == nil || p.Partitions < 0 || p.Bound < 0 {
		return nil, errors.New("new memory queue: a clock is required and numbers may not be negative")
	}
	if p.Partitions == 0 {
		p.Partitions = DefaultPartitions
	}
	if p.Bound == 0 {
		p.Bound = DefaultBound
	}
	return &Memory{
		clock: p.Clock, bound: p.Bound,
		parts:    make([]partition, p.Partitions),
		regions:  map[string]*region{},
		held:     map[uptime.ResultKey]*held{},
		receipts: map[string]*held{},
	}, nil
}

// Push adds jobs that no leader stands behind: all of them, or none with
// uptime.ErrFull.
func (q *Memory) Push(ctx context.Context, jobs []uptime.Job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.held)+len(jobs) > q.bound {
		return fmt.Errorf("push %d jobs: %w", len(jobs), uptime.ErrFull)
	}
	q.add(jobs)
	return nil
}

// Take waits for jobs of the region and leases up to n of them.
func (q *Memory) Take(ctx context.Context, regionName string, n int) ([]uptime.Lease, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		leases, changed, wait := q.tryTake(regionName, max(n, 1))
		if len(leases) > 0 {
			return leases, nil
		}
		if err := pause(ctx, changed, wait); err != nil {
			return nil, err
		}
	}
}

// pause waits until changed is closed or wait has passed; below zero it is
// without end.
func pause(ctx context.Context, changed <-chan struct{}, wait time.Duration) error {
	var expiry <-chan time.Time
	if wait >= 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		expiry = timer.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-changed:
	case <-expiry:
	}
	return nil
}

// tryTake leases what may be taken now. Where that is nothing, it gives a channel
// that is closed when something is added and how long to wait otherwise.
func (q *Memory) tryTake(name string, n int) ([]uptime.Lease, <-chan struct{}, time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock()
	r := q.region(name)
	q.stats.Reclaimed += r.settle(now.UnixMilli())
	q.pace.refill(now)
	var leases []uptime.Lease
	for len(leases) < n {
		h := r.next(now.UnixMilli(), q.pace.allows())
		if h == nil {
			break
		}
		if h.place != expired {
			q.pace.use()
		}
		leases = append(leases, q.lease(r, h, now))
	}
	if len(leases) > 0 {
		return leases, nil, 0
	}
	at := r.nextChange(q.pace.nextAt())
	if at.IsZero() {
		return nil, r.changed, -1
	}
	return nil, r.changed, max(at.Sub(now), 0)
}

func (q *Memory) lease(r *region, h *held, now time.Time) uptime.Lease {
	gone := h.place == expired || now.After(h.job.Expires())
	q.serial++
	delete(q.receipts, h.receipt)
	h.receipt = strconv.FormatUint(q.serial, 36)
	h.taken++
	h.leaseEnd = h.leaseFrom(now)
	r.move(h, leased)
	q.receipts[h.receipt] = h
	q.stats.Taken++
	if gone {
		q.stats.Expired++
	}
	return uptime.Lease{Job: h.job, Receipt: h.receipt, Taken: h.taken, Expired: gone}
}

// Renew extends the leases of these receipts whose jobs nobody else was given.
func (q *Memory) Renew(ctx context.Context, receipts []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock()
	for _, receipt := range receipts {
		h := q.receipts[receipt]
		if h == nil {
			continue
		}
		// A lease that has ended but was not handed out again is still the
		// caller's: nobody else works on the job.
		r := q.regions[h.job.Region]
		r.pull(h)
		h.leaseEnd = h.leaseFrom(now)
		r.put(h, leased)
	}
	return nil
}

// Ack ends the jobs leased under these receipts.
func (q *Memory) Ack(ctx context.Context, receipts []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, receipt := range receipts {
		if h := q.receipts[receipt]; h != nil {
			q.forget(h)
			q.stats.Acked++
		}
	}
	return nil
}

// Depth counts what is held. Its cost grows with the number of ready jobs.
func (q *Memory) Depth(ctx context.Context) (uptime.QueueDepth, error) {
	if err := ctx.Err(); err != nil {
		return uptime.QueueDepth{}, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock().UnixMilli()
	var d uptime.QueueDepth
	for _, r := range q.regions {
		q.stats.Reclaimed += r.settle(now)
		r.addDepth(&d, now)
	}
	return d, nil
}

// Stats gives the counters.
func (q *Memory) Stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.stats
}

// add takes in jobs whose key is not held, and wakes those who wait for them.
func (q *Memory) add(jobs []uptime.Job) {
	woken := map[*region]bool{}
	for _, job := range jobs {
		key := job.Key()
		if q.held[key] != nil {
			q.stats.Duplicates++
			continue
		}
		h := &held{job: job, key: key, slot: key.ScheduledAt, expires: job.Expires().UnixMilli()}
		r := q.region(job.Region)
		q.held[key] = h
		r.put(h, coming)
		woken[r] = true
		q.stats.Added++
	}
	for r := range woken {
		r.wake()
	}
}

func (q *Memory) forget(h *held) {
	q.regions[h.job.Region].pull(h)
	delete(q.held, h.key)
	delete(q.receipts, h.receipt)
}

func (q *Memory) region(name string) *region {
	r := q.regions[name]
	if r == nil {
		r = newRegion()
		q.regions[name] = r
	}
	return r
}
