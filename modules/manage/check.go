package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

const (
	// checkGrace is added to the timeout of a check that a person waits for.
	checkGrace = 5 * time.Second
	// checkLook is how often the store is asked for its result when no notice
	// comes: notices may be lost.
	checkLook = 500 * time.Millisecond
	// checkPush bounds the wait for the queue to take a check.
	checkPush = 3 * time.Second
	// maxTestTime bounds a test of an unsaved monitor, whatever its timeout.
	maxTestTime = time.Minute
)

// CheckNow checks the monitor once through the queue, in its first region, and
// waits for the stored result, at most its timeout and 5 s. CodePaused;
// CodeUnavailable, without waiting, while the queue takes no job; CodeNoWorker
// when there is no result in time.
func (m *Manage) CheckNow(ctx context.Context, actor uptime.Actor, id int64) (ResultView, error) {
	if err := m.permit(actor, ChangeMonitor); err != nil {
		return ResultView{}, err
	}
	ctx = uptime.WithFresh(ctx) // the result is asked for the moment it is stored
	mon, err := m.deps.Monitors.Monitor(ctx, actor.WorkspaceID, id)
	if err != nil {
		return ResultView{}, err
	}
	if !mon.Enabled {
		return ResultView{}, uptime.Fail(uptime.CodePaused, "The monitor is paused; resume it to check it.")
	}
	if m.queueAway(ctx) {
		return ResultView{}, noQueue(uptime.ErrUnavailable)
	}
	wait, cancel := context.WithTimeout(ctx, mon.Timeout+checkGrace)
	defer cancel()
	heard, err := m.deps.Bus.Subscribe(wait, uptime.TopicResult)
	if err != nil {
		m.deps.Log.WarnContext(ctx, "notices of results are not heard", "error", err)
		heard = nil // the store is asked anyway
	}
	job := uptime.Job{
		MonitorID: id, Region: firstRegion(mon), ScheduledAt: m.deps.Clock().Truncate(time.Millisecond), Attempt: 1, ByHand: true, Spec: mon.Spec(),
	}
	if err := m.pushCheck(wait, job); err != nil {
		return ResultView{}, err
	}
	result, err := m.awaitResult(wait, job, actor.WorkspaceID, heard)
	switch {
	case err == nil:
		return resultView(result), nil
	case ctx.Err() != nil:
		return ResultView{}, ctx.Err()
	case wait.Err() != nil:
		return ResultView{}, &uptime.Error{
			Code: uptime.CodeNoWorker, RetryAfter: checkGrace,
			Detail: uptime.Say("No worker of the region %q answered in time.", job.Region),
		}
	}
	return ResultView{}, err
}

// pushCheck gives the job to the queue, which a person does not wait long for.
func (m *Manage) pushCheck(ctx context.Context, job uptime.Job) error {
	within, cancel := context.WithTimeout(ctx, checkPush)
	defer cancel()
	err := m.deps.Queue.Push(within, []uptime.Job{job})
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, uptime.ErrUnavailable), errors.Is(err, uptime.ErrFull), within.Err() != nil:
		return noQueue(err)
	}
	return fmt.Errorf("queue the check: %w", err)
}

// queueAway reports what is known already: nobody shall wait for a time-out.
func (m *Manage) queueAway(ctx context.Context) bool {
	return slices.ContainsFunc(m.conditions(ctx), func(c uptime.Condition) bool { return c.Name == uptime.ConditionRedis })
}

func noQueue(err error) error {
	detail := uptime.Say("Redis, which holds the queue of checks, does not answer, so nothing can be checked now. Try again once it is back.")
	if errors.Is(err, uptime.ErrFull) {
		detail = uptime.Say("The queue of checks is full, so nothing more can be checked now. Try again shortly.")
	}
	return &uptime.Error{Code: uptime.CodeUnavailable, Detail: detail, RetryAfter: checkGrace, Err: err}
}

