package app_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/testenv"
)

const sharedSecret = "a secret that is long enough for a test"

// installation is one database and one Redis for any number of processes.
type installation struct {
	t    *testing.T
	args []string
}

func install(t *testing.T, database, redis string, args ...string) installation {
	t.Helper()
	return installation{t, append([]string{
		"--database.url", database, "--redis.url", redis, "--auth.secret", sharedSecret, "--http.admin_addr", "",
	}, args...)}
}

// role starts a process of the named roles.
func (i installation) role(roles string) *program {
	i.t.Helper()
	args := append([]string{"--role=" + roles}, i.args...)
	if !strings.Contains(roles, "web") && !strings.Contains(roles, "api") && roles != "all" {
		args = append(args, "--http.admin_addr", "127.0.0.1:0")
	}
	p := start(i.t, i.t.TempDir(), args...)
	i.t.Cleanup(func() { p.kill() })
	return p
}

// listen follows the API's event stream of a process and tells of each line that
// names an event.
func listen(c client, types string) <-chan string {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/api/v1/events?types="+types, http.NoBody)
	require.NoError(c.t, err)
	req.Header.Set("Authorization", "Bearer "+c.token)
	res, err := (&http.Client{}).Do(req) //nolint:bodyclose // by the goroutine below
	require.NoError(c.t, err)
	require.Equal(c.t, http.StatusOK, res.StatusCode)
	out := make(chan string, 1000)
	go func() {
		defer close(out)
		defer func() { _ = res.Body.Close() }()
		for scan := bufio.NewScanner(res.Body); scan.Scan(); {
			if name, ok := strings.CutPrefix(scan.Text(), "event: "); ok {
				out <- name
			}
		}
	}()
	return out
}

// TestRolesApart runs every role as processes of its own, on each kind of
// servers that they can share, through one outage.
func TestRolesApart(t *testing.T) {
	t.Parallel()
	t.Run("OneServerEach", func(t *testing.T) {
		t.Parallel()
		rolesApart(t, install(t, testenv.Postgres(t), testenv.Redis(t)))
	})
	t.Run("Sentinel", func(t *testing.T) {
		t.Parallel()
		rolesApart(t, install(t, testenv.Postgres(t), testenv.RedisSentinel(t).URL))
	})
	t.Run("Cluster", func(t *testing.T) {
		t.Parallel()
		url, _ := testenv.RedisCluster(t)
		rolesApart(t, install(t, testenv.Postgres(t), url))
	})
	t.Run("TLS", func(t *testing.T) {
		t.Parallel()
		rolesApart(t, install(t, testenv.Postgres(t), testenv.RedisTLS(t)))
	})
	t.Run("Replica", func(t *testing.T) {
		t.Parallel()
		primary, replica := testenv.PostgresReplica(t)
		rolesApart(t, install(t, primary.URL(), testenv.Redis(t), "--database.replica_urls", replica.URL()))
	})
}

func rolesApart(t *testing.T, i installation) {
	t.Helper()
	var all []*program
	for _, roles := range []string{"web,api", "web,api", "scheduler", "scheduler", "worker", "worker", "notifier", "notifier"} {
		all = append(all, i.role(roles))
	}
	for _, p := range all {
		p.waitReady()
	}
	c := all[0].setup()
	other := c.again(all[1])
	heard := listen(other, "status,incident")

	w := watch(c, newTarget(t), newHook(t), newMailbox(t, 0))
	require.Equal(t, "up", other.monitorStatus(w.monitor), "both see the same")
	w.target.status.Store(http.StatusInternalServerError)
	eventually(t, "one webhook and one mail for the outage", func() bool {
		return len(w.hook.accepted()) == 1 && len(w.box.received()) == 1
	})
	w.target.status.Store(http.StatusOK)
	eventually(t, "one webhook and one mail for the recovery", func() bool {
		return len(w.hook.accepted()) == 2 && len(w.box.received()) == 2
	})
	require.Equal(t, "incident.opened", w.hook.accepted()[0].message(t).Type)
	require.Equal(t, "incident.resolved", w.hook.accepted()[1].message(t).Type)
	seen := map[string]bool{}
	for !seen["incident"] || !seen["status"] {
		seen[<-heard] = true
	}

	checked := other.must(http.StatusOK, http.MethodPost, fmt.Sprintf("/api/v1/monitors/%.0f/check", w.monitor), nil).object(t)
	require.Equal(t, "up", checked["status"])
	eventually(t, "the overview counts every process", func() bool {
		roles, _ := other.must(http.StatusOK, http.MethodGet, "/api/v1/overview", nil).object(t)["roles"].([]any)
		counted := 0
		for _, r := range roles {
			row, _ := r.(map[string]any)
			if row["instances"] == 2.0 && row["healthy"] == 2.0 {
				counted++
			}
		}
		return counted == len(roles) && counted == 5
	})
	for _, p := range all {
		ready := client{t: t, base: p.base}.must(http.StatusOK, http.MethodGet, "/readyz", nil)
		require.Equal(t, "ready", ready.object(t)["status"], string(ready.raw))
		require.Contains(t, string(client{t: t, base: p.base}.must(http.StatusOK, http.MethodGet, "/metrics", nil).raw), "monitor_processes")
	}
	for _, p := range all {
		require.Equal(t, 0, p.stop(), "SIGTERM exits 0")
	}
}

