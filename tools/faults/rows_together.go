package main

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// twoOfEach kills one process of each kind at the same moment, the leader among
// them, while half of the targets begin to fail.
func twoOfEach(ctx context.Context, w *world) error {
	if err := w.begin(ctx, fleet{apis: 2, schedulers: 2, workers: 4, notifiers: 2}); err != nil {
		return err
	}
	of, err := w.watch(ctx, monitors{n: 40, interval: time.Second, timeout: time.Second, failures: 2})
	if err != nil {
		return err
	}
	w.resumed(ctx, time.Now(), of, 30*time.Second)
	leader, err := w.leader(ctx)
	if err != nil {
		return err
	}
	failing := of[:len(of)/2]
	w.farm.setAll(failing, http.StatusInternalServerError, 0)
	if err := sleep(ctx, time.Duration(200+w.random.IntN(1500))*time.Millisecond); err != nil {
		return err
	}
	from := time.Now()
	victims := []*process{leader, w.of("api")[1], w.of("worker")[w.random.IntN(4)], w.of("notifier")[w.random.IntN(2)]}
	var dying sync.WaitGroup
	for _, p := range victims {
		dying.Go(p.kill)
	}
	dying.Wait()
	told := func(kind string) func() bool {
		return func() bool { return w.toldOf(kind, failing) == len(failing) }
	}
	if _, err := w.eventually(ctx, time.Minute, "all outages are told", told("incident.opened")); err != nil {
		w.find("%d of %d outages were told (promise 2)", w.toldOf("incident.opened", failing), len(failing))
	}
	w.note("all outages told %.1f s after the kill", time.Since(from).Seconds())
	w.farm.setAll(failing, http.StatusOK, 0)
	if _, err := w.eventually(ctx, time.Minute, "all recoveries are told", told("incident.resolved")); err != nil {
		w.find("%d of %d recoveries were told (promise 2)", w.toldOf("incident.resolved", failing), len(failing))
	}
	w.faulted(from)
	for _, p := range victims {
		if err := p.start(ctx); err != nil {
			return err
		}
	}
	t, err := w.settle(ctx, time.Minute)
	if err != nil || t == nil {
		return err
	}
	w.checkEachOnce(t, failing)
	w.checkAll(t)
	return nil
}

// toldOf counts the subjects whose event of a kind the webhook has taken.
func (w *world) toldOf(kind string, of []subject) int {
	heard := map[int64]bool{}
	for _, m := range w.hook.taken() {
		if m.Type == kind {
			heard[m.Monitor.ID] = true
		}
	}
	n := 0
	for _, s := range of {
		if heard[s.id] {
			n++
		}
	}
	return n
}

// checkEachOnce: one outage for each that failed, and no more messages twice
// than the killed notifier had on their way.
func (w *world) checkEachOnce(t *truth, failing []subject) {
	for _, s := range failing {
		if n := len(t.incidents[s.id]); n != 1 {
			w.find("monitor %d failed once and has %d incidents", s.id, n)
		}
	}
	repeats := 0
	for _, n := range ids(w.hook.taken()) {
		repeats += n - 1
	}
	if repeats > channelShare {
		w.find("%d messages came twice after one kill", repeats)
	}
}

// alone runs one process with every role, without Redis, and kills it again and
// again.
func alone(ctx context.Context, w *world) error {
	w.redis = nil
	p, err := w.process(ctx, "alone", "all")
	if err != nil {
		return err
	}
	if err := p.start(ctx); err != nil {
		return err
	}
	if err := w.setup(ctx, p); err != nil {
		return err
	}
	if err := w.addHook(ctx); err != nil {
		return err
	}
	if w.watcher, err = w.watchStates(ctx); err != nil {
		return err
	}
	of, err := w.watch(ctx, monitors{n: 30, interval: time.Second, timeout: time.Second, failures: 2})
	if err != nil {
		return err
	}
	w.resumed(ctx, time.Now(), of, 30*time.Second)
	kills := 5
	if w.bench.long {
		kills = 30
	}
	stop := w.flipping(ctx, of, 300*time.Millisecond)
	defer stop()
	for range kills {
		if err := sleep(ctx, time.Second+time.Duration(w.random.IntN(4000))*time.Millisecond); err != nil {
			return err
		}
		from := time.Now()
		p.kill()
		if err := p.start(ctx); err != nil {
			return err
		}
		w.faulted(from)
	}
	stop()
	w.note("%d kills", kills)
	t, err := w.settle(ctx, 2*time.Minute)
	if err != nil {
		return err
	}
	w.checkAll(t)
	return nil
}
