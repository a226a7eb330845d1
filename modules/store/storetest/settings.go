package storetest

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func testSettings(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	ctx := t.Context()
	_, err := h.Setting(ctx, h.ws, "colour")
	require.ErrorIs(t, err, uptime.ErrNotFound)

	set := func(value string) (uptime.Setting, error) {
		return h.ChangeSetting(ctx, h.ws, "colour", func(s *uptime.Setting) error {
			s.Value = json.RawMessage(value)
			return nil
		}, &uptime.Audit{WorkspaceID: h.ws, Action: "settings.colour", ObjectType: "workspace"})
	}
	saved, err := set(`{"a":1}`)
	require.NoError(t, err)
	require.Equal(t, int64(1), saved.Version)
	require.Equal(t, h.clock.Now(), saved.UpdatedAt)
	same, err := set(`{"a":1}`)
	require.NoError(t, err)
	require.Equal(t, saved, same, "nothing has changed")
	log, err := h.AuditLog(ctx, h.ws, uptime.AuditFilter{}, uptime.Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, log.Items, 1, "what changes nothing is not in the log")

	mine := errors.New("mine")
	_, err = h.ChangeSetting(ctx, h.ws, "colour", func(s *uptime.Setting) error { s.Value = nil; return mine }, nil)
	require.ErrorIs(t, err, mine)
	read, err := h.Setting(ctx, h.ws, "colour")
	require.NoError(t, err)
	require.Equal(t, saved, read)

	// Each of many at once sees what the one before wrote.
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, err := h.ChangeSetting(ctx, h.ws, "count", func(s *uptime.Setting) error {
				s.Value = append(append(json.RawMessage{}, s.Value...), '1')
				return nil
			}, nil)
			require.NoError(t, err)
		})
	}
	all.Wait()
	read, err = h.Setting(ctx, h.ws, "count")
	require.NoError(t, err)
	require.Equal(t, "11111111", string(read.Value))
	require.Equal(t, int64(8), read.Version)

	owner := h.user(t, uptime.RoleOwner)
	annex := h.second(t, owner)
	_, err = h.Setting(ctx, annex.ID, "colour")
	require.ErrorIs(t, err, uptime.ErrNotFound, "each workspace has its own")

	storage, err := h.Storage(ctx)
	require.NoError(t, err)
	require.Contains(t, []string{"SQLite", "PostgreSQL"}, storage.Kind)
	require.NotEmpty(t, storage.Version)
	require.Positive(t, storage.Bytes)
	require.GreaterOrEqual(t, storage.Bytes, storage.Results+storage.Rollups)
}
