package service_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"monitor/modules/service"
)

const grace = 10 * time.Second

var errBroken = errors.New("broken")

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// recording collects what happened, in order.
type recording struct {
	mu    sync.Mutex
	lines []string
}

func (r *recording) add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
}

func (r *recording) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.lines...)
}

// run starts RunAll in the bubble of the test and returns its recording of states,
// the stop and the channel of its result.
func run(t *testing.T, services ...service.Service) (*recording, context.CancelFunc, <-chan error) {
	t.Helper()
	r := &recording{}
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		result <- service.RunAll(ctx, service.Params{
			Log:      slog.New(slog.DiscardHandler),
			Grace:    grace,
			OnState:  func(name string, state service.State) { r.add(name + " " + string(state)) },
			Services: services,
		})
	}()
	return r, cancel, result
}

// part is ready after startup and returns err a while after it is asked to stop.
func part(name string, startup, drain time.Duration, err error) service.Service {
	return service.Service{Name: name, Run: func(ctx context.Context, ready func()) error {
		<-time.After(startup)
		ready()
		<-ctx.Done()
		<-time.After(drain)
		return err
	}}
}

func TestStartsInOrderAndStopsInReverse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		r, stop, result := run(t,
			part("a", 3*time.Second, 2*time.Second, nil),
			part("b", time.Second, 4*time.Second, nil),
			part("c", 0, time.Second, nil))

		<-time.After(3*time.Second - 1)
		synctest.Wait()
		require.Equal(t, []string{"a starting"}, r.all(), "b waits for a")

		<-time.After(1 + time.Second)
		synctest.Wait()
		started := []string{"a starting", "a ready", "b starting", "b ready", "c starting", "c ready"}
		require.Equal(t, started, r.all())

		stop()
		<-time.After(time.Second + 4*time.Second - 1)
		synctest.Wait()
		require.Equal(t, append(started, "c stopping", "c stopped", "b stopping"), r.all(), "a waits for b")

		require.NoError(t, <-result)
		require.Equal(t, append(started, "c stopping", "c stopped", "b stopping", "b stopped", "a stopping", "a stopped"), r.all())
		require.Equal(t, (4+1+4+2)*time.Second, time.Since(began))
	})
}

func TestEarlyEndStopsAll(t *testing.T) {
	t.Parallel()
	ends := map[string]struct {
		run  func(ready func()) error
		want string
	}{
		"Nil":         {func(ready func()) error { ready(); return nil }, "service b stopped without being asked to"},
		"Error":       {func(ready func()) error { ready(); return errBroken }, "service b stopped without being asked to: broken"},
		"BeforeReady": {func(func()) error { return nil }, "service b stopped without being asked to"},
		"Goexit": {
			func(func()) error { runtime.Goexit(); return nil },
			"service b stopped without being asked to: goroutine ended by runtime.Goexit",
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := service.Service{Name: "b", Run: func(_ context.Context, ready func()) error { return end.run(ready) }}
				r, stop, result := run(t, part("a", 0, time.Second, nil), b, part("c", time.Minute, 0, nil))
				defer stop()

				err := <-result
				require.EqualError(t, err, end.want)
				require.ErrorIs(t, err, service.ErrStoppedEarly)
				require.Contains(t, r.all(), "b stopped")
				require.Equal(t, "a stopped", r.all()[len(r.all())-1])
			})
		})
	}
}

func TestEarlyEndLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := service.Service{Name: "a", Run: func(_ context.Context, ready func()) error {
			ready()
			<-time.After(time.Hour)
			return errBroken
		}}
		r, stop, result := run(t, a, part("b", 0, time.Second, nil))
		defer stop()
		err := <-result
		require.ErrorIs(t, err, errBroken)
		require.ErrorIs(t, err, service.ErrStoppedEarly)
		require.Equal(t, []string{
			"a starting", "a ready", "b starting", "b ready",
			"b stopping", "b stopped", "a stopped",
		}, r.all())
	})
}

func TestPartThatEndsDuringTheStopOfAnotherIsNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := service.Service{Name: "a", Run: func(_ context.Context, ready func()) error {
			ready()
			<-time.After(2 * time.Second)
			return errBroken
		}}
		_, stop, result := run(t, a, part("b", 0, 5*time.Second, nil))
		<-time.After(time.Second)
		stop()
		require.EqualError(t, <-result, "service a stopped without being asked to: broken")
	})
}

func TestPanicBecomesAnErrorWithItsStack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := service.Service{Name: "b", Run: func(context.Context, func()) error { return panicking() }}
		r, stop, result := run(t, part("a", 0, 0, nil), b)
		defer stop()
		err := <-result
		require.ErrorContains(t, err, "service b stopped without being asked to: panic: broken")
		require.ErrorContains(t, err, "service_test.panicking")
		require.ErrorIs(t, err, errBroken)
		var panicked *service.PanicError
		require.ErrorAs(t, err, &panicked)
		require.Equal(t, errBroken, panicked.Value)
		require.Equal(t, "a stopped", r.all()[len(r.all())-1])
	})
}

