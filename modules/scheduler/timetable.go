package scheduler

import (
	"slices"
	"strings"

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
	slots  []uptime.Slot
	missed []uptime.MissedRange // without reasons
}

// timetable finds the slots that are due: a hashed timing wheel (Varghese and
// Lauck, 1987, scheme 6). The cost of a tick depends on what is due in it, not on
// how many monitors there are; only those with intervals above a turn are passed
// over once in each turn. Buckets are linked through their entries: a list of its
// own for each would keep its room when the wheel has moved on, and within a turn
// every one of them would have had its share of all monitors. One goroutine owns it.
type timetable struct {
	entries map[int64]*entry
	wheel   []*entry // the first of each bucket
	late    *entry   // of the overdue bucket
	cursor  int64    // slots up to here are out, Unix ms
	rate    int64    // in 1e-9 checks per second
	// generation counts re-reads of all monitors, and seen the entries that this one
	// has come upon.
	generation uint32
	seen       int
	// regions are the lists that entries share, by their names; recent is the one
	// asked for last.
	regions map[string]*[]string
	recent  *[]string
}

func newTimetable(cursor int64) *timetable {
	return &timetable{
		entries: map[int64]*entry{}, wheel: make([]*entry, turn), cursor: cursor,
		regions: map[string]*[]string{}, recent: &[]string{},
	}
}

// put adds an entry that is not in the timetable.
func (t *timetable) put(e *entry) {
	e.regions = t.share(e.regions)
	t.entries[e.id] = e
	t.rate += e.rate()
	e.seen = t.generation
	t.seen++
	t.place(e)
}

// share gives the one list of these names. There are few lists in a program, and
// none is forgotten while it leads.
func (t *timetable) share(names *[]string) *[]string {
	if slices.Equal(*names, *t.recent) {
		return t.recent
	}
	key := strings.Join(*names, "\x00")
	if t.regions[key] == nil {
		t.regions[key] = names
	}
	t.recent = t.regions[key]
	return t.recent
}

// remove takes one out, if it is there.
func (t *timetable) remove(id int64) {
	e := t.entries[id]
	if e == nil {
		return
	}
	delete(t.entries, id)
	t.rate -= e.rate()
	if e.seen == t.generation {
		t.seen--
	}
	t.displace(e)
}

// begin begins a re-read of all monitors.
func (t *timetable) begin() {
	t.generation++
	t.seen = 0
}

// see notes that the re-read came upon an entry.
func (t *timetable) see(e *entry) {
	if e.seen != t.generation {
		e.seen = t.generation
		t.seen++
	}
}

// sweep removes what the re-read of this generation did not see. Mostly that is
// nothing, and a million need not be looked through while ticks wait.
func (t *timetable) sweep() {
	if t.seen == len(t.entries) {
		return
	}
	for id, e := range t.entries {
		if e.seen != t.generation {
			t.remove(id)
		}
	}
}

// perSecond is the steady rate of all entries.
func (t *timetable) perSecond() float64 { return float64(t.rate) / 1e9 }

// first is where the bucket with this number begins.
func (t *timetable) first(bucket int32) **entry {
	if bucket == overdue {
		return &t.late
	}
	return &t.wheel[bucket]
}

func (t *timetable) place(e *entry) {
	e.bucket = overdue
	if at := e.at(); at > t.cursor {
		e.bucket = int32(at / grain % turn)
	}
	first := t.first(e.bucket)
	e.before, e.behind = nil, *first
	if e.behind != nil {
		e.behind.before = e
	}
	*first = e
}

func (t *timetable) displace(e *entry) {
	if e.before != nil {
		e.before.behind = e.behind
	} else {
		*t.first(e.bucket) = e.behind
	}
	if e.behind != nil {
		e.behind.before = e.before
	}
}

// due takes out the slots up to to and appends them to out. It stops early, with
// more set, when out has about limit slots or ranges: what is left then comes with
// the next call for the same or a later time.
func (t *timetable) due(to, now int64, limit int, out *output) (more bool) {
	full := func() bool { return len(out.slots) >= limit || len(out.missed) >= limit }
	// advance gives the entry behind: the one that moved has other neighbours.
	advance := func(e *entry) *entry {
		behind := e.behind
		t.displace(e)
		e.emit(to, now, out)
		t.place(e)
		return behind
	}
	// What was due before the cursor is due after it when it was emitted, so
	// the overdue bucket empties.
	for e := t.late; e != nil; e = advance(e) {
		if full() {
			return true
		}
	}
	if to <= t.cursor {
		return false
	}
	first, last := t.cursor/grain, to/grain
	for b := first; b <= last && b < first+turn; b++ {
		for e := t.wheel[b%turn]; e != nil; {
			if full() {
				return true
			}
			if e.at() <= to {
				e = advance(e)
			} else {
				e = e.behind
			}
		}
	}
	t.cursor = to
	return false
}
