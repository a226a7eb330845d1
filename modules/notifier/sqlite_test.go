package notifier_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/auth"
	"monitor/modules/bus"
	"monitor/modules/channel"
	"monitor/modules/channel/channeltest"
	"monitor/modules/manage"
	"monitor/modules/notifier"
	"monitor/modules/outbound"
	"monitor/modules/store"
	"monitor/modules/uptime"
	"monitor/templates"
)

// house is a real store with real channels and a notifier.
type house struct {
	*store.Store
	ws       int64
	sealer   *auth.Sealer
	registry *channel.Registry
	bus      *bus.Memory
	serial   *atomic.Int64
}

func newHouse(t *testing.T) *house {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Config: store.Config{DataDir: t.TempDir()}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	require.NoError(t, s.EnsurePartitions(t.Context(), 2))
	ws, err := s.EnsureWorkspace(t.Context(), "Home")
	require.NoError(t, err)
	keys, err := auth.NewKeys(strings.Repeat("k", 40), nil)
	require.NoError(t, err)
	sealer, err := auth.NewSealer(keys)
	require.NoError(t, err)
	guard, err := outbound.New(outbound.DefaultConfig())
	require.NoError(t, err)
	r, err := channel.New(channel.Deps{Guard: guard, Templates: templates.FS})
	require.NoError(t, err)
	return &house{Store: s, ws: ws.ID, sealer: sealer, registry: r, bus: bus.NewMemory(), serial: new(atomic.Int64)}
}

func (h *house) notifier() *notifier.Notifier {
	return notifier.New(notifier.Deps{
		Outbox: h, Alarms: h, Channels: h.registry, Gate: channel.NewGate(nil), Sealer: h.sealer, Bus: h.bus,
	})
}

// channel makes one with its secret sealed as manage does it.
func (h *house) channel(t *testing.T, kind, secretPath, secret string, settings any) uptime.Channel {
	t.Helper()
	key := fmt.Sprintf("row%d", h.serial.Add(1))
	place := uptime.SecretPlace{WorkspaceID: h.ws, Table: "channels", RowKey: key, Field: kind + "." + secretPath}
	sealed, err := h.sealer.Seal(place, secret)
	require.NoError(t, err)
	raw, err := json.Marshal(settings)
	require.NoError(t, err)
	raw = []byte(strings.Replace(string(raw), "SECRET", sealed, 1))
	k, ok := h.registry.Kind(kind)
	require.True(t, ok)
	opened, err := manage.OpenSettings(h.sealer, k, place, raw)
	require.NoError(t, err, "sealed as the use cases seal")
	require.Contains(t, string(opened), secret)
	c, err := h.CreateChannel(t.Context(), uptime.Channel{
		WorkspaceID: h.ws, RowKey: key, Name: kind, Type: kind, Enabled: true, SendResolved: true, Settings: raw,
	}, nil)
	require.NoError(t, err)
	return c
}

// outage opens an incident for these channels, and end resolves it.
func (h *house) outage(t *testing.T, channels ...uptime.Channel) (end func()) {
	t.Helper()
	m := uptime.Monitor{
		WorkspaceID: h.ws, RowKey: "m", Name: "Shop", Type: "http", Enabled: true, Interval: time.Minute,
		Timeout: 10 * time.Second, RetryInterval: 20 * time.Second, FailuresBeforeDown: 1, SuccessesBeforeUp: 1,
		Regions: []string{"default"}, MinRegionsDown: 1, Settings: []byte(`{}`), Target: "http://example.com",
	}
	for _, c := range channels {
		m.ChannelIDs = append(m.ChannelIDs, c.ID)
	}
	m, err := h.CreateMonitor(t.Context(), m, nil)
	require.NoError(t, err)
	record := func(status uptime.Status, kind uptime.ErrorKind) {
		at := time.Now().UTC().Truncate(time.Millisecond).Add(time.Duration(h.serial.Add(1)) * time.Millisecond)
		done, err := h.Record(t.Context(), []uptime.Result{{
			MonitorID: m.ID, WorkspaceID: h.ws, Region: "default", ScheduledAt: at, StartedAt: at, Attempt: 1,
			Outcome: uptime.Outcome{Status: status, ErrorKind: kind, Error: "HTTP 503"},
		}}, uptime.Judge(auth.ID))
		require.NoError(t, err)
		require.True(t, done.Due)
		require.NoError(t, h.bus.Publish(t.Context(), uptime.Notice{Topic: uptime.TopicOutbox, WorkspaceID: h.ws}))
	}
	record(uptime.Down, uptime.KindStatus)
	return func() { record(uptime.Up, "") }
}

// settled waits until nothing is unfinished.
func (h *house) settled(t *testing.T, want int) []uptime.Delivery {
	t.Helper()
	var list uptime.List[uptime.Delivery]
	require.Eventually(t, func() bool {
		var err error
		list, err = h.Deliveries(t.Context(), h.ws, uptime.DeliveryFilter{}, uptime.Page{Limit: 100})
		if err != nil || len(list.Items) != want {
			return false
		}
		for _, d := range list.Items {
			if d.Status == uptime.DeliveryPending || d.Status == uptime.DeliverySending {
				return false
			}
		}
		return true
	}, 30*time.Second, 20*time.Millisecond)
	return list.Items
}

