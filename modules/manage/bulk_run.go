package manage

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"monitor/modules/uptime"
)

const (
	// bulkLook is how often a process looks for jobs that others made or left behind.
	bulkLook = 2 * time.Second
	// bulkLease is how long a job is held without a step.
	bulkLease = 30 * time.Second
	// A step takes so many monitors that its transaction stays well below the 50 ms that one
	// of SQLite's may last.
	bulkStepTime = 20 * time.Millisecond
	mostInStep   = 20
	// bulkAsk is how often it is asked whether who wanted the job still may.
	bulkAsk = 3 * time.Second
	// mostChecks is how many checks are queued at once: they are no rows of the database.
	mostChecks = 200
)

// RunBulk does jobs on many monitors, one at a time, until ctx ends. Any number of processes
// may run it.
func (m *Manage) RunBulk(ctx context.Context, ready func()) error {
	ready()
	look := time.NewTicker(bulkLook)
	defer look.Stop()
	for {
		for more := true; more && ctx.Err() == nil; {
			var err error
			if more, err = m.RunBulkJob(ctx); err != nil && ctx.Err() == nil {
				m.deps.Log.WarnContext(ctx, "do a job on many monitors; it is tried again", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-m.bulk:
		case <-look.C:
		}
	}
}

// RunBulkJob does one job that waits to its end; did is false where none does. When ctx ends
// it stops after a step, and another process goes on.
func (m *Manage) RunBulkJob(ctx context.Context) (did bool, err error) {
	job, err := m.deps.BulkWork.ClaimBulkJob(ctx, bulkLease)
	if errors.Is(err, uptime.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	run := bulkRun{Manage: m, job: job, ids: job.IDs, action: bulkActionOf(job), size: mostInStep / 2}
	usual, _, err := m.defaultsOf(ctx, job.WorkspaceID)
	if err == nil {
		run.action.usual, run.action.follow = usual, m.following(followed{run.action.From, run.action.Into}, usual)
		err = run.toTheEnd(ctx)
	}
	// One that failed keeps its lease and waits for its end: meanwhile others have their turn.
	if ctx.Err() != nil {
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		err = errors.Join(err, m.deps.BulkWork.ReleaseBulkJob(within, job))
	}
	if errors.Is(err, uptime.ErrStale) {
		return true, nil // another process has it
	}
	return err == nil, err
}

// bulkRun is a job in this process's hands.
type bulkRun struct {
	*Manage
	job    uptime.BulkJob
	ids    []int64
	action bulkAction
	size   int // of a step

	asked   time.Time // when the right was looked at
	refused bool
}

func (r *bulkRun) toTheEnd(ctx context.Context) error {
	for ctx.Err() == nil && r.job.FinishedAt.IsZero() && r.job.Position < len(r.ids) {
		if err := r.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *bulkRun) step(ctx context.Context) error {
	most := r.size
	if r.action.Action == BulkCheck {
		most = mostChecks
	}
	ids := r.ids[r.job.Position:min(r.job.Position+most, len(r.ids))]
	changes, err := r.changes(ctx, ids)
	if err != nil {
		return err
	}
	began := time.Now()
	after, changed, err := r.deps.BulkWork.StepBulk(ctx, r.job, changes, bulkLease)
	if fault := err != nil && ctx.Err() == nil && !errors.Is(err, uptime.ErrStale) && !errors.Is(err, uptime.ErrUnavailable); fault {
		after, changed, err = r.alone(ctx, changes, err)
	}
	if err != nil {
		return err
	}
	if took := time.Since(began); took > bulkStepTime {
		r.size = max(1, r.size/2)
	} else {
		r.size = min(mostInStep, r.size+1)
	}
	r.job = after
	r.tell(ctx, changed)
	return nil
}

// alone does the first monitor of a step that failed for no known reason, or leaves it out
// where it is the one that fails: it must not hold up all others for ever.
func (r *bulkRun) alone(ctx context.Context, changes []uptime.BulkChange, failed error) (uptime.BulkJob, []int64, error) {
	if len(changes) > 1 {
		r.size = 1 // until it is found
		after, changed, err := r.deps.BulkWork.StepBulk(ctx, r.job, changes[:1], bulkLease)
		if err == nil {
			return after, changed, nil
		}
		failed = err
	}
	if errors.Is(failed, uptime.ErrStale) || errors.Is(failed, uptime.ErrUnavailable) {
		return r.job, nil, failed
	}
	r.deps.Log.ErrorContext(ctx, "a monitor is left out of a job", "job", r.job.ID, "monitor", changes[0].MonitorID, "error", failed)
	left := uptime.BulkChange{MonitorID: changes[0].MonitorID, Name: changes[0].Name, Skip: uptime.Say("internal error")}
	return r.deps.BulkWork.StepBulk(ctx, r.job, []uptime.BulkChange{left}, bulkLease)
}

// tell announces what a step changed.
func (r *bulkRun) tell(ctx context.Context, changed []int64) {
	if len(changed) == 0 || r.action.Action == BulkCheck {
		return
	}
	notices := []uptime.Notice{notice(uptime.TopicOutbox, r.job.WorkspaceID, 0)}
	for _, id := range changed {
		notices = append(notices, notice(uptime.TopicMonitor, r.job.WorkspaceID, id), notice(uptime.TopicStatus, r.job.WorkspaceID, id))
	}
	r.announce(ctx, notices...)
}

// look asks whether who wanted the job may still change monitors: they may have been removed
// or have another role by now.
func (r *bulkRun) look(ctx context.Context) error {
	if r.job.UserID == 0 || time.Since(r.asked) < bulkAsk {
		return nil
	}
	actor := r.actor()
	user, err := r.liveUser(ctx, r.job.WorkspaceID, r.job.UserID)
	if uptime.CodeOf(err) == uptime.CodeUnauthorized {
		user, err = uptime.User{}, nil // who is gone has no role
	}
	actor.Role = user.Role
	r.asked, r.refused = time.Now(), !r.Can(actor, ChangeMonitor)
	return err
}

func (r *bulkRun) changes(ctx context.Context, ids []int64) ([]uptime.BulkChange, error) {
	if err := r.look(ctx); err != nil {
		return nil, err
	}
	if r.refused {
		out := make([]uptime.BulkChange, 0, len(ids))
		for _, id := range ids {
			out = append(out, uptime.BulkChange{MonitorID: id, Skip: uptime.Say("who asked for it may not change monitors any more")})
		}
		return out, nil
	}
	switch r.action.Action {
	case BulkCheck:
		return r.checks(ctx, ids)
	case bulkUndo:
		return r.undos(ctx, ids)
	}
	out := make([]uptime.BulkChange, 0, len(ids))
	for i, id := range ids {
		out = append(out, r.change(id, r.job.Position+i))
	}
	return out, nil
}

// actor is who asked for the job.
func (r *bulkRun) actor() uptime.Actor {
	return uptime.Actor{
		WorkspaceID: r.job.WorkspaceID, UserID: r.job.UserID, TokenID: r.job.TokenID, Name: r.job.UserName, Address: r.job.Address,
	}
}

// change of the monitor that is the i-th of the job.
func (r *bulkRun) change(id int64, i int) uptime.BulkChange {
	c := uptime.BulkChange{MonitorID: id, Undo: backTo}
	actor := r.actor()
	switch r.action.Action {
	case BulkDelete:
		c.Delete, c.Audit = true, r.audited(actor, "monitor.delete", "monitor", id)
		c.Undo = func(uptime.Monitor, uptime.Monitor) json.RawMessage { return json.RawMessage(`{"restore":true}`) }
	case BulkSilence:
		if !r.deps.Clock().Before(*r.action.Until) {
			c.Skip = uptime.Say("the silence would be over by now")
			return c
		}
		return r.silenceAs(c, uptime.Silence{Until: *r.action.Until, By: actor.Name, Note: r.action.Note})
	case BulkUnsilence:
		return r.silenceAs(c, uptime.Silence{})
	default:
		if r.action.Action == BulkDefaults {
			c.Undo = r.action.follow.back
		}
		c.Audit = r.audited(actor, r.verb(), "monitor", id)
		c.Mutate = r.mutate(i, c.Audit, r.action.apply)
	}
	return c
}

// verb of the audit log, as of one change alone.
func (r *bulkRun) verb() string {
	switch r.action.Action {
	case BulkPause, BulkResume:
		return "monitor." + r.action.Action
	}
	return "monitor.update"
}

func (r *bulkRun) silenceAs(c uptime.BulkChange, s uptime.Silence) uptime.BulkChange {
	c.Silence, c.Audit = &s, r.silenceAudit(r.actor(), c.MonitorID, s)
	return c
}

// mutate changes settings as if the monitor were changed alone, but that its check waits for
// its turn among those of the job.
func (r *bulkRun) mutate(i int, audit *uptime.Audit, apply func(*uptime.Monitor) string) func(*uptime.Monitor) error {
	return func(mon *uptime.Monitor) error {
		before := *mon
		if skip := apply(mon); skip != "" {
			return uptime.Fail(uptime.CodeConflict, "%s", skip)
		}
		if mon.Enabled && !before.Enabled || mon.Interval != before.Interval || string(mon.Settings) != string(before.Settings) {
			mon.CheckAt = uptime.SpreadChecks(r.deps.Clock(), mon.Interval, i, r.job.Total)
		}
		audit.Detail = changes(r.members(before, false), r.members(*mon, false), r.members(before, true), r.members(*mon, true))
		return nil
	}
}

// checks queues one check of each, spread over a minute from the start of the job.
func (r *bulkRun) checks(ctx context.Context, ids []int64) ([]uptime.BulkChange, error) {
	list, err := r.deps.Bulk.MonitorsOf(ctx, r.job.WorkspaceID, ids)
	if err != nil {
		return nil, err
	}
	found := make(map[int64]uptime.Monitor, len(list))
	for _, mon := range list {
		found[mon.ID] = mon
	}
	now := r.deps.Clock()
	var jobs []uptime.Job
	out := make([]uptime.BulkChange, 0, len(ids))
	for i, id := range ids {
		mon, there := found[id]
		c := uptime.BulkChange{MonitorID: id, Name: mon.Name, Done: true}
		skip, _ := r.action.verdict(mon, now)
		if !there {
			skip = uptime.Say("does not exist any more")
		}
		if c.Skip = skip; skip == "" {
			// By the start of the job, so that a step that is repeated asks for the same check.
			slot := uptime.SpreadChecks(r.job.StartedAt, mon.Interval, r.job.Position+i, r.job.Total)
			if now.Sub(slot) > mon.Interval/2 {
				slot = now.Truncate(time.Millisecond)
			}
			jobs = append(jobs, uptime.Job{
				MonitorID: id, Region: firstRegion(mon), ScheduledAt: slot, Attempt: 1, ByHand: true, Spec: mon.Spec(),
			})
		}
		out = append(out, c)
	}
	if len(jobs) == 0 {
		return out, nil
	}
	if err := r.deps.Queue.Push(ctx, jobs); err != nil {
		return nil, fmt.Errorf("queue checks: %w", err)
	}
	return out, nil
}

// firstRegion is where a check by hand is made.
func firstRegion(mon uptime.Monitor) string {
	if len(mon.Regions) > 0 {
		return mon.Regions[0]
	}
	return uptime.DefaultRegion
}

// undos take back what the job that is undone did to each.
func (r *bulkRun) undos(ctx context.Context, ids []int64) ([]uptime.BulkChange, error) {
	items, err := r.deps.BulkWork.UndoOfBulk(ctx, r.action.Undoes, ids)
	if err != nil {
		return nil, err
	}
	backs := make(map[int64]uptime.BulkItem, len(items))
	for _, item := range items {
		backs[item.MonitorID] = item
	}
	out := make([]uptime.BulkChange, 0, len(ids))
	for i, id := range ids {
		out = append(out, r.undo(id, r.job.Position+i, backs[id]))
	}
	return out, nil
}

func (r *bulkRun) undo(id int64, i int, item uptime.BulkItem) uptime.BulkChange {
	c := uptime.BulkChange{MonitorID: id, Name: item.Name}
	var back bulkBack
	if json.Unmarshal(item.Undo, &back) != nil {
		c.Skip = uptime.Say("it is not known any more how it was")
		return c
	}
	actor := r.actor()
	switch {
	case back.Restore:
		c.Restore, c.Audit = uptime.SpreadChecks(r.deps.Clock(), time.Minute, i, r.job.Total), r.audited(actor, "monitor.restore", "monitor", id)
		return c
	case back.Silence != nil && !back.Silence.Holds(r.deps.Clock()):
		return r.silenceAs(c, uptime.Silence{})
	case back.Silence != nil:
		return r.silenceAs(c, *back.Silence)
	}
	verb := "monitor.update"
	if back.Enabled != nil {
		verb = cmp.Or(map[bool]string{true: "monitor.resume"}[*back.Enabled], "monitor.pause")
	}
	c.Audit = r.audited(actor, verb, "monitor", id)
	c.Mutate = r.mutate(i, c.Audit, func(mon *uptime.Monitor) string {
		if back.Follow != nil { // what was changed since stays
			return r.following(*back.Follow, r.action.usual).apply(mon)
		}
		back.apply(mon)
		return ""
	})
	return c
}
