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

const (
	// receiptBase is the base that numbers of leases are written in.
	receiptBase = 36
	// blockSize is how many jobs are given room at once.
	blockSize = 64
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
	count    int              // jobs held, over all regions
	receipts map[uint64]*held // by the number of their newest lease
	serial   uint64
	block    []held // to be handed out one by one
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
		receipts: map[uint64]*held{},
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
	if q.count+len(jobs) > q.bound {
		return fmt.Errorf("push %d jobs: %w", len(jobs), uptime.ErrFull)
	}
	q.add(len(jobs), func(i int) message { return ofJob(&jobs[i]) })
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
	ms := now.UnixMilli()
	r := q.region(name)
	q.stats.Reclaimed += r.settle(ms)
	q.pace.refill(now)
	var leases []uptime.Lease
	for len(leases) < n {
		h := r.next(ms, q.pace.allows())
		if h == nil {
			break
		}
		if leases == nil {
			leases = make([]uptime.Lease, 0, min(n, r.waiting()))
		}
		if h.place != expired {
			q.pace.use()
		}
		leases = append(leases, q.lease(h, ms))
	}
	if len(leases) > 0 {
		q.write(leases)
		return leases, nil, 0
	}
	at := r.nextChange(q.pace.nextAt())
	if at.IsZero() {
		return nil, r.changed, -1
	}
	return nil, r.changed, max(at.Sub(now), 0)
}

// lease gives a job away. The receipt is left to write.
func (q *Memory) lease(h *held, now int64) uptime.Lease {
	gone := h.place == expired || h.expires < now
	delete(q.receipts, h.serial)
	q.serial++
	h.serial = q.serial
	q.receipts[h.serial] = h
	h.taken++
	h.region.pull(h)
	q.hold(h, now)
	q.stats.Taken++
	if gone {
		q.stats.Expired++
	}
	return uptime.Lease{Job: h.job(), Taken: int(h.taken), Expired: gone}
}

// hold leases a job, which is in no pile, from now or its slot on.
func (q *Memory) hold(h *held, now int64) {
	h.leaseEnd = max(now, h.slot) + h.timeout
	h.region.put(h, leased)
}

// write makes the receipts of leases that were given just now: the numbers of their
// leases, in one piece of memory.
func (q *Memory) write(leases []uptime.Lease) {
	const digits = 13 // of 2^64 with this base
	text := make([]byte, 0, digits*len(leases))
	ends := make([]int, len(leases))
	for i := range leases {
		text = strconv.AppendUint(text, q.serial-uint64(len(leases)-1-i), receiptBase) //nolint:gosec // not negative
		ends[i] = len(text)
	}
	from, all := 0, string(text)
	for i, end := range ends {
		leases[i].Receipt, from = all[from:end], end
	}
}

// leaseOf gives the job whose newest lease a receipt names, nil if there is none.
func (q *Memory) leaseOf(receipt string) *held {
	serial, err := strconv.ParseUint(receipt, receiptBase, 64)
	if err != nil {
		return nil // another queue's
	}
	return q.receipts[serial]
}

// Renew extends the leases of these receipts whose jobs nobody else was given.
func (q *Memory) Renew(ctx context.Context, receipts []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock().UnixMilli()
	for _, receipt := range receipts {
		// A lease that has ended but was not handed out again is still the
		// caller's: nobody else works on the job.
		if h := q.leaseOf(receipt); h != nil {
			h.region.pull(h)
			q.hold(h, now)
		}
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
		if h := q.leaseOf(receipt); h != nil {
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

// add takes in n messages whose name is not held, and wakes those who wait for them.
func (q *Memory) add(n int, message func(i int) message) {
	var r *region
	for i := range n {
		m := message(i)
		if r == nil || r.name != m.Region {
			r = q.region(m.Region)
		}
		if r.held[name{m.MonitorID, m.At}] != nil {
			q.stats.Duplicates++
			continue
		}
		h := q.fresh()
		h.fill(r, &m)
		r.held[h.name] = h
		r.put(h, coming)
		r.woken = true
		q.count++
		q.stats.Added++
	}
	for _, r := range q.regions {
		if r.woken {
			r.wake()
		}
	}
}

// fresh gives room for a job. Rooms are made many at a time; they are the garbage
// collector's when all of their time are gone, so a backlog leaves nothing behind.
func (q *Memory) fresh() *held {
	if len(q.block) == 0 {
		q.block = make([]held, blockSize)
	}
	h := &q.block[0]
	q.block = q.block[1:]
	return h
}

func (q *Memory) forget(h *held) {
	h.region.pull(h)
	delete(h.region.held, h.name)
	delete(q.receipts, h.serial)
	q.count--
}

func (q *Memory) region(name string) *region {
	r := q.regions[name]
	if r == nil {
		r = newRegion(name)
		q.regions[name] = r
	}
	return r
}
