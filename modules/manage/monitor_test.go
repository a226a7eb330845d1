package manage_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func TestLeastMonitorGetsTheDefaults(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := b.monitor(t, leastMonitor)
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	require.JSONEq(t, `{"id":1,"name":"Shop","type":"http","enabled":true,"external_key":"","group":"",
		"interval":"60s","timeout":"10s","retry_interval":"20s","failures_before_down":2,"successes_before_up":1,"resend_every":"0s",
		"regions":["default"],"min_regions_down":1,
		"http":{"url":"https://example.com","method":"GET","headers":{},"body":"","expected_status":["200-299"],"follow_redirects":true,
			"keyword":"","keyword_absent":false,"degraded_after":"0s","certificate_warning_days":14,"verify_tls":true},
		"target":"https://example.com","tags":{},"channel_ids":[],"status":"pending","status_since":"2026-01-02T03:04:05Z",
		"consecutive_failures":0,"last_checked_at":null,"last_response_ms":null,"last_error":null,"certificate_expires_at":null,"silenced_until":null,
		"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z"}`, string(raw))
	stored, err := b.store.Monitor(context.Background(), b.owner.WorkspaceID, v.ID)
	require.NoError(t, err)
	require.Equal(t, b.clock.Now(), stored.CheckAt, "a new monitor is checked at once")
}

func TestShortIntervalShortensTheDefaults(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := b.monitor(t, `{"name":"Shop","type":"http","interval":"5s","http":{"url":"https://example.com"}}`)
	require.Equal(t, "5s", v.Timeout.String())
	require.Equal(t, "5s", v.RetryInterval.String())
}

// TestAnswerCanBePutBack: read-only fields are ignored and nothing changes.
func TestAnswerCanBePutBack(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	v := b.monitor(t, `{"name":"Shop","type":"http","tags":{"team":"web"},"group":"Shop/EU",
		"http":{"url":"https://u:secret@example.com","headers":{"Authorization":"Bearer x","Accept":"a"}}}`)
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	require.NotContains(t, string(raw), "secret")
	require.NotContains(t, string(raw), "Bearer")
	again, err := b.ReplaceMonitor(ctx, b.owner, v.ID, raw, v.ETag)
	require.NoError(t, err)
	require.Equal(t, v, again, "not even the version")
	b.clock.add(time.Hour)
	patched, err := b.PatchMonitor(ctx, b.owner, v.ID, raw, "")
	require.NoError(t, err)
	require.Equal(t, v.ETag, patched.ETag)
}

func TestPatch(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	v := b.monitor(t, `{"name":"Shop","type":"http","tags":{"team":"web","env":"prod"},
		"http":{"url":"https://example.com","headers":{"A":"1","B":"2"},"expected_status":["200","201"]}}`)
	b.clock.add(time.Minute)
	v, err := b.PatchMonitor(ctx, b.owner, v.ID, json.RawMessage(`{"tags":{"env":null,"new":"x"},"http":{"headers":{"A":null},"expected_status":["204"]}}`), v.ETag)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"team": "web", "new": "x"}, v.Tags)
	require.JSONEq(t, `{"url":"https://example.com","method":"GET","headers":{"B":"2"},"body":"","expected_status":["204"],"follow_redirects":true,
		"keyword":"","keyword_absent":false,"degraded_after":"0s","certificate_warning_days":14,"verify_tls":true}`, string(v.Settings))
	stored, err := b.store.Monitor(ctx, b.owner.WorkspaceID, v.ID)
	require.NoError(t, err)
	require.Equal(t, b.clock.Now(), stored.CheckAt, "changed settings ask for a check at once")

	b.clock.add(time.Minute)
	v, err = b.PatchMonitor(ctx, b.owner, v.ID, json.RawMessage(`{"name":"Other","tags":null,"http":{"expected_status":null}}`), "")
	require.NoError(t, err)
	require.Equal(t, "Other", v.Name)
	require.Empty(t, v.Tags)
	require.Contains(t, string(v.Settings), `"expected_status":["200-299"]`, "null is the default")

	for name, c := range map[string]struct{ patch, want string }{
		"Type":           {`{"type":"tcp"}`, "type cannot change; it is http"},
		"TypeGone":       {`{"type":null}`, "type is required"},
		"NameGone":       {`{"name":null}`, "name is required"},
		"OtherBlock":     {`{"tcp":{"host":"x"}}`, "tcp belongs to monitors of type tcp; this one is http"},
		"StrangeNull":    {`{"http":{"nope":null}}`, "http.nope is not a field of http; allowed are url, method, headers, body, expected_status, follow_redirects, keyword, keyword_absent, degraded_after, certificate_warning_days, verify_tls"},
		"Doubled":        {`{"name":"a","name":"b"}`, "name is given twice"},
		"TimeoutTooLong": {`{"timeout":"2m"}`, "timeout must not be longer than the interval (60s)"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.PatchMonitor(ctx, b.owner, v.ID, json.RawMessage(c.patch), "")
			require.Equal(t, []string{c.want}, problems(t, err))
		})
	}
}

