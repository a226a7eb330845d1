package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/store"
	"monitor/modules/uptime"
)

// OpenFunc opens a store on a fresh, migrated database that is closed when the
// test ends.
type OpenFunc func(t *testing.T, o store.Options) *store.Store

// handClock is a clock that tests move.
type handClock struct {
	mu  sync.Mutex
	now time.Time
}

func newHandClock() *handClock {
	return &handClock{now: time.Now().UTC().Truncate(time.Millisecond)}
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// house is a store with one workspace.
type house struct {
	*store.Store
	clock *handClock
	ws    int64
	keys  *atomic.Int64
}

func newHouse(t *testing.T, open OpenFunc) house {
	t.Helper()
	clock := newHandClock()
	s := open(t, store.Options{Clock: clock.Now})
	require.NoError(t, s.EnsurePartitions(t.Context(), 2))
	ws, err := s.EnsureWorkspace(t.Context(), "Home")
	require.NoError(t, err)
	return house{Store: s, clock: clock, ws: ws.ID, keys: new(atomic.Int64)}
}

// key gives a new name.
func (h house) key() string { return fmt.Sprintf("k%d", h.keys.Add(1)) }

func (h house) channel(t *testing.T, change ...func(*uptime.Channel)) uptime.Channel {
	t.Helper()
	c := uptime.Channel{
		WorkspaceID: h.ws, RowKey: h.key(), Name: h.key(), Type: "webhook",
		Enabled: true, SendResolved: true, Settings: []byte(`{"url":"http://127.0.0.1/"}`),
	}
	for _, f := range change {
		f(&c)
	}
	c, err := h.CreateChannel(t.Context(), c, nil)
	require.NoError(t, err)
	return c
}

func (h house) monitor(t *testing.T, channels ...uptime.Channel) uptime.Monitor {
	t.Helper()
	m := uptime.Monitor{
		WorkspaceID: h.ws, RowKey: h.key(), Name: h.key(), Type: "http", Enabled: true,
		Interval: time.Minute, Timeout: 10 * time.Second, RetryInterval: 20 * time.Second,
		FailuresBeforeDown: 1, SuccessesBeforeUp: 1, Regions: []string{"default"}, MinRegionsDown: 1,
		Settings: []byte(`{"url":"http://127.0.0.1/"}`), Target: "http://127.0.0.1/", Tags: map[string]string{"team": "web"},
		ResendEvery: 10 * time.Minute,
	}
	for _, c := range channels {
		m.ChannelIDs = append(m.ChannelIDs, c.ID)
	}
	m, err := h.CreateMonitor(t.Context(), m, nil)
	require.NoError(t, err)
	return m
}

// decide records a result of the monitor that comes to this decision.
func (h house) decide(t *testing.T, m uptime.Monitor, decision func(uptime.Situation) uptime.Decision) uptime.Recorded {
	t.Helper()
	h.clock.Advance(time.Millisecond) // a slot of its own
	now := h.clock.Now()
	done, err := h.Record(t.Context(), []uptime.Result{{
		MonitorID: m.ID, WorkspaceID: m.WorkspaceID, Region: "default", ScheduledAt: now, StartedAt: now, Attempt: 1,
		Outcome: uptime.Outcome{Status: uptime.Down, ErrorKind: uptime.KindTimeout},
	}}, decision)
	require.NoError(t, err)
	require.Equal(t, 1, done.Stored)
	return done
}

// down opens an incident of the monitor and tells of it.
func (h house) down(t *testing.T, m uptime.Monitor) uptime.Incident {
	t.Helper()
	now := h.clock.Now()
	h.decide(t, m, func(s uptime.Situation) uptime.Decision {
		i := uptime.Incident{
			WorkspaceID: m.WorkspaceID, MonitorID: m.ID, Title: "down", Status: uptime.IncidentOpen,
			Stage: uptime.StageInvestigating, Severity: uptime.SeverityMajor, Cause: "timeout", ErrorKind: uptime.KindTimeout,
			StartedAt: now, ConfirmedAt: now, NextReminderAt: now.Add(m.ResendEvery),
		}
		state := s.Monitor.State
		state.Status = uptime.Down
		return uptime.Decision{State: state, Incidents: []uptime.IncidentChange{{
			Incident: i,
			Events:   []uptime.Event{uptime.NewEvent(h.eventID, uptime.EventOpened, m, &i, nil, now)},
		}}}
	})
	list, err := h.Incidents(t.Context(), h.ws, uptime.IncidentFilter{MonitorID: m.ID, Unresolved: true}, uptime.Page{Limit: 1})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	return list.Items[0]
}

// note writes an event of the monitor without an incident.
func (h house) note(t *testing.T, m uptime.Monitor, types ...uptime.EventType) {
	t.Helper()
	now := h.clock.Now()
	h.decide(t, m, func(s uptime.Situation) uptime.Decision {
		d := uptime.Decision{State: s.Monitor.State}
		for _, typ := range types {
			d.Events = append(d.Events, uptime.NewEvent(h.eventID, typ, m, nil, nil, now))
		}
		return d
	})
}

func (h house) acknowledge(t *testing.T, id int64) {
	t.Helper()
	h.tell(t, id, uptime.EventAcknowledged, func(i *uptime.Incident) {
		i.Status, i.AcknowledgedAt = uptime.IncidentAcknowledged, h.clock.Now()
	})
}

func (h house) resolve(t *testing.T, id int64) {
	t.Helper()
	h.tell(t, id, uptime.EventResolved, func(i *uptime.Incident) {
		i.Status, i.Stage, i.ResolvedAt = uptime.IncidentResolved, uptime.StageResolved, h.clock.Now()
	})
}

func (h house) tell(t *testing.T, id int64, typ uptime.EventType, change func(*uptime.Incident)) {
	t.Helper()
	_, err := h.UpdateIncident(t.Context(), h.ws, id, func(i *uptime.Incident) ([]uptime.IncidentUpdate, []uptime.Event, error) {
		change(i)
		return nil, []uptime.Event{{Type: typ}}, nil
	}, nil)
	require.NoError(t, err)
}

// eventID is long enough to be told from others.
func (h house) eventID() string { return strings.Repeat("a", 20) + h.key() }

const lease = 15 * time.Second

func (h house) claim(t *testing.T) []uptime.Claim {
	t.Helper()
	claims, err := h.ClaimDeliveries(t.Context(), uptime.ClaimParams{Limit: 100, PerChannel: 100, Lease: lease})
	require.NoError(t, err)
	return claims
}

// claimOne claims what must be exactly one.
func (h house) claimOne(t *testing.T) uptime.Claim {
	t.Helper()
	claims := h.claim(t)
	require.Len(t, claims, 1)
	return claims[0]
}

func (h house) finish(t *testing.T, c uptime.Claim, status uptime.DeliveryStatus) {
	t.Helper()
	require.NoError(t, h.FinishDelivery(t.Context(), c, h.came(status)))
}

// came is the result of an attempt with this end.
func (h house) came(status uptime.DeliveryStatus) uptime.AttemptResult {
	now := h.clock.Now()
	r := uptime.AttemptResult{Status: status, Attempt: uptime.Attempt{At: now, Duration: time.Millisecond, StatusCode: 500, Outcome: uptime.AttemptRetry, Error: "500"}}
	switch status {
	case uptime.DeliveryPending:
		r.Next = now.Add(time.Second)
	case uptime.DeliveryDelivered:
		r.Attempt.Outcome, r.Attempt.StatusCode, r.Attempt.Error = uptime.AttemptOK, 200, ""
	case uptime.DeliveryDead:
		r.Attempt.Outcome, r.Reason = uptime.AttemptPermanent, "gone"
	case uptime.DeliverySending, uptime.DeliveryMerged, uptime.DeliveryCancelled:
	}
	return r
}

// deliveries of a channel, oldest first.
func (h house) deliveries(t *testing.T, channelID int64) []uptime.Delivery {
	t.Helper()
	list, err := h.Deliveries(t.Context(), h.ws, uptime.DeliveryFilter{ChannelID: channelID}, uptime.Page{Limit: 200})
	require.NoError(t, err)
	out := make([]uptime.Delivery, 0, len(list.Items))
	for _, d := range slices.Backward(list.Items) {
		out = append(out, d)
	}
	return out
}

// words gives type, status and merging of a channel's deliveries, oldest first.
func (h house) words(t *testing.T, channelID int64) []string {
	t.Helper()
	var words []string
	for _, d := range h.deliveries(t, channelID) {
		word := string(d.EventType) + " " + string(d.Status)
		if d.Merges {
			word += " merges"
		}
		words = append(words, word)
	}
	return words
}

func (h house) user(t *testing.T, role uptime.Role) uptime.User {
	t.Helper()
	u, err := h.CreateUser(t.Context(), uptime.User{
		WorkspaceID: h.ws, Role: role, Email: h.key() + "@Example.com", Name: "Somebody",
		PasswordHash: "hash", TimeZone: "UTC", Language: "en", Theme: "auto",
	}, nil)
	require.NoError(t, err)
	return u
}
