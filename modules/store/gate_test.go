package store

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestGateLetsTheRecorderFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		require.NoError(t, g.enter(t.Context(), false))
		var order []string
		wait := func(name string, first bool) {
			go func() {
				if err := g.enter(t.Context(), first); err != nil {
					name = err.Error()
				}
				order = append(order, name)
				g.leave()
			}()
			synctest.Wait()
		}
		wait("page 1", false)
		wait("page 2", false)
		wait("recorder 1", true)
		wait("recorder 2", true)
		g.leave()
		synctest.Wait()
		require.Equal(t, []string{"recorder 1", "recorder 2", "page 1", "page 2"}, order)
		require.NoError(t, g.enter(t.Context(), true), "it is free again")
	})
}

func TestGateStarvesNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		require.NoError(t, g.enter(t.Context(), true))
		var order []string
		for range fairness + 5 {
			go func() {
				if g.enter(t.Context(), true) == nil {
					order = append(order, "recorder")
					g.leave()
				}
			}()
		}
		go func() {
			if g.enter(t.Context(), false) == nil {
				order = append(order, "page")
				g.leave()
			}
		}()
		synctest.Wait()
		g.leave()
		synctest.Wait()
		require.Len(t, order, fairness+6)
		require.Equal(t, "page", order[fairness])
	})
}

func TestGateGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		require.NoError(t, g.enter(t.Context(), false))
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() { gone <- g.enter(ctx, true) }()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-gone, context.Canceled)
		g.leave()
		require.NoError(t, g.enter(t.Context(), false))
	})
}
