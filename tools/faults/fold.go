package main

import (
	"math/bits"
	"time"
)

// The rules of the contract, written again from its text and not from the
// program: what the two have in common is checked, not assumed.

// outage is one that results amount to; recovered is zero while it goes on.
type outage struct{ started, recovered time.Time }

// outages folds results, ascending: down after so many failures in a row, since
// the first of them; up after so many successes in a row, since the first of them.
// Unknown results neither break nor extend a streak.
func outages(s subject, results []result) ([]outage, state) {
	var all []outage
	v := state{status: codePending}
	var firstFailure, firstSuccess time.Time
	successes := 0
	for _, r := range results {
		v.lastSlot = r.slot
		switch r.status {
		case codeUnknown:
			continue
		case codeDown:
			successes = 0
			if v.failures++; v.failures == 1 {
				firstFailure = r.slot
			}
			if v.status != codeDown && v.failures >= s.failures {
				v.status = codeDown
				all = append(all, outage{started: firstFailure})
			}
			continue
		}
		v.failures = 0
		if successes++; successes == 1 {
			firstSuccess = r.slot
		}
		if v.status == codeDown {
			if successes < s.successes {
				continue
			}
			all[len(all)-1].recovered = firstSuccess
		}
		v.status = codeUp
	}
	return all, v
}

// phaseOf is the public rule of a monitor's slots: interval × frac(id ×
// 0.6180339887…) in 64-bit fixed point.
func phaseOf(id int64, interval time.Duration) int64 {
	hi, _ := bits.Mul64(uint64(id)*0x9E3779B97F4A7C15, uint64(interval.Milliseconds()))
	return int64(hi)
}

// nextSlot is the first grid slot strictly after t.
func nextSlot(id int64, interval time.Duration, t time.Time) time.Time {
	step, phase := interval.Milliseconds(), phaseOf(id, interval)
	return instant(((t.UnixMilli()-phase)/step+1)*step + phase)
}

// slots are the grid slots of a schedule up to end.
func (s schedule) slots(id int64, end time.Time) []time.Time {
	if !s.until.IsZero() && s.until.Before(end) {
		end = s.until
	}
	var all []time.Time
	for at := nextSlot(id, s.interval, s.from); !at.After(end); at = at.Add(s.interval) {
		all = append(all, at)
	}
	return all
}
