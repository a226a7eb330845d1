package bus_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/bus"
	"monitor/modules/bus/bustest"
	"monitor/modules/redisconn"
	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

const patience = 30 * time.Second

// process makes a bus with connections of its own, as another process would.
func process(t *testing.T, url string) (*bus.Redis, *redisconn.Conn) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	conn, err := redisconn.Open(redisconn.Params{URL: url, Name: "test", Log: log, Clock: uptime.SystemClock})
	require.NoError(t, err)
	b, err := bus.NewRedis(bus.RedisParams{Conn: conn, Log: log})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, b.Close())
		require.NoError(t, conn.Close())
	})
	return b, conn
}

func TestRedisConformance(t *testing.T) {
	t.Parallel()
	bustest.Run(t, func(t *testing.T) func() uptime.Bus {
		t.Helper()
		url := testenv.Redis(t)
		return func() uptime.Bus {
			b, _ := process(t, url)
			return b
		}
	})
}

func TestRedisClusterConformance(t *testing.T) {
	t.Parallel()
	url, _ := testenv.RedisCluster(t)
	b, _ := process(t, url)
	other, _ := process(t, url)
	ch := listen(t, other, uptime.TopicMonitor)
	for i := range int64(300) {
		require.NoError(t, b.Publish(t.Context(), about(i), uptime.Notice{Topic: uptime.TopicOutbox}))
	}
	for i := range int64(300) {
		require.Equal(t, about(i), receive(t, ch), "in order, whichever server it went by")
	}
}

func TestNewRedisRefuses(t *testing.T) {
	t.Parallel()
	_, err := bus.NewRedis(bus.RedisParams{})
	require.Error(t, err)
}

func about(id int64) uptime.Notice {
	return uptime.Notice{Topic: uptime.TopicMonitor, WorkspaceID: 1, ID: id}
}

func listen(t *testing.T, b uptime.Bus, topics ...uptime.Topic) <-chan uptime.Notice {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ch, err := b.Subscribe(ctx, topics...)
	require.NoError(t, err)
	t.Cleanup(func() {
		cancel()
		for range ch {
		}
	})
	return ch
}

func receive(t *testing.T, ch <-chan uptime.Notice) uptime.Notice {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case n := <-ch:
		return n
	case <-timer.C:
		require.FailNow(t, "no notice came in time")
		panic("unreachable")
	}
}

// Redis goes and comes back: a process's own notices never stop, those of others
// come again, and everybody hears that something may be missing.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]struct{ goes, returns func(*testenv.RedisProcess) }{
		"Killed": {(*testenv.RedisProcess).Kill, (*testenv.RedisProcess).Start},
		"Paused": {(*testenv.RedisProcess).Pause, (*testenv.RedisProcess).Resume},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, server := testenv.RedisRestartable(t)
			a, _ := process(t, url)
			b, _ := process(t, url)
			own, other := listen(t, a, uptime.TopicMonitor), listen(t, b, uptime.TopicMonitor)
			require.NoError(t, a.Publish(t.Context(), about(1)))
			require.Equal(t, about(1), receive(t, own))
			require.Equal(t, about(1), receive(t, other))

			away.goes(server)
			require.ErrorIs(t, a.Publish(t.Context(), about(2)), uptime.ErrUnavailable)
			began := time.Now()
			require.ErrorIs(t, a.Publish(t.Context(), about(3)), uptime.ErrUnavailable)
			require.Less(t, time.Since(began), 500*time.Millisecond, "nobody waits for a server that is known to be away")
			for _, want := range []int64{2, 3} {
				require.Equal(t, want, receive(t, own).ID)
			}

			away.returns(server)
			missed := receive(t, other)
			for missed.ID == 2 || missed.ID == 3 { // what a paused server had got comes late
				missed = receive(t, other)
			}
			require.Equal(t, uptime.Notice{}, missed, "a resync comes before anything new")
			require.Eventually(t, func() bool { return a.Publish(t.Context(), about(4)) == nil }, patience, 20*time.Millisecond)
			for receive(t, other).ID != 4 {
			}
		})
	}
}

// A process that starts while Redis is away works alone and joins the others
// later.
func TestRedisAwayAtStart(t *testing.T) {
	t.Parallel()
	url, server := testenv.RedisRestartable(t)
	server.Kill()
	a, _ := process(t, url)
	began := time.Now()
	own := listen(t, a, uptime.TopicMonitor)
	require.Less(t, time.Since(began), bus.Patience+time.Second)
	require.Error(t, a.Publish(t.Context(), about(1)))
	require.Equal(t, about(1), receive(t, own))
	server.Start()
	require.Equal(t, uptime.Notice{}, receive(t, own))
	b, _ := process(t, url)
	require.NoError(t, b.Publish(t.Context(), about(2)))
	for receive(t, own).ID != 2 {
	}
}

