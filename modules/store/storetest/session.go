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

func (h house) refresh(u uptime.User, hash, family string) uptime.RefreshToken {
	return uptime.RefreshToken{
		Hash: hash, Family: family, UserID: u.ID, WorkspaceID: u.WorkspaceID,
		IssuedAt: h.clock.Now(), ExpiresAt: h.clock.Now().Add(time.Hour), Address: "192.0.2.1", UserAgent: "test",
		BeganAt: h.clock.Now(), SeenAt: h.clock.Now(),
	}
}

// begin saves a new session of a user whose password was verified just now.
func (h house) begin(t *testing.T, token uptime.RefreshToken) error {
	t.Helper()
	u, err := h.User(t.Context(), token.WorkspaceID, token.UserID)
	require.NoError(t, err)
	return h.SaveRefreshToken(t.Context(), token, u.PasswordHash)
}

// testEndingSessions: a change that ends sessions ends those that are just being begun,
// and keeps the one that it names.
func testEndingSessions(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u := h.user(t, uptime.RoleViewer)
	for _, family := range []string{"f1", "f2"} {
		require.NoError(t, h.begin(t, h.refresh(u, "r"+family, family)))
	}
	_, err := h.UpdateUser(t.Context(), h.ws, u.ID, func(n *uptime.User) error { n.Name = "N"; return nil }, nil)
	require.NoError(t, err)
	_, err = h.RefreshFamily(t.Context(), "f2")
	require.NoError(t, err, "a name ends nothing")
	before := u.PasswordHash
	_, err = h.UpdateUser(t.Context(), h.ws, u.ID, func(n *uptime.User) error {
		n.PasswordHash, n.KeepSession = "another", "f1"
		return nil
	}, nil)
	require.NoError(t, err)
	_, err = h.RefreshFamily(t.Context(), "f1")
	require.NoError(t, err)
	_, err = h.RefreshFamily(t.Context(), "f2")
	require.ErrorIs(t, err, uptime.ErrNotFound)
	require.ErrorIs(t, h.SaveRefreshToken(t.Context(), h.refresh(u, "late", "f3"), before), uptime.ErrStale)
	_, err = h.UpdateUser(t.Context(), h.ws, u.ID, func(n *uptime.User) error { n.Disabled = true; return nil }, nil)
	require.NoError(t, err)
	_, err = h.RefreshFamily(t.Context(), "f1")
	require.ErrorIs(t, err, uptime.ErrNotFound)
	require.ErrorIs(t, h.SaveRefreshToken(t.Context(), h.refresh(u, "late", "f3"), "another"), uptime.ErrStale)
	require.ErrorIs(t, h.SaveRefreshToken(t.Context(), h.refresh(uptime.User{ID: 9999, WorkspaceID: h.ws}, "late", "f3"), ""), uptime.ErrStale)
}

func testSessions(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u, other := h.user(t, uptime.RoleViewer), h.user(t, uptime.RoleAdmin)
	began := h.clock.Now()
	for _, token := range []uptime.RefreshToken{h.refresh(u, "r1", "f1"), h.refresh(u, "s1", "f2"), h.refresh(other, "o1", "f3")} {
		require.NoError(t, h.begin(t, token))
	}
	h.clock.Advance(10 * time.Minute)
	_, _, err := h.RotateRefreshToken(t.Context(), "r1", h.refresh(u, "r2", "f1"))
	require.NoError(t, err)
	rotated := h.clock.Now()
	families := func(limit int) (names []string, list []uptime.RefreshToken) {
		list, err := h.Sessions(t.Context(), u.ID, limit)
		require.NoError(t, err)
		for _, s := range list {
			names = append(names, s.Family)
		}
		return names, list
	}
	names, list := families(9)
	require.Equal(t, []string{"f1", "f2"}, names, "seen last comes first, each once, and none of others")
	require.Equal(t, "r2", list[0].Hash)
	require.Equal(t, began, list[0].BeganAt)
	require.Equal(t, rotated, list[0].SeenAt)
	names, _ = families(1)
	require.Equal(t, []string{"f1"}, names)

	h.clock.Advance(30 * time.Second)
	require.NoError(t, h.TouchSession(t.Context(), "f1", "192.0.2.9", h.clock.Now()))
	_, list = families(9)
	require.Equal(t, rotated, list[0].SeenAt, "once a minute is enough")
	h.clock.Advance(time.Minute)
	require.NoError(t, h.TouchSession(t.Context(), "f2", "192.0.2.9", h.clock.Now()))
	names, list = families(9)
	require.Equal(t, []string{"f2", "f1"}, names)
	require.Equal(t, "192.0.2.9", list[0].Address)
	require.Equal(t, h.clock.Now(), list[0].SeenAt)
	require.NoError(t, h.TouchSession(t.Context(), "nobody", "192.0.2.9", h.clock.Now()))

	h.clock.Advance(50 * time.Minute)
	names, _ = families(9)
	require.Equal(t, []string{"f1"}, names, "what has ended is no session")
}

