package main

import (
	"context"
	"time"
)

// apiLoad is the load under which the rows of the API run.
const apiLoad = 100 // requests a second

// apiFleet runs two processes of the API, and checks beside them.
func (w *world) apiFleet(ctx context.Context) error {
	if err := w.begin(ctx, fleet{apis: 2, schedulers: 1, workers: 1, notifiers: 1}); err != nil {
		return err
	}
	_, err := w.watch(ctx, monitors{n: 20, interval: time.Second, timeout: time.Second})
	return err
}

// apiRounds ends the two processes by turns under load and starts them again.
func (w *world) apiRounds(ctx context.Context, l *load, end func(*process)) error {
	rounds := 2
	if w.bench.long {
		rounds = 6
	}
	for i := range rounds {
		victim := l.apis[i%len(l.apis)]
		if err := sleep(ctx, 2*time.Second+time.Duration(w.random.IntN(1000))*time.Millisecond); err != nil {
			return err
		}
		end(victim)
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
		if err := victim.start(ctx); err != nil {
			return err
		}
	}
	return sleep(ctx, 2*time.Second)
}

func (w *world) apiEnds(ctx context.Context, end func(*process)) (*load, error) {
	if err := w.apiFleet(ctx); err != nil {
		return nil, err
	}
	l := w.loading(ctx, apiLoad, w.of("api"))
	err := w.apiRounds(ctx, l, end)
	l.stop()
	if err != nil {
		return nil, err
	}
	if err := l.checkWrites(ctx); err != nil {
		return nil, err
	}
	t, err := w.settle(ctx, time.Minute)
	if err == nil {
		w.checkAll(t)
	}
	return l, err
}

func apiKilled(ctx context.Context, w *world) error {
	_, err := w.apiEnds(ctx, func(p *process) { w.killed(p) })
	return err
}

// apiStopped asks the processes to end: no client notices.
func apiStopped(ctx context.Context, w *world) error {
	l, err := w.apiEnds(ctx, func(p *process) { w.say("%s ended after %.1f s", p.name, p.stop().Seconds()) })
	if err != nil {
		return err
	}
	if l.broken+l.refused+l.unkind > 0 {
		w.find("on SIGTERM %d requests were broken off, %d not taken, %d refused; first: %s", l.broken, l.refused, l.unkind, l.first)
	}
	return nil
}
