package auth

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func TestPasswordsRefuseAQueueWithoutEnd(t *testing.T) {
	t.Parallel()
	p := NewPasswords(2)
	places := 2 * (1 + longestQueue)
	for range places {
		p.queue <- struct{}{}
	}
	_, err := p.Hash(t.Context(), "a password")
	require.Equal(t, uptime.CodeUnavailable, uptime.CodeOf(err))
	require.Equal(t, uptime.CodeUnavailable, uptime.CodeOf(p.VerifyNothing(t.Context(), "a password")))
	<-p.queue
	require.NoError(t, p.VerifyNothing(t.Context(), "a password"), "a place is free")
	require.Len(t, p.queue, places-1, "and is free again afterwards")
}

func TestPasswordsFreeThePlaceOfWhoLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := NewPasswords(1)
		p.turns <- struct{}{} // somebody's turn that does not end
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() { left <- p.VerifyNothing(ctx, "a password") }()
		synctest.Wait()
		require.Len(t, p.queue, 1, "it waits")
		cancel()
		require.ErrorIs(t, <-left, context.Canceled)
		require.Empty(t, p.queue)
	})
}
