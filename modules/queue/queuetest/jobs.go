package queuetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// lease is how long the suite's jobs stay with a worker that took them at or
// after their slot.
const lease = 10*time.Second + uptime.LeaseMargin

// Run tests an implementation.
func Run(t *testing.T, fresh Factory) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Factory){
		"JobsComeAsTheyWere":        comesAsItWas,
		"AckEndsAJob":               ackEnds,
		"LeaseIsReclaimed":          reclaimed,
		"LeaseIsRenewed":            renewed,
		"LeaseCountsFromTheSlot":    leaseFromSlot,
		"StaleReceiptRenewsNothing": staleRenew,
		"EndedLeaseIsStillOurs":     endedLease,
		"DelayedUntilTakeAhead":     delayed,
		"WaitingTakeWakes":          wakes,
		"EarliestFirstOnTime":       earliestFirst,
		"NewestFirstInABacklog":     newestFirst,
		"NewestOfALongBacklog":      newestOfMany,
		"BacklogIsPaced":            paced,
		"PaceIsInSum":               pacedInSum,
		"PaceAfterStop":             pacedAfterStop,
		"OnTimeIsNotPaced":          onTimeNotPaced,
		"ExpiredIsMarked":           expires,
		"ExpiredDoesNotStarve":      expiredShare,
		"RegionsAreApart":           regions,
		"SameKeyIsAbsorbed":         absorbed,
		"PushIsBounded":             pushBounded,
		"PublishDropsOldest":        publishBounded,
		"Depth":                     depths,
		"CancelledTake":             cancelled,
		"Concurrency":               concurrent,
		"Watermarks":                watermarks,
		"UpToNeverMovesBack":        upToMonotonic,
		"StaleLeaderIsFenced":       fenced,
		"RaiseIsFenced":             raiseFenced,
		"UnraisedPublishIsLost":     publishUnraised,
		"PartitionsSpread":          partitions,
		"PublishTwiceIsHarmless":    publishTwice,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, fresh)
		})
	}
}

func comesAsItWas(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	job := s.job(7, 0)
	job.Attempt = 3
	require.NoError(t, s.Queue.Push(t.Context(), []uptime.Job{job}))
	got := s.take(1)[0]
	require.True(t, job.ScheduledAt.Equal(got.ScheduledAt))
	got.ScheduledAt = job.ScheduledAt
	require.Equal(t, job, got.Job)
	require.Equal(t, 1, got.Taken)
	require.False(t, got.Expired)
	require.NotEmpty(t, got.Receipt)
}

func ackEnds(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	s.publish(1, 0, 0, s.job(1, 0), s.job(2, 0))
	leases := s.take(2)
	s.ack(leases...)
	s.ack(leases...)
	require.NoError(t, s.Queue.Ack(t.Context(), []string{"unknown", ""}))
	s.Advance(2 * lease)
	s.nothing()
	require.Equal(t, uptime.QueueDepth{}, s.depth())
}

func reclaimed(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	s.publish(1, 0, 0, s.job(1, 0), s.job(2, 0))
	first := s.take(2)
	s.ack(first[0])
	s.Advance(lease - time.Second)
	s.nothing()
	s.Advance(time.Second)
	again := s.take(1)[0]
	require.Equal(t, first[1].Key(), again.Key())
	require.Equal(t, 2, again.Taken)
	require.NotEqual(t, first[1].Receipt, again.Receipt)
	s.ack(again)
	s.Advance(lease)
	s.nothing()
}

func renewed(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	s.publish(1, 0, 0, s.job(1, 0))
	got := s.take(1)
	for range 3 {
		s.Advance(lease - time.Second)
		require.NoError(t, s.Queue.Renew(t.Context(), append(receipts(got), "unknown")))
	}
	s.Advance(lease - time.Second)
	s.nothing()
	s.Advance(time.Second)
	require.Equal(t, 2, s.take(1)[0].Taken)
}

func leaseFromSlot(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	s.publish(1, time.Second, 0, s.job(1, uptime.TakeAhead))
	s.take(1)
	s.Advance(lease)
	s.nothing()
	s.Advance(uptime.TakeAhead)
	s.take(1)
}

func staleRenew(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	s.publish(1, 0, 0, s.job(1, 0))
	first := s.take(1)
	s.Advance(lease)
	s.take(1)
	s.Advance(lease / 2)
	require.NoError(t, s.Queue.Renew(t.Context(), receipts(first)))
	s.Advance(lease / 2)
	require.Equal(t, 3, s.take(1)[0].Taken)
}

// endedLease: until a job is handed out again, who had it last may end it or go on.
func endedLease(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	for _, id := range s.together(1, 3) {
		s.publish(1, 0, 0, s.job(id, 0))
	}
	first := s.take(3)
	s.Advance(lease)
	again := s.take(1)[0]
	var kept []uptime.Lease
	for _, l := range first {
		if l.MonitorID != again.MonitorID {
			kept = append(kept, l)
		}
	}
	s.ack(kept[0])
	require.NoError(t, s.Queue.Renew(t.Context(), receipts(kept[1:])))
	s.nothing()
	require.Equal(t, uptime.QueueDepth{Leased: 2}, s.depth())
	s.Advance(lease - time.Second)
	s.nothing()
	s.ack(kept[1], again)
	s.Advance(lease)
	s.nothing()
	require.Equal(t, uptime.QueueDepth{}, s.depth())
}

