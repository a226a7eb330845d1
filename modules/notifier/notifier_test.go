package notifier_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/channel"
	"monitor/modules/notifier"
	"monitor/modules/uptime"
)

// A dead endpoint is tried on the schedule, then given up, and another channel
// is told. The breaker puts attempts off by up to 30 s and uses up none.
func TestScheduleUntilDead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{channels: []uptime.Channel{numbered(1), numbered(2), numbered(3)}}
		m.channels[2].Enabled = false
		r := m.add(m.channels[0], event("a"))
		var ids []string
		stop := start(newNotifier(m, func(_ context.Context, _ uptime.Channel, msg uptime.Message) error {
			ids = append(ids, msg.ID)
			return &uptime.SendError{Reason: "down", StatusCode: 503}
		}))
		time.Sleep(80 * time.Hour) // within the bubble: no real time passes
		stop()
		require.Equal(t, uptime.DeliveryDead, r.status)
		require.Equal(t, "given up after 72 h: down", r.result.Reason)
		waits := []time.Duration{
			0, time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute,
			time.Hour, 2 * time.Hour, 4 * time.Hour,
		}
		for i, a := range r.log {
			require.Equal(t, i+1, a.N)
			require.Equal(t, uptime.AttemptRetry, a.Outcome)
			require.Equal(t, 503, a.StatusCode)
			require.Equal(t, "evt_a", ids[i])
			if i == 0 {
				continue
			}
			want := 6 * time.Hour
			if i < len(waits) {
				want = waits[i]
			}
			require.InDelta(t, want.Seconds(), a.At.Sub(r.log[i-1].At).Seconds(), 31, "attempt %d", a.N)
		}
		require.Len(t, r.log, 10+10)
		require.Len(t, m.raised, 1)
		require.Equal(t, uptime.Alarm{
			WorkspaceID: 1, Kind: uptime.AlarmChannelDead, Subject: "c1 (#1)",
			Detail:     "incident.opened could not be delivered: given up after 72 h: down",
			ChannelIDs: []int64{2}, Every: 24 * time.Hour,
		}, m.raised[0])
		require.Greater(t, m.reminders, 3600)
	})
}

// outcome is an attempt and what is to come of it.
type outcome struct {
	send    error
	event   uptime.Event
	channel func(*uptime.Channel)
	status  uptime.DeliveryStatus
	outcome uptime.AttemptOutcome
	next    time.Duration
	reason  string
	disable bool
	told    []int64
	ended   []string
	clear   string // settings that the sender got
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	channelDead := event("dead")
	channelDead.Type = uptime.EventAlarm
	channelDead.Data.Alarm = &uptime.EventAlarmData{Kind: uptime.AlarmChannelDead, Subject: "c9"}
	for name, c := range map[string]outcome{
		"Delivered": {status: uptime.DeliveryDelivered, outcome: uptime.AttemptOK, ended: []string{"channel_dead c1 (#1)"}},
		"Permanent": {
			send:   &uptime.SendError{Permanent: true, Reason: "550 no such user", StatusCode: 550},
			status: uptime.DeliveryDead, outcome: uptime.AttemptPermanent, reason: "550 no such user", told: []int64{2, 3},
		},
		"Gone": {
			send:   &uptime.SendError{Permanent: true, Disable: true, Reason: "HTTP 410", StatusCode: 410},
			status: uptime.DeliveryDead, outcome: uptime.AttemptPermanent, reason: "HTTP 410", disable: true, told: []int64{2, 3},
		},
		"Fallback": {
			send: &uptime.SendError{Permanent: true, Reason: "no"}, channel: func(ch *uptime.Channel) { ch.FallbackChannelID = 3 },
			status: uptime.DeliveryDead, outcome: uptime.AttemptPermanent, reason: "no", told: []int64{3},
		},
		"FallbackGone": {
			send: &uptime.SendError{Permanent: true, Reason: "no"}, channel: func(ch *uptime.Channel) { ch.FallbackChannelID = 77 },
			status: uptime.DeliveryDead, outcome: uptime.AttemptPermanent, reason: "no", told: []int64{2, 3},
		},
		"AlarmThatDies": {
			send: &uptime.SendError{Permanent: true, Reason: "no"}, event: channelDead,
			status: uptime.DeliveryDead, outcome: uptime.AttemptPermanent, reason: "no",
		},
		"RetryAfter": {
			send:   &uptime.SendError{Reason: "busy", RetryAfter: 10 * time.Minute},
			status: uptime.DeliveryPending, outcome: uptime.AttemptRetry, next: 10 * time.Minute,
		},
		"ForeignError": {send: errors.New("hunter2"), status: uptime.DeliveryPending, outcome: uptime.AttemptRetry, next: time.Second},
	} {
		t.Run(name, c.check)
	}
}