func panicking() error { panic(errBroken) }

func TestPanicDuringTheStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := service.Service{Name: "b", Run: func(ctx context.Context, ready func()) error {
			ready()
			<-ctx.Done()
			return panicking()
		}}
		_, stop, result := run(t, part("a", 0, 0, nil), b)
		synctest.Wait()
		stop()
		err := <-result
		require.ErrorContains(t, err, "stop service b: panic: broken")
		require.NotErrorIs(t, err, service.ErrStoppedEarly)
	})
}

func TestHangIsBoundedAndNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		b := service.Service{Name: "b", Run: func(_ context.Context, ready func()) error {
			ready()
			<-release
			return nil
		}}
		r, stop, result := run(t, part("a", 0, time.Second, nil), b)
		synctest.Wait()
		began := time.Now()
		stop()
		err := <-result
		require.ErrorIs(t, err, service.ErrHang)
		require.EqualError(t, err, "service b did not stop in time (10s)")
		require.Equal(t, grace+time.Second, time.Since(began), "a has a grace of its own")
		require.Equal(t, []string{"b stopping", "a stopping", "a stopped"}, r.all()[4:])
	})
}

func TestWholeGraceMayBeUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, stop, result := run(t, part("a", 0, grace-1, nil), part("b", 0, grace-1, nil))
		synctest.Wait()
		stop()
		require.NoError(t, <-result)
	})
}

func TestErrorsOfTheStopAreJoined(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, stop, result := run(t, part("a", 0, 0, errBroken), part("b", 0, 0, context.Canceled))
		synctest.Wait()
		stop()
		err := <-result
		require.EqualError(t, err, "stop service b: context canceled\nstop service a: broken")
	})
}

func TestStopDuringTheStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := service.Service{Name: "b", Run: func(ctx context.Context, _ func()) error {
			<-ctx.Done()
			return nil
		}}
		r, stop, result := run(t, part("a", 0, 0, nil), slow, part("c", 0, 0, nil))
		synctest.Wait()
		stop()
		require.NoError(t, <-result)
		require.Equal(t, []string{
			"a starting", "a ready", "b starting",
			"b stopping", "b stopped", "a stopping", "a stopped",
		}, r.all(), "c never starts")
	})
}

func TestStoppedBeforeTheStart(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := service.RunAll(ctx, service.Params{
		Log: slog.New(slog.DiscardHandler), Grace: grace,
		OnState:  func(name string, _ service.State) { t.Errorf("%s was started", name) },
		Services: []service.Service{part("a", 0, 0, nil)},
	})
	require.NoError(t, err)
}

func TestContextValuesReachTheParts(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	defer cancel()
	got := make(chan any, 1)
	err := service.RunAll(ctx, service.Params{
		Log: slog.New(slog.DiscardHandler), Grace: grace,
		Services: []service.Service{{Name: "a", Run: func(ctx context.Context, ready func()) error {
			ready()
			ready() // a second call changes nothing
			got <- ctx.Value(key{})
			cancel()
			<-ctx.Done()
			return nil
		}}},
	})
	require.NoError(t, err)
	require.Equal(t, "value", <-got)
}

func TestBadParamsAreRefused(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	a := part("a", 0, 0, nil)
	cases := map[string]struct {
		params service.Params
		want   string
	}{
		"NoLogger":   {service.Params{Grace: grace, Services: []service.Service{a}}, "a logger"},
		"NoGrace":    {service.Params{Log: log, Services: []service.Service{a}}, "a grace above zero"},
		"NoServices": {service.Params{Log: log, Grace: grace}, "at least one service"},
		"NoName":     {service.Params{Log: log, Grace: grace, Services: []service.Service{{Run: a.Run}}}, `service "" needs a name`},
		"NoRun":      {service.Params{Log: log, Grace: grace, Services: []service.Service{{Name: "a"}}}, `service "a" needs a name and a Run`},
		"Duplicate":  {service.Params{Log: log, Grace: grace, Services: []service.Service{a, a}}, `two services are named "a"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.ErrorContains(t, service.RunAll(t.Context(), c.params), c.want)
		})
	}
}

// TestStartStopStress stops at random moments of the start: whatever was started
// is stopped, last first, and nothing is left over.
func TestStartStopStress(t *testing.T) {
	t.Parallel()
	for range 300 {
		synctest.Test(t, func(t *testing.T) {
			var services []service.Service
			for _, name := range []string{"a", "b", "c", "d"} {
				services = append(services, part(name, time.Duration(rand.IntN(3)), time.Duration(rand.IntN(3)), nil))
			}
			r, stop, result := run(t, services...)
			<-time.After(time.Duration(rand.IntN(10)))
			stop()
			require.NoError(t, <-result)
			var starts, stops []string
			for _, line := range r.all() {
				name, state := line[:1], line[2:]
				switch service.State(state) {
				case service.Starting:
					starts = append(starts, name)
				case service.Stopped:
					stops = append([]string{name}, stops...)
				case service.Ready, service.Stopping:
				}
			}
			require.Equal(t, starts, stops)
		})
	}
}
