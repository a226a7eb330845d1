package storetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// challenge gives one that nobody used.
func (h house) challenge() uptime.UsedChallenge {
	return uptime.UsedChallenge{Hash: "challenge " + h.key(), EndsAt: h.clock.Now().Add(5 * time.Minute)}
}

func (h house) newPasskey(u uptime.User) uptime.Passkey {
	return uptime.Passkey{
		WorkspaceID: u.WorkspaceID, UserID: u.ID, Party: "monitor.example.com", CredentialID: []byte("\x00\xff" + h.key()), PublicKey: []byte{0xa5, 0, 1},
		SignCount: 1, BackupEligible: true, AAGUID: "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4", Transports: []string{"internal", "hybrid"}, Name: "Phone",
	}
}

func (h house) passkey(t *testing.T, u uptime.User) uptime.Passkey {
	t.Helper()
	k, err := h.CreatePasskey(t.Context(), h.newPasskey(u), h.challenge(), u.PasswordHash, nil)
	require.NoError(t, err)
	return k
}

func testPasskeys(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u, other := h.user(t, uptime.RoleViewer), h.user(t, uptime.RoleViewer)
	handle, err := h.PasskeyHandle(t.Context(), u.ID, []byte("\x00one\xff"))
	require.NoError(t, err)
	require.Equal(t, []byte("\x00one\xff"), handle)
	handle, err = h.PasskeyHandle(t.Context(), u.ID, []byte("two"))
	require.NoError(t, err)
	require.Equal(t, []byte("\x00one\xff"), handle, "it stays")
	_, err = h.PasskeyHandle(t.Context(), other.ID, []byte("other"))
	require.NoError(t, err)
	_, err = h.PasskeyHandle(t.Context(), 9999, []byte("x"))
	require.ErrorIs(t, err, uptime.ErrNotFound)

	phone := h.newPasskey(u)
	phone.Handle = handle
	made, err := h.CreatePasskey(t.Context(), phone, h.challenge(), u.PasswordHash, &uptime.Audit{WorkspaceID: h.ws, Action: "passkey.create", ObjectType: "passkey"})
	require.NoError(t, err)
	phone.ID, phone.CreatedAt = made.ID, h.clock.Now()
	require.Equal(t, phone, made)
	key := h.passkey(t, u)
	theirs := h.passkey(t, other)
	list, err := h.Passkeys(t.Context(), u.ID)
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, phone, list[0])
	require.Equal(t, key.ID, list[1].ID)
	got, err := h.PasskeyByCredential(t.Context(), phone.CredentialID)
	require.NoError(t, err)
	require.Equal(t, phone, got)
	for _, id := range [][]byte{nil, {}, []byte("nobody's")} {
		_, err = h.PasskeyByCredential(t.Context(), id)
		require.ErrorIs(t, err, uptime.ErrNotFound)
	}

	require.NoError(t, h.RenamePasskey(t.Context(), u.ID, phone.ID, "Old phone", nil))
	require.ErrorIs(t, h.RenamePasskey(t.Context(), u.ID, theirs.ID, "Mine", nil), uptime.ErrNotFound)
	require.ErrorIs(t, h.DeletePasskey(t.Context(), u.ID, theirs.ID, nil), uptime.ErrNotFound)
	require.NoError(t, h.DeletePasskey(t.Context(), u.ID, key.ID, nil))
	require.ErrorIs(t, h.DeletePasskey(t.Context(), u.ID, key.ID, nil), uptime.ErrNotFound)
	list, err = h.Passkeys(t.Context(), u.ID)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, "Old phone", list[0].Name)

	h.user(t, uptime.RoleOwner)
	require.NoError(t, h.DeleteUser(t.Context(), h.ws, other.ID, nil))
	_, err = h.PasskeyByCredential(t.Context(), theirs.CredentialID)
	require.ErrorIs(t, err, uptime.ErrNotFound, "a passkey ends with its person")
	lines, err := h.AuditLog(t.Context(), h.ws, uptime.AuditFilter{ObjectType: "passkey"}, uptime.Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, lines.Items, 1)
	require.Equal(t, phone.ID, lines.Items[0].ObjectID)
}

