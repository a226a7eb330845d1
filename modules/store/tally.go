package store

import (
	"encoding/binary"
	"time"

	"monitor/modules/uptime"
)

// tally sums results, stored or rolled up, of any region.
type tally struct {
	counts    uptime.CheckCounts
	sumUS     int64 // of successful checks
	histogram histogram
}

func (t *tally) reset() {
	t.counts, t.sumUS = uptime.CheckCounts{}, 0
	t.histogram.reset()
}

func (t *tally) empty() bool { return t.counts == uptime.CheckCounts{} }

func (t *tally) add(r measuredRow) {
	switch r.Status {
	case codeUp:
		t.counts.Up++
	case codeDegraded:
		t.counts.Degraded++
	case codeDown:
		t.counts.Down++
		return
	default:
		t.counts.Unknown++
		return
	}
	t.sumUS += r.ResponseUS
	t.histogram.add(r.ResponseUS)
}

func (t *tally) merge(r sums) error {
	t.counts.Up += r.Up
	t.counts.Degraded += r.Degraded
	t.counts.Down += r.Down
	t.counts.Unknown += r.Unknown
	t.sumUS += r.ResponseUS
	return t.histogram.merge(r.Histogram)
}

// join adds what another summed.
func (t *tally) join(other *tally) {
	t.counts.Up += other.counts.Up
	t.counts.Degraded += other.counts.Degraded
	t.counts.Down += other.counts.Down
	t.counts.Unknown += other.counts.Unknown
	t.sumUS += other.sumUS
	t.histogram.join(&other.histogram)
}

// responses that there are times of: those of successful checks.
func (t *tally) responses() int64 { return t.counts.Up + t.counts.Degraded }

func (t *tally) mean() time.Duration {
	if t.responses() == 0 {
		return 0
	}
	return time.Duration(t.sumUS) * time.Microsecond / time.Duration(t.responses())
}

// An hour is cut into slices of five minutes, which bars and charts of less than an
// hour are made from.
const (
	sliceMS    = int64(5 * time.Minute / time.Millisecond)
	sliceCount = hourMS / sliceMS
)

// packSlice appends the slice of that number: its number, the counts, the length of
// the histogram and the histogram, all numbers as varints.
func (t *tally) packSlice(out []byte, number int) []byte {
	if t.empty() {
		return out
	}
	packed := t.histogram.pack()
	for _, n := range []int64{int64(number), t.counts.Up, t.counts.Degraded, t.counts.Down, t.counts.Unknown, int64(len(packed))} {
		out = binary.AppendUvarint(out, uint64(n)) //nolint:gosec // counts
	}
	return append(out, packed...)
}

// slice is what was counted in five minutes.
type slice struct {
	at int64
	sums
}

// unpackSlices gives those of an hour that are not empty, ascending. Sums of
// response times are not kept.
func unpackSlices(packed []byte, hour int64) ([]slice, error) {
	out := make([]slice, 0, sliceCount)
	for len(packed) > 0 {
		var n [6]uint64
		for i := range n {
			v, size := binary.Uvarint(packed)
			if size <= 0 || v > 1<<32 {
				return nil, errHistogram
			}
			n[i], packed = v, packed[size:]
		}
		if n[0] >= uint64(sliceCount) || n[5] > uint64(len(packed)) {
			return nil, errHistogram
		}
		out = append(out, slice{hour + int64(n[0])*sliceMS, sums{ //nolint:gosec // checked
			Up: int64(n[1]), Degraded: int64(n[2]), Down: int64(n[3]), Unknown: int64(n[4]), //nolint:gosec // checked
			Histogram: packed[:n[5]],
		}})
		packed = packed[n[5]:]
	}
	return out, nil
}
