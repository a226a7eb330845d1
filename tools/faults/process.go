package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"monitor/tools/servers"
)

// process is one running `monitor serve`. Its name, roles and port stay over
// restarts. Safe for concurrent use, but for start and what ends it.
type process struct {
	w      *world
	name   string
	roles  string
	port   int
	points string // MONITOR_FAILPOINTS of the next start
	extra  []string

	mu     sync.Mutex
	cmd    *exec.Cmd
	ended  chan struct{}
	kills  int
	paused bool
}

func (p *process) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }
func (p *process) base() string { return "http://" + p.addr() }

// process prepares a process that is not started yet. extra are settings as
// environment variables.
func (w *world) process(ctx context.Context, name, roles string, extra ...string) (*process, error) {
	port, err := servers.FreePort(ctx)
	if err != nil {
		return nil, err
	}
	p := &process{w: w, name: name, roles: roles, port: port, extra: extra}
	w.processes = append(w.processes, p)
	return p, nil
}

// start starts it and waits until it is ready.
func (p *process) start(ctx context.Context) error {
	if err := p.launch(ctx); err != nil {
		return err
	}
	return p.awaitReady(ctx, startTimeout)
}

// launch starts it.
func (p *process) launch(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(p.w.dir, p.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the process has its own by then
	cmd := exec.CommandContext(context.WithoutCancel(ctx), p.w.bench.binary, "serve", "--role", p.roles)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.w.dir, log, log
	cmd.Env = append(p.environment(), p.extra...)
	cmd.SysProcAttr = servers.Child(false)
	_, _ = fmt.Fprintf(log, "--- %s started with points %q\n", time.Now().Format(time.RFC3339Nano), p.points)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	ended := make(chan struct{})
	p.mu.Lock()
	p.cmd, p.ended, p.paused = cmd, ended, false
	p.mu.Unlock()
	go func() {
		defer close(ended)
		_ = cmd.Wait() // its state is kept in cmd
	}()
	return nil
}

// environment is that of the bench without settings of the machine's owner.
func (p *process) environment() []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "MONITOR_") {
			env = append(env, e)
		}
	}
	w := p.w
	env = append(env,
		"MONITOR_DATA_DIR="+filepath.Join(w.dir, p.name+"-data"), "MONITOR_DATABASE_URL="+w.databaseURL(),
		"MONITOR_AUTH_SECRET=a secret that is long enough for a bench", "MONITOR_LIMITS_API_PER_MINUTE=0",
		"MONITOR_LIMITS_MIN_INTERVAL=1s", "MONITOR_LOG_FORMAT=json",
		"MONITOR_FAILPOINTS="+p.points, "MONITOR_FAILPOINTS_SEED="+strconv.FormatUint(w.bench.seed, 10))
	if strings.Contains(p.roles, "api") || strings.Contains(p.roles, "web") || p.roles == "all" {
		env = append(env, "MONITOR_HTTP_ADDR="+p.addr())
	} else {
		env = append(env, "MONITOR_HTTP_ADMIN_ADDR="+p.addr())
	}
	if w.redis != nil {
		env = append(env, "MONITOR_REDIS_URL=redis://"+w.redisLink.addr()+"/0")
	}
	return env
}

// awaitReady waits until /readyz says 200.
func (p *process) awaitReady(ctx context.Context, within time.Duration) error {
	return p.await(ctx, within, "/readyz", http.StatusOK)
}

func (p *process) await(ctx context.Context, within time.Duration, path string, status int) error {
	deadline := time.Now().Add(within)
	for {
		got, err := p.status(ctx, path)
		if got == status {
			return nil
		}
		select {
		case <-p.done():
			return fmt.Errorf("%s ended before it was ready; see %s.log", p.name, p.name)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * pollEvery):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s answers %d (%w) to %s after %s", p.name, got, err, path, within)
		}
	}
}

// status asks a page of health.
func (p *process) status(ctx context.Context, path string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	_, status, err := call(ctx, p.w.web, http.MethodGet, p.base()+path, "", nil)
	return status, err
}

// done is closed when the process has ended.
func (p *process) done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

func (p *process) running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// kill ends it as kill -9 does.
func (p *process) kill() {
	if !p.running() {
		return
	}
	p.mu.Lock()
	p.kills++
	p.mu.Unlock()
	_ = p.cmd.Process.Kill()
	<-p.done()
}

// stop asks it to end and finds fault with any exit code but 0.
func (p *process) stop() time.Duration {
	if !p.running() {
		return 0
	}
	began := time.Now()
	_ = p.cmd.Process.Signal(syscall.SIGCONT)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done():
	case <-time.After(time.Minute):
		p.w.find("%s did not end within a minute of SIGTERM", p.name)
		_ = p.cmd.Process.Kill()
		<-p.done()
		return time.Since(began)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.w.find("%s ended with code %d on SIGTERM (promise 6)", p.name, code)
	}
	return time.Since(began)
}

// pause stops it, or lets it go on.
func (p *process) pause(on bool) {
	if !p.running() {
		return
	}
	sig := syscall.SIGCONT
	if on {
		sig = syscall.SIGSTOP
	}
	_ = p.cmd.Process.Signal(sig)
	p.mu.Lock()
	p.paused = on
	p.mu.Unlock()
}

// killed reports whether it was ended by SIGKILL, as a point does.
func (p *process) killed() bool {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}
