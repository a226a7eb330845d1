package main

import (
	"math/bits"
	"time"
)

// phaseOf is the public rule of slots (docs and the package uptime): interval ×
// frac(id × 0.6180339887…) in whole milliseconds, on 64 bits.
func phaseOf(id, stepMS int64) int64 {
	hi, _ := bits.Mul64(uint64(id)*0x9E3779B97F4A7C15, uint64(stepMS))
	return int64(hi)
}

// slotBefore is the newest slot at or before t, in Unix ms.
func slotBefore(id, stepMS int64, t time.Time) int64 {
	phase := phaseOf(id, stepMS)
	return (t.UnixMilli()-phase)/stepMS*stepMS + phase
}

// slotsDue counts those in (from, to].
func slotsDue(id, stepMS int64, from, to time.Time) int {
	return int((slotBefore(id, stepMS, to) - slotBefore(id, stepMS, from)) / stepMS)
}
