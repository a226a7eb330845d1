package manage_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// fleet makes n monitors and gives their ids as JSON.
func (b *bundle) fleet(t *testing.T, n int) (ids []int64, list string) {
	t.Helper()
	for i := range n {
		ids = append(ids, b.monitor(t, fmt.Sprintf(`{"name":"m%d","type":"http","tags":{"team":"web"},"http":{"url":"https://example.com"}}`, i)).ID)
	}
	raw, err := json.Marshal(ids)
	require.NoError(t, err)
	return ids, string(raw)
}

func (b *bundle) bulk(t *testing.T, body string) manage.BulkJobView {
	t.Helper()
	v, err := b.BulkMonitors(context.Background(), b.owner, json.RawMessage(body))
	require.NoError(t, err, body)
	return v
}

// ran does every job that waits.
func (b *bundle) ran(t *testing.T, id int64) manage.BulkJobView {
	t.Helper()
	for {
		did, err := b.RunBulkJob(context.Background())
		require.NoError(t, err)
		if !did {
			break
		}
	}
	v, err := b.BulkJob(context.Background(), b.owner, id)
	require.NoError(t, err)
	require.Equal(t, manage.BulkDone, v.Status)
	return v
}

func (b *bundle) all(t *testing.T, ids []int64) []uptime.Monitor {
	t.Helper()
	list, err := b.store.MonitorsOf(context.Background(), b.owner.WorkspaceID, ids)
	require.NoError(t, err)
	return list
}

