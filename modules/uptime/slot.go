package uptime

import (
	"math/bits"
	"time"
)

// fibonacci is 2^64 divided by the golden ratio: multiplying an id by it,
// modulo 2^64, is id × 0.6180339887… modulo 1 in 64-bit fixed point (Knuth, The
// Art of Computer Programming vol. 3, 6.4, "Fibonacci hashing"). It is part of
// the contract between versions and must never change: two schedulers of
// different versions have to compute the same slots.
const fibonacci = 0x9E3779B97F4A7C15

// Phase is the offset of a monitor's slots from the Unix epoch modulo its
// interval, in whole milliseconds: interval × frac(id × 0.6180339887…).
// Successive ids are spread evenly over the interval, whatever their number.
// It is 0 for an interval below a millisecond.
func Phase(monitorID int64, interval time.Duration) time.Duration {
	ms := uint64(max(interval.Milliseconds(), 0))
	hi, _ := bits.Mul64(uint64(monitorID)*fibonacci, ms) //nolint:gosec // modulo 2^64 is meant
	return time.Duration(hi) * time.Millisecond          //nolint:gosec // below the interval
}

// NextSlot is the first grid slot of the monitor strictly after t. The
// interval must be at least a millisecond and is taken in whole ones.
func NextSlot(monitorID int64, interval time.Duration, t time.Time) time.Time {
	step := interval.Milliseconds()
	phase := Phase(monitorID, interval).Milliseconds()
	since := t.UnixMilli() - phase
	n := since / step
	if since%step < 0 {
		n--
	}
	return time.UnixMilli((n+1)*step + phase).UTC()
}

// SlotsBetween counts the grid slots in (from, to].
func SlotsBetween(monitorID int64, interval time.Duration, from, to time.Time) int64 {
	if !to.After(from) {
		return 0
	}
	first := NextSlot(monitorID, interval, from)
	if first.After(to) {
		return 0
	}
	return (to.UnixMilli()-first.UnixMilli())/interval.Milliseconds() + 1
}

// SpreadChecks gives the extra slots of n monitors changed together at now:
// one at once for a single change, else evenly over the shorter of the interval
// and a minute, so that a bulk change makes no burst. i counts from 0.
func SpreadChecks(now time.Time, interval time.Duration, i, n int) time.Time {
	now = now.UTC().Truncate(time.Millisecond)
	if n <= 1 {
		return now
	}
	window := min(interval, time.Minute)
	return now.Add(window * time.Duration(i) / time.Duration(n)).Truncate(time.Millisecond)
}
