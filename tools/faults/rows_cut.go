package main

import (
	"context"
	"net/http"
	"time"
)

const (
	cutTargets = 500
	badAnswers = 40
)

// workerCut cuts the only worker off from all of its targets and its canary. That
// is nobody's outage, and one alarm. Then targets that answer badly, all at once,
// are outages, each of them.
func workerCut(ctx context.Context, w *world) error {
	way, err := newPlug()
	if err != nil {
		return err
	}
	w.onClose(serve(way, w.farm))
	w.onClose(way.mend)
	if err := w.begin(ctx, fleet{apis: 1, schedulers: 1, workers: 1, notifiers: 1}, "MONITOR_WORKER_CANARIES="+way.host(0)); err != nil {
		return err
	}
	of, err := w.watch(ctx, monitors{n: cutTargets, interval: 5 * time.Second, timeout: time.Second, host: way.host})
	if err != nil {
		return err
	}
	w.resumed(ctx, time.Now(), of, 30*time.Second)
	if err := w.during(func() error {
		if err := way.cut(ctx); err != nil {
			return err
		}
		defer way.mend()
		return sleep(ctx, w.bench.shortOr(15*time.Second, time.Minute))
	}); err != nil {
		return err
	}
	w.most("checked again after", w.resumed(ctx, time.Now(), of, 30*time.Second), 10*time.Second)
	if _, err := w.eventually(ctx, 20*time.Second, "the end of the alarm is told", func() bool { return len(w.alarms()) == 2 }); err != nil {
		w.find("%v", err)
	}
	if err := w.cutIsNobodysOutage(ctx, of); err != nil {
		return err
	}
	bad := of[:badAnswers]
	w.farm.setAll(bad, http.StatusInternalServerError, 0)
	took, err := w.eventually(ctx, 30*time.Second, "all bad answers are told", func() bool { return w.toldOf("incident.opened", bad) == len(bad) })
	if err != nil {
		w.find("%d of %d bad answers at once were told", w.toldOf("incident.opened", bad), len(bad))
	}
	w.note("%d bad answers at once: all told after %.1f s", len(bad), took.Seconds())
	t, err := w.settle(ctx, time.Minute)
	if err != nil {
		return err
	}
	if n := len(w.alarms()); n != 2 {
		w.find("%d alarms were told", n)
	}
	w.checkAll(t)
	return nil
}

func (w *world) cutIsNobodysOutage(ctx context.Context, of []subject) error {
	t, err := w.read(ctx)
	if err != nil {
		return err
	}
	incidents, unknown := 0, 0
	for _, s := range of {
		incidents += len(t.incidents[s.id])
		for _, r := range t.results[s.id] {
			if r.status == codeUnknown {
				unknown++
			}
		}
	}
	w.note("cut off from %d targets: %d incidents, %d messages of the alarm and its end, %d results unknown", len(of), incidents, len(w.alarms()), unknown)
	if incidents > 0 {
		w.find("a cut of the worker's own network opened %d incidents (promise 4)", incidents)
	}
	if n := len(w.alarms()); n != 2 {
		w.find("%d alarms were told where one and its end are due", n)
	}
	return nil
}

// alarms are those that the webhook was told of.
func (w *world) alarms() []message {
	var all []message
	for _, m := range w.hook.taken() {
		if m.Type == "system.alarm" {
			all = append(all, m)
		}
	}
	return all
}
