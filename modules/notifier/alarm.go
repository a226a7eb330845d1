package notifier

import (
	"context"
	"fmt"
	"time"

	"monitor/modules/uptime"
)

const (
	// deadEvery is how often a dead channel is told of.
	deadEvery = 24 * time.Hour
	// endEvery is how often a channel that works is asked whether an alarm
	// about it goes on, which another notifier may have raised.
	endEvery = time.Minute
	// raiseWithin bounds the tries to raise one: the delivery's own end is to
	// be committed within the lease, too.
	raiseWithin = 2 * time.Second
)

// raise tells others that a delivery of the channel is dead. The end of such a
// message itself is told to nobody: a broken fallback would tell of itself.
func (n *Notifier) raise(ctx context.Context, c uptime.Claim, r uptime.AttemptResult) {
	if a := c.Event.Data.Alarm; a != nil && a.Kind == uptime.AlarmChannelDead {
		return
	}
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), raiseWithin)
	defer cancel()
	for {
		err := n.tryRaise(within, c, r)
		if err == nil {
			return
		}
		n.pause(within, commitRetry)
		if within.Err() != nil {
			n.log(c).ErrorContext(ctx, "nobody was told of a dead delivery", "error", err)
			return
		}
	}
}

func (n *Notifier) tryRaise(ctx context.Context, c uptime.Claim, r uptime.AttemptResult) error {
	others, err := n.others(ctx, c.Channel)
	if err != nil {
		return err
	}
	n.board.mayEnd(c.Channel.ID, n.Clock(), 0) // the next success asks at once
	if len(others) == 0 {
		n.log(c).WarnContext(ctx, "no other channel can be told of a dead delivery")
		return nil
	}
	raised, err := n.Alarms.RaiseAlarm(ctx, uptime.Alarm{
		WorkspaceID: c.Channel.WorkspaceID, Kind: uptime.AlarmChannelDead, Subject: subjectOf(c.Channel),
		Detail: fmt.Sprintf("%s could not be delivered: %s", lost(c.Event), r.Reason), About: c.Event.Data,
		ChannelIDs: others, Every: deadEvery,
	})
	if err != nil {
		return fmt.Errorf("raise alarm: %w", err)
	}
	if raised {
		n.look()
		n.announce(ctx, uptime.Notice{Topic: uptime.TopicOutbox, WorkspaceID: c.Channel.WorkspaceID})
	}
	return nil
}

// lost names the event whose message was lost: nobody else tells those who read
// the alarm what is down.
func lost(e uptime.Event) string {
	name := string(e.Type)
	if m := e.Data.Monitor; m != nil {
		name += fmt.Sprintf(" of monitor %q (#%d)", m.Name, m.ID)
	}
	if i := e.Data.Incident; i != nil {
		name += fmt.Sprintf(", incident #%d,", i.ID)
	}
	return name
}

// others lists who is told in the channel's place: its fallback if that works,
// else every other enabled channel of the workspace.
func (n *Notifier) others(ctx context.Context, dead uptime.Channel) ([]int64, error) {
	var ids []int64
	page := uptime.Page{Limit: 200}
	for {
		list, err := n.Alarms.Channels(ctx, dead.WorkspaceID, page)
		if err != nil {
			return nil, fmt.Errorf("list channels: %w", err)
		}
		for _, ch := range list.Items {
			if ch.ID == dead.ID || !ch.Enabled || !ch.DeletedAt.IsZero() {
				continue
			}
			if ch.ID == dead.FallbackChannelID {
				return []int64{ch.ID}, nil
			}
			ids = append(ids, ch.ID)
		}
		if page.Cursor = list.Next; page.Cursor == "" {
			return ids, nil
		}
	}
}

// end ends the alarm about a channel that works again.
func (n *Notifier) end(ctx context.Context, c uptime.Claim) {
	if !n.board.mayEnd(c.Channel.ID, n.Clock(), endEvery) {
		return
	}
	within, cancel := bounded(ctx)
	defer cancel()
	ended, err := n.Alarms.EndAlarm(within, c.Channel.WorkspaceID, uptime.AlarmChannelDead, subjectOf(c.Channel))
	if err != nil {
		n.board.mayEnd(c.Channel.ID, n.Clock(), 0)
		n.log(c).WarnContext(ctx, "alarm about a channel was not ended", "error", err)
		return
	}
	if ended {
		n.look()
		n.announce(ctx, uptime.Notice{Topic: uptime.TopicOutbox, WorkspaceID: c.Channel.WorkspaceID})
	}
}

// subjectOf names the channel in alarms. Names need not be unique, and the
// success of a namesake must not end the alarm.
func subjectOf(c uptime.Channel) string { return fmt.Sprintf("%s (#%d)", c.Name, c.ID) }