// TestBulkAsPreviewed does each action, finds what its preview said, and takes it back.
func TestBulkAsPreviewed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare string // patch of the first monitor
		body    string
		counts  [3]int // changed, same, skipped of three
		want    func(uptime.Monitor) bool
	}{
		"Pause":          {`{"enabled":false}`, `"action":"pause"`, [3]int{2, 1, 0}, func(m uptime.Monitor) bool { return !m.Enabled }},
		"Resume":         {`{"enabled":false}`, `"action":"resume"`, [3]int{1, 2, 0}, func(m uptime.Monitor) bool { return m.Enabled }},
		"Silence":        {`{}`, `"action":"silence","for":"1h","note":"x"`, [3]int{3, 0, 0}, func(m uptime.Monitor) bool { return m.Silence.Note == "x" }},
		"TagAdd":         {`{"tags":{"env":"prod"}}`, `"action":"tag-add","tag":"env:prod"`, [3]int{2, 1, 0}, func(m uptime.Monitor) bool { return m.Tags["env"] == "prod" && m.Tags["team"] == "web" }},
		"TagChange":      {`{"tags":{"env":"test"}}`, `"action":"tag-add","tag":"env:prod"`, [3]int{3, 0, 0}, func(m uptime.Monitor) bool { return m.Tags["env"] == "prod" }},
		"TagRemove":      {`{"tags":{"team":"core"}}`, `"action":"tag-remove","tag":"team"`, [3]int{3, 0, 0}, func(m uptime.Monitor) bool { return len(m.Tags) == 0 }},
		"TagRename":      {`{"tags":{"team":"core"}}`, `"action":"tag-rename","tag":"team","to":"squad"`, [3]int{3, 0, 0}, func(m uptime.Monitor) bool { return m.Tags["squad"] != "" && len(m.Tags) == 1 }},
		"TagOtherValue":  {`{"tags":{"team":"core"}}`, `"action":"tag-rename","tag":"team:core","to":"team:shop"`, [3]int{1, 2, 0}, func(m uptime.Monitor) bool { return m.Tags["team"] == "shop" || m.Tags["team"] == "web" }},
		"TagTaken":       {`{"tags":{"team":"core","squad":"x"}}`, `"action":"tag-rename","tag":"team","to":"squad"`, [3]int{2, 0, 1}, func(m uptime.Monitor) bool { return (m.Tags["team"] == "core") == (m.Tags["squad"] == "x") }},
		"GroupRename":    {`{"group":"Shop/EU"}`, `"action":"group-rename","group":"Shop","to":"Store/Old"`, [3]int{1, 2, 0}, func(m uptime.Monitor) bool { return m.Group == "Store/Old/EU" || m.Group == "" }},
		"GroupDissolved": {`{"group":"Shop/EU"}`, `"action":"group-rename","group":"Shop","to":""`, [3]int{1, 2, 0}, func(m uptime.Monitor) bool { return m.Group == "EU" || m.Group == "" }},
		"TagWithOne":     {`{"tags":{"team":"core"}}`, `"action":"tag-remove","tag":"team:core"`, [3]int{1, 2, 0}, func(m uptime.Monitor) bool { return m.Tags["team"] != "core" }},
		"Interval": {`{"timeout":"9s"}`, `"action":"interval","interval":"8s"`, [3]int{2, 0, 1}, func(m uptime.Monitor) bool {
			return m.Timeout == 9*time.Second || m.Interval == 8*time.Second && m.Timeout == 8*time.Second
		}},
		"Retries":  {`{"failures_before_down":5}`, `"action":"retries","failures_before_down":5`, [3]int{2, 1, 0}, func(m uptime.Monitor) bool { return m.FailuresBeforeDown == 5 }},
		"Group":    {`{"group":"Shop"}`, `"action":"group","group":"Shop"`, [3]int{2, 1, 0}, func(m uptime.Monitor) bool { return m.Group == "Shop" }},
		"NoGroup":  {`{"group":"Shop"}`, `"action":"group","group":""`, [3]int{1, 2, 0}, func(m uptime.Monitor) bool { return m.Group == "" }},
		"Channels": {`{}`, `"action":"channels","mode":"add","channel_ids":[1]`, [3]int{3, 0, 0}, func(m uptime.Monitor) bool { return len(m.ChannelIDs) == 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, ctx := setup(t), context.Background()
			_, err := b.CreateChannel(ctx, b.owner, json.RawMessage(`{"name":"Ops","type":"webhook","settings":{"url":"https://example.com/hook"}}`))
			require.NoError(t, err)
			ids, list := b.fleet(t, 3)
			_, err = b.PatchMonitor(ctx, b.owner, ids[0], json.RawMessage(c.prepare), "")
			require.NoError(t, err)
			before := b.all(t, ids)

			dry := b.bulk(t, `{"ids":`+list+`,`+c.body+`,"dry_run":true}`)
			require.Equal(t, manage.BulkPreview, dry.Status)
			require.Nil(t, dry.ID)
			got := [3]int{dry.Changed, dry.Same, dry.Skipped}
			require.Equal(t, c.counts, got)
			require.Len(t, dry.Names, dry.Changed)
			require.Equal(t, before, b.all(t, ids), "nothing was done")

			b.clock.add(time.Second)
			job := b.bulk(t, `{"ids":`+list+`,`+c.body+`,"set":"`+dry.Set+`"}`)
			require.Equal(t, manage.BulkWaiting, job.Status)
			done := b.ran(t, *job.ID)
			got = [3]int{done.Changed, done.Same, done.Skipped}
			require.Equal(t, c.counts, got, "as the preview said")
			require.Len(t, done.Skips, done.Skipped)
			require.Equal(t, "Olga", done.CreatedBy)
			for _, m := range b.all(t, ids) {
				require.True(t, c.want(m), "%+v", m)
			}

			require.NotNil(t, done.UndoUntil)
			undo, err := b.UndoBulk(ctx, b.owner, *job.ID)
			require.NoError(t, err)
			require.Equal(t, done.Changed, b.ran(t, *undo.ID).Changed)
			for i, m := range b.all(t, ids) {
				was := before[i]
				require.Equal(t, was.Enabled, m.Enabled)
				require.Equal(t, was.Tags, m.Tags)
				require.Equal(t, was.ChannelIDs, m.ChannelIDs)
				require.Equal(t, []time.Duration{was.Interval, was.Timeout, was.RetryInterval}, []time.Duration{m.Interval, m.Timeout, m.RetryInterval})
				require.Equal(t, was.FailuresBeforeDown, m.FailuresBeforeDown)
				require.Equal(t, was.Group, m.Group)
				require.Equal(t, was.Silence.Holds(b.clock.Now()), m.Silence.Holds(b.clock.Now()))
			}
			_, err = b.UndoBulk(ctx, b.owner, *job.ID)
			require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err), "once")
			_, err = b.UndoBulk(ctx, b.owner, *undo.ID)
			require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err), "an undo is final")
		})
	}
}

