package main

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"
)

// postgresLoad is a fleet on targets that go down and come back all the time.
func (w *world) postgresLoad(ctx context.Context, extra ...string) (quick, often []subject, calm func(), err error) {
	if err := w.begin(ctx, fleet{apis: 1, schedulers: 2, workers: 2, notifiers: 2}, extra...); err != nil {
		return nil, nil, nil, err
	}
	if quick, err = w.watch(ctx, monitors{n: 16, interval: time.Second, timeout: time.Second}); err != nil {
		return nil, nil, nil, err
	}
	if often, err = w.watch(ctx, monitors{n: 20, interval: 5 * time.Second, timeout: 2 * time.Second, retry: time.Second, failures: 2}); err != nil {
		return nil, nil, nil, err
	}
	if _, err = w.watch(ctx, monitors{n: 20, interval: time.Minute, timeout: 10 * time.Second}); err != nil {
		return nil, nil, nil, err
	}
	w.resumed(ctx, time.Now(), slices.Concat(quick, often), 20*time.Second)
	calm = w.flipping(ctx, slices.Concat(quick, often), 150*time.Millisecond)
	return quick, often, calm, sleep(ctx, 4*time.Second)
}

// absence is one time without PostgreSQL.
type absence struct {
	lasts time.Duration // 0: it is mended at once
	whole bool          // nothing is answered meanwhile
	begin func(context.Context, *world) (mend func(context.Context) error, err error)
}

// postgresFault takes PostgreSQL away under load, once or more.
func postgresFault(ctx context.Context, w *world, all ...absence) error {
	quick, often, calm, err := w.postgresLoad(ctx)
	if err != nil {
		return err
	}
	browser, err := w.logIn(ctx, w.of("api")[0])
	if err != nil {
		return err
	}
	health := w.pinging(ctx, "/healthz", "", w.processes)
	for _, a := range all {
		if err = w.postgresAwayFor(ctx, a, browser, quick, often); err != nil {
			break
		}
	}
	calm()
	health.stop(w, "healthz")
	if err != nil {
		return err
	}
	until := time.Now()
	t, err := w.settle(ctx, time.Minute)
	if err != nil || t == nil {
		return err
	}
	w.checkHeld(t, until)
	w.checkAll(t)
	return nil
}

// postgresAwayFor plays one absence and judges how the program comes back.
func (w *world) postgresAwayFor(ctx context.Context, a absence, browser *http.Client, quick, often []subject) error {
	from := time.Now()
	mend, err := a.begin(ctx, w)
	if err != nil {
		return err
	}
	if a.whole {
		w.saysAway(ctx, browser)
	}
	if err := sleep(ctx, time.Until(from.Add(a.lasts))); err != nil {
		return err
	}
	if err := mend(ctx); err != nil {
		return err
	}
	back := time.Now()
	w.faulted(from)
	made := 0
	for _, s := range w.subjects {
		made += len(w.farm.within(s.target, from, back))
	}
	w.note("%d checks in %.0f s without it", made, back.Sub(from).Seconds())
	w.most("results were stored again after", w.stored(ctx, back, quick, 30*time.Second), resumeWithin)
	_, err = w.eventually(ctx, 30*time.Second, "the API writes again", func() bool {
		return w.api.do(ctx, http.MethodPatch, "/api/v1/me", map[string]any{"name": "Faults"}, nil) == nil
	})
	if err != nil {
		w.find("%v", err)
	}
	w.most("and the API wrote after", time.Since(back), resumeWithin)
	// One of them may have its slot just before results are stored.
	w.most("those each 5 s after", w.stored(ctx, back, often, 30*time.Second), resumeWithin+5*time.Second)
	return sleep(ctx, 2*time.Second)
}

// saysAway finds fault with an API and pages that do not say in time what is wrong.
func (w *world) saysAway(ctx context.Context, browser *http.Client) {
	ctx, cancel := context.WithTimeout(ctx, 14*time.Second)
	defer cancel()
	var asking sync.WaitGroup
	for _, path := range []string{"/api/v1/monitors", "/"} {
		asking.Go(func() {
			began := time.Now()
			_, status, err := call(ctx, browser, http.MethodGet, w.api.base+path, w.api.token, nil)
			w.note("%s answers %d after %d ms", path, status, time.Since(began).Milliseconds())
			if status != http.StatusServiceUnavailable {
				w.find("without PostgreSQL %s answers %d (%v)", path, status, err)
			}
		})
	}
	asking.Wait()
}

