package manage_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func TestSilence(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	v := b.monitor(t, leastMonitor)
	b.clock.add(time.Minute)
	v, err := b.SilenceMonitor(ctx, b.owner, v.ID, json.RawMessage(`{"for":"8h","note":" Moving the rack. "}`))
	require.NoError(t, err)
	require.Equal(t, b.clock.Now().Add(8*time.Hour), *v.SilencedUntil)
	require.Equal(t, "Olga", v.SilencedBy)
	require.Equal(t, "Moving the rack.", v.SilenceNote)

	// It is read-only elsewhere, and survives what is written there.
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	again, err := b.ReplaceMonitor(ctx, b.owner, v.ID, raw, v.ETag)
	require.NoError(t, err)
	require.Equal(t, v, again)
	patched, err := b.PatchMonitor(ctx, b.owner, v.ID, json.RawMessage(`{"name":"Other","silenced_until":null}`), v.ETag)
	require.NoError(t, err)
	require.Equal(t, v.SilencedUntil, patched.SilencedUntil)

	until := b.clock.Now().Add(time.Hour)
	v, err = b.SilenceMonitor(ctx, b.owner, v.ID, json.RawMessage(`{"until":"`+until.Format(time.RFC3339)+`"}`))
	require.NoError(t, err)
	require.Equal(t, until, *v.SilencedUntil)
	require.Empty(t, v.SilenceNote)
	silenced := true
	n, err := b.CountMonitors(ctx, b.owner, uptime.MonitorFilter{Silenced: &silenced})
	require.NoError(t, err)
	require.EqualValues(t, 1, n)

	v, err = b.UnsilenceMonitor(ctx, b.owner, v.ID)
	require.NoError(t, err)
	require.Nil(t, v.SilencedUntil)
	require.Empty(t, v.SilencedBy)
	_, err = b.SilenceMonitor(ctx, b.as(uptime.RoleViewer), v.ID, json.RawMessage(`{"for":"1h"}`))
	require.Equal(t, uptime.CodeForbidden, uptime.CodeOf(err))
	_, err = b.UnsilenceMonitor(ctx, b.as(uptime.RoleViewer), v.ID)
	require.Equal(t, uptime.CodeForbidden, uptime.CodeOf(err))
	log, err := b.store.AuditLog(ctx, b.owner.WorkspaceID, uptime.AuditFilter{ObjectType: "monitor"}, uptime.Page{Limit: 10})
	require.NoError(t, err)
	require.Equal(t, "monitor.unsilence", log.Items[0].Action)
	require.Contains(t, string(log.Items[1].Detail), "until")
}

func TestSilencesThatCannotBe(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := b.monitor(t, leastMonitor)
	far := b.clock.Now().Add(31 * 24 * time.Hour).Format(time.RFC3339)
	for body, want := range map[string]string{
		`{}`:                               `for is required: for how long, such as "1h", or until when in "until"`,
		`{"for":"31d"}`:                    "for must be at most 30d",
		`{"for":"1s"}`:                     "for must be at least 60s",
		`{"for":7}`:                        `for must be a duration such as "90s", "5m" or "30d"`,
		`{"until":"soon"}`:                 `until must be a time such as "2026-01-02T03:04:05Z"`,
		`{"until":"` + far + `"}`:          "until must be at most 30d from now",
		`{"until":"2026-01-02T03:04:00Z"}`: "until must be at least 60s from now",
		`{"for":"1h","until":"2026-01-02T05:04:05Z"}`: "until cannot be given together with for",
		`{"for":"1h","who":"me"}`:                     "who is not a field of a silence; allowed are note, for, until",
	} {
		_, err := b.SilenceMonitor(context.Background(), b.owner, v.ID, json.RawMessage(body))
		require.Equal(t, []string{want}, problems(t, err), body)
	}
}
