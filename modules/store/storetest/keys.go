package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// RunKeys is the conformance suite of keys in use and of what they sealed.
func RunKeys(t *testing.T, open OpenFunc) {
	for name, test := range map[string]func(*testing.T, OpenFunc){
		"Ring": testKeyRing, "AtOnce": testKeysAtOnce, "Reseal": testReseal, "ResealMonitor": testResealMonitor,
		"ResealAnswer": testResealAnswer, "DropFactor": testDropFactor, "Pages": testSealedPages,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

func (h house) ring(t *testing.T) uptime.KeyRing {
	t.Helper()
	ring, err := h.KeyRing(t.Context())
	require.NoError(t, err)
	return ring
}

func anyRing(uptime.KeyRing) error { return nil }

func testKeyRing(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	require.Equal(t, uptime.KeyRing{}, h.ring(t))
	began := h.clock.Now()
	one := uptime.KeyHolder{Member: "one", SealsBy: "a", Knows: []string{"a", "b"}}
	keyA := uptime.SealKey{ID: "a", Check: "sealed by a", UsedAt: began}
	require.NoError(t, h.HoldKeys(t.Context(), one, []uptime.SealKey{keyA}, false, anyRing))
	one.SeenAt = began
	require.Equal(t, uptime.KeyRing{Keys: []uptime.SealKey{keyA}, Holders: []uptime.KeyHolder{one}}, h.ring(t))

	refused := errors.New("refused")
	two := uptime.KeyHolder{Member: "two", SealsBy: "b", Knows: []string{"b"}}
	keyB := uptime.SealKey{ID: "b", Check: "sealed by b"}
	err := h.HoldKeys(t.Context(), two, []uptime.SealKey{keyB}, false, func(ring uptime.KeyRing) error {
		assert.Equal(t, []uptime.KeyHolder{one}, ring.Holders)
		return refused
	})
	require.ErrorIs(t, err, refused)
	require.Len(t, h.ring(t).Keys, 1, "who is refused enters nothing")

	h.clock.Advance(uptime.HolderGrace - time.Second)
	ids, err := h.SeeHolder(t.Context(), one)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, ids)
	h.clock.Advance(2 * time.Second)
	require.Len(t, h.ring(t).Holders, 1, "it was seen")
	h.clock.Advance(uptime.HolderGrace)
	require.Empty(t, h.ring(t).Holders, "it was killed")

	_, err = h.SeeHolder(t.Context(), one) // it was only paused
	require.NoError(t, err)
	require.NoError(t, h.HoldKeys(t.Context(), two, []uptime.SealKey{keyB, {ID: "a", Check: "another"}}, true, func(ring uptime.KeyRing) error {
		assert.Empty(t, ring.Holders, "who is alone knows that the others have ended")
		return nil
	}))
	ring := h.ring(t)
	require.Equal(t, "sealed by a", ring.Keys[0].Check, "the first check value stays")
	require.Equal(t, h.clock.Now(), ring.Keys[0].UsedAt)
	require.Equal(t, "two", ring.Holders[0].Member)

	require.NoError(t, h.DropKeys(t.Context(), func(uptime.KeyRing) ([]string, error) { return []string{"a"}, nil }))
	require.ErrorIs(t, h.DropKeys(t.Context(), func(uptime.KeyRing) ([]string, error) { return []string{"b"}, refused }), refused)
	require.NoError(t, h.LeaveKeys(t.Context(), "two"))
	ring = h.ring(t)
	require.Empty(t, ring.Holders)
	require.Len(t, ring.Keys, 1)
	require.Equal(t, "b", ring.Keys[0].ID)
}

func testKeysAtOnce(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	var starts sync.WaitGroup
	for i := range 20 {
		starts.Go(func() {
			holder := uptime.KeyHolder{Member: fmt.Sprintf("m%02d", i), SealsBy: "a", Knows: []string{"a"}}
			assert.NoError(t, h.HoldKeys(t.Context(), holder, []uptime.SealKey{{ID: "a", Check: holder.Member}}, false, anyRing))
		})
	}
	starts.Wait()
	ring := h.ring(t)
	require.Len(t, ring.Keys, 1)
	require.Len(t, ring.Holders, 20)
}

// rows gives all rows of a table that may hold sealed values.
func (h house) rows(t *testing.T, table uptime.SealedTable) []uptime.SealedRow {
	t.Helper()
	rows, err := h.SealedRows(t.Context(), table, uptime.SealedRow{}, 100)
	require.NoError(t, err)
	return rows
}

func (h house) reseal(t *testing.T, table uptime.SealedTable, row uptime.SealedRow, value string) int {
	t.Helper()
	n, err := h.Reseal(t.Context(), table, []uptime.Resealed{{Row: row, Value: value}})
	require.NoError(t, err)
	return n
}

// testReseal: a value that somebody changed meanwhile is left alone.
func testReseal(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	c := h.channel(t, func(c *uptime.Channel) { c.Name, c.Settings = "Hook", []byte(`{"secret":"s1:old"}`) })
	gone := h.channel(t)
	require.NoError(t, h.DeleteChannel(t.Context(), h.ws, gone.ID, nil))
	rows := h.rows(t, uptime.SealedChannels)
	require.Len(t, rows, 2, "deleted ones may come back")
	require.Equal(t, uptime.SealedRow{
		ID: c.ID, WorkspaceID: h.ws, RowKey: c.RowKey, Name: "Hook", Type: c.Type, Value: `{"secret":"s1:old"}`,
	}, rows[0])
	require.Equal(t, 1, h.reseal(t, uptime.SealedChannels, rows[0], `{"secret":"s1:new"}`))
	require.Equal(t, 0, h.reseal(t, uptime.SealedChannels, rows[0], `{"secret":"s1:other"}`))
	after, err := h.Channel(t.Context(), h.ws, c.ID)
	require.NoError(t, err)
	require.JSONEq(t, `{"secret":"s1:new"}`, string(after.Settings))
	require.Equal(t, c.Version, after.Version, "what people see did not change")
}

// testResealMonitor: schedulers and recorders see the new value, and nothing is
// judged anew.
func testResealMonitor(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	m := h.monitor(t)
	h.down(t, m)
	before, err := h.Monitor(t.Context(), h.ws, m.ID)
	require.NoError(t, err)
	h.clock.Advance(time.Second)
	row := h.rows(t, uptime.SealedMonitors)[0]
	require.Equal(t, m.ID, row.ID)
	require.Equal(t, 1, h.reseal(t, uptime.SealedMonitors, row, `{"url":"s1:new"}`))
	require.Equal(t, 0, h.reseal(t, uptime.SealedMonitors, row, `{"url":"s1:other"}`))

	after, err := h.Monitor(t.Context(), h.ws, m.ID)
	require.NoError(t, err)
	require.JSONEq(t, `{"url":"s1:new"}`, string(after.Settings))
	require.Equal(t, before.Version, after.Version)
	require.Equal(t, before.CheckAt, after.CheckAt)
	require.Equal(t, before.Status, after.Status)
	require.Equal(t, before.State, after.State)
	changed, err := h.ScheduledMonitors(t.Context(), before.ChangeSeq, 0, 10)
	require.NoError(t, err)
	require.Len(t, changed, 1)
	require.Equal(t, h.clock.Now(), changed[0].UpdatedAt, "a scheduler that reads everything takes it for new")
	h.decide(t, m, func(s uptime.Situation) uptime.Decision {
		require.JSONEq(t, `{"url":"s1:new"}`, string(s.Monitor.Settings), "no recorder goes by what it knew")
		return uptime.Decision{State: s.Monitor.State}
	})
}

func testResealAnswer(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	key := func(name string) uptime.IdempotencyKey {
		return uptime.IdempotencyKey{Actor: uptime.ActorKey{UserID: 1, TokenID: 2}, Key: name, BodyHash: "digest"}
	}
	for name, body := range map[string]string{"a": "s1:old", "b": `{"id":1}`, "c": "s1:more"} {
		_, err := h.BeginIdempotent(t.Context(), key(name), time.Hour)
		require.NoError(t, err)
		require.NoError(t, h.FinishIdempotent(t.Context(), key(name), uptime.StoredAnswer{Status: 201, Body: []byte(body)}))
	}
	_, err := h.BeginIdempotent(t.Context(), key("d"), time.Hour)
	require.NoError(t, err)
	rows := h.rows(t, uptime.SealedAnswers)
	require.Len(t, rows, 2)
	require.Equal(t, uptime.SealedRow{Answer: key("a"), WorkspaceID: h.ws, RowKey: "digest", Value: "s1:old"}, rows[0])
	require.Equal(t, 1, h.reseal(t, uptime.SealedAnswers, rows[0], "s1:new"))
	require.Equal(t, 0, h.reseal(t, uptime.SealedAnswers, rows[0], "s1:other"))
	answer, err := h.BeginIdempotent(t.Context(), key("a"), time.Hour)
	require.NoError(t, err)
	require.Equal(t, "s1:new", string(answer.Body))

	dropped, err := h.DropSealed(t.Context(), uptime.SealedAnswers, rows[1], nil)
	require.NoError(t, err)
	require.True(t, dropped)
	require.Len(t, h.rows(t, uptime.SealedAnswers), 1)
}

func testDropFactor(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u := h.user(t, uptime.RoleViewer)
	h.user(t, uptime.RoleViewer)
	set := func(secret string) {
		_, err := h.UpdateUser(t.Context(), h.ws, u.ID, func(u *uptime.User) error {
			u.TOTPSecret, u.TOTPKey, u.TOTPStep, u.Recovery = secret, "key", 5, []string{"hash"}
			return nil
		}, nil)
		require.NoError(t, err)
	}
	set("s1:old")
	rows := h.rows(t, uptime.SealedFactors)
	require.Equal(t, []uptime.SealedRow{{ID: u.ID, WorkspaceID: h.ws, RowKey: "key", Name: u.Email, Value: "s1:old"}}, rows)
	set("s1:set up again")
	dropped, err := h.DropSealed(t.Context(), uptime.SealedFactors, rows[0], nil)
	require.NoError(t, err)
	require.False(t, dropped)
	require.Equal(t, 1, h.reseal(t, uptime.SealedFactors, h.rows(t, uptime.SealedFactors)[0], "s1:new"))
	dropped, err = h.DropSealed(t.Context(), uptime.SealedFactors, h.rows(t, uptime.SealedFactors)[0],
		&uptime.Audit{WorkspaceID: h.ws, Action: "user.drop_totp", ObjectType: "user", ObjectID: u.ID})
	require.NoError(t, err)
	require.True(t, dropped)
	after, err := h.User(t.Context(), h.ws, u.ID)
	require.NoError(t, err)
	require.Empty(t, after.TOTPSecret+after.TOTPKey)
	require.Empty(t, after.Recovery)
}

func testSealedPages(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	for range 5 {
		h.channel(t)
	}
	var seen []int64
	after := uptime.SealedRow{}
	for {
		rows, err := h.SealedRows(t.Context(), uptime.SealedChannels, after, 2)
		require.NoError(t, err)
		for _, row := range rows {
			seen, after = append(seen, row.ID), row
		}
		if len(rows) < 2 {
			break
		}
	}
	require.Len(t, seen, 5)
	require.IsIncreasing(t, seen)
}
