package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"syscall"
	"time"

	"monitor/tools/servers"
)

// havoc is one thing that the nemesis may do. It returns when all is as before.
type havoc struct {
	name string
	do   func(ctx context.Context, w *world) error
}

// havocs is the table of what happens at random.
func havocs() []havoc {
	return []havoc{
		{"kill", func(ctx context.Context, w *world) error { return w.away(ctx, w.anyOne(), (*process).kill) }},
		{"stop", func(ctx context.Context, w *world) error {
			return w.away(ctx, w.anyOne(), func(p *process) { p.stop() })
		}},
		{"pause", func(ctx context.Context, w *world) error {
			p := w.anyOne()
			p.pause(true)
			defer p.pause(false)
			return w.aWhile(ctx, 1, 14)
		}},
		{"cut", func(ctx context.Context, w *world) error {
			l := w.anyLink()
			l.cut()
			err := w.aWhile(ctx, 0, 6)
			if mended := l.mend(); err == nil {
				err = mended
			}
			return err
		}},
		{"swallow", func(ctx context.Context, w *world) error {
			l := w.anyLink()
			if err := l.swallow(); err != nil {
				return err
			}
			err := w.aWhile(ctx, 1, 8)
			if healed := l.heal(ctx); err == nil {
				err = healed
			}
			return err
		}},
		{"slow", func(ctx context.Context, w *world) error {
			l := w.anyLink()
			if err := l.slow(20 * time.Millisecond); err != nil {
				return err
			}
			err := w.aWhile(ctx, 2, 6)
			if healed := l.heal(ctx); err == nil {
				err = healed
			}
			return err
		}},
		{"flush redis", func(ctx context.Context, w *world) error {
			c := w.redis.Redis()
			defer func() { _ = c.Close() }()
			return c.FlushAll(ctx).Err()
		}},
		{"crash redis", func(ctx context.Context, w *world) error { return w.crash(ctx, w.redis, syscall.SIGKILL, nil) }},
		{"empty redis", func(ctx context.Context, w *world) error {
			return w.crash(ctx, w.redis, syscall.SIGKILL, w.redis.Forget)
		}},
		{"crash postgres", func(ctx context.Context, w *world) error { return w.crash(ctx, w.postgres, syscall.SIGQUIT, nil) }},
		{"hook fails", func(ctx context.Context, w *world) error {
			w.hook.answers(http.StatusInternalServerError, 0)
			defer w.hook.answers(http.StatusOK, 0)
			return w.aWhile(ctx, 1, 4)
		}},
	}
}

// aWhile waits for a time drawn between so many seconds.
func (w *world) aWhile(ctx context.Context, least, most int) error {
	ms := least*1000 + w.random.IntN((most-least)*1000)
	return sleep(ctx, time.Duration(ms)*time.Millisecond)
}

func (w *world) anyOne() *process { return w.processes[w.random.IntN(len(w.processes))] }

func (w *world) anyLink() *link {
	return []*link{w.postgresLink, w.redisLink, w.hookLink, w.mailLink}[w.random.IntN(4)]
}

// away ends a process and starts it again after a while.
func (w *world) away(ctx context.Context, p *process, end func(*process)) error {
	end(p)
	if err := w.aWhile(ctx, 0, 3); err != nil {
		return err
	}
	return p.launch(ctx)
}

// crash ends a server and starts it again after a while.
func (w *world) crash(ctx context.Context, s *servers.Server, sig syscall.Signal, between func() error) error {
	s.Stop(sig)
	if between != nil {
		if err := between(); err != nil {
			return err
		}
	}
	if err := w.aWhile(ctx, 0, 5); err != nil {
		return err
	}
	return s.Start(ctx)
}

// randomly does everything at random, two things at once now and then never: one
// after the other, with the system coming to rest in between or not.
func randomly(ctx context.Context, w *world) error {
	if err := w.begin(ctx, fleet{apis: 2, schedulers: 2, workers: 3, notifiers: 2}); err != nil {
		return err
	}
	if err := w.addMail(ctx); err != nil {
		return err
	}
	stop, err := w.fourKinds(ctx)
	if err != nil {
		return err
	}
	defer stop()
	writes := w.loading(ctx, 10, w.of("api"))
	all := havocs()
	counts := map[string]int{}
	until := time.Now().Add(w.bench.shortOr(time.Minute, 5*time.Minute))
	for time.Now().Before(until) {
		if err := w.aWhile(ctx, 0, 4); err != nil {
			break
		}
		h := all[w.random.IntN(len(all))]
		counts[h.name]++
		w.say("%s", h.name)
		if err := w.during(func() error { return h.do(ctx, w) }); err != nil {
			writes.stop()
			return err
		}
	}
	stop()
	writes.stop()
	w.note("%v", counts)
	return w.allWell(ctx, writes)
}

// tooLate is after the timeout of who is switched so.
const tooLate = 1500 * time.Millisecond

// fourKinds watches targets that answer, fail, cut connections and are late, and
// begins to switch them.
func (w *world) fourKinds(ctx context.Context) (stop func(), err error) {
	var of [4][]subject
	for i, m := range []monitors{
		{n: 10, interval: time.Second, timeout: time.Second},
		{n: 15, interval: time.Second, timeout: time.Second, failures: 2},
		{n: 10, interval: 2 * time.Second, timeout: time.Second, retry: time.Second, failures: 3, successes: 2},
		{n: 5, interval: 2 * time.Second, timeout: time.Second, failures: 2},
	} {
		if of[i], err = w.watch(ctx, m); err != nil {
			return nil, err
		}
	}
	w.resumed(ctx, time.Now(), w.subjects, 30*time.Second)
	stops := []func(){
		w.flipping(ctx, of[1], 400*time.Millisecond),
		w.switching(ctx, of[2], time.Second, func(*rand.Rand) (int, time.Duration) { return 0, 0 }),
		w.switching(ctx, of[3], 2*time.Second, func(*rand.Rand) (int, time.Duration) { return http.StatusOK, tooLate }),
	}
	return func() {
		for _, one := range stops {
			one()
		}
	}, nil
}

// allWell waits for every process, then judges all promises.
func (w *world) allWell(ctx context.Context, writes *load) error {
	for _, p := range w.processes {
		if !p.running() {
			w.find("%s ended by itself", p.name)
			continue
		}
		if err := p.awaitReady(ctx, startTimeout); err != nil {
			w.find("%v", err)
		}
	}
	// A message that failed through several faults waits for up to five minutes.
	t, err := w.settle(ctx, w.bench.shortOr(2*time.Minute, 8*time.Minute))
	if err != nil {
		return err
	}
	w.checkAll(t)
	if err := writes.checkWrites(ctx); err != nil {
		return err
	}
	if slices.ContainsFunc(w.of("api"), func(p *process) bool { return !p.running() }) {
		return nil
	}
	for _, p := range w.of("api") {
		if err := w.api.at(p).do(ctx, http.MethodGet, "/api/v1/overview", nil, nil); err != nil {
			w.find("%v", err)
		}
	}
	return nil
}
