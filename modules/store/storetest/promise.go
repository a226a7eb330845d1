package storetest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// testPromise draws outages, answers and dying notifiers, and looks at what
// reached the channel: "down" before "up", one merged message where "down" never
// went out, nothing after "up", and nothing left over.
func testPromise(t *testing.T, open OpenFunc) { runPromise(t, open, false) }

// testSilencedPromise: it holds as well where the monitor is silenced now and then; then
// nothing is begun to be sent, and what came and went in a silence never is.
func testSilencedPromise(t *testing.T, open OpenFunc) { runPromise(t, open, true) }

func runPromise(t *testing.T, open OpenFunc, silences bool) {
	t.Helper()
	h := newHouse(t, open)
	for seed := range uint64(25) {
		p := promise{
			house: h, random: rand.New(rand.NewPCG(seed, 1)), //nolint:gosec // repeatable on purpose
			channel: h.channel(t), said: map[int64][]string{}, silences: silences,
		}
		p.monitor = h.monitor(t, p.channel)
		for range 30 {
			p.step(t)
		}
		p.drain(t)
		p.check(t, seed)
	}
}

// promise is one drawn run over one channel and one monitor.
type promise struct {
	house
	random   *rand.Rand
	channel  uptime.Channel
	monitor  uptime.Monitor
	incident uptime.Incident    // that is open, if its ID is set
	held     []uptime.Claim     // by notifiers that live
	said     map[int64][]string // what reached the channel, by incident
	silences bool
	silent   bool // now
}

func (p *promise) step(t *testing.T) {
	t.Helper()
	if p.silences && p.random.IntN(5) == 0 {
		p.silent = !p.silent
		p.clock.Advance(time.Millisecond)
		p.silenced(t, p.monitor, map[bool]time.Duration{true: 24 * time.Hour}[p.silent])
	}
	switch n := p.random.IntN(10); {
	case n < 3 && p.incident.ID == 0:
		p.incident = p.down(t, p.monitor)
	case n < 2:
		p.resolve(t, p.incident.ID)
		p.incident = uptime.Incident{}
	case n == 2 && p.incident.Status == uptime.IncidentOpen:
		p.acknowledge(t, p.incident.ID)
		p.incident.Status = uptime.IncidentAcknowledged
	case n < 6:
		claims := p.claim(t)
		for _, c := range claims {
			require.True(t, !p.silent || c.N > 1, "only what was being sent before the silence")
		}
		p.held = append(p.held, claims...)
	case n < 9 && len(p.held) > 0:
		p.answer(t, []uptime.DeliveryStatus{uptime.DeliveryPending, uptime.DeliveryPending, uptime.DeliveryDelivered, uptime.DeliveryDead}[p.random.IntN(4)])
	default:
		p.held = nil // the notifier dies
		p.clock.Advance(lease)
	}
}

func (p *promise) answer(t *testing.T, status uptime.DeliveryStatus) {
	t.Helper()
	c := p.held[0]
	p.held = p.held[1:]
	if status == uptime.DeliveryDelivered {
		word := string(c.Event.Type)
		if c.Delivery.Merges {
			word += " merged"
		}
		p.said[c.Event.IncidentID] = append(p.said[c.Event.IncidentID], word)
	}
	p.finish(t, c, status)
}

// drain ends the outage and delivers what is left.
func (p *promise) drain(t *testing.T) {
	t.Helper()
	if p.incident.ID != 0 {
		p.resolve(t, p.incident.ID)
	}
	p.silenced(t, p.monitor, 0)
	p.held = nil
	for range 20 {
		p.clock.Advance(lease)
		p.held = p.claim(t)
		for len(p.held) > 0 {
			p.answer(t, uptime.DeliveryDelivered)
		}
	}
}

func (p *promise) check(t *testing.T, seed uint64) {
	t.Helper()
	dead := map[int64]bool{} // incidents whose "down" was given up
	ups := map[int64]uptime.DeliveryStatus{}
	for _, d := range p.deliveries(t, p.channel.ID) {
		require.NotContains(t, []uptime.DeliveryStatus{uptime.DeliveryPending, uptime.DeliverySending}, d.Status, "seed %d", seed)
		switch d.EventType {
		case uptime.EventOpened:
			dead[d.IncidentID] = d.Status == uptime.DeliveryDead
		case uptime.EventResolved:
			ups[d.IncidentID] = d.Status
		default:
		}
	}
	for id, up := range ups {
		said := p.said[id]
		about := fmt.Sprintf("seed %d: %q of incident %d, up %s", seed, said, id, up)
		if up == uptime.DeliveryCancelled {
			require.True(t, p.silences && len(said) == 0, about)
			continue
		}
		if up != uptime.DeliveryDelivered {
			require.Equal(t, uptime.DeliveryDead, up, about)
			continue
		}
		require.NotEmpty(t, said, about)
		switch last := said[len(said)-1]; {
		case last == "incident.resolved merged":
			require.NotContains(t, said, "incident.opened", about)
		case dead[id]:
			require.Equal(t, "incident.resolved", last, about)
		default:
			require.Equal(t, "incident.resolved", last, about)
			require.Equal(t, "incident.opened", said[0], about)
		}
	}
}
