package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func TestSetupAndLogin(t *testing.T) {
	t.Parallel()
	b := bare(t)
	body := `{"email":"Owner@Example.com","password":"` + ownPassword + `","name":"Olga","instance_name":"Ops","time_zone":"Europe/Berlin"}`
	b.from(func(r *uptime.Request) { r.Local = false })
	refused := b.ask(t, "POST", "/api/v1/setup", body, anonymous)
	require.Equal(t, http.StatusForbidden, refused.status)
	require.Equal(t, "setup_token", refused.list("errors")[0].(map[string]any)["field"])
	made := b.ask(t, "POST", "/api/v1/setup", strings.TrimSuffix(body, "}")+`,"setup_token":"`+setupToken+`"}`, anonymous)
	require.Equal(t, http.StatusCreated, made.status, made.body)
	require.Equal(t, "owner@example.com", made.text("user.email"))
	require.Equal(t, "Bearer", made.text("token_type"))
	require.Equal(t, int64(900), made.number("expires_in"))
	require.Equal(t, "no-store", made.header.Get("Cache-Control"))

	login := b.ask(t, "POST", "/api/v1/auth/login", `{"email":"owner@example.com","password":"`+ownPassword+`"}`, anonymous)
	require.Equal(t, http.StatusOK, login.status)
	next := b.ask(t, "POST", "/api/v1/auth/refresh", `{"refresh_token":"`+login.text("refresh_token")+`"}`, anonymous)
	require.Equal(t, http.StatusOK, next.status)
	require.Equal(t, http.StatusOK, b.ask(t, "GET", "/api/v1/me", "", as(next.text("access_token"))).status)
	require.Equal(t, http.StatusNoContent, b.ask(t, "POST", "/api/v1/auth/logout", "", as(next.text("access_token"))).status)
	require.Equal(t, http.StatusUnauthorized, b.ask(t, "GET", "/api/v1/me", "", as(next.text("access_token"))).status)
	require.Equal(t, http.StatusUnauthorized,
		b.ask(t, "POST", "/api/v1/auth/refresh", `{"refresh_token":"`+next.text("refresh_token")+`"}`, anonymous).status)
}

func TestPeople(t *testing.T) {
	t.Parallel()
	b := setup(t)
	invited := b.made(t, "/users", `{"email":"grace@example.com","role":"editor"}`)
	require.Equal(t, "/api/v1/users/2", invited.header.Get("Location"))
	require.True(t, strings.HasPrefix(invited.text("invite_url"), "https://monitor.example/invite/"), invited.body)
	require.NotContains(t, b.made(t, "/users", `{"email":"a@example.com","role":"viewer","password":"`+ownPassword+`"}`).object(), "invite_url")
	page := b.ask(t, "GET", "/api/v1/users?limit=2", "")
	require.Len(t, page.list("data"), 2)
	rest := b.ask(t, "GET", "/api/v1/users?limit=2&cursor="+page.text("next_cursor"), "")
	require.Len(t, rest.list("data"), 1)
	require.Contains(t, rest.object(), "next_cursor")
	require.Nil(t, rest.object()["next_cursor"])

	user := b.ask(t, "PATCH", "/api/v1/users/2", `{"role":"viewer","name":"Grace"}`)
	require.Equal(t, "viewer", user.text("role"), user.body)
	require.Equal(t, http.StatusOK, b.ask(t, "GET", "/api/v1/users/2", "", with("If-None-Match", `"x"`)).status)
	require.Equal(t, http.StatusNoContent, b.ask(t, "DELETE", "/api/v1/users/2", "").status)
	require.Equal(t, http.StatusNotFound, b.ask(t, "GET", "/api/v1/users/2", "").status)
	require.Equal(t, http.StatusConflict, b.ask(t, "DELETE", "/api/v1/users/1", "").status)
	require.Equal(t, "Olga O.", b.ask(t, "PATCH", "/api/v1/me", `{"name":"Olga O."}`).text("name"))

	token := b.made(t, "/tokens", `{"name":"ci","expires_at":null}`)
	require.Equal(t, "/api/v1/tokens/1", token.header.Get("Location"))
	listed := b.ask(t, "GET", "/api/v1/tokens", "")
	require.NotContains(t, listed.body, token.text("secret"))
	require.Equal(t, http.StatusNoContent, b.ask(t, "DELETE", "/api/v1/tokens/1", "").status)
	require.Equal(t, http.StatusUnauthorized, b.ask(t, "GET", "/api/v1/me", "", as(token.text("secret"))).status)
}

