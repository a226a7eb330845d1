package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"monitor/modules/uptime"
	"monitor/modules/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// job is one whose workspace has the number of its monitor, so that a probe can
// tell which it is.
func job(id int64, slot time.Time) uptime.Lease {
	return uptime.Lease{Receipt: fmt.Sprint("r", id), Job: uptime.Job{
		MonitorID: id, Region: "default", ScheduledAt: slot.UTC().Truncate(time.Millisecond), Attempt: 1,
		Spec: uptime.Spec{WorkspaceID: id, RowKey: "key", Type: "http", Interval: time.Minute, Timeout: 10 * time.Second, Settings: json.RawMessage(`{}`)},
	}}
}

type running struct {
	*worker.Worker
	*world
	cancel context.CancelFunc
	done   chan error
}

func run(t *testing.T, c worker.Config) running {
	t.Helper()
	w := newWorld()
	k := worker.New(worker.Deps{
		Queue: w, Prober: w, Catalog: w, Sealer: w, Recorder: w, Clock: uptime.SystemClock, Log: slog.New(slog.DiscardHandler),
	}, c)
	ctx, cancel := context.WithCancel(t.Context())
	done, ready := make(chan error, 1), make(chan struct{})
	go func() { done <- k.Run(ctx, func() { close(ready) }) }()
	<-ready
	return running{k, w, cancel, done}
}

func (r running) stop(t *testing.T) {
	t.Helper()
	r.cancel()
	require.NoError(t, <-r.done)
	require.Zero(t, r.Stats().Held)
	require.Zero(t, r.Stats().Running)
}

// pass lets the bubble's time go by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestJobsStartAtTheirSlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, worker.Config{})
		now := time.Now()
		for i := range int64(200) {
			r.give(job(i, now.Add(time.Duration(i)*4*time.Millisecond+time.Duration(i%3)*100*time.Microsecond)))
		}
		r.give(job(900, now.Add(-time.Second)))
		pass(2 * time.Second)
		require.Len(t, r.told().results, 201)
		for _, res := range r.told().results {
			late := r.told().started[res.MonitorID].Sub(res.ScheduledAt)
			require.GreaterOrEqual(t, late, time.Duration(0), "never before its slot")
			if res.MonitorID != 900 {
				require.LessOrEqual(t, late, time.Millisecond)
			}
		}
		require.Equal(t, now, r.told().started[900], "what is due starts at once")
		s := r.Stats()
		require.Equal(t, int64(201), s.Checks.Up)
		require.Equal(t, time.Millisecond, s.Late.Quantile(0.99))
		require.Equal(t, time.Second, s.Late.Quantile(1))
		r.stop(t)
	})
}

func TestAWrongClockHoldsNothingBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, worker.Config{})
		r.give(job(1, time.Now().Add(time.Hour)))
		pass(uptime.TakeAhead)
		require.Len(t, r.told().results, 1)
		r.stop(t)
	})
}

func TestConcurrencyIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, worker.Config{Concurrency: 4})
		r.change(func() { r.check = slow(time.Second) })
		for i := range int64(40) {
			r.give(job(i, time.Now()))
		}
		pass(500 * time.Millisecond)
		require.Equal(t, 4, r.Stats().Running)
		require.LessOrEqual(t, r.Stats().Held, 8, "what it cannot run in time is left to others")
		pass(20 * time.Second)
		require.Len(t, r.told().results, 40)
		require.Equal(t, 4, r.told().most)
		r.stop(t)
	})
}

func TestCheckersThatABurstLeftBehindEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, worker.Config{})
		r.change(func() { r.check = slow(time.Second) })
		for i := range int64(400) {
			r.give(job(i, time.Now()))
		}
		pass(2 * time.Second)
		require.Equal(t, 400, r.Stats().Checkers)
		r.change(func() { r.check = slow(900 * time.Millisecond) })
		for i := range int64(40) {
			r.give(job(1000+i, time.Now()))
			pass(500 * time.Millisecond) // so that two are busy
		}
		require.LessOrEqual(t, r.Stats().Checkers, 12)
		for i := range int64(400) {
			r.give(job(2000+i, time.Now()))
		}
		pass(2 * time.Second)
		require.Len(t, r.told().results, 840, "they come back")
		r.stop(t)
	})
}

func slow(d time.Duration) func(context.Context, uptime.Spec) (uptime.Outcome, error) {
	return func(ctx context.Context, _ uptime.Spec) (uptime.Outcome, error) {
		select {
		case <-ctx.Done():
			return uptime.Outcome{}, ctx.Err()
		case <-time.After(d):
			return uptime.Outcome{Status: uptime.Up}, nil
		}
	}
}

