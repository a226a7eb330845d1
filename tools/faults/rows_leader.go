package main

import (
	"context"
	"slices"
	"time"
)

// leaderFleet is what the leader's rows run on, and what they watch: targets each
// second, which show when slots come again, and each minute, of which none may
// be missed.
func (w *world) leaderFleet(ctx context.Context) (quick, slow []subject, err error) {
	if err := w.begin(ctx, fleet{apis: 1, schedulers: 2, workers: 2, notifiers: 1}); err != nil {
		return nil, nil, err
	}
	if quick, err = w.watch(ctx, monitors{n: 20, interval: time.Second, timeout: time.Second}); err != nil {
		return nil, nil, err
	}
	if slow, err = w.watch(ctx, monitors{n: 120, interval: time.Minute, timeout: 10 * time.Second}); err != nil {
		return nil, nil, err
	}
	w.resumed(ctx, time.Now(), quick, 20*time.Second)
	return quick, slow, sleep(ctx, 4*time.Second)
}

// firstNewSlot is how long after a moment the first check of a slot that the next
// leader published began: the end of the longest silence since. A silence below
// a second is none.
func (t *truth) firstNewSlot(of []subject, from time.Time) time.Duration {
	var starts []time.Time
	for _, s := range of {
		for _, r := range t.results[s.id] {
			if r.attempt == 1 && r.started.After(from) {
				starts = append(starts, r.started)
			}
		}
	}
	slices.SortFunc(starts, time.Time.Compare)
	longest, last := time.Second, from
	var end time.Time
	for _, at := range starts {
		if silence := at.Sub(last); silence > longest {
			longest, end = silence, at
		}
		last = at
	}
	if end.IsZero() {
		return 0
	}
	return end.Sub(from)
}

// missing counts the slots due since from and until to that have no result.
func (t *truth) missing(of []subject, from, to time.Time) int {
	n := 0
	for _, s := range of {
		for _, sch := range t.schedules[s.id] {
			for _, at := range sch.slots(s.id, to) {
				if at.After(from) && !slices.ContainsFunc(t.results[s.id], func(r result) bool { return r.slot.Equal(at) }) {
					n++
				}
			}
		}
	}
	return n
}

// leaderEnds judges what followed the end of a leader.
func (w *world) leaderEnds(ctx context.Context, quick, slow []subject, at time.Time, bound time.Duration) error {
	if err := sleep(ctx, bound+8*time.Second); err != nil {
		return err
	}
	until := time.Now().Add(-5 * time.Second)
	t, err := w.settle(ctx, time.Minute)
	if err != nil {
		return err
	}
	if t == nil {
		return nil
	}
	w.most("first new slot after", t.firstNewSlot(quick, at), bound)
	if n := t.missing(slow, at.Add(-10*time.Second), until); n > 0 {
		w.find("%d slots of targets checked each minute have no result", n)
	}
	w.checkAll(t)
	return nil
}

func leaderKilled(ctx context.Context, w *world) error {
	quick, slow, err := w.leaderFleet(ctx)
	if err != nil {
		return err
	}
	leader, err := w.leader(ctx)
	if err != nil {
		return err
	}
	at := w.killed(leader)
	return w.leaderEnds(ctx, quick, slow, at, 15*time.Second)
}

func leaderStopped(ctx context.Context, w *world) error {
	quick, slow, err := w.leaderFleet(ctx)
	if err != nil {
		return err
	}
	leader, err := w.leader(ctx)
	if err != nil {
		return err
	}
	at := time.Now()
	w.note("the leader ended after %.1f s", leader.stop().Seconds())
	w.faulted(at)
	return w.leaderEnds(ctx, quick, slow, at, 2*time.Second)
}

// leaderPaused stops the leader for three leases, while another takes over, and
// wakes it.
func leaderPaused(ctx context.Context, w *world) error {
	const leases = 30 * time.Second
	quick, slow, err := w.leaderFleet(ctx)
	if err != nil {
		return err
	}
	old, err := w.leader(ctx)
	if err != nil {
		return err
	}
	const published = "monitor_scheduler_published_total"
	// It is paused just after a tick, so that nothing is published between the
	// reading and the pause.
	ticked, err := old.metric(ctx, published)
	if err != nil {
		return err
	}
	before := ticked
	if _, err := w.eventually(ctx, 10*time.Second, "the leader publishes", func() bool {
		before, err = old.metric(ctx, published)
		return err == nil && before > ticked
	}); err != nil {
		return err
	}
	at := time.Now()
	old.pause(true)
	if err := sleep(ctx, leases); err != nil {
		return err
	}
	if _, err := w.leader(ctx, old); err != nil {
		w.find("no other scheduler led while the leader was paused: %v", err)
	}
	woken := time.Now()
	old.pause(false)
	w.faulted(at)
	var leads float64
	_, err = w.eventually(ctx, 10*time.Second, "the woken leader steps down", func() bool {
		leads, err = old.metric(ctx, "monitor_scheduler_leading")
		return err == nil && leads == 0
	})
	if err != nil {
		w.find("%v", err)
	}
	w.most("stepped down after", time.Since(woken), time.Second)
	if err := sleep(ctx, 3*time.Second); err != nil {
		return err
	}
	after, err := old.metric(ctx, published)
	if err != nil {
		return err
	}
	w.note("%.0f jobs published by the woken one", after-before)
	if after > before {
		w.find("the woken leader published %.0f jobs", after-before)
	}
	return w.leaderEnds(ctx, quick, slow, at, 15*time.Second)
}
