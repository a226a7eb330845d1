package bus

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/redisconn"
	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

// TestSubscribersThatLeaveAtOnce: what one that leaves while it subscribes wanted is
// counted before it is counted off, or else the others' topics would be left, too.
func TestSubscribersThatLeaveAtOnce(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	conn, err := redisconn.Open(redisconn.Params{URL: testenv.Redis(t), Name: "test", Log: log, Clock: uptime.SystemClock})
	require.NoError(t, err)
	b, err := NewRedis(RedisParams{Conn: conn, Log: log})
	require.NoError(t, err)
	defer func() {
		require.NoError(t, b.Close())
		require.NoError(t, conn.Close())
	}()
	wanted := func() int {
		b.ear.mu.Lock()
		defer b.ear.mu.Unlock()
		for topic, n := range b.ear.wanted {
			require.Positive(t, n, topic)
		}
		return len(b.ear.wanted)
	}
	for range 20_000 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		_, _ = b.Subscribe(ctx, uptime.TopicStatus) // an error where it had left before
		wanted()
	}
	require.Eventually(t, func() bool { return wanted() == 0 }, 10*time.Second, time.Millisecond)
}
