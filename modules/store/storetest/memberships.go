package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// second makes another workspace, of u.
func (h house) second(t *testing.T, u uptime.User) uptime.Workspace {
	t.Helper()
	w, err := h.CreateWorkspace(t.Context(), uptime.Workspace{Name: "Annex", TimeZone: "Europe/Paris"}, u.ID, &uptime.Audit{Action: "workspace.create"})
	require.NoError(t, err)
	return w
}

// join invites somebody who has an account to a workspace, and accepts for them.
func (h house) join(t *testing.T, u uptime.User, ws int64, role uptime.Role) uptime.User {
	t.Helper()
	invited, err := h.CreateUser(t.Context(), uptime.User{
		WorkspaceID: ws, Role: role, Email: u.Email, InviteHash: h.key(), InviteUntil: h.clock.Now().Add(time.Hour),
	}, nil)
	require.NoError(t, err)
	require.Equal(t, u.ID, invited.ID)
	joined, err := h.UpdateUser(t.Context(), ws, u.ID, func(u *uptime.User) error { u.InviteHash, u.InviteUntil = "", time.Time{}; return nil }, nil)
	require.NoError(t, err)
	return joined
}

func (h house) names(t *testing.T, u uptime.User) []string {
	t.Helper()
	list, err := h.Memberships(t.Context(), u.ID)
	require.NoError(t, err)
	var names []string
	for _, m := range list {
		names = append(names, m.Name+" "+string(m.Role))
	}
	return names
}

func testMemberships(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	owner, guest := h.user(t, uptime.RoleOwner), h.user(t, uptime.RoleViewer)
	annex := h.second(t, owner)
	require.Equal(t, []string{"Annex owner", "Home owner"}, h.names(t, owner))
	require.Equal(t, []string{"Home viewer"}, h.names(t, guest))
	log, err := h.AuditLog(t.Context(), annex.ID, uptime.AuditFilter{}, uptime.Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, log.Items, 1, "the first line of the new workspace")
	require.Equal(t, annex.ID, log.Items[0].ObjectID)

	_, err = h.User(t.Context(), annex.ID, guest.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound, "nobody is in a workspace that they did not join")
	there := h.join(t, guest, annex.ID, uptime.RoleEditor)
	require.Equal(t, uptime.RoleEditor, there.Role)
	require.True(t, there.Elsewhere)
	here, err := h.User(t.Context(), h.ws, guest.ID)
	require.NoError(t, err)
	require.Equal(t, uptime.RoleViewer, here.Role, "a role in each workspace")
	list, err := h.Users(t.Context(), annex.ID, uptime.Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, list.Items, 2)

	// What is the person's is the same in both; what is the membership's is not.
	_, err = h.UpdateUser(t.Context(), annex.ID, guest.ID, func(u *uptime.User) error { u.Name, u.Disabled = "Guest", true; return nil }, nil)
	require.NoError(t, err)
	here, err = h.User(t.Context(), h.ws, guest.ID)
	require.NoError(t, err)
	require.Equal(t, "Guest", here.Name)
	require.False(t, here.Disabled)
	require.Equal(t, []string{"Home viewer"}, h.names(t, guest), "who is disabled does not enter")

	// The last owner is counted in each workspace.
	_, err = h.UpdateUser(t.Context(), annex.ID, owner.ID, func(u *uptime.User) error { u.Role = uptime.RoleViewer; return nil }, nil)
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
}

func testLeaving(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	owner := h.user(t, uptime.RoleOwner)
	guest := h.user(t, uptime.RoleEditor)
	annex := h.second(t, owner)
	there := h.join(t, guest, annex.ID, uptime.RoleEditor)

	// A session is in one workspace, and goes to another one by entering it.
	require.NoError(t, h.begin(t, h.refresh(guest, "r1", "f1")))
	require.NoError(t, h.begin(t, h.refresh(there, "r2", "f2")))
	require.NoError(t, h.EnterWorkspace(t.Context(), guest.ID, annex.ID, "f1"))
	row, err := h.RefreshFamily(t.Context(), "f1")
	require.NoError(t, err)
	require.Equal(t, annex.ID, row.WorkspaceID)
	landed, err := h.UserByEmail(t.Context(), guest.Email)
	require.NoError(t, err)
	require.Equal(t, annex.ID, landed.WorkspaceID, "later log-ins lead there, too")
	require.ErrorIs(t, h.EnterWorkspace(t.Context(), guest.ID, annex.ID+1, "f1"), uptime.ErrNotFound)
	require.NoError(t, h.EnterWorkspace(t.Context(), guest.ID, h.ws, "f1"))

	// Disabling ends the sessions of that workspace alone; a new password ends all.
	_, err = h.UpdateUser(t.Context(), annex.ID, guest.ID, func(u *uptime.User) error { u.Disabled = true; return nil }, nil)
	require.NoError(t, err)
	_, err = h.RefreshFamily(t.Context(), "f2")
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, err = h.RefreshFamily(t.Context(), "f1")
	require.NoError(t, err)
	require.ErrorIs(t, h.EnterWorkspace(t.Context(), guest.ID, annex.ID, "f1"), uptime.ErrNotFound, "disabled there")
	require.ErrorIs(t, h.begin(t, h.refresh(there, "r3", "f3")), uptime.ErrStale)
	_, err = h.UpdateUser(t.Context(), annex.ID, guest.ID, func(u *uptime.User) error { u.Disabled = false; return nil }, nil)
	require.NoError(t, err)
	require.NoError(t, h.begin(t, h.refresh(there, "r4", "f4")))

	token, err := h.CreateAPIToken(t.Context(), uptime.APIToken{WorkspaceID: annex.ID, UserID: guest.ID, Name: "ci", Role: uptime.RoleEditor, Hash: "t1"}, nil)
	require.NoError(t, err)
	_, by, err := h.APITokenByHash(t.Context(), token.Hash)
	require.NoError(t, err)
	require.Equal(t, annex.ID, by.WorkspaceID)

	require.NoError(t, h.DeleteUser(t.Context(), h.ws, guest.ID, nil))
	_, err = h.RefreshFamily(t.Context(), "f1")
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, err = h.RefreshFamily(t.Context(), "f4")
	require.NoError(t, err, "the other workspace goes on")
	_, _, err = h.APITokenByHash(t.Context(), token.Hash)
	require.NoError(t, err)
	landed, err = h.UserByEmail(t.Context(), guest.Email)
	require.NoError(t, err)
	require.Equal(t, annex.ID, landed.WorkspaceID)
	require.False(t, landed.Elsewhere)
	require.Equal(t, guest.PasswordHash, landed.PasswordHash)

	require.NoError(t, h.DeleteUser(t.Context(), annex.ID, guest.ID, nil))
	_, err = h.UserByEmail(t.Context(), guest.Email)
	require.ErrorIs(t, err, uptime.ErrNotFound, "that was the last one")
	_, _, err = h.APITokenByHash(t.Context(), token.Hash)
	require.ErrorIs(t, err, uptime.ErrNotFound)
}

