package lock

import (
	"context"
	"sync"
	"time"

	"github.com/go-redsync/redsync/v4"
)

// keeper extends a lease for as long as it is ours. lost is closed as soon as it
// can no longer be trusted: by the server's word, or because the last extension
// that was answered was sent too long ago. That is measured from before the
// sending, by the monotonic clock, so that neither a slow answer nor a clock that
// is set makes it longer.
type keeper struct {
	mutex *redsync.Mutex
	times durations
	lost  chan struct{}
	lose  func() // closes lost, once

	stop context.CancelFunc
	done sync.WaitGroup
}

// keep begins with the winning of the key, which was asked for at sent.
func keep(mutex *redsync.Mutex, sent time.Time, times durations) *keeper {
	ctx, cancel := context.WithCancel(context.Background())
	lost := make(chan struct{})
	k := &keeper{
		mutex: mutex, times: times, lost: lost, lose: sync.OnceFunc(func() { close(lost) }), stop: cancel,
	}
	k.done.Go(func() {
		defer k.lose()
		k.run(ctx, sent)
	})
	return k
}

// end stops extending and waits until no extension is under way.
func (k *keeper) end() {
	k.stop()
	k.done.Wait()
}

// run returns when the lease is lost or ctx ended.
func (k *keeper) run(ctx context.Context, good time.Time) {
	// The alarm rings while an extension hangs, and at once in a process that was
	// paused and wakes.
	alarm := time.AfterFunc(time.Until(good.Add(k.times.trust)), k.lose)
	defer alarm.Stop()
	next := good.Add(k.times.extend)
	for {
		timer := time.NewTimer(time.Until(next))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		case <-k.lost:
			timer.Stop()
			return
		}
		// Both before and after: an extension that a process sends when it wakes
		// from a long pause may succeed by luck, while another has led meanwhile.
		if time.Since(good) >= k.times.trust {
			return
		}
		sent := time.Now()
		err := k.extend(ctx, good.Add(k.times.trust))
		if time.Since(good) >= k.times.trust {
			return
		}
		switch {
		case err == nil:
			if !alarm.Stop() {
				return
			}
			good, next = sent, sent.Add(k.times.extend)
			alarm.Reset(time.Until(good.Add(k.times.trust)))
		case refused(err):
			return
		default: // no answer: the lease is ours until trust has run out
			next = sent.Add(k.times.repeat)
		}
	}
}

// extend asks for a fresh lease. Anything but an error of nil is a no.
func (k *keeper) extend(ctx context.Context, before time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, before)
	defer cancel()
	ok, err := k.mutex.ExtendContext(ctx)
	if err == nil && !ok {
		err = redsync.ErrFailed
	}
	return err
}
