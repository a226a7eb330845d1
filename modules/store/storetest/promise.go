package storetest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// testPromise draws outages, answers and dying notifiers, and looks at what
// reached the channel: "down" before "up", one merged message where "down" never
// went out, nothing after "up", and nothing left over.
func testPromise(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	for seed := range uint64(25) {
		p := promise{
			house: h, random: rand.New(rand.NewPCG(seed, 1)), //nolint:gosec // repeatable on purpose
			channel: h.channel(t), said: map[int64][]string{},
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
}

func (p *promise) step(t *testing.T) {
	t.Helper()
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
		p.held = append(p.held, p.claim(t)...)
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
