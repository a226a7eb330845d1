package queue

import (
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

// held is a job in the queue.
type held struct {
	job      uptime.Job
	key      uptime.ResultKey
	slot     int64 // Unix ms
	expires  int64 // Unix ms
	leaseEnd int64 // Unix ms, while leased
	place    place
	taken    int
	receipt  string
	at       [piles]int // index in each pile, kept by it
}

func (h *held) leaseFrom(now time.Time) int64 {
	from := h.job.ScheduledAt
	if now.After(from) {
		from = now
	}
	return from.Add(h.job.Spec.Timeout + uptime.LeaseMargin).UnixMilli()
}

// pile is a binary heap whose members know their index, so that any of them can
// be taken out in logarithmic time. The standard container/heap would cost an
// interface call for each comparison on the hot path.
type pile struct {
	which int
	less  func(a, b *held) bool
	items []*held
}

func (p *pile) len() int { return len(p.items) }

// top is the first one, nil when the pile is empty.
func (p *pile) top() *held {
	if len(p.items) == 0 {
		return nil
	}
	return p.items[0]
}

func (p *pile) push(h *held) {
	p.items = append(p.items, h)
	h.at[p.which] = len(p.items) - 1
	p.up(len(p.items) - 1)
}

func (p *pile) remove(h *held) {
	i, last := h.at[p.which], len(p.items)-1
	p.swap(i, last)
	p.items[last] = nil
	p.items = p.items[:last]
	if i < last {
		p.down(i)
		p.up(i)
	}
}

func (p *pile) swap(i, j int) {
	p.items[i], p.items[j] = p.items[j], p.items[i]
	p.items[i].at[p.which], p.items[j].at[p.which] = i, j
}

func (p *pile) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !p.less(p.items[i], p.items[parent]) {
			return
		}
		p.swap(i, parent)
		i = parent
	}
}

func (p *pile) down(i int) {
	for {
		least := 2*i + 1
		if least >= len(p.items) {
			return
		}
		if right := least + 1; right < len(p.items) && p.less(p.items[right], p.items[least]) {
			least = right
		}
		if !p.less(p.items[least], p.items[i]) {
			return
		}
		p.swap(i, least)
		i = least
	}
}

// countUpTo counts the members with a slot at or before limit in a pile ordered
// by slot. It looks only at those and their children.
func (p *pile) countUpTo(limit int64) int64 {
	return p.countFrom(0, limit)
}

func (p *pile) countFrom(i int, limit int64) int64 {
	if i >= len(p.items) || p.items[i].slot > limit {
		return 0
	}
	return 1 + p.countFrom(2*i+1, limit) + p.countFrom(2*i+2, limit)
}

func bySlot(a, b *held) bool {
	if a.slot != b.slot {
		return a.slot < b.slot
	}
	return a.job.MonitorID < b.job.MonitorID
}

func newestSlot(a, b *held) bool { return bySlot(b, a) }

func byExpiry(a, b *held) bool { return a.expires < b.expires }

func byLeaseEnd(a, b *held) bool { return a.leaseEnd < b.leaseEnd }