// What one process could not publish, the others are told of, even if they were
// connected all the time.
func TestRedisTellsWhatItMissed(t *testing.T) {
	t.Parallel()
	url, _ := testenv.RedisServer(t)
	a, connA := process(t, url)
	b, _ := process(t, url)
	ch, quiet := listen(t, b, uptime.TopicMonitor), listen(t, b, uptime.TopicOutbox)
	admin := connA.Client(redisconn.Purpose{Name: "admin", Size: 1})
	// A user that may do all but publish, for a while.
	require.NoError(t, admin.Do(t.Context(), "ACL", "SETUSER", "default", "-publish").Err())
	require.ErrorIs(t, a.Publish(t.Context(), about(1)), uptime.ErrUnavailable)
	require.NoError(t, admin.Do(t.Context(), "ACL", "SETUSER", "default", "+publish").Err())
	require.Equal(t, uptime.Notice{}, receive(t, ch))
	require.Eventually(t, func() bool { return a.Publish(t.Context(), about(2)) == nil }, patience, 20*time.Millisecond)
	for receive(t, ch).ID != 2 {
	}
	require.Empty(t, quiet)
}

// Who does not subscribe to a topic is not sent it, and who leaves no longer.
func TestRedisSendsOnlyWhatIsWanted(t *testing.T) {
	t.Parallel()
	url, _ := testenv.RedisServer(t)
	b, conn := process(t, url)
	admin := conn.Client(redisconn.Purpose{Name: "admin", Size: 1})
	subscribers := func(topic uptime.Topic) int64 {
		channel := conn.Channel(string(topic))
		counts, err := admin.PubSubNumSub(t.Context(), channel).Result()
		require.NoError(t, err)
		return counts[channel]
	}
	listen(t, b, uptime.TopicMonitor)
	ctx, cancel := context.WithCancel(t.Context())
	ch, err := b.Subscribe(ctx, uptime.TopicMonitor, uptime.TopicResult)
	require.NoError(t, err)
	require.Equal(t, int64(1), subscribers(uptime.TopicResult))
	require.Equal(t, int64(1), subscribers(uptime.TopicMonitor), "one connection, however many subscribers")
	require.Zero(t, subscribers(uptime.TopicOutbox))
	cancel()
	for range ch {
	}
	require.Eventually(t, func() bool { return subscribers(uptime.TopicResult) == 0 }, patience, 20*time.Millisecond)
	require.Equal(t, int64(1), subscribers(uptime.TopicMonitor))
}

// A receiver of another process that is too slow loses the oldest and is told.
func TestRedisSlowReceiver(t *testing.T) {
	t.Parallel()
	url := testenv.Redis(t)
	a, _ := process(t, url)
	b, _ := process(t, url)
	slow, quick := listen(t, b, uptime.TopicMonitor), listen(t, b, uptime.TopicMonitor)
	const most = 3 * bus.Backlog
	for i := range int64(most) {
		require.NoError(t, a.Publish(t.Context(), about(i+1)))
		require.Equal(t, i+1, receive(t, quick).ID)
	}
	require.Equal(t, int64(1), receive(t, slow).ID, "handed over before the others came")
	require.Equal(t, uptime.Notice{}, receive(t, slow))
	require.Equal(t, int64(most-bus.Backlog+1), receive(t, slow).ID)
}

// What is no notice of ours does no harm: whoever listens reads the store again.
func TestRedisStrangeMessages(t *testing.T) {
	t.Parallel()
	b, conn := process(t, testenv.Redis(t))
	ch := listen(t, b, uptime.TopicMonitor)
	client := conn.Client(redisconn.Purpose{Name: "stranger", Size: 1})
	for _, text := range []string{"", "x", "x {", "x 7"} {
		require.NoError(t, client.Publish(t.Context(), conn.Channel(string(uptime.TopicMonitor)), text).Err())
		require.Equal(t, uptime.Notice{}, receive(t, ch), "%q", text)
	}
}

func TestRedisFailover(t *testing.T) {
	t.Parallel()
	s := testenv.RedisSentinel(t)
	a, _ := process(t, s.URL)
	b, _ := process(t, s.URL)
	ch := listen(t, b, uptime.TopicMonitor)
	s.KillMaster()
	require.Equal(t, uptime.Notice{}, receive(t, ch))
	require.Eventually(t, func() bool { return a.Publish(t.Context(), about(1)) == nil }, patience, 20*time.Millisecond)
	for receive(t, ch).ID != 1 {
	}
}