func TestWhatIsTooOldIsMissed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, worker.Config{Concurrency: 1})
		expired := job(1, time.Now().Add(-time.Hour))
		expired.Expired = true
		r.give(expired)
		synctest.Wait()
		require.Len(t, r.told().missed, 1)

		r.change(func() { r.check = slow(9 * time.Second) })
		for i := range int64(2) {
			l := job(10+i, time.Now())
			l.Spec.Interval, l.Spec.Timeout = 5*time.Second, 5*time.Second
			r.give(l)
		}
		pass(20 * time.Second)
		require.Len(t, r.told().results, 1)
		require.Len(t, r.told().missed, 2, "it waited longer than its interval in our hands")
		require.Equal(t, int64(2), r.Stats().Checks.Missed)
		r.stop(t)
	})
}

func TestFaultsOfOursAreUnknown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*world, *uptime.Lease)
		want   string
	}{
		"Error": {func(w *world, _ *uptime.Lease) {
			w.check = func(context.Context, uptime.Spec) (uptime.Outcome, error) {
				return uptime.Outcome{}, errors.New("too many\nopen files")
			}
		}, "Could not check: too many open files"},
		"Panic": {func(w *world, _ *uptime.Lease) {
			w.check = func(context.Context, uptime.Spec) (uptime.Outcome, error) { panic("s3cr3t") }
		}, "Could not check: the check panicked"},
		"Paused": {func(w *world, _ *uptime.Lease) {
			w.check = func(_ context.Context, spec uptime.Spec) (uptime.Outcome, error) {
				<-time.After(spec.Timeout + 2*time.Second) // as after SIGSTOP: nothing within ran
				return uptime.Outcome{Status: uptime.Down, ErrorKind: uptime.KindTimeout}, nil
			}
		}, "Could not check: it took 12s, over its limit of 10s: this machine was paused or overloaded"},
		"PausedInAnAnswer": {func(w *world, _ *uptime.Lease) {
			w.check = func(_ context.Context, spec uptime.Spec) (uptime.Outcome, error) {
				<-time.After(spec.Timeout + 2*time.Second)
				return uptime.Outcome{Status: uptime.Down, ErrorKind: uptime.KindTimeout, StatusCode: 200}, nil
			}
		}, "Could not check: it took 12s, over its limit of 10s: this machine was paused or overloaded"},
		"Type": {func(_ *world, l *uptime.Lease) { l.Spec.Type = "pigeon" }, `Could not check: open settings: this program has no monitor type "pigeon"`},
		"Seal": {func(_ *world, l *uptime.Lease) {
			l.Spec.Settings = json.RawMessage(`{"headers":{"Cookie":"moved"}}`)
		}, "Could not check: its secret headers.Cookie cannot be opened, save it again: sealed for another row"},
		"Settings": {func(_ *world, l *uptime.Lease) { l.Spec.Settings = json.RawMessage(`{"url":{"s3cr3t":1}}`) }, "Could not check: open settings: they are not settings of http"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := run(t, worker.Config{})
				l := job(1, time.Now())
				r.change(func() { c.change(r.world, &l) })
				r.give(l)
				pass(time.Minute)
				require.Len(t, r.told().results, 1)
				require.Equal(t, uptime.Unknown, r.told().results[0].Status)
				require.Equal(t, uptime.KindInternal, r.told().results[0].ErrorKind)
				require.Equal(t, c.want, r.told().results[0].Error)
				require.Equal(t, uint64(1), r.Stats().Faults)
				r.change(func() { r.check = newWorld().check })
				r.give(job(2, time.Now()))
				synctest.Wait()
				require.Len(t, r.told().results, 2, "the next one is checked")
				r.stop(t)
			})
		})
	}
}

// TestALateAnswerIsStillAnAnswer: what the target said counts, however long this
// machine was held up.
func TestALateAnswerIsStillAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, worker.Config{})
		r.change(func() {
			r.check = func(_ context.Context, spec uptime.Spec) (uptime.Outcome, error) {
				<-time.After(spec.Timeout + 2*time.Second)
				return uptime.Outcome{Status: uptime.Down, ErrorKind: uptime.KindStatus, StatusCode: 500}, nil
			}
		})
		r.give(job(1, time.Now()))
		pass(time.Minute)
		require.Equal(t, uptime.Down, r.told().results[0].Status)
		r.stop(t)
	})
}

func TestSecretsAreOpenedForTheProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, worker.Config{Name: "here"})
		r.change(func() {
			r.check = func(context.Context, uptime.Spec) (uptime.Outcome, error) {
				return uptime.Outcome{Status: uptime.Down, Evidence: &uptime.Evidence{}}, nil
			}
		})
		l := job(5, time.Now())
		l.Spec.Settings = json.RawMessage(`{"url":"http://me:x@a/","headers":{"Cookie":"y","A":"z"}}`)
		plain := job(6, time.Now())
		plain.Spec.Settings = json.RawMessage(`{ "url": "http://a" }`)
		r.give(l, plain)
		synctest.Wait()
		var got settings
		require.NoError(t, json.Unmarshal(r.told().specs[5].Settings, &got))
		require.Equal(t, "y of 5/monitors/key/http.headers.Cookie", got.Headers["Cookie"])
		require.Equal(t, "z", got.Headers["A"])
		require.Equal(t, "http://me:x%20of%205%2Fmonitors%2Fkey%2Fhttp.url@a/", got.URL)
		require.JSONEq(t, string(plain.Spec.Settings), string(r.told().specs[6].Settings))
		require.Len(t, r.told().results, 2)
		for _, res := range r.told().results {
			require.Equal(t, "here", res.Evidence.Worker)
			require.Equal(t, res.MonitorID, res.WorkspaceID)
		}
		r.stop(t)
	})
}

func TestLeasesAreRenewedUntilStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, worker.Config{})
		r.change(func() { r.check = slow(20 * time.Second) })
		r.give(job(1, time.Now()))
		synctest.Wait()
		r.change(func() { r.unstored = []string{"waiting"} })
		pass(15 * time.Second)
		for _, receipt := range []string{"r1", "waiting"} {
			n := 0
			for _, got := range r.told().renewed {
				if got == receipt {
					n++
				}
			}
			require.GreaterOrEqual(t, n, 3, receipt)
		}
		pass(10 * time.Second)
		require.Len(t, r.told().results, 1)
		r.change(func() { r.renewed, r.unstored = nil, nil })
		pass(10 * time.Second)
		require.Empty(t, r.told().renewed)
		r.stop(t)
	})
}

func TestAStopFinishesWhatRunsAndHandsBackTheRest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, worker.Config{Concurrency: 2})
		r.change(func() { r.check = slow(3 * time.Second) })
		r.give(job(1, time.Now()), job(2, time.Now()), job(3, time.Now()), job(4, time.Now().Add(900*time.Millisecond)))
		synctest.Wait()
		begun := time.Now()
		r.stop(t)
		require.Equal(t, 3*time.Second, time.Since(begun))
		require.Len(t, r.told().results, 2)
		require.ElementsMatch(t, []string{"r3", "r4"}, r.told().acked)
		require.Len(t, r.told().pushed, 2)
	})
}

func TestWhatCannotBeHandedBackIsMissed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, worker.Config{})
		r.change(func() { r.pushErr = uptime.ErrUnavailable })
		r.give(job(1, time.Now().Add(900*time.Millisecond)))
		synctest.Wait()
		r.stop(t)
		require.Equal(t, []string{"r1"}, r.told().acked)
		require.Len(t, r.told().missed, 1)
	})
}

func TestAStopIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, worker.Config{Drain: 5 * time.Second})
		r.change(func() { r.check = slow(time.Hour) })
		r.give(job(1, time.Now()))
		synctest.Wait()
		begun := time.Now()
		r.stop(t)
		require.Equal(t, 5*time.Second, time.Since(begun))
		require.Empty(t, r.told().results, "a check that was given up says nothing")
		require.Empty(t, r.told().acked, "its lease ends by itself")
	})
}

func TestTheQueueGoesAndComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, worker.Config{})
		r.give(job(1, time.Now()))
		synctest.Wait()
		r.change(func() { r.takeErr = uptime.ErrUnavailable })
		r.give(job(2, time.Now()))
		pass(30 * time.Second)
		require.Len(t, r.told().results, 1)
		r.change(func() { r.takeErr = nil })
		pass(5 * time.Second)
		require.Len(t, r.told().results, 2)
		r.stop(t)
	})
}

// TestStress runs many short checks for real and stops in the middle: every job
// is checked, handed back, or missed, and none twice.
func TestStress(t *testing.T) {
	t.Parallel()
	r := run(t, worker.Config{Concurrency: 16})
	r.change(func() {
		r.check = func(context.Context, uptime.Spec) (uptime.Outcome, error) {
			return uptime.Outcome{Status: uptime.Up}, nil
		}
	})
	const jobs = 3000
	var givers sync.WaitGroup
	for g := range int64(3) {
		givers.Go(func() {
			for i := range int64(jobs / 3) {
				r.give(job(g*10_000+i, time.Now().Add(time.Duration(i%20)*time.Millisecond)))
			}
		})
	}
	givers.Wait()
	for r.Stats().Checks.Up < jobs/2 {
		<-time.After(time.Millisecond)
	}
	r.stop(t)
	require.Equal(t, jobs, len(r.told().results)+len(r.told().pushed)+len(r.told().missed)+len(r.told().ready))
	require.Len(t, r.told().acked, len(r.told().pushed))
}

func BenchmarkWorker(b *testing.B) {
	w := newWorld()
	k := worker.New(worker.Deps{Queue: w, Prober: w, Catalog: w, Sealer: w, Recorder: w, Clock: uptime.SystemClock, Log: slog.New(slog.DiscardHandler)}, worker.Config{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx, func() {}) }()
	batch := make([]uptime.Lease, b.N)
	for i := range batch {
		batch[i] = job(int64(i), time.Now())
	}
	b.ResetTimer()
	w.give(batch...)
	for k.Stats().Checks.Up < int64(b.N) {
		<-time.After(time.Millisecond)
	}
	cancel()
	require.NoError(b, <-done)
}
