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

func TestPreferences(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	update := func(patch string) (manage.UserView, error) {
		return b.UpdateMe(ctx, b.owner, json.RawMessage(patch), "")
	}
	me, err := b.Me(ctx, b.owner)
	require.NoError(t, err)
	require.Equal(t, uptime.DefaultPreferences(), *me.Preferences)
	me, err = update(`{"preferences":{"density":"compact","columns":["p95","tags","p95"],"shortcuts":false}}`)
	require.NoError(t, err)
	want := uptime.Preferences{Columns: []string{"tags", "p95"}, Density: "compact", PageSize: 50, View: "list", Language: "auto"}
	require.Equal(t, want, *me.Preferences, "in the order of the table, each once")
	me, err = update(`{"name":"Olga M","preferences":{"columns":[],"getting_started_done":true,"page_size":100,"language":"de"}}`)
	require.NoError(t, err)
	want.Columns, want.Started, want.PageSize, want.Language = []string{}, true, 100, "de"
	require.Equal(t, want, *me.Preferences, "the rest stays")
	_, err = update(`{"preferences":{"density":"tiny","columns":["x",3],"page_size":7,"view":"tree","language":"xx","shortcuts":"no","colour":"red"}}`)
	require.Equal(t, []string{
		"preferences.columns[0] must be one of type, group, tags, bar, uptime, p95, checked",
		"preferences.columns[1] must be one of type, group, tags, bar, uptime, p95, checked",
		"preferences.density must be one of comfortable, compact",
		"preferences.view must be one of list, grouped",
		"preferences.page_size must be one of 25, 50, 100, 200",
		"preferences.language must be one of auto, en, de",
		"preferences.shortcuts must be true or false",
		"preferences.colour is not a field of preferences; allowed are columns, density, view, page_size, language, shortcuts, getting_started_done",
	}, problems(t, err))
	_, err = update(`{"preferences":[]}`)
	require.Equal(t, []string{"preferences must be an object"}, problems(t, err))
	seen, err := b.User(ctx, b.owner, b.owner.UserID)
	require.NoError(t, err)
	require.Nil(t, seen.Preferences, "they are nobody else's")
	_, err = b.UpdateUser(ctx, b.owner, b.owner.UserID, json.RawMessage(`{"name":"O","preferences":{"density":"comfortable"}}`), "")
	require.NoError(t, err)
	me, err = update(`{}`)
	require.NoError(t, err)
	require.Equal(t, want, *me.Preferences)
	me, err = update(`{"preferences":null}`)
	require.NoError(t, err)
	require.Equal(t, uptime.DefaultPreferences(), *me.Preferences)
}

func TestSavedViews(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	create := func(a uptime.Actor, body string) (manage.SavedView, error) {
		return b.CreateView(ctx, a, json.RawMessage(body))
	}
	v, err := create(b.owner, `{"name":" Down ","query":"?tag=team%3Aweb&status=down&tag=a","id":9,"user_id":4}`)
	require.NoError(t, err)
	require.Equal(t, "status=down&tag=team%3Aweb&tag=a", v.Query)
	require.Equal(t, "Down", v.Name)
	require.Equal(t, "Olga", v.User)
	require.True(t, v.Deletable)

	_, err = create(b.owner, `{"name":"","query":"next=//evil.example.com","shared":"x"}`)
	require.Equal(t, []string{"name must not be empty", `query may have q, status, type, group, tag, sort, dir, size, view; "next" is none of these`, "shared must be true or false"}, problems(t, err))
	_, err = create(b.owner, `{"name":"`+strings.Repeat("ö", 61)+`","query":"q=%zz"}`)
	require.Equal(t, []string{"name must be at most 60 characters", "query must be the query of an address such as status=down&tag=team%3Aweb"}, problems(t, err))
	_, err = create(b.as(uptime.RoleViewer), `{"name":"x","shared":true}`)
	require.ErrorContains(t, err, "To share views you need the role editor")
	shared, err := create(b.owner, `{"name":"Ours","shared":true}`)
	require.NoError(t, err)

	other := b.as(uptime.RoleEditor)
	other.UserID++ // is shown it, did not make it
	list, err := b.Views(ctx, other)
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	require.False(t, list.Items[0].Deletable)
	require.ErrorIs(t, b.DeleteView(ctx, other, v.ID), uptime.ErrNotFound)
	require.Equal(t, uptime.CodeForbidden, uptime.CodeOf(b.DeleteView(ctx, other, shared.ID)))
	other.Role = uptime.RoleAdmin
	require.NoError(t, b.DeleteView(ctx, other, shared.ID))
	require.NoError(t, b.DeleteView(ctx, b.as(uptime.RoleViewer), v.ID))
	program := manage.Program(b.owner.WorkspaceID)
	_, err = create(program, `{"name":"x"}`)
	require.Equal(t, uptime.CodeForbidden, uptime.CodeOf(err))
}
