package limit

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"

	"monitor/modules/redisconn"
	"monitor/modules/uptime"
)

const (
	// askTimeout bounds what a request waits for.
	askTimeout = 250 * time.Millisecond
	// askAgain is the wait after a question without an answer: an outage must not
	// cost every request askTimeout.
	askAgain = time.Second
)

// giveBack moves the theoretical arrival time that redis_rate keeps (seconds) one
// step back. A key that is gone has its whole allowance.
const giveBack = `
if redis.call("EXISTS", KEYS[1]) == 1 then
  redis.call("INCRBYFLOAT", KEYS[1], "-" .. ARGV[1])
end
return 1`

// RedisParams are what NewRedis needs; all are required.
type RedisParams struct {
	Conn *redisconn.Conn
	// Local counts this process's share, and decides alone while Redis is away.
	Local *Memory
	Log   *slog.Logger
}

// Redis limits the rates of all processes together, by redis_rate. It is safe for
// concurrent use.
//
// Every call is counted by Local too, so that an outage of Redis gives nobody a
// fresh allowance in the process that has let them through before. While it lasts
// each process counts for itself: with n processes, n times the rate at most. No
// call fails because Redis does.
type Redis struct {
	conn   *redisconn.Conn
	client redis.UniversalClient
	rates  *redis_rate.Limiter
	back   *redis.Script
	local  *Memory
	log    *slog.Logger

	mu    sync.Mutex
	askAt time.Time // after a question that had no answer
	alone bool      // the last question had no answer
}

var _ uptime.Limiter = (*Redis)(nil)

// NewRedis makes a limiter, which ends with the connection.
func NewRedis(p RedisParams) (*Redis, error) {
	if p.Conn == nil || p.Local == nil || p.Log == nil {
		return nil, errors.New("new redis limiter: a connection, a local limiter and a logger are required")
	}
	client := p.Conn.Client(redisconn.Purpose{Name: "limit", Size: 8, Timeout: askTimeout, Retries: -1})
	return &Redis{
		conn: p.Conn, client: client, rates: redis_rate.NewLimiter(client), back: redis.NewScript(giveBack),
		local: p.Local, log: p.Log,
	}, nil
}

// Allow takes one from the key's allowance.
func (r *Redis) Allow(ctx context.Context, key string, rate uptime.Rate) (uptime.LimitDecision, error) {
	here, err := r.local.Allow(ctx, key, rate)
	if err != nil || !r.mayAsk() {
		return here, err
	}
	bounded, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answer, err := r.rates.Allow(bounded, redisconn.LimitKey(key),
		redis_rate.Limit{Rate: rate.Limit, Burst: rate.Limit, Period: rate.Per})
	if ctx.Err() != nil {
		return uptime.LimitDecision{}, ctx.Err() // says nothing of Redis
	}
	r.note(err)
	if err != nil {
		return here, nil
	}
	d := uptime.LimitDecision{Allowed: answer.Allowed > 0, Limit: rate.Limit, ResetAfter: answer.ResetAfter}
	if d.Allowed {
		d.Remaining = remaining(d.ResetAfter, rate)
		return d, nil
	}
	d.RetryAfter = answer.RetryAfter
	if here.Allowed {
		err = r.local.GiveBack(ctx, key, rate)
	}
	return d, err
}

// remaining counts what is left of the allowance. redis_rate's own count is cut
// off from a float: a whole number just missed is one too few.
func remaining(resetAfter time.Duration, rate uptime.Rate) int {
	const inexact = time.Microsecond // of seconds since 2017 in a float64: 60 ns
	step := rate.Per / time.Duration(rate.Limit)
	return max(0, int((step*time.Duration(rate.Limit)-resetAfter+inexact)/step))
}

// GiveBack returns one to the key's allowance, which it does not exceed.
func (r *Redis) GiveBack(ctx context.Context, key string, rate uptime.Rate) error {
	if err := r.local.GiveBack(ctx, key, rate); err != nil || !r.mayAsk() {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	step := rate.Per.Seconds() / float64(rate.Limit)
	err := r.back.Run(bounded, r.client, []string{rateKey(key)}, step).Err()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.note(err)
	return nil
}

// rateKey is where redis_rate keeps the state of a key.
func rateKey(key string) string { return "rate:" + redisconn.LimitKey(key) }

// mayAsk reports whether asking Redis is of use.
func (r *Redis) mayAsk() bool {
	if s := r.conn.State(); s.Known && !s.Up {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.local.clock().Before(r.askAt)
}

// note takes in how a question went, and tells the log of a change.
func (r *Redis) note(err error) {
	r.mu.Lock()
	was := r.alone
	r.alone = err != nil
	if err != nil {
		r.askAt = r.local.clock().Add(askAgain)
	}
	r.mu.Unlock()
	switch {
	case err != nil && !was:
		r.log.Warn("rate limits are this process's own: redis does not answer", "error", err)
	case err == nil && was:
		r.log.Info("rate limits are shared again")
	}
}
