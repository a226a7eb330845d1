package storetest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func testPreferences(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u := h.user(t, uptime.RoleEditor)
	read := func() uptime.Preferences {
		u, err := h.User(t.Context(), h.ws, u.ID)
		require.NoError(t, err)
		return u.Preferences
	}
	require.Equal(t, uptime.DefaultPreferences(), read(), "of who set none")
	mine := uptime.Preferences{Columns: []string{}, Density: "compact", PageSize: 200, View: "grouped", Started: true}
	before := u.Version
	save := func() uptime.User {
		saved, err := h.UpdateUser(t.Context(), h.ws, u.ID, func(u *uptime.User) error { u.Preferences = mine; return nil }, nil)
		require.NoError(t, err)
		return saved
	}
	require.Equal(t, before+1, save().Version)
	require.Equal(t, mine, read())
	require.Equal(t, before+1, save().Version, "nothing changed")
}

func testSavedViews(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	mia, noa := h.user(t, uptime.RoleEditor), h.user(t, uptime.RoleViewer)
	save := func(u uptime.User, name string, shared bool) (uptime.SavedView, error) {
		return h.CreateView(t.Context(), uptime.SavedView{WorkspaceID: u.WorkspaceID, UserID: u.ID, Name: name, Query: "status=down", Shared: shared},
			&uptime.Audit{WorkspaceID: h.ws, UserID: u.ID, Action: "view.create", ObjectType: "view"})
	}
	own, err := save(mia, "own", false)
	require.NoError(t, err)
	shared, err := save(mia, "Shared", true)
	require.NoError(t, err)
	names := func(u uptime.User) (out []string) {
		views, err := h.Views(t.Context(), h.ws, u.ID)
		require.NoError(t, err)
		for _, v := range views {
			require.Equal(t, mia.Name, v.Maker)
			require.Equal(t, "status=down", v.Query)
			out = append(out, v.Name)
		}
		return out
	}
	require.Equal(t, []string{"own", "Shared"}, names(mia))
	require.Equal(t, []string{"Shared"}, names(noa))
	elsewhere, err := h.Views(t.Context(), h.ws+1, mia.ID)
	require.NoError(t, err)
	require.Empty(t, elsewhere)
	_, err = h.View(t.Context(), h.ws, noa.ID, own.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	got, err := h.View(t.Context(), h.ws, noa.ID, shared.ID)
	require.NoError(t, err)
	require.Equal(t, mia.ID, got.UserID)
	_, err = h.View(t.Context(), h.ws+1, mia.ID, own.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	require.ErrorIs(t, h.DeleteView(t.Context(), h.ws+1, own.ID, nil), uptime.ErrNotFound)
	require.NoError(t, h.DeleteView(t.Context(), h.ws, own.ID, nil))
	require.ErrorIs(t, h.DeleteView(t.Context(), h.ws, own.ID, nil), uptime.ErrNotFound)

	for i := range 49 {
		_, err := save(mia, fmt.Sprint(i), false)
		require.NoError(t, err)
	}
	_, err = save(mia, "one more", false)
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
	require.NoError(t, h.DeleteUser(t.Context(), h.ws, mia.ID, nil))
	require.Equal(t, []string{"Shared"}, names(noa), "what others use stays")
	_, err = save(mia, "gone", false)
	require.ErrorIs(t, err, uptime.ErrNotFound)
}
