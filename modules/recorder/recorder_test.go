package recorder_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"monitor/modules/recorder"
	"monitor/modules/uptime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// decide asks for a retry of every failure.
func decide(s uptime.Situation) uptime.Decision {
	r := s.New[0]
	if !r.Failed() {
		return uptime.Decision{}
	}
	return uptime.Decision{Retries: []uptime.Job{{MonitorID: r.MonitorID, ScheduledAt: r.ScheduledAt.Add(20 * time.Second), Attempt: r.Attempt + 1, Spec: uptime.Spec{Interval: time.Minute}}}}
}

type running struct {
	*recorder.Recorder
	*world
	stop func() error
}

// run starts a recorder inside a synctest bubble.
func run(t *testing.T, c recorder.Config) running {
	t.Helper()
	w := &world{start: time.Now()}
	r := recorder.New(recorder.Deps{
		Store: w, Queue: w, Bus: w, Courier: w, Decide: decide, Clock: uptime.SystemClock, Log: slog.New(slog.DiscardHandler),
	}, c)
	ctx, cancel := context.WithCancel(t.Context())
	done, ready := make(chan error, 1), make(chan struct{})
	go func() { done <- r.Run(ctx, func() { close(ready) }) }()
	<-ready
	return running{r, w, func() error {
		cancel()
		return <-done
	}}
}

// pass lets the bubble's time go by.
func pass(d time.Duration) { <-time.After(d) }

func result(monitor int64, status uptime.Status, attempt int) uptime.Result {
	return uptime.Result{
		MonitorID: monitor, Region: "default", Attempt: attempt, ScheduledAt: time.Now().UTC().Truncate(time.Millisecond),
		Outcome: uptime.Outcome{Status: status},
	}
}

func lease(receipt string) uptime.Lease {
	return uptime.Lease{Receipt: receipt, Job: uptime.Job{Spec: uptime.Spec{Interval: time.Minute}}}
}

func (r running) submit(monitor int64, status uptime.Status) {
	res := result(monitor, status, 1)
	r.Submit(res, lease(fmt.Sprintf("%d@%s", monitor, time.Since(r.start))))
}

func TestSteadyResultsWaitAndChangesDoNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, recorder.Config{})
		r.submit(1, uptime.Down)
		synctest.Wait()
		require.Equal(t, []int64{1}, r.stored(), "a first result that is bad goes at once")
		require.Equal(t, []time.Duration{0}, r.told().at)
		r.submit(2, uptime.Up)
		synctest.Wait()
		require.Equal(t, []int64{1}, r.stored(), "a good one waits for company")
		r.submit(1, uptime.Up)
		synctest.Wait()
		require.Equal(t, []int64{1, 1, 2}, r.stored())
		for range uptime.MaxThreshold {
			r.submit(1, uptime.Up)
		}
		synctest.Wait()

		before := len(r.told().at)
		r.submit(1, uptime.Up)
		pass(60 * time.Millisecond)
		r.submit(2, uptime.Up)
		synctest.Wait()
		require.Len(t, r.told().at, before, "unchanged ones wait for company")
		pass(190 * time.Millisecond)
		synctest.Wait()
		require.Len(t, r.told().at, before+1)
		require.Equal(t, 250*time.Millisecond, r.told().at[before])

		r.submit(2, uptime.Up)
		r.submit(1, uptime.Down)
		synctest.Wait()
		require.Equal(t, 250*time.Millisecond, r.told().at[len(r.told().at)-1], "a change goes at once and takes the others along")
		require.Equal(t, []int64{1, 2}, r.stored()[len(r.stored())-2:], "first of all")
		for _, s := range []uptime.Status{uptime.Down, uptime.Up, uptime.Up, uptime.Degraded, uptime.Unknown} {
			n := len(r.stored())
			r.submit(1, s)
			synctest.Wait()
			require.Len(t, r.stored(), n+1, s)
		}
		require.NoError(t, r.stop())
	})
}

func TestWhatNeedNotBeJudgedIsNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, recorder.Config{})
		for id := range int64(4) {
			r.submit(id, uptime.Up)
		}
		pass(250 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, []int64{0, 1, 2, 3}, r.stored(), "first results are judged")
		r.mu.Lock()
		r.calm = map[int64]bool{1: true, 3: true}
		r.mu.Unlock()
		for id := range int64(4) {
			r.submit(id, uptime.Up)
		}
		r.submit(9, uptime.Down)
		synctest.Wait()
		require.Equal(t, []int64{9, 0, 2}, r.stored()[4:], "the change, then what is not calm")
		require.Len(t, r.told().advanced, 1)
		require.Len(t, r.told().advanced[0], 2)
		require.Len(t, r.told().acked, 9)
		stored := slices.DeleteFunc(r.told().order, func(s string) bool { return s != "record" && s != "advance" })
		require.Equal(t, []string{"record", "advance", "record"}, stored[len(stored)-3:])

		// What cannot be told apart is judged, so that the bad one is found.
		r.mu.Lock()
		r.refuse = func(batch []uptime.Result) error {
			if len(batch) == 2 {
				return errors.New("one of these is bad")
			}
			return nil
		}
		r.mu.Unlock()
		r.submit(1, uptime.Up)
		r.submit(3, uptime.Up)
		pass(250 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, []int64{1, 3}, r.stored()[7:])
		require.NoError(t, r.stop())
	})
}

func TestALongOutageBecomesSteady(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, recorder.Config{})
		for range uptime.MaxThreshold {
			n := len(r.stored())
			r.submit(1, uptime.Down)
			synctest.Wait()
			require.Len(t, r.stored(), n+1)
		}
		n := len(r.stored())
		r.submit(1, uptime.Down)
		synctest.Wait()
		require.Len(t, r.stored(), n)
		require.NoError(t, r.stop())
		require.Len(t, r.stored(), n+1, "a stop flushes")
	})
}

func TestAFullBatchDoesNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, recorder.Config{Batch: 10})
		for round := range 2 {
			for id := range int64(25) {
				r.submit(id, uptime.Up)
			}
			synctest.Wait()
			require.Len(t, r.stored(), map[int]int{0: 20, 1: 50}[round])
		}
		r.submit(1, uptime.Up)
		for _, b := range r.told().batches {
			require.LessOrEqual(t, len(b), 10)
		}
		pass(250 * time.Millisecond)
		synctest.Wait()
		require.Len(t, r.stored(), 51)
		require.NoError(t, r.stop())
	})
}

func TestWhatFollowsACommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, recorder.Config{})
		r.Submit(result(7, uptime.Down, 1), lease("a"))
		synctest.Wait()
		require.Equal(t, []string{"record", "publish", "push", "ack"}, r.told().order)
		require.Equal(t, []string{"a"}, r.told().acked)
		require.Equal(t, uptime.TopicOutbox, r.told().notices[0].Topic)
		require.Equal(t, 2, r.told().pushed[0].Attempt)

		r.change(func() { r.queueErr = uptime.ErrUnavailable })
		r.Submit(result(7, uptime.Down, 2), lease("b"))
		synctest.Wait()
		require.Equal(t, []string{"a"}, r.told().acked)
		require.True(t, r.Stats().QueueAway)
		r.change(func() { r.queueErr = nil })
		pass(time.Second)
		synctest.Wait()
		require.Equal(t, []string{"a", "b"}, r.told().acked)
		require.Len(t, r.told().pushed, 2)
		require.NoError(t, r.stop())
	})
}

func TestTheDatabaseGoesAndComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, recorder.Config{Spool: 100})
		for id := range int64(40) {
			r.submit(id, uptime.Up)
		}
		pass(250 * time.Millisecond)
		synctest.Wait()
		last, longest := time.Now(), time.Duration(0)
		r.change(func() {
			r.refuse = func([]uptime.Result) error {
				longest, last = max(longest, time.Since(last)), time.Now()
				return fmt.Errorf("commit: %w", uptime.ErrUnavailable)
			}
		})
		r.submit(3, uptime.Down)
		for id := range int64(40) {
			r.submit(id+100, uptime.Down)
			r.submit(id, uptime.Up)
		}
		pass(time.Minute)
		synctest.Wait()
		require.True(t, r.Stats().Away)
		require.Equal(t, 81, r.Stats().Held)
		require.Less(t, r.told().calls, 60, "it backs off")
		waited := time.Duration(0)
		r.change(func() { waited = longest })
		require.LessOrEqual(t, waited, 3*time.Second, "but not for long")
		require.Len(t, r.Unstored(10*time.Second), 81, "their jobs stay leased")
		require.Empty(t, r.Unstored(2*time.Minute))
		require.Len(t, r.told().acked, 40)

		r.change(func() { r.refuse = nil })
		pass(3 * time.Second)
		synctest.Wait()
		require.Len(t, r.stored(), 121)
		require.Len(t, r.told().acked, 121)
		require.Empty(t, r.Unstored(0))
		require.Zero(t, r.Stats().Overloaded)
		require.NoError(t, r.stop())
	})
}

func TestBeyondTheSpoolSteadyResultsAreMissedFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, recorder.Config{Spool: 10})
		for id := range int64(5) {
			r.submit(id, uptime.Up)
		}
		pass(250 * time.Millisecond)
		synctest.Wait()
		r.change(func() { r.refuse = func([]uptime.Result) error { return uptime.ErrUnavailable } })
		first := time.Now().UTC().Truncate(time.Millisecond)
		for range 3 {
			for id := range int64(5) {
				r.submit(id, uptime.Up)
			}
			pass(time.Minute)
		}
		require.Equal(t, 10, r.Stats().Held)
		for id := range int64(9) {
			r.submit(id+50, uptime.Down)
		}
		pass(10 * time.Second)
		require.Equal(t, 10, r.Stats().Held)
		require.Equal(t, uint64(14), r.Stats().Overloaded)
		require.Len(t, r.told().acked, 5+14, "what is missed is not run again")
		r.change(func() { r.refuse = nil })
		pass(10 * time.Second)
		synctest.Wait()
		require.Len(t, r.stored(), 5+10)
		require.Equal(t, []int64{50, 51, 52, 53, 54, 55, 56, 57, 58}, r.stored()[5:14], "changes are kept")
		var missed int64
		for _, m := range r.told().missed {
			require.Equal(t, uptime.MissedOverload, m.Reason)
			require.False(t, m.From.Before(first))
			missed += m.Count
		}
		require.Equal(t, int64(14), missed)
		require.Len(t, r.told().missed, 5, "neighbours are one range")
		require.NoError(t, r.stop())
	})
}

func TestMissedSlotsAreBookedThenAcknowledged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, recorder.Config{})
		start := time.Now().UTC()
		for i := range 3 {
			l := lease(fmt.Sprint("s", i))
			l.MonitorID, l.Region, l.Attempt, l.ScheduledAt = 5, "default", 1, start.Add(time.Duration(i)*time.Minute)
			r.Missed(l, uptime.MissedStale)
		}
		retry := lease("retry")
		retry.MonitorID, retry.Attempt, retry.ScheduledAt = 5, 2, start.Add(20*time.Second)
		r.Missed(retry, uptime.MissedStale)
		require.Len(t, r.Unstored(0), 3)
		pass(time.Second)
		synctest.Wait()
		require.Equal(t, []uptime.MissedRange{{
			MonitorID: 5, Region: "default", From: start, To: start.Add(2 * time.Minute), Count: 3, Reason: uptime.MissedStale,
		}}, r.told().missed)
		require.ElementsMatch(t, []string{"s0", "s1", "s2", "retry"}, r.told().acked)
		require.Empty(t, r.Unstored(0))
		require.NoError(t, r.stop())
	})
}

