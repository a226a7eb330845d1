package housekeeper

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"monitor/modules/uptime"
)

// Names of the tasks, as Stats and logs have them.
const (
	TaskPartitions = "partitions"
	TaskRollup     = "rollup"
	TaskAudit      = "audit"
	TaskRetention  = "retention"
	TaskWatchdog   = "watchdog"
)

const (
	// PartitionDays is how many days ahead results can be stored.
	PartitionDays = 7
	// RollupDelay is how long after the end of an hour it is summed up: the
	// results of its last slots are stored by then.
	RollupDelay = 6 * time.Minute
	// AuditAfter is how old slots are when they are audited.
	AuditAfter = 2 * time.Hour
	// auditWindow is what one step of the audit covers, and auditBack how far
	// the first one of a database goes back.
	auditWindow = time.Hour
	auditBack   = 7 * 24 * time.Hour

	// watchBack is how far the first look of a leader goes back: there may have
	// been none for a while.
	watchBack  = time.Minute
	watchEvery = 10 * time.Second
	retryEvery = time.Minute
	// longest bounds one run of the slow tasks.
	longest = 30 * time.Minute
	// purgeSteps bounds the steps of one run of the retention; the rest waits
	// for the next hour.
	purgeSteps = 10_000
)

// task is one thing that is done again and again.
type task struct {
	name     string
	first    time.Duration // after the beginning of leadership
	every    time.Duration
	after    time.Duration // where above zero: so long after each full every
	deadline time.Duration
	rest     int // how many times as long as it took it waits at least
	run      func(ctx context.Context) error
}

// wait is how long to wait at now for the next run.
func (t *task) wait(now time.Time) time.Duration {
	if t.after == 0 {
		return t.every
	}
	next := now.Add(-t.after).Truncate(t.every).Add(t.every + t.after)
	return next.Sub(now)
}

// table lists the tasks.
func (h *Housekeeper) table() []*task {
	w := &watchdog{Housekeeper: h}
	return []*task{
		{name: TaskPartitions, first: 0, every: time.Hour, deadline: longest, run: h.ensurePartitions},
		{name: TaskRollup, first: time.Minute, every: time.Hour, after: RollupDelay, deadline: longest, run: h.rollUp},
		{name: TaskAudit, first: 5 * time.Minute, every: time.Hour, deadline: longest, run: h.audit},
		{name: TaskRetention, first: 10 * time.Minute, every: time.Hour, deadline: longest, run: h.purge},
		// It looks at every monitor: with very many it does so less often.
		{name: TaskWatchdog, first: 0, every: watchEvery, deadline: retryEvery, rest: 50, run: w.runOnce},
	}
}

func (h *Housekeeper) ensurePartitions(ctx context.Context) error {
	if err := h.Records.EnsurePartitions(ctx, PartitionDays); err != nil {
		return fmt.Errorf("ensure partitions: %w", err)
	}
	return nil
}

func (h *Housekeeper) rollUp(ctx context.Context) error {
	if err := h.Records.Rollup(ctx, h.Clock().Add(-RollupDelay).Truncate(time.Hour)); err != nil {
		return fmt.Errorf("roll up results: %w", err)
	}
	return nil
}

// purge removes what is too old, step by step, until nothing is left of it.
func (h *Housekeeper) purge(ctx context.Context) error {
	keep, err := h.Kept(ctx)
	if err != nil {
		return fmt.Errorf("ask how long history is kept: %w", err)
	}
	var total uptime.Purged
	for range purgeSteps {
		step, err := h.Records.Purge(ctx, keep)
		if err != nil {
			return fmt.Errorf("purge old records: %w", err)
		}
		total.Results += step.Results
		total.Rollups += step.Rollups
		total.Incidents += step.Incidents
		total.Objects += step.Objects
		if step == (uptime.Purged{}) {
			break
		}
	}
	if total != (uptime.Purged{}) {
		h.Log.Info("old records removed", "results", total.Results, "rollups", total.Rollups,
			"incidents", total.Incidents, "objects", total.Objects)
	}
	return nil
}

// audit books what is missing without a reason, window by window.
func (h *Housekeeper) audit(ctx context.Context) error {
	end := h.Clock().Add(-AuditAfter).Truncate(time.Second)
	from, err := h.Auditor.LastAudit(ctx)
	if err != nil {
		return fmt.Errorf("read end of last audit: %w", err)
	}
	if from.IsZero() {
		from = end.Add(-auditBack)
	}
	var booked int64
	for from.Before(end) {
		to := from.Add(auditWindow)
		if to.After(end) {
			to = end
		}
		n, err := h.Auditor.AuditMissed(ctx, from, to, uptime.MissedLost)
		if err != nil {
			return fmt.Errorf("audit slots from %s: %w", from.Format(time.RFC3339), err)
		}
		booked += n
		from = to
	}
	if booked > 0 {
		h.Log.Warn("slots were lost without a trace", "slots", booked)
	}
	return nil
}

// watchdog announces monitors that nobody hears of any more: their status turns
// unknown by the passing of time, without any write.
type watchdog struct {
	*Housekeeper
	since time.Time // end of the last look that worked
}

func (w *watchdog) runOnce(ctx context.Context) error {
	now := w.Clock()
	if w.since.IsZero() {
		w.since = now.Add(-watchBack)
	}
	monitors, err := w.Records.UnknownMonitors(ctx, w.since)
	if err != nil {
		return fmt.Errorf("find unknown monitors: %w", err)
	}
	notices := make([]uptime.Notice, 0, len(monitors))
	for _, m := range monitors {
		notices = append(notices, uptime.Notice{
			Topic: uptime.TopicStatus, WorkspaceID: m.WorkspaceID, ID: m.ID,
			Data: json.RawMessage(fmt.Sprintf(`{"id":%d,"status":%q}`, m.ID, uptime.Unknown)),
		})
	}
	if len(notices) > 0 {
		if err := w.Bus.Publish(ctx, notices...); err != nil {
			return fmt.Errorf("announce unknown monitors: %w", err)
		}
		w.Log.Info("monitors became unknown", "count", len(notices))
	}
	w.since = now
	return nil
}
