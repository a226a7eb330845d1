package manage

import (
	"sync"
	"time"

	"monitor/modules/uptime"
)

// maxStreams bounds the event streams of a person, or of an API token, in a process: a
// browser has one for each open page.
const maxStreams = 50

// streams counts those that are open. Its methods may be called concurrently.
type streams struct {
	mu   sync.Mutex
	open map[uptime.ActorKey]int
}

// OpenStream lets the actor have one more event stream until end is called, which is to
// be called once. CodeLimited when they have as many as they may.
func (m *Manage) OpenStream(actor uptime.Actor) (end func(), err error) {
	s, key := &m.streams, actor.Key()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[key] >= maxStreams {
		return nil, &uptime.Error{
			Code: uptime.CodeLimited, RetryAfter: time.Minute,
			Detail: "You have too many event streams open; close some.",
		}
	}
	s.open[key]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.open[key]--; s.open[key] == 0 {
			delete(s.open, key)
		}
	}, nil
}
