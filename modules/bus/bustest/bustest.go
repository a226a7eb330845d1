// Package bustest is the conformance suite of uptime.Bus.
package bustest

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

const (
	// patience bounds every wait for something that must come.
	patience = 10 * time.Second
	// flood is more than a receiver may be behind in any implementation.
	flood = 50_000
)

// Factory makes a function that gives handles of one bus, each as if it were in
// another process.
type Factory func(t *testing.T) func() uptime.Bus

// Run tests an implementation.
func Run(t *testing.T, fresh Factory) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Factory){
		"ReachesEveryProcess": reaches,
		"OnlyItsTopics":       topics,
		"KeepsOrder":          order,
		"NothingFromBefore":   fromNow,
		"ClosesWithContext":   closes,
		"SlowReceiverResyncs": resync,
		"ManyAtOnce":          many,
		"CancelledContext":    cancelled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, fresh)
		})
	}
}

func subscribe(t *testing.T, b uptime.Bus, topics ...uptime.Topic) <-chan uptime.Notice {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ch, err := b.Subscribe(ctx, topics...)
	require.NoError(t, err)
	t.Cleanup(func() {
		cancel()
		for range ch { // until it is closed: nothing outlives the test
		}
	})
	return ch
}

func publish(t *testing.T, b uptime.Bus, notices ...uptime.Notice) {
	t.Helper()
	require.NoError(t, b.Publish(t.Context(), notices...))
}

func receive(t *testing.T, ch <-chan uptime.Notice) uptime.Notice {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case n, ok := <-ch:
		require.True(t, ok, "the channel was closed")
		return n
	case <-timer.C:
		require.FailNow(t, "no notice came in time")
		panic("unreachable")
	}
}

func monitor(id int64) uptime.Notice {
	return uptime.Notice{Topic: uptime.TopicMonitor, WorkspaceID: 1, ID: id}
}

func reaches(t *testing.T, fresh Factory) {
	t.Helper()
	handle := fresh(t)
	a, b := handle(), handle()
	own, other := subscribe(t, a, uptime.TopicResult), subscribe(t, b, uptime.TopicResult)
	n := uptime.Notice{
		Topic: uptime.TopicResult, WorkspaceID: 3, ID: 7,
		Slot: time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC), Data: json.RawMessage(`{"status":"up"}`),
	}
	publish(t, a, n)
	require.Equal(t, n, receive(t, own))
	require.Equal(t, n, receive(t, other))
}

func topics(t *testing.T, fresh Factory) {
	t.Helper()
	b := fresh(t)()
	ch := subscribe(t, b, uptime.TopicStatus, uptime.TopicMonitor)
	publish(t, b,
		uptime.Notice{Topic: uptime.TopicOutbox},
		monitor(1),
		uptime.Notice{Topic: uptime.TopicResult, ID: 9},
		uptime.Notice{Topic: uptime.TopicStatus, ID: 2})
	require.Equal(t, monitor(1), receive(t, ch))
	require.Equal(t, uptime.TopicStatus, receive(t, ch).Topic)
}

func order(t *testing.T, fresh Factory) {
	t.Helper()
	handle := fresh(t)
	ch := subscribe(t, handle(), uptime.TopicMonitor)
	from := handle()
	for i := range int64(100) {
		publish(t, from, monitor(2*i), monitor(2*i+1))
	}
	for i := range int64(200) {
		require.Equal(t, i, receive(t, ch).ID)
	}
}

func fromNow(t *testing.T, fresh Factory) {
	t.Helper()
	b := fresh(t)()
	publish(t, b, monitor(1))
	ch := subscribe(t, b, uptime.TopicMonitor)
	publish(t, b, monitor(2))
	require.Equal(t, int64(2), receive(t, ch).ID)
}

func closes(t *testing.T, fresh Factory) {
	t.Helper()
	b := fresh(t)()
	ctx, cancel := context.WithCancel(t.Context())
	ch, err := b.Subscribe(ctx, uptime.TopicMonitor)
	require.NoError(t, err)
	cancel()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case _, ok := <-ch:
		require.False(t, ok)
	case <-timer.C:
		require.FailNow(t, "the channel was not closed")
	}
	publish(t, b, monitor(1)) // with nobody there
}

// resync: a publisher waits for nobody; who is too slow learns that it lost
// something, and still gets the newest.
func resync(t *testing.T, fresh Factory) {
	t.Helper()
	b := fresh(t)()
	ch := subscribe(t, b, uptime.TopicMonitor)
	for i := range int64(flood / 100) {
		batch := [100]uptime.Notice{}
		for j := range batch {
			batch[j] = monitor(i*100 + int64(j) + 1)
		}
		publish(t, b, batch[:]...)
	}
	var resynced bool
	last := int64(0)
	for last < flood {
		n := receive(t, ch)
		if n.Topic == "" {
			resynced = true
			continue
		}
		require.Greater(t, n.ID, last)
		require.True(t, resynced || n.ID == last+1, "a gap without a resync at %d", n.ID)
		last = n.ID
	}
	require.True(t, resynced)
}

func many(t *testing.T, fresh Factory) {
	t.Helper()
	const publishers, each = 4, 50
	handle := fresh(t)
	chans := []<-chan uptime.Notice{
		subscribe(t, handle(), uptime.TopicMonitor), subscribe(t, handle(), uptime.TopicMonitor),
	}
	var all sync.WaitGroup
	for p := range publishers {
		from := handle()
		all.Go(func() {
			for i := range each {
				if err := from.Publish(t.Context(), monitor(int64(p*each+i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, ch := range chans {
		seen := map[int64]bool{}
		for range publishers * each {
			seen[receive(t, ch).ID] = true
		}
		require.Len(t, seen, publishers*each)
	}
	all.Wait()
}

func cancelled(t *testing.T, fresh Factory) {
	t.Helper()
	b := fresh(t)()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, b.Publish(ctx, monitor(1)), context.Canceled)
	_, err := b.Subscribe(ctx, uptime.TopicMonitor)
	require.ErrorIs(t, err, context.Canceled)
}
