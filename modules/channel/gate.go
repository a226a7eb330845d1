package channel

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"monitor/modules/uptime"
)

// The limits of an endpoint.
const (
	// PerEndpoint is how many messages are on their way to one channel at once.
	PerEndpoint = 4
	// openAfter is how many failures in a row open the breaker, and openFor how
	// long it then waits before one message may try.
	openAfter = 5
	openFor   = 30 * time.Second
)

// Gate keeps a circuit breaker and a concurrency limit for the endpoint of each
// channel, so that a dead one costs nothing but a try every 30 s. It knows what
// this process has sent. It may be used concurrently.
//
// Only failures that another attempt may cure count: a message refused for good
// says nothing about the next one. A channel that is changed starts anew.
type Gate struct {
	clock uptime.Clock

	mu        sync.Mutex
	endpoints map[int64]*endpoint
}

type endpoint struct {
	version  int64
	breaker  *gobreaker.TwoStepCircuitBreaker[struct{}]
	inFlight int
	opened   time.Time // when the breaker opened last
}

// NewGate makes a gate in which every endpoint is closed.
func NewGate(clock uptime.Clock) *Gate {
	if clock == nil {
		clock = uptime.SystemClock
	}
	return &Gate{clock: clock, endpoints: map[int64]*endpoint{}}
}

// Allow asks to send one message. ok says whether it may be; then done must be
// called once with the error of the attempt, nil for a success.
func (g *Gate) Allow(channel uptime.Channel) (done func(error), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e := g.endpoint(channel)
	if e.inFlight >= PerEndpoint {
		return nil, false
	}
	report, err := e.breaker.Allow()
	if err != nil {
		return nil, false
	}
	e.inFlight++
	return func(err error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		report(err)
		e.inFlight--
	}, true
}

// Held lists the channels for which Allow would say no, ascending.
func (g *Gate) Held() []int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	var held []int64
	for id, e := range g.endpoints {
		state := e.breaker.State()
		if state == gobreaker.StateOpen || e.inFlight >= PerEndpoint ||
			state == gobreaker.StateHalfOpen && e.inFlight > 0 {
			held = append(held, id)
		}
	}
	slices.Sort(held)
	return held
}

// Endpoints tells the state of every endpoint that was sent to, by channel id.
func (g *Gate) Endpoints() []uptime.EndpointState {
	g.mu.Lock()
	defer g.mu.Unlock()
	states := make([]uptime.EndpointState, 0, len(g.endpoints))
	for id, e := range g.endpoints {
		s := uptime.EndpointState{
			ChannelID: id, State: uptime.BreakerClosed, InFlight: e.inFlight,
			ConsecutiveFailures: int(e.breaker.Counts().ConsecutiveFailures),
		}
		switch e.breaker.State() {
		case gobreaker.StateOpen:
			s.State, s.RetryAt, s.ConsecutiveFailures = uptime.BreakerOpen, e.opened.Add(openFor), openAfter
		case gobreaker.StateClosed:
		case gobreaker.StateHalfOpen:
			s.State, s.RetryAt, s.ConsecutiveFailures = uptime.BreakerHalfOpen, e.opened.Add(openFor), openAfter
		}
		states = append(states, s)
	}
	slices.SortFunc(states, func(a, b uptime.EndpointState) int { return cmp.Compare(a.ChannelID, b.ChannelID) })
	return states
}

// endpoint gives the channel's endpoint, a new one when the channel changed.
// The mutex is held.
func (g *Gate) endpoint(channel uptime.Channel) *endpoint {
	e := g.endpoints[channel.ID]
	if e != nil && e.version == channel.Version {
		return e
	}
	e = &endpoint{version: channel.Version}
	e.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests: 1,
		Timeout:     openFor,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= openAfter },
		IsExcluded:  saysNothing,
		// Called under the gate's mutex, like all of the breaker.
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				e.opened = g.clock()
			}
		},
	})
	g.endpoints[channel.ID] = e
	return e
}

// saysNothing reports whether a failure is none of the endpoint's: the message
// or the settings were refused, or we ended the attempt ourselves.
func saysNothing(err error) bool {
	if errors.Is(err, context.Canceled) {
		return true
	}
	var failed *uptime.SendError
	return errors.As(err, &failed) && failed.Permanent
}
