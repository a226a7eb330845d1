package api

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// diary is an uptime.Recent that says what was noted.
type diary struct {
	mu    sync.Mutex
	wrote []string
	asked []string
	did   bool
}

var _ uptime.Recent = (*diary)(nil)

func (d *diary) Wrote(_ context.Context, who string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wrote = append(d.wrote, who)
}

func (d *diary) DidWrite(_ context.Context, who string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, who)
	return d.did
}

func (d *diary) take() (wrote, asked []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	wrote, asked = d.wrote, d.asked
	d.wrote, d.asked = nil, nil
	return wrote, asked
}

func recently(r uptime.Recent) option { return func(p *Params) { p.Recent = r } }

func TestRecentWrites(t *testing.T) {
	t.Parallel()
	d := &diary{}
	b := setup(t, recently(d))
	wrote, asked := d.take()
	require.Equal(t, []string{"user:1"}, wrote, "set-up is a write of its owner")
	require.Empty(t, asked)

	require.Equal(t, http.StatusOK, b.ask(t, "GET", "/api/v1/overview", "").status)
	require.False(t, b.vitals.fresh.Load())
	wrote, asked = d.take()
	require.Empty(t, wrote)
	require.Equal(t, []string{"user:1"}, asked)
	d.did = true
	b.ask(t, "GET", "/api/v1/overview", "")
	require.True(t, b.vitals.fresh.Load())
	d.take()

	// Done, refused, failed on our side, and the same answer again.
	for _, c := range []struct {
		method, path, body string
		status             int
		noted              bool
	}{
		{"POST", "/monitors", leastMonitor, http.StatusCreated, true},
		{"PATCH", "/monitors/1", `{"name":"Other"}`, http.StatusOK, true},
		{"PATCH", "/monitors/1", `{"name":""}`, http.StatusUnprocessableEntity, false},
		{"POST", "/monitors/1/check", "", http.StatusServiceUnavailable, true},
		{"DELETE", "/monitors/99", "", http.StatusNotFound, false},
		{"DELETE", "/monitors/1", "", http.StatusNoContent, true},
	} {
		a := b.ask(t, c.method, "/api/v1"+c.path, c.body)
		require.Equal(t, c.status, a.status, a.body)
		wrote, _ := d.take()
		require.Equal(t, c.noted, len(wrote) == 1, "%s %s: %v", c.method, c.path, wrote)
	}
	for range 2 {
		b.made(t, "/monitors", leastMonitor, with("Idempotency-Key", "k"))
		wrote, _ := d.take()
		require.Equal(t, []string{"user:1"}, wrote)
	}

	// A program is not its maker.
	secret := b.made(t, "/tokens", `{"name":"ci","role":"editor","scopes":["read","write"]}`).text("secret")
	d.take()
	b.made(t, "/monitors", leastMonitor, as(secret))
	wrote, _ = d.take()
	require.Equal(t, []string{"token:1"}, wrote)
}

// TestConditions: what is wrong with the program itself is in the overview, and a
// check by hand says it at once.
func TestConditions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.made(t, "/monitors", leastMonitor)
	require.Empty(t, b.ask(t, "GET", "/api/v1/overview", "").list("conditions"))
	require.Contains(t, b.ask(t, "GET", "/api/v1/overview", "").body, `"conditions":[]`)
	b.vitals.away.Store(true)
	list := b.ask(t, "GET", "/api/v1/overview", "").list("conditions")
	require.Len(t, list, 1)
	redis := uptime.ConditionOf(uptime.ConditionRedis)
	require.Equal(t, map[string]any{"name": redis.Name, "detail": redis.Detail}, list[0])
	b.queue.onPush = func([]uptime.Job) error { panic("nobody is to wait for the queue") }
	a := b.ask(t, "POST", "/api/v1/monitors/1/check", "")
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Equal(t, "unavailable", a.text("code"))
	require.Contains(t, a.text("detail"), "Redis")
	require.NotEmpty(t, a.header.Get("Retry-After"))
}
