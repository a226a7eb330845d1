package deploycheck

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

// member is one process of the program.
type member struct {
	*process
	roles  string
	public string // address of web and api; "" without
	admin  string // address of health and metrics
	data   string // folder that it must leave alone
	grace  time.Duration
}

// crew are the processes of compose.yaml, each copy of a service one.
type crew struct {
	binary  string
	dir     string
	members []*member
	client  *http.Client
	token   string
}

// build makes the program as the image has it.
func build(ctx context.Context, t *testing.T, dir string) string {
	t.Helper()
	binary, err := filepath.Abs(filepath.Join(dir, "monitor"))
	require.NoError(t, err)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, ".")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return binary
}

// startCrew starts every process with the command and the environment of its service.
// Hosts and ports are the only things that differ.
func startCrew(ctx context.Context, t *testing.T, binary string, project *types.Project) *crew {
	t.Helper()
	c := &crew{binary: binary, dir: folder(t, nil), client: &http.Client{Timeout: 15 * time.Second}}
	t.Cleanup(c.client.CloseIdleConnections)
	hosts := strings.NewReplacer(
		"@postgres:5432/", "@"+startPostgres(ctx, t, project.Services["postgres"])+"/",
		"@redis:6379/", "@"+startRedis(ctx, t, project.Services["redis"])+"/",
	)
	for _, s := range own(project) {
		for i := range s.GetScale() {
			c.members = append(c.members, c.start(t, s, i, hosts))
		}
	}
	return c
}

func (c *crew) start(t *testing.T, s types.ServiceConfig, i int, hosts *strings.Replacer) *member {
	t.Helper()
	name := s.Name + "_" + strconv.Itoa(i+1)
	m := &member{
		roles: rolesOf(t, s.Command), admin: freeAddress(t), grace: time.Duration(*s.StopGracePeriod),
		data: filepath.Join(c.dir, name+"-data"),
	}
	env := append(plainEnvironment(), "MONITOR_DATA_DIR="+m.data)
	for key, value := range s.Environment {
		if key != "MONITOR_HTTP_ADMIN_ADDR" && value != nil {
			env = append(env, key+"="+hosts.Replace(*value))
		}
	}
	env = append(env, "MONITOR_HTTP_ADMIN_ADDR="+m.admin)
	if strings.Contains(m.roles, "web") {
		m.public = freeAddress(t)
		env = append(env, "MONITOR_HTTP_ADDR="+m.public)
	}
	m.process = start(t, name, c.dir, env, nil, append([]string{c.binary}, s.Command...)...)
	return m
}

// awaitReady returns when /readyz of every process is 200.
func (c *crew) awaitReady(ctx context.Context, t *testing.T) {
	t.Helper()
	for _, m := range c.members {
		m.await(ctx, t, "ready", func() error { return c.call(ctx, http.MethodGet, m.admin, "/readyz", nil, nil) })
	}
}

// apis are the addresses of the processes that have one.
func (c *crew) apis() []string {
	var addresses []string
	for _, m := range c.members {
		if m.public != "" {
			addresses = append(addresses, m.public)
		}
	}
	return addresses
}

// call makes a request that has to be answered 2xx.
func (c *crew) call(ctx context.Context, method, address, path string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+address+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	if body == nil {
		req.Body, req.ContentLength = http.NoBody, 0
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	switch out := into.(type) {
	case nil:
	case *string:
		*out = string(raw)
	default:
		err = errors.Join(err, json.Unmarshal(raw, into))
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %d %s", method, path, res.StatusCode, raw)
	}
	return err
}

// stop asks all to end at once, as `docker compose stop` does.
func (c *crew) stop(t *testing.T) {
	t.Helper()
	var stopping sync.WaitGroup
	for _, m := range c.members {
		stopping.Go(func() {
			begun := time.Now()
			if err := m.end(m.grace); err != nil {
				t.Errorf("%s: %v", m.name, err)
			}
			t.Logf("%s ended after %.1f s", m.name, time.Since(begun).Seconds())
		})
	}
	stopping.Wait()
	for _, m := range c.members {
		require.NoDirExists(t, m.data, "with PostgreSQL and a secret a process keeps no files")
	}
}