func TestMonitors(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.ask(t, "PUT", "/api/v1/monitors/by-key/shop%2Feu%20%C3%BC", leastMonitor)
	require.Equal(t, http.StatusCreated, made.status, made.body)
	require.Equal(t, "shop/eu ü", made.text("external_key"))
	require.Equal(t, "/api/v1/monitors/1", made.header.Get("Location"))
	again := b.ask(t, "PUT", "/api/v1/monitors/by-key/shop%2Feu%20%C3%BC", strings.Replace(leastMonitor, "Shop", "Shed", 1))
	require.Equal(t, http.StatusOK, again.status, again.body)
	require.Equal(t, "Shed", again.text("name"))
	require.Empty(t, again.header.Get("Location"))

	for _, body := range []string{
		`{"name":"A","type":"http","tags":{"team":"web","eu":""},"group":"Shop/EU","http":{"url":"https://a.example"}}`,
		`{"name":"B","type":"http","tags":{"team":"ops"},"enabled":false,"http":{"url":"https://b.example"}}`,
	} {
		b.made(t, "/monitors", body)
	}
	for query, want := range map[string]string{
		"?sort=name": "A B Shed", "?sort=name&dir=desc": "Shed B A", "?tag=team:web": "A", "?tag=team&tag=eu": "A", "?tag=team&sort=name": "A B",
		"?group=Shop": "A", "?q=B.EXAMPLE": "B", "?enabled=false": "B", "?status=paused": "B", "?status=paused,pending&sort=name": "A B Shed",
		"?status=up": "", "?type=http&enabled=true&sort=name": "A Shed",
	} {
		require.Equal(t, want, strings.Join(nameList(b.ask(t, "GET", "/api/v1/monitors"+query, "")), " "), query)
	}
	require.Equal(t, "paused", b.ask(t, "POST", "/api/v1/monitors/1/pause", "").text("status"))
	require.Equal(t, "paused", b.ask(t, "POST", "/api/v1/monitors/1/check", "").text("code"))
	require.Equal(t, "pending", b.ask(t, "POST", "/api/v1/monitors/1/resume", "{}").text("status"))
	require.Equal(t, http.StatusNoContent, b.ask(t, "DELETE", "/api/v1/monitors/1", "").status)
	require.Equal(t, http.StatusNotFound, b.ask(t, "GET", "/api/v1/monitors/1/results", "").status)
	require.Equal(t, "Shed", b.ask(t, "POST", "/api/v1/monitors/1/restore", "").text("name"))
}

func nameList(a got) []string {
	var names []string
	for _, item := range a.list("data") {
		names = append(names, item.(map[string]any)["name"].(string))
	}
	return names
}

func TestCheckAndResults(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.made(t, "/monitors", leastMonitor)
	b.queue.onPush = func(jobs []uptime.Job) error { return b.record(jobs[0], uptime.Up) }
	checked := b.ask(t, "POST", "/api/v1/monitors/1/check", "")
	require.Equal(t, http.StatusOK, checked.status, checked.body)
	require.Equal(t, "up", checked.text("status"))

	all := b.ask(t, "GET", "/api/v1/monitors/1/results?include=gaps&status=up&region=default", "")
	require.Len(t, all.list("data"), 1, all.body)
	require.Equal(t, checked.object(), all.list("data")[0])
	require.NotNil(t, all.list("gaps"))
	require.NotContains(t, b.ask(t, "GET", "/api/v1/monitors/1/results", "").object(), "gaps")
	require.Empty(t, b.ask(t, "GET", "/api/v1/monitors/1/results?status=down", "").list("data"))
	later := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	require.Empty(t, b.ask(t, "GET", "/api/v1/monitors/1/results?from="+later, "").list("data"))
	stats := b.ask(t, "GET", "/api/v1/monitors/1/stats?window=7d", "")
	require.Equal(t, "7d", stats.text("window"), stats.body)
	overview := b.ask(t, "GET", "/api/v1/overview", "")
	require.InDelta(t, 2.5, overview.object()["checks_per_second"], 0)
}