func TestBulkDeleteAndUndo(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	ids, _ := b.fleet(t, 30)
	job := b.bulk(t, `{"filter":{"tag":["team:web"]},"action":"delete"}`)
	require.Equal(t, 30, job.Total)
	require.Equal(t, 30, b.ran(t, *job.ID).Changed)
	require.Empty(t, b.all(t, ids))
	log, err := b.store.AuditLog(ctx, b.owner.WorkspaceID, uptime.AuditFilter{UserID: b.owner.UserID}, uptime.Page{Limit: 200})
	require.NoError(t, err)
	counts := map[string]int{}
	for _, line := range log.Items {
		counts[line.Action]++
	}
	require.Equal(t, 30, counts["monitor.delete"], "as if each were deleted alone")
	require.Equal(t, 1, counts["monitor.bulk"])
	undo, err := b.UndoBulk(ctx, b.owner, *job.ID)
	require.NoError(t, err)
	require.Equal(t, 30, b.ran(t, *undo.ID).Changed)
	checks := map[time.Time]bool{}
	for _, m := range b.all(t, ids) {
		checks[m.CheckAt] = true
	}
	require.Greater(t, len(checks), 20, "their checks are spread")
}

func TestBulkUndoEnds(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	_, list := b.fleet(t, 1)
	job := b.bulk(t, `{"ids":`+list+`,"action":"pause"}`)
	_, err := b.UndoBulk(ctx, b.owner, *job.ID)
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err), "not before it is done")
	b.ran(t, *job.ID)
	b.clock.add(uptime.UndoBulkFor)
	v, err := b.BulkJob(ctx, b.owner, *job.ID)
	require.NoError(t, err)
	require.Nil(t, v.UndoUntil)
	_, err = b.UndoBulk(ctx, b.owner, *job.ID)
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
	_, err = b.UndoBulk(ctx, b.as(uptime.RoleViewer), *job.ID)
	require.Equal(t, uptime.CodeForbidden, uptime.CodeOf(err))
}

// TestBulkOfSomebodyWhoLeft: a job does no more than who asked for it may.
func TestBulkOfSomebodyWhoLeft(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	ids, list := b.fleet(t, 2)
	user, _, err := b.CreateUser(ctx, b.owner, json.RawMessage(`{"email":"eve@example.com","role":"editor","password":"`+password+`"}`))
	require.NoError(t, err)
	eve := b.as(uptime.RoleEditor)
	eve.UserID, eve.Name = user.ID, "Eve"
	job, err := b.BulkMonitors(ctx, eve, json.RawMessage(`{"ids":`+list+`,"action":"pause"}`))
	require.NoError(t, err)
	_, err = b.UpdateUser(ctx, b.owner, user.ID, json.RawMessage(`{"role":"viewer"}`), "")
	require.NoError(t, err)
	done := b.ran(t, *job.ID)
	require.Equal(t, [3]int{0, 0, 2}, [3]int{done.Changed, done.Same, done.Skipped})
	for _, m := range b.all(t, ids) {
		require.True(t, m.Enabled)
	}
}

func TestBulkSpreadsResumed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ids, list := b.fleet(t, 12)
	b.ran(t, *b.bulk(t, `{"ids":`+list+`,"action":"pause"}`).ID)
	b.clock.add(time.Hour)
	b.ran(t, *b.bulk(t, `{"filter":{"enabled":false},"action":"resume"}`).ID)
	for i, m := range b.all(t, ids) {
		require.Equal(t, b.clock.Now().Add(time.Duration(i)*5*time.Second), m.CheckAt)
	}
}

