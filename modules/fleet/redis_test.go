package fleet_test

import (
	"context"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"monitor/modules/fleet"
	"monitor/modules/fleet/fleettest"
	"monitor/modules/redisconn"
	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

// world is one Redis with as many processes on it as a test asks for.
type world struct {
	url   string
	clock *handClock
	raw   *redis.Client
}

func newWorld(t *testing.T, url string) *world {
	t.Helper()
	opts, err := redis.ParseURL(url)
	require.NoError(t, err)
	w := &world{url: url, clock: newHandClock(), raw: redis.NewClient(opts)}
	w.clock.Advance(-uptime.RecentFor) // which settle takes
	t.Cleanup(func() { _ = w.raw.Close() })
	return w
}

// processes gives the fleets of n processes that know what was before.
func (w *world) processes(t *testing.T, n int) []*fleet.Redis {
	t.Helper()
	var out []*fleet.Redis
	for range n {
		f, _ := w.connected(t, w.url)
		out = append(out, f)
	}
	w.settle(t, out...)
	return out
}

func (w *world) connected(t *testing.T, url string) (*fleet.Redis, *redisconn.Conn) {
	t.Helper()
	conn, err := redisconn.Open(redisconn.Params{URL: url, Name: "test", Log: slog.New(slog.DiscardHandler), Clock: w.clock.Now})
	require.NoError(t, err)
	f, err := fleet.NewRedis(fleet.RedisParams{Conn: conn, Clock: w.clock.Now, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, f.Close())
		require.NoError(t, conn.Close())
	})
	return f, conn
}

// settle lets them see the mark of the data, and the time pass in which they
// could not tell what had been before it.
func (w *world) settle(t *testing.T, fleets ...*fleet.Redis) {
	t.Helper()
	for _, f := range fleets {
		require.True(t, f.DidWrite(t.Context(), "user:0"), "what was before is not known")
	}
	w.clock.Advance(uptime.RecentFor)
	for _, f := range fleets {
		require.False(t, f.DidWrite(t.Context(), "user:0"))
	}
}

// advance moves all clocks: the server's cannot be moved, so what it keeps grows
// older instead.
func (w *world) advance(t *testing.T, d time.Duration) {
	t.Helper()
	ctx := t.Context()
	w.clock.Advance(d)
	all, err := w.raw.HGetAll(ctx, redisconn.FleetKey()).Result()
	require.NoError(t, err)
	for id, text := range all {
		stamp, rest, _ := strings.Cut(text, " ")
		ms, err := strconv.ParseInt(stamp, 10, 64)
		require.NoError(t, err)
		older := strconv.FormatInt(ms-d.Milliseconds(), 10) + " " + rest
		require.NoError(t, w.raw.HSet(ctx, redisconn.FleetKey(), id, older).Err())
	}
	keys, err := w.raw.Keys(ctx, redisconn.RecentKey("*")).Result()
	require.NoError(t, err)
	for _, key := range keys {
		left, err := w.raw.PTTL(ctx, key).Result()
		require.NoError(t, err)
		if left > 0 {
			require.NoError(t, w.raw.PExpire(ctx, key, left-d).Err())
		}
	}
}

func TestRedisConformance(t *testing.T) {
	t.Parallel()
	fleettest.Run(t, func(t *testing.T) fleettest.Fixture {
		t.Helper()
		w := newWorld(t, testenv.Redis(t))
		fleets := w.processes(t, 3)
		var turn atomic.Int64
		return fleettest.Fixture{
			Handle:  func() fleettest.Fleet { return fleets[turn.Add(1)%int64(len(fleets))] },
			Now:     w.clock.Now,
			Advance: func(d time.Duration) { w.advance(t, d) },
		}
	})
}

func TestFlushIsNoticed(t *testing.T) {
	t.Parallel()
	url, _ := testenv.RedisServer(t)
	w := newWorld(t, url)
	fleets := w.processes(t, 2)
	a, b := fleets[0], fleets[1]
	require.False(t, b.DidWrite(t.Context(), "user:1"))
	a.Wrote(t.Context(), "user:1")
	require.NoError(t, w.raw.FlushAll(t.Context()).Err())
	require.True(t, b.DidWrite(t.Context(), "user:1"), "the note is lost, and so is the mark")
	require.True(t, a.DidWrite(t.Context(), "user:2"), "another mark")
	w.advance(t, uptime.RecentFor)
	require.False(t, b.DidWrite(t.Context(), "user:1"))
	require.False(t, a.DidWrite(t.Context(), "user:2"))
}

