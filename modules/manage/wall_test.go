package manage_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func (b *bundle) share(t *testing.T, body string) manage.WallShareView {
	t.Helper()
	v, err := b.CreateWallShare(t.Context(), b.owner, json.RawMessage(body))
	require.NoError(t, err)
	return v
}

func tileNames(v manage.WallView) (names []string) {
	for _, t := range v.Tiles {
		names = append(names, t.Name)
	}
	return names
}

// TestSharedWallShowsItsOwn: a secret shows the tiles of its own workspace and filter,
// whatever it is put into, and nothing once it is revoked or over.
func TestSharedWallShowsItsOwn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.monitor(t, `{"name": "Shop", "type": "http", "group": "Shop/EU", "tags": {"team": "web"}, "http": {"url": "https://shop.example.com"}}`)
	b.monitor(t, `{"name": "Mail", "type": "http", "group": "Office", "tags": {"team": "core"}, "http": {"url": "https://mail.example.com"}}`)
	annex, err := b.CreateWorkspace(t.Context(), b.owner, json.RawMessage(`{"name":"Annex"}`))
	require.NoError(t, err)
	there := b.owner
	there.WorkspaceID = annex.ID
	_, err = b.CreateMonitor(t.Context(), there, json.RawMessage(`{"name": "Foreign", "type": "http", "group": "Shop/EU", "tags": {"team": "web"}, "http": {"url": "https://foreign.example.com"}}`))
	require.NoError(t, err)

	client := manage.Client{Address: "192.0.2.7"}
	for body, want := range map[string][]string{
		`{"name":"All"}`:                                    {"Mail", "Shop"},
		`{"name":"Group","group":"Shop"}`:                   {"Shop"},
		`{"name":"Tag","tag":"team:core"}`:                  {"Mail"},
		`{"name":"Name","tag":"team"}`:                      {"Mail", "Shop"},
		`{"name":"Both","group":"Office","tag":"team:web"}`: nil,
		`{"name":"None","group":"Annex"}`:                   nil,
	} {
		v := b.share(t, body)
		require.True(t, strings.HasPrefix(v.Secret, "wall_"))
		require.Len(t, v.Secret, len("wall_")+52)
		require.Equal(t, v.Secret[:9], v.Prefix)
		wall, err := b.SharedWall(t.Context(), v.Secret, client)
		require.NoError(t, err)
		require.Equal(t, want, tileNames(wall), body)
		require.Equal(t, v.Name, wall.Name)
	}
	abroad, err := b.CreateWallShare(t.Context(), there, json.RawMessage(`{"name":"There"}`))
	require.NoError(t, err)
	wall, err := b.SharedWall(t.Context(), abroad.Secret, client)
	require.NoError(t, err)
	require.Equal(t, []string{"Foreign"}, tileNames(wall))

	// It is stored as a hash, and listed without it.
	list, err := b.WallShares(t.Context(), b.owner, uptime.Page{})
	require.NoError(t, err)
	require.Len(t, list.Items, 6)
	for _, v := range list.Items {
		require.Empty(t, v.Secret)
		require.NotNil(t, v.LastUsedAt)
	}
	_, err = b.SharedWall(t.Context(), abroad.Secret[:len(abroad.Secret)-1], client)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	// It is no other credential, and no other is one of these.
	_, err = b.Authenticate(t.Context(), abroad.Secret, client.Address)
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	token, err := b.CreateToken(t.Context(), b.owner, json.RawMessage(`{"name":"ci"}`))
	require.NoError(t, err)
	_, err = b.SharedWall(t.Context(), token.Secret, client)
	require.ErrorIs(t, err, uptime.ErrNotFound)

	// Another workspace neither lists nor revokes it.
	require.ErrorIs(t, b.DeleteWallShare(t.Context(), b.owner, abroad.ID), uptime.ErrNotFound)
	require.NoError(t, b.DeleteWallShare(t.Context(), there, abroad.ID))
	_, err = b.SharedWall(t.Context(), abroad.Secret, client)
	require.ErrorIs(t, err, uptime.ErrNotFound)

	short := b.share(t, fmt.Sprintf(`{"name":"Short","expires_at":%q}`, b.clock.Now().Add(time.Hour).Format(time.RFC3339)))
	_, err = b.SharedWall(t.Context(), short.Secret, client)
	require.NoError(t, err)
	b.clock.add(time.Hour)
	_, err = b.SharedWall(t.Context(), short.Secret, client)
	require.ErrorIs(t, err, uptime.ErrNotFound)
}

