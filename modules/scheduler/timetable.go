package scheduler

import (
	"slices"

	"monitor/modules/uptime"
)

const (
	// grain is the width of a bucket, in milliseconds, and turn the number of
	// buckets: a turn of the wheel is 27 minutes.
	grain = 100
	turn  = 16384
	// overdue is the bucket of what is due before the cursor.
	overdue = -1
)

// output is what a part of the timetable came to.
type output struct {
	jobs   []uptime.Job
	missed []uptime.MissedRange // without reasons
}

// timetable finds the slots that are due: a hashed timing wheel (Varghese and
// Lauck, 1987, scheme 6). The cost of a tick depends on what is due in it, not on
// how many monitors there are; only those with intervals above a turn are passed
// over once in each turn. One goroutine owns it.
type timetable struct {
	entries map[int64]*entry
	wheel   [][]*entry
	late    []*entry // the overdue bucket
	cursor  int64    // slots up to here are out, Unix ms
	rate    int64    // in 1e-9 checks per second
	// generation counts re-reads of all monitors.
	generation uint64
	// usual is about how many jobs a call gives.
	usual int
	// regions of the entry set last, shared by those that have the same ones.
	regions []string
}

func newTimetable(cursor int64) *timetable {
	return &timetable{entries: map[int64]*entry{}, wheel: make([][]*entry, turn), cursor: cursor}
}

// put adds an entry that is not in the timetable.
func (t *timetable) put(e *entry) {
	if slices.Equal(e.regions, t.regions) {
		e.regions = t.regions
	}
	t.regions = e.regions
	t.entries[e.id] = e
	t.rate += e.rate()
	t.place(e)
}

// remove takes one out, if it is there.
func (t *timetable) remove(id int64) {
	e := t.entries[id]
	if e == nil {
		return
	}
	delete(t.entries, id)
	t.rate -= e.rate()
	t.displace(e)
}

// sweep removes what the re-read of this generation did not see.
func (t *timetable) sweep() {
	for id, e := range t.entries {
		if e.seen < t.generation {
			t.remove(id)
		}
	}
}

// perSecond is the steady rate of all entries.
func (t *timetable) perSecond() float64 { return float64(t.rate) / 1e9 }

func (t *timetable) bucket(i int32) *[]*entry {
	if i == overdue {
		return &t.late
	}
	return &t.wheel[i]
}

func (t *timetable) place(e *entry) {
	e.bucket = overdue
	if at := e.at(); at > t.cursor {
		e.bucket = int32(at / grain % turn)
	}
	b := t.bucket(e.bucket)
	e.index = int32(len(*b)) //nolint:gosec // far below 2^31
	*b = append(*b, e)
}

func (t *timetable) displace(e *entry) {
	b := t.bucket(e.bucket)
	last := len(*b) - 1
	moved := (*b)[last]
	(*b)[e.index], moved.index = moved, e.index
	(*b)[last] = nil
	*b = (*b)[:last]
}

// due takes out the slots up to to. It stops early, with more set, when it has
// about limit jobs or ranges: what is left then comes with the next call for the
// same or a later time.
func (t *timetable) due(to, now int64, limit int) (out output, more bool) {
	out.jobs = make([]uptime.Job, 0, t.usual)
	defer func() { t.usual = min(len(out.jobs)+len(out.jobs)/8, limit) }()
	full := func() bool { return len(out.jobs) >= limit || len(out.missed) >= limit }
	advance := func(e *entry) {
		t.displace(e)
		e.emit(to, now, &out)
		t.place(e)
	}
	// What was due before the cursor is due after it when it was emitted, so
	// the overdue bucket empties.
	for _, e := range slices.Backward(t.late) {
		if full() {
			return out, true
		}
		advance(e)
	}
	if to <= t.cursor {
		return out, false
	}
	first, last := t.cursor/grain, to/grain
	for b := first; b <= last && b < first+turn; b++ {
		// Backward: taking one out moves the last one, already seen, to its place.
		for _, e := range slices.Backward(t.wheel[b%turn]) {
			if full() {
				return out, true
			}
			if e.at() <= to {
				advance(e)
			}
		}
	}
	t.cursor = to
	return out, false
}
