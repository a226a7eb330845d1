package storetest

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// RunPeople is the conformance suite of workspaces, users, tokens, idempotency
// keys, channels and incidents as people handle them.
func RunPeople(t *testing.T, open OpenFunc) {
	for name, test := range map[string]func(*testing.T, OpenFunc){
		"Workspace": testWorkspace, "FirstOwner": testFirstOwner,
		"Memberships": testMemberships, "LeavingAWorkspace": testLeaving, "InvitedElsewhere": testInvitedElsewhere, "DeleteWorkspace": testDeleteWorkspace, "Quotas": testQuotas, "Settings": testSettings,
		"Users": testUsers, "Preferences": testPreferences, "SavedViews": testSavedViews, "Emails": testEmails, "Invitation": testInvitation, "LastOwner": testLastOwner,
		"OwnersDemoteOneAnother": testOwnersDemoteOneAnother, "DeleteUser": testDeleteUser, "LastSeen": testLastSeen,
		"RefreshRotation": testRefreshRotation, "RefreshReuse": testRefreshReuse, "RefreshAtOnce": testRefreshAtOnce,
		"RefreshGrace": testRefreshGrace, "EndingSessions": testEndingSessions, "Sessions": testSessions, "PasswordLink": testPasswordLink,
		"Passkeys": testPasskeys, "PasskeyUse": testPasskeyUse, "PasskeyAtOnce": testPasskeyAtOnce, "PasskeyBounds": testPasskeyBounds,
		"RefreshEnd": testRefreshEnd, "APITokens": testAPITokens, "Identities": testIdentities, "IdentitiesAtOnce": testIdentitiesAtOnce,
		"Idempotency": testIdempotency, "IdempotencyAtOnce": testIdempotencyAtOnce,
		"Channels": testChannels, "ChannelFallback": testChannelFallback, "DeleteChannel": testDeleteChannel,
		"IncidentByHand": testIncidentByHand, "IncidentLists": testIncidentLists, "IncidentSpans": testIncidentSpans, "ExpiringMonitors": testExpiringMonitors,
		"UpdateIncident": testUpdateIncident, "IncidentUnchanged": testIncidentUnchanged,
		"IncidentSearch": testIncidentSearch, "IncidentLines": testIncidentLines, "DeleteIncident": testDeleteIncident,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

func testWorkspace(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	var makers sync.WaitGroup
	for range 8 {
		makers.Go(func() {
			ws, err := h.EnsureWorkspace(t.Context(), "Another")
			assert.NoError(t, err)
			assert.Equal(t, h.ws, ws.ID)
		})
	}
	makers.Wait()
	ws, err := h.Workspace(t.Context(), h.ws)
	require.NoError(t, err)
	require.Equal(t, uptime.Workspace{ID: h.ws, Name: "Home", TimeZone: "UTC", CreatedAt: h.clock.Now()}, ws)
	ws, err = h.UpdateWorkspace(t.Context(), h.ws, func(w *uptime.Workspace) error {
		w.ID, w.Name, w.TimeZone = 99, "Work", "Europe/Berlin"
		return nil
	}, nil)
	require.NoError(t, err)
	got, err := h.Workspace(t.Context(), h.ws)
	require.NoError(t, err)
	require.Equal(t, ws, got)
	require.Equal(t, "Work", got.Name)
	_, err = h.Workspace(t.Context(), h.ws+1)
	require.ErrorIs(t, err, uptime.ErrNotFound)
}

// testFirstOwner: 50 at once give one owner and 49 conflicts.
func testFirstOwner(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	var made, refused atomic.Int64
	var racers sync.WaitGroup
	for range 50 {
		racers.Go(func() {
			u, err := h.CreateFirstOwner(t.Context(), uptime.User{Email: h.key() + "@example.com", PasswordHash: "x"},
				uptime.Workspace{Name: "Shop", TimeZone: "Europe/Paris"}, &uptime.Audit{Action: "setup"})
			if err == nil {
				made.Add(1)
				assert.Equal(t, uptime.RoleOwner, u.Role)
				assert.Equal(t, h.ws, u.WorkspaceID)
			} else if assert.ErrorIs(t, err, uptime.ErrConflict) {
				refused.Add(1)
			}
		})
	}
	racers.Wait()
	require.EqualValues(t, 1, made.Load())
	require.EqualValues(t, 49, refused.Load())
	n, err := h.CountUsers(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	ws, err := h.Workspace(t.Context(), h.ws)
	require.NoError(t, err)
	require.Equal(t, "Shop", ws.Name)
	require.Equal(t, "Europe/Paris", ws.TimeZone)
}

func testUsers(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	a, b := h.user(t, uptime.RoleOwner), h.user(t, uptime.RoleViewer)
	got, err := h.User(t.Context(), h.ws, a.ID)
	require.NoError(t, err)
	require.Equal(t, a, got)
	_, err = h.User(t.Context(), h.ws+1, a.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	list, err := h.Users(t.Context(), h.ws, uptime.Page{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, []uptime.User{a}, list.Items)
	list, err = h.Users(t.Context(), h.ws, uptime.Page{Limit: 1, Cursor: list.Next})
	require.NoError(t, err)
	require.Equal(t, []uptime.User{b}, list.Items)
	require.Empty(t, list.Next)

	h.clock.Advance(time.Second)
	changed, err := h.UpdateUser(t.Context(), h.ws, b.ID, func(u *uptime.User) error {
		u.Role, u.Disabled, u.Theme, u.TokensFrom = uptime.RoleEditor, true, "dark", h.clock.Now()
		return nil
	}, nil)
	require.NoError(t, err)
	require.Equal(t, b.Version+1, changed.Version)
	require.Equal(t, h.clock.Now(), changed.UpdatedAt)
	got, err = h.User(t.Context(), h.ws, b.ID)
	require.NoError(t, err)
	require.Equal(t, changed, got)
	same, err := h.UpdateUser(t.Context(), h.ws, b.ID, func(*uptime.User) error { return nil }, nil)
	require.NoError(t, err)
	require.Equal(t, changed, same)
	refused := uptime.Fail(uptime.CodePrecondition, "no")
	_, err = h.UpdateUser(t.Context(), h.ws, b.ID, func(u *uptime.User) error { u.Name = "x"; return refused }, nil)
	require.Equal(t, error(refused), err)
}

func testEmails(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u := h.user(t, uptime.RoleViewer)
	require.Equal(t, strings.ToLower(u.Email), u.Email)
	got, err := h.UserByEmail(t.Context(), " "+strings.ToUpper(u.Email))
	require.NoError(t, err)
	require.Equal(t, u, got)
	twin := u
	twin.Email = strings.ToUpper(u.Email)
	_, err = h.CreateUser(t.Context(), twin, nil)
	require.ErrorIs(t, err, uptime.ErrConflict)
	other := h.user(t, uptime.RoleViewer)
	_, err = h.UpdateUser(t.Context(), h.ws, other.ID, func(n *uptime.User) error { n.Email = u.Email; return nil }, nil)
	require.ErrorIs(t, err, uptime.ErrConflict)
	_, err = h.UserByEmail(t.Context(), "nobody@example.com")
	require.ErrorIs(t, err, uptime.ErrNotFound)
}

func testInvitation(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u, err := h.CreateUser(t.Context(), uptime.User{
		WorkspaceID: h.ws, Role: uptime.RoleViewer, Email: "guest@example.com",
		InviteHash: "abc", InviteUntil: h.clock.Now().Add(time.Hour),
	}, nil)
	require.NoError(t, err)
	got, err := h.UserByInvite(t.Context(), "abc")
	require.NoError(t, err)
	require.Equal(t, u, got)
	for _, hash := range []string{"", "abd"} {
		_, err = h.UserByInvite(t.Context(), hash)
		require.ErrorIs(t, err, uptime.ErrNotFound)
	}
	h.clock.Advance(time.Hour)
	_, err = h.UserByInvite(t.Context(), "abc")
	require.ErrorIs(t, err, uptime.ErrNotFound)
}

func testPasswordLink(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u := h.user(t, uptime.RoleViewer)
	saved, err := h.UpdateUser(t.Context(), h.ws, u.ID, func(u *uptime.User) error {
		u.ResetHash, u.ResetUntil = "abc", h.clock.Now().Add(time.Hour)
		return nil
	}, nil)
	require.NoError(t, err)
	got, err := h.UserByReset(t.Context(), "abc")
	require.NoError(t, err)
	require.Equal(t, saved, got)
	for _, hash := range []string{"", "abd"} {
		_, err = h.UserByReset(t.Context(), hash)
		require.ErrorIs(t, err, uptime.ErrNotFound)
	}
	h.clock.Advance(time.Hour)
	_, err = h.UserByReset(t.Context(), "abc")
	require.ErrorIs(t, err, uptime.ErrNotFound, "ended")
}

func testLastOwner(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	owner := h.user(t, uptime.RoleOwner)
	h.user(t, uptime.RoleAdmin)
	_, err := h.CreateUser(t.Context(), uptime.User{ // who was only invited cannot take over
		WorkspaceID: h.ws, Role: uptime.RoleOwner, Email: "invited@example.com", InviteHash: "h", InviteUntil: h.clock.Now().Add(time.Hour),
	}, nil)
	require.NoError(t, err)
	disabled := h.user(t, uptime.RoleOwner)
	disable := func(u *uptime.User) error { u.Disabled = true; return nil }
	_, err = h.UpdateUser(t.Context(), h.ws, disabled.ID, disable, nil)
	require.NoError(t, err)
	refused := func(err error) {
		t.Helper()
		require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
	}
	_, err = h.UpdateUser(t.Context(), h.ws, owner.ID, disable, nil)
	refused(err)
	_, err = h.UpdateUser(t.Context(), h.ws, owner.ID, func(u *uptime.User) error { u.Role = uptime.RoleAdmin; return nil }, nil)
	refused(err)
	refused(h.DeleteUser(t.Context(), h.ws, owner.ID, nil))
	_, err = h.UpdateUser(t.Context(), h.ws, owner.ID, func(u *uptime.User) error { u.Name = "New"; return nil }, nil)
	require.NoError(t, err)
	h.user(t, uptime.RoleOwner)
	require.NoError(t, h.DeleteUser(t.Context(), h.ws, owner.ID, nil))
}

func testOwnersDemoteOneAnother(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	owners := []uptime.User{h.user(t, uptime.RoleOwner), h.user(t, uptime.RoleOwner), h.user(t, uptime.RoleOwner)}
	var done atomic.Int64
	var both sync.WaitGroup
	for i, u := range owners {
		both.Go(func() {
			var err error
			if i == 0 {
				err = h.DeleteUser(t.Context(), h.ws, u.ID, nil)
			} else {
				_, err = h.UpdateUser(t.Context(), h.ws, u.ID, func(u *uptime.User) error { u.Role = uptime.RoleViewer; return nil }, nil)
			}
			if err == nil {
				done.Add(1)
			} else {
				assert.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
			}
		})
	}
	both.Wait()
	require.EqualValues(t, 2, done.Load())
}

func testDeleteUser(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	owner, u := h.user(t, uptime.RoleOwner), h.user(t, uptime.RoleEditor)
	require.NoError(t, h.begin(t, h.refresh(u, "r1", "f1")))
	token, err := h.CreateAPIToken(t.Context(), uptime.APIToken{WorkspaceID: h.ws, UserID: u.ID, Name: "ci", Role: uptime.RoleEditor, Hash: "t1"}, nil)
	require.NoError(t, err)
	i, err := h.CreateIncident(t.Context(), uptime.Incident{
		WorkspaceID: h.ws, Title: "Slow", Status: uptime.IncidentOpen,
		Updates: []uptime.IncidentUpdate{{At: h.clock.Now(), AuthorID: u.ID, Message: "Looking."}},
	}, nil)
	require.NoError(t, err)
	require.NoError(t, h.DeleteUser(t.Context(), h.ws, u.ID, nil))
	require.ErrorIs(t, h.DeleteUser(t.Context(), h.ws, u.ID, nil), uptime.ErrNotFound)

	_, err = h.User(t.Context(), h.ws, u.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, err = h.UserByEmail(t.Context(), u.Email)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, err = h.RefreshFamily(t.Context(), "f1")
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, _, err = h.APITokenByHash(t.Context(), token.Hash)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	list, err := h.Users(t.Context(), h.ws, uptime.Page{Limit: 10})
	require.NoError(t, err)
	require.Equal(t, []uptime.User{owner}, list.Items)
	got, err := h.Incident(t.Context(), h.ws, i.ID)
	require.NoError(t, err)
	require.Equal(t, u.Name, got.Updates[0].Author, "timelines keep the name")
	again := u
	_, err = h.CreateUser(t.Context(), again, nil)
	require.NoError(t, err, "the address is free again")
}

func testLastSeen(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u := h.user(t, uptime.RoleViewer)
	seen := func() time.Time {
		require.NoError(t, h.TouchUser(t.Context(), u.ID, h.clock.Now()))
		got, err := h.User(t.Context(), h.ws, u.ID)
		require.NoError(t, err)
		require.Equal(t, u.Version, got.Version)
		return got.LastSeenAt
	}
	first := h.clock.Now()
	require.Equal(t, first, seen())
	h.clock.Advance(time.Minute - time.Millisecond)
	require.Equal(t, first, seen(), "at most once a minute")
	h.clock.Advance(time.Millisecond)
	require.Equal(t, first.Add(time.Minute), seen())
	require.NoError(t, h.TouchUser(t.Context(), u.ID+1, h.clock.Now()))
}

func testAPITokens(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u := h.user(t, uptime.RoleEditor)
	token, err := h.CreateAPIToken(t.Context(), uptime.APIToken{
		WorkspaceID: h.ws, UserID: u.ID, Name: "ci", Role: uptime.RoleViewer, Scopes: []string{"read", "push"},
		Prefix: "mon_abc", Hash: "t1", ExpiresAt: h.clock.Now().Add(time.Hour),
	}, nil)
	require.NoError(t, err)
	_, err = h.CreateAPIToken(t.Context(), uptime.APIToken{WorkspaceID: h.ws, UserID: u.ID, Role: uptime.RoleViewer, Hash: "t1"}, nil)
	require.ErrorIs(t, err, uptime.ErrConflict)
	got, owner, err := h.APITokenByHash(t.Context(), "t1")
	require.NoError(t, err)
	require.Equal(t, token, got)
	require.Equal(t, u, owner)
	used := h.clock.Now()
	require.NoError(t, h.TouchAPIToken(t.Context(), token.ID, used))
	list, err := h.APITokens(t.Context(), h.ws, uptime.Page{Limit: 10})
	require.NoError(t, err)
	token.LastUsedAt = used
	require.Equal(t, []uptime.APIToken{token}, list.Items)
	h.clock.Advance(time.Hour)
	_, _, err = h.APITokenByHash(t.Context(), "t1")
	require.ErrorIs(t, err, uptime.ErrNotFound, "expired")
	require.ErrorIs(t, h.DeleteAPIToken(t.Context(), h.ws+1, token.ID, nil), uptime.ErrNotFound)
	require.NoError(t, h.DeleteAPIToken(t.Context(), h.ws, token.ID, nil))
	require.ErrorIs(t, h.DeleteAPIToken(t.Context(), h.ws, token.ID, nil), uptime.ErrNotFound)
}
