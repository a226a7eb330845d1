package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// named makes a monitor, or one of another workspace.
func (h house) named(t *testing.T, name string, change func(*uptime.Monitor)) uptime.Monitor {
	t.Helper()
	m := uptime.Monitor{
		WorkspaceID: h.ws, RowKey: h.key(), Name: name, Type: "http", Enabled: true,
		Interval: time.Minute, Timeout: 10 * time.Second, RetryInterval: 20 * time.Second,
		FailuresBeforeDown: 1, SuccessesBeforeUp: 1, Regions: []string{"default"}, MinRegionsDown: 1,
		Settings: []byte(`{}`), Target: "https://" + name + ".test",
	}
	if change != nil {
		change(&m)
	}
	m, err := h.CreateMonitor(t.Context(), m, nil)
	require.NoError(t, err)
	return m
}

// elsewhere makes another workspace and gives a house of it.
func (h house) elsewhere(t *testing.T) house {
	t.Helper()
	u := h.user(t, uptime.RoleOwner)
	w, err := h.CreateWorkspace(t.Context(), uptime.Workspace{Name: "Annex " + h.key(), TimeZone: "UTC"}, u.ID, nil)
	require.NoError(t, err)
	other := h
	other.ws = w.ID
	return other
}

func monitorNames(list []uptime.Monitor) (names []string) {
	for _, m := range list {
		names = append(names, m.Name)
	}
	return names
}