func TestSettingsAreOpened(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]outcome{
		"UnknownType": {
			channel: func(ch *uptime.Channel) { ch.Type = "unknown" },
			status:  uptime.DeliveryDead, outcome: uptime.AttemptPermanent, reason: "the channel type unknown is not known", told: []int64{2, 3},
		},
		"BadSettings": {
			channel: func(ch *uptime.Channel) { ch.Settings = []byte(`{"token":1}`) },
			status:  uptime.DeliveryDead, outcome: uptime.AttemptPermanent, reason: "the channel's settings cannot be read", told: []int64{2, 3},
		},
		"SecretMoved": {
			channel: func(ch *uptime.Channel) { ch.Settings = []byte(`{"token":"sealed:elsewhere:hunter2"}`) },
			status:  uptime.DeliveryDead, outcome: uptime.AttemptPermanent,
			reason: "the channel's secret token cannot be opened: save it again", told: []int64{2, 3},
		},
		"SecretOpened": {
			channel: func(ch *uptime.Channel) { ch.Settings = []byte(`{"token":"sealed:channelskplain.token:hunter2"}`) },
			status:  uptime.DeliveryDelivered, outcome: uptime.AttemptOK, ended: []string{"channel_dead c1 (#1)"},
			clear: `{"token":"hunter2"}`,
		},
	} {
		t.Run(name, c.check)
	}
}

func (c outcome) check(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{channels: []uptime.Channel{numbered(1), numbered(2), numbered(3)}}
		ch := m.channels[0]
		if c.channel != nil {
			c.channel(&ch)
		}
		e := c.event
		if e.ID == "" {
			e = event("a")
		}
		r := m.add(ch, e)
		began := time.Now()
		settings := ""
		stop := start(newNotifier(m, func(_ context.Context, ch uptime.Channel, _ uptime.Message) error {
			settings = string(ch.Settings)
			return c.send
		}))
		synctest.Wait()
		stop()
		require.Equal(t, c.status, r.status)
		require.Len(t, r.log, 1)
		require.Equal(t, c.outcome, r.log[0].Outcome)
		require.Equal(t, c.reason, r.result.Reason)
		require.Equal(t, c.disable, r.result.DisableChannel)
		require.NotContains(t, r.log[0].Error, "hunter2")
		if c.next != 0 {
			require.Equal(t, c.next, r.due.Sub(began))
		}
		if c.told == nil {
			require.Empty(t, m.raised)
		} else {
			require.Equal(t, c.told, m.raised[0].ChannelIDs)
		}
		require.Equal(t, c.ended, m.ended)
		if c.clear != "" {
			require.JSONEq(t, c.clear, settings)
		}
	})
}

// 50 deliveries to an endpoint that hangs delay nobody else.
func TestSlowEndpointDelaysNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		for range 50 {
			m.add(numbered(1), event("slow"))
		}
		var quick []*row
		for i := range 20 {
			quick = append(quick, m.add(numbered(int64(2+i%5)), event("quick")))
		}
		hanging, most := 0, 0
		n := newNotifier(m, func(ctx context.Context, ch uptime.Channel, _ uptime.Message) error {
			if ch.ID != 1 {
				return nil
			}
			m.mu.Lock()
			hanging++
			most = max(most, hanging)
			m.mu.Unlock()
			<-ctx.Done()
			m.mu.Lock()
			hanging--
			m.mu.Unlock()
			return &uptime.SendError{Reason: "no answer in time", Err: ctx.Err()}
		})
		stop := start(n)
		synctest.Wait() // not a tick later
		for _, r := range quick {
			require.Equal(t, uptime.DeliveryDelivered, r.status)
		}
		require.Equal(t, channel.PerEndpoint, most)
		require.Equal(t, channel.PerEndpoint, n.Stats().InFlight)

		// Later ones, too, while it hangs and while its breaker is open.
		for range 12 {
			time.Sleep(5 * time.Second)
			late := m.add(numbered(2), event("late"))
			time.Sleep(notifier.Poll)
			synctest.Wait()
			require.Equal(t, uptime.DeliveryDelivered, late.status)
		}
		stop()
		require.Equal(t, channel.PerEndpoint, most)
	})
}