// An outage and its end reach a webhook that answers 500 and 503 first and a
// mail server that answers 451 first: once each, under one id, signed.
func TestDeliversToRealPeers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	web := channeltest.StartWeb(t)
	web.Codes(500, 503, 200)
	post := channeltest.StartSMTP(t, channeltest.SMTPOptions{Username: "mon", Password: "hunter2"})
	post.OnData(func(attempt int) error {
		if attempt == 1 {
			return channeltest.Refuse(451, "later")
		}
		return nil
	})
	hook := h.channel(t, "webhook", "secret", "plain-secret", map[string]any{"url": web.URL, "secret": "SECRET"})
	mail := h.channel(t, "email", "smtp.password", "hunter2", map[string]any{
		"to": []string{"ops@example.com"}, "smtp": map[string]any{
			"host": "127.0.0.1", "port": post.Port, "username": "mon", "password": "SECRET", "tls": "none", "from": "monitor@example.com",
		},
	})
	stop := start(h.notifier())
	defer stop()
	end := h.outage(t, hook, mail)
	for _, d := range h.settled(t, 2) {
		require.Equal(t, uptime.DeliveryDelivered, d.Status, d.Reason)
		want := map[int64]int{hook.ID: 3, mail.ID: 2}[d.ChannelID]
		require.Len(t, d.Attempts, want)
		for i, a := range d.Attempts {
			require.Equal(t, i+1, a.N)
		}
	}
	requests := web.Requests()
	require.Len(t, requests, 3)
	for _, r := range requests {
		require.Equal(t, requests[0].Header.Get("webhook-id"), r.Header.Get("webhook-id"))
		require.Equal(t, requests[0].Body, r.Body)
		mac := hmac.New(sha256.New, []byte("plain-secret"))
		mac.Write([]byte(r.Header.Get("webhook-id") + "." + r.Header.Get("webhook-timestamp") + "." + r.Body))
		require.Equal(t, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)), r.Header.Get("webhook-signature"))
	}
	require.Len(t, post.Mails(), 1)
	require.Contains(t, post.Mails()[0].Data, "<"+requests[0].Header.Get("webhook-id")+"@example.com>")
	require.Contains(t, requests[0].Body, `"type":"incident.opened"`)

	end()
	h.settled(t, 4)
	require.Len(t, web.Requests(), 4)
	require.Contains(t, web.Requests()[3].Body, `"type":"incident.resolved"`)
	require.NotEqual(t, requests[0].Header.Get("webhook-id"), web.Requests()[3].Header.Get("webhook-id"))
	require.Len(t, post.Mails(), 2)
}

// An endpoint that is gone disables its channel, and another one is told.
func TestGoneDisablesAndTellsOthers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	gone, other := channeltest.StartWeb(t), channeltest.StartWeb(t)
	gone.Codes(410)
	dead := h.channel(t, "webhook", "secret", "s1-secret", map[string]any{"url": gone.URL, "secret": "SECRET"})
	h.channel(t, "webhook", "secret", "s2-secret", map[string]any{"url": other.URL, "secret": "SECRET"})
	heard, err := h.bus.Subscribe(t.Context(), uptime.TopicDelivery)
	require.NoError(t, err)
	stop := start(h.notifier())
	defer stop()
	h.outage(t, dead)
	h.settled(t, 2)
	c, err := h.Channel(t.Context(), h.ws, dead.ID)
	require.NoError(t, err)
	require.False(t, c.Enabled)
	require.Contains(t, c.DisabledReason, "410")
	require.Len(t, gone.Requests(), 1)
	require.Len(t, other.Requests(), 1)
	body := other.Requests()[0].Body
	require.Contains(t, body, `"kind":"channel_dead"`)
	require.Contains(t, body, `incident.opened of monitor \"Shop\" (#1), incident #1, could not be delivered: HTTP 410`)
	require.Contains(t, body, `"target":"http://example.com"`)
	// Streams of one monitor are told, too.
	told := <-heard
	require.Equal(t, uptime.TopicDelivery, told.Topic)
	require.JSONEq(t, fmt.Sprintf(`{"id":%d,"event_id":%q,"event_type":"incident.opened","channel_id":%d,"monitor_id":1,"status":"dead"}`,
		told.ID, gone.Requests()[0].Header.Get("webhook-id"), dead.ID), string(told.Data))
}

// Two notifiers share one outbox: each event still goes out once.
func TestTwoNotifiersSendOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	web := channeltest.StartWeb(t)
	var hooks []uptime.Channel
	for range 12 {
		hooks = append(hooks, h.channel(t, "webhook", "secret", "some-secret", map[string]any{"url": web.URL, "secret": "SECRET"}))
	}
	first, second := start(h.notifier()), start(h.notifier())
	h.outage(t, hooks...)
	for _, d := range h.settled(t, len(hooks)) {
		require.Equal(t, uptime.DeliveryDelivered, d.Status)
		require.Len(t, d.Attempts, 1)
	}
	first()
	second()
	require.Len(t, web.Requests(), len(hooks))
}