func (m *Manage) awaitResult(ctx context.Context, job uptime.Job, ws int64, heard <-chan uptime.Notice) (uptime.Result, error) {
	look := time.NewTicker(checkLook)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return uptime.Result{}, ctx.Err()
		case n, open := <-heard:
			if !open {
				heard = nil
			}
			if n.Topic != "" && n.ID != job.MonitorID {
				continue
			}
		case <-look.C:
		}
		result, err := m.deps.Results.Result(ctx, ws, job.MonitorID, job.Region, job.ScheduledAt)
		if !errors.Is(err, uptime.ErrNotFound) {
			return result, err
		}
	}
}

// TestMonitor probes an unsaved monitor, in this process. Nothing is stored but
// a line of the audit log, and nobody is alerted. A body with the "id" of a
// stored monitor takes its secrets where they are masked. CodeUnavailable while
// too many tests run.
func (m *Manage) TestMonitor(ctx context.Context, actor uptime.Actor, raw json.RawMessage) (MonitorTestView, error) {
	if err := m.permit(actor, ChangeMonitor); err != nil {
		return MonitorTestView{}, err
	}
	spec, target, err := m.testSpec(ctx, actor, raw)
	if err != nil {
		return MonitorTestView{}, err
	}
	done, err := m.testTurn(ctx)
	if err != nil {
		return MonitorTestView{}, err
	}
	defer done()
	audit := m.audited(actor, "monitor.test", "monitor", 0)
	audit.Detail = detail(map[string]any{"type": spec.Type, "target": target})
	if err := m.deps.AuditLog.WriteAudit(ctx, *audit); err != nil {
		return MonitorTestView{}, fmt.Errorf("write audit log: %w", err)
	}
	outcome, err := m.deps.Prober.Probe(ctx, spec, true)
	if err != nil {
		if ctx.Err() != nil {
			return MonitorTestView{}, ctx.Err()
		}
		outcome.Status, outcome.ErrorKind = uptime.Unknown, uptime.KindInternal
		outcome.Error = uptime.CleanLine(uptime.Say("could not check: %v", err), 500)
	}
	return testView(outcome), nil
}

// testSpec reads the unsaved monitor, its secrets in clear.
func (m *Manage) testSpec(ctx context.Context, actor uptime.Actor, raw json.RawMessage) (uptime.Spec, string, error) {
	b, err := parseBody(raw)
	if err != nil {
		return uptime.Spec{}, "", err
	}
	var old *uptime.Monitor
	if id, ok := wholeNumber(b.fields["id"]); ok && id > 0 {
		stored, err := m.deps.Monitors.Monitor(ctx, actor.WorkspaceID, id)
		if err != nil {
			return uptime.Spec{}, "", err
		}
		old = &stored
	}
	if _, named := b.fields["name"]; !named {
		b.fields["name"] = json.RawMessage(`"Test"`)
	}
	usual, _, err := m.defaultsOf(ctx, actor.WorkspaceID)
	if err != nil {
		return uptime.Spec{}, "", err
	}
	draft := m.readMonitor(b, old, usual)
	if err := b.finish("a monitor"); err != nil {
		return uptime.Spec{}, "", err
	}
	if old != nil {
		opened, err := openSettings(m.deps.Sealer, draft.kind, monitorPlace(*old), old.Settings)
		if err != nil {
			return uptime.Spec{}, "", err
		}
		form.KeepMasked(draft.settings, opened)
	}
	target := ""
	if draft.kind.Target != nil {
		target = draft.kind.Target(draft.settings)
	}
	return uptime.Spec{
		WorkspaceID: actor.WorkspaceID, RowKey: m.deps.Random(), Type: draft.Type, Interval: draft.Interval,
		Timeout: min(draft.Timeout, maxTestTime), Settings: form.Encode(draft.settings),
	}, target, nil
}

// testTurn waits a moment for one of the few places for tests.
func (m *Manage) testTurn(ctx context.Context) (done func(), err error) {
	patience := time.NewTimer(checkGrace)
	defer patience.Stop()
	select {
	case m.tests <- struct{}{}:
		return func() { <-m.tests }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-patience.C:
		return nil, &uptime.Error{Code: uptime.CodeUnavailable, Detail: "Too many tests run at the moment; try again shortly.", RetryAfter: checkGrace}
	}
}
