package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"monitor/modules/uptime"
)

// clockAlarmEvery is how often the alarm about a clock is told again.
const clockAlarmEvery = time.Hour

// clockAlarm tells people that this machine's clock is wrong, and when it is
// right again. It belongs to one goroutine.
type clockAlarm struct {
	p     *process
	known bool // what bad says was told, or needs no telling
	bad   bool
}

// look compares the clock with the queue's. What cannot be told is told at a
// later look.
func (c *clockAlarm) look(ctx context.Context) {
	if c.p.redis == nil || !c.p.redis.State().Up {
		return
	}
	off := c.p.redis.State().Offset
	bad := off.Abs() > clockTolerance || c.bad && off.Abs() > clockTolerance/2 // it may hover at the bound
	if c.known && c.bad == bad {
		return
	}
	if err := c.tell(ctx, off, bad); err != nil {
		if !bad || errors.Is(ctx.Err(), context.Canceled) {
			return // there was little to say, or this process stops
		}
		c.p.log.WarnContext(ctx, "nobody could be told about this machine's clock yet", "offset", off, "error", err)
		return
	}
	if bad {
		c.p.log.WarnContext(ctx, "this machine's clock is wrong", "offset", off)
	}
	c.known, c.bad = true, bad
}

// tell raises the alarm of this machine, or ends one that an earlier process of
// it has raised.
func (c *clockAlarm) tell(ctx context.Context, off time.Duration, bad bool) error {
	ws, err := c.p.store.EnsureWorkspace(ctx, defaultWorkspace)
	if err != nil {
		return err
	}
	if !bad {
		_, err = c.p.store.EndAlarm(ctx, ws.ID, uptime.AlarmClock, hostName())
		return err
	}
	_, err = c.p.store.RaiseAlarm(ctx, uptime.Alarm{
		WorkspaceID: ws.ID, Kind: uptime.AlarmClock, Subject: hostName(), Every: clockAlarmEvery,
		Detail: fmt.Sprintf("The clock of %s differs by %s from the clock of Redis. Checks go by the latter meanwhile. "+
			"Look at the time synchronisation of both machines.", hostName(), (-off).Round(time.Millisecond)),
	})
	return err
}
