package manage_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func TestClone(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	v := b.monitor(t, `{"name":"Shop","type":"http","external_key":"shop","group":"Shop/EU","tags":{"team":"web","env":"prod"},"interval":"5m",
		"http":{"url":"https://u:hunter2@example.com/x","headers":{"Authorization":"Bearer x"}}}`)
	copied, err := b.CloneMonitor(ctx, b.owner, v.ID, nil)
	require.NoError(t, err)
	require.NotEqual(t, v.ID, copied.ID)
	require.Equal(t, "Shop (copy)", copied.Name)
	require.Empty(t, copied.ExternalKey)
	require.Equal(t, v.Tags, copied.Tags)
	require.Equal(t, v.Group, copied.Group)
	require.Equal(t, v.Settings, copied.Settings)
	require.NotContains(t, string(copied.Settings), "hunter2")
	require.Contains(t, b.opened(t, copied.ID), `"url":"https://u:hunter2@example.com/x"`, "sealed anew, for its own place")
	require.Contains(t, b.opened(t, copied.ID), `"Authorization":"Bearer x"`)
	first, err := b.store.Monitor(ctx, b.owner.WorkspaceID, v.ID)
	require.NoError(t, err)
	second, err := b.store.Monitor(ctx, b.owner.WorkspaceID, copied.ID)
	require.NoError(t, err)
	require.NotEqual(t, string(first.Settings), string(second.Settings))

	patched, err := b.CloneMonitor(ctx, b.owner, v.ID, json.RawMessage(`{"name":"Shop US","external_key":"us","tags":{"env":null},"http":{"headers":{"Authorization":"Bearer y"}}}`))
	require.NoError(t, err)
	require.Equal(t, "Shop US", patched.Name)
	require.Equal(t, "us", patched.ExternalKey)
	require.Equal(t, map[string]string{"team": "web"}, patched.Tags)
	require.Contains(t, b.opened(t, patched.ID), `"Authorization":"Bearer y"`)

	// A whole body takes secrets alone from the other one.
	whole, err := b.CopyMonitor(ctx, b.owner, v.ID, json.RawMessage(`{"name":"Bare","type":"http","http":{"url":"https://example.com","headers":{"Authorization":"********"}}}`))
	require.NoError(t, err)
	require.Empty(t, whole.Tags)
	require.Contains(t, b.opened(t, whole.ID), `"Authorization":"Bearer x"`)

	_, err = b.CloneMonitor(ctx, b.owner, v.ID, json.RawMessage(`{"type":"tcp"}`))
	require.Equal(t, []string{"type cannot change; it is http"}, problems(t, err))
	_, err = b.CloneMonitor(ctx, b.as(uptime.RoleViewer), v.ID, nil)
	require.Equal(t, uptime.CodeForbidden, uptime.CodeOf(err))
	_, err = b.CloneMonitor(ctx, b.owner, 999, nil)
	require.ErrorIs(t, err, uptime.ErrNotFound)
}

func TestCopyNameFits(t *testing.T) {
	t.Parallel()
	name := manage.CopyName(strings.Repeat("ü", 200))
	require.Len(t, []rune(name), 200)
	require.True(t, strings.HasSuffix(name, " (copy)"))
}
