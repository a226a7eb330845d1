package main

import (
	"context"
	"net/http"
	"time"
)

const slowAnswer = 1500 * time.Millisecond

// workerFleet runs two workers on targets that answer late, so that there are
// always checks in flight: some each minute, where a lost job is run again, and
// some every 5 s, where it is too old by then.
func (w *world) workerFleet(ctx context.Context) (minute, often []subject, err error) {
	if err := w.begin(ctx, fleet{apis: 1, schedulers: 1, workers: 2, notifiers: 1}); err != nil {
		return nil, nil, err
	}
	if minute, err = w.watch(ctx, monitors{n: 240, interval: time.Minute, timeout: workerTimeout}); err != nil {
		return nil, nil, err
	}
	if often, err = w.watch(ctx, monitors{n: 40, interval: 5 * time.Second, timeout: workerTimeout}); err != nil {
		return nil, nil, err
	}
	w.farm.setAll(w.subjects, http.StatusOK, slowAnswer)
	w.resumed(ctx, time.Now(), often, 20*time.Second)
	return minute, often, sleep(ctx, 5*time.Second)
}

const workerTimeout = 3 * time.Second

// workerGone judges what followed a time in which one of two workers was gone.
func (w *world) workerGone(ctx context.Context, minute, often []subject, from time.Time) error {
	const again = workerTimeout + 15*time.Second
	if err := sleep(ctx, time.Until(from.Add(again+5*time.Second))); err != nil {
		return err
	}
	t, err := w.settle(ctx, time.Minute)
	if err != nil || t == nil {
		return err
	}
	var latest time.Duration
	redone := 0
	to := from.Add(2 * time.Second) // slots that it may have taken ahead
	for _, s := range minute {
		for _, r := range t.results[s.id] {
			if r.slot.After(from.Add(-workerTimeout)) && r.slot.Before(to) {
				late := r.started.Sub(from)
				if r.started.Sub(r.slot) > workerTimeout {
					redone++
				}
				latest = max(latest, late)
			}
		}
	}
	if n := t.missing(minute, from.Add(-workerTimeout), to); n > 0 {
		w.find("%d slots of targets checked each minute were not run again", n)
	}
	w.note("%d jobs run again", redone)
	w.most("the last of them began after", latest, again)
	w.onTime(t, often, from.Add(again), time.Now())
	w.checkAll(t)
	return nil
}

// onTime notes how late checks began and finds fault with what is over 2 s.
func (w *world) onTime(t *truth, of []subject, from, to time.Time) {
	var latest time.Duration
	for _, s := range of {
		for _, r := range t.results[s.id] {
			if r.slot.After(from) && r.slot.Before(to) && r.attempt == 1 {
				latest = max(latest, r.started.Sub(r.slot))
			}
		}
	}
	w.most("next slots late by at most", latest, 2*time.Second)
}

// busy waits until checks are in flight at a process.
func (w *world) busy(ctx context.Context, p *process) error {
	_, err := w.eventually(ctx, 20*time.Second, "checks in flight at "+p.name, func() bool {
		n, err := p.metric(ctx, "monitor_worker_running")
		return err == nil && n >= 3
	})
	return err
}

func workerKilled(ctx context.Context, w *world) error {
	minute, often, err := w.workerFleet(ctx)
	if err != nil {
		return err
	}
	victim := w.of("worker")[0]
	if err := w.busy(ctx, victim); err != nil {
		return err
	}
	return w.workerGone(ctx, minute, often, w.killed(victim))
}

// workerPaused stops a worker mid-check for longer than the leases of its jobs
// and wakes it.
func workerPaused(ctx context.Context, w *world) error {
	minute, often, err := w.workerFleet(ctx)
	if err != nil {
		return err
	}
	victim := w.of("worker")[0]
	if err := w.busy(ctx, victim); err != nil {
		return err
	}
	at := time.Now()
	victim.pause(true)
	if err := sleep(ctx, workerTimeout+15*time.Second); err != nil {
		return err
	}
	victim.pause(false)
	w.faulted(at)
	return w.workerGone(ctx, minute, often, at)
}