func testRefreshRotation(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u := h.user(t, uptime.RoleViewer)
	first := h.refresh(u, "r1", "f1")
	require.NoError(t, h.begin(t, first))
	got, err := h.RefreshFamily(t.Context(), "f1")
	require.NoError(t, err)
	require.Equal(t, first, got)

	next := h.refresh(uptime.User{ID: 99, WorkspaceID: 99}, "r2", "another family")
	old, reused, err := h.RotateRefreshToken(t.Context(), "r1", next)
	require.NoError(t, err)
	require.False(t, reused)
	require.Equal(t, first, old)
	got, err = h.RefreshFamily(t.Context(), "f1")
	require.NoError(t, err)
	require.Equal(t, h.refresh(u, "r2", "f1"), got, "family and owner are those of the old one")

	_, _, err = h.RotateRefreshToken(t.Context(), "unknown", h.refresh(u, "r3", "f1"))
	require.ErrorIs(t, err, uptime.ErrNotFound)
	h.clock.Advance(time.Hour)
	_, _, err = h.RotateRefreshToken(t.Context(), "r2", h.refresh(u, "r3", "f1"))
	require.ErrorIs(t, err, uptime.ErrNotFound, "expired")
	_, err = h.RefreshFamily(t.Context(), "f1")
	require.ErrorIs(t, err, uptime.ErrNotFound)
}

func testRefreshReuse(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u := h.user(t, uptime.RoleViewer)
	require.NoError(t, h.begin(t, h.refresh(u, "r1", "f1")))
	require.NoError(t, h.begin(t, h.refresh(u, "s1", "f2")))
	_, _, err := h.RotateRefreshToken(t.Context(), "r1", h.refresh(u, "r2", "f1"))
	require.NoError(t, err)
	h.clock.Advance(31 * time.Second)
	old, reused, err := h.RotateRefreshToken(t.Context(), "r1", h.refresh(u, "r3", "f1"))
	require.NoError(t, err)
	require.True(t, reused)
	require.Equal(t, u.ID, old.UserID)
	for _, hash := range []string{"r1", "r2", "r3"} {
		_, _, err = h.RotateRefreshToken(t.Context(), hash, h.refresh(u, "r4", "f1"))
		require.ErrorIs(t, err, uptime.ErrNotFound, "the whole family ended")
	}
	_, err = h.RefreshFamily(t.Context(), "f2")
	require.NoError(t, err, "other sessions go on")
}

// testRefreshGrace: the answer to a refresh may be lost, and the token come again.
func testRefreshGrace(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u := h.user(t, uptime.RoleViewer)
	rotate := func(from, to string) (reused bool, err error) {
		_, reused, err = h.RotateRefreshToken(t.Context(), from, h.refresh(u, to, "f1"))
		return reused, err
	}
	fine := func(from, to string) {
		t.Helper()
		reused, err := rotate(from, to)
		require.NoError(t, err)
		require.False(t, reused)
		got, err := h.RefreshFamily(t.Context(), "f1")
		require.NoError(t, err)
		require.Equal(t, to, got.Hash, "the newest is the one that was given last")
	}
	require.NoError(t, h.begin(t, h.refresh(u, "r1", "f1")))
	fine("r1", "r2")
	h.clock.Advance(20 * time.Second)
	fine("r1", "r3") // and once more
	h.clock.Advance(10 * time.Second)
	fine("r1", "r4")
	fine("r4", "r5")
	reused, err := rotate("r1", "r6")
	require.NoError(t, err)
	require.True(t, reused, "it is not the one that was used last: r4 is")

	require.NoError(t, h.begin(t, h.refresh(u, "s1", "f1")))
	fine("s1", "s2")
	fine("s1", "s3")
	reused, err = rotate("s2", "s4")
	require.NoError(t, err)
	require.True(t, reused, "what was given before is used up: somebody has it, too")
	_, err = h.RefreshFamily(t.Context(), "f1")
	require.ErrorIs(t, err, uptime.ErrNotFound)
}

