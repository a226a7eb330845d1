package deploycheck

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	buildTime    = 10 * time.Minute // of an empty cache, beside other tests
	topologyTime = 2 * time.Minute  // it takes a tenth where the machine is idle
)

// TestTopologyAsProcesses runs compose.yaml without containers: what one process is
// told, another does, and all of them stop in order.
func TestTopologyAsProcesses(t *testing.T) {
	t.Parallel()
	building, cancel := context.WithTimeout(t.Context(), buildTime)
	defer cancel()
	binary := build(building, t, folder(t, nil))
	ctx, cancel := context.WithTimeout(t.Context(), topologyTime)
	defer cancel()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(target.Close)
	begun := time.Now()

	c := startCrew(ctx, t, binary, compose(t))
	require.Len(t, c.members, 11)
	c.awaitReady(ctx, t)
	t.Logf("%d processes are ready after %.1f s", len(c.members), time.Since(begun).Seconds())
	apis := c.apis()
	require.Len(t, apis, 2)

	var pair struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(t, c.call(ctx, http.MethodPost, apis[0], "/api/v1/setup", map[string]any{
		"email": "owner@example.com", "password": "a password for tests", "name": "Owner",
	}, &pair))
	c.token = pair.AccessToken
	var made struct {
		ID int64 `json:"id"`
	}
	require.NoError(t, c.call(ctx, http.MethodPost, apis[0], "/api/v1/monitors", map[string]any{
		"name": "Shop", "type": "http", "interval": "5s", "http": map[string]any{"url": target.URL},
	}, &made))
	c.awaitUp(ctx, t, apis[1], made.ID)
	c.awaitRoles(ctx, t, apis[1])
	c.checkHealth(ctx, t)
	c.checkMetrics(ctx, t)
	c.stop(t)
	t.Logf("all took %.1f s", time.Since(begun).Seconds())
}

// awaitUp asks one api for what was told another.
func (c *crew) awaitUp(ctx context.Context, t *testing.T, api string, id int64) {
	t.Helper()
	c.members[0].await(ctx, t, "told that the target is up", func() error {
		var monitor struct {
			Status string `json:"status"`
		}
		err := c.call(ctx, http.MethodGet, api, fmt.Sprintf("/api/v1/monitors/%d", id), nil, &monitor)
		if err == nil && monitor.Status != "up" {
			err = errors.New("it is " + monitor.Status)
		}
		return err
	})
}

// awaitRoles asks until every process is known to the others, and healthy.
func (c *crew) awaitRoles(ctx context.Context, t *testing.T, api string) {
	t.Helper()
	want := map[string]int{}
	for roles, n := range topology() {
		for role := range strings.SplitSeq(roles, ",") {
			want[role] += n
		}
	}
	c.members[0].await(ctx, t, "one of all", func() error {
		var overview struct {
			Roles []struct {
				Role      string `json:"role"`
				Instances int    `json:"instances"`
				Healthy   int    `json:"healthy"`
			} `json:"roles"`
		}
		if err := c.call(ctx, http.MethodGet, api, "/api/v1/overview", nil, &overview); err != nil {
			return err
		}
		for _, r := range overview.Roles {
			if r.Instances != want[r.Role] || r.Healthy != want[r.Role] {
				return fmt.Errorf("%d instances of %s, %d of them healthy", r.Instances, r.Role, r.Healthy)
			}
		}
		return nil
	})
}

// checkHealth runs the image's health check against every process.
func (c *crew) checkHealth(ctx context.Context, t *testing.T) {
	t.Helper()
	im := theImage(t)
	for _, m := range c.members {
		args := im.healthcheck[1:]
		last := strings.Replace(args[len(args)-1], "127.0.0.1"+im.env["MONITOR_HTTP_ADMIN_ADDR"], m.admin, 1)
		cmd := exec.CommandContext(ctx, c.binary, append(args[:len(args)-1:len(args)-1], last)...)
		// As in the container: with the settings of the process.
		cmd.Dir, cmd.Env = c.dir, m.cmd.Env
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", m.name, out)
	}
}

// checkMetrics finds every metric that an alert reads, with the labels that it names.
func (c *crew) checkMetrics(ctx context.Context, t *testing.T) {
	t.Helper()
	var all strings.Builder
	for _, m := range c.members {
		var page string
		require.NoError(t, c.call(ctx, http.MethodGet, m.admin, "/metrics", nil, &page), m.name)
		all.WriteString(page)
	}
	// They are Prometheus' own, come with the first message, or with a replica.
	later := map[string]bool{
		"up": true, "monitor_channel_breaker": true, "monitor_delivery_attempts_total": true, "monitor_database_replica_used": true,
	}
	for _, a := range alerts(t) {
		for _, s := range selectors(t, a.Expr) {
			if !later[s.metric] {
				require.True(t, hasSample(all.String(), s), "%s reads %s %v", a.Alert, s.metric, s.equal)
			}
		}
	}
	// What is told of monitors is for Prometheus, not for the public.
	for _, api := range c.apis() {
		require.ErrorContains(t, c.call(ctx, http.MethodGet, api, "/metrics", nil, nil), "404")
		require.ErrorContains(t, c.call(ctx, http.MethodGet, api, "/readyz", nil, nil), "404")
		require.NoError(t, c.call(ctx, http.MethodGet, api, "/healthz", nil, nil))
	}
}

// hasSample looks for a line of the metric with the labels of a selector but those that
// Prometheus adds.
func hasSample(page string, s selector) bool {
	for line := range strings.Lines(page) {
		if !strings.HasPrefix(line, s.metric+"{") && !strings.HasPrefix(line, s.metric+" ") {
			continue
		}
		all := true
		for _, label := range s.labels {
			value, exact := s.equal[label]
			switch {
			case label == "job":
			case exact:
				all = all && strings.Contains(line, label+`="`+value+`"`)
			default:
				all = all && strings.Contains(line, label+`="`)
			}
		}
		if all {
			return true
		}
	}
	return false
}
