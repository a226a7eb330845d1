package app

import (
	"context"
	"os"
	"slices"
	"sync"
	"time"

	"monitor/modules/fleet"
	"monitor/modules/telemetry"
	"monitor/modules/uptime"
)

const (
	// lookEvery is how often a process looks for what is not as it should be.
	lookEvery = 2 * time.Second
	// reportEvery is how often it tells the others of itself.
	reportEvery = 5 * time.Second
	// leaveWithin bounds its good-bye.
	leaveWithin = time.Second
)

// crew is this process among the others. Safe for concurrent use.
type crew struct {
	p      *process
	health *health
	watch  *fleet.Watch
	clock  clockAlarm // Run's

	mu         sync.Mutex
	conditions []uptime.Condition
}

func newCrew(p *process, h *health) *crew {
	return &crew{p: p, health: h, watch: fleet.NewWatch(p.app.Clock), clock: clockAlarm{p: p}}
}

// Conditions gives what was not as it should be at the last look.
func (c *crew) Conditions(context.Context) []uptime.Condition {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.conditions)
}

// Run looks and reports until ctx ends, then leaves.
func (c *crew) Run(ctx context.Context, ready func()) error {
	ready()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var reported time.Time
	for {
		if time.Since(reported) >= reportEvery-lookEvery/2 {
			reported = time.Now()
			c.report(ctx)
		}
		c.look(ctx)
		c.lookAtClock(ctx)
		select {
		case <-ctx.Done():
			return c.leave(ctx)
		case <-ticker.C:
		}
	}
}

func (c *crew) report(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookEvery)
	defer cancel()
	if err := c.p.fleet.Report(ctx, c.self()); err != nil {
		c.p.log.DebugContext(ctx, "this process could not be reported to the others", "error", err)
	}
}

// leave tells the others that this process is gone on purpose; those that do not
// hear it see its last report grow old.
func (c *crew) leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
	defer cancel()
	if err := c.p.fleet.Leave(ctx, c.p.member); err != nil {
		c.p.log.DebugContext(ctx, "the others do not know that this process stops", "error", err)
	}
	return nil
}

func (c *crew) lookAtClock(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookEvery)
	defer cancel()
	c.clock.look(ctx)
}

// look finds the conditions of now.
func (c *crew) look(running context.Context) {
	ctx, cancel := context.WithTimeout(running, lookEvery)
	defer cancel()
	var found []uptime.Condition
	if err := c.p.store.Ping(ctx); err != nil {
		found = append(found, uptime.ConditionOf(uptime.ConditionDatabase))
	}
	switch {
	case c.p.redisAway():
		found = append(found, uptime.ConditionOf(uptime.ConditionRedis))
		c.watch.Forget()
		c.p.breakers.hear(nil, c.p.member)
	case c.p.redis != nil:
		members, err := c.p.fleet.Members(ctx)
		if err != nil {
			c.watch.Forget()
			break
		}
		found = append(found, c.watch.Look(members)...)
		c.p.breakers.hear(members, c.p.member)
	}
	if c.p.breakers.holdBack() {
		found = append(found, uptime.ConditionOf(uptime.ConditionChannels))
	}
	if running.Err() != nil {
		return // the stop cut it short: what did not answer is not away
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conditions = found
}

// self is this process as the others see it.
func (c *crew) self() fleet.Member {
	m := fleet.Member{
		ID: c.p.member, Host: hostName(), Roles: c.p.roles, Healthy: c.health.working(),
		Version: telemetry.BuildInfo().Version, StartedAt: c.p.started,
	}
	_, m.Leading = c.p.leader.Leading()
	m.ChecksPerSecond, m.Late = c.p.vitals.work()
	m.Held = c.p.breakers.held()
	return m
}

// members are all processes, this one as it is now. Where nobody can tell, it is
// the only one.
func (c *crew) members(ctx context.Context) []fleet.Member {
	self := c.self()
	if c.p.redis == nil || c.p.redisAway() {
		return []fleet.Member{self}
	}
	members, err := c.p.fleet.Members(ctx)
	if err != nil {
		return []fleet.Member{self}
	}
	members = slices.DeleteFunc(members, func(m fleet.Member) bool { return m.ID == self.ID })
	return append(members, self)
}

// hostName names this machine.
func hostName() string {
	host, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return host
}
