package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/testenv"
)

const hookSecret = "a secret of sixteen and more bytes"

// watched is a program that watches a target and tells a webhook and a mailbox.
type watched struct {
	client
	monitor float64
	target  *target
	hook    *hook
	box     *mailbox
}

// watch makes two channels and a monitor and waits for the first green result.
func watch(c client, tg *target, h *hook, box *mailbox) watched {
	c.t.Helper()
	for _, body := range []map[string]any{
		{"name": "Hook", "type": "webhook", "is_default": true, "settings": map[string]any{"url": h.URL, "secret": hookSecret}},
		{"name": "Mail", "type": "email", "is_default": true, "settings": map[string]any{
			"to": []string{"oncall@example.com"},
			"smtp": map[string]any{
				"host": box.addr.IP.String(), "port": box.addr.Port, "from": "monitor@example.com", "tls": "none",
			},
		}},
	} {
		c.must(http.StatusCreated, http.MethodPost, "/api/v1/channels", body)
	}
	m := c.must(http.StatusCreated, http.MethodPost, "/api/v1/monitors", map[string]any{
		"name": "Shop", "type": "http", "interval": "5s", "retry_interval": "1s", "timeout": "2s",
		"http": map[string]any{"url": tg.URL + "/health"}, "tags": map[string]string{"team": "web"},
	}).object(c.t)
	id, _ := m["id"].(float64)
	eventually(c.t, "the first green result", func() bool { return c.monitorStatus(id) == "up" })
	return watched{c, id, tg, h, box}
}

// message is the part of a webhook's body that tests look at.
type message struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Incident struct {
		ID         int64   `json:"id"`
		ResolvedAt *string `json:"resolved_at"`
		ErrorKind  string  `json:"error_kind"`
	} `json:"incident"`
	Monitor struct {
		Target string            `json:"target"`
		Tags   map[string]string `json:"tags"`
	} `json:"monitor"`
}

func (r received) message(t *testing.T) message {
	t.Helper()
	var m message
	require.NoError(t, json.Unmarshal(r.body, &m), string(r.body))
	return m
}

func TestOutageOverREST(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		outageOverREST(t, serve(t, t.TempDir()))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		outageOverREST(t, serve(t, t.TempDir(),
			"--database.url", testenv.Postgres(t), "--auth.secret", "a secret that is long enough for a test"))
	})
}

// outageOverREST is the main job: an outage and its end are told once each, by
// mail and by webhook, though both answer with failures at first.
func outageOverREST(t *testing.T, p *program) {
	t.Helper()
	w := watch(p.setup(), newTarget(t), newHook(t, http.StatusInternalServerError, http.StatusServiceUnavailable), newMailbox(t, 1))

	w.target.status.Store(http.StatusServiceUnavailable)
	eventually(t, "one webhook and one mail for the outage", func() bool {
		return len(w.hook.accepted()) == 1 && len(w.box.received()) == 1
	})
	opened := w.hook.accepted()[0]
	requireSigned(t, opened, []byte(hookSecret))
	down := opened.message(t)
	require.Equal(t, "incident.opened", down.Type)
	require.Equal(t, opened.header.Get("webhook-id"), down.ID)
	require.Equal(t, "status", down.Incident.ErrorKind)
	require.Equal(t, w.target.URL+"/health", down.Monitor.Target)
	require.Equal(t, map[string]string{"team": "web"}, down.Monitor.Tags)
	require.Equal(t, 3, w.hook.attemptsOf(down.ID), "answered 500, 503 and 200 under one id")
	require.Contains(t, w.box.received()[0], down.ID, "Message-ID carries the event's id")
	require.Equal(t, "down", w.monitorStatus(w.monitor))

	w.target.status.Store(http.StatusOK)
	eventually(t, "one webhook and one mail for the recovery", func() bool {
		return len(w.hook.accepted()) == 2 && len(w.box.received()) == 2
	})
	up := w.hook.accepted()[1]
	requireSigned(t, up, []byte(hookSecret))
	require.Equal(t, "incident.resolved", up.message(t).Type)
	require.Equal(t, down.Incident.ID, up.message(t).Incident.ID)
	require.NotNil(t, up.message(t).Incident.ResolvedAt)

	incidents := w.must(http.StatusOK, http.MethodGet, fmt.Sprintf("/api/v1/incidents?monitor_id=%.0f", w.monitor), nil).list(t)
	require.Len(t, incidents, 1)
	require.Equal(t, "resolved", incidents[0]["status"])
	for _, d := range w.must(http.StatusOK, http.MethodGet, "/api/v1/deliveries", nil).list(t) {
		require.Equal(t, "delivered", d["status"], "%v", d)
	}
	require.Equal(t, 0, p.stop(), "SIGTERM exits 0")
}

// TestKillsDuringAnOutage kills the program again and again while an outage is
// found, told, and over.
func TestKillsDuringAnOutage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := serve(t, dir)
	w := watch(p.setup(), newTarget(t), newHook(t), newMailbox(t, 0))
	restart := func() {
		p.kill()
		p = serve(t, dir)
		w.client = w.again(p)
	}
	w.target.status.Store(http.StatusInternalServerError)
	for range 3 {
		restart()
	}
	eventually(t, "the outage is told", func() bool { return len(w.hook.accepted()) >= 1 && len(w.box.received()) >= 1 })
	restart()
	w.target.status.Store(http.StatusOK)
	restart()
	types := func() map[string]map[string]bool {
		ids := map[string]map[string]bool{}
		for _, r := range w.hook.accepted() {
			m := r.message(t)
			if ids[m.Type] == nil {
				ids[m.Type] = map[string]bool{}
			}
			ids[m.Type][m.ID] = true
		}
		return ids
	}
	eventually(t, "the recovery is told", func() bool { return len(types()["incident.resolved"]) > 0 && len(w.box.received()) >= 2 })
	require.Len(t, types()["incident.opened"], 1, "repeats carry the same id")
	require.Len(t, types()["incident.resolved"], 1)
	require.Len(t, w.must(http.StatusOK, http.MethodGet, "/api/v1/incidents", nil).list(t), 1)
	require.Equal(t, 0, p.stop())
}
