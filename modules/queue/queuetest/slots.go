package queuetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func (s *setup) requireMarks(want time.Time) {
	s.t.Helper()
	marks := s.watermarks()
	require.NotEmpty(s.t, marks)
	for i, m := range marks {
		require.True(s.t, want.Equal(m), "partition %d: want %s, got %s", i, want, m)
	}
}

func watermarks(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	s.requireMarks(time.Time{})
	require.NoError(t, s.Queue.Raise(t.Context(), 1))
	s.requireMarks(time.Time{})
	s.publish(1, time.Second, 1)
	s.requireMarks(s.base.Add(time.Second))
	s.publish(1, 2*time.Second, 1, s.job(1, time.Second))
	s.requireMarks(s.base.Add(2 * time.Second))
}

func upToMonotonic(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	s.publish(1, 5*time.Second, 1)
	s.publish(1, 2*time.Second, 1, s.job(1, 0))
	s.requireMarks(s.base.Add(5 * time.Second))
	require.NoError(t, s.Queue.Publish(t.Context(), uptime.SlotBatch{Epoch: 1, Rate: 1, Slots: Slots(s.jobs(2, 1, 0))}))
	s.requireMarks(s.base.Add(5 * time.Second))
	require.ElementsMatch(t, []int64{1, 2}, ids(s.take(2)), "jobs of such a batch are published")
}

// fenced: a leader that was cut off publishes nothing, in no partition.
func fenced(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	require.NoError(t, s.Queue.Raise(t.Context(), 4))
	s.publish(4, 0, 1, s.job(1, 0))
	require.NoError(t, s.Queue.Raise(t.Context(), 5))
	for id := range int64(64) {
		err := s.Queue.Publish(t.Context(), uptime.SlotBatch{
			Epoch: 4, UpTo: s.base.Add(time.Minute), Slots: Slots([]uptime.Job{s.job(100+id, 0)}), Rate: 1,
		})
		require.ErrorIs(t, err, uptime.ErrFenced, "partition %d", s.Queue.Partition(100+id))
	}
	s.requireMarks(s.base)
	require.Equal(t, []int64{1}, ids(s.drain()))
	s.publish(5, time.Second, 1, s.job(2, 0))
	require.Equal(t, []int64{2}, ids(s.take(1)))
}

func raiseFenced(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	require.NoError(t, s.Queue.Raise(t.Context(), 7))
	require.ErrorIs(t, s.Queue.Raise(t.Context(), 6), uptime.ErrFenced)
	require.NoError(t, s.Queue.Raise(t.Context(), 7), "the same leader may say so again")
	s.publish(7, time.Second, 1)
	s.requireMarks(s.base.Add(time.Second))
}

// publishUnraised: a leader that a partition has never heard of is one whose Raise
// was lost together with what the queue held.
func publishUnraised(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	err := s.Queue.Publish(t.Context(), uptime.SlotBatch{
		Epoch: 9, UpTo: s.base.Add(time.Minute), Slots: Slots(s.jobs(1, 64, 0)), Rate: 1,
	})
	require.ErrorIs(t, err, uptime.ErrLost)
	s.requireMarks(time.Time{})
	s.nothing()
	require.NoError(t, s.Queue.Raise(t.Context(), 9))
	s.publish(9, time.Second, 1, s.job(1, 0))
	require.Equal(t, []int64{1}, ids(s.take(1)))
}

func partitions(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	n := len(s.watermarks())
	require.Positive(t, n)
	count := map[int]int{}
	for id := range int64(1000) {
		p := s.Queue.Partition(id + 1)
		require.Equal(t, p, s.Queue.Partition(id+1))
		require.GreaterOrEqual(t, p, 0)
		require.Less(t, p, n)
		count[p]++
	}
	require.Len(t, count, n, "every partition has monitors")
	for p, c := range count {
		require.Less(t, c, 2*1000/n+10, "partition %d", p)
	}
}

func publishTwice(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	for range 2 {
		s.publish(1, time.Second, 1, s.jobs(1, 20, 0)...)
	}
	require.Len(t, s.drain(), 20)
	s.requireMarks(s.base.Add(time.Second))
}
