package notifier

import (
	"context"
	"sync"

	"monitor/modules/uptime"
)

// mostOffered is how many places one offer keeps free.
const mostOffered = 16

// door is where claims come in that others have made for this notifier. It is open
// while the notifier runs.
type door struct {
	mu      sync.Mutex
	begin   func(uptime.Claim) // nil: closed
	offered int                // places kept free for claims to come
}

// Offer is for who writes deliveries: what this notifier would take of them at
// once, and keeps places for until Take, which must follow. An offer of nothing,
// with a limit of zero, needs none.
func (n *Notifier) Offer() uptime.ClaimParams {
	held := n.Gate.Held()
	n.door.mu.Lock()
	defer n.door.mu.Unlock()
	free := capacity - n.board.inFlight() - n.door.offered
	if n.door.begin == nil || free <= 0 {
		return uptime.ClaimParams{}
	}
	offer := uptime.ClaimParams{Limit: min(free, mostOffered), PerChannel: share(free), SkipChannels: held, Lease: Lease}
	n.door.offered += offer.Limit
	return offer
}

// Take begins the attempts of what was claimed within an offer, and ends it. It
// does not wait for them.
func (n *Notifier) Take(ctx context.Context, offer uptime.ClaimParams, claims []uptime.Claim) {
	begin := n.door.enter(offer, &n.sending)
	if begin == nil { // stopped meanwhile
		begin = func(c uptime.Claim) { n.release(ctx, c, n.Clock()) }
	} else {
		defer n.sending.Done()
	}
	for _, c := range claims {
		begin(c)
	}
}

// open lets claims in; with nil it lets in no more.
func (d *door) open(begin func(uptime.Claim)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.begin = begin
}

// enter ends an offer. Where the door is open it adds one to inside.
func (d *door) enter(offer uptime.ClaimParams, inside *sync.WaitGroup) (begin func(uptime.Claim)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.offered -= offer.Limit
	if d.begin != nil {
		inside.Add(1)
	}
	return d.begin
}

func (d *door) reserved() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.offered
}
