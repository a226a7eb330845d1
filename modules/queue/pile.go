package queue

import (
	"math"
	"time"

	"monitor/modules/uptime"
)

// place says in which part of a region a held job is.
type place uint8

const (
	coming  place = iota // on time, by slot
	late                 // backlog
	expired              // too old to be run
	leased               // in a worker's hands
)

// The piles that a held job can be in at the same time.
const (
	first  = iota // its place's main order
	oldest        // of the backlog: by slot
	dying         // of the backlog: by expiry
	piles
)

// name is what a job is called in its region.
type name struct{ monitor, slot int64 }

// held is a job in the queue. Times are Unix milliseconds.
type held struct {
	name
	region   *region
	spec     uptime.Packed
	timeout  int64 // ms, with the margin of a lease
	expires  int64
	leaseEnd int64  // while leased
	serial   uint64 // of the newest lease, 0: there was none
	attempt  int32
	taken    int32
	at       [piles]int32 // index in each pile, kept by it
	place    place
	byHand   bool
}

// fill takes a job in.
func (h *held) fill(r *region, m *message) {
	interval, timeout := m.Spec.Limits()
	*h = held{
		name: name{m.MonitorID, m.At}, region: r, spec: m.Spec,
		timeout: int64(leaseMillis(timeout)) + uptime.LeaseMargin.Milliseconds(),
		expires: m.expires(interval, timeout),
		attempt: int32(min(m.attempt, math.MaxInt32)), byHand: m.byHand, //nolint:gosec // bounded here
	}
}

// job is what was taken in. A spec that is none gives one without a type, which a
// worker answers for: whoever published it has a defect that must not be silent.
func (h *held) job() uptime.Job {
	spec, _ := h.spec.Spec()
	return uptime.Job{
		MonitorID: h.monitor, Region: h.region.name, ScheduledAt: time.UnixMilli(h.slot).UTC(),
		Attempt: int(h.attempt), ByHand: h.byHand, Spec: spec,
	}
}

// item is a member of a pile beside what it is ordered by: looking for that in the
// job itself would miss the cache at each comparison.
type item struct {
	key, tie int64
	*held
}

func (a *item) before(b *item) bool { return a.key < b.key || a.key == b.key && a.tie < b.tie }

// fan is how many children a member of a pile has: more than two make it shallow,
// and lie side by side.
const fan = 4

// pile is a heap, the least key first, whose members know their index, so that any
// of them can be taken out in logarithmic time. The standard container/heap would
// cost an interface call for each comparison on the hot path.
type pile struct {
	which int
	items []item
}

func (p *pile) len() int { return len(p.items) }

// top is the first one, nil when the pile is empty.
func (p *pile) top() *held {
	if len(p.items) == 0 {
		return nil
	}
	return p.items[0].held
}

// push adds a member in the order of key, then tie.
func (p *pile) push(h *held, key, tie int64) {
	p.items = append(p.items, item{})
	p.up(len(p.items)-1, item{key, tie, h})
}

func (p *pile) remove(h *held) {
	i, last := int(h.at[p.which]), len(p.items)-1
	moved := p.items[last]
	p.items[last] = item{}
	p.items = p.items[:last]
	if i == last {
		return
	}
	if i > 0 && moved.before(&p.items[(i-1)/fan]) {
		p.up(i, moved)
	} else {
		p.down(i, moved)
	}
}

func (p *pile) set(i int, it item) {
	p.items[i] = it
	it.at[p.which] = int32(i) //nolint:gosec // the bound of a queue is far below 2^31
}

// up puts it at the hole i or above it.
func (p *pile) up(i int, it item) {
	for i > 0 {
		parent := (i - 1) / fan
		if !it.before(&p.items[parent]) {
			break
		}
		p.set(i, p.items[parent])
		i = parent
	}
	p.set(i, it)
}

// down puts it at the hole i or below it.
func (p *pile) down(i int, it item) {
	for {
		least := fan*i + 1
		if least >= len(p.items) {
			break
		}
		for c := least + 1; c <= fan*i+fan && c < len(p.items); c++ {
			if p.items[c].before(&p.items[least]) {
				least = c
			}
		}
		if !p.items[least].before(&it) {
			break
		}
		p.set(i, p.items[least])
		i = least
	}
	p.set(i, it)
}

// countUpTo counts the members with a key at or before limit. It looks only at
// those and their children.
func (p *pile) countUpTo(limit int64) int64 {
	return p.countFrom(0, limit)
}

func (p *pile) countFrom(i int, limit int64) int64 {
	if i >= len(p.items) || p.items[i].key > limit {
		return 0
	}
	sum := int64(1)
	for c := fan*i + 1; c <= fan*i+fan; c++ {
		sum += p.countFrom(c, limit)
	}
	return sum
}
