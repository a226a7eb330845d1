package manage_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/form"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func (b *bundle) setDefaults(t *testing.T, body string) manage.MonitorDefaultsView {
	t.Helper()
	v, err := b.ReplaceMonitorDefaults(context.Background(), b.owner, json.RawMessage(body), "")
	require.NoError(t, err)
	return v
}

func settingsOf(t *testing.T, raw json.RawMessage) map[string]any {
	t.Helper()
	var out map[string]any
	require.NoError(t, json.Unmarshal(raw, &out))
	return out
}

func TestDefaultsOfNewMonitors(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	before := b.monitor(t, leastMonitor)
	plain, err := b.MonitorDefaults(ctx, b.as(uptime.RoleViewer))
	require.NoError(t, err)
	require.Equal(t, form.Duration(time.Minute), plain.Interval)
	require.Nil(t, plain.UpdatedAt)
	require.NotContains(t, settingsOf(t, plain.Types["http"]), "url", "each monitor has its own")
	require.NotContains(t, settingsOf(t, plain.Types["http"]), "headers", "they may be secret")

	v := b.setDefaults(t, `{"interval":"30s","timeout":"25s","failures_before_down":4,"resend_every":"1h","regions":["default","eu"],"min_regions_down":2,
		"http":{"degraded_after":"2s","follow_redirects":false}}`)
	require.Equal(t, form.Duration(25*time.Second), v.Timeout)
	require.NotNil(t, v.UpdatedAt)

	m := b.monitor(t, leastMonitor)
	require.Equal(t, []any{form.Duration(30 * time.Second), form.Duration(25 * time.Second), form.Duration(20 * time.Second), 4, form.Duration(time.Hour), 2},
		[]any{m.Interval, m.Timeout, m.RetryInterval, m.FailuresBeforeDown, m.ResendEvery, m.MinRegionsDown})
	require.Equal(t, []string{"default", "eu"}, m.Regions)
	require.Equal(t, "2s", settingsOf(t, m.Settings)["degraded_after"])
	require.Equal(t, false, settingsOf(t, m.Settings)["follow_redirects"])

	own := b.monitor(t, `{"name":"Own","type":"http","interval":"10s","regions":["eu"],"http":{"url":"https://example.com","degraded_after":"0s"}}`)
	require.Equal(t, form.Duration(10*time.Second), own.Timeout, "no longer than the interval")
	require.Equal(t, 1, own.MinRegionsDown, "no more than there are regions")
	require.Equal(t, "0s", settingsOf(t, own.Settings)["degraded_after"])

	still, err := b.Monitor(ctx, b.owner, before.ID)
	require.NoError(t, err)
	require.Equal(t, form.Duration(time.Minute), still.Interval, "those that exist keep what they have")
	patched, err := b.PatchMonitor(ctx, b.owner, before.ID, json.RawMessage(`{"name":"Renamed"}`), "")
	require.NoError(t, err)
	require.Equal(t, form.Duration(time.Minute), patched.Interval)

	v = b.setDefaults(t, `{}`)
	require.Equal(t, plain.Types, v.Types)
	require.Equal(t, plain.Interval, v.Interval, "what is left out is the program's again")
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	again := b.setDefaults(t, string(raw))
	require.Zero(t, again.Change)
	v.Change = 0
	require.Equal(t, v, again, "an answer can be put back, and changes nothing")
}

func TestDefaultsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	for body, want := range map[string]string{
		`{"interval":"1s"}`:                               "interval must be at least 5s",
		`{"failures_before_down":0}`:                      "failures_before_down must be from 1 to 20",
		`{"regions":["eu"],"min_regions_down":2}`:         "min_regions_down must not be more than the number of regions (1)",
		`{"http":{"degraded_after":"soon"}}`:              `http.degraded_after must be a duration such as "90s", "5m" or "30d"`,
		`{"http":5}`:                                      "http must be an object",
		`{"name":"x"}`:                                    "name is not a field of the defaults of new monitors; allowed are interval, timeout, retry_interval, failures_before_down, successes_before_up, resend_every, regions, min_regions_down, http, tcp",
		`{"http":{"headers":{"Authorization":"secret"}}}`: "",
		`{"http":{"url":"https://example.com"}}`:          "",
	} {
		_, err := b.ReplaceMonitorDefaults(ctx, b.owner, json.RawMessage(body), "")
		found := problems(t, err)
		if want == "" {
			require.Contains(t, found[0], "has no default", body)
			continue
		}
		require.Contains(t, found, want, body)
	}
	stale := b.setDefaults(t, `{"interval":"30s"}`).ETag
	b.setDefaults(t, `{"interval":"45s"}`)
	_, err := b.ReplaceMonitorDefaults(ctx, b.owner, json.RawMessage(`{}`), stale)
	require.Equal(t, uptime.CodePrecondition, uptime.CodeOf(err))
}

func TestRetentionIsChosen(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	day := 24 * time.Hour
	deps := b.deps
	deps.Config.Retention = manage.RetentionConfig{
		Retention: uptime.Retention{Results: 30 * day, Rollups: 400 * day}, Fixed: []string{"rollups"},
	}
	m := manage.New(deps)
	v, err := m.Retention(ctx, b.owner)
	require.NoError(t, err)
	require.Equal(t, []any{form.Duration(30 * day), form.Duration(400 * day), form.Duration(0)}, []any{v.Results, v.Rollups, v.Incidents})

	_, err = m.ReplaceRetention(ctx, b.owner, json.RawMessage(`{"results":"90d","incidents":"365d","rollups":"400d"}`), v.ETag)
	require.NoError(t, err)
	kept, err := m.KeptHistory(ctx)
	require.NoError(t, err)
	require.Equal(t, uptime.Retention{Results: 90 * day, Rollups: 400 * day, Incidents: 365 * day}, kept)

	for body, want := range map[string]string{
		`{"results":"0s"}`:    "results must be at least 1d",
		`{"results":"1h"}`:    "results must be at least 1d",
		`{"incidents":"1h"}`:  "incidents must be 0s (for ever) or at least 1d",
		`{"rollups":"10d"}`:   "rollups is set by the program's settings (retention.rollups) to 400d",
		`{"results":"5000d"}`: "results must be at most 3650d",
		`{"all":"1d"}`:        "all is not a field of the retention; allowed are results, rollups, incidents",
	} {
		_, err := m.ReplaceRetention(ctx, b.owner, json.RawMessage(body), "")
		require.Equal(t, []string{want}, problems(t, err), body)
	}
	_, err = m.ReplaceRetention(ctx, b.owner, json.RawMessage(`{}`), `"77"`)
	require.Equal(t, uptime.CodePrecondition, uptime.CodeOf(err))

	// It counts for every workspace, so it is the first one's to choose.
	owner, _ := b.annex(t)
	_, err = m.ReplaceRetention(ctx, owner, json.RawMessage(`{"results":"1d"}`), "")
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
	v, err = m.Retention(ctx, owner)
	require.NoError(t, err)
	require.Equal(t, form.Duration(90*day), v.Results)
	require.False(t, v.Changeable)

	// The operator's word wins over what was chosen before.
	deps.Config.Retention.Fixed = []string{"results", "rollups"}
	kept, err = manage.New(deps).KeptHistory(ctx)
	require.NoError(t, err)
	require.Equal(t, 30*day, kept.Results)
}