func TestBulkCheck(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	ids, list := b.fleet(t, 3)
	_, err := b.PauseMonitor(ctx, b.owner, ids[2])
	require.NoError(t, err)
	var jobs []uptime.Job
	b.queue.onPush = func(j []uptime.Job) { jobs = append(jobs, j...) }
	b.queue.err = uptime.ErrFull
	job := b.bulk(t, `{"ids":`+list+`,"action":"check"}`)
	_, err = b.RunBulkJob(ctx)
	require.ErrorIs(t, err, uptime.ErrFull)
	b.queue.err, jobs = nil, nil
	b.clock.add(30 * time.Second) // others had their turn
	done := b.ran(t, *job.ID)
	require.Equal(t, [3]int{2, 0, 1}, [3]int{done.Changed, done.Same, done.Skipped})
	require.Equal(t, "is paused", done.Skips[0].Reason)
	require.Nil(t, done.UndoUntil, "a check cannot be taken back")
	require.Len(t, jobs, 2)
	require.Equal(t, 20*time.Second, jobs[1].ScheduledAt.Sub(jobs[0].ScheduledAt))
}

func TestBulkSetOfMonitors(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	b.fleet(t, 2)
	dry := b.bulk(t, `{"filter":{},"action":"pause","dry_run":true}`)
	b.fleet(t, 1)
	_, err := b.BulkMonitors(ctx, b.owner, json.RawMessage(`{"filter":{},"action":"pause","set":"`+dry.Set+`"}`))
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
	require.ErrorContains(t, err, "3 by now")
	v := b.bulk(t, `{"ids":[1,1,777],"action":"pause","dry_run":true}`)
	require.Equal(t, [3]int{1, 0, 1}, [3]int{v.Changed, v.Same, v.Skipped})
	require.Equal(t, []manage.BulkSkipView{{ID: 777, Reason: "does not exist"}}, v.Skips)
}

func TestBulkRequestsThatCannotBe(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	b.fleet(t, 1)
	for body, want := range map[string]string{
		`{"ids":[1]}`:                                             "action is required: one of pause, resume, check, silence, unsilence, tag-add, tag-remove, channels, interval, retries, group, delete, tag-rename, group-rename, defaults",
		`{"ids":[1],"action":"undo"}`:                             "action must be one of pause, resume, check, silence, unsilence, tag-add, tag-remove, channels, interval, retries, group, delete, tag-rename, group-rename, defaults",
		`{"action":"pause"}`:                                      "ids is required, or a filter in its place",
		`{"ids":[1],"filter":{},"action":"pause"}`:                "ids is required, or a filter in its place",
		`{"ids":[],"action":"pause"}`:                             "ids must name at least 1 monitor",
		`{"filter":{"status":["sad"]},"action":"pause"}`:          "filter.status must be one of down, degraded, unknown, pending, maintenance, up, paused",
		`{"filter":{"color":"red"},"action":"pause"}`:             "filter.color is not a field of a filter; allowed are status, type, tag, group, q, enabled, silenced",
		`{"filter":7,"action":"pause"}`:                           `filter must be an object such as {"status": ["down"]}`,
		`{"ids":[1],"action":"tag-add"}`:                          "tag is required",
		`{"ids":[1],"action":"tag-add","tag":"a=b"}`:              "tag must have a name of 1 to 50 characters without : , = and control characters",
		`{"ids":[1],"action":"interval"}`:                         "interval is required",
		`{"ids":[1],"action":"interval","interval":"1s"}`:         "interval must be at least 5s",
		`{"ids":[1],"action":"retries","failures_before_down":0}`: "failures_before_down must be from 1 to 20",
		`{"ids":[1],"action":"group"}`:                            "group is required",
		`{"ids":[1],"action":"channels"}`:                         "channel_ids is required",
		`{"ids":[1],"action":"channels","channel_ids":[7]}`:       "channel_ids[0] is not a channel of yours",
		`{"ids":[1],"action":"silence"}`:                          `for is required: for how long, such as "1h", or until when in "until"`,
		`{"ids":[1],"action":"pause","tag":"x"}`:                  "tag is not a field of this request; allowed are action, dry_run, set, ids, filter",
	} {
		_, err := b.BulkMonitors(ctx, b.owner, json.RawMessage(body))
		require.Equal(t, []string{want}, problems(t, err), body)
	}
	_, err := b.BulkMonitors(ctx, b.as(uptime.RoleViewer), json.RawMessage(`{"ids":[1],"action":"pause"}`))
	require.Equal(t, uptime.CodeForbidden, uptime.CodeOf(err))
}

