package housekeeper

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"monitor/modules/uptime"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// window is one step of the audit.
type window struct{ from, to time.Time }

// books stand for the database.
type books struct {
	mu         sync.Mutex
	calls      map[string][]time.Time
	clock      uptime.Clock
	err        error // of every call
	days       []int
	rollups    []time.Time
	keep       uptime.Retention
	purges     []uptime.Purged // left to be answered
	unknown    map[time.Time][]uptime.Monitor
	since      []time.Time
	last       time.Time
	windows    []window
	failWindow int // the audit fails at this one, 0: never
	reasons    []uptime.MissedReason
}

func (b *books) called(name string) error {
	b.calls[name] = append(b.calls[name], b.clock())
	return b.err
}

func (b *books) at(name string) []time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.calls[name])
}

func (b *books) setErr(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

func (b *books) EnsurePartitions(_ context.Context, days int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.days = append(b.days, days)
	return b.called(TaskPartitions)
}

func (b *books) Rollup(_ context.Context, upTo time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rollups = append(b.rollups, upTo)
	return b.called(TaskRollup)
}

func (b *books) Purge(_ context.Context, keep uptime.Retention) (p uptime.Purged, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keep = keep
	if len(b.purges) > 0 {
		p, b.purges = b.purges[0], b.purges[1:]
	}
	return p, b.called(TaskRetention)
}

func (b *books) UnknownMonitors(_ context.Context, since time.Time) ([]uptime.Monitor, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.since = append(b.since, since)
	return b.unknown[since], b.called(TaskWatchdog)
}

func (b *books) LastAudit(context.Context) (time.Time, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last, b.called(TaskAudit)
}

func (b *books) AuditMissed(_ context.Context, from, to time.Time, reason uptime.MissedReason) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failWindow > 0 && len(b.windows)+1 == b.failWindow {
		b.failWindow = 0
		return 0, uptime.ErrUnavailable
	}
	b.windows = append(b.windows, window{from, to})
	b.reasons = append(b.reasons, reason)
	b.last = to
	return 1, b.err
}

// line is a bus that keeps what was published.
type line struct {
	mu      sync.Mutex
	notices []uptime.Notice
	err     error
}

func (l *line) Publish(_ context.Context, notices ...uptime.Notice) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.notices = append(l.notices, notices...)
	}
	return l.err
}

func (l *line) Subscribe(context.Context, ...uptime.Topic) (<-chan uptime.Notice, error) {
	return nil, uptime.ErrUnavailable
}

// seat leads once, from when it is opened.
type seat chan struct{}

func (s seat) Lead(ctx context.Context, follow func(context.Context, int64) error) error {
	select {
	case <-s:
		return follow(ctx, 1)
	case <-ctx.Done():
		return nil
	}
}

type bundle struct {
	*Housekeeper
	books *books
	line  *line
	seat  seat
}

func setup(t *testing.T, clock uptime.Clock) *bundle {
	t.Helper()
	b := &bundle{
		books: &books{clock: clock, calls: map[string][]time.Time{}, unknown: map[time.Time][]uptime.Monitor{}},
		line:  &line{}, seat: make(seat),
	}
	h, err := New(Params{
		Kept: func(context.Context) (uptime.Retention, error) {
			return uptime.Retention{Results: 30 * 24 * time.Hour}, nil
		},
		Records: b.books, Auditor: b.books, Leader: b.seat, Bus: b.line, Clock: clock,
		Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	b.Housekeeper = h
	return b
}

// task finds one by name.
func (b *bundle) task(name string) *task {
	i := slices.IndexFunc(b.tasks, func(t *task) bool { return t.name == name })
	return b.tasks[i]
}

func (b *bundle) start(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done, ready := make(chan error, 1), make(chan struct{})
	go func() { done <- b.Run(ctx, func() { close(ready) }) }()
	<-ready
	return func() {
		cancel()
		require.NoError(t, <-done)
	}
}

// pass lets time go by, and everything that follows from it happen.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func now() time.Time { return time.Now().UTC() }

func since(began time.Time, times []time.Time) []time.Duration {
	list := make([]time.Duration, len(times))
	for i, at := range times {
		list[i] = at.Sub(began)
	}
	return list
}

func TestTimetable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pass(17 * time.Minute) // the bubble's clock starts at a full hour
		b := setup(t, now)
		stop := b.start(t)
		pass(time.Hour)
		require.Empty(t, b.books.calls, "a standby does nothing")
		began := time.Now() // hh:17
		close(b.seat)
		pass(2*time.Hour + 30*time.Minute)
		stop()
		require.Equal(t, []time.Duration{0, time.Hour, 2 * time.Hour}, since(began, b.books.at(TaskPartitions)))
		require.Equal(t, []int{7, 7, 7}, b.books.days)
		require.Equal(t, []time.Duration{time.Minute, 49 * time.Minute, 109 * time.Minute},
			since(began, b.books.at(TaskRollup)), "soon after the start, then six minutes past the hour")
		for _, upTo := range b.books.rollups {
			require.Equal(t, upTo.Truncate(time.Hour), upTo)
		}
		require.Equal(t, began.Add(49*time.Minute-RollupDelay).UTC(), b.books.rollups[1])
		require.Equal(t, []time.Duration{5 * time.Minute, 65 * time.Minute, 125 * time.Minute}, since(began, b.books.at(TaskAudit)))
		require.Equal(t, []time.Duration{10 * time.Minute, 70 * time.Minute, 130 * time.Minute}, since(began, b.books.at(TaskRetention)))
		require.Len(t, b.books.at(TaskWatchdog), 150*6+1)
		stats := b.Stats()
		require.Len(t, stats, 5)
		require.Equal(t, uint64(3), stats[TaskAudit].Runs)
		require.Zero(t, stats[TaskAudit].Failures)
		require.False(t, stats[TaskAudit].LastSuccess.IsZero())
	})
}

