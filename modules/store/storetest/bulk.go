package storetest

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// RunBulk is the conformance suite of jobs on many monitors.
func RunBulk(t *testing.T, open OpenFunc) {
	for name, test := range map[string]func(*testing.T, OpenFunc){
		"Life": testBulkLife, "Steps": testBulkSteps, "Turns": testBulkTurns, "LeftBehind": testBulkLeftBehind,
		"OneAlone": testBulkOneAlone, "Restore": testBulkRestore, "UndoneOnce": testBulkUndoneOnce, "Purged": testBulkPurged,
		"Choice": testBulkChoice, "Together": testBulkTogether,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

const bulkLease = time.Minute

func (h house) bulk(t *testing.T, ids ...int64) uptime.BulkJob {
	t.Helper()
	job, err := h.CreateBulkJob(t.Context(), uptime.BulkJob{
		WorkspaceID: h.ws, UserID: 3, UserName: "Mia", Address: "10.0.0.1", Action: json.RawMessage(`{"action":"pause"}`), IDs: ids,
	}, nil)
	require.NoError(t, err)
	return job
}

func (h house) claimBulk(t *testing.T) uptime.BulkJob {
	t.Helper()
	job, err := h.ClaimBulkJob(t.Context(), bulkLease)
	require.NoError(t, err)
	return job
}

func (h house) many(t *testing.T, n int) (monitors []uptime.Monitor, ids []int64) {
	t.Helper()
	for range n {
		m := h.monitor(t)
		monitors, ids = append(monitors, m), append(ids, m.ID)
	}
	return monitors, ids
}

// pausing is what pauses a monitor, with what resumes it.
func (h house) pausing(id int64) uptime.BulkChange {
	return uptime.BulkChange{
		MonitorID: id,
		Mutate:    func(m *uptime.Monitor) error { m.Enabled = false; return nil },
		Undo: func(before, _ uptime.Monitor) json.RawMessage {
			return json.RawMessage(`{"was":"` + before.Name + `"}`)
		},
		Audit: &uptime.Audit{WorkspaceID: h.ws, Action: "monitor.pause", ObjectType: "monitor", ObjectID: id},
	}
}

func testBulkLife(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	_, err := h.ClaimBulkJob(t.Context(), bulkLease)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, ids := h.many(t, 3)
	job := h.bulk(t, ids...)
	require.Equal(t, 3, job.Total)
	require.True(t, job.StartedAt.IsZero())
	claimed := h.claimBulk(t)
	require.Equal(t, ids, claimed.IDs)
	require.Equal(t, "Mia", claimed.UserName)
	require.Equal(t, h.clock.Now(), claimed.StartedAt)
	_, err = h.ClaimBulkJob(t.Context(), bulkLease)
	require.ErrorIs(t, err, uptime.ErrNotFound, "it is held")

	after, changed, err := h.StepBulk(t.Context(), claimed, []uptime.BulkChange{h.pausing(ids[0]), h.pausing(ids[1])}, bulkLease)
	require.NoError(t, err)
	require.Equal(t, ids[:2], changed)
	require.Equal(t, 2, after.Position)
	require.True(t, after.FinishedAt.IsZero())
	after, _, err = h.StepBulk(t.Context(), after, []uptime.BulkChange{{MonitorID: ids[2], Name: "n", Skip: "is paused"}}, bulkLease)
	require.NoError(t, err)
	require.Equal(t, h.clock.Now(), after.FinishedAt)

	got, err := h.BulkJob(t.Context(), h.ws, job.ID)
	require.NoError(t, err)
	require.Equal(t, []int{3, 3, 2, 0, 1}, []int{got.Total, got.Position, got.Changed, got.Same, got.Skipped})
	require.Equal(t, after.FinishedAt, got.FinishedAt)
	skipped, err := h.SkippedOfBulk(t.Context(), job.ID, 10)
	require.NoError(t, err)
	require.Equal(t, []uptime.BulkItem{{MonitorID: ids[2], Name: "n", Skipped: "is paused", Undo: json.RawMessage{}}}, skipped)
	can, err := h.UndoableOfBulk(t.Context(), job.ID)
	require.NoError(t, err)
	require.Equal(t, ids[:2], can)
	undo, err := h.UndoOfBulk(t.Context(), job.ID, ids[1:])
	require.NoError(t, err)
	require.Len(t, undo, 1)
	require.Contains(t, string(undo[0].Undo), "was")
	log, err := h.AuditLog(t.Context(), h.ws, uptime.AuditFilter{ObjectType: "monitor"}, uptime.Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, log.Items, 2, "a line for each that was changed")
	_, err = h.BulkJob(t.Context(), h.ws+1, job.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
}

// testBulkSteps: a step is made once, by who holds the job.
func testBulkSteps(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	_, ids := h.many(t, 2)
	h.bulk(t, ids...)
	old := h.claimBulk(t)
	first := []uptime.BulkChange{h.pausing(ids[0])}
	after, _, err := h.StepBulk(t.Context(), old, first, bulkLease)
	require.NoError(t, err)
	_, _, err = h.StepBulk(t.Context(), old, first, bulkLease)
	require.ErrorIs(t, err, uptime.ErrStale, "it was made")
	h.clock.Advance(bulkLease)
	next := h.claimBulk(t)
	require.Equal(t, 1, next.Position)
	_, _, err = h.StepBulk(t.Context(), after, []uptime.BulkChange{h.pausing(ids[1])}, bulkLease)
	require.ErrorIs(t, err, uptime.ErrStale, "another one holds it")
	m, err := h.Monitor(t.Context(), h.ws, ids[1])
	require.NoError(t, err)
	require.True(t, m.Enabled)
	require.NoError(t, h.ReleaseBulkJob(t.Context(), after))
	_, err = h.ClaimBulkJob(t.Context(), bulkLease)
	require.ErrorIs(t, err, uptime.ErrNotFound, "an older claim releases nothing")
	require.NoError(t, h.ReleaseBulkJob(t.Context(), next))
	require.Equal(t, next.Claim+1, h.claimBulk(t).Claim)
}

// testBulkTurns: the jobs of a workspace are done one after the other, those of others beside
// them.
func testBulkTurns(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	_, ids := h.many(t, 1)
	first, second := h.bulk(t, ids...), h.bulk(t, ids...)
	held := h.claimBulk(t)
	require.Equal(t, first.ID, held.ID)
	other := h
	other.ws = h.second(t, h.user(t, uptime.RoleOwner)).ID
	beside := other.bulk(t, 5)
	require.Equal(t, beside.ID, h.claimBulk(t).ID)
	_, err := h.ClaimBulkJob(t.Context(), bulkLease)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, _, err = h.StepBulk(t.Context(), held, []uptime.BulkChange{h.pausing(ids[0])}, bulkLease)
	require.NoError(t, err)
	again := h.claimBulk(t)
	require.Equal(t, second.ID, again.ID)
	after, changed, err := h.StepBulk(t.Context(), again, []uptime.BulkChange{h.pausing(ids[0])}, bulkLease)
	require.NoError(t, err)
	require.Empty(t, changed)
	require.Equal(t, 1, after.Same, "it is paused already")
	for range 20 {
		h.bulk(t, ids...)
	}
	_, err = h.CreateBulkJob(t.Context(), uptime.BulkJob{WorkspaceID: h.ws, Action: json.RawMessage(`{}`), IDs: ids}, nil)
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err), "there is an end to waiting")
}

// testBulkLeftBehind: a process that dies is followed by another, with the next monitor.
func testBulkLeftBehind(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	_, ids := h.many(t, 3)
	h.bulk(t, ids...)
	for i := range ids {
		held := h.claimBulk(t)
		require.Equal(t, i, held.Position)
		_, changed, err := h.StepBulk(t.Context(), held, []uptime.BulkChange{h.pausing(held.IDs[held.Position])}, bulkLease)
		require.NoError(t, err)
		require.Equal(t, ids[i:i+1], changed)
		h.clock.Advance(bulkLease)
	}
	_, err := h.ClaimBulkJob(t.Context(), bulkLease)
	require.ErrorIs(t, err, uptime.ErrNotFound)
}

// testBulkOneAlone: what cannot be done to one monitor leaves the others of its step as they
// are to be.
func testBulkOneAlone(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	monitors, ids := h.many(t, 4)
	require.NoError(t, h.DeleteMonitor(t.Context(), h.ws, ids[1], nil))
	change(t, h, ids[3], func(m *uptime.Monitor) { m.ExternalKey = "taken" })
	h.bulk(t, ids...)
	refused := h.pausing(ids[2])
	refused.Mutate = func(m *uptime.Monitor) error {
		m.Enabled = false
		return uptime.Invalid(uptime.FieldError{Field: "interval", Message: "is too short"})
	}
	clash := h.pausing(ids[0])
	clash.Mutate = func(m *uptime.Monitor) error { m.ExternalKey = "taken"; return nil }
	after, changed, err := h.StepBulk(t.Context(), h.claimBulk(t), []uptime.BulkChange{clash, h.pausing(ids[1]), refused, h.pausing(ids[3])}, bulkLease)
	require.NoError(t, err)
	require.Equal(t, ids[3:], changed)
	require.Equal(t, 3, after.Skipped)
	skipped, err := h.SkippedOfBulk(t.Context(), after.ID, 10)
	require.NoError(t, err)
	var words []string
	for _, s := range skipped {
		words = append(words, s.Name+": "+s.Skipped)
	}
	require.Equal(t, []string{
		monitors[0].Name + ": Its external key is taken by another monitor.", ": It does not exist any more.", monitors[2].Name + ": interval is too short",
	}, words)
	m, err := h.Monitor(t.Context(), h.ws, ids[2])
	require.NoError(t, err)
	require.True(t, m.Enabled)
}

func testBulkRestore(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	_, ids := h.many(t, 2)
	h.bulk(t, ids...)
	_, changed, err := h.StepBulk(t.Context(), h.claimBulk(t), []uptime.BulkChange{{MonitorID: ids[0], Delete: true}, {MonitorID: ids[1], Delete: true}}, bulkLease)
	require.NoError(t, err)
	require.Equal(t, ids, changed)
	_, err = h.Monitor(t.Context(), h.ws, ids[0])
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, err = h.RestoreMonitor(t.Context(), h.ws, ids[1], nil)
	require.NoError(t, err)
	check := h.clock.Now().Add(7 * time.Second)
	h.bulk(t, ids...)
	after, changed, err := h.StepBulk(t.Context(), h.claimBulk(t), []uptime.BulkChange{{MonitorID: ids[0], Restore: check}, {MonitorID: ids[1], Restore: check}}, bulkLease)
	require.NoError(t, err)
	require.Equal(t, ids[:1], changed)
	require.Equal(t, 1, after.Skipped)
	m, err := h.Monitor(t.Context(), h.ws, ids[0])
	require.NoError(t, err)
	require.Equal(t, check, m.CheckAt)

	// A silence is a change, too.
	h.bulk(t, ids[0])
	silence := uptime.Silence{Until: h.clock.Now().Add(time.Hour), By: "Mia"}
	_, changed, err = h.StepBulk(t.Context(), h.claimBulk(t), []uptime.BulkChange{{MonitorID: ids[0], Silence: &silence}}, bulkLease)
	require.NoError(t, err)
	require.Equal(t, ids[:1], changed)
}

func testBulkUndoneOnce(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	_, ids := h.many(t, 1)
	job := h.bulk(t, ids...)
	undo := uptime.BulkJob{WorkspaceID: h.ws, Action: json.RawMessage(`{"action":"undo"}`), IDs: ids, Undoes: job.ID}
	made, err := h.CreateBulkJob(t.Context(), undo, nil)
	require.NoError(t, err)
	_, err = h.CreateBulkJob(t.Context(), undo, nil)
	require.ErrorIs(t, err, uptime.ErrConflict)
	got, err := h.BulkJob(t.Context(), h.ws, job.ID)
	require.NoError(t, err)
	require.Equal(t, made.ID, got.UndoneBy)
}

func testBulkPurged(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	_, ids := h.many(t, 2)
	job, waits := h.bulk(t, ids...), h.bulk(t, ids...)
	_, _, err := h.StepBulk(t.Context(), h.claimBulk(t), []uptime.BulkChange{h.pausing(ids[0]), h.pausing(ids[1])}, bulkLease)
	require.NoError(t, err)
	h.clock.Advance(uptime.KeepBulkFor + time.Hour)
	_, err = h.Purge(t.Context(), uptime.Retention{})
	require.NoError(t, err)
	_, err = h.BulkJob(t.Context(), h.ws, job.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, err = h.BulkJob(t.Context(), h.ws, waits.ID)
	require.NoError(t, err)
}

func testBulkChoice(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	_, ids := h.many(t, 4)
	change(t, h, ids[2], func(m *uptime.Monitor) { m.Enabled = false })
	require.NoError(t, h.DeleteMonitor(t.Context(), h.ws, ids[3], nil))
	got, err := h.MonitorIDs(t.Context(), h.ws, uptime.MonitorFilter{}, 10)
	require.NoError(t, err)
	require.Equal(t, ids[:3], got)
	got, err = h.MonitorIDs(t.Context(), h.ws, uptime.MonitorFilter{Statuses: []uptime.Status{uptime.Paused}}, 10)
	require.NoError(t, err)
	require.Equal(t, ids[2:3], got)
	got, err = h.MonitorIDs(t.Context(), h.ws, uptime.MonitorFilter{}, 2)
	require.NoError(t, err)
	require.Len(t, got, 2)
	list, err := h.MonitorsOf(t.Context(), h.ws, ids)
	require.NoError(t, err)
	require.Len(t, list, 3)
	list, err = h.MonitorsOf(t.Context(), h.ws+1, ids)
	require.NoError(t, err)
	require.Empty(t, list)
}

// testBulkTogether: processes that reach for the same jobs, while results are recorded, do
// each monitor of each once.
func testBulkTogether(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	monitors, ids := h.many(t, 12)
	for range 3 {
		h.bulk(t, ids...)
	}
	var left atomic.Int64
	left.Store(3)
	var done atomic.Int64
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for left.Load() > 0 {
				job, err := h.ClaimBulkJob(t.Context(), bulkLease)
				if err != nil {
					assert.ErrorIs(t, err, uptime.ErrNotFound)
					continue
				}
				for job.FinishedAt.IsZero() {
					var changes []uptime.BulkChange
					for _, id := range ids[job.Position : job.Position+4] {
						changes = append(changes, uptime.BulkChange{MonitorID: id, Mutate: func(m *uptime.Monitor) error {
							m.FailuresBeforeDown++
							return nil
						}})
					}
					next, changed, err := h.StepBulk(t.Context(), job, changes, bulkLease)
					if !assert.NoError(t, err) {
						return
					}
					job = next
					done.Add(int64(len(changed)))
				}
				left.Add(-1)
			}
		})
	}
	all.Go(func() {
		for i := range 20 {
			var batch []uptime.Result
			for _, m := range monitors {
				batch = append(batch, plainResult(m, h.clock.Now().Add(time.Duration(i)*time.Millisecond), uptime.Down))
			}
			_, err := h.Record(t.Context(), batch, uptime.Judge(h.eventID))
			assert.NoError(t, err)
		}
	})
	all.Wait()
	require.EqualValues(t, 36, done.Load())
	for _, id := range ids {
		m, err := h.Monitor(t.Context(), h.ws, id)
		require.NoError(t, err)
		require.Equal(t, 4, m.FailuresBeforeDown)
	}
}
