package store

import (
	"cmp"
	"slices"

	"monitor/modules/uptime"
)

// coverage knows how long each result of one monitor speaks for. Times are Unix
// milliseconds.
type coverage struct {
	plans    []scheduleRow // ascending
	interval int64         // where no plan holds
}

// cover is the end of what a result of the slot says at most: two intervals and
// uptime.UnknownGrace later, and not beyond the end of the time in which the
// monitor was meant to be checked.
func (c coverage) cover(slot int64) int64 {
	interval, end := c.interval, int64(0)
	for _, p := range c.plans {
		if end != 0 && int64(p.FromAt) <= end && (p.UntilAt == 0 || int64(p.UntilAt) > end) {
			end = int64(p.UntilAt) // settings changed, checking went on
			if end == 0 {
				break
			}
		}
		if int64(p.FromAt) <= slot && (p.UntilAt == 0 || slot <= int64(p.UntilAt)) {
			interval, end = p.IntervalMS, int64(p.UntilAt)
			if end == 0 {
				break
			}
		}
	}
	reach := slot + reach(interval)
	if end != 0 {
		return max(slot, min(reach, end))
	}
	return reach
}

// reach of a result in milliseconds.
func reach(intervalMS int64) int64 { return 2*intervalMS + uptime.UnknownGrace.Milliseconds() }

// known is the time within [from, to) that results speak of. Each slot speaks
// from its time to the next slot's, as far as cover; it is known when a result of
// it is not unknown. rows need no order and may begin before from.
func (c coverage) known(rows []resultRow, from, to int64) int64 {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b resultRow) int { return cmp.Compare(a.ScheduledAt, b.ScheduledAt) })
	var sum int64
	for i := 0; i < len(rows); {
		slot, known := rows[i].ScheduledAt, false
		for ; i < len(rows) && rows[i].ScheduledAt == slot; i++ {
			known = known || rows[i].Status != codeUnknown
		}
		if !known {
			continue
		}
		end := c.cover(slot)
		if i < len(rows) {
			end = min(end, rows[i].ScheduledAt)
		}
		sum += max(0, min(end, to)-max(slot, from))
	}
	return sum
}

// scheduled is the time within [from, to) in which the monitor was meant to be
// checked.
func (c coverage) scheduled(from, to int64) int64 {
	var sum int64
	at := from
	for _, p := range c.plans {
		end := to
		if p.UntilAt != 0 {
			end = min(to, int64(p.UntilAt))
		}
		start := max(at, int64(p.FromAt))
		if end > start {
			sum += end - start
			at = end
		}
	}
	return sum
}