func delayed(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	require.NoError(t, s.Queue.Push(t.Context(), []uptime.Job{s.job(1, 20*time.Second)}))
	require.Equal(t, uptime.QueueDepth{Delayed: 1}, s.depth())
	s.nothing()
	s.Advance(20*time.Second - uptime.TakeAhead - time.Millisecond)
	s.nothing()
	s.Advance(time.Millisecond)
	s.take(1)
}

func wakes(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	got := s.taking(t.Context())
	s.publish(1, 0, 0, s.job(1, 0))
	require.Equal(t, []int64{1}, ids((<-got).leases))

	got = s.taking(t.Context())
	require.NoError(t, s.Queue.Push(t.Context(), []uptime.Job{s.job(2, 30*time.Second)}))
	s.Advance(30*time.Second - uptime.TakeAhead)
	// Monitor 1 was not acknowledged: it comes again with the other.
	require.Contains(t, []int64{1, 2}, ids((<-got).leases)[0])
}

// taken is what a Take in another goroutine came to.
type taken struct {
	leases []uptime.Lease
	err    error
}

func (s *setup) taking(ctx context.Context) <-chan taken {
	out := make(chan taken, 1)
	go func() {
		leases, err := s.Queue.Take(ctx, region, 10)
		out <- taken{leases, err}
	}()
	return out
}

func regions(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	here, there := s.job(1, 0), s.job(1, 0)
	there.Region = "eu"
	s.publish(1, 0, 0, here, there)
	require.Equal(t, region, s.take(1)[0].Region)
	s.nothing()
	leases, err := s.Queue.Take(t.Context(), "eu", 5)
	require.NoError(t, err)
	require.Len(t, leases, 1)
	require.Equal(t, "eu", leases[0].Region)
}

func absorbed(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	job := s.job(1, 0)
	s.publish(1, 0, 0, job, job)
	require.NoError(t, s.Queue.Push(t.Context(), []uptime.Job{job}))
	require.Equal(t, int64(1), s.depth().Ready)
	leases := s.take(1)
	require.NoError(t, s.Queue.Push(t.Context(), []uptime.Job{job}))
	s.nothing()
	s.ack(leases...)
	s.Advance(2 * lease)
	s.nothing()
}

func pushBounded(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 10)
	require.NoError(t, s.Queue.Push(t.Context(), s.jobs(1, 10, 0)))
	require.ErrorIs(t, s.Queue.Push(t.Context(), s.jobs(11, 1, 0)), uptime.ErrFull)
	s.ack(s.take(10)...)
	require.NoError(t, s.Queue.Push(t.Context(), s.jobs(11, 1, 0)))
	require.Equal(t, []int64{11}, ids(s.take(1)))
}

func publishBounded(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 10)
	s.publish(1, -20*time.Second, 0, s.jobs(1, 6, -30*time.Second)...)
	s.publish(1, 0, 0, s.jobs(101, 10, 0)...)
	require.Equal(t, int64(10), s.depth().Ready)
	for _, id := range ids(s.take(10)) {
		require.Greater(t, id, int64(100), "the oldest slots are dropped")
	}
	s.nothing()
}

func depths(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	s.publish(1, 0, 0, s.job(1, -5*time.Second), s.job(2, 0), s.job(3, time.Minute))
	d := s.depth()
	require.True(t, s.base.Add(-5*time.Second).Equal(d.Oldest))
	d.Oldest = time.Time{}
	require.Equal(t, uptime.QueueDepth{Ready: 2, Delayed: 1}, d)
	s.take(2)
	require.Equal(t, uptime.QueueDepth{Delayed: 1, Leased: 2}, s.depth())
	s.Advance(lease)
	require.Equal(t, int64(2), s.depth().Ready)
}

func cancelled(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	ctx, cancel := context.WithCancel(t.Context())
	got := s.taking(ctx)
	cancel()
	result := <-got
	require.ErrorIs(t, result.err, context.Canceled)
	require.Empty(t, result.leases)

	s.publish(1, 0, 0, s.job(1, 0))
	_, err := s.Queue.Take(ctx, region, 1)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, int64(1), s.depth().Ready, "a cancelled Take leases nothing")
}

func concurrent(t *testing.T, fresh Factory) {
	t.Helper()
	const batches, size, takers = 20, 50, 4
	s := start(t, fresh, 0)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var mu sync.Mutex
	seen := map[uptime.ResultKey]int{}
	var all sync.WaitGroup
	for range takers {
		all.Go(func() {
			for {
				leases, err := s.Queue.Take(ctx, region, 7)
				if err != nil {
					return
				}
				_ = s.Queue.Renew(ctx, receipts(leases))
				_ = s.Queue.Ack(ctx, receipts(leases))
				mu.Lock()
				for _, l := range leases {
					seen[l.Key()]++
				}
				done := len(seen) == batches*size
				mu.Unlock()
				if done {
					cancel()
				}
			}
		})
	}
	for i := range batches {
		jobs := s.jobs(int64(i*size+1), size, 0)
		if i%2 == 0 {
			s.publish(1, 0, 0, jobs...)
		} else {
			require.NoError(t, s.Queue.Push(t.Context(), jobs))
		}
	}
	all.Wait()
	require.Len(t, seen, batches*size)
	for key, n := range seen {
		require.Equal(t, 1, n, "%v was handed out twice within its lease", key)
	}
	require.Equal(t, uptime.QueueDepth{}, s.depth())
}
