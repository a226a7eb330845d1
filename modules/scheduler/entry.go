package scheduler

import (
	"math"
	"time"

	"monitor/modules/uptime"
)

// entry is a monitor in the timetable. Times are Unix milliseconds. There may be a
// million: TestBytesPerMonitor holds them to 150 bytes each, map and wheel
// included, spec counted apart.
type entry struct {
	id      int64
	seq     int64 // change sequence
	checkAt int64

	extra int64 // the extra slot, while it is wanted; before next
	next  int64 // grid slot

	spec uptime.Packed // what its jobs carry, written once
	// regions has the names; entries with the same ones share a list.
	regions *[]string
	// interval: uptime.MaxInterval, 30 days, is below 2^32 ms, which are 49.
	interval uint32

	seen   uint32 // generation of the re-read that saw it last
	bucket int32  // place in the timetable
	// before and behind are its neighbours in the bucket.
	before, behind *entry
}

// live reports whether the monitor is to be checked. What no interval that can be
// set gives, as after a hand in the database, is not.
func live(m *uptime.Scheduled) bool {
	ms := m.Interval.Milliseconds()
	return m.Live && len(m.Regions) > 0 && ms >= 1 && ms <= math.MaxUint32
}

// newEntry makes the entry of a monitor whose slots up to after are none of our
// business.
func newEntry(m *uptime.Scheduled, after, now time.Time) *entry {
	e := &entry{id: m.ID}
	e.describe(m)
	if m.CheckAt.After(after) && !madeAhead(m.CheckAt, now) {
		after = m.CheckAt
	}
	e.next = nextAfter(m, after)
	e.wantExtra(m, m.CheckAt, now)
	return e
}

// describe takes over all that does not move slots.
func (e *entry) describe(m *uptime.Scheduled) {
	e.interval = uint32(m.Interval.Milliseconds()) //nolint:gosec // live has asked
	regions := m.Regions                           // not the page that m is part of; timetable.put shares it
	e.regions, e.spec, e.seq, e.checkAt = &regions, m.Spec, m.ChangeSeq, m.CheckAt.UnixMilli()
}

// madeAhead reports a change by a clock that was ahead: bulk changes are spread over
// a minute, and nothing is asked for later than that.
func madeAhead(checkAt, now time.Time) bool {
	return checkAt.After(now.Add(time.Minute + uptime.Ahead))
}

// wantExtra sets the extra slot, at checkAt, unless it was done or is too old.
func (e *entry) wantExtra(m *uptime.Scheduled, checkAt, now time.Time) {
	e.extra = 0
	if !checkAt.IsZero() && !madeAhead(checkAt, now) && m.LastSlot.Before(checkAt) && checkAt.After(now.Add(-m.Interval)) {
		e.extra = checkAt.UnixMilli()
	}
}

// change takes over a newer version of the monitor while leading.
func (e *entry) change(m *uptime.Scheduled, now time.Time) {
	sameGrid, sameCheck := e.step() == m.Interval.Milliseconds(), e.checkAt == m.CheckAt.UnixMilli()
	e.describe(m)
	checkAt := m.CheckAt
	if madeAhead(checkAt, now) {
		checkAt = now // of no use to anybody
	}
	switch {
	case sameGrid && sameCheck:
		return
	case sameGrid:
		// What is published of the grid stays so.
		e.next = nextAfter(m, later(checkAt, time.UnixMilli(e.next-1)))
	case sameCheck:
		e.next = nextAfter(m, now)
	default:
		e.next = nextAfter(m, later(checkAt, now.Add(-m.Interval)))
	}
	if !sameCheck {
		e.wantExtra(m, checkAt, now)
	}
}

func nextAfter(m *uptime.Scheduled, t time.Time) int64 {
	return uptime.NextSlot(m.ID, m.Interval, t).UnixMilli()
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// step is the interval, to reckon with.
func (e *entry) step() int64 { return int64(e.interval) }

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
	return int64(len(*e.regions)) * 1e12 / e.step()
}

// emit appends the slots up to to, and what is too old at now as ranges without a
// reason. It moves the entry on.
func (e *entry) emit(to, now int64, out *output) {
	step := e.step()
	if e.extra != 0 && e.extra <= to {
		if e.extra+step > now {
			e.slot(e.extra, out)
		}
		e.extra = 0
	}
	if tooOld := now - step; e.next <= to && e.next <= tooOld {
		count := (tooOld-e.next)/step + 1
		last := e.next + (count-1)*step
		for _, region := range *e.regions {
			out.missed = append(out.missed, uptime.MissedRange{
				MonitorID: e.id, WorkspaceID: e.spec.Workspace(), Region: region,
				From: utc(e.next), To: utc(last), Count: count,
			})
		}
		e.next = last + step
	}
	for e.next <= to {
		e.slot(e.next, out)
		e.next += step
	}
}

func (e *entry) slot(at int64, out *output) {
	for _, region := range *e.regions {
		out.slots = append(out.slots, uptime.Slot{MonitorID: e.id, Region: region, At: at, Spec: e.spec})
	}
}

func utc(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
