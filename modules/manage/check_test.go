package manage_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/bus"
	"monitor/modules/manage"
	"monitor/modules/store"
	"monitor/modules/uptime"
)

func TestCheckNowWaitsForTheCommit(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	require.NoError(t, b.store.EnsurePartitions(ctx, 2))
	v := b.monitor(t, leastMonitor)
	b.clock.add(time.Second)
	failed := make(chan error, 1)
	b.queue.onPush = func(jobs []uptime.Job) {
		job := jobs[0]
		result := uptime.Result{
			MonitorID: job.MonitorID, WorkspaceID: job.Spec.WorkspaceID, Region: job.Region, ScheduledAt: job.ScheduledAt,
			StartedAt: job.ScheduledAt, Attempt: job.Attempt,
			Outcome: uptime.Outcome{Status: uptime.Up, Response: 87400 * time.Microsecond, StatusCode: 204},
		}
		_, err := b.store.Record(ctx, []uptime.Result{result}, func(s uptime.Situation) uptime.Decision { return uptime.Decision{State: s.Monitor.State} })
		failed <- errors.Join(err, b.bus.Publish(ctx, uptime.Notice{Topic: uptime.TopicResult, WorkspaceID: 1, ID: job.MonitorID, Slot: job.ScheduledAt}))
	}
	result, err := b.CheckNow(ctx, b.owner, v.ID)
	require.NoError(t, err)
	require.NoError(t, <-failed)
	require.Equal(t, uptime.Up, result.Status)
	require.InDelta(t, 87.4, result.ResponseMS, 0.001)
	require.Equal(t, 204, *result.StatusCode)
	require.Equal(t, b.clock.Now(), result.ScheduledAt)
}

func TestCheckNowWithoutQueue(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := b.monitor(t, leastMonitor)
	b.queue.err = uptime.ErrFull
	_, err := b.CheckNow(context.Background(), b.owner, v.ID)
	require.Equal(t, uptime.CodeUnavailable, uptime.CodeOf(err))
	require.ErrorContains(t, err, "queue of checks is full")
	b.queue.err = uptime.ErrUnavailable
	_, err = b.CheckNow(context.Background(), b.owner, v.ID)
	require.Equal(t, uptime.CodeUnavailable, uptime.CodeOf(err))
	require.ErrorContains(t, err, "Redis, which holds the queue")
	b.queue.err = nil
	ctx, cancel := context.WithCancel(context.Background())
	b.queue.onPush = func([]uptime.Job) { cancel() }
	_, err = b.CheckNow(ctx, b.owner, v.ID)
	require.ErrorIs(t, err, context.Canceled, "who asked has gone")
}

func TestMonitorTestStoresNothing(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	view, err := b.TestMonitor(ctx, b.owner, json.RawMessage(`{"type":"http","timeout":"30s","http":{"url":"https://u:hunter2@example.com"}}`))
	require.NoError(t, err)
	require.Equal(t, uptime.Up, view.Status)
	require.Equal(t, "192.0.2.1:443", view.Address)
	require.Equal(t, "hello", view.Excerpt)
	require.Contains(t, string(b.prober.specs[0].Settings), "hunter2", "the probe gets the secret in clear")
	require.Equal(t, 30*time.Second, b.prober.specs[0].Timeout)
	list, err := b.Monitors(ctx, b.owner, uptime.MonitorFilter{}, uptime.Page{})
	require.NoError(t, err)
	require.Empty(t, list.Items)
	require.Equal(t, []string{"monitor.test"}, b.audits.actions())
	require.NotContains(t, string(b.audits.lines[0].Detail), "hunter2")

	b.prober.err = errors.New("no sockets left")
	view, err = b.TestMonitor(ctx, b.owner, json.RawMessage(leastMonitor))
	require.NoError(t, err)
	require.Equal(t, uptime.Unknown, view.Status)
	require.Equal(t, uptime.KindInternal, view.ErrorKind)
}

func TestMonitorTestOfAStoredOneHasItsSecrets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := b.monitor(t, `{"name":"Shop","type":"http","http":{"url":"https://u:hunter2@example.com"}}`)
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	_, err = b.TestMonitor(context.Background(), b.owner, raw)
	require.NoError(t, err)
	require.Contains(t, string(b.prober.specs[0].Settings), "https://u:hunter2@example.com")
	_, err = b.TestMonitor(context.Background(), b.owner, json.RawMessage(`{"id":99,"type":"http","http":{"url":"https://example.com"}}`))
	require.ErrorIs(t, err, uptime.ErrNotFound)
}

type oneMonitor struct{ *store.Store }

func (oneMonitor) Monitor(context.Context, int64, int64) (uptime.Monitor, error) {
	return uptime.Monitor{ID: 7, Enabled: true, Timeout: 10 * time.Second, Interval: time.Minute, Regions: []string{"eu"}}, nil
}

type noResult struct{ *store.Store }

func (noResult) Result(context.Context, int64, int64, string, time.Time) (uptime.Result, error) {
	return uptime.Result{}, uptime.ErrNotFound
}

func TestCheckNowGivesUpAfterTimeoutAndGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := manage.New(manage.Deps{
			Monitors: oneMonitor{}, Results: noResult{}, Bus: bus.NewMemory(), Queue: &queue{}, Clock: uptime.SystemClock,
		})
		began := time.Now()
		_, err := m.CheckNow(t.Context(), uptime.Actor{WorkspaceID: 1, Role: uptime.RoleEditor}, 7)
		require.Equal(t, uptime.CodeNoWorker, uptime.CodeOf(err))
		require.ErrorContains(t, err, `No worker of the region "eu" answered in time.`)
		require.Equal(t, 15*time.Second, time.Since(began))
		synctest.Wait()
	})
}
