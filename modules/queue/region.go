package queue

import (
	"time"

	"monitor/modules/uptime"
)

// expiredShare: while there is something to run, one in so many jobs handed out
// may be an expired one, so that neither starves the other.
const expiredShare = 4

// region holds the jobs of one region. The queue's lock guards it.
type region struct {
	name    string
	held    map[name]*held
	coming  pile // first: by slot
	late    pile // first: newest slot first
	oldest  pile // of the late ones, by slot
	dying   pile // of the late ones, by expiry
	expired pile // first: by slot
	leased  pile // first: by lease end
	// credit counts jobs handed out since the last expired one.
	credit int
	// changed is closed, and made anew, when something was added.
	changed chan struct{}
	// woken: something was added, and those who wait are not told yet.
	woken bool
}

func newRegion(of string) *region {
	return &region{
		name: of, held: map[name]*held{},
		coming: pile{which: first}, late: pile{which: first}, oldest: pile{which: oldest}, dying: pile{which: dying},
		expired: pile{which: first}, leased: pile{which: first},
		changed: make(chan struct{}),
	}
}

// wake makes every waiting Take look again.
func (r *region) wake() {
	close(r.changed)
	r.woken = false
	r.changed = make(chan struct{})
}

func (r *region) put(h *held, where place) {
	h.place = where
	switch where {
	case coming:
		r.coming.push(h, h.slot, h.monitor)
	case late:
		r.late.push(h, -h.slot, -h.monitor)
		r.oldest.push(h, h.slot, h.monitor)
		r.dying.push(h, h.expires, 0)
	case expired:
		r.expired.push(h, h.slot, h.monitor)
	case leased:
		r.leased.push(h, h.leaseEnd, 0)
	}
}

func (r *region) pull(h *held) {
	switch h.place {
	case coming:
		r.coming.remove(h)
	case late:
		r.late.remove(h)
		r.oldest.remove(h)
		r.dying.remove(h)
	case expired:
		r.expired.remove(h)
	case leased:
		r.leased.remove(h)
	}
}

func (r *region) move(h *held, to place) {
	r.pull(h)
	r.put(h, to)
}

// settle moves every job to where it belongs at now, and counts the leases that
// ended. A job is moved at most three times for each time that it is handed
// out, so the cost does not depend on how many are held.
func (r *region) settle(now int64) (reclaimed uint64) {
	for h := r.leased.top(); h != nil && h.leaseEnd <= now; h = r.leased.top() {
		r.move(h, coming)
		reclaimed++
	}
	for h := r.coming.top(); h != nil && h.slot < now-BacklogAfter.Milliseconds(); h = r.coming.top() {
		r.move(h, late)
	}
	for h := r.dying.top(); h != nil && h.expires < now; h = r.dying.top() {
		r.move(h, expired)
	}
	return reclaimed
}

// waiting is how many jobs are not in a worker's hands.
func (r *region) waiting() int { return r.coming.len() + r.late.len() + r.expired.len() }

// next gives the job to be handed out first at now, or nil. allowed says whether
// the pace lets a backlogged one go.
func (r *region) next(now int64, allowed bool) *held {
	run := r.coming.top()
	if run != nil && run.slot > now+uptime.TakeAhead.Milliseconds() {
		run = nil
	}
	if run == nil && allowed {
		run = r.late.top()
	}
	if gone := r.expired.top(); gone != nil && (run == nil || r.credit >= expiredShare-1) {
		r.credit = 0
		return gone
	}
	if run == nil {
		return nil
	}
	r.credit++
	return run
}

// nextChange is when something may be taken without anything being added, after
// a Take at now found nothing. paced is when the pace allows the next backlogged
// job. Zero: never.
func (r *region) nextChange(paced time.Time) time.Time {
	var at time.Time
	earliest := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	if h := r.coming.top(); h != nil {
		earliest(time.UnixMilli(h.slot).Add(-uptime.TakeAhead))
	}
	if r.late.len() > 0 {
		earliest(paced)
	}
	if h := r.leased.top(); h != nil {
		earliest(time.UnixMilli(h.leaseEnd))
	}
	return at
}

// eldest is the waiting job with the oldest slot, nil if none waits.
func (r *region) eldest() *held {
	var found *held
	for _, p := range []*pile{&r.expired, &r.oldest, &r.coming} {
		if h := p.top(); h != nil && (found == nil || h.slot < found.slot) {
			found = h
		}
	}
	return found
}

func (r *region) addDepth(d *uptime.QueueDepth, now int64) {
	takeable := r.coming.countUpTo(now + uptime.TakeAhead.Milliseconds())
	ready := takeable + int64(r.late.len()+r.expired.len())
	d.Ready += ready
	d.Delayed += int64(r.coming.len()) - takeable
	d.Leased += int64(r.leased.len())
	if h := r.eldest(); ready > 0 && h != nil {
		if slot := time.UnixMilli(h.slot).UTC(); d.Oldest.IsZero() || slot.Before(d.Oldest) {
			d.Oldest = slot
		}
	}
}