func testPasskeyUse(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u := h.user(t, uptime.RoleViewer)
	k := h.passkey(t, u)
	stored := func() uptime.Passkey {
		got, err := h.PasskeyByCredential(t.Context(), k.CredentialID)
		require.NoError(t, err)
		return got
	}
	h.clock.Advance(time.Minute)
	use := uptime.PasskeyUse{Challenge: h.challenge(), SignCount: 2, BackedUp: true, At: h.clock.Now()}
	require.NoError(t, h.UsePasskey(t.Context(), k.ID, use, nil))
	got := stored()
	require.EqualValues(t, 2, got.SignCount)
	require.True(t, got.BackedUp)
	require.Equal(t, h.clock.Now(), got.LastUsedAt)

	require.ErrorIs(t, h.UsePasskey(t.Context(), k.ID, use, nil), uptime.ErrStale, "a challenge is used up, whatever the count")
	use.SignCount = 9
	require.ErrorIs(t, h.UsePasskey(t.Context(), k.ID, use, nil), uptime.ErrStale)
	for _, back := range []uint32{2, 1, 0} {
		err := h.UsePasskey(t.Context(), k.ID, uptime.PasskeyUse{Challenge: h.challenge(), SignCount: back, At: h.clock.Now()}, &uptime.Audit{WorkspaceID: h.ws, Action: "no"})
		require.ErrorIs(t, err, uptime.ErrConflict)
	}
	require.Equal(t, got, stored(), "what is refused changes nothing")
	require.NoError(t, h.UsePasskey(t.Context(), k.ID, uptime.PasskeyUse{Challenge: h.challenge(), SignCount: 1<<32 - 1, At: h.clock.Now()}, nil))
	require.EqualValues(t, 1<<32-1, stored().SignCount)
	require.ErrorIs(t, h.UsePasskey(t.Context(), 9999, uptime.PasskeyUse{Challenge: h.challenge()}, nil), uptime.ErrNotFound)

	silent := h.newPasskey(u)
	silent.SignCount = 0
	silent, err := h.CreatePasskey(t.Context(), silent, h.challenge(), u.PasswordHash, nil)
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, h.UsePasskey(t.Context(), silent.ID, uptime.PasskeyUse{Challenge: h.challenge(), At: h.clock.Now()}, nil), "it does not count")
	}

	// Challenges are forgotten once no answer to them is taken, by whatever clock.
	count := func() int64 {
		purged, err := h.Purge(t.Context(), uptime.Retention{})
		require.NoError(t, err)
		return purged.Objects
	}
	h.clock.Advance(6 * time.Minute)
	require.Zero(t, count())
	h.clock.Advance(time.Hour)
	require.EqualValues(t, 7, count())
}

// testPasskeyAtOnce: one answer sent many times at once logs in once.
func testPasskeyAtOnce(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	k := h.passkey(t, h.user(t, uptime.RoleViewer))
	for n := range uint32(5) {
		use := uptime.PasskeyUse{Challenge: h.challenge(), SignCount: 2 + n, At: h.clock.Now()}
		var won atomic.Int64
		var racers sync.WaitGroup
		for range 8 {
			racers.Go(func() {
				err := h.UsePasskey(t.Context(), k.ID, use, nil)
				if err == nil {
					won.Add(1)
				} else {
					assert.ErrorIs(t, err, uptime.ErrStale)
				}
			})
		}
		racers.Wait()
		require.EqualValues(t, 1, won.Load())
	}
}

func testPasskeyBounds(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u := h.user(t, uptime.RoleViewer)
	k := h.passkey(t, u)
	again := h.newPasskey(h.user(t, uptime.RoleViewer))
	again.CredentialID = k.CredentialID
	_, err := h.CreatePasskey(t.Context(), again, h.challenge(), u.PasswordHash, nil)
	require.ErrorIs(t, err, uptime.ErrConflict, "a credential is one person's")
	used := h.challenge()
	_, err = h.CreatePasskey(t.Context(), h.newPasskey(u), used, u.PasswordHash, nil)
	require.NoError(t, err)
	_, err = h.CreatePasskey(t.Context(), h.newPasskey(u), used, u.PasswordHash, nil)
	require.ErrorIs(t, err, uptime.ErrStale)

	var makers sync.WaitGroup
	var made atomic.Int64
	for range uptime.MaxPasskeys + 4 {
		makers.Go(func() {
			_, err := h.CreatePasskey(t.Context(), h.newPasskey(u), h.challenge(), u.PasswordHash, nil)
			if err == nil {
				made.Add(1)
			} else {
				assert.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
			}
		})
	}
	makers.Wait()
	require.EqualValues(t, uptime.MaxPasskeys-2, made.Load())
	list, err := h.Passkeys(t.Context(), u.ID)
	require.NoError(t, err)
	require.Len(t, list, uptime.MaxPasskeys)

	other := h.user(t, uptime.RoleViewer)
	_, err = h.CreatePasskey(t.Context(), h.newPasskey(other), h.challenge(), "an earlier password", nil)
	require.ErrorIs(t, err, uptime.ErrStale)
	_, err = h.UpdateUser(t.Context(), h.ws, other.ID, func(n *uptime.User) error { n.Disabled = true; return nil }, nil)
	require.NoError(t, err)
	_, err = h.CreatePasskey(t.Context(), h.newPasskey(other), h.challenge(), other.PasswordHash, nil)
	require.ErrorIs(t, err, uptime.ErrStale)
	_, err = h.CreatePasskey(t.Context(), h.newPasskey(uptime.User{ID: 9999}), h.challenge(), "", nil)
	require.ErrorIs(t, err, uptime.ErrStale)
}
