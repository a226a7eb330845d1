package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// diary is an uptime.Recent that says what was noted.
type diary struct {
	mu    sync.Mutex
	wrote []string
	did   bool
}

var _ uptime.Recent = (*diary)(nil)

func (d *diary) Wrote(_ context.Context, who string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wrote = append(d.wrote, who)
}

func (d *diary) DidWrite(context.Context, string) bool { return d.did }

func (d *diary) take() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	wrote := d.wrote
	d.wrote = nil
	return wrote
}

// looking notes whether lists were to be read from the primary.
type looking struct {
	*fake
	fresh []bool
}

func (l *looking) Monitors(ctx context.Context, a uptime.Actor, f uptime.MonitorFilter, p uptime.Page) (uptime.List[manage.MonitorView], error) {
	l.fresh = append(l.fresh, uptime.IsFresh(ctx))
	return l.fake.Monitors(ctx, a, f, p)
}

func TestRecentWrites(t *testing.T) {
	t.Parallel()
	f := &fake{role: uptime.RoleOwner, theme: "auto"}
	d, l := &diary{}, &looking{fake: f}
	w, err := New(Deps{Manage: l, Bus: f, Clock: sampleNow, Log: slog.New(slog.DiscardHandler), Random: sampleName, Version: "1.0.0", Recent: d})
	require.NoError(t, err)

	require.Equal(t, http.StatusOK, ask(w, "/monitors", nil).Code)
	require.Equal(t, http.StatusOK, ask(w, "/monitors", nil, asFragment).Code)
	require.NotContains(t, l.fresh, true)
	require.Empty(t, d.take())
	d.did, l.fresh = true, nil
	require.Equal(t, http.StatusOK, ask(w, "/monitors", nil).Code)
	require.Equal(t, http.StatusOK, ask(w, "/monitors", nil, asFragment).Code)
	require.NotContains(t, l.fresh, false)
	require.Empty(t, d.take())

	require.Equal(t, http.StatusSeeOther, ask(w, "/monitors/1/pause", url.Values{}).Code)
	require.Equal(t, []string{"user:1"}, d.take())
	f.failure = uptime.Invalid(uptime.FieldError{Field: "name", Message: "is required"})
	require.Equal(t, http.StatusUnprocessableEntity, ask(w, "/monitors", url.Values{"type": {"http"}}).Code)
	require.Empty(t, d.take(), "refused")
	f.failure = uptime.ErrUnavailable
	require.Equal(t, http.StatusServiceUnavailable, ask(w, "/monitors/1/pause", url.Values{}).Code)
	require.Equal(t, []string{"user:1"}, d.take(), "it may be done")
}

// TestConditionsForScripts: pages without a stream ask.
func TestConditionsForScripts(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	require.JSONEq(t, `{"conditions":[],"counts":{"workspace":1,"down":2,"open":3,"icon":"down","version":"1.0.0"}}`, ask(w, "/conditions", nil).Body.String())
	f.goesWrong(uptime.ConditionRedis)
	rec := ask(w, "/conditions", nil)
	require.Contains(t, rec.Body.String(), `{"name":"redis","detail":"Redis does not answer`)
	require.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
	require.NotContains(t, ask(w, "/login", nil, anonymous).Body.String(), "Redis", "strangers are told nothing")
	german := ask(w, "/conditions", nil, func(r *http.Request) { r.Header.Set("Accept-Language", "de") }).Body.String()
	require.Contains(t, german, `{"name":"redis","detail":"Redis antwortet nicht`)
}

// TestOriginBehindABalancer: a browser that sends no Sec-Fetch-Site is judged by
// the host that it used, which httpd takes from trusted proxies only.
func TestOriginBehindABalancer(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	post := func(origin, host string) int {
		return ask(w, "/monitors/1/pause", url.Values{}, from(uptime.Request{Host: host}), func(r *http.Request) {
			r.Host = "app-1.internal:8080"
			r.Header.Set("Origin", origin)
		}).Code
	}
	require.Equal(t, http.StatusSeeOther, post("http://monitor.example.com", "monitor.example.com"))
	require.Equal(t, http.StatusForbidden, post("http://evil.example.com", "monitor.example.com"))
	require.Equal(t, http.StatusForbidden, post("http://app-1.internal:8080", "monitor.example.com"))
	require.Equal(t, http.StatusForbidden, post("http://monitor.example.com", "app-1.internal:8080"), "nobody to trust said so")
}

// TestProcessesServeTheSameAssets: a page of one process finds its files in
// another.
func TestProcessesServeTheSameAssets(t *testing.T) {
	t.Parallel()
	a, _ := setup(t)
	b, _ := setup(t)
	require.Equal(t, a.assets.names, b.assets.names)
}
