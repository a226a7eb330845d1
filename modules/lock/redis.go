package lock

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/go-redsync/redsync/v4"
	"github.com/go-redsync/redsync/v4/redis/goredis/v9"

	"monitor/modules/redisconn"
	"monitor/modules/uptime"
)

// RedisParams are what NewRedis needs; all are required.
type RedisParams struct {
	Conn   *redisconn.Conn
	Epochs uptime.Epochs
	Log    *slog.Logger
}

// Redis is the leadership of one process among those that share a Redis. It is
// safe for concurrent use.
type Redis struct{ campaign *campaign }

var _ uptime.Leader = (*Redis)(nil)

// NewRedis makes a contender. It connects when it first campaigns, and holds
// nothing that must be closed: who leads ends the context of Lead.
func NewRedis(p RedisParams) (*Redis, error) { return newRedis(p, lasting()) }

func newRedis(p RedisParams, times durations) (*Redis, error) {
	if p.Conn == nil || p.Epochs == nil || p.Log == nil {
		return nil, errors.New("new redis lock: a connection, epochs and a logger are required")
	}
	client := p.Conn.Client(redisconn.Purpose{Name: "lock", Size: 2, Timeout: times.attempt})
	seat := &lease{sync: redsync.New(goredis.NewPool(client)), times: times, log: p.Log}
	return &Redis{campaign: newCampaign(seat, p.Epochs, p.Log)}, nil
}

// Lead campaigns until ctx ends; see uptime.Leader.
func (r *Redis) Lead(ctx context.Context, follow func(ctx context.Context, epoch int64) error) error {
	return r.campaign.lead(ctx, follow)
}

// Leading gives the epoch under which this process leads, if it does.
func (r *Redis) Leading() (epoch int64, ok bool) { return r.campaign.leading() }

// durations of a lease. trust + attempt must stay below length: while one process
// still trusts, no other may win.
type durations struct {
	length  time.Duration // of the lease on the server
	extend  time.Duration // from one extension to the next
	trust   time.Duration // from the sending of the last good extension
	again   time.Duration // from a standby's try to its next
	repeat  time.Duration // from an extension without an answer to the next
	attempt time.Duration // how long one call may take
}

func lasting() durations {
	return durations{
		length: 10 * time.Second, extend: 3 * time.Second, trust: 7 * time.Second,
		again: time.Second, repeat: 500 * time.Millisecond, attempt: time.Second,
	}
}

// lease is a seat that is a key on the server, which goes by itself when nobody
// extends it.
type lease struct {
	sync  *redsync.Redsync
	times durations
	log   *slog.Logger

	mu     sync.Mutex
	keeper *keeper        // of the seat that is ours
	owed   *redsync.Mutex // may be ours on the server, but not held
	away   bool           // the last try had no answer
}

// take tries until it has the key.
func (l *lease) take(ctx context.Context) (<-chan struct{}, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		// The call itself is not cut short by ctx: a key set by a call whose answer
		// nobody read would keep everybody out for its whole length.
		if k := l.try(context.WithoutCancel(ctx)); k != nil {
			l.mu.Lock()
			l.keeper = k
			l.mu.Unlock()
			return k.lost, nil
		}
		if !wait(ctx, l.times.again) {
			return nil, ctx.Err()
		}
	}
}

// try asks for the key once; nil: not ours.
func (l *lease) try(ctx context.Context) *keeper {
	if err := l.payBack(ctx); err != nil {
		l.note(err)
		return nil
	}
	value := rand.Text()
	mutex := l.sync.NewMutex(redisconn.LockKey(), redsync.WithTries(1), redsync.WithExpiry(l.times.length),
		redsync.WithTimeoutFactor(l.times.attempt.Seconds()/l.times.length.Seconds()),
		redsync.WithValue(value), redsync.WithGenValueFunc(func() (string, error) { return value, nil }))
	sent := time.Now()
	err := mutex.LockContext(ctx)
	l.note(err)
	switch {
	case err == nil:
		return keep(mutex, sent, l.times) //nolint:contextcheck // it lasts as long as the lease, not as the try
	case !refused(err):
		l.owe(mutex)
	}
	return nil
}

// note tells the log when the server stops or begins to answer, once.
func (l *lease) note(err error) {
	away := err != nil && !refused(err)
	l.mu.Lock()
	was := l.away
	l.away = away
	l.mu.Unlock()
	switch {
	case away && !was:
		l.log.Warn("cannot campaign for leadership: redis does not answer", "error", err)
	case was && !away:
		l.log.Info("campaigning for leadership again")
	}
}

// refused reports whether the server answered, and the answer was no. An error
// without an answer may have done what it was to do.
func refused(err error) bool {
	var taken *redsync.ErrTaken
	return errors.As(err, &taken) || errors.Is(err, redsync.ErrFailed) || errors.Is(err, redsync.ErrLockAlreadyExpired)
}

// leave gives the key back at once, whatever has ended.
func (l *lease) leave() {
	l.mu.Lock()
	k := l.keeper
	l.keeper = nil
	l.mu.Unlock()
	if k == nil {
		return
	}
	k.end()
	l.owe(k.mutex)
	_ = l.payBack(context.Background()) // again before the next try
}

func (l *lease) owe(mutex *redsync.Mutex) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.owed = mutex
}

// payBack gives back a key that may be ours but that we do not hold. Where the
// server does not hear it, it is told before the next try: it may keep the key
// over a restart, whose whole length would be waited for.
func (l *lease) payBack(ctx context.Context) error {
	l.mu.Lock()
	owed := l.owed
	l.mu.Unlock()
	if owed == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, l.times.attempt)
	defer cancel()
	if _, err := owed.UnlockContext(ctx); err != nil && !refused(err) {
		return err
	}
	l.owe(nil)
	return nil
}
