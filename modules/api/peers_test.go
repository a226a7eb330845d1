package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/bus"
	"monitor/modules/fleet"
	"monitor/modules/redisconn"
	"monitor/modules/store"
	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

// hall is what processes share.
type hall struct {
	database store.Config
	redis    string
	mu       sync.Mutex
	now      time.Time
}

func newHall(database store.Config, redis string) *hall {
	return &hall{database: database, redis: redis, now: time.Now().UTC()}
}

// clock is that of the fleet alone.
func (h *hall) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hall) advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// process gives the API of one more process.
func (h *hall) process(t *testing.T) *bundle {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	conn, err := redisconn.Open(redisconn.Params{URL: h.redis, Name: "test", Log: log, Clock: uptime.SystemClock})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	shared, err := bus.NewRedis(bus.RedisParams{Conn: conn, Log: log})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, shared.Close()) })
	members, err := fleet.NewRedis(fleet.RedisParams{Conn: conn, Clock: h.clock, Log: log})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, members.Close()) })
	b := over(t, h.database, shared, recently(members))
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- b.store.Run(ctx, sync.OnceFunc(func() { close(ready) })) }()
	<-ready // it has looked at the replicas
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	return b
}

// peers gives two processes on one PostgreSQL and one Redis, without any user.
func peers(t *testing.T) (a, b *bundle) {
	t.Helper()
	url, _ := testenv.RedisServer(t)
	h := newHall(store.Config{URL: testenv.Postgres(t)}, url)
	return h.process(t), h.process(t)
}

// enter makes the first owner by one process and lets them in to the others.
func enter(t *testing.T, first *bundle, others ...*bundle) {
	t.Helper()
	a := first.ask(t, "POST", "/api/v1/setup", `{"email":"owner@example.com","password":"`+ownPassword+`","name":"Olga"}`, anonymous)
	require.Equal(t, http.StatusCreated, a.status, a.body)
	first.token, first.refresh = a.text("access_token"), a.text("refresh_token")
	for _, o := range others {
		o.token, o.refresh = first.token, first.refresh
	}
}

func TestPeersSetupOnce(t *testing.T) {
	t.Parallel()
	a, b := peers(t)
	var mu sync.Mutex
	var wg sync.WaitGroup
	statuses := map[int]int{}
	for i := range 50 {
		one := []*bundle{a, b}[i%2]
		wg.Go(func() {
			got, err := one.send(t.Context(), "POST", "/api/v1/setup",
				`{"email":"o`+strconv.Itoa(i)+`@example.com","password":"`+ownPassword+`","name":"Olga"}`, anonymous)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			statuses[got.status]++
		})
	}
	wg.Wait()
	require.Equal(t, map[int]int{http.StatusCreated: 1, http.StatusConflict: 49}, statuses)
}

func TestPeersShareWhatOneDid(t *testing.T) {
	t.Parallel()
	a, b := peers(t)
	enter(t, a, b)
	require.Equal(t, http.StatusOK, b.ask(t, "GET", "/api/v1/me", "").status, "a token of the other process")

	key := with("Idempotency-Key", "order-7")
	first := a.made(t, "/monitors", leastMonitor, key)
	again := b.made(t, "/monitors", leastMonitor, key)
	require.Equal(t, first.body, again.body)
	require.Equal(t, "true", again.header.Get("Idempotency-Replayed"))
	reused := b.ask(t, "POST", "/api/v1/monitors", `{"name":"Other","type":"http","http":{"url":"https://example.com"}}`, key)
	require.Equal(t, "idempotency_key_reused", reused.text("code"))

	// At once by both: done once, by whichever came first.
	var mu sync.Mutex
	var wg sync.WaitGroup
	ids := map[int64]bool{}
	for i := range 10 {
		one := []*bundle{a, b}[i%2]
		wg.Go(func() {
			got, err := one.send(t.Context(), "POST", "/api/v1/monitors", leastMonitor, with("Idempotency-Key", "order-8"))
			if err != nil || got.status != http.StatusCreated && got.status != http.StatusConflict {
				t.Error(err, got.status, got.body)
			}
			mu.Lock()
			defer mu.Unlock()
			if got.status == http.StatusCreated {
				ids[got.number("id")] = true
			}
		})
	}
	wg.Wait()
	require.Len(t, ids, 1)
	require.Len(t, a.ask(t, "GET", "/api/v1/monitors", "").list("data"), 2)
}

