package replay

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func topics() []uptime.Topic { return []uptime.Topic{uptime.TopicStatus, uptime.TopicResult} }

// flakyBus refuses once, then ends the first subscription by itself.
type flakyBus struct {
	mu    sync.Mutex
	calls int
	said  chan uptime.Notice
}

func (f *flakyBus) Publish(ctx context.Context, notices ...uptime.Notice) error {
	for _, n := range notices {
		select {
		case f.said <- n:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (f *flakyBus) Subscribe(ctx context.Context, _ ...uptime.Topic) (<-chan uptime.Notice, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make(chan uptime.Notice)
	switch f.calls++; f.calls {
	case 1:
		return nil, uptime.ErrUnavailable
	case 2:
		close(out)
		return out, nil
	}
	go func() {
		defer close(out)
		for {
			select {
			case n := <-f.said:
				out <- n
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

func TestNoticesOutliveABus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l, b := New("s"), &flakyBus{said: make(chan uptime.Notice)}
		c, known := l.From("", false)
		require.True(t, known)
		done, ready := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			l.Run(ctx, b, topics(), slog.New(slog.DiscardHandler), sync.OnceFunc(func() { close(ready) }))
		}()
		<-ready // also while the bus is away
		var heard []uptime.Topic
		take := func(n int) {
			for len(heard) < n {
				next, there, more := c.Peek()
				if there == nil {
					<-more
					continue
				}
				c.Pass(next)
				heard = append(heard, next.Topic)
			}
		}
		take(2)
		synctest.Wait()
		require.NoError(t, b.Publish(t.Context(), uptime.Notice{Topic: uptime.TopicStatus, WorkspaceID: 1}))
		take(3)
		require.Equal(t, []uptime.Topic{"", "", uptime.TopicStatus}, heard, "each gap is told")
		cancel()
		<-done
	})
}

func TestNoticesStartStop(t *testing.T) {
	t.Parallel()
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		l, b := New("s"), &flakyBus{calls: 2, said: make(chan uptime.Notice)}
		var parts sync.WaitGroup
		parts.Go(func() { l.Run(ctx, b, topics(), slog.New(slog.DiscardHandler), cancel) })
		parts.Go(func() { _ = b.Publish(ctx, uptime.Notice{Topic: uptime.TopicStatus}) })
		parts.Wait()
	}
}

func TestNoticesKeepTheNewest(t *testing.T) {
	t.Parallel()
	l := New("s")
	status, result := uptime.Notice{Topic: uptime.TopicStatus}, uptime.Notice{Topic: uptime.TopicResult}
	walk := func(id string, all bool) (topics []uptime.Topic) {
		c, known := l.From(id, all)
		require.True(t, known, id)
		for {
			next, there, _ := c.Peek()
			if there == nil {
				return topics
			}
			c.Pass(next)
			topics = append(topics, next.Topic)
		}
	}
	l.Add(status)
	for range Kept {
		l.Add(result)
	}
	l.Add(status)
	// Results push out results only.
	require.Equal(t, []uptime.Topic{uptime.TopicStatus, uptime.TopicStatus}, walk("s-0", false))
	require.Len(t, walk("s-0", true), Kept+2)
	l.Add(result)
	require.Equal(t, []uptime.Topic{uptime.TopicStatus, uptime.TopicStatus}, walk("s-0", false))
	require.Equal(t, []uptime.Topic{""}, walk("s-0", true), "one is lost")
	require.Len(t, walk("s-2", true), Kept+1)
	for range Kept - 1 {
		l.Add(status)
	}
	require.Equal(t, []uptime.Topic{""}, walk("s-0", false))
	require.Len(t, walk("s-1", false), Kept)
	require.Empty(t, walk("", true))
	require.Len(t, l.changes.kept, Kept)
}
