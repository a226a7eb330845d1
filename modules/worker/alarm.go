package worker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"monitor/modules/uptime"
)

const (
	// alarmEvery is how often channels are told of this worker's network.
	alarmEvery = time.Hour
	// alarmTimeout bounds one call of the database, and alarmRetry is the time
	// between two: it may be cut off, too.
	alarmTimeout = 5 * time.Second
	alarmRetry   = 5 * time.Second
	// partingTime bounds the last try when the worker stops.
	partingTime = time.Second
)

// alarms tells people what is wrong with the program itself.
type alarms interface {
	RaiseAlarm(ctx context.Context, a uptime.Alarm) (raised bool, err error)
	EndAlarm(ctx context.Context, ws int64, kind uptime.AlarmKind, subject string) (ended bool, err error)
}

// word is one thing to be said to a workspace.
type word struct {
	workspace int64
	bad       bool
	detail    string
}

// crier raises and ends the alarm about this worker's network. It says late what
// it cannot say at once, in order. Safe for concurrent use.
type crier struct {
	alarms  alarms
	subject string
	log     *slog.Logger
	kick    chan struct{} // holds one

	mu    sync.Mutex
	words []word
}

func newCrier(a alarms, subject string, log *slog.Logger) *crier {
	return &crier{alarms: a, subject: subject, log: log, kick: make(chan struct{}, 1)}
}

// tell never waits. A cut that comes back before the end of the last one was told
// is the same one.
func (c *crier) tell(workspace int64, bad bool, failing int) {
	if c.alarms == nil {
		return
	}
	c.mu.Lock()
	last := -1
	for i, w := range c.words {
		if w.workspace == workspace {
			last = i
		}
	}
	switch {
	case last >= 0 && c.words[last].bad == bad:
	case last >= 0 && bad:
		c.words = append(c.words[:last:last], c.words[last+1:]...)
	default:
		w := word{workspace: workspace, bad: bad}
		if bad {
			w.detail = fmt.Sprintf("The worker %s reaches nothing, its canaries neither: %d of its targets began to fail within %s. "+
				"What it cannot reach is unknown, not down, until its network works again.", c.subject, failing, within)
		}
		c.words = append(c.words, w)
	}
	c.mu.Unlock()
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// run says what there is to say until ctx ends, and once more then.
func (c *crier) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), partingTime)
			defer cancel()
			if err := c.runOnce(last); err != nil {
				c.log.WarnContext(ctx, "nobody was told about this worker's network", "error", err)
			}
			return
		case <-c.kick:
		case <-timer.C:
		}
		if err := c.runOnce(ctx); err != nil && ctx.Err() == nil {
			c.log.WarnContext(ctx, "alarm about this worker's network waits", "error", err)
			timer.Reset(alarmRetry)
		}
	}
}

func (c *crier) runOnce(ctx context.Context) error {
	for {
		w, ok := c.first()
		if !ok {
			return nil
		}
		if err := c.say(ctx, w); err != nil {
			return err
		}
		c.said(w)
	}
}

func (c *crier) first() (word, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.words) == 0 {
		return word{}, false
	}
	return c.words[0], true
}

// said takes a word out, unless it was taken back while it was said: then its
// opposite follows.
func (c *crier) said(w word) {
	c.mu.Lock()
	if len(c.words) > 0 && c.words[0] == w {
		c.words = c.words[1:]
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	c.tell(w.workspace, !w.bad, 0)
}

func (c *crier) say(ctx context.Context, w word) error {
	ctx, cancel := context.WithTimeout(ctx, alarmTimeout)
	defer cancel()
	if !w.bad {
		if _, err := c.alarms.EndAlarm(ctx, w.workspace, uptime.AlarmWorkerNetwork, c.subject); err != nil {
			return fmt.Errorf("end alarm: %w", err)
		}
		return nil
	}
	_, err := c.alarms.RaiseAlarm(ctx, uptime.Alarm{
		WorkspaceID: w.workspace, Kind: uptime.AlarmWorkerNetwork, Subject: c.subject, Detail: w.detail, Every: alarmEvery,
	})
	if err != nil {
		return fmt.Errorf("raise alarm: %w", err)
	}
	return nil
}
