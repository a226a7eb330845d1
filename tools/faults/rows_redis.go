package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"syscall"
	"time"
)

const (
	resumeWithin = 10 * time.Second // from when Redis or PostgreSQL is back
	pageWithin   = 2 * time.Second  // for a page while Redis is away
)

// redisLoad runs everything twice, with limits that are kept in Redis, on targets that go down and come back all the time. Those in alert are
// left alone until the scenario switches them itself.
type redisLoad struct {
	quick, often, alert []subject
	calm                func() // ends the flipping
}

func (w *world) redisLoad(ctx context.Context) (l redisLoad, err error) {
	if err := w.begin(ctx, fleet{apis: 2, schedulers: 2, workers: 2, notifiers: 2}, "MONITOR_LIMITS_API_PER_MINUTE=1000000"); err != nil {
		return l, err
	}
	if l.quick, err = w.watch(ctx, monitors{n: 12, interval: time.Second, timeout: time.Second}); err != nil {
		return l, err
	}
	// Their retries wait in Redis.
	if l.often, err = w.watch(ctx, monitors{n: 16, interval: 5 * time.Second, timeout: 2 * time.Second, retry: time.Second, failures: 2}); err != nil {
		return l, err
	}
	if l.alert, err = w.watch(ctx, monitors{n: 5, interval: time.Second, timeout: time.Second}); err != nil {
		return l, err
	}
	if _, err = w.watch(ctx, monitors{n: 20, interval: time.Minute, timeout: 10 * time.Second}); err != nil {
		return l, err
	}
	w.resumed(ctx, time.Now(), l.all(), 20*time.Second)
	l.calm = w.flipping(ctx, slices.Concat(l.quick, l.often), 150*time.Millisecond)
	return l, sleep(ctx, 4*time.Second)
}

func (l redisLoad) all() []subject { return slices.Concat(l.quick, l.often, l.alert) }

// redisFault plays a fault of Redis under load: whatever asks web and api notices
// nothing of it.
func redisFault(fault func(context.Context, *world, redisLoad) (back time.Time, err error)) func(context.Context, *world) error {
	return func(ctx context.Context, w *world) error {
		l, err := w.redisLoad(ctx)
		if err != nil {
			return err
		}
		apis := w.of("api")[:1]
		health := w.pinging(ctx, "/healthz", "", slices.Concat(apis, w.of("scheduler"), w.of("worker")[:1]))
		browser, err := w.logIn(ctx, apis[0])
		if err != nil {
			return err
		}
		page := w.pingingBy(ctx, browser, "/", "", apis)
		list := w.pinging(ctx, "/api/v1/monitors", w.api.token, apis)
		writes := w.writing(ctx, l.alert[0])
		from := time.Now()
		back, err := fault(ctx, w, l)
		w.faulted(from)
		if err == nil {
			err = w.redisBack(ctx, l, back)
		}
		l.calm()
		health.stop(w, "healthz")
		page.stop(w, "pages")
		list.stop(w, "reads")
		writes.stop(w)
		if slowest := max(page.slowest, list.slowest, writes.slowest); slowest > pageWithin {
			w.findLate("web and api took %.1f s to answer", slowest.Seconds())
		}
		if err != nil {
			return err
		}
		t, err := w.settle(ctx, time.Minute)
		if err != nil || t == nil {
			return err
		}
		// No notifier died and no answer was lost.
		for id, n := range ids(w.hook.taken()) {
			if n > 1 {
				w.find("%s was told %d times", id, n)
			}
		}
		w.checkAll(t)
		return nil
	}
}

// redisBack judges how checks resume: those of all targets, and those of slots that
// nobody had taken before.
func (w *world) redisBack(ctx context.Context, l redisLoad, back time.Time) error {
	const takenAhead = 2 * time.Second
	every, since := slices.Concat(l.quick, l.alert), back.Add(takenAhead)
	w.most("checks resumed after", w.resumed(ctx, back, every, 30*time.Second), resumeWithin)
	w.most("new slots were stored after", takenAhead+w.stored(ctx, since, every, 30*time.Second), resumeWithin)
	// One of them may have its slot just before checks resume.
	w.most("those each 5 s after", takenAhead+w.stored(ctx, since, l.often, 30*time.Second), resumeWithin+5*time.Second)
	return sleep(ctx, time.Second)
}

// redisAway takes Redis away, one way in the CI set and every way in the long one.
// Meanwhile events that nobody was told of yet are told, somebody logs in, processes
// are replaced, and a monitor is made, which is checked when Redis is back.
func redisAway(ctx context.Context, w *world) error {
	ways := []string{"cut", "swallowed", "torn", "paused", "killed"}
	if !w.bench.long {
		ways = []string{ways[w.random.IntN(len(ways))]}
	}
	away := w.bench.shortOr(20*time.Second, 2*time.Minute)
	return redisFault(func(ctx context.Context, w *world, l redisLoad) (time.Time, error) {
		for _, how := range ways[:len(ways)-1] {
			back, err := w.redisAwayFor(ctx, l, how, away)
			if err != nil {
				return back, err
			}
			if err := w.redisBack(ctx, l, back); err != nil {
				return back, err
			}
		}
		return w.redisAwayFor(ctx, l, ways[len(ways)-1], away)
	})(ctx, w)
}

