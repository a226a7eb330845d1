package storetest

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func identity(subject string) uptime.Identity {
	return uptime.Identity{Issuer: "https://id.example.com", Subject: subject}
}

// newcomer has no password.
func (h house) newcomer(link *uptime.Identity) uptime.User {
	return uptime.User{
		WorkspaceID: h.ws, Role: uptime.RoleViewer, Email: h.key() + "@example.com", TimeZone: "UTC", Language: "en", Theme: "auto", Link: link,
	}
}

func testIdentities(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	ctx := t.Context()
	first := identity("Person \u00fc 1")
	u, err := h.CreateUser(ctx, h.newcomer(&first), &uptime.Audit{WorkspaceID: h.ws, Action: "user.create_oidc"})
	require.NoError(t, err)
	got, err := h.UserByIdentity(ctx, first)
	require.NoError(t, err)
	require.Equal(t, u, got)
	require.Nil(t, got.Link)
	for _, other := range []uptime.Identity{
		identity("person \u00fc 1"), identity("Person \u00fc 1 "), identity(""), identity("Person %"), {Issuer: "https://id.example.com/", Subject: first.Subject},
	} {
		_, err = h.UserByIdentity(ctx, other)
		require.ErrorIs(t, err, uptime.ErrNotFound, "%q is another", other)
	}
	require.Equal(t, "Person \u00fc 1", first.Subject)

	// One that is somebody's is nobody else's, and nothing of such a change is kept.
	taken := h.newcomer(&first)
	_, err = h.CreateUser(ctx, taken, nil)
	require.ErrorIs(t, err, uptime.ErrConflict)
	_, err = h.UserByEmail(ctx, taken.Email)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	old := h.user(t, uptime.RoleEditor)
	link := func(id uptime.Identity) error {
		_, err := h.UpdateUser(ctx, h.ws, old.ID, func(u *uptime.User) error {
			u.Link, u.PasswordHash = &id, ""
			return nil
		}, &uptime.Audit{WorkspaceID: h.ws, Action: "user.link_oidc"})
		return err
	}
	require.ErrorIs(t, link(first), uptime.ErrConflict)
	kept, err := h.User(ctx, h.ws, old.ID)
	require.NoError(t, err)
	require.Equal(t, old, kept)

	// Long ones are kept whole; a second of the same issuer is not taken, one of
	// another is.
	long := identity(strings.Repeat("x", 255))
	require.NoError(t, link(long))
	require.ErrorIs(t, link(identity("another")), uptime.ErrConflict)
	elsewhere := uptime.Identity{Issuer: "https://other.example.com", Subject: long.Subject}
	require.NoError(t, link(elsewhere), "also where nothing else changes")
	for _, id := range []uptime.Identity{long, elsewhere} {
		got, err = h.UserByIdentity(ctx, id)
		require.NoError(t, err)
		require.Equal(t, old.ID, got.ID)
		require.Empty(t, got.PasswordHash)
	}

	require.NoError(t, h.DropIdentities(ctx, h.ws, old.ID, nil))
	require.ErrorIs(t, h.DropIdentities(ctx, h.ws, old.ID, nil), uptime.ErrNotFound)
	require.ErrorIs(t, h.DropIdentities(ctx, h.ws+1, u.ID, nil), uptime.ErrNotFound, "of another workspace")
	_, err = h.UserByIdentity(ctx, long)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	require.NoError(t, link(identity("another")))
	require.NoError(t, h.DeleteUser(ctx, h.ws, u.ID, nil))
	_, err = h.UserByIdentity(ctx, first)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, err = h.CreateUser(ctx, h.newcomer(&first), nil)
	require.NoError(t, err, "who was deleted may come back")
}

// testIdentitiesAtOnce: of many log-ins of somebody new one makes the account.
func testIdentitiesAtOnce(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	id := identity("1")
	var made atomic.Int64
	var racers sync.WaitGroup
	for range 20 {
		racers.Go(func() {
			_, err := h.CreateUser(t.Context(), h.newcomer(&id), nil)
			if err == nil {
				made.Add(1)
				return
			}
			assert.ErrorIs(t, err, uptime.ErrConflict)
		})
	}
	racers.Wait()
	require.EqualValues(t, 1, made.Load())
	n, err := h.CountUsers(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}
