package lock

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"monitor/modules/uptime"
)

// RetryEvery is how long a process waits before it campaigns again after a
// failure.
const RetryEvery = time.Second

// seat is the place of which there is one for all contenders.
type seat interface {
	// take waits until this contender has the seat, or ctx ends (an error).
	// lost is closed when it no longer has it for sure; nil: never.
	take(ctx context.Context) (lost <-chan struct{}, err error)
	// leave gives the seat back at once.
	leave()
}

// campaign lets the parts of one process lead together, whatever the seat is.
type campaign struct {
	seat   seat
	epochs uptime.Epochs
	log    *slog.Logger

	// gate is held by the one part that campaigns for all; a channel, so that
	// the others can stop waiting for it.
	gate chan struct{}

	mu     sync.Mutex
	term   *term // nil: not leading
	failed bool  // the last term ended by a failure
}

// term is one time of leading.
type term struct {
	epoch   int64
	ended   chan struct{} // closed when leadership has ended
	end     func()        // closes it, once
	members int
	over    chan struct{} // closed when the seat was given back
}

// newTerm begins a term with the part that won it, which it may outlive.
func newTerm(epoch int64) *term {
	ended := make(chan struct{})
	return &term{
		epoch: epoch, ended: ended, end: sync.OnceFunc(func() { close(ended) }),
		members: 1, over: make(chan struct{}),
	}
}

func (t *term) hasEnded() bool {
	select {
	case <-t.ended:
		return true
	default:
		return false
	}
}

func newCampaign(s seat, epochs uptime.Epochs, log *slog.Logger) *campaign {
	return &campaign{seat: s, epochs: epochs, log: log, gate: make(chan struct{}, 1)}
}

// lead implements uptime.Leader.
func (c *campaign) lead(ctx context.Context, follow func(ctx context.Context, epoch int64) error) error {
	for {
		t := c.enter(ctx)
		if t == nil {
			return nil
		}
		c.follow(ctx, t, follow)
	}
}

// follow runs one part through a term.
func (c *campaign) follow(ctx context.Context, t *term, follow func(context.Context, int64) error) {
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-t.ended:
			cancel()
		case <-own.Done():
		}
	})
	early := true // stays when follow panics
	defer func() { c.leave(t, early) }()
	err := follow(own, t.epoch)
	early = own.Err() == nil
	cancel()
	watch.Wait()
	switch {
	case err != nil && early:
		c.log.Warn("handing over leadership", "epoch", t.epoch, "error", err)
	case early:
		c.log.Warn("handing over leadership: a part returned", "epoch", t.epoch)
	case err != nil && !errors.Is(err, context.Canceled):
		c.log.Warn("a part failed while leadership ended", "epoch", t.epoch, "error", err)
	}
}

// enter joins the term that runs or wins a new one; nil when ctx ended.
func (c *campaign) enter(ctx context.Context) *term {
	select {
	case c.gate <- struct{}{}:
		defer func() { <-c.gate }()
	case <-ctx.Done():
		return nil
	}
	for ctx.Err() == nil {
		t, ending := c.join()
		if t != nil {
			return t
		}
		if ending != nil {
			select {
			case <-ending:
			case <-ctx.Done():
			}
			continue
		}
		if c.takeFailed() && !wait(ctx, RetryEvery) {
			return nil
		}
		if t := c.win(ctx); t != nil {
			return t
		}
	}
	return nil
}

// join enters the running term. Where one is ending, it gives the channel that is
// closed when it is over.
func (c *campaign) join() (t *term, ending <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.term == nil:
		return nil, nil
	case c.term.hasEnded():
		return nil, c.term.over
	}
	c.term.members++
	return c.term, nil
}

// takeFailed reports whether the last term failed, once.
func (c *campaign) takeFailed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	failed := c.failed
	c.failed = false
	return failed
}

// win waits for the seat and raises the epoch; nil: not now.
func (c *campaign) win(ctx context.Context) *term {
	lost, err := c.seat.take(ctx)
	if err != nil {
		if ctx.Err() == nil {
			c.log.Warn("cannot campaign for leadership", "error", err)
			wait(ctx, RetryEvery)
		}
		return nil
	}
	epoch, err := c.epochs.RaiseEpoch(ctx)
	if err != nil {
		c.seat.leave()
		if ctx.Err() == nil {
			c.log.Warn("won leadership without the database: not leading", "error", err)
			wait(ctx, RetryEvery)
		}
		return nil
	}
	select {
	case <-lost: // nil: never
		// Another may lead by now: this epoch would shut it out.
		c.seat.leave()
		c.log.Warn("lost leadership before it began", "epoch", epoch)
		return nil
	default:
	}
	t := newTerm(epoch)
	c.mu.Lock()
	c.term = t
	c.mu.Unlock()
	if lost != nil {
		go func() { // ends with the term, whose last member ends it
			select {
			case <-lost:
				c.log.Warn("leadership was lost", "epoch", epoch)
				t.end()
			case <-t.ended:
			}
		}()
	}
	c.log.Info("leading", "epoch", epoch)
	return t
}

// leave takes one part out of the term, and ends it for all after a failure. The
// last one gives the seat back.
func (c *campaign) leave(t *term, failed bool) {
	if !c.resign(t, failed) {
		return
	}
	// Outside of the mutex: a server may take a while to hear it. Meanwhile the
	// term has ended but is not over, so that nobody of us takes the seat.
	c.seat.leave()
	c.mu.Lock()
	c.term = nil
	c.mu.Unlock()
	close(t.over)
	c.log.Info("no longer leading", "epoch", t.epoch)
}

// resign counts one part out and says whether it was the last.
func (c *campaign) resign(t *term, failed bool) (last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.members--
	if failed {
		c.failed = true
		t.end()
	}
	if t.members > 0 {
		return false
	}
	t.end()
	return true
}

// leading gives the epoch of the term that runs.
func (c *campaign) leading() (epoch int64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.term == nil || c.term.hasEnded() {
		return 0, false
	}
	return c.term.epoch, true
}

// wait reports whether d passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
