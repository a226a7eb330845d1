package store

import (
	"slices"

	"monitor/modules/uptime"
)

// plan is what was meant to be done for one monitor when. Times are Unix
// milliseconds.
type plan struct {
	rows []scheduleRow // ascending
	all  spans         // in which it was meant to be checked
}

func newPlan(rows []scheduleRow) plan {
	return plan{rows: rows, all: scheduled(rows, "")}
}

// forever ends a schedule that still holds.
const forever = int64(1) << 53

// scheduled is the time of schedules, of those that name the region unless it is
// "". Rows whose regions cannot be read name none.
func scheduled(rows []scheduleRow, region string) spans {
	list := make([]span, 0, len(rows))
	for _, r := range rows {
		if region != "" {
			names, err := r.regionNames()
			if err != nil || !slices.Contains(names, region) {
				continue
			}
		}
		one := span{int64(r.FromAt), forever}
		if r.UntilAt != 0 {
			one.to = int64(r.UntilAt)
		}
		list = append(list, one)
	}
	return joined(list)
}

// cover is the end of what a result of the slot says at most: two intervals and
// uptime.UnknownGrace later, and not beyond the end of the time in which the
// monitor was meant to be checked. A change of settings does not end it.
func (p plan) cover(slot int64) int64 {
	interval := int64(0)
	for _, r := range p.rows {
		if int64(r.FromAt) <= slot && (r.UntilAt == 0 || slot <= int64(r.UntilAt)) {
			interval = r.IntervalMS
		}
	}
	for _, s := range p.all {
		if s.from <= slot && slot < s.to {
			return min(slot+reach(interval), s.to)
		}
	}
	return slot // it was not meant to be checked
}

// reach of a result in milliseconds.
func reach(intervalMS int64) int64 { return 2*intervalMS + uptime.UnknownGrace.Milliseconds() }

// knownSpans of one region's results, which are in order of their slots: each
// speaks from its slot to the region's next, as far as cover. What an unknown one
// speaks for is not known. down is the part that failed ones speak for.
func (p plan) knownSpans(rows []measuredRow) (known, down spans) {
	var all, failed []span
	for i, r := range rows {
		if r.Status == codeUnknown {
			continue
		}
		one := span{r.ScheduledAt, p.cover(r.ScheduledAt)}
		if i+1 < len(rows) {
			one.to = min(one.to, rows[i+1].ScheduledAt)
		}
		all = append(all, one)
		if r.Status == codeDown {
			failed = append(failed, one)
		}
	}
	return joined(all), joined(failed)
}
