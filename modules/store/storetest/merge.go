package storetest

import (
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// mergeCase says what becomes of a channel's deliveries, step by step.
type mergeCase struct {
	channel func(*uptime.Channel)
	steps   []string
	want    []string
}

// downCases are about "down" and "up".
func downCases() map[string]mergeCase {
	return map[string]mergeCase{
		"UnsentDownMerges": {steps: []string{"down", "up"}, want: []string{"incident.opened merged", "incident.resolved pending merges"}},
		"TriedDownMerges": {
			steps: []string{"down", "claim", "pending", "up"},
			want:  []string{"incident.opened merged", "incident.resolved pending merges"},
		},
		"DeliveredDownStays": {
			steps: []string{"down", "claim", "delivered", "up"},
			want:  []string{"incident.opened delivered", "incident.resolved pending"},
		},
		"DeadDownStays": {
			steps: []string{"down", "claim", "dead", "up"},
			want:  []string{"incident.opened dead", "incident.resolved pending"},
		},
		"SendingDownStays": {
			steps: []string{"down", "claim", "up"},
			want:  []string{"incident.opened sending", "incident.resolved pending"},
		},
		"SendingDownThenDelivered": {
			steps: []string{"down", "claim", "up", "delivered"},
			want:  []string{"incident.opened delivered", "incident.resolved pending"},
		},
		"SendingDownThenRetryMerges": {
			steps: []string{"down", "claim", "up", "pending"},
			want:  []string{"incident.opened merged", "incident.resolved pending merges"},
		},
		"SendingDownThenReleasedMerges": {
			steps: []string{"down", "claim", "up", "release"},
			want:  []string{"incident.opened merged", "incident.resolved pending merges"},
		},
	}
}

// noteCases are about what comes between.
func noteCases() map[string]mergeCase {
	quiet := func(c *uptime.Channel) { c.SendResolved = false }
	return map[string]mergeCase{
		"UnsentNotesEnd": {
			steps: []string{"down", "remind", "ack", "up"},
			want: []string{
				"incident.opened merged", "incident.reminder merged", "incident.acknowledged merged",
				"incident.resolved pending merges",
			},
		},
		"NoteAfterDeliveredDown": {
			steps: []string{"down", "claim", "delivered", "ack", "up"},
			want:  []string{"incident.opened delivered", "incident.acknowledged merged", "incident.resolved pending"},
		},
		"SendingNoteThenRetry": {
			steps: []string{"down", "claim", "delivered", "ack", "claim", "up", "pending"},
			want:  []string{"incident.opened delivered", "incident.acknowledged merged", "incident.resolved pending"},
		},
		"QuietChannelKeepsDown": {
			channel: quiet, steps: []string{"down", "up"}, want: []string{"incident.opened pending"},
		},
		"QuietChannelNeedsNoReminder": {
			channel: quiet, steps: []string{"down", "remind", "up"},
			want: []string{"incident.opened pending", "incident.reminder cancelled"},
		},
		"QuietChannelSendingReminder": {
			channel: quiet, steps: []string{"down", "claim", "delivered", "remind", "claim", "up", "pending"},
			want: []string{"incident.opened delivered", "incident.reminder cancelled"},
		},
	}
}

// slowCases are about phases of slowness, of which a monitor has many.
func slowCases() map[string]mergeCase {
	return map[string]mergeCase{
		"SlowPhases": {
			steps: []string{"degraded", "recovered", "degraded"},
			want:  []string{"monitor.degraded merged", "monitor.recovered pending merges", "monitor.degraded pending"},
		},
		"SlowPhasesSending": {
			steps: []string{"degraded", "claim", "recovered", "pending", "degraded", "recovered"},
			want: []string{
				"monitor.degraded merged", "monitor.recovered pending merges",
				"monitor.degraded merged", "monitor.recovered pending merges",
			},
		},
		"SlowPhasesAtOnce": {
			steps: []string{"degraded+recovered"},
			want:  []string{"monitor.degraded merged", "monitor.recovered pending merges"},
		},
	}
}

func testMergeRules(t *testing.T, open OpenFunc) {
	cases := downCases()
	maps.Copy(cases, noteCases())
	maps.Copy(cases, slowCases())
	maps.Copy(cases, silentCases())
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, open)
			channel := h.channel(t, func(n *uptime.Channel) {
				n.SendDegraded = true
				if c.channel != nil {
					c.channel(n)
				}
			})
			run := steps{house: h, monitor: h.monitor(t, channel)}
			for _, step := range c.steps {
				run.do(t, step)
			}
			require.Equal(t, c.want, h.words(t, channel.ID))
		})
	}
}

// steps runs the words of a merge case.
type steps struct {
	house
	monitor  uptime.Monitor
	incident uptime.Incident
	claimed  uptime.Claim
}

func (s *steps) do(t *testing.T, step string) {
	t.Helper()
	switch step {
	case "down":
		s.incident = s.down(t, s.monitor)
	case "up":
		s.resolve(t, s.incident.ID)
	case "ack":
		s.acknowledge(t, s.incident.ID)
	case "remind":
		s.clock.Advance(s.monitor.ResendEvery)
		n, err := s.EmitReminders(t.Context(), 10)
		require.NoError(t, err)
		require.Equal(t, 1, n)
	case "degraded":
		s.note(t, s.monitor, uptime.EventDegraded)
	case "recovered":
		s.note(t, s.monitor, uptime.EventRecovered)
	case "degraded+recovered":
		s.note(t, s.monitor, uptime.EventDegraded, uptime.EventRecovered)
	case "silence":
		s.clock.Advance(time.Second)
		s.silenced(t, s.monitor, time.Hour)
	case "unsilence":
		s.silenced(t, s.monitor, 0)
	case "after":
		s.clock.Advance(2 * time.Hour)
	case "nothing":
		require.Empty(t, s.claim(t))
	case "claim":
		s.claimed = s.claimOne(t)
	case "release":
		require.NoError(t, s.ReleaseDelivery(t.Context(), s.claimed, s.clock.Now()))
	default:
		s.finish(t, s.claimed, uptime.DeliveryStatus(step))
	}
}

// testMergeRace: however a failing attempt and the recovery cross, "down" and
// "up" never both wait.
func testMergeRace(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	for range 30 {
		channel := h.channel(t)
		i := h.down(t, h.monitor(t, channel))
		claimed := h.claimOne(t)
		failed := h.came(uptime.DeliveryPending)
		var both sync.WaitGroup
		both.Go(func() { h.resolve(t, i.ID) })
		both.Go(func() { assert.NoError(t, h.FinishDelivery(t.Context(), claimed, failed)) })
		both.Wait()
		require.Equal(t, []string{"incident.opened merged", "incident.resolved pending merges"}, h.words(t, channel.ID))
		h.finish(t, h.claimOne(t), uptime.DeliveryDelivered)
	}
}
