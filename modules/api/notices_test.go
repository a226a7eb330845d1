package api

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"monitor/modules/bus"
	"monitor/modules/uptime"
)

// flakyBus refuses once, then ends the first subscription by itself.
type flakyBus struct {
	*bus.Memory
	mu    sync.Mutex
	calls int
}

func (f *flakyBus) Subscribe(ctx context.Context, topics ...uptime.Topic) (<-chan uptime.Notice, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch f.calls++; f.calls {
	case 1:
		return nil, uptime.ErrUnavailable
	case 2:
		ended := make(chan uptime.Notice)
		close(ended)
		return ended, nil
	default:
		return f.Memory.Subscribe(ctx, topics...)
	}
}

func TestNoticesOutliveABus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l, b := newNotices("s"), &flakyBus{Memory: bus.NewMemory()}
		c, known := l.from("", false)
		require.True(t, known)
		done, ready := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			l.run(ctx, b, slog.New(slog.DiscardHandler), sync.OnceFunc(func() { close(ready) }))
		}()
		<-ready // also while the bus is away
		var topics []uptime.Topic
		take := func(n int) {
			for len(topics) < n {
				next, there, more := c.peek()
				if there == nil {
					<-more
					continue
				}
				c.n = next.n
				topics = append(topics, next.Topic)
			}
		}
		take(2)
		synctest.Wait()
		require.NoError(t, b.Publish(t.Context(), uptime.Notice{Topic: uptime.TopicStatus, WorkspaceID: 1}))
		take(3)
		require.Equal(t, []uptime.Topic{"", "", uptime.TopicStatus}, topics, "each gap is told")
		cancel()
		<-done
	})
}

func TestNoticesStartStop(t *testing.T) {
	t.Parallel()
	b := bus.NewMemory()
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		l := newNotices("s")
		var parts sync.WaitGroup
		parts.Go(func() { l.run(ctx, b, slog.New(slog.DiscardHandler), cancel) })
		parts.Go(func() { _ = b.Publish(ctx, uptime.Notice{Topic: uptime.TopicStatus}) })
		parts.Wait()
	}
}
