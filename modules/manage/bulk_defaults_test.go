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

const defaultsOfBefore = `{"interval":"60s","timeout":"10s","failures_before_down":2,"resend_every":"0s","regions":["default"],"min_regions_down":1,
	"http":{"degraded_after":"0s","follow_redirects":true}}`

// TestMonitorsFollowTheDefaults: what has the value of before gets that of now, what has its
// own keeps it, and the job can be taken back.
func TestMonitorsFollowTheDefaults(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	follows := b.monitor(t, `{"name":"Follows","type":"http","http":{"url":"https://example.com","headers":{"Authorization":"Bearer secret"}}}`)
	partly := b.monitor(t, `{"name":"Partly","type":"http","interval":"5m","failures_before_down":7,"regions":["eu"],"http":{"url":"https://example.com","degraded_after":"9s"}}`)
	own := b.monitor(t, `{"name":"Own","type":"tcp","interval":"10s","timeout":"9s","failures_before_down":1,"resend_every":"2h","regions":["eu"],"tcp":{"host":"example.com","port":25}}`)
	ids := []int64{follows.ID, partly.ID, own.ID}
	before := b.all(t, ids)

	v := b.setDefaults(t, `{"interval":"2m","timeout":"20s","failures_before_down":4,"resend_every":"1h","regions":["default","eu"],"min_regions_down":2,
		"http":{"degraded_after":"2s","follow_redirects":false}}`)
	from, err := b.ReplacedDefaults(ctx, b.owner, v.Change)
	require.NoError(t, err)
	require.JSONEq(t, defaultsOfBefore, string(from))
	require.Equal(t, before, b.all(t, ids), "nothing follows by itself")
	require.Zero(t, b.setDefaults(t, `{"interval":"2m","timeout":"20s","failures_before_down":4,"resend_every":"1h","regions":["default","eu"],"min_regions_down":2,
		"http":{"degraded_after":"2s","follow_redirects":false}}`).Change, "nothing was changed")

	body := `{"filter":{},"action":"defaults","from":` + string(from)
	dry := b.bulk(t, body+`,"dry_run":true}`)
	require.Equal(t, [4]int{3, 2, 1, 0}, [4]int{dry.Total, dry.Changed, dry.Same, dry.Skipped})
	b.clock.add(time.Second)
	job := b.bulk(t, body+`,"set":"`+dry.Set+`"}`)
	b.setDefaults(t, `{"interval":"7m"}`)
	_, err = b.ReplacedDefaults(ctx, b.owner, v.Change)
	require.ErrorIs(t, err, uptime.ErrNotFound, "it was not the last change any more")
	_, err = b.BulkMonitors(ctx, b.owner, json.RawMessage(body+`,"set":"`+dry.Set+`"}`))
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err), "it would do something else by now")
	done := b.ran(t, *job.ID)
	require.Equal(t, [3]int{2, 1, 0}, [3]int{done.Changed, done.Same, done.Skipped}, "as the preview said")
	after := b.all(t, ids)
	require.Equal(t, []any{2 * time.Minute, 20 * time.Second, 4, time.Hour, []string{"default", "eu"}, 2}, common(after[0]))
	require.Equal(t, []any{5 * time.Minute, 20 * time.Second, 7, time.Hour, []string{"eu"}, 1}, common(after[1]), "what it has of its own stays")
	require.Equal(t, common(before[2]), common(after[2]))
	require.Equal(t, []any{"2s", false}, httpOf(t, after[0]))
	require.Equal(t, []any{"9s", false}, httpOf(t, after[1]))
	require.Equal(t, before[0].Target, after[0].Target)
	require.Equal(t, settingsOf(t, before[0].Settings)["headers"], settingsOf(t, after[0].Settings)["headers"], "secrets stay sealed as they are")

	undo, err := b.UndoBulk(ctx, b.owner, *done.ID)
	require.NoError(t, err)
	require.Equal(t, 2, b.ran(t, *undo.ID).Changed)
	for i, m := range b.all(t, ids) {
		require.Equal(t, common(before[i]), common(m))
		require.JSONEq(t, string(before[i].Settings), string(m.Settings))
	}
}

