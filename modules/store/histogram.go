package store

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"slices"
	"time"
)

// Response times are counted in the bars of an HdrHistogram with two significant
// digits (Gil Tene, http://hdrhistogram.org): exact below 256 µs, then 128 bars to
// each doubling, so that a percentile is at most 0.8 % above the truth and
// histograms merge exactly, whatever was merged before. They are never averaged.
// The library keeps an array of every bar there could be, 28 kB; most hours have a
// few dozen bars, and pages read thousands of hours: here only those are kept. A
// test compares both.
const (
	histogramMax  = int64(36 * time.Minute / time.Microsecond)
	histogramBits = 8
	// A histogram is put in order once it has so many bars more than before.
	histogramSlack = 4096
)

// bar of a histogram: the lowest value in µs that it counts, and how many.
type bar struct{ value, count int64 }

// barWidth is how many bits of a value its bar does not tell apart.
func barWidth(us int64) int { return max(bits.Len64(uint64(us))-histogramBits, 0) } //nolint:gosec // not negative

// histogram of response times; the zero value is empty.
type histogram struct {
	bars   []bar
	sorted int // so many of them are in order, each value once
}

func (h *histogram) reset() { h.bars, h.sorted = h.bars[:0], 0 }

func (h *histogram) add(us int64) {
	us = min(max(us, 1), histogramMax)
	w := barWidth(us)
	h.addBar(bar{us >> w << w, 1})
}

func (h *histogram) addBar(b bar) {
	h.bars = append(h.bars, b)
	if len(h.bars)-h.sorted > histogramSlack {
		h.sort()
	}
}

func (h *histogram) sort() {
	if h.sorted == len(h.bars) {
		return
	}
	slices.SortFunc(h.bars, func(a, b bar) int { return cmp.Compare(a.value, b.value) })
	out := h.bars[:0]
	for _, b := range h.bars {
		if last := len(out) - 1; last >= 0 && out[last].value == b.value {
			out[last].count += b.count
		} else {
			out = append(out, b)
		}
	}
	h.bars, h.sorted = out, len(out)
}

// percentile is the nearest rank: the smallest value that at least p % of all are
// not above; the highest that its bar counts. 0 where there is none.
func (h *histogram) percentile(p float64) time.Duration {
	h.sort()
	var total int64
	for _, b := range h.bars {
		total += b.count
	}
	rank := int64(math.Ceil(p / 100 * float64(total)))
	for _, b := range h.bars {
		if rank -= b.count; rank <= 0 {
			return time.Duration(b.value+1<<barWidth(b.value)-1) * time.Microsecond
		}
	}
	return 0
}

// pack writes the bars as pairs of varints: value less the one before, count.
func (h *histogram) pack() []byte {
	h.sort()
	var out []byte
	last := int64(0)
	for _, b := range h.bars {
		out = binary.AppendUvarint(out, uint64(b.value-last)) //nolint:gosec // ascending
		out = binary.AppendUvarint(out, uint64(b.count))      //nolint:gosec // a count
		last = b.value
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
		h.addBar(bar{value, int64(count)})
	}
	return nil
}
