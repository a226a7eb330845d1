package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"monitor/modules/redisconn"
	"monitor/modules/uptime"
)

const (
	// recentTimeout bounds what a request waits for.
	recentTimeout = 250 * time.Millisecond
	// askEvery is the least time between two questions while none is answered.
	askEvery = time.Second
	// noteAgain is the wait before a note is tried again.
	noteAgain = 250 * time.Millisecond
)

// recent is uptime.Recent on Redis: see doc.go.
type recent struct {
	conn   *redisconn.Conn
	client redis.UniversalClient
	now    uptime.Clock
	log    *slog.Logger
	own    notes // made here

	mu sync.Mutex
	// blindUntil: nobody can tell before that.
	blindUntil time.Time
	askAt      time.Time // while blind
	answers    bool      // the last question was answered
	life       string    // the mark of the data that was last seen
	waiting    map[string]time.Time
	noting     bool // a goroutine works on waiting

	closing chan struct{}
	close   sync.Once
	done    sync.WaitGroup
}

func (r *recent) begin(p RedisParams) {
	r.conn, r.now, r.log = p.Conn, p.Clock, p.Log
	r.client = p.Conn.Client(redisconn.Purpose{Name: "recent", Size: 8, Timeout: recentTimeout})
	r.answers, r.waiting, r.closing = true, map[string]time.Time{}, make(chan struct{})
}

// Wrote notes a write, for at most 250 ms; a note that could not be made is tried
// again until it is too old to matter.
func (r *recent) Wrote(ctx context.Context, who string) {
	now := r.now()
	r.own.add(who, now)
	if !r.away() {
		// Who wrote may be gone; the write is there.
		err := r.note(context.WithoutCancel(ctx), who)
		if err == nil {
			return
		}
		r.failed(ctx, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting[who] = now.Add(uptime.RecentFor)
	select {
	case <-r.closing:
		return
	default:
	}
	if !r.noting {
		r.noting = true
		r.done.Go(r.noteWaiting)
	}
}

// away reports what the connection knows: no use in asking.
func (r *recent) away() bool {
	s := r.conn.State()
	return s.Known && !s.Up
}

func (r *recent) note(ctx context.Context, who string) error {
	ctx, cancel := context.WithTimeout(ctx, recentTimeout)
	defer cancel()
	return r.client.Set(ctx, redisconn.RecentKey(who), 1, uptime.RecentFor).Err()
}

// noteWaiting tries until nothing waits or Close is called.
func (r *recent) noteWaiting() {
	timer := time.NewTimer(noteAgain)
	defer timer.Stop()
	for {
		select {
		case <-r.closing:
			return
		case <-timer.C:
		}
		for _, who := range r.toNote() {
			if err := r.note(context.Background(), who); err != nil {
				break
			}
			r.mu.Lock()
			delete(r.waiting, who)
			r.mu.Unlock()
		}
		if r.nothingWaits() {
			return
		}
		timer.Reset(noteAgain)
	}
}

// toNote drops what is too old and gives the rest.
func (r *recent) toNote() []string {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for who, until := range r.waiting {
		if now.After(until) {
			delete(r.waiting, who)
			continue
		}
		out = append(out, who)
	}
	return out
}

func (r *recent) nothingWaits() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.noting = len(r.waiting) > 0
	return !r.noting
}

// DidWrite reports a write of the last uptime.RecentFor, after at most 250 ms;
// true where it cannot tell.
func (r *recent) DidWrite(ctx context.Context, who string) bool {
	now := r.now()
	if r.own.has(who, now) || ctx.Err() != nil || !r.mayAsk(now) {
		return true
	}
	wrote, life, err := r.ask(ctx, who)
	switch {
	case err != nil && ctx.Err() != nil:
		return true // who asked is gone: that says nothing of Redis
	case err != nil:
		r.failed(ctx, err)
		return true
	}
	return r.answered(life, now) || wrote
}

// mayAsk reports whether asking is of use, and takes the turn where only one a
// second does.
func (r *recent) mayAsk(now time.Time) bool {
	state := r.conn.State()
	r.mu.Lock()
	defer r.mu.Unlock()
	if state.Known {
		// Notes that could not be made while it was away are made after that.
		r.blindUntil = later(r.blindUntil, state.Since.Add(uptime.RecentFor))
		if !state.Up {
			r.blindUntil = later(r.blindUntil, now.Add(uptime.RecentFor))
			return false
		}
	}
	if !now.Before(r.blindUntil) {
		return true
	}
	if now.Before(r.askAt) {
		return false
	}
	r.askAt = now.Add(askEvery)
	return true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// ask reads the note and the mark of the data. Where there is no mark it sets
// one; life is "" where another process was faster.
func (r *recent) ask(ctx context.Context, who string) (wrote bool, life string, err error) {
	ctx, cancel := context.WithTimeout(ctx, recentTimeout)
	defer cancel()
	mark := redisconn.RecentKey("")
	pipe := r.client.Pipeline()
	noted, living := pipe.Exists(ctx, redisconn.RecentKey(who)), pipe.Get(ctx, mark)
	if _, err = pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return false, "", err
	}
	if errors.Is(living.Err(), redis.Nil) {
		life = rand.Text()
		set, err := r.client.SetNX(ctx, mark, life, 0).Result()
		if !set {
			life = ""
		}
		return true, life, err
	}
	return noted.Val() > 0, living.Val(), errors.Join(noted.Err(), living.Err())
}

// answered takes in what the data's mark says and reports whether nobody can
// tell all the same.
func (r *recent) answered(life string, now time.Time) (blind bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers = true
	if life == "" || r.life != life { // the first time, too: what was before is not known
		r.blindUntil = later(r.blindUntil, now.Add(uptime.RecentFor))
	}
	r.life = life
	return now.Before(r.blindUntil)
}

// failed makes everybody one who wrote. The second beyond RecentFor is what may
// lie between the last failure and the end of the outage.
func (r *recent) failed(ctx context.Context, err error) {
	now := r.now()
	r.mu.Lock()
	first := r.answers
	r.answers = false
	r.blindUntil = later(r.blindUntil, now.Add(uptime.RecentFor+askEvery))
	r.askAt = now.Add(askEvery)
	r.mu.Unlock()
	if first {
		r.log.WarnContext(ctx, "cannot tell who wrote: everybody reads the primary", "error", err)
	}
}

// Close ends the tries to make notes. It may be called more than once.
func (r *recent) Close() error {
	r.close.Do(func() {
		r.mu.Lock()
		close(r.closing)
		r.mu.Unlock()
	})
	r.done.Wait()
	return nil
}