// TestFollowingTakenBack leaves what was changed since, and makes nothing that cannot be.
func TestFollowingTakenBack(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	for range 3 {
		b.monitor(t, `{"name":"m","type":"http","http":{"url":"https://example.com","method":"HEAD"}}`)
	}
	b.setDefaults(t, `{"interval":"2m","timeout":"20s","http":{"degraded_after":"2s"}}`)
	job := b.bulk(t, `{"filter":{},"action":"defaults","from":{"interval":"60s","timeout":"10s","http":{"degraded_after":"0s","method":"HEAD"}}}`)
	require.Equal(t, 3, b.ran(t, *job.ID).Changed)
	for id, patch := range map[int64]string{1: `{"interval":"5m","http":{"degraded_after":"9s"}}`, 2: `{"http":{"keyword":"ok"}}`} {
		_, err := b.PatchMonitor(ctx, b.owner, id, json.RawMessage(patch), "")
		require.NoError(t, err)
	}
	undo, err := b.UndoBulk(ctx, b.owner, *job.ID)
	require.NoError(t, err)
	done := b.ran(t, *undo.ID)
	require.Equal(t, []manage.BulkSkipView{{ID: 2, Name: "m", Reason: "would not be valid: keyword cannot be looked for with HEAD, whose answers have no body"}}, done.Skips)
	all := b.all(t, []int64{1, 2, 3})
	require.Equal(t, []any{5 * time.Minute, 10 * time.Second}, common(all[0])[:2])
	require.Equal(t, "9s", httpOf(t, all[0])[0])
	require.Equal(t, []any{2 * time.Minute, 20 * time.Second}, common(all[1])[:2], "as it is")
	require.Equal(t, []any{time.Minute, 10 * time.Second}, common(all[2])[:2])
	require.Equal(t, "0s", httpOf(t, all[2])[0])
	require.Equal(t, "HEAD", settingsOf(t, all[2].Settings)["method"])
}

func common(m uptime.Monitor) []any {
	return []any{m.Interval, m.Timeout, m.FailuresBeforeDown, m.ResendEvery, m.Regions, m.MinRegionsDown}
}

func httpOf(t *testing.T, m uptime.Monitor) []any {
	t.Helper()
	s := settingsOf(t, m.Settings)
	return []any{s["degraded_after"], s["follow_redirects"]}
}

// TestFollowingIsNotForAll: a monitor that could not be as the defaults have it is left out,
// and what is asked for is judged.
func TestFollowingIsNotForAll(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	b.monitor(t, `{"name":"Word","type":"http","http":{"url":"https://example.com","keyword":"ok"}}`)
	b.monitor(t, `{"name":"Long","type":"http","timeout":"50s","http":{"url":"https://example.com"}}`)
	b.setDefaults(t, `{"interval":"30s","http":{"method":"HEAD"}}`)
	dry := b.bulk(t, `{"filter":{},"action":"defaults","from":{"interval":"1m","http":{"method":"GET"}},"dry_run":true}`)
	require.Equal(t, []manage.BulkSkipView{
		{ID: 1, Name: "Word", Reason: "would not be valid: keyword cannot be looked for with HEAD, whose answers have no body"},
		{ID: 2, Name: "Long", Reason: "its timeout of 50s is longer"},
	}, dry.Skips)
	for body, want := range map[string]string{
		``:                           "from is required",
		`,"from":7`:                  `from must be an object such as {"interval": "1m"}: defaults of before`,
		`,"from":{"interval":"x"}`:   `from.interval must be a duration such as "90s", "5m" or "30d"`,
		`,"from":{"name":"x"}`:       "from.name is not a field of the defaults of new monitors; allowed are interval, timeout, retry_interval, failures_before_down, successes_before_up, resend_every, regions, min_regions_down, http, tcp",
		`,"from":{"http":{"url":7}}`: "",
	} {
		_, err := b.BulkMonitors(ctx, b.owner, json.RawMessage(`{"filter":{},"action":"defaults"`+body+`}`))
		found := problems(t, err)
		if want == "" {
			require.Contains(t, found[0], "from.http.url has no default", body)
			continue
		}
		require.Contains(t, found, want, body)
	}
}
