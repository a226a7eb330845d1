package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"monitor/tools/servers"
)

// What the program is run on.
const (
	onSQLite   = "sqlite"
	onPostgres = "postgres"
)

// creators is how many monitors are made at a time.
const creators = 8

// monitor is the built program in one process, with its servers, as a system that
// is measured. Its database outlives a stop.
type monitor struct {
	b        *bench
	backend  string
	dir      string
	interval time.Duration
	postgres *servers.Server
	redis    *servers.Server

	cmd     *exec.Cmd
	ended   chan struct{}
	api     client
	ids     []int64       // by target
	enabled int           // the first so many are
	began   time.Time     // when the process was started
	startup time.Duration // until it was ready
	extra   []string      // settings of the next start, as environment variables
}

// newMonitor starts the servers and makes the first owner and the channel.
func newMonitor(ctx context.Context, b *bench, backend string, interval time.Duration) (*monitor, error) {
	m := &monitor{b: b, backend: backend, interval: interval}
	var err error
	if m.dir, err = os.MkdirTemp(b.dir, backend+"-"); err != nil {
		return nil, err
	}
	if err := os.Chmod(m.dir, 0o755); err != nil {
		return nil, err
	}
	if backend == onPostgres {
		if err := m.startServers(ctx); err != nil {
			m.close()
			return nil, err
		}
	}
	if err := m.launch(ctx); err != nil {
		m.close()
		return nil, err
	}
	if err := errors.Join(m.api.setup(ctx), m.api.addHook(ctx, b.receiver.url), m.stop()); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

// startServers leaves both at their defaults but for memory: durable writes cost
// what they cost.
func (m *monitor) startServers(ctx context.Context) (err error) {
	m.postgres, err = servers.StartPostgres(ctx, m.b.template, filepath.Join(m.dir, "postgres"), "shared_buffers=512MB", "max_connections=100")
	if err != nil {
		return err
	}
	m.redis, err = servers.StartRedis(ctx, filepath.Join(m.dir, "redis"), true)
	return err
}

func (m *monitor) close() {
	if m.cmd != nil {
		_ = m.stop() // the run has failed already, or it is stopped
	}
	if m.postgres != nil {
		m.postgres.Stop(syscall.SIGINT)
	}
	if m.redis != nil {
		m.redis.Stop(syscall.SIGTERM)
	}
}

// file is the program's, on SQLite.
func (m *monitor) file() string { return filepath.Join(m.dir, "monitor.db") }

func (m *monitor) name() string { return m.backend }

// launch starts the program and waits until it is ready.
func (m *monitor) launch(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(m.dir, "monitor.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the program has its own by then
	m.cmd = exec.CommandContext(context.WithoutCancel(ctx), m.b.options.binary, "serve", "--data.dir", m.dir, "--http.addr", "127.0.0.1:0", "--log.level", "warn")
	m.cmd.Env, m.cmd.SysProcAttr, m.cmd.Stderr = m.environment(), servers.Child(false), log
	stdout, err := m.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	m.began = time.Now()
	if err := m.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w (run `make build` first)", m.b.options.binary, err)
	}
	found := make(chan string, 1)
	m.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		defer close(ended)
		opened := regexp.MustCompile(`open (http://[^/\s]+)`)
		for scan := bufio.NewScanner(stdout); scan.Scan(); {
			if match := opened.FindStringSubmatch(scan.Text()); match != nil {
				found <- match[1]
			}
		}
		_ = cmd.Wait() // its state is kept in cmd
	}(m.cmd, m.ended)
	select {
	case m.api.base = <-found:
	case <-m.ended:
		return fmt.Errorf("the program ended before it was ready; see %s", log.Name())
	case <-ctx.Done():
		return ctx.Err()
	}
	if _, err := m.api.call(ctx, http.MethodGet, "/readyz", nil); err != nil {
		return err
	}
	m.startup = time.Since(m.began)
	return nil
}

