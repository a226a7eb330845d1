package app

import (
	"context"
	"os"
	"slices"
	"strconv"
	"time"

	"monitor/modules/auth"
	"monitor/modules/bus"
	"monitor/modules/fleet"
	"monitor/modules/limit"
	"monitor/modules/lock"
	"monitor/modules/queue"
	"monitor/modules/redisconn"
	"monitor/modules/uptime"
)

// clockTolerance is how far off the queue's clock this machine's may be before
// it is corrected by the difference.
const clockTolerance = 2 * time.Second

// What processes share, in memory where one runs alone or else on Redis.
type (
	sharedQueue interface {
		uptime.JobQueue
		uptime.SlotPublisher
		Stats() queue.Stats
	}
	sharedLead interface {
		uptime.Leader
		Leading() (epoch int64, ok bool)
	}
	sharedFleet interface {
		uptime.Recent
		Report(ctx context.Context, m fleet.Member) error
		Members(ctx context.Context) ([]fleet.Member, error)
		Leave(ctx context.Context, id string) error
	}
)

// dialRedis reads redis.url. Nothing is connected yet: a Redis that is away at
// start is a degraded start.
func (p *process) dialRedis() error {
	if p.cfg.Redis.URL == "" {
		return nil
	}
	var err error
	p.redis, err = redisconn.Open(redisconn.Params{
		URL: p.cfg.Redis.URL.Reveal(), Name: "monitor", Log: p.log, Clock: p.app.Clock,
	})
	if err != nil {
		return exitError{exitUsage, err}
	}
	p.onClose("connections to redis", p.redis.Close)
	p.clock = p.redis.Clock(clockTolerance)
	return nil
}

// share opens queue, lock, bus, limits and fleet.
func (p *process) share() error {
	p.member = memberName()
	if p.redis == nil {
		return p.shareInMemory()
	}
	q, err := queue.NewRedis(queue.RedisParams{Conn: p.redis, Consumer: p.member, Log: p.log})
	if err != nil {
		return err
	}
	p.onClose("queue", q.Close)
	b, err := bus.NewRedis(bus.RedisParams{Conn: p.redis, Log: p.log})
	if err != nil {
		return err
	}
	p.onClose("bus", b.Close)
	l, err := lock.NewRedis(lock.RedisParams{Conn: p.redis, Epochs: p.store, Log: p.log})
	if err != nil {
		return err
	}
	local := limit.NewMemory(p.app.Clock, limit.DefaultKeys)
	r, err := limit.NewRedis(limit.RedisParams{Conn: p.redis, Local: local, Log: p.log})
	if err != nil {
		return err
	}
	f, err := fleet.NewRedis(fleet.RedisParams{Conn: p.redis, Clock: p.app.Clock, Log: p.log})
	if err != nil {
		return err
	}
	p.onClose("fleet", f.Close)
	p.queue, p.bus, p.leader, p.limiter, p.fleet = q, b, l, r, f
	return nil
}

func (p *process) shareInMemory() error {
	q, err := queue.NewMemory(queue.MemoryParams{Clock: p.app.Clock})
	if err != nil {
		return err
	}
	l, err := lock.NewMemory(lock.MemoryParams{Epochs: p.store, Log: p.log})
	if err != nil {
		return err
	}
	p.queue, p.leader, p.bus = q, l, bus.NewMemory()
	p.limiter = limit.NewMemory(p.app.Clock, limit.DefaultKeys)
	p.fleet = fleet.NewMemory(p.app.Clock)
	return nil
}

// redisAway reports what is known already, so that nobody waits for a server that
// does not answer.
func (p *process) redisAway() bool { return p.redis != nil && !p.redis.State().Up }

// memberName tells processes apart, for as long as this one runs.
func memberName() string {
	return hostName() + "-" + strconv.Itoa(os.Getpid()) + "-" + auth.ID()[:6]
}

// has reports whether this process runs one of the roles.
func (p *process) has(roles ...string) bool {
	return slices.ContainsFunc(roles, func(r string) bool { return slices.Contains(p.roles, r) })
}