// A failing task is tried again, delays no other, and stops nothing.
func TestFailuresAreRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, now)
		b.books.err = uptime.ErrUnavailable
		close(b.seat)
		stop := b.start(t)
		began := time.Now()
		pass(2*time.Minute + 5*time.Second)
		require.Equal(t, []time.Duration{0, time.Minute, 2 * time.Minute}, since(began, b.books.at(TaskPartitions)))
		require.Len(t, b.books.at(TaskWatchdog), 13)
		b.books.setErr(nil)
		pass(time.Minute)
		require.Len(t, b.books.at(TaskPartitions), 4)
		pass(30 * time.Minute)
		require.Len(t, b.books.at(TaskPartitions), 4, "once it worked, hourly")
		stop()
		stats := b.Stats()[TaskPartitions]
		require.Equal(t, uint64(3), stats.Failures)
		require.Equal(t, uint64(4), stats.Runs)
	})
}

func TestAuditGoesOnFromTheLast(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	b := setup(t, func() time.Time { return at })
	b.books.last = at.Add(-4*time.Hour - 30*time.Minute)
	require.NoError(t, b.audit(t.Context()))
	ago := func(d time.Duration) time.Time { return at.Add(-d) }
	require.Equal(t, []window{
		{ago(270 * time.Minute), ago(210 * time.Minute)},
		{ago(210 * time.Minute), ago(150 * time.Minute)},
		{ago(150 * time.Minute), ago(2 * time.Hour)},
	}, b.books.windows)
	for _, r := range b.books.reasons {
		require.Equal(t, uptime.MissedLost, r)
	}
	require.NoError(t, b.audit(t.Context()))
	require.Len(t, b.books.windows, 3, "nothing is audited twice, nor too early")
	at = at.Add(time.Hour)
	require.NoError(t, b.audit(t.Context()))
	require.Equal(t, window{ago(2 * time.Hour).Add(-time.Hour), ago(2 * time.Hour)}, b.books.windows[3])
}

func TestAuditResumesAfterAFailure(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	b := setup(t, func() time.Time { return at })
	b.books.failWindow = 3
	require.ErrorIs(t, b.audit(t.Context()), uptime.ErrUnavailable)
	require.Len(t, b.books.windows, 2)
	require.NoError(t, b.audit(t.Context()))
	require.Len(t, b.books.windows, int(auditBack/auditWindow))
	require.Equal(t, at.Add(-AuditAfter-auditBack), b.books.windows[0].from)
	for i := 1; i < len(b.books.windows); i++ {
		require.Equal(t, b.books.windows[i-1].to, b.books.windows[i].from)
	}
}

func TestPurgeUntilNothingIsLeft(t *testing.T) {
	t.Parallel()
	b := setup(t, now)
	b.books.purges = []uptime.Purged{{Results: 5}, {Rollups: 1}, {Objects: 2, Incidents: 1}}
	require.NoError(t, b.purge(t.Context()))
	require.Len(t, b.books.at(TaskRetention), 4)
	require.Equal(t, 30*24*time.Hour, b.books.keep.Results)
}

func TestWatchdog(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	at := began
	b := setup(t, func() time.Time { return at })
	first := began.Add(-watchBack)
	b.books.unknown[first] = []uptime.Monitor{{ID: 7, WorkspaceID: 2}, {ID: 8, WorkspaceID: 3}}
	dog := b.task(TaskWatchdog)

	b.line.err = uptime.ErrUnavailable
	require.Error(t, b.runOnce(t.Context(), dog))
	b.line.err = nil
	at = at.Add(5 * time.Second)
	require.NoError(t, b.runOnce(t.Context(), dog))
	require.Len(t, b.line.notices, 2)
	n := b.line.notices[1]
	require.Equal(t, uptime.TopicStatus, n.Topic)
	require.Equal(t, []int64{3, 8}, []int64{n.WorkspaceID, n.ID})
	require.JSONEq(t, `{"id":8,"status":"unknown"}`, string(n.Data))

	looked := at
	for range 2 { // a look that fails is made up for
		at = at.Add(watchEvery)
		b.books.err = uptime.ErrUnavailable
		require.Error(t, b.runOnce(t.Context(), dog))
	}
	b.books.err = nil
	require.NoError(t, b.runOnce(t.Context(), dog))
	require.Equal(t, looked, b.books.since[len(b.books.since)-1])
	require.Len(t, b.line.notices, 2, "nothing is announced twice")
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	_, err := New(Params{})
	require.Error(t, err)
	p := setup(t, now).Params
	p.Kept = nil
	_, err = New(p)
	require.Error(t, err)
}

func TestStartStopStress(t *testing.T) {
	t.Parallel()
	b := setup(t, now)
	close(b.seat)
	for i := range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		ready := func() {}
		if i%2 == 0 {
			ready = cancel
		} else {
			time.AfterFunc(time.Duration(i)*10*time.Microsecond, cancel)
		}
		require.NoError(t, b.Run(ctx, ready))
		cancel()
	}
}