// testRefreshAtOnce: one token sent several times at once leaves one newest link.
func testRefreshAtOnce(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u := h.user(t, uptime.RoleViewer)
	for range 10 {
		family, token := h.key(), h.key()
		require.NoError(t, h.begin(t, h.refresh(u, token, family)))
		var won, reuses atomic.Int64
		var racers sync.WaitGroup
		for range 3 {
			racers.Go(func() {
				_, reused, err := h.RotateRefreshToken(t.Context(), token, h.refresh(u, h.key(), family))
				switch {
				case err != nil:
					assert.ErrorIs(t, err, uptime.ErrNotFound)
				case reused:
					reuses.Add(1)
				default:
					won.Add(1)
				}
			})
		}
		racers.Wait()
		require.EqualValues(t, 3, won.Load())
		require.Zero(t, reuses.Load())
		_, err := h.RefreshFamily(t.Context(), family)
		require.NoError(t, err)
	}
}

func testRefreshEnd(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u, other := h.user(t, uptime.RoleViewer), h.user(t, uptime.RoleViewer)
	for _, f := range []string{"f1", "f2", "f3"} {
		require.NoError(t, h.begin(t, h.refresh(u, "r"+f, f)))
	}
	require.NoError(t, h.begin(t, h.refresh(other, "o", "fo")))
	lives := func(want ...string) {
		t.Helper()
		var got []string
		for _, f := range []string{"f1", "f2", "f3", "fo"} {
			if _, err := h.RefreshFamily(t.Context(), f); err == nil {
				got = append(got, f)
			} else {
				require.ErrorIs(t, err, uptime.ErrNotFound)
			}
		}
		require.Equal(t, want, got)
	}
	require.NoError(t, h.EndFamily(t.Context(), "f1"))
	require.NoError(t, h.EndFamily(t.Context(), "f1"))
	lives("f2", "f3", "fo")
	require.NoError(t, h.EndFamilies(t.Context(), u.ID, "f3"))
	lives("f3", "fo")
	require.NoError(t, h.EndFamilies(t.Context(), u.ID, ""))
	lives("fo")
}

func testIdempotency(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	const ttl = 24 * time.Hour
	k := uptime.IdempotencyKey{Actor: uptime.ActorKey{UserID: 1, TokenID: 2}, Key: "k", BodyHash: "b1"}
	begin := func(k uptime.IdempotencyKey) (*uptime.StoredAnswer, error) {
		return h.BeginIdempotent(t.Context(), k, ttl)
	}
	goOn := func(k uptime.IdempotencyKey) {
		t.Helper()
		answer, err := begin(k)
		require.NoError(t, err)
		require.Nil(t, answer)
	}
	code := func(want uptime.Code, k uptime.IdempotencyKey) {
		t.Helper()
		_, err := begin(k)
		require.Equal(t, want, uptime.CodeOf(err))
	}
	other, foreign := k, k
	other.BodyHash, foreign.Actor.TokenID = "b2", 3

	goOn(k)
	code(uptime.CodeConflict, k)
	code(uptime.CodeKeyReused, other)
	goOn(foreign)
	require.NoError(t, h.AbandonIdempotent(t.Context(), k))
	goOn(other)
	require.NoError(t, h.AbandonIdempotent(t.Context(), other))

	goOn(k)
	h.clock.Advance(2 * time.Minute)
	goOn(k) // the first one's process died
	answer := uptime.StoredAnswer{Status: 201, Header: map[string]string{"Location": "/x"}, Body: []byte(`{"id":1}`)}
	require.NoError(t, h.FinishIdempotent(t.Context(), k, answer))
	require.NoError(t, h.AbandonIdempotent(t.Context(), k), "an answer stays")
	answer.BodyHash = "b1"
	replay, err := begin(k)
	require.NoError(t, err)
	require.Equal(t, &answer, replay)
	code(uptime.CodeKeyReused, other)
	byNewKey := other
	byNewKey.Older = []string{"b0", "b1"}
	replay, err = begin(byNewKey)
	require.NoError(t, err)
	require.Equal(t, &answer, replay, "the same request, by the digest of a new key")
	require.ErrorIs(t, h.FinishIdempotent(t.Context(), k, answer), uptime.ErrNotFound)
	h.clock.Advance(ttl)
	goOn(other)
}

func testIdempotencyAtOnce(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	var ran atomic.Int64
	var racers sync.WaitGroup
	for range 20 {
		racers.Go(func() {
			answer, err := h.BeginIdempotent(t.Context(), uptime.IdempotencyKey{Key: "k", BodyHash: "b"}, time.Hour)
			if err == nil {
				assert.Nil(t, answer)
				ran.Add(1)
			} else {
				assert.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
			}
		})
	}
	racers.Wait()
	require.EqualValues(t, 1, ran.Load())
}
