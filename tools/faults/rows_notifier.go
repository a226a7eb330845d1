package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// notifierKilled kills the notifier at a point, each round at another event of
// fifty, and starts it again.
func notifierKilled(point string) func(context.Context, *world) error {
	return func(ctx context.Context, w *world) error {
		rounds := 2
		if w.bench.long {
			rounds = 5
		}
		if err := w.begin(ctx, fleet{apis: 1, schedulers: 1, workers: 1}); err != nil {
			return err
		}
		of, err := w.watch(ctx, monitors{n: 50, interval: time.Second, timeout: time.Second})
		if err != nil {
			return err
		}
		p, err := w.process(ctx, "notifier-1", "notifier")
		if err != nil {
			return err
		}
		w.resumed(ctx, time.Now(), of, 30*time.Second)
		most := 0
		for i := range rounds {
			n, err := w.killRound(ctx, p, point, of, i)
			if err != nil {
				return err
			}
			most = max(most, n)
		}
		w.note("%d kills, at most %d repeats for one", rounds, most)
		if err := p.start(ctx); err != nil { // for what ends with the last outage
			return err
		}
		t, err := w.settle(ctx, time.Minute)
		if err != nil {
			return err
		}
		w.checkAll(t)
		return nil
	}
}

// killRound makes fifty events, beginnings or ends of outages by turns, while a
// notifier is to die at one of them, and gives how many messages came twice.
func (w *world) killRound(ctx context.Context, p *process, point string, of []subject, round int) (int, error) {
	status := http.StatusInternalServerError
	if round%2 == 1 {
		status = http.StatusOK
	}
	hit := 1 + w.random.IntN(len(of)-5)
	p.points = fmt.Sprintf("%s=kill@%d", point, hit)
	if err := p.start(ctx); err != nil {
		return 0, err
	}
	before := len(w.hook.taken())
	w.farm.setAll(of, status, 0)
	from := time.Now()
	select {
	case <-p.done():
	case <-time.After(20 * time.Second):
		w.find("round %d: the notifier did not come to %s the %dth time", round+1, point, hit)
		p.kill()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if !p.killed() {
		w.find("round %d: the notifier ended by itself", round+1)
	}
	at := time.Now()
	p.points = ""
	if err := p.start(ctx); err != nil {
		return 0, err
	}
	// What it had claimed is free when its lease ends.
	_, err := w.eventually(ctx, 40*time.Second, "all events are told", func() bool {
		return len(ids(w.hook.taken()[before:])) >= len(of)
	})
	if err != nil {
		w.find("round %d: %d of %d events were told after a kill at %s (promise 2)", round+1, len(ids(w.hook.taken()[before:])), len(of), point)
	}
	// All is committed before the next round, or its events would be merged.
	if _, err := w.eventually(ctx, 20*time.Second, "nothing is pending", func() bool { return w.allFinished(ctx) }); err != nil {
		w.find("round %d: %v", round+1, err)
	}
	w.faulted(from)
	p.stop()
	repeats := 0
	for id, n := range ids(w.hook.taken()[before:]) {
		repeats += n - 1
		if n > 2 {
			w.find("round %d: %s came %d times after one kill", round+1, id, n)
		}
	}
	w.say("round %d: killed at hit %d, all told %.1f s later, %d repeats", round+1, hit, time.Since(at).Seconds(), repeats)
	// A channel has up to four messages on their way at once: all of those may
	// have been sent, and none be committed.
	if repeats > channelShare {
		w.find("round %d: %d messages came twice after one kill", round+1, repeats)
	}
	return repeats, nil
}

// channelShare is how many messages a notifier sends to one channel at once.
const channelShare = 4

func (w *world) allFinished(ctx context.Context) bool {
	t, err := w.read(ctx)
	if err != nil {
		return false
	}
	for _, d := range t.deliveries {
		if d.status == "pending" || d.status == "sending" {
			return false
		}
	}
	return true
}
