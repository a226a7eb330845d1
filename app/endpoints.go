package app

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"monitor/modules/fleet"
	"monitor/modules/uptime"
)

// heldFor is how long after a try was due a breaker still counts as holding
// messages back: one that nothing is sent to stays half open.
const heldFor = 30 * time.Second

// endpoints are the circuit breakers of channels, those of other processes as
// they were reported last. Safe for concurrent use.
type endpoints struct {
	own   func() []uptime.EndpointState
	clock uptime.Clock

	mu     sync.Mutex
	others []uptime.EndpointState
}

// Endpoints tells of each channel once, by its worst breaker, ascending.
func (e *endpoints) Endpoints() []uptime.EndpointState {
	e.mu.Lock()
	all := slices.Concat(e.own(), e.others)
	e.mu.Unlock()
	byChannel := map[int64]uptime.EndpointState{}
	for _, s := range all {
		known, twice := byChannel[s.ChannelID]
		if twice && badness(known.State) >= badness(s.State) {
			known, s = s, known
		}
		s.InFlight += known.InFlight
		byChannel[s.ChannelID] = s
	}
	return slices.SortedFunc(maps.Values(byChannel), func(a, b uptime.EndpointState) int {
		return cmp.Compare(a.ChannelID, b.ChannelID)
	})
}

func badness(s uptime.BreakerState) int {
	return slices.Index([]uptime.BreakerState{uptime.BreakerClosed, uptime.BreakerHalfOpen, uptime.BreakerOpen}, s)
}

// held are this process's breakers that are not closed: what others need to know.
func (e *endpoints) held() []uptime.EndpointState {
	return slices.DeleteFunc(e.own(), func(s uptime.EndpointState) bool { return s.State == uptime.BreakerClosed })
}

// hear takes in what the members report, self left out.
func (e *endpoints) hear(members []fleet.Member, self string) {
	var others []uptime.EndpointState
	for _, m := range members {
		if m.ID != self {
			others = append(others, m.Held...)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.others = others
}

// holdBack reports whether messages wait for a breaker.
func (e *endpoints) holdBack() bool {
	now := e.clock()
	return slices.ContainsFunc(e.Endpoints(), func(s uptime.EndpointState) bool {
		return s.State != uptime.BreakerClosed && now.Before(s.RetryAt.Add(heldFor))
	})
}