func TestPatchedIntervalTakesDefaultsAlong(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	v := b.monitor(t, leastMonitor)
	v, err := b.PatchMonitor(ctx, b.owner, v.ID, json.RawMessage(`{"interval":"5s"}`), "")
	require.NoError(t, err)
	require.Equal(t, "5s", v.Timeout.String())
	v, err = b.PatchMonitor(ctx, b.owner, v.ID, json.RawMessage(`{"interval":"60s","timeout":"7s"}`), "")
	require.NoError(t, err)
	_, err = b.PatchMonitor(ctx, b.owner, v.ID, json.RawMessage(`{"interval":"6s"}`), "")
	require.Equal(t, []string{"timeout must not be longer than the interval (6s)"}, problems(t, err), "what somebody chose stays")
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	v := b.monitor(t, leastMonitor)
	patch := json.RawMessage(`{"name":"Second"}`)
	second, err := b.PatchMonitor(ctx, b.owner, v.ID, patch, v.ETag)
	require.NoError(t, err)
	require.NotEqual(t, v.ETag, second.ETag)
	for _, tag := range []string{v.ETag, `"x"`, "nonsense"} {
		_, err = b.PatchMonitor(ctx, b.owner, v.ID, patch, tag)
		require.Equal(t, uptime.CodePrecondition, uptime.CodeOf(err), tag)
		require.Equal(t, uptime.CodePrecondition, uptime.CodeOf(b.DeleteMonitor(ctx, b.owner, v.ID, tag)), tag)
	}
	for _, tag := range []string{"*", "W/" + second.ETag, `"x", ` + second.ETag} {
		_, err = b.PatchMonitor(ctx, b.owner, v.ID, patch, tag)
		require.NoError(t, err, tag)
	}
}

// secretsAsStored reads what the worker would.
func (b *bundle) opened(t *testing.T, id int64) string {
	t.Helper()
	mon, err := b.store.Monitor(context.Background(), b.owner.WorkspaceID, id)
	require.NoError(t, err)
	for _, secret := range []string{"hunter2", "Bearer x", "Bearer y"} {
		require.NotContains(t, string(mon.Settings), secret, "sealed at rest")
		require.NotContains(t, mon.Target, secret)
	}
	place := uptime.SecretPlace{WorkspaceID: mon.WorkspaceID, Table: "monitors", RowKey: mon.RowKey}
	kind, ok := kinds(b.MonitorKinds()).Kind(mon.Type)
	require.True(t, ok)
	raw, err := manage.OpenSettings(b.sealer, kind, place, mon.Settings)
	require.NoError(t, err)
	return string(raw)
}

func TestSecretsOfMonitors(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	v := b.monitor(t, `{"name":"Shop","type":"http","http":{"url":"https://u:hunter2@example.com/x","headers":{"Authorization":"Bearer x"}}}`)
	require.Contains(t, string(v.Settings), `"url":"https://u:********@example.com/x"`)
	require.Contains(t, string(v.Settings), `"Authorization":"********"`)
	require.Contains(t, b.opened(t, v.ID), `"url":"https://u:hunter2@example.com/x"`)
	require.Contains(t, b.opened(t, v.ID), `"Authorization":"Bearer x"`)

	_, err := b.PatchMonitor(ctx, b.owner, v.ID, json.RawMessage(`{"http":{"url":"https://u:********@example.com/y","headers":{"Authorization":"********"}}}`), "")
	require.NoError(t, err)
	require.Contains(t, b.opened(t, v.ID), `"url":"https://u:hunter2@example.com/y"`, "the password stays, the path changes")
	require.Contains(t, b.opened(t, v.ID), `"Authorization":"Bearer x"`)

	_, err = b.PatchMonitor(ctx, b.owner, v.ID, json.RawMessage(`{"http":{"headers":{"Authorization":null,"authorization":"********"}}}`), "")
	require.NoError(t, err)
	require.Contains(t, b.opened(t, v.ID), `"authorization":"Bearer x"`, "the name's case may change")

	_, err = b.PatchMonitor(ctx, b.owner, v.ID, json.RawMessage(`{"http":{"headers":{"authorization":"Bearer y"}}}`), "")
	require.NoError(t, err)
	require.Contains(t, b.opened(t, v.ID), `"authorization":"Bearer y"`)

	_, err = b.PatchMonitor(ctx, b.owner, v.ID, json.RawMessage(`{"http":{"url":"https://example.com","headers":{"authorization":""}}}`), "")
	require.NoError(t, err)
	require.Contains(t, b.opened(t, v.ID), `"authorization":""`)
	require.Contains(t, b.opened(t, v.ID), `"url":"https://example.com"`)

	_, err = b.PatchMonitor(ctx, b.owner, v.ID, json.RawMessage(`{"http":{"url":"nowhere/u:********@x"}}`), "")
	require.Equal(t, []string{"http.url must be an absolute http or https URL"}, problems(t, err))
}