func TestPeersStreams(t *testing.T) {
	t.Parallel()
	a, b := peers(t)
	enter(t, a, b)
	a.made(t, "/monitors", leastMonitor)
	there, here := b.listen(t, ""), a.listen(t, "")
	require.Equal(t, http.StatusOK, a.ask(t, "POST", "/api/v1/monitors/1/pause", "").status)
	told := there.next(t)
	require.Equal(t, "paused", told.object(t)["status"])
	own := here.next(t)
	require.Equal(t, "paused", own.object(t)["status"])
	require.NotEqual(t, own.id, told.id)

	// Whoever comes to another process reads anew, and goes on from there.
	moved := b.listen(t, "", with("Last-Event-ID", own.id))
	require.Equal(t, "resync", moved.next(t).name)
	require.Equal(t, http.StatusOK, a.ask(t, "POST", "/api/v1/monitors/1/resume", "").status)
	require.Equal(t, "status", moved.next(t).name)
}

// TestPeersEndStreams: an access that ended in another process ends streams here,
// at once, and within 5 s where the notice of it is lost.
func TestPeersEndStreams(t *testing.T) {
	t.Parallel()
	for name, deaf := range map[string]bool{"Heard": false, "Lost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, _ := testenv.RedisServer(t)
			h := newHall(store.Config{URL: testenv.Postgres(t)}, url)
			a := h.process(t)
			other := h
			if deaf {
				elsewhere, _ := testenv.RedisServer(t)
				other = newHall(h.database, elsewhere)
			}
			b := other.process(t)
			enter(t, a, b)
			token := a.made(t, "/tokens", `{"name":"ci","role":"viewer","scopes":["read"]}`)
			l := b.listen(t, "", as(token.text("secret")))
			begun := time.Now()
			require.Equal(t, http.StatusNoContent, a.ask(t, "DELETE", "/api/v1/tokens/1", "").status)
			_, err := l.read()
			require.ErrorIs(t, err, io.EOF)
			require.Less(t, time.Since(begun), 5*time.Second)
		})
	}
}

// TestReadYourWrites: with a replica that stands still, who wrote by one process
// sees it by the other one; for as long as the replica may be behind.
func TestReadYourWrites(t *testing.T) {
	t.Parallel()
	primary, replica := testenv.PostgresReplica(t)
	url, _ := testenv.RedisServer(t)
	h := newHall(store.Config{URL: primary.URL(), ReplicaURLs: []string{replica.URL()}}, url)
	a := h.process(t)
	enter(t, a)
	b := h.process(t)
	b.token = a.token
	other := a.made(t, "/tokens", `{"name":"other","role":"viewer","scopes":["read"]}`).text("secret")
	replica.CatchUp(primary)
	// What was before a process began, it cannot tell.
	b.ask(t, "GET", "/api/v1/overview", "", as(other))
	require.True(t, b.vitals.fresh.Load())
	h.advance(uptime.RecentFor)
	b.ask(t, "GET", "/api/v1/overview", "", as(other))
	require.False(t, b.vitals.fresh.Load())

	replica.PauseReplay()
	a.made(t, "/monitors", leastMonitor)
	require.Len(t, b.ask(t, "GET", "/api/v1/monitors", "").list("data"), 1, "who wrote reads the primary")
	require.Empty(t, b.ask(t, "GET", "/api/v1/monitors", "", as(other)).list("data"), "others read the replica")
	require.Equal(t, http.StatusOK, b.ask(t, "GET", "/api/v1/monitors/1", "", as(other)).status, "single objects are always new")
	replica.ResumeReplay()
	replica.CatchUp(primary)
	require.Len(t, b.ask(t, "GET", "/api/v1/monitors", "", as(other)).list("data"), 1)
}

// TestDatabaseAway: a problem in plain words with the time to come back, and all
// is as before once it answers again.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	server := testenv.PostgresRestartable(t)
	b := over(t, store.Config{URL: server.URL()}, bus.NewMemory())
	enter(t, b)
	b.made(t, "/monitors", leastMonitor)
	server.Kill()
	for _, c := range [][2]string{{"GET", "/monitors"}, {"GET", "/me"}, {"POST", "/monitors"}, {"POST", "/auth/login"}} {
		body := ""
		if c[0] == "POST" {
			body = `{"email":"owner@example.com","password":"` + ownPassword + `"}`
		}
		a := b.ask(t, c[0], "/api/v1"+c[1], body)
		require.Equal(t, http.StatusServiceUnavailable, a.status, a.body)
		require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
		require.Equal(t, "unavailable", a.text("code"))
		require.NotEmpty(t, a.header.Get("Retry-After"))
	}
	server.Start()
	require.Eventually(t, func() bool {
		a, err := b.send(t.Context(), "GET", "/api/v1/monitors", "")
		return err == nil && a.status == http.StatusOK && len(a.list("data")) == 1
	}, 10*time.Second, 50*time.Millisecond)
}