// TestRedisAway: pages, API and messages go on without Redis, checks wait, and
// what was away comes back by itself.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	url, redis := testenv.RedisRestartable(t)
	i := install(t, testenv.Postgres(t), url)
	web, worker := i.role("web,api,notifier"), i.role("scheduler,worker")
	web.waitReady()
	worker.waitReady()
	w := watch(web.setup(), newTarget(t), newHook(t), newMailbox(t, 0))
	state := func(p *program) (int, string) {
		a := client{t: t, base: p.base}.do(http.MethodGet, "/readyz", nil)
		status, _ := a.object(t)["status"].(string)
		return a.status, status
	}
	redis.Kill()
	eventually(t, "web and api are degraded", func() bool {
		code, status := state(web)
		return code == http.StatusOK && status == "degraded"
	})
	eventually(t, "scheduler and worker are unready", func() bool {
		code, status := state(worker)
		return code == http.StatusServiceUnavailable && status == "unready"
	})
	w.must(http.StatusOK, http.MethodGet, "/api/v1/monitors", nil)
	w.must(http.StatusCreated, http.MethodPost, "/api/v1/monitors", map[string]any{
		"name": "Made while Redis is away", "type": "http", "http": map[string]any{"url": w.target.URL},
	})
	require.Equal(t, http.StatusOK, client{t: t, base: worker.base}.do(http.MethodGet, "/healthz", nil).status)
	eventually(t, "metrics say so", func() bool {
		said := string(client{t: t, base: web.base}.must(http.StatusOK, http.MethodGet, "/metrics", nil).raw)
		return strings.Contains(said, "monitor_redis_up 0") && strings.Contains(said, `monitor_condition{name="redis"} 1`)
	})
	require.NotContains(t, web.lines.String(), "cannot gather metrics")

	redis.Start()
	w.target.status.Store(http.StatusInternalServerError)
	eventually(t, "checks go on and the outage is told", func() bool { return len(w.hook.accepted()) >= 1 })
	for _, p := range []*program{web, worker} {
		eventually(t, "ready again", func() bool {
			code, status := state(p)
			return code == http.StatusOK && status == "ready"
		})
		require.Equal(t, 0, p.stop())
	}
}

// TestSecondProcessAlone: on PostgreSQL without Redis there is one process.
func TestSecondProcessAlone(t *testing.T) {
	t.Parallel()
	database := testenv.Postgres(t)
	args := []string{"--database.url", database, "--auth.secret", sharedSecret}
	first := serve(t, t.TempDir(), args...)
	for _, more := range [][]string{nil, {"--redis.url", testenv.Redis(t)}} {
		second := append(append([]string{"serve", "--data.dir", t.TempDir(), "--http.addr", "127.0.0.1:0"}, args...), more...)
		got := command(t, "", nil, second...)
		require.Equal(t, 1, got.code, "%s%s", got.out, got.err)
		require.Contains(t, got.err, "redis.url")
	}
	require.Equal(t, 0, first.stop())
	together := append(args, "--redis.url", testenv.Redis(t))
	a, b := serve(t, t.TempDir(), together...), serve(t, t.TempDir(), together...)
	got := command(t, "", nil, append([]string{"serve", "--data.dir", t.TempDir(), "--http.addr", "127.0.0.1:0"}, args...)...)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "redis.url")
	require.Equal(t, 0, a.stop())
	require.Equal(t, 0, b.stop())
}

// TestHeldBackIsSeenEverywhere: a process of pages and API alone knows which
// channels the notifiers hold back.
func TestHeldBackIsSeenEverywhere(t *testing.T) {
	t.Parallel()
	i := install(t, testenv.Postgres(t), testenv.Redis(t))
	web, rest := i.role("web,api"), i.role("scheduler,worker,notifier")
	web.waitReady()
	rest.waitReady()
	c := web.setup()
	hook, target := newHook(t, slices.Repeat([]int{http.StatusBadGateway}, 100)...), newTarget(t)
	target.status.Store(http.StatusInternalServerError)
	c.must(http.StatusCreated, http.MethodPost, "/api/v1/channels", map[string]any{
		"name": "Hook", "type": "webhook", "is_default": true, "settings": map[string]any{"url": hook.URL},
	})
	for n := range 6 { // a breaker opens after five failures in a row
		c.must(http.StatusCreated, http.MethodPost, "/api/v1/monitors", map[string]any{
			"name": fmt.Sprintf("Shop %d", n), "type": "http", "interval": "5s", "timeout": "2s", "failures_before_down": 1,
			"http": map[string]any{"url": target.URL},
		})
	}
	eventually(t, "the channel is held back", func() bool {
		endpoint, _ := c.must(http.StatusOK, http.MethodGet, "/api/v1/channels/1", nil).object(t)["endpoint"].(map[string]any)
		return endpoint["state"] == "open"
	})
	for _, p := range []*program{web, rest} {
		eventually(t, "its health says so, and is none the worse", func() bool {
			ready := client{t: t, base: p.base}.must(http.StatusOK, http.MethodGet, "/readyz", nil)
			return ready.object(t)["status"] == "ready" && strings.Contains(string(ready.raw), `"channels"`)
		})
	}
	eventually(t, "the overview says so", func() bool {
		return strings.Contains(string(c.must(http.StatusOK, http.MethodGet, "/api/v1/overview", nil).raw), `"name":"channels"`)
	})
}
