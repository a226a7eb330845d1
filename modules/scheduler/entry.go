package scheduler

import (
	"time"

	"monitor/modules/uptime"
)

// entry is a monitor in the timetable. Times are Unix milliseconds. It holds
// what a job needs and nothing else: there may be a million.
type entry struct {
	id       int64
	interval int64
	regions  []string
	spec     uptime.Spec
	seq      int64 // change sequence
	checkAt  int64

	extra int64 // the extra slot, while it is wanted; before next
	next  int64 // grid slot

	seen          uint64 // generation of the re-read that saw it last
	bucket, index int32  // place in the timetable
}

// live reports whether the monitor is to be checked.
func live(m uptime.Monitor) bool {
	return m.Enabled && m.DeletedAt.IsZero() && len(m.Regions) > 0 && m.Interval >= time.Millisecond
}

// newEntry makes the entry of a monitor whose slots up to after are none of our
// business.
func newEntry(m uptime.Monitor, after, now time.Time) *entry {
	e := &entry{id: m.ID}
	e.describe(m)
	if m.CheckAt.After(after) && !madeAhead(m, now) {
		after = m.CheckAt
	}
	e.next = uptime.NextSlot(m.ID, m.Interval, after).UnixMilli()
	e.wantExtra(m, now)
	return e
}

// describe takes over all that does not move slots.
func (e *entry) describe(m uptime.Monitor) {
	e.interval = m.Interval.Milliseconds()
	e.regions, e.spec, e.seq, e.checkAt = m.Regions, m.Spec(), m.ChangeSeq, m.CheckAt.UnixMilli()
}

// madeAhead reports a change by a clock that was ahead: bulk changes are spread over
// a minute, and nothing is asked for later than that.
func madeAhead(m uptime.Monitor, now time.Time) bool {
	return m.CheckAt.After(now.Add(time.Minute + uptime.Ahead))
}

// wantExtra sets the extra slot unless it was done or is too old.
func (e *entry) wantExtra(m uptime.Monitor, now time.Time) {
	e.extra = 0
	if !m.CheckAt.IsZero() && !madeAhead(m, now) && m.State.LastSlot.Before(m.CheckAt) && m.CheckAt.After(now.Add(-m.Interval)) {
		e.extra = m.CheckAt.UnixMilli()
	}
}

// change takes over a newer version of the monitor while leading.
func (e *entry) change(m uptime.Monitor, now time.Time) {
	sameGrid, sameCheck := e.interval == m.Interval.Milliseconds(), e.checkAt == m.CheckAt.UnixMilli()
	e.describe(m)
	if madeAhead(m, now) {
		m.CheckAt = now // of no use to anybody
	}
	switch {
	case sameGrid && sameCheck:
		return
	case sameGrid:
		// What is published of the grid stays so.
		e.next = nextAfter(m, later(m.CheckAt, time.UnixMilli(e.next-1)))
	case sameCheck:
		e.next = nextAfter(m, now)
	default:
		e.next = nextAfter(m, later(m.CheckAt, now.Add(-m.Interval)))
	}
	if !sameCheck {
		e.wantExtra(m, now)
	}
}

func nextAfter(m uptime.Monitor, t time.Time) int64 {
	return uptime.NextSlot(m.ID, m.Interval, t).UnixMilli()
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// at is the entry's next slot of either sort.
func (e *entry) at() int64 {
	if e.extra != 0 {
		return e.extra
	}
	return e.next
}

// rate is the entry's part of the load, in 1e-9 checks per second: a whole
// number, so that adding and taking away leaves no error behind.
func (e *entry) rate() int64 {
	return int64(len(e.regions)) * 1e12 / e.interval
}

// emit appends the jobs of the slots up to to, and what is too old at now as
// ranges without a reason. It moves the entry on.
func (e *entry) emit(to, now int64, out *output) {
	if e.extra != 0 && e.extra <= to {
		if e.extra+e.interval > now {
			e.job(e.extra, out)
		}
		e.extra = 0
	}
	if tooOld := now - e.interval; e.next <= to && e.next <= tooOld {
		count := (tooOld-e.next)/e.interval + 1
		last := e.next + (count-1)*e.interval
		for _, region := range e.regions {
			out.missed = append(out.missed, uptime.MissedRange{
				MonitorID: e.id, WorkspaceID: e.spec.WorkspaceID, Region: region,
				From: utc(e.next), To: utc(last), Count: count,
			})
		}
		e.next = last + e.interval
	}
	for e.next <= to {
		e.job(e.next, out)
		e.next += e.interval
	}
}

func (e *entry) job(slot int64, out *output) {
	at := utc(slot)
	for _, region := range e.regions {
		out.jobs = append(out.jobs, uptime.Job{
			MonitorID: e.id, Region: region, ScheduledAt: at, Attempt: 1, Spec: e.spec,
		})
	}
}

func utc(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