// workerStopped asks a worker to end mid-check: nothing is lost and nothing late.
func workerStopped(ctx context.Context, w *world) error {
	minute, often, err := w.workerFleet(ctx)
	if err != nil {
		return err
	}
	victim := w.of("worker")[0]
	if err := w.busy(ctx, victim); err != nil {
		return err
	}
	at := time.Now()
	took := victim.stop()
	w.most("the worker ended after", took, 15*time.Second)
	if err := sleep(ctx, 8*time.Second); err != nil {
		return err
	}
	until := time.Now().Add(-workerTimeout - 2*time.Second)
	t, err := w.settle(ctx, time.Minute)
	if err != nil || t == nil {
		return err
	}
	if n := t.missing(append(minute, often...), at.Add(-5*time.Second), until); n > 0 {
		w.find("SIGTERM lost %d slots", n)
	}
	w.onTime(t, append(minute, often...), at.Add(-5*time.Second), until)
	w.checkAll(t)
	return nil
}

// workersAway takes all workers away for a while.
func workersAway(ctx context.Context, w *world) error {
	away := w.bench.shortOr(40*time.Second, 5*time.Minute)
	if err := w.begin(ctx, fleet{apis: 1, schedulers: 1, workers: 2, notifiers: 1}); err != nil {
		return err
	}
	of, err := w.watch(ctx, monitors{n: 100, interval: 5 * time.Second, timeout: 2 * time.Second})
	if err != nil {
		return err
	}
	slow, err := w.watch(ctx, monitors{n: 300, interval: time.Minute, timeout: 5 * time.Second})
	if err != nil {
		return err
	}
	steady := float64(len(of))/5 + float64(len(slow))/60
	w.resumed(ctx, time.Now(), of, 30*time.Second)
	if err := sleep(ctx, 5*time.Second); err != nil {
		return err
	}
	from := time.Now()
	for _, p := range w.of("worker") {
		p.kill()
	}
	highest := 0.0
	for time.Since(from) < away {
		if n, err := w.of("api")[0].metric(ctx, `monitor_queue_jobs{state="ready"}`); err == nil {
			highest = max(highest, n)
		}
		if err := sleep(ctx, 500*time.Millisecond); err != nil {
			return err
		}
	}
	back := time.Now()
	for _, p := range w.of("worker") {
		if err := p.start(ctx); err != nil {
			return err
		}
	}
	w.faulted(from)
	w.note("away %.0f s, at most %.0f jobs waiting", away.Seconds(), highest)
	if expected := steady*away.Seconds() + float64(len(of)+len(slow)); highest > expected {
		w.find("%.0f jobs waited where at most %.0f were due", highest, expected)
	}
	w.most("resumed after", w.resumed(ctx, back, of, 30*time.Second), 15*time.Second)
	if err := sleep(ctx, 20*time.Second); err != nil {
		return err
	}
	w.checkBurst(steady, back)
	t, err := w.settle(ctx, time.Minute)
	if err != nil || t == nil {
		return err
	}
	for _, s := range w.subjects {
		if len(t.incidents[s.id]) > 0 {
			w.find("monitor %d has an incident though only the workers were away", s.id)
		}
	}
	w.checkAll(t)
	return nil
}

// checkBurst: no window of two seconds since back has more than twice the steady
// rate, with a margin for where windows are cut.
func (w *world) checkBurst(steady float64, back time.Time) {
	const window = 2 * time.Second
	worst := 0
	for at := back; at.Before(time.Now().Add(-window)); at = at.Add(window / 4) {
		n := 0
		for _, s := range w.subjects {
			n += len(w.farm.within(s.target, at, at.Add(window)))
		}
		worst = max(worst, n)
	}
	rate := float64(worst) / window.Seconds()
	w.note("at most %.1f checks/s on return, steady %.1f", rate, steady)
	if rate > 2*steady*1.15 {
		w.find("%.1f checks/s on return, which is over twice the steady %.1f", rate, steady)
	}
}
