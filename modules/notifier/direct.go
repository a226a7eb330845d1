package notifier

import (
	"context"
	"sync"
	"time"

	"monitor/modules/uptime"
)

// mostOffered is how many places one offer keeps free.
const mostOffered = 16

// door is where claims come in that others have made for this notifier. It is open
// while the notifier runs.
type door struct {
	mu       sync.Mutex
	begin    func(uptime.Claim) // nil: closed
	reserved int                // places kept free for claims to come
	full     bool               // somebody found no place since
}

// Offer is for who writes deliveries: what this notifier would take of them at
// once, and keeps places for until Take, which must follow. An offer of nothing,
// with a limit of zero, needs none.
func (n *Notifier) Offer() uptime.ClaimParams {
	if !n.door.isOpen() {
		return uptime.ClaimParams{}
	}
	each := share(capacity - n.board.inFlight())
	places := n.reserve(mostOffered)
	if places == 0 {
		return uptime.ClaimParams{}
	}
	return uptime.ClaimParams{Limit: places, PerChannel: each, SkipChannels: n.Gate.Held(), Lease: Lease, At: time.Now()}
}

// Take begins the attempts of what was claimed within an offer, and ends it. It
// does not wait for them. What was claimed so long ago that an attempt may outlast
// the lease is handed back.
func (n *Notifier) Take(ctx context.Context, offer uptime.ClaimParams, claims []uptime.Claim) {
	defer n.giveBack(offer.Limit)
	begin := n.door.enter(&n.sending)
	if begin == nil { // stopped meanwhile
		var giving sync.WaitGroup
		for _, c := range claims {
			giving.Go(func() { n.release(ctx, c, n.Clock()) })
		}
		giving.Wait()
		return
	}
	defer n.sending.Done()
	if time.Since(offer.At) > Lease-SendTimeout {
		begin = func(c uptime.Claim) { n.sending.Go(func() { n.release(ctx, c, n.Clock()) }) }
	}
	for _, c := range claims {
		begin(c)
	}
}

// reserve keeps up to so many places free for claims that are being made. giveBack
// follows, when their attempts have begun.
func (n *Notifier) reserve(most int) int {
	n.door.mu.Lock()
	defer n.door.mu.Unlock()
	places := max(min(capacity-n.board.inFlight()-n.door.reserved, most), 0)
	n.door.reserved += places
	n.door.full = n.door.full || places == 0
	return places
}

func (n *Notifier) giveBack(places int) {
	n.door.mu.Lock()
	defer n.door.mu.Unlock()
	n.door.reserved -= places
	if n.door.full && places > 0 {
		n.door.full = false
		n.look()
	}
}

// open lets claims in; with nil it lets in no more.
func (d *door) open(begin func(uptime.Claim)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.begin = begin
}

func (d *door) isOpen() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.begin != nil
}

// enter adds one to inside where the door is open.
func (d *door) enter(inside *sync.WaitGroup) (begin func(uptime.Claim)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.begin != nil {
		inside.Add(1)
	}
	return d.begin
}