func (w *world) redisAwayFor(ctx context.Context, l redisLoad, how string, away time.Duration) (back time.Time, err error) {
	untold, wake, err := w.untold(ctx, l.alert)
	if err != nil {
		return back, err
	}
	from := time.Now()
	mend, err := w.takeAway(ctx, w.redis, w.redisLink, how)
	if err != nil {
		return back, err
	}
	wake()
	if took, err := w.eventually(ctx, away/2, "events are told while Redis is away", func() bool { return w.toldAll(untold) }); err != nil {
		w.find("%v (promise 2)", err)
	} else {
		w.most("Redis "+how+": what waited was told after", took, 5*time.Second)
	}
	if _, err := w.logIn(ctx, w.of("api")[0]); err != nil {
		w.find("nobody can log in: %v", err)
	}
	born, err := w.watch(ctx, monitors{n: 1, interval: time.Second, timeout: time.Second})
	if err != nil {
		return back, err
	}
	if err := w.replaced(ctx); err != nil {
		return back, err
	}
	if err := sleep(ctx, time.Until(from.Add(away))); err != nil {
		return back, err
	}
	w.farm.setAll(l.alert, http.StatusOK, 0)
	back = time.Now()
	if err := mend(ctx); err != nil {
		return back, err
	}
	w.faulted(from)
	w.most("a monitor made meanwhile was checked after", w.resumed(ctx, back, born, 30*time.Second), resumeWithin)
	return back, nil
}

// replaced ends processes while Redis is away, as a deployment does, and starts
// them again. One that needs no Redis is ready then.
func (w *world) replaced(ctx context.Context) error {
	for _, p := range []*process{w.of("api")[1], w.of("notifier")[1], w.of("worker")[1]} {
		w.most(p.name+" ended after", p.stop(), 15*time.Second)
		if err := p.launch(ctx); err != nil {
			return err
		}
	}
	began := time.Now()
	if err := w.of("api")[1].awaitReady(ctx, 10*time.Second); err != nil {
		w.find("without Redis: %v", err)
		return nil
	}
	w.note("an API was ready after %.1f s", time.Since(began).Seconds())
	return nil
}

// untold makes events of which nobody is told, for the notifiers are stopped until
// wake, and gives their incidents.
func (w *world) untold(ctx context.Context, of []subject) (incidents []int64, wake func(), err error) {
	wake = func() {
		for _, p := range w.of("notifier") {
			p.pause(false)
		}
	}
	for _, p := range w.of("notifier") {
		p.pause(true)
	}
	w.farm.setAll(of, http.StatusInternalServerError, 0)
	_, err = w.eventually(ctx, 10*time.Second, "incidents are open", func() bool {
		t, err := w.read(ctx)
		if err != nil {
			return false
		}
		incidents = nil
		for _, s := range of {
			if all := t.incidents[s.id]; len(all) > 0 && !all[len(all)-1].resolved {
				incidents = append(incidents, all[len(all)-1].id)
			}
		}
		return len(incidents) == len(of)
	})
	if err != nil {
		wake()
	}
	return incidents, wake, err
}

// toldAll reports whether the webhook heard of the beginning of each.
func (w *world) toldAll(incidents []int64) bool {
	told := map[int64]bool{}
	for _, m := range w.hook.taken() {
		if m.Type == "incident.opened" {
			told[m.Incident.ID] = true
		}
	}
	return !slices.ContainsFunc(incidents, func(id int64) bool { return !told[id] })
}

// redisAgain kills Redis and starts it, after something was done to its data.
func redisAgain(between func(*world) error) func(context.Context, *world) error {
	return redisFault(func(ctx context.Context, w *world, _ redisLoad) (time.Time, error) {
		w.redis.Stop(syscall.SIGKILL)
		if err := between(w); err != nil {
			return time.Time{}, err
		}
		err := w.redis.Start(ctx)
		return time.Now(), err
	})
}

func redisRestarted(ctx context.Context, w *world) error {
	return redisAgain(func(*world) error { return nil })(ctx, w)
}

func redisEmptied(ctx context.Context, w *world) error {
	return redisAgain(func(w *world) error { return w.redis.Forget() })(ctx, w)
}

// redisFlushed empties Redis while it runs, at moments of the seed's choice.
func redisFlushed(ctx context.Context, w *world) error {
	rounds := 3
	if w.bench.long {
		rounds = 20
	}
	return redisFault(func(ctx context.Context, w *world, l redisLoad) (back time.Time, err error) {
		c := w.redis.Redis()
		defer func() { _ = c.Close() }()
		for i := range rounds {
			if i > 0 {
				w.most("checks resumed after", w.resumed(ctx, back, l.quick, 30*time.Second), resumeWithin)
				if err := sleep(ctx, time.Duration(w.random.IntN(2000))*time.Millisecond); err != nil {
					return back, err
				}
			}
			if err := c.FlushAll(ctx).Err(); err != nil {
				return back, fmt.Errorf("flush: %w", err)
			}
			back = time.Now()
		}
		return back, nil
	})(ctx, w)
}

// redisPromoted lets a replica, which has not had the last seconds of writes, take
// the place of a server that is killed.
func redisPromoted(ctx context.Context, w *world) error {
	behind := time.Duration(1000+w.random.IntN(4000)) * time.Millisecond
	return redisFault(func(ctx context.Context, w *world, _ redisLoad) (back time.Time, err error) {
		heir, way, err := w.replica(ctx)
		if err != nil {
			return back, err
		}
		way.cut()
		if err := sleep(ctx, behind); err != nil {
			return back, err
		}
		w.redis.Stop(syscall.SIGKILL)
		if err := heir.Promote(ctx); err != nil {
			return back, err
		}
		err = w.redisLink.lead(heir.Addr())
		w.note("promoted without the last %.1f s", behind.Seconds())
		return time.Now(), err
	})(ctx, w)
}