// TestSealedTextIsNoSecret: who writes a sealed value gets it sealed again.
func TestSealedTextIsNoSecret(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sealed, err := b.sealer.Seal(uptime.SecretPlace{WorkspaceID: 1, Table: "monitors", RowKey: "other", Field: "http.headers.Authorization"}, "hunter2")
	require.NoError(t, err)
	v := b.monitor(t, `{"name":"Shop","type":"http","http":{"url":"https://example.com","headers":{"Authorization":"`+sealed+`"}}}`)
	require.Contains(t, b.opened(t, v.ID), sealed)
}

func TestUpsert(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	v, created, err := b.UpsertMonitor(ctx, b.owner, "shop-eu", json.RawMessage(leastMonitor), "")
	require.NoError(t, err)
	require.True(t, created)
	require.Equal(t, "shop-eu", v.ExternalKey)
	again, created, err := b.UpsertMonitor(ctx, b.owner, "shop-eu", json.RawMessage(`{"name":"New","type":"http","http":{"url":"https://example.com"}}`), "")
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, v.ID, again.ID)
	require.Equal(t, "New", again.Name)
	_, _, err = b.UpsertMonitor(ctx, b.owner, "shop-eu", json.RawMessage(`{"name":"New","type":"http","external_key":"x","http":{"url":"https://example.com"}}`), "")
	require.Equal(t, []string{"external_key must be the one in the path"}, problems(t, err))

	other := b.monitor(t, leastMonitor)
	_, err = b.PatchMonitor(ctx, b.owner, other.ID, json.RawMessage(`{"external_key":"shop-eu"}`), "")
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
	require.ErrorContains(t, err, "external_key is taken by another monitor")
}

func TestPauseResumeDeleteRestore(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	v := b.monitor(t, leastMonitor)
	v, err := b.PauseMonitor(ctx, b.owner, v.ID)
	require.NoError(t, err)
	require.Equal(t, uptime.Paused, v.Status)
	_, err = b.CheckNow(ctx, b.owner, v.ID)
	require.Equal(t, uptime.CodePaused, uptime.CodeOf(err))
	b.clock.add(time.Hour)
	v, err = b.ResumeMonitor(ctx, b.owner, v.ID)
	require.NoError(t, err)
	require.Equal(t, uptime.Pending, v.Status)
	stored, err := b.store.Monitor(ctx, b.owner.WorkspaceID, v.ID)
	require.NoError(t, err)
	require.Equal(t, b.clock.Now(), stored.CheckAt)

	require.NoError(t, b.DeleteMonitor(ctx, b.owner, v.ID, ""))
	_, err = b.Monitor(ctx, b.owner, v.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, err = b.RestoreMonitor(ctx, b.owner, v.ID)
	require.NoError(t, err)
	_, err = b.Monitor(ctx, b.owner, v.ID)
	require.NoError(t, err)
	b.clock.add(8 * 24 * time.Hour)
	require.NoError(t, b.DeleteMonitor(ctx, b.owner, v.ID, ""))
	b.clock.add(8 * 24 * time.Hour)
	_, err = b.RestoreMonitor(ctx, b.owner, v.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
}

func TestFiltersThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	_, err := b.Monitors(ctx, b.owner, uptime.MonitorFilter{Statuses: []uptime.Status{"sad"}, Types: []string{"x"}, Sort: "size", Offset: -1}, uptime.Page{})
	require.Equal(t, []string{
		"status must be one of down, degraded, unknown, pending, maintenance, up, paused", "type must be one of http, tcp",
		"sort must be one of status, name, checked, response, group", "page must not be negative",
	}, problems(t, err))
	for _, limit := range []int{-1, 201} {
		_, err = b.Monitors(ctx, b.owner, uptime.MonitorFilter{}, uptime.Page{Limit: limit})
		require.Equal(t, []string{"limit must be from 1 to 200"}, problems(t, err))
	}
	_, err = b.Monitors(ctx, b.owner, uptime.MonitorFilter{}, uptime.Page{Cursor: "nonsense"})
	require.NotEqual(t, uptime.CodeInternal, uptime.CodeOf(err))
	v := b.monitor(t, leastMonitor)
	_, err = b.Stats(ctx, b.owner, v.ID, manage.StatsQuery{Window: "2y"})
	require.Equal(t, []string{"window must be one of 24h, 7d, 30d, 90d, 1y"}, problems(t, err))
	_, err = b.Stats(ctx, b.owner, v.ID, manage.StatsQuery{From: b.clock.Now(), To: b.clock.Now()})
	require.Equal(t, []string{"to must be after from"}, problems(t, err))
	_, err = b.Results(ctx, b.owner, v.ID, uptime.ResultFilter{Status: "paused"}, uptime.Page{})
	require.Equal(t, []string{"status must be one of up, degraded, down, unknown"}, problems(t, err))
	_, err = b.Deliveries(ctx, b.owner, uptime.DeliveryFilter{Status: "lost"}, uptime.Page{})
	require.Equal(t, []string{"status must be one of pending, sending, delivered, dead, merged, cancelled"}, problems(t, err))
	_, err = b.Buckets(ctx, b.owner, []int64{v.ID}, b.clock.Now().Add(-time.Hour), b.clock.Now(), 0)
	require.Equal(t, []string{"width must be at least 1s and give at most 2000 buckets"}, problems(t, err))
}