// record stores a result of the job and tells of it, as the recorder does.
func (b *bundle) record(job uptime.Job, status uptime.Status) error {
	ctx := context.Background()
	result := uptime.Result{
		MonitorID: job.MonitorID, WorkspaceID: 1, Region: job.Region, ScheduledAt: job.ScheduledAt, StartedAt: job.ScheduledAt, Attempt: 1,
		Outcome: uptime.Outcome{Status: status, Response: 87400 * time.Microsecond, StatusCode: 204},
	}
	_, err := b.store.Record(ctx, []uptime.Result{result}, func(s uptime.Situation) uptime.Decision { return uptime.Decision{State: s.Monitor.State} })
	if err != nil {
		return err
	}
	return b.bus.Publish(ctx, uptime.Notice{Topic: uptime.TopicResult, WorkspaceID: 1, ID: job.MonitorID, Slot: job.ScheduledAt})
}

func TestIncidents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.made(t, "/monitors", leastMonitor)
	made := b.made(t, "/incidents", `{"title":"Slow","severity":"minor","monitor_ids":[1]}`)
	require.Equal(t, "/api/v1/incidents/1", made.header.Get("Location"))
	require.Equal(t, "acknowledged", b.ask(t, "POST", "/api/v1/incidents/1/acknowledge", "").text("status"))
	require.Equal(t, http.StatusConflict, b.ask(t, "POST", "/api/v1/incidents/1/acknowledge", `{"message":"again"}`).status)
	b.made(t, "/incidents/1/updates", `{"message":"The disk is full.","stage":"identified"}`)
	require.Equal(t, "Slower", b.ask(t, "PATCH", "/api/v1/incidents/1", `{"title":"Slower"}`).text("title"))
	require.Len(t, b.ask(t, "GET", "/api/v1/incidents?open=true", "").list("data"), 1)
	resolved := b.ask(t, "POST", "/api/v1/incidents/1/resolve", `{"message":"Done."}`)
	require.Equal(t, "resolved", resolved.text("status"), resolved.body)
	require.Equal(t, http.StatusConflict, b.ask(t, "POST", "/api/v1/incidents/1/resolve", "").status)
	require.Empty(t, b.ask(t, "GET", "/api/v1/incidents?open=true", "").list("data"))
	require.Len(t, b.ask(t, "GET", "/api/v1/incidents?open=false", "").list("data"), 1)
	b.made(t, "/incidents", `{"title":"Another"}`)
	over := b.ask(t, "GET", "/api/v1/incidents?open=false", "").list("data")
	require.Len(t, over, 1, "resolved ones only")
	require.Equal(t, "Slower", over[0].(map[string]any)["title"])
	require.Equal(t, b.ask(t, "GET", "/api/v1/incidents/1", "").list("updates"), over[0].(map[string]any)["updates"], "the same in lists")
}

func TestChannels(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.made(t, "/channels", `{"name":"Ops","type":"webhook","settings":{"url":"`+b.server.URL+`/api/nope","secret":"hunter2"}}`)
	require.Equal(t, "/api/v1/channels/1", made.header.Get("Location"))
	require.NotContains(t, made.body, "hunter2")
	tested := b.ask(t, "POST", "/api/v1/channels/1/test", "")
	require.Equal(t, http.StatusOK, tested.status, tested.body)
	require.Equal(t, false, tested.object()["ok"])
	require.Len(t, tested.list("attempts"), 2)
	require.Equal(t, true, b.ask(t, "PATCH", "/api/v1/channels/1", `{"is_default":true}`, with("If-Match", made.header.Get("ETag"))).object()["is_default"])
	require.Len(t, b.ask(t, "GET", "/api/v1/channels", "").list("data"), 1)
	require.NotNil(t, b.ask(t, "GET", "/api/v1/deliveries?status=dead&channel_id=1", "").list("data"))
	require.Equal(t, http.StatusNoContent, b.ask(t, "DELETE", "/api/v1/channels/1", "").status)
	require.Equal(t, http.StatusNotFound, b.ask(t, "GET", "/api/v1/channels/1", "").status)
}
