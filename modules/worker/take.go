package worker

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"

	"monitor/modules/uptime"
)

// take asks the queue for jobs as long as there is room for them, until ctx
// ends. What it has taken it always hands on.
func (w *Worker) take(ctx context.Context, arrived chan<- []uptime.Lease) {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = 100*time.Millisecond, 2*time.Second
	away := false
	var load load
	for {
		n := w.waitForRoom(ctx, &load)
		if n == 0 {
			return
		}
		leases, err := w.Queue.Take(ctx, w.config.Region, n)
		if len(leases) > 0 {
			w.count.held.Add(int64(len(leases)))
			w.leases.add(time.Now(), leases)
			arrived <- leases
		}
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			if away {
				w.Log.InfoContext(ctx, "jobs come again")
			}
			away = false
			retry.Reset()
			continue
		case !away:
			w.Log.WarnContext(ctx, "jobs cannot be taken", "error", err)
		}
		away = true
		if !wait(ctx, retry.NextBackOff()) {
			return
		}
	}
}

// wait reports false when ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// load estimates how many checks end in a second.
type load struct {
	rate float64
	done int64
	at   time.Time
}

func (l *load) update(done int64, now time.Time) {
	if l.at.IsZero() {
		l.at, l.done = now, done
	}
	passed := now.Sub(l.at).Seconds()
	if passed < 1 {
		return
	}
	l.rate = max(float64(done-l.done)/passed, l.rate/2)
	l.at, l.done = now, done
}

// waitForRoom gives how many jobs may be taken, 0 when ctx ended. Beside the
// checks in flight jobs are held for slots to come: as many as this worker ends
// in that time, and no more, for what it could not run in time another one may.
func (w *Worker) waitForRoom(ctx context.Context, l *load) int {
	for {
		if ctx.Err() != nil {
			return 0
		}
		l.update(w.count.done(), time.Now())
		ahead := max(w.config.Concurrency, int(1.25*l.rate*uptime.TakeAhead.Seconds()))
		free := w.config.Concurrency + ahead - int(w.count.held.Load())
		// Taking a few at a time would cost a call for each.
		if w.count.backlog.Load() == 0 && free >= max(w.config.Concurrency/4, 1) {
			return free
		}
		select {
		case <-ctx.Done():
			return 0
		case <-w.room:
		}
	}
}
