package queue

import (
	"context"
	"fmt"
	"time"

	"monitor/modules/uptime"
)

// Raise tells every partition of a new leader.
func (q *Memory) Raise(ctx context.Context, epoch int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.parts {
		if q.parts[i].epoch > epoch {
			return fmt.Errorf("raise epoch %d of partition %d at %d: %w", epoch, i, q.parts[i].epoch, uptime.ErrFenced)
		}
		q.parts[i].epoch = epoch
	}
	return nil
}

// Watermarks gives "published up to" for each partition.
func (q *Memory) Watermarks(ctx context.Context) ([]time.Time, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	marks := make([]time.Time, len(q.parts))
	for i, p := range q.parts {
		marks[i] = p.watermark
	}
	return marks, nil
}

// Partition of a monitor.
func (q *Memory) Partition(monitorID int64) int {
	n := int64(len(q.parts))
	return int((monitorID%n + n) % n)
}

// Publish appends a batch and moves the watermarks, unless a newer leader is
// known or this one was not raised.
func (q *Memory) Publish(ctx context.Context, batch uptime.SlotBatch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, p := range q.parts {
		if p.epoch > batch.Epoch {
			return fmt.Errorf("publish under epoch %d to partition %d at %d: %w", batch.Epoch, i, p.epoch, uptime.ErrFenced)
		}
	}
	for i, p := range q.parts {
		if p.epoch < batch.Epoch {
			return fmt.Errorf("publish under epoch %d to partition %d at %d: %w", batch.Epoch, i, p.epoch, uptime.ErrLost)
		}
	}
	for i := range q.parts {
		if batch.UpTo.After(q.parts[i].watermark) {
			q.parts[i].watermark = batch.UpTo
		}
	}
	q.pace.set(batch.Rate, q.clock())
	q.add(len(batch.Slots), func(i int) message { return ofSlot(&batch.Slots[i]) })
	q.shrink()
	return nil
}

// shrink drops the oldest slots that nobody works on, until the bound is kept.
func (q *Memory) shrink() {
	for q.count > q.bound {
		var eldest *held
		for _, r := range q.regions {
			if h := r.eldest(); h != nil && (eldest == nil || h.slot < eldest.slot) {
				eldest = h
			}
		}
		if eldest == nil {
			return // all that is held is leased
		}
		q.forget(eldest)
		q.stats.Dropped++
	}
}