// TestWallGuesses: guesses are limited by address, and looks are not.
func TestWallGuesses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := b.share(t, `{"name":"Office"}`)
	guesser := manage.Client{Address: "192.0.2.66"}
	for range 200 {
		_, err := b.SharedWall(t.Context(), v.Secret, guesser)
		require.NoError(t, err)
	}
	limited := 0
	for i := range 200 {
		_, err := b.SharedWall(t.Context(), fmt.Sprintf("wall_%d", i), guesser)
		if uptime.CodeOf(err) == uptime.CodeLimited {
			limited++
		}
	}
	require.Greater(t, limited, 150)
	_, err := b.SharedWall(t.Context(), v.Secret, manage.Client{Address: "192.0.2.67"})
	require.NoError(t, err, "others look on")
	for _, secret := range []string{"", "wall_", "WALL_x", strings.Repeat("wall_", 100), "mon_x", "wall_\x00"} {
		_, err := b.SharedWall(t.Context(), secret, manage.Client{Address: "192.0.2.68"})
		require.ErrorIs(t, err, uptime.ErrNotFound, secret)
	}
}

func TestWallShareBodies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for body, field := range map[string]string{
		`{}`: "name", `{"name":""}`: "name", `{"name":"x","tag":":web"}`: "tag", `{"name":"x","group":"a\nb"}`: "group",
		`{"name":"x","workspace_id":2}`: "workspace_id", `{"name":"x","expires_at":"2020-01-01T00:00:00Z"}`: "expires_at",
	} {
		_, err := b.CreateWallShare(context.Background(), b.owner, json.RawMessage(body))
		require.Equal(t, uptime.CodeInvalid, uptime.CodeOf(err), body)
		var e *uptime.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, field, e.Fields[0].Field, body)
	}
}

func TestSearchStaysInTheWorkspace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	mine := b.monitor(t, `{"name": "Shop api", "type": "http", "http": {"url": "https://user:secret@shop.example.com"}}`)
	annex, err := b.CreateWorkspace(t.Context(), b.owner, json.RawMessage(`{"name":"Annex"}`))
	require.NoError(t, err)
	there := b.owner
	there.WorkspaceID = annex.ID
	foreign, err := b.CreateMonitor(t.Context(), there, json.RawMessage(`{"name": "Shop foreign", "type": "http", "http": {"url": "https://foreign.example.com"}}`))
	require.NoError(t, err)
	list, err := b.Search(t.Context(), b.owner, "shop", 0)
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	require.Equal(t, mine.ID, list.Items[0].ID)
	require.NotContains(t, list.Items[0].Detail, "secret")
	list, err = b.Search(t.Context(), b.owner, "foreign", 0)
	require.NoError(t, err)
	require.Empty(t, list.Items)
	found, err := b.FoundByID(t.Context(), b.owner, uptime.FindIDs{Monitors: []int64{foreign.ID, mine.ID}})
	require.NoError(t, err)
	require.Len(t, found, 1)
	for words, limit := range map[string]int{"a\x00": 0, "a": 21, "b": -1, strings.Repeat("a", 1001): 0} {
		_, err = b.Search(t.Context(), b.owner, words, limit)
		require.Equal(t, uptime.CodeInvalid, uptime.CodeOf(err), words)
	}
	_, err = b.Neighbour(t.Context(), b.owner, foreign.ID, uptime.MonitorFilter{}, false)
	require.ErrorIs(t, err, uptime.ErrNotFound)
}