// environment is that of the bench without settings of the machine's owner.
func (m *monitor) environment() []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "MONITOR_") || strings.HasPrefix(e, "MONITOR_PROFILE") {
			env = append(env, e)
		}
	}
	env = append(env, "MONITOR_LIMITS_API_PER_MINUTE=0", "MONITOR_LIMITS_MIN_INTERVAL=1s")
	if m.backend == onPostgres {
		env = append(env, "MONITOR_DATABASE_URL="+m.postgres.PostgresURL("monitor"), "MONITOR_REDIS_URL=redis://"+m.redis.Addr()+"/0",
			"MONITOR_AUTH_SECRET=a secret that is long enough for a bench")
	}
	return append(env, m.extra...)
}

// start runs the program with as many monitors as the plan says.
func (m *monitor) start(ctx context.Context, p plan) error {
	if err := m.launch(ctx); err != nil {
		return err
	}
	if p.interval != m.interval {
		return fmt.Errorf("monitors of %s were made, not of %s", m.interval, p.interval)
	}
	if err := m.create(ctx, p.monitors-len(m.ids)); err != nil {
		return err
	}
	return m.enable(ctx, p.monitors)
}

// create makes more monitors, one for each next target.
func (m *monitor) create(ctx context.Context, n int) error {
	if n <= 0 {
		return nil
	}
	first := len(m.ids)
	m.ids = append(m.ids, make([]int64, n)...)
	timeout := min(m.interval, 5*time.Second)
	err := m.each(ctx, "making monitors", n, func(i int) error {
		target := first + i
		var made struct {
			ID int64 `json:"id"`
		}
		err := m.api.do(ctx, http.MethodPost, "/api/v1/monitors", map[string]any{
			"name": fmt.Sprintf("bench %06d", target), "type": "http", "interval": m.interval.String(), "timeout": timeout.String(),
			"retry_interval": timeout.String(), "failures_before_down": 1,
			"http": map[string]any{"url": "http://" + m.b.targets.host(target) + "/" + strconv.Itoa(target)},
		}, &made)
		m.ids[target] = made.ID
		return err
	})
	m.enabled += n
	return err
}

// enable lets the first n be checked and no others.
func (m *monitor) enable(ctx context.Context, n int) error {
	low, high, on := n, m.enabled, false
	if n > m.enabled {
		low, high, on = m.enabled, n, true
	}
	err := m.each(ctx, "pausing monitors", high-low, func(i int) error {
		return m.api.do(ctx, http.MethodPatch, "/api/v1/monitors/"+strconv.FormatInt(m.ids[low+i], 10), map[string]any{"enabled": on}, nil)
	})
	m.enabled = n
	return err
}

// each does something n times, several at once.
func (m *monitor) each(ctx context.Context, what string, n int, do func(i int) error) error {
	next, done := make(chan int), make(chan error)
	var working sync.WaitGroup
	for range creators {
		working.Go(func() {
			for i := range next {
				done <- do(i)
			}
		})
	}
	go func() {
		defer close(next)
		for i := range n {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	go func() {
		working.Wait()
		close(done)
	}()
	var failed error
	count := 0
	for err := range done {
		failed = errors.Join(failed, err)
		count++
		m.b.step(what, count, n)
	}
	return errors.Join(failed, ctx.Err())
}

func (m *monitor) processes() map[string][]int {
	all := map[string][]int{"monitor": {m.cmd.Process.Pid}}
	if m.backend == onPostgres {
		all["postgres"], all["redis"] = m.postgres.Pids(), m.redis.Pids()
	}
	return all
}

func (m *monitor) id(target int) int64 { return m.ids[target] }

func (m *monitor) counters(ctx context.Context) (c counters, err error) {
	raw, err := m.api.call(ctx, http.MethodGet, "/metrics", nil)
	if err != nil {
		return c, err
	}
	for line := range strings.Lines(string(raw)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch name {
		case "monitor_results_stored_total":
			c.stored, err = strconv.ParseFloat(value, 64)
		case "monitor_slots_missed_total":
			c.missed, err = strconv.ParseFloat(value, 64)
		}
		if err != nil {
			return c, err
		}
	}
	return c, nil
}

func (m *monitor) stop() error {
	if m.cmd == nil {
		return nil
	}
	_ = m.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	<-m.ended
	state := m.cmd.ProcessState
	m.cmd = nil
	if !state.Success() {
		return fmt.Errorf("the program: %s; see %s", state, filepath.Join(m.dir, "monitor.log"))
	}
	return nil
}
