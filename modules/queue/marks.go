package queue

import (
	"math"
	"slices"
	"sync"
	"time"
)

// shareMemory is how long it takes until half of what was published counts for
// nothing in how the steady rate is divided.
const shareMemory = 10 * time.Minute

// marks is what this process knows as leader of each partition.
type marks struct {
	mu    sync.Mutex
	epoch int64
	// known is the watermark in Unix ms that must be there at least.
	known []int64
	// weight says how the steady rate is divided: by what was published.
	weight []float64
	at     time.Time // of weight
}

// noMark: nothing is known of a partition's watermark.
const noMark = math.MinInt64

func newMarks(partitions int) *marks {
	return &marks{
		known:  slices.Repeat([]int64{noMark}, partitions),
		weight: slices.Repeat([]float64{1}, partitions),
	}
}

// raised begins an epoch with what the partitions had then.
func (m *marks) raised(epoch int64, known []int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epoch, m.known = epoch, known
}

// expect gives the watermarks that must be there.
func (m *marks) expect(epoch int64) []int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.epoch != epoch {
		return slices.Repeat([]int64{noMark}, len(m.known))
	}
	return slices.Clone(m.known)
}

func (m *marks) moved(epoch int64, partition int, upTo time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.epoch == epoch && !upTo.IsZero() {
		m.known[partition] = max(m.known[partition], upTo.UnixMilli())
	}
}

// divide gives each partition's part of the whole after so many more jobs. Few
// monitors are seldom spread evenly, and a backlog must not be paced by what
// other partitions have.
func (m *marks) divide(jobs [][]message, now time.Time) []float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	keep := 1.0
	if !m.at.IsZero() {
		keep = math.Exp2(-float64(now.Sub(m.at)) / float64(shareMemory))
	}
	m.at = now
	var sum float64
	for i := range m.weight {
		m.weight[i] = max(m.weight[i]*keep, 1) + float64(len(jobs[i]))
		sum += m.weight[i]
	}
	parts := make([]float64, len(m.weight))
	for i, w := range m.weight {
		parts[i] = w / sum
	}
	return parts
}