// checkHeld: each request that targets saw until a time is told of by a result of its
// own: nothing that was held is lost.
func (w *world) checkHeld(t *truth, to time.Time) {
	requests, lost := 0, 0
	for _, s := range w.subjects {
		left := slices.Clone(t.results[s.id])
		for _, h := range w.farm.within(s.target, s.created.Add(-delay), to) {
			requests++
			// The results begin in the order of their slots, so the first that
			// fits is the one that fits least to what comes later.
			i := slices.IndexFunc(left, func(r result) bool {
				return !h.came.Before(r.started.Add(-blur)) && h.came.Before(r.ended.Add(delay))
			})
			if i < 0 {
				if lost++; lost <= 5 {
					w.find("monitor %d was asked at %s and no result tells of it (promise 3)", s.id, h.came.UTC().Format("15:04:05.000"))
				}
				continue
			}
			left = slices.Delete(left, i, i+1)
		}
	}
	w.note("%d requests before it came to rest, %d without a result", requests, lost)
	if lost > 5 {
		w.find("%d of %d requests have no result (promise 3)", lost, requests)
	}
}

// postgresAway takes PostgreSQL away, one way in the CI set and every way in the
// long one.
func postgresAway(ctx context.Context, w *world) error {
	var all []absence
	for _, how := range []string{"cut", "swallowed", "torn", "paused", "killed"} {
		lasts := w.bench.shortOr(20*time.Second, time.Minute)
		if how == "paused" {
			lasts = min(lasts, 45*time.Second) // until its queue of connections is full, which holds up the proxy
		}
		all = append(all, absence{
			lasts: lasts, whole: how != "torn",
			begin: func(ctx context.Context, w *world) (func(context.Context) error, error) {
				return w.takeAway(ctx, w.postgres, w.postgresLink, how)
			},
		})
	}
	return postgresFault(ctx, w, w.some(all, 1)...)
}

// postgresRestarted lets it crash and start, and end by itself and start.
func postgresRestarted(ctx context.Context, w *world) error {
	var all []absence
	for _, sig := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGKILL, syscall.SIGINT} {
		all = append(all, absence{begin: func(_ context.Context, w *world) (func(context.Context) error, error) {
			w.postgres.Stop(sig)
			return w.postgres.Start, nil
		}})
	}
	return postgresFault(ctx, w, w.some(all, 2)...)
}

// postgresFull leaves the program no connection: others have them all, or its own
// hang on a lock.
func postgresFull(ctx context.Context, w *world) error {
	lasts := w.bench.shortOr(15*time.Second, time.Minute)
	return postgresFault(ctx, w, w.some([]absence{
		{lasts: lasts, whole: true, begin: func(ctx context.Context, w *world) (func(context.Context) error, error) { return w.occupy(ctx) }},
		{lasts: lasts, whole: true, begin: func(ctx context.Context, w *world) (func(context.Context) error, error) { return w.lockTables(ctx) }},
	}, 1)...)
}

// some gives n of all in a random order; the long set plays every one.
func (w *world) some(all []absence, n int) []absence {
	w.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if w.bench.long {
		return all
	}
	return all[:n]
}

// postgresRetries lets a fifth of all transactions fail by a conflict.
func postgresRetries(ctx context.Context, w *world) error {
	_, _, calm, err := w.postgresLoad(ctx, "MONITOR_FAILPOINTS=store.serialization=error:0.2")
	if err != nil {
		return err
	}
	before, err := w.rollbacks(ctx)
	if err != nil {
		return err
	}
	health := w.pinging(ctx, "/healthz", "", w.processes)
	list := w.pinging(ctx, "/api/v1/monitors", w.api.token, w.of("api"))
	writes := w.writing(ctx, w.subjects[0])
	err = sleep(ctx, w.bench.shortOr(20*time.Second, 2*time.Minute))
	calm()
	health.stop(w, "healthz")
	list.stop(w, "reads")
	writes.stop(w)
	if err != nil {
		return err
	}
	until := time.Now()
	t, err := w.settle(ctx, time.Minute)
	if err != nil || t == nil {
		return err
	}
	// A program that was not made to fail proves nothing.
	after, err := w.rollbacks(ctx)
	if w.note("%d transactions rolled back", after-before); err != nil || after-before < 50 {
		w.find("only %d transactions were rolled back (%v)", after-before, err)
	}
	for id, n := range ids(w.hook.taken()) {
		if n > 1 {
			w.find("%s was told %d times", id, n)
		}
	}
	w.checkHeld(t, until)
	w.checkAll(t)
	return nil
}
