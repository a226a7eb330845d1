package store

import (
	"encoding/binary"
	"errors"
	"iter"
	"math"
	"math/bits"
	"time"
)

// Response times are counted in the bars of an HdrHistogram with two significant
// digits (Gil Tene, http://hdrhistogram.org): exact below 256 µs, then 128 bars to
// each doubling, so that a percentile is at most 0.8 % above the truth and
// histograms merge exactly, whatever was merged before. They are never averaged.
// The library keeps an array of every bar there could be, 28 kB; the times of one
// monitor lie within a doubling or three, and pages sum hundreds of them: here only
// the chunks that are used are kept. A test compares both.
const (
	histogramMax  = int64(36 * time.Minute / time.Microsecond)
	histogramBits = 8
	chunkBars     = 1 << (histogramBits - 1)
	chunks        = 26 // two below 256 µs, then one for each doubling up to histogramMax
)

// barOf the value is its number.
func barOf(us int64) int {
	w := max(bits.Len64(uint64(us))-histogramBits, 0) //nolint:gosec // not negative
	return w*chunkBars + int(us>>w)
}

// lowest value of a bar, and the highest one.
func lowest(bar int) int64 {
	if bar < 2*chunkBars {
		return int64(bar)
	}
	return int64(bar%chunkBars+chunkBars) << (bar/chunkBars - 1)
}

func highest(bar int) int64 { return lowest(bar+1) - 1 }

// histogram of response times; the zero value is empty.
type histogram struct {
	chunks [chunks]*[chunkBars]int64 // nil: nothing was ever counted there
	sums   [chunks]int64
}

// reset empties it and keeps its room.
func (h *histogram) reset() {
	for i, c := range h.chunks {
		if h.sums[i] != 0 {
			clear(c[:])
			h.sums[i] = 0
		}
	}
}

func (h *histogram) add(us int64) { h.count(us, 1) }

func (h *histogram) count(us, n int64) {
	bar := barOf(min(max(us, 1), histogramMax))
	i := bar / chunkBars
	if h.chunks[i] == nil {
		h.chunks[i] = new([chunkBars]int64)
	}
	h.chunks[i][bar%chunkBars] += n
	h.sums[i] += n
}

// join adds another histogram.
func (h *histogram) join(other *histogram) {
	for bar, n := range other.bars() {
		h.count(lowest(bar), n)
	}
}

// bars that something was counted in, ascending.
func (h *histogram) bars() iter.Seq2[int, int64] {
	return func(yield func(int, int64) bool) {
		for i, c := range h.chunks {
			if h.sums[i] == 0 {
				continue
			}
			for j, n := range c {
				if n != 0 && !yield(i*chunkBars+j, n) {
					return
				}
			}
		}
	}
}

// percentile is the nearest rank: the smallest value that at least p % of all are
// not above; the highest that its bar counts. 0 where there is none.
func (h *histogram) percentile(p float64) time.Duration {
	var total int64
	for _, n := range h.sums {
		total += n
	}
	rank := max(int64(math.Ceil(p/100*float64(total))), 1)
	for i, c := range h.chunks {
		if rank > h.sums[i] {
			rank -= h.sums[i]
			continue
		}
		for j, n := range c {
			if rank -= n; rank <= 0 {
				return time.Duration(highest(i*chunkBars+j)) * time.Microsecond
			}
		}
	}
	return 0
}

// pack writes the bars as pairs of varints: lowest value less that of the one
// before, count.
func (h *histogram) pack() []byte {
	var out []byte
	last := int64(0)
	for bar, n := range h.bars() {
		value := lowest(bar)
		out = binary.AppendUvarint(out, uint64(value-last)) //nolint:gosec // ascending
		out = binary.AppendUvarint(out, uint64(n))          //nolint:gosec // a count
		last = value
	}
	return out
}

var errHistogram = errors.New("a stored histogram is damaged")

// merge adds packed bars.
func (h *histogram) merge(packed []byte) error {
	value := int64(0)
	for len(packed) > 0 {
		delta, n := binary.Uvarint(packed)
		if n <= 0 {
			return errHistogram
		}
		count, m := binary.Uvarint(packed[n:])
		if m <= 0 {
			return errHistogram
		}
		packed = packed[n+m:]
		if value += int64(delta); value <= 0 || value > histogramMax || count > math.MaxInt32 { //nolint:gosec // checked
			return errHistogram
		}
		h.count(value, int64(count))
	}
	return nil
}