// TestOnlySlotsOfTheScheduleAreMissed: retries, checks by hand and the check at
// once after a change are no slots of the grid, whatever becomes of them.
func TestOnlySlotsOfTheScheduleAreMissed(t *testing.T) {
	t.Parallel()
	others := map[string]func(*uptime.Lease){
		"Retry":  func(l *uptime.Lease) { l.Attempt = 2 },
		"ByHand": func(l *uptime.Lease) { l.ByHand = true },
		"AtOnce": func(l *uptime.Lease) { l.Spec.Of = l.ScheduledAt },
	}
	for name, change := range others {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := run(t, recorder.Config{Spool: 1})
				r.change(func() { r.refuse = func([]uptime.Result) error { return uptime.ErrUnavailable } })
				l := lease("other")
				l.MonitorID, l.Region, l.Attempt, l.ScheduledAt = 5, "default", 1, time.Now().UTC()
				l.Spec.Of = l.ScheduledAt.Add(-time.Hour)
				change(&l)
				r.Missed(l, uptime.MissedStale)
				res := result(5, uptime.Up, l.Attempt)
				l.Receipt = "spooled"
				r.Submit(res, l)
				r.submit(6, uptime.Down) // takes its place
				pass(time.Second)
				r.change(func() { r.refuse = nil })
				pass(10 * time.Second)
				synctest.Wait()
				require.Subset(t, r.told().acked, []string{"other", "spooled"})
				require.Equal(t, uint64(1), r.Stats().Overloaded)
				require.Empty(t, r.told().missed)
				require.NoError(t, r.stop())
			})
		})
	}
}

func TestAStopIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, recorder.Config{Drain: 5 * time.Second})
		r.change(func() { r.refuse = func([]uptime.Result) error { return uptime.ErrUnavailable } })
		r.submit(1, uptime.Up)
		begun := time.Now()
		require.ErrorContains(t, r.stop(), "1 are not stored")
		require.LessOrEqual(t, time.Since(begun), 6*time.Second)
		require.Empty(t, r.told().acked)
	})
}

func TestAHangingStoreIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, recorder.Config{})
		r.change(func() { r.slow = time.Hour })
		r.submit(1, uptime.Up)
		pass(11 * time.Second)
		require.True(t, r.Stats().Away)
		r.change(func() { r.slow = 0 })
		pass(20 * time.Second)
		require.Equal(t, []int64{1}, r.stored())
		require.NoError(t, r.stop())
	})
}

// TestStress has many submit while the store fails now and then: everything is
// stored and acknowledged once in the end.
func TestStress(t *testing.T) {
	t.Parallel()
	w := &world{start: time.Now()}
	w.refuse = func([]uptime.Result) error {
		if w.calls%7 == 3 {
			return uptime.ErrUnavailable
		}
		return nil
	}
	r := recorder.New(recorder.Deps{Store: w, Queue: w, Bus: w, Courier: w, Decide: decide, Clock: uptime.SystemClock, Log: slog.New(slog.DiscardHandler)}, recorder.Config{Linger: time.Millisecond, Batch: 50})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, func() {}) }()
	var all sync.WaitGroup
	for g := range int64(8) {
		all.Go(func() {
			for i := range int64(200) {
				id := g*1000 + i
				r.Submit(result(id, uptime.Up, 1), lease(fmt.Sprint(id)))
				_ = r.Unstored(0)
			}
		})
	}
	all.Wait()
	cancel()
	require.NoError(t, <-done)
	require.Len(t, w.stored(), 1600)
	slices.Sort(w.acked)
	require.Len(t, slices.Compact(w.acked), 1600)
}

// What was claimed in a transaction is handed on before anything else is done, and
// an offer ends though the store refuses.
func TestClaimsAreHandedOnFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, recorder.Config{})
		r.change(func() { r.free = 3; r.refuse = func([]uptime.Result) error { return uptime.ErrUnavailable } })
		r.submit(1, uptime.Down)
		synctest.Wait()
		r.change(func() { r.refuse = nil })
		pass(3 * time.Second)
		synctest.Wait()
		r.change(func() {
			require.Zero(t, r.offers)
			require.Equal(t, 1, r.taken)
			require.Greater(t, slices.Index(r.order, "ack"), slices.Index(r.order, "record"))
			require.Equal(t, "take", r.order[slices.Index(r.order, "record")+1])
			r.free = 0
		})
		before := len(r.told().order)
		r.submit(1, uptime.Up)
		synctest.Wait()
		require.NotContains(t, r.told().order[before:], "take", "nothing was offered")
		require.NoError(t, r.stop())
	})
}
