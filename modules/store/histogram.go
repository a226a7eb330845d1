package store

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"monitor/modules/uptime"
)

// Response times are counted by an HdrHistogram from 1 µs to 36 minutes with two
// significant digits: percentiles are right to 1 % and merge exactly. They are
// never averaged.
const (
	histogramMax    = int64(36 * time.Minute / time.Microsecond)
	histogramDigits = 2
)

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, histogramMax, histogramDigits)
}

// packHistogram writes the counts that are not zero, as pairs of varints: value
// less the one before, count. That is a third of the library's own compressed
// form for an hour's few dozen values, and twenty times quicker to read.
func packHistogram(h *hdrhistogram.Histogram) []byte {
	if h.TotalCount() == 0 {
		return nil
	}
	var out []byte
	last := int64(0)
	for _, bar := range h.Distribution() {
		if bar.Count == 0 {
			continue
		}
		out = binary.AppendUvarint(out, uint64(bar.From-last)) //nolint:gosec // ascending
		out = binary.AppendUvarint(out, uint64(bar.Count))     //nolint:gosec // a count
		last = bar.From
	}
	return out
}

var errHistogram = errors.New("a stored histogram is damaged")

// mergeHistogram adds packed counts to h.
func mergeHistogram(h *hdrhistogram.Histogram, packed []byte) error {
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
		value += int64(delta)                                       //nolint:gosec // checked by RecordValues
		if err := h.RecordValues(value, int64(count)); err != nil { //nolint:gosec // a count
			return errHistogram
		}
	}
	return nil
}

// tally sums results.
type tally struct {
	counts    uptime.CheckCounts
	responses int64 // of successful checks
	sumUS     int64
	histogram *hdrhistogram.Histogram
}

func newTally() *tally { return &tally{histogram: newHistogram()} }

func (t *tally) reset() {
	t.counts, t.responses, t.sumUS = uptime.CheckCounts{}, 0, 0
	t.histogram.Reset()
}

func (t *tally) add(r resultRow) error {
	switch r.Status {
	case codeUp:
		t.counts.Up++
	case codeDegraded:
		t.counts.Degraded++
	case codeDown:
		t.counts.Down++
		return nil
	default:
		t.counts.Unknown++
		return nil
	}
	t.responses++
	t.sumUS += r.ResponseUS
	return t.histogram.RecordValue(min(max(r.ResponseUS, 1), histogramMax))
}

func (t *tally) merge(r rollupRow) error {
	t.counts.Up += r.Up
	t.counts.Degraded += r.Degraded
	t.counts.Down += r.Down
	t.counts.Unknown += r.Unknown
	t.responses += r.Up + r.Degraded
	t.sumUS += r.ResponseUS
	return mergeHistogram(t.histogram, r.Histogram)
}

func (t *tally) percentile(p float64) time.Duration {
	if t.responses == 0 {
		return 0
	}
	return time.Duration(t.histogram.ValueAtPercentile(p)) * time.Microsecond
}

func (t *tally) mean() time.Duration {
	if t.responses == 0 {
		return 0
	}
	return time.Duration(t.sumUS) * time.Microsecond / time.Duration(t.responses)
}