// TestBulkGoesOnAfterADeath: a process that dies in the middle is followed by another one,
// which changes what is left and nothing twice.
func TestBulkGoesOnAfterADeath(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	ids, list := b.fleet(t, 25)
	job := b.bulk(t, `{"ids":`+list+`,"action":"pause"}`)
	dying := b.deps
	dying.BulkWork = &mortal{bulkWork: b.store, steps: 1}
	_, err := manage.New(dying).RunBulkJob(ctx)
	require.ErrorIs(t, err, errDead)
	v, err := b.BulkJob(ctx, b.owner, *job.ID)
	require.NoError(t, err)
	require.Equal(t, manage.BulkRunning, v.Status)
	require.Positive(t, v.Done)
	require.Less(t, v.Done, 25)
	did, err := b.RunBulkJob(ctx)
	require.NoError(t, err)
	require.False(t, did, "its lease holds")
	b.clock.add(time.Minute)
	require.Equal(t, 25, b.ran(t, *job.ID).Changed)
	for _, m := range b.all(t, ids) {
		require.False(t, m.Enabled)
		require.EqualValues(t, 2, m.Version, "changed once")
	}
}

var errDead = errors.New("killed")

type bulkWork interface {
	ClaimBulkJob(ctx context.Context, lease time.Duration) (uptime.BulkJob, error)
	ReleaseBulkJob(ctx context.Context, j uptime.BulkJob) error
	StepBulk(ctx context.Context, j uptime.BulkJob, changes []uptime.BulkChange, lease time.Duration) (uptime.BulkJob, []int64, error)
	UndoableOfBulk(ctx context.Context, jobID int64) ([]int64, error)
	UndoOfBulk(ctx context.Context, jobID int64, ids []int64) ([]uptime.BulkItem, error)
}

// mortal dies after some steps: it can do nothing more, not even let go.
type mortal struct {
	bulkWork
	steps int
}

func (m *mortal) StepBulk(ctx context.Context, j uptime.BulkJob, changes []uptime.BulkChange, lease time.Duration) (uptime.BulkJob, []int64, error) {
	if m.steps--; m.steps < 0 {
		return j, nil, errors.Join(errDead, uptime.ErrUnavailable)
	}
	return m.bulkWork.StepBulk(ctx, j, changes, lease)
}

func (m *mortal) ReleaseBulkJob(context.Context, uptime.BulkJob) error { return errDead }

// TestRunBulk: jobs are done by themselves while the part runs, and it stops when asked to.
func TestRunBulk(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ids, list := b.fleet(t, 3)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	ready := make(chan struct{})
	heard, err := b.bus.Subscribe(ctx, uptime.TopicMonitor)
	require.NoError(t, err)
	go func() { ended <- b.RunBulk(ctx, func() { close(ready) }) }()
	<-ready
	b.bulk(t, `{"ids":`+list+`,"action":"pause"}`)
	for range ids {
		n := <-heard
		require.Contains(t, ids, n.ID)
	}
	stop()
	require.NoError(t, <-ended)
}

// TestRenamedGroupTakesNoOtherAlong: a group whose name only begins like another one's.
func TestRenamedGroupTakesNoOtherAlong(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.monitor(t, `{"name":"Shop","type":"http","group":"Shopping/EU","http":{"url":"https://example.com"}}`)
	dry := b.bulk(t, `{"ids":[1],"action":"group-rename","group":"Shop","to":"Store","dry_run":true}`)
	require.Equal(t, [2]int{0, 1}, [2]int{dry.Changed, dry.Same})
}