func testFind(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	h.named(t, "my shop api", nil)
	shop := h.named(t, "Shop API", func(m *uptime.Monitor) { m.Tags = map[string]string{"team": "web"} })
	h.named(t, "100%_a", nil)
	h.named(t, "Paid", func(m *uptime.Monitor) { m.Target = "https://shop.test/pay" })
	gone := h.named(t, "Shop old", nil)
	require.NoError(t, h.DeleteMonitor(t.Context(), h.ws, gone.ID, nil))
	channel := h.channel(t, func(c *uptime.Channel) { c.Name = "Shop on-call" })
	for _, title := range []string{"Shop is slow", "Mails are late"} {
		_, err := h.CreateIncident(t.Context(), uptime.Incident{WorkspaceID: h.ws, Title: title, Status: uptime.IncidentOpen, Stage: uptime.StageInvestigating, Severity: uptime.SeverityMinor}, nil)
		require.NoError(t, err)
	}
	other := h.elsewhere(t)
	foreign := other.named(t, "Shop elsewhere", nil)

	found, err := h.Find(t.Context(), h.ws, "sHoP", 10)
	require.NoError(t, err)
	require.Equal(t, []string{"Shop API", "my shop api", "Paid"}, monitorNames(found.Monitors), "names that begin so, names, the rest")
	require.Len(t, found.Incidents, 1)
	require.Equal(t, "Shop is slow", found.Incidents[0].Title)
	require.Len(t, found.Channels, 1)
	require.Equal(t, "Shop on-call", found.Channels[0].Name)
	for words, want := range map[string][]string{
		"api shop": {"my shop api", "Shop API"}, "team:web": {"Shop API"}, "0%_A": {"100%_a"}, "b_ta": nil, `'"\` + "\x00": nil, "": nil, "   ": nil, "a b c d e f g": nil,
	} {
		found, err = h.Find(t.Context(), h.ws, words, 10)
		require.NoError(t, err, words)
		require.Equal(t, want, monitorNames(found.Monitors), words)
	}
	found, err = h.Find(t.Context(), h.ws, "shop", 1)
	require.NoError(t, err)
	require.Len(t, found.Monitors, 1)

	found, err = h.FindByID(t.Context(), h.ws, uptime.FindIDs{Monitors: []int64{foreign.ID, shop.ID, gone.ID, 9999}, Channels: []int64{channel.ID}})
	require.NoError(t, err)
	require.Equal(t, []string{"Shop API"}, monitorNames(found.Monitors))
	require.Len(t, found.Channels, 1)
	require.Empty(t, found.Incidents)
	found, err = other.FindByID(t.Context(), other.ws, uptime.FindIDs{Monitors: []int64{shop.ID}, Channels: []int64{channel.ID}, Incidents: []int64{1, 2}})
	require.NoError(t, err)
	require.Empty(t, found.Monitors)
	require.Empty(t, found.Channels)
	require.Empty(t, found.Incidents)
}

func testNeighbours(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	a, b := h.named(t, "a", nil), h.named(t, "B", nil)
	paused := h.named(t, "aa", func(m *uptime.Monitor) { m.Enabled = false })
	c := h.named(t, "c", func(m *uptime.Monitor) { m.Tags = map[string]string{"team": "web"} })
	h.down(t, c)
	other := h.elsewhere(t)
	foreign := other.named(t, "ab", nil)
	// By severity: c (down), then a and B (pending), then the paused one.
	order := []int64{c.ID, a.ID, b.ID, paused.ID}
	for _, f := range []uptime.MonitorFilter{{}, {Sort: "status"}, {Desc: true}, {Sort: "name"}, {Sort: "name", Desc: true}, {Sort: "checked"}, {Sort: "response", Desc: true}} {
		list, err := h.Monitors(t.Context(), h.ws, f, uptime.Page{Limit: 10})
		require.NoError(t, err)
		require.Len(t, list.Items, len(order))
		for i, m := range list.Items {
			for before, at := range map[bool]int{true: i - 1, false: i + 1} {
				want := int64(0)
				if at >= 0 && at < len(list.Items) {
					want = list.Items[at].ID
				}
				got, err := h.Neighbour(t.Context(), h.ws, m.ID, f, before)
				require.NoError(t, err)
				require.Equal(t, want, got, "%+v of %s, before: %t", f, m.Name, before)
			}
		}
	}
	// It need not match: what became of it since moves nobody off the list.
	next, err := h.Neighbour(t.Context(), h.ws, c.ID, uptime.MonitorFilter{Statuses: []uptime.Status{uptime.Paused}}, false)
	require.NoError(t, err)
	require.Equal(t, paused.ID, next)
	_, err = h.Neighbour(t.Context(), h.ws, foreign.ID, uptime.MonitorFilter{}, false)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	list, err := h.Monitors(t.Context(), h.ws, uptime.MonitorFilter{IDs: []int64{a.ID, foreign.ID, 9999}}, uptime.Page{Limit: 10})
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, monitorNames(list.Items))
	list, err = h.Monitors(t.Context(), h.ws, uptime.MonitorFilter{IDs: []int64{}}, uptime.Page{Limit: 10})
	require.NoError(t, err)
	require.Empty(t, list.Items)
}

func testTiles(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	for i := range 5 {
		h.named(t, fmt.Sprintf("m%d", i), func(m *uptime.Monitor) { m.Group, m.Enabled = "Shop/EU", i != 4 })
	}
	down := h.named(t, "z", func(m *uptime.Monitor) { m.Group, m.Tags = "Other", map[string]string{"team": "web"} })
	h.down(t, down)
	other := h.elsewhere(t)
	other.named(t, "foreign", func(m *uptime.Monitor) { m.Group = "Shop" })
	names := func(f uptime.MonitorFilter, limit int) (out []string) {
		tiles, err := h.Tiles(t.Context(), h.ws, f, limit)
		require.NoError(t, err)
		for _, tile := range tiles {
			out = append(out, tile.Name+" "+string(tile.Status))
		}
		return out
	}
	require.Equal(t, []string{"z down", "m0 pending", "m1 pending", "m2 pending", "m3 pending", "m4 paused"}, names(uptime.MonitorFilter{}, 400))
	require.Equal(t, []string{"z down", "m0 pending"}, names(uptime.MonitorFilter{}, 2))
	require.Len(t, names(uptime.MonitorFilter{Group: "Shop"}, 400), 5)
	require.Equal(t, []string{"z down"}, names(uptime.MonitorFilter{Tags: []uptime.TagFilter{{Name: "team"}}}, 400))
	require.Empty(t, names(uptime.MonitorFilter{Group: "None"}, 400))
}

func testWallShares(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	other := h.elsewhere(t)
	make1 := func(in house, name string, change func(*uptime.WallShare)) (uptime.WallShare, error) {
		w := uptime.WallShare{WorkspaceID: in.ws, UserID: 1, Name: name, Tag: "team:web", Group: "Shop", Prefix: "wall_abcd", Hash: "hash " + name}
		if change != nil {
			change(&w)
		}
		return h.CreateWallShare(t.Context(), w, 3, &uptime.Audit{WorkspaceID: in.ws, Action: "wall_share.create", ObjectType: "wall_share", At: h.clock.Now()})
	}
	one, err := make1(h, "one", nil)
	require.NoError(t, err)
	require.NotZero(t, one.ID)
	_, err = make1(other, "one", nil)
	require.Error(t, err, "a hash is of one share")
	ends := h.clock.Now().Add(time.Hour)
	_, err = make1(h, "two", func(w *uptime.WallShare) { w.ExpiresAt = ends })
	require.NoError(t, err)
	_, err = make1(h, "three", nil)
	require.NoError(t, err)
	_, err = make1(h, "four", nil)
	require.ErrorIs(t, err, uptime.ErrConflict)
	foreign, err := make1(other, "foreign", nil)
	require.NoError(t, err)

	got, err := h.WallShareByHash(t.Context(), "hash one")
	require.NoError(t, err)
	require.Equal(t, one, got)
	_, err = h.WallShareByHash(t.Context(), "hash none")
	require.ErrorIs(t, err, uptime.ErrNotFound)
	h.clock.Advance(time.Hour)
	_, err = h.WallShareByHash(t.Context(), "hash two")
	require.ErrorIs(t, err, uptime.ErrNotFound, "it ended")
	require.NoError(t, h.TouchWallShare(t.Context(), one.ID, h.clock.Now()))
	list, err := h.WallShares(t.Context(), h.ws, uptime.Page{Limit: 2})
	require.NoError(t, err)
	require.Len(t, list.Items, 2)
	require.Equal(t, h.clock.Now(), list.Items[0].LastUsedAt)
	list, err = h.WallShares(t.Context(), h.ws, uptime.Page{Limit: 2, Cursor: list.Next})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)

	require.ErrorIs(t, h.DeleteWallShare(t.Context(), h.ws, foreign.ID, nil), uptime.ErrNotFound, "of another workspace")
	require.NoError(t, h.DeleteWallShare(t.Context(), h.ws, one.ID, &uptime.Audit{WorkspaceID: h.ws, Action: "wall_share.delete", ObjectType: "wall_share", ObjectID: one.ID, At: h.clock.Now()}))
	require.ErrorIs(t, h.DeleteWallShare(t.Context(), h.ws, one.ID, nil), uptime.ErrNotFound)
	_, err = h.WallShareByHash(t.Context(), "hash one")
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, err = h.WallShareByHash(t.Context(), "hash foreign")
	require.NoError(t, err)
	require.NoError(t, h.DeleteWorkspace(t.Context(), other.ws, nil))
	_, err = h.WallShareByHash(t.Context(), "hash foreign")
	require.ErrorIs(t, err, uptime.ErrNotFound, "its workspace is gone")
}
