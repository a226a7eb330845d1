package bus_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"monitor/modules/bus"
	"monitor/modules/bus/bustest"
	"monitor/modules/uptime"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func TestMemoryConformance(t *testing.T) {
	t.Parallel()
	bustest.Run(t, func(*testing.T) func() uptime.Bus {
		b := bus.NewMemory()
		return func() uptime.Bus { return b }
	})
}

func TestSubscribeNeedsATopic(t *testing.T) {
	t.Parallel()
	_, err := bus.NewMemory().Subscribe(t.Context())
	require.Error(t, err)
}

// A receiver that lags keeps the newest and hears of the loss first.
func TestLossIsToldFirst(t *testing.T) {
	t.Parallel()
	b := bus.NewMemory()
	ctx, cancel := context.WithCancel(t.Context())
	ch, err := b.Subscribe(ctx, uptime.TopicMonitor)
	require.NoError(t, err)
	batch := make([]uptime.Notice, bus.Backlog+10)
	for i := range batch {
		batch[i] = uptime.Notice{Topic: uptime.TopicMonitor, ID: int64(i + 1)}
	}
	require.NoError(t, b.Publish(t.Context(), batch...))
	require.Equal(t, uptime.Notice{}, <-ch)
	require.Equal(t, int64(11), (<-ch).ID)
	cancel()
	for range ch {
	}
}

func TestSubscribeStress(t *testing.T) {
	t.Parallel()
	b := bus.NewMemory()
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			ch, err := b.Subscribe(ctx, uptime.TopicMonitor)
			if err != nil {
				t.Error(err)
			}
			if err := b.Publish(ctx, uptime.Notice{Topic: uptime.TopicMonitor}); err != nil {
				t.Error(err)
			}
			<-ch
			cancel()
			for range ch {
			}
		})
	}
	all.Wait()
}
