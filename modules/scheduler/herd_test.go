package scheduler

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// batches keeps what was published, batch by batch.
type batches struct {
	discard
	marks []time.Time
	list  []uptime.SlotBatch
}

func (q *batches) Watermarks(context.Context) ([]time.Time, error) { return q.marks, nil }

func (q *batches) Publish(_ context.Context, b uptime.SlotBatch) error {
	b.Slots = slices.Clone(b.Slots) // the list is the publisher's
	q.list = append(q.list, b)
	return nil
}

func (q *batches) slots() (all []uptime.Slot) {
	for _, b := range q.list {
		all = append(all, b.Slots...)
	}
	return all
}

// crowd is a scheduler of n monitors a minute, published up to marks.
func crowd(t *testing.T, n int, mark time.Time) (*bundle, *handClock, *batches) {
	t.Helper()
	clock := &handClock{now: base}
	b := setup(t, clock.Now, 8)
	for id := range n {
		m := monitor(int64(id+1), time.Minute)
		m.CheckAt, m.State.LastSlot = base.Add(-time.Hour), base.Add(-time.Minute)
		b.table.save(m)
	}
	queue := &batches{marks: slices.Repeat([]time.Time{mark}, 8)}
	b.Slots = queue
	return b, clock, queue
}

// A start without any watermark publishes what comes and nothing else, and no second
// of it has more than a fifth above its share.
func TestStartIsNoHerd(t *testing.T) {
	t.Parallel()
	const n, rate = 6000, 100.0
	b, clock, queue := crowd(t, n, time.Time{})
	term := b.take(t, 1)
	require.LessOrEqual(t, float64(len(queue.slots())), 1.2*rate*(tick+publishAhead).Seconds())
	for range 62 {
		clock.move(tick)
		require.NoError(t, term.tick(t.Context()))
	}
	perSecond := make([]float64, 64)
	for _, s := range queue.slots() {
		since := s.At - base.UnixMilli()
		require.Positive(t, since, "caught up")
		perSecond[(since-1)/1000]++
	}
	for second, jobs := range perSecond {
		require.LessOrEqual(t, jobs, math.Ceil(1.2*rate), "second %d", second)
	}
	require.InDelta(t, 64*rate, float64(len(queue.slots())), rate, "and everything is checked")
}

// After a gap the queue is told the pace with the first batch: what is caught up, a
// slot of each monitor at most, is handed out by it. Batches stay small.
func TestGapIsLeftToThePace(t *testing.T) {
	t.Parallel()
	const n, rate = 6000, 100.0
	b, _, queue := crowd(t, n, base.Add(-10*time.Minute))
	b.take(t, 1)
	seen := map[int64]int{}
	for _, batch := range queue.list {
		require.InDelta(t, rate, batch.Rate, 0.001)
		require.LessOrEqual(t, len(batch.Slots), batchSize)
		for _, s := range batch.Slots {
			if s.At <= base.UnixMilli() {
				seen[s.MonitorID]++
			}
		}
	}
	require.Len(t, seen, n)
	for id, times := range seen {
		require.Equal(t, 1, times, "monitor %d", id)
	}
	require.Equal(t, base.Add(tick+publishAhead), queue.list[len(queue.list)-1].UpTo)
	require.True(t, queue.list[0].UpTo.IsZero(), "the watermark moves with the last batch")
}

// The list of a batch is filled again, but not while the batch is to be published yet.
func TestPendingBatchIsKept(t *testing.T) {
	t.Parallel()
	clock := &handClock{now: base}
	b := setup(t, clock.Now, 4)
	for id := range int64(100) {
		b.table.save(monitor(id+1, 5*time.Second))
	}
	term := b.take(t, 1)
	clock.move(tick)
	require.NoError(t, term.tick(t.Context()))
	b.queue.setFails(func(int) bool { return true })
	clock.move(tick)
	require.NoError(t, term.tick(t.Context()))
	kept := slices.Clone(term.pending.Slots)
	require.NotEmpty(t, kept)
	m := monitor(1000, 5*time.Second) // asks for an extra slot
	m.CheckAt = clock.Now()
	require.NoError(t, term.accept(t.Context(), changed(b.table.save(m))))
	require.Equal(t, kept, term.pending.Slots)
	b.queue.setFails(func(int) bool { return false })
	clock.move(tick)
	require.NoError(t, term.tick(t.Context()))
	for _, m := range b.table.monitors {
		require.Subset(t, b.queue.slots(m.ID), grid(m, later(base, m.CheckAt), clock.Now().Add(2*time.Second)))
	}
}
