package scheduler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"monitor/modules/uptime"
)

const (
	// pageSize is how many monitors one query reads.
	pageSize = 2000
	// manyNotices is when a read by change sequence is cheaper than one for
	// each monitor.
	manyNotices = 20
	// retryEvery is how long the reader waits after a failed read.
	retryEvery = time.Second
	// settled is how long before a read of everything a change must have been
	// made for its sequence number to be a safe mark: clocks differ.
	settled = time.Minute
)

// change is what the reader hands to the term.
type change struct {
	monitors   []uptime.Scheduled
	gone       int64 // a monitor that is not there at all
	begin, end bool  // of a re-read of everything
}

// reader finds out which monitors changed: by notice, by change sequence, by
// reading all. It hands over what it reads in the order in which it read it.
type reader struct {
	*Scheduler
	out     chan<- change
	notices <-chan uptime.Notice // nil: not subscribed
	// seq is the newest change read; from is where the next read begins: one
	// read back, so that a transaction that took its number early and
	// committed late is not passed over.
	seq, from int64
	full      bool        // a read of everything is wanted or failed
	deaf      bool        // the last subscription failed
	retry     *time.Timer // for what failed
}

func newReader(s *Scheduler, out chan<- change) *reader {
	return &reader{Scheduler: s, out: out}
}

// subscribe listens for notices. A bus that is away is tried again every
// retryEvery: notices are only a hint, but one that a person waits for.
func (r *reader) subscribe(ctx context.Context) {
	ch, err := r.Bus.Subscribe(ctx, uptime.TopicMonitor)
	if err != nil {
		if r.notices = nil; ctx.Err() == nil && !r.deaf {
			r.Log.Warn("cannot listen for changed monitors; reading them each refresh", "error", err)
		}
		r.deaf = true
		return
	}
	r.notices, r.deaf = ch, false
}

// listenAgain subscribes where that failed or ended, and then reads what changed
// meanwhile.
func (r *reader) listenAgain(ctx context.Context) error {
	if r.subscribe(ctx); r.notices == nil {
		return nil
	}
	return r.refresh(ctx)
}

// load reads all monitors.
func (r *reader) load(ctx context.Context, take func([]uptime.Scheduled)) error {
	began := r.Clock()
	var newest, safe int64
	for afterID := int64(0); ; {
		page, err := r.page(ctx, 0, afterID)
		if err != nil {
			return fmt.Errorf("read all monitors: %w", err)
		}
		for i := range page {
			m := &page[i]
			afterID = max(afterID, m.ID)
			newest = max(newest, m.ChangeSeq)
			if m.UpdatedAt.Before(began.Add(-settled)) {
				safe = max(safe, m.ChangeSeq)
			}
		}
		take(page)
		if len(page) < pageSize {
			break
		}
	}
	// What changed while this went on has a number above safe.
	r.seq, r.from = max(r.seq, newest), max(r.from, safe)
	return nil
}

func (r *reader) page(ctx context.Context, afterSeq, afterID int64) ([]uptime.Scheduled, error) {
	// Fresh: whoever gave notice has committed, a replica may not have it yet.
	ctx, cancel := context.WithTimeout(uptime.WithFresh(ctx), callTimeout)
	defer cancel()
	return r.Store.ScheduledMonitors(ctx, afterSeq, afterID, pageSize)
}

// run reads until ctx ends.
func (r *reader) run(ctx context.Context) {
	refresh, reread, listen := time.NewTicker(r.Config.Refresh), time.NewTicker(rereadEvery), time.NewTicker(retryEvery)
	r.retry = time.NewTimer(retryEvery)
	r.retry.Stop()
	defer refresh.Stop()
	defer reread.Stop()
	defer listen.Stop()
	defer r.retry.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case n, ok := <-r.notices:
			err = r.hear(ctx, n, ok)
		case <-r.retry.C:
			err = r.refresh(ctx)
		case <-listen.C:
			if r.notices == nil {
				err = r.listenAgain(ctx)
			}
		case <-refresh.C:
			err = r.refresh(ctx)
		case <-reread.C:
			r.full = true
			err = r.refresh(ctx)
		}
		if err != nil && ctx.Err() == nil {
			r.retry.Reset(retryEvery)
			r.count(func(s *Stats) { s.RefreshErrors++ })
			r.Log.Warn("cannot read changed monitors; trying again", "error", err)
		}
	}
}

// hear reads what a notice, and those that wait behind it, speak of.
func (r *reader) hear(ctx context.Context, n uptime.Notice, ok bool) error {
	ids, all := map[int64]bool{}, false
	for {
		switch {
		case !ok:
			r.notices = nil
			return r.refresh(ctx)
		case n.Topic == "":
			all = true
		default:
			ids[n.ID] = true
		}
		select {
		case n, ok = <-r.notices:
			continue
		default:
		}
		break
	}
	if all || len(ids) > manyNotices {
		return r.refresh(ctx)
	}
	for id := range ids {
		if err := r.readOne(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) readOne(ctx context.Context, id int64) error {
	own, cancel := context.WithTimeout(uptime.WithFresh(ctx), callTimeout)
	defer cancel()
	m, err := r.Store.ScheduledMonitor(own, id)
	if errors.Is(err, uptime.ErrNotFound) {
		return r.hand(ctx, change{gone: id})
	}
	if err != nil {
		return fmt.Errorf("read monitor %d: %w", id, err)
	}
	return r.hand(ctx, change{monitors: []uptime.Scheduled{m}})
}

// refresh reads what changed since the read before the last one, or everything
// where that is wanted.
func (r *reader) refresh(ctx context.Context) error {
	if r.full || r.from == 0 { // 0 is no number to start from
		return r.reread(ctx)
	}
	began := r.Clock()
	after := r.from
	for {
		page, err := r.page(ctx, after, 0)
		if err != nil {
			return fmt.Errorf("read monitors changed after %d: %w", after, err)
		}
		if len(page) > 0 {
			after = page[len(page)-1].ChangeSeq
			if err := r.hand(ctx, change{monitors: page}); err != nil {
				return err
			}
		}
		if len(page) < pageSize {
			break
		}
	}
	r.from, r.seq = max(r.from, r.seq), max(r.seq, after)
	r.done(began)
	return nil
}

// reread reads all monitors, so that those which are not there leave.
func (r *reader) reread(ctx context.Context) error {
	began := r.Clock()
	r.full = true // until it is done
	if err := r.hand(ctx, change{begin: true}); err != nil {
		return err
	}
	var failed error
	err := r.load(ctx, func(page []uptime.Scheduled) {
		if failed == nil {
			failed = r.hand(ctx, change{monitors: page})
		}
		if failed == nil {
			failed = r.hearBetween(ctx)
		}
	})
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	r.full = false
	r.done(began)
	return r.hand(ctx, change{end: true})
}

// hearBetween reads one by one what was announced while pages are read, so that
// a change does not wait for all of them.
func (r *reader) hearBetween(ctx context.Context) error {
	for range manyNotices {
		select {
		case n, ok := <-r.notices:
			if !ok || n.Topic == "" {
				r.retry.Reset(retryEvery) // for a refresh
				return nil
			}
			if err := r.readOne(ctx, n.ID); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	r.retry.Reset(retryEvery)
	return nil
}

func (r *reader) done(began time.Time) {
	r.count(func(s *Stats) {
		s.Refreshes++
		s.LastRefresh = r.Clock().Sub(began)
	})
}

func (r *reader) hand(ctx context.Context, c change) error {
	select {
	case r.out <- c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
