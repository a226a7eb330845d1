package testenv

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Ports that a server keeps while it is away lie below those that the system
// gives to outgoing connections: a client that dials a port of that range again
// and again while nobody listens may be given the same one for its own end, talk
// to itself, and keep the server from coming back.
const (
	lowestPort  = 12_000
	highestPort = 32_000
)

// RedisProcess is a Redis that a test stops, kills, pauses and starts again on
// the same port. Its data lies in a folder that outlives it; what of it is kept
// says who made it. Its methods fail the test and are for one goroutine at a time.
type RedisProcess struct {
	tb      testing.TB
	home    *server // holds the folder, and does nothing else
	port    int
	args    []string
	ready   string
	mu      sync.Mutex
	running *server // nil: not running
}

// RedisRestartable starts a server that writes every change to disk before it
// answers, so that Kill loses nothing. It ends with the test.
func RedisRestartable(tb testing.TB) (url string, process *RedisProcess) {
	tb.Helper()
	p := newRedisProcess(tb, "--appendonly", "yes", "--appendfsync", "always", "--save", "")
	return "redis://" + p.Addr() + "/0", p
}

// newRedisProcess starts one, on a port that nobody uses.
func newRedisProcess(tb testing.TB, args ...string) *RedisProcess {
	tb.Helper()
	home, err := startServer(recipe{
		name: "redis-home", signal: "KILL", ready: "ready",
		command: func(string, int) []string { return []string{"sh", "-c", "echo ready; exec tail -f /dev/null"} },
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(home.stop)
	p := &RedisProcess{tb: tb, home: home, args: args, ready: "Ready to accept connections"}
	tb.Cleanup(p.Kill)
	for range portAttempts {
		if p.port, err = steadyPort(); err != nil {
			tb.Fatal(err)
		}
		if err = p.start(); err == nil {
			return p
		}
		if !errors.Is(err, errPortTaken) {
			break
		}
	}
	tb.Fatal(err)
	return nil
}

// steadyPort finds a port that is free now and not of those for outgoing
// connections.
func steadyPort() (int, error) {
	for range 100 {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no free port was found")
}

// Addr is where it listens, running or not.
func (p *RedisProcess) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }

// Start starts it again. It returns when it takes connections.
func (p *RedisProcess) Start() {
	p.tb.Helper()
	if err := p.start(); err != nil {
		p.tb.Fatal(err)
	}
}

func (p *RedisProcess) start() error {
	program, err := redisServer().find()
	if err != nil {
		return err
	}
	r := recipe{
		name: "redis", signal: "KILL", ready: p.ready,
		command: func(dir string, port int) []string {
			return append([]string{
				program, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", p.home.dir,
				"--pidfile", filepath.Join(dir, "pid"), "--databases", "16",
			}, p.args...)
		},
	}
	s, err := startAt(r, p.port)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = s
	return nil
}

// startAt is startOnce for a port of one's choice.
func startAt(r recipe, port int) (*server, error) {
	dir, err := ownedTempDir("monitor-" + r.name + "-")
	if err != nil {
		return nil, err
	}
	s, err := launch(r, dir, port)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.awaitReady(r.ready); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// Kill ends it at once, as a crash would.
func (p *RedisProcess) Kill() {
	p.mu.Lock()
	s := p.running
	p.running = nil
	p.mu.Unlock()
	if s != nil {
		s.stop()
	}
}

// Stop ends it as an administrator would: it saves and then goes.
func (p *RedisProcess) Stop() {
	p.tb.Helper()
	p.signal(signalStop)
	p.mu.Lock()
	s := p.running
	p.mu.Unlock()
	if err := await("redis to end", func() error {
		_, err := os.Stat(filepath.Join(s.dir, "exited"))
		return err
	}); err != nil {
		p.tb.Fatal(err)
	}
	p.Kill()
}

// Pause stops it without ending it: connections stay, nothing answers.
func (p *RedisProcess) Pause() { p.tb.Helper(); p.signal(signalPause) }

// Resume lets it go on.
func (p *RedisProcess) Resume() { p.tb.Helper(); p.signal(signalResume) }

// Do runs one command on it, with the password if it has one.
func (p *RedisProcess) Do(args ...any) any {
	p.tb.Helper()
	answer, err := p.try(args...)
	if err != nil {
		p.tb.Fatalf("%v: %v", args[0], err)
	}
	return answer
}

// try is Do for a server that may just be ending connections, as one does whose
// sentinels give it another role.
func (p *RedisProcess) try(args ...any) (any, error) {
	client := redis.NewClient(&redis.Options{Addr: p.Addr(), Password: p.password(), MaxRetries: -1, DialerRetries: 1})
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	answer, err := client.Do(ctx, args...).Result()
	if errors.Is(err, redis.Nil) {
		err = nil
	}
	return answer, err
}

const commandTimeout = 10 * time.Second

func (p *RedisProcess) password() string {
	for i, arg := range p.args {
		if arg == "--requirepass" {
			return p.args[i+1]
		}
	}
	return ""
}

func (p *RedisProcess) signal(s syscall.Signal) {
	p.tb.Helper()
	p.mu.Lock()
	running := p.running
	p.mu.Unlock()
	if running == nil {
		p.tb.Fatal("redis does not run")
		return
	}
	text, err := os.ReadFile(filepath.Join(running.dir, "pid"))
	if err != nil {
		p.tb.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		p.tb.Fatal(err)
	}
	if err := sendSignal(pid, s); err != nil {
		p.tb.Fatal(err)
	}
}

// await asks again and again until there is no error.
func await(what string, done func() error) error {
	deadline := time.NewTimer(startTimeout)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := done()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			return fmt.Errorf("wait for %s: %w", what, err)
		}
	}
}
