// Package queuetest is the conformance suite of uptime.JobQueue and
// uptime.SlotPublisher.
package queuetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// patience bounds every wait for something that must come; quiet is how long
// the suite looks for something that must not.
const (
	patience = 10 * time.Second
	quiet    = 40 * time.Millisecond
)

// Queue is what the suite tests: both sides of one queue.
type Queue interface {
	uptime.JobQueue
	uptime.SlotPublisher
}

// Fixture is an empty queue with a clock that the suite moves.
type Fixture struct {
	Queue Queue
	// Now is the queue's clock.
	Now uptime.Clock
	// Advance moves the queue's clock and wakes those who wait in Take for a
	// time that has come. A queue on a server sends an offset with its scripts.
	Advance func(d time.Duration)
}

// Factory makes a fixture that ends with the test. bound is the most jobs held,
// 0: the default; a queue that keeps its bound by partition makes one of them only
// where a bound is given.
type Factory func(t *testing.T, bound int) Fixture

const region = "default"

// setup is what each test works with.
type setup struct {
	Fixture
	t    *testing.T
	base time.Time // the clock at the start, in whole milliseconds
}

// together gives n ids, from first on, of monitors that share a partition: only
// within one is there an order.
func (s *setup) together(first int64, n int) []int64 {
	list := []int64{first}
	for id := first + 1; len(list) < n; id++ {
		if s.Queue.Partition(id) == s.Queue.Partition(first) {
			list = append(list, id)
		}
	}
	return list
}

func start(t *testing.T, fresh Factory, bound int) *setup {
	t.Helper()
	f := fresh(t, bound)
	require.NoError(t, f.Queue.Raise(t.Context(), 1))
	return &setup{Fixture: f, t: t, base: f.Now().Truncate(time.Millisecond)}
}

// job is one of a monitor with an interval of an hour and a timeout of 10 s.
func (s *setup) job(id int64, slot time.Duration) uptime.Job {
	return uptime.Job{
		MonitorID: id, Region: region, ScheduledAt: s.base.Add(slot), Attempt: 1,
		Spec: uptime.Spec{
			WorkspaceID: 1, RowKey: "row", Type: "http",
			Interval: time.Hour, Timeout: 10 * time.Second, Settings: []byte(`{"url":"https://example.com"}`),
		},
	}
}

// jobs are n of them at one slot, with ids from first on.
func (s *setup) jobs(first int64, n int, slot time.Duration) []uptime.Job {
	list := make([]uptime.Job, n)
	for i := range list {
		list[i] = s.job(first+int64(i), slot)
	}
	return list
}

// Slots are these jobs as a leader publishes them: first attempts all.
func Slots(jobs []uptime.Job) []uptime.Slot {
	list := make([]uptime.Slot, len(jobs))
	for i, j := range jobs {
		list[i] = uptime.Slot{MonitorID: j.MonitorID, Region: j.Region, At: j.ScheduledAt.UnixMilli(), Spec: uptime.Pack(j.Spec)}
	}
	return list
}

func (s *setup) publish(epoch int64, upTo time.Duration, rate float64, jobs ...uptime.Job) {
	s.t.Helper()
	require.NoError(s.t, s.Queue.Publish(s.t.Context(), uptime.SlotBatch{
		Epoch: epoch, UpTo: s.base.Add(upTo), Slots: Slots(jobs), Rate: rate,
	}))
}

// take waits for want jobs, in as many calls as it needs.
func (s *setup) take(want int) []uptime.Lease {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	var all []uptime.Lease
	for len(all) < want {
		leases, err := s.Queue.Take(ctx, region, want-len(all))
		require.NoError(s.t, err, "took %d of %d", len(all), want)
		all = append(all, leases...)
	}
	require.Len(s.t, all, want)
	return all
}

// drain takes what can be taken now.
func (s *setup) drain() []uptime.Lease {
	s.t.Helper()
	var all []uptime.Lease
	for idle := false; ; {
		ctx, cancel := context.WithTimeout(s.t.Context(), quiet)
		leases, err := s.Queue.Take(ctx, region, 1000)
		cancel()
		if err != nil {
			require.ErrorIs(s.t, err, context.DeadlineExceeded)
			if idle {
				return all
			}
			idle = true // once may be a machine that was busy with others
			continue
		}
		idle = false
		all = append(all, leases...)
	}
}

func (s *setup) nothing() {
	s.t.Helper()
	require.Empty(s.t, s.drain())
}

func (s *setup) ack(leases ...uptime.Lease) {
	s.t.Helper()
	require.NoError(s.t, s.Queue.Ack(s.t.Context(), receipts(leases)))
}

func (s *setup) depth() uptime.QueueDepth {
	s.t.Helper()
	d, err := s.Queue.Depth(s.t.Context())
	require.NoError(s.t, err)
	return d
}

func (s *setup) watermarks() []time.Time {
	s.t.Helper()
	marks, err := s.Queue.Watermarks(s.t.Context())
	require.NoError(s.t, err)
	return marks
}

func receipts(leases []uptime.Lease) []string {
	list := make([]string, len(leases))
	for i, l := range leases {
		list[i] = l.Receipt
	}
	return list
}

func ids(leases []uptime.Lease) []int64 {
	list := make([]int64, len(leases))
	for i, l := range leases {
		list[i] = l.MonitorID
	}
	return list
}