func TestAway(t *testing.T) {
	t.Parallel()
	url, kill := testenv.RedisServer(t)
	w := newWorld(t, url)
	f, conn := w.connected(t, url)
	w.settle(t, f)
	require.False(t, f.DidWrite(t.Context(), "user:1"))
	kill()
	require.ErrorIs(t, f.Report(t.Context(), fleet.Member{ID: "a"}), uptime.ErrUnavailable)
	_, err := f.Members(t.Context())
	require.ErrorIs(t, err, uptime.ErrUnavailable)
	require.ErrorIs(t, f.Leave(t.Context(), "a"), uptime.ErrUnavailable)

	f.Wrote(t.Context(), "user:1")
	require.True(t, f.DidWrite(t.Context(), "user:1"))
	begun := time.Now()
	for range 1000 {
		require.True(t, f.DidWrite(t.Context(), "user:2"), "it cannot tell")
	}
	require.Less(t, time.Since(begun), 2*time.Second, "an outage makes no page slow")

	other, conn2 := w.connected(t, url)
	require.ErrorIs(t, conn2.Ping(t.Context()), uptime.ErrUnavailable)
	require.True(t, other.DidWrite(t.Context(), "user:3"), "the connection knows")
	require.Error(t, conn.Ping(t.Context()))
}

// gate lets connections through to Redis while it is open.
type gate struct {
	listener net.Listener
	target   string
	mu       sync.Mutex
	open     bool
	conns    []net.Conn
	done     sync.WaitGroup
}

func newGate(t *testing.T, target string) (g *gate, through string) {
	t.Helper()
	u, err := url.Parse(target)
	require.NoError(t, err)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g = &gate{listener: l, target: u.Host, open: true}
	g.done.Go(g.accept)
	t.Cleanup(func() {
		require.NoError(t, l.Close())
		g.set(false)
		g.done.Wait()
	})
	u.Host = l.Addr().String()
	return g, u.String()
}

func (g *gate) accept() {
	for {
		in, err := g.listener.Accept()
		if err != nil {
			return
		}
		out, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", g.target)
		g.mu.Lock()
		if err != nil || !g.open {
			_ = in.Close()
			if out != nil {
				_ = out.Close()
			}
			g.mu.Unlock()
			continue
		}
		g.conns = append(g.conns, in, out)
		g.mu.Unlock()
		for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
			g.done.Go(func() {
				buffer := make([]byte, 4096)
				for {
					n, err := pair[0].Read(buffer)
					if _, werr := pair[1].Write(buffer[:n]); err != nil || werr != nil {
						_ = pair[1].Close()
						return
					}
				}
			})
		}
	}
}

func (g *gate) set(open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = open
	if !open {
		for _, c := range g.conns {
			_ = c.Close()
		}
		g.conns = nil
	}
}

// TestCutOff: one process alone loses Redis. What it could not note reaches the
// others once it is back, and it answers true itself for as long as it may have
// missed something.
func TestCutOff(t *testing.T) {
	t.Parallel()
	target := testenv.Redis(t)
	w := newWorld(t, target)
	g, through := newGate(t, target)
	cut, _ := w.connected(t, through)
	other, _ := w.connected(t, target)
	w.settle(t, cut, other)
	require.False(t, cut.DidWrite(t.Context(), "user:1"))
	g.set(false)
	cut.Wrote(t.Context(), "user:1")
	require.False(t, other.DidWrite(t.Context(), "user:1"), "nobody could tell it")
	g.set(true)
	require.Eventually(t, func() bool { return other.DidWrite(t.Context(), "user:1") }, 10*time.Second, 10*time.Millisecond)
	require.True(t, cut.DidWrite(t.Context(), "user:9"), "it may have missed a note")
	w.advance(t, uptime.RecentFor+2*time.Second)
	require.False(t, cut.DidWrite(t.Context(), "user:9"))
	require.False(t, other.DidWrite(t.Context(), "user:1"))
}

// TestBackIsNotEnough: notes that waited elsewhere come after the server is back.
func TestBackIsNotEnough(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testenv.Redis(t))
	f, conn := w.connected(t, w.url)
	w.settle(t, f)
	require.False(t, f.DidWrite(t.Context(), "user:1"))
	require.NoError(t, conn.Ping(t.Context())) // up since now
	require.True(t, f.DidWrite(t.Context(), "user:1"))
	w.advance(t, uptime.RecentFor)
	require.False(t, f.DidWrite(t.Context(), "user:1"))
}

func TestParams(t *testing.T) {
	t.Parallel()
	_, err := fleet.NewRedis(fleet.RedisParams{})
	require.Error(t, err)
}