// While the breaker is open nothing is sent and no attempt is used up; then one
// message tries.
func TestBreakerHoldsWithoutUsingAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		for range 8 {
			m.add(numbered(1), event("a"))
		}
		sent := 0
		works := false
		stop := start(newNotifier(m, func(context.Context, uptime.Channel, uptime.Message) error {
			m.mu.Lock()
			defer m.mu.Unlock()
			sent++
			if works {
				return nil
			}
			return &uptime.SendError{Reason: "down"}
		}))
		count := func() (int, int) {
			m.mu.Lock()
			defer m.mu.Unlock()
			attempts := 0
			for _, r := range m.rows {
				attempts += len(r.log)
			}
			return sent, attempts
		}
		time.Sleep(25 * time.Second)
		synctest.Wait()
		messages, attempts := count()
		require.Equal(t, messages, attempts)
		require.GreaterOrEqual(t, messages, 5)
		require.LessOrEqual(t, messages, 4+channel.PerEndpoint, "those on their way when it opened may finish")

		time.Sleep(8 * time.Second) // 30 s are over
		synctest.Wait()
		after, attempts := count()
		require.Equal(t, messages+1, after)
		require.Equal(t, after, attempts)

		m.mu.Lock()
		works = true
		m.mu.Unlock()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		stop()
		require.Equal(t, map[uptime.DeliveryStatus]int{uptime.DeliveryDelivered: 8}, m.statuses())
	})
}

func TestStopFinishesWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		for range 3 {
			m.add(numbered(1), event("a"))
		}
		stop := start(newNotifier(m, func(ctx context.Context, _ uptime.Channel, _ uptime.Message) error {
			select {
			case <-time.After(8 * time.Second):
				return nil
			case <-ctx.Done():
				return &uptime.SendError{Reason: "ended", Err: ctx.Err()}
			}
		}))
		synctest.Wait()
		time.Sleep(time.Second)
		m.add(numbered(2), event("late")) // falls due when it is asked to stop
		require.Equal(t, 7*time.Second, stop())
		require.Equal(t, map[uptime.DeliveryStatus]int{uptime.DeliveryDelivered: 3, uptime.DeliveryPending: 1}, m.statuses())
	})
}

func TestCommitIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{refuse: 3}
		r := m.add(numbered(1), event("a"))
		sent := 0
		stop := start(newNotifier(m, func(context.Context, uptime.Channel, uptime.Message) error {
			sent++
			return nil
		}))
		time.Sleep(time.Minute)
		stop()
		require.Equal(t, uptime.DeliveryDelivered, r.status)
		require.Equal(t, 1, sent)
	})
}

// A result that cannot be committed for as long as the lease lasts is sent
// again, under the same id and the next number.
func TestLeaseEndsAndAnotherAttemptIsMade(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{refuse: 21}
		r := m.add(numbered(1), event("a"))
		var ids []string
		stop := start(newNotifier(m, func(_ context.Context, _ uptime.Channel, msg uptime.Message) error {
			ids = append(ids, msg.ID)
			return nil
		}))
		time.Sleep(time.Minute)
		stop()
		require.Equal(t, uptime.DeliveryDelivered, r.status)
		require.Equal(t, []string{"evt_a", "evt_a"}, ids)
		require.Equal(t, 2, r.log[0].N)
	})
}

func TestPanicIsARetry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		r := m.add(numbered(1), event("a"))
		calls := 0
		stop := start(newNotifier(m, func(context.Context, uptime.Channel, uptime.Message) error {
			if calls++; calls == 1 {
				panic("token=hunter2")
			}
			return nil
		}))
		time.Sleep(3 * time.Second)
		stop()
		require.Equal(t, uptime.DeliveryDelivered, r.status)
		require.Equal(t, "internal error", r.log[0].Error)
	})
}

// Start and stop at any moment: no delivery is lost, none is left claimed.
func TestStartStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		for i := range 200 {
			m.add(numbered(int64(1+i%7)), event("a"))
		}
		send := sender(func(context.Context, uptime.Channel, uptime.Message) error {
			time.Sleep(30 * time.Millisecond)
			return nil
		})
		for i := range 40 {
			stop := start(newNotifier(m, send))
			time.Sleep(time.Duration(i%5) * 10 * time.Millisecond)
			stop()
			require.Zero(t, m.statuses()[uptime.DeliverySending])
		}
		stop := start(newNotifier(m, send))
		time.Sleep(time.Minute)
		stop()
		require.Equal(t, map[uptime.DeliveryStatus]int{uptime.DeliveryDelivered: 200}, m.statuses())
		for _, r := range m.rows {
			require.Len(t, r.log, 1)
			require.Equal(t, 1, r.claim.N)
		}
	})
}
