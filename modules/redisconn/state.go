package redisconn

import (
	"context"
	"time"

	"monitor/modules/uptime"
)

// lookEvery is how often the server is asked.
const lookEvery = time.Second

// State is how the server stands, as this process sees it.
type State struct {
	Known bool // asked at least once
	Up    bool
	Since time.Time // of Up being what it is
	Err   error     // why it is away
	// Offset is the server's clock minus ours, ± half of Trip: by the quickest
	// round trip of the last half minute. Of a cluster, that of whichever server
	// answered it.
	Offset time.Duration
	Trip   time.Duration
}

// State gives what was last seen.
func (c *Conn) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Ping asks whether the server answers, and keeps what it learnt. A ping that ctx
// ended has learnt nothing.
func (c *Conn) Ping(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	sent, begun := c.clock(), time.Now()
	theirs, err := c.health.Time(bounded).Result()
	trip := time.Since(begun)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err = Failure(ctx, err)
	c.mu.Lock()
	defer c.mu.Unlock()
	if up := err == nil; !c.state.Known || c.state.Up != up {
		c.state.Known, c.state.Up, c.state.Since = true, up, sent
		c.recent = samples{} // another server may answer next, with another clock
	}
	c.state.Err = err
	if err == nil {
		c.recent.add(sample{offset: theirs.Sub(sent.Add(trip / 2)), trip: trip})
		best := c.recent.best()
		c.state.Offset, c.state.Trip = best.offset, best.trip
	}
	return err
}

// Run asks the server once a second until ctx ends. It is ready after the first
// answer or failure.
func (c *Conn) Run(ctx context.Context, ready func()) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for first := true; ; first = false {
		was := c.State()
		err := c.Ping(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if now := c.State(); !was.Known || now.Up != was.Up {
			if now.Up {
				c.log.Info("redis answers")
			} else {
				c.log.Warn("redis does not answer", "error", err)
			}
		}
		if first {
			ready()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Clock corrects ours by the server's where it is more than tolerance off, so
// that a machine with a wrong clock makes and judges slots as the others do.
func (c *Conn) Clock(tolerance time.Duration) uptime.Clock {
	return func() time.Time {
		now := c.clock()
		if off := c.State().Offset; off > tolerance || off < -tolerance {
			return now.Add(off)
		}
		return now
	}
}
