package lock_test

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"monitor/modules/lock"
	"monitor/modules/lock/locktest"
	"monitor/modules/uptime"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		leadAsChild()
	}
	goleak.VerifyTestMain(m)
}

func params(epochs uptime.Epochs) lock.MemoryParams {
	return lock.MemoryParams{Epochs: epochs, Log: slog.New(slog.DiscardHandler)}
}

func TestMemoryConformance(t *testing.T) {
	t.Parallel()
	locktest.Run(t, func(t *testing.T) func(uptime.Epochs) uptime.Leader {
		t.Helper()
		var first *lock.Memory
		var mu sync.Mutex
		return func(epochs uptime.Epochs) uptime.Leader {
			mu.Lock()
			defer mu.Unlock()
			if first == nil {
				l, err := lock.NewMemory(params(epochs))
				require.NoError(t, err)
				first = l
				return l
			}
			l, err := first.Standby(params(epochs))
			require.NoError(t, err)
			return l
		}
	})
}

// flaky fails its first calls.
type flaky struct {
	failures int
	n        int64
}

func (f *flaky) RaiseEpoch(context.Context) (int64, error) {
	if f.failures > 0 {
		f.failures--
		return 0, uptime.ErrUnavailable
	}
	f.n++
	return f.n, nil
}

func TestRetriesEachSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, err := lock.NewMemory(params(&flaky{failures: 5}))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		err = l.Lead(ctx, func(context.Context, int64) error {
			epoch, leading := l.Leading()
			require.True(t, leading)
			require.Equal(t, int64(1), epoch)
			cancel()
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, 5*lock.RetryEvery, time.Since(began))
		_, leading := l.Leading()
		require.False(t, leading)
	})
}

// A part that fails at once must not raise the epoch in a tight loop.
func TestFailuresArePaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		epochs := &flaky{}
		l, err := lock.NewMemory(params(epochs))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+time.Millisecond)
		defer cancel()
		require.NoError(t, l.Lead(ctx, func(context.Context, int64) error { return uptime.ErrFenced }))
		require.Equal(t, int64(11), epochs.n)
	})
}

func TestNewMemoryRefuses(t *testing.T) {
	t.Parallel()
	_, err := lock.NewMemory(lock.MemoryParams{})
	require.Error(t, err)
}

// Many parts come and go at once; nothing hangs and nothing leaks.
func TestStartStopStress(t *testing.T) {
	t.Parallel()
	l, err := lock.NewMemory(params(&flaky{}))
	require.NoError(t, err)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%3 == 0 {
				cancel()
			}
			err := l.Lead(ctx, func(ctx context.Context, _ int64) error {
				cancel()
				<-ctx.Done()
				return ctx.Err()
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	_, leading := l.Leading()
	require.False(t, leading)
}
