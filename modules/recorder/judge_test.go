package recorder_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/recorder"
	"monitor/modules/uptime"
)

func TestWhatIsJudgedAtOnceIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, recorder.Config{})
		for id := range int64(1000) { // those of a start
			r.submit(id, uptime.Up)
		}
		synctest.Wait()
		require.Len(t, r.stored(), 1000)
		require.Len(t, r.told().batches, 4)
		for _, b := range r.told().batches {
			require.Len(t, b, 250)
		}
		require.NoError(t, r.stop())
	})
}

func TestAPoisonResultIsFoundAndDropped(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string][]int64{"First": {0}, "Last": {99}, "Neighbours": {40, 41, 42}, "Spread": {1, 20, 60, 98}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := run(t, recorder.Config{})
				r.change(func() {
					r.refuse = func(batch []uptime.Result) error {
						for _, res := range batch {
							if slices.Contains(bad, res.MonitorID) {
								return errors.New("value out of range")
							}
						}
						return nil
					}
				})
				for id := range int64(100) {
					r.submit(id, uptime.Up)
				}
				pass(250 * time.Millisecond)
				synctest.Wait()
				require.Len(t, r.stored(), 100-len(bad))
				require.Len(t, r.told().acked, 100)
				require.Equal(t, uint64(len(bad)), r.Stats().Poisoned)
				require.Zero(t, r.Stats().Held)
				require.NoError(t, r.stop())
			})
		})
	}
}

func TestAStoreThatRefusesEverythingLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, recorder.Config{})
		r.change(func() { r.refuse = func([]uptime.Result) error { return errors.New("disk full") } })
		for id := range int64(500) {
			r.submit(id, uptime.Up)
		}
		pass(time.Minute)
		require.Equal(t, 500, r.Stats().Held)
		require.Zero(t, r.Stats().Poisoned)
		require.Empty(t, r.told().acked)
		r.change(func() { r.refuse = nil })
		pass(10 * time.Second)
		synctest.Wait()
		require.Len(t, r.stored(), 500)
		require.NoError(t, r.stop())
	})
}
