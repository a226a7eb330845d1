package fleet

import (
	"sync"
	"time"

	"monitor/modules/uptime"
)

// notes remember who wrote within uptime.RecentFor. The zero value is ready; its
// methods may be called concurrently.
type notes struct {
	mu    sync.Mutex
	until map[string]time.Time
	// queue has the notes in the order of their end; one that was renewed is in
	// it more than once.
	queue []note
}

type note struct {
	who   string
	until time.Time
}

func (n *notes) add(who string, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.forget(now)
	if n.until == nil {
		n.until = map[string]time.Time{}
	}
	until := now.Add(uptime.RecentFor)
	n.until[who] = until
	n.queue = append(n.queue, note{who, until})
}

func (n *notes) has(who string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.forget(now)
	_, there := n.until[who]
	return there
}

// forget drops what is over. Each note is dropped once, so the cost is spread.
func (n *notes) forget(now time.Time) {
	for len(n.queue) > 0 && !now.Before(n.queue[0].until) {
		if old := n.queue[0]; n.until[old.who].Equal(old.until) {
			delete(n.until, old.who)
		}
		n.queue = n.queue[1:]
	}
	if len(n.queue) == 0 {
		n.queue = nil // gives back what a burst had grown
	}
}
