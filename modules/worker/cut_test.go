package worker_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
	"monitor/modules/worker"
)

// A target that went away by itself moments before hides no cut, and is told.
func TestACutBehindAnOutage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		interval time.Duration
		slow     bool
		canaries []string
	}{
		"AtOnce":       {time.Minute, false, nil},
		"TimeOut":      {time.Minute, true, nil},
		"NamedCanary":  {time.Minute, false, []string{"canary.example:443"}},
		"SlowMonitors": {10 * time.Minute, false, []string{"canary.example:443"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const hosts, earlier = 500, 300
				r, n := guarded(t, worker.Config{Canaries: c.canaries})
				n.checkAll(hosts, c.interval)
				n.set(func() { n.gone[hostOf(earlier)] = true })
				n.checkHost(earlier)
				for range 8 { // it was by itself for as long
					n.checkAll(50, time.Second)
				}
				require.Equal(t, map[uptime.Status]int{uptime.Up: hosts + 8*50, uptime.Down: 1}, n.verdicts())

				n.set(func() { n.cut, n.slow = true, c.slow })
				n.checkAll(hosts, c.interval)
				pass(13 * time.Second)
				require.Equal(t, map[uptime.Status]int{uptime.Unknown: hosts}, n.verdicts())
				require.Equal(t, uint64(1), r.Stats().Network.Cuts)
				r.stop(t)
			})
		})
	}
}

// A check whose answer had begun when the network was cut is the first to fail. It
// is no evidence, but not the target's fault either.
func TestACutInTheMiddleOfAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, n := guarded(t, worker.Config{})
		stalls := func(_ context.Context, spec uptime.Spec) (uptime.Outcome, error) {
			<-time.After(spec.Timeout)
			return uptime.Outcome{Status: uptime.Down, ErrorKind: uptime.KindTimeout, StatusCode: 200}, nil
		}
		n.checkAll(20, 10*time.Second)
		n.verdicts()
		n.change(func() { n.check = stalls })
		n.checkHost(3)
		synctest.Wait()
		n.set(func() { n.cut, n.slow = true, true })
		n.change(func() { n.check = n.probe })
		n.checkAll(20, 10*time.Second)
		pass(13 * time.Second)
		require.Equal(t, map[uptime.Status]int{uptime.Unknown: 21}, n.verdicts())
		n.set(func() { n.cut = false })
		n.checkAll(20, 10*time.Second)
		n.verdicts()

		// However many do so by themselves are told.
		n.change(func() { n.check = stalls })
		for i := range 20 {
			n.checkHost(i)
		}
		pass(13 * time.Second)
		require.Equal(t, map[uptime.Status]int{uptime.Down: 20}, n.verdicts())
		require.Equal(t, uint64(1), r.Stats().Network.Cuts)
		r.stop(t)
	})
}

// Where not even the resolver can be asked, the probe says that it could not check:
// that is a sign of a cut as well, and raises the alarm.
func TestACutThatKeepsUsFromChecking(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, n := guarded(t, worker.Config{Name: "w1"})
		n.checkAll(20, 10*time.Second)
		require.Equal(t, map[uptime.Status]int{uptime.Up: 20}, n.verdicts())
		n.set(func() { n.cut = true })
		n.change(func() {
			n.check = func(context.Context, uptime.Spec) (uptime.Outcome, error) {
				return uptime.Outcome{}, fmt.Errorf("the resolver cannot be reached: %w", uptime.ErrUnavailable)
			}
		})
		n.checkAll(20, 10*time.Second)
		require.Equal(t, map[uptime.Status]int{uptime.Unknown: 20}, n.verdicts())
		raised, _ := n.alarms()
		require.Equal(t, 1, raised)
		r.stop(t)
	})
}
