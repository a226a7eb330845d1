package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// watcher reads states all the time and finds fault with one that moves back.
type watcher struct {
	cancel context.CancelFunc
	done   chan struct{}
}

const watchEvery = 250 * time.Millisecond

func (w *world) watchStates(ctx context.Context) (*watcher, error) {
	ctx, cancel := context.WithCancel(ctx)
	watch := &watcher{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(watch.done)
		newest := map[int64]int64{}
		for sleep(ctx, watchEvery) == nil {
			w.lookAtStates(ctx, newest) // PostgreSQL may be away
		}
	}()
	return watch, nil
}

func (c *watcher) close() {
	c.cancel()
	<-c.done
}

// lookAtStates reads them once; while PostgreSQL is away there is nothing to see.
func (w *world) lookAtStates(ctx context.Context, newest map[int64]int64) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, w.postgres.PostgresURL("monitor"))
	if err != nil {
		return
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	rows, err := conn.Query(ctx, `SELECT monitor_id, last_slot FROM monitor_states WHERE last_slot IS NOT NULL`)
	if err != nil {
		return
	}
	var id, slot int64
	_, _ = pgx.ForEachRow(rows, []any{&id, &slot}, func() error { // what was read before an error counts
		if slot < newest[id] {
			w.find("monitor %d: the state moved back from slot %s to %s", id, instant(newest[id]).Format("15:04:05.000"), instant(slot).Format("15:04:05.000"))
		}
		newest[id] = max(newest[id], slot)
		return nil
	})
}
