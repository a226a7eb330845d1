package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"monitor/tools/servers"
)

// world is all that one scenario has: servers, ways to them, receivers and
// processes. A scenario is one goroutine; find and note are safe for others.
type world struct {
	bench  *bench
	name   string
	dir    string
	random *rand.Rand
	web    *http.Client

	postgres     *servers.Server
	postgresLink *link
	redis        *servers.Server // nil: the processes run without
	redisLink    *link
	farm         *farm
	hook         *hook
	hookLink     *link
	mail         *mailbox
	mailLink     *link

	api       client
	processes []*process
	subjects  []subject
	faults    []span // times in which something was killed, paused, cut or emptied
	watcher   *watcher

	closers []func()

	mu       sync.Mutex
	numbers  []string
	findings []string
	late     int // of the findings: times beyond their bounds
}

// span is a time from something to something.
type span struct{ from, to time.Time }

func (b *bench) newWorld(ctx context.Context, name, dir string) (_ *world, err error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	w := &world{
		bench: b, name: name, dir: dir, random: b.random(name),
		web: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}},
	}
	w.onClose(w.web.CloseIdleConnections)
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.postgres, err = startPostgres(ctx, b.template, filepath.Join(dir, "postgres")); err != nil {
		return nil, err
	}
	w.onClose(func() { w.postgres.Stop(syscall.SIGQUIT) })
	if w.postgresLink, err = newLink("postgres", w.postgres.Addr()); err != nil {
		return nil, err
	}
	w.onClose(w.postgresLink.cut)
	if w.redis, err = servers.StartRedis(ctx, filepath.Join(dir, "redis"), true); err != nil {
		return nil, err
	}
	redis := w.redis // a scenario may do without it
	w.onClose(func() { redis.Stop(syscall.SIGKILL) })
	if w.redisLink, err = newLink("redis", w.redis.Addr()); err != nil {
		return nil, err
	}
	w.onClose(w.redisLink.cut)
	return w, w.observers(ctx)
}

// observers starts targets and receivers.
func (w *world) observers(ctx context.Context) (err error) {
	if w.farm, err = newFarm(ctx); err != nil {
		return err
	}
	w.onClose(w.farm.stop)
	if w.hook, err = newHook(ctx); err != nil {
		return err
	}
	w.onClose(w.hook.stop)
	if w.hookLink, err = newLink("hook", w.hook.addr); err != nil {
		return err
	}
	w.onClose(w.hookLink.cut)
	if w.mail, err = newMailbox(ctx); err != nil {
		return err
	}
	w.onClose(w.mail.stop)
	if w.mailLink, err = newLink("mail", w.mail.addr); err != nil {
		return err
	}
	w.onClose(w.mailLink.cut)
	return nil
}

func (w *world) onClose(do func()) { w.closers = append(w.closers, do) }

// close ends the processes, asking them first, then all else.
func (w *world) close() {
	if w.watcher != nil {
		w.watcher.close()
	}
	var ending sync.WaitGroup
	for _, p := range w.processes {
		ending.Go(func() { p.stop() })
	}
	ending.Wait()
	for _, do := range slices.Backward(w.closers) {
		do()
	}
}

func (w *world) databaseURL() string {
	return "postgres://monitor@" + w.postgresLink.addr() + "/monitor?sslmode=disable"
}

// find keeps what must not be.
func (w *world) find(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.findings = append(w.findings, fmt.Sprintf(format, args...))
}

// findLate keeps that something right came too late.
func (w *world) findLate(format string, args ...any) {
	w.find(format, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.late++
}

// note keeps a number for the table and prints it.
func (w *world) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.mu.Lock()
	w.numbers = append(w.numbers, text)
	w.mu.Unlock()
	w.say("%s", text)
}

// say prints a line of progress.
func (w *world) say(format string, args ...any) {
	w.bench.say("%-18s %s", w.name, fmt.Sprintf(format, args...))
}

// most finds fault with a time beyond its bound, and notes it.
func (w *world) most(what string, got, bound time.Duration) {
	w.note("%s %.1f s (≤ %.0f s)", what, got.Seconds(), bound.Seconds())
	if got > bound {
		w.findLate("%s: %.1f s, which is over %.0f s", what, got.Seconds(), bound.Seconds())
	}
}

// fleet is how many processes of each kind a scenario begins with.
type fleet struct{ apis, schedulers, workers, notifiers int }

// begin starts the fleet, makes the first owner and the webhook channel.
func (w *world) begin(ctx context.Context, f fleet, extra ...string) error {
	for _, kind := range []struct {
		name, roles string
		n           int
	}{{"api", "web,api", f.apis}, {"scheduler", "scheduler", f.schedulers}, {"worker", "worker", f.workers}, {"notifier", "notifier", f.notifiers}} {
		for i := range kind.n {
			p, err := w.process(ctx, fmt.Sprintf("%s-%d", kind.name, i+1), kind.roles, extra...)
			if err != nil {
				return err
			}
			// The first one makes the schema; the others need not race for it.
			if err := p.start(ctx); err != nil {
				return err
			}
		}
	}
	if err := w.setup(ctx, w.of("api")[0]); err != nil {
		return err
	}
	if err := w.addHook(ctx); err != nil {
		return err
	}
	var err error
	w.watcher, err = w.watchStates(ctx)
	return err
}

// of gives the processes whose name begins so.
func (w *world) of(kind string) []*process {
	var out []*process
	for _, p := range w.processes {
		if len(p.name) > len(kind) && p.name[:len(kind)] == kind {
			out = append(out, p)
		}
	}
	return out
}

// eventually polls until ok and gives the time that it took.
func (w *world) eventually(ctx context.Context, within time.Duration, what string, ok func() bool) (time.Duration, error) {
	began := time.Now()
	for !ok() {
		if time.Since(began) > within {
			return time.Since(began), fmt.Errorf("not within %s: %s", within, what)
		}
		if err := sleep(ctx, 5*pollEvery); err != nil {
			return 0, errors.Join(err, errors.New(what))
		}
	}
	return time.Since(began), nil
}