func testInvitedElsewhere(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	owner := h.user(t, uptime.RoleOwner)
	guest := h.user(t, uptime.RoleViewer)
	annex := h.second(t, owner)
	invitation := uptime.User{WorkspaceID: annex.ID, Role: uptime.RoleViewer, Email: guest.Email, InviteHash: "abc", InviteUntil: h.clock.Now().Add(time.Hour)}

	taken := invitation
	taken.InviteHash, taken.PasswordHash = "", "hash"
	_, err := h.CreateUser(t.Context(), taken, nil)
	require.ErrorIs(t, err, uptime.ErrConflict, "nobody sets the password of somebody's account")
	invited, err := h.CreateUser(t.Context(), invitation, nil)
	require.NoError(t, err)
	require.Equal(t, guest.ID, invited.ID)
	_, err = h.CreateUser(t.Context(), invitation, nil)
	require.ErrorIs(t, err, uptime.ErrConflict)
	got, err := h.UserByInvite(t.Context(), "abc")
	require.NoError(t, err)
	require.Equal(t, invited, got)

	here, err := h.User(t.Context(), h.ws, guest.ID)
	require.NoError(t, err)
	require.False(t, here.Elsewhere, "an invitation alone is nothing to the workspace they are in")
	require.ErrorIs(t, h.EnterWorkspace(t.Context(), guest.ID, annex.ID, "f"), uptime.ErrNotFound)
	require.ErrorIs(t, h.begin(t, h.refresh(invited, "r1", "f1")), uptime.ErrStale)
	landed, err := h.UserByEmail(t.Context(), guest.Email)
	require.NoError(t, err)
	require.Equal(t, h.ws, landed.WorkspaceID)

	// Who leaves the last workspace that they joined begins anew with the invitation.
	require.NoError(t, h.DeleteUser(t.Context(), h.ws, guest.ID, nil))
	landed, err = h.UserByEmail(t.Context(), guest.Email)
	require.NoError(t, err)
	require.Equal(t, annex.ID, landed.WorkspaceID)
	require.Empty(t, landed.PasswordHash)
	require.Equal(t, "abc", landed.InviteHash)
	require.NotEqual(t, guest.ID, landed.ID, "whoever accepts is nobody that timelines name")
	require.Empty(t, landed.Name)
}

func testDeleteWorkspace(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	owner := h.user(t, uptime.RoleOwner)
	annex := h.second(t, owner)
	there, err := h.User(t.Context(), annex.ID, owner.ID)
	require.NoError(t, err)
	refused := func(ws int64, why string) {
		t.Helper()
		err := h.DeleteWorkspace(t.Context(), ws, nil)
		require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
		require.ErrorContains(t, err, why)
	}
	refused(h.ws, "first workspace")
	c, err := h.CreateChannel(t.Context(), uptime.Channel{WorkspaceID: annex.ID, RowKey: h.key(), Name: "Hook", Type: "webhook", Settings: []byte(`{}`)}, nil)
	require.NoError(t, err)
	refused(annex.ID, "channels")
	require.NoError(t, h.DeleteChannel(t.Context(), annex.ID, c.ID, nil))
	guest := h.user(t, uptime.RoleViewer)
	h.join(t, guest, annex.ID, uptime.RoleViewer)
	refused(annex.ID, "other members")
	require.NoError(t, h.DeleteUser(t.Context(), annex.ID, guest.ID, nil))

	require.NoError(t, h.begin(t, h.refresh(there, "r1", "f1")))
	require.NoError(t, h.EnterWorkspace(t.Context(), owner.ID, annex.ID, "f1"))
	require.NoError(t, h.DeleteWorkspace(t.Context(), annex.ID, &uptime.Audit{WorkspaceID: annex.ID, Action: "workspace.delete"}))
	require.ErrorIs(t, h.DeleteWorkspace(t.Context(), annex.ID, nil), uptime.ErrNotFound)
	_, err = h.Workspace(t.Context(), annex.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, err = h.RefreshFamily(t.Context(), "f1")
	require.ErrorIs(t, err, uptime.ErrNotFound)
	require.Equal(t, []string{"Home owner"}, h.names(t, owner))
	landed, err := h.UserByEmail(t.Context(), owner.Email)
	require.NoError(t, err)
	require.Equal(t, h.ws, landed.WorkspaceID)
}
