package uptime

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestCalmIsWhatJudgeWouldSay walks a monitor through random results by Judge. Where
// it is calm and the next result agrees, Judge must change nothing else than the
// newest figures, and where it does so for a success it should have agreed.
func TestCalmIsWhatJudgeWouldSay(t *testing.T) {
	t.Parallel()
	seen := 0
	rapid.Check(t, func(rt *rapid.T) {
		m := subject(rapid.IntRange(1, 3).Draw(rt, "failures"), rapid.IntRange(1, 3).Draw(rt, "successes"), "a")
		m.Enabled = true
		m.CheckAt = at(rapid.IntRange(-5, 5).Draw(rt, "check"))
		l := newLedger(m)
		for n := range rapid.IntRange(1, 40).Draw(rt, "results") {
			r := drawResult(rt, n)
			calm, is := CalmOf(l.monitor, l.living())
			before := l.monitor.State
			agrees := is && calm.Agrees(r) && r.ScheduledAt.After(before.LastSlot)
			if r.Replaced(l.monitor) {
				require.False(rt, agrees)
				continue
			}
			told := len(l.events)
			d := l.record(rt, []Result{r})
			if !agrees {
				continue
			}
			seen++
			require.Empty(rt, d.Incidents)
			require.Empty(rt, d.Retries)
			require.Len(rt, l.events, told)
			want := before
			want.LastSlot, want.KnownSlot, want.LastResponse = r.ScheduledAt, r.ScheduledAt, r.Response
			want.Regions = map[string]RegionState{"a": {Answered: true, LastSlot: r.ScheduledAt}}
			require.Equal(rt, want, l.monitor.State)
		}
	})
	require.Positive(t, seen)
}

// drawResult is mostly a success.
func drawResult(rt *rapid.T, n int) Result {
	r := Result{Region: "a", ScheduledAt: at(n), StartedAt: at(n), Attempt: 1}
	r.Status = rapid.SampledFrom([]Status{Up, Up, Up, Up, Up, Up, Down, Degraded, Unknown}).Draw(rt, "status")
	r.Response = time.Duration(rapid.IntRange(1, 100).Draw(rt, "response")) * time.Millisecond
	if r.Status == Down {
		r.Error, r.ErrorKind = "bad", KindStatus
	}
	if rapid.IntRange(0, 9).Draw(rt, "late") == 0 {
		r.ScheduledAt = at(n - 7)
	}
	if rapid.IntRange(0, 9).Draw(rt, "region") == 0 {
		r.Region = "b"
	}
	if rapid.IntRange(0, 4).Draw(rt, "old spec") == 0 {
		r.SpecOf = at(-10)
	}
	if rapid.Bool().Draw(rt, "tls") {
		days := rapid.SampledFrom([]int{0, 14, 400}).Draw(rt, "warn")
		end := rapid.SampledFrom([]int{30, 300}).Draw(rt, "ends")
		r.Certificate = &Certificate{Fingerprint: "f", NotAfter: at(end * 86400), WarnDays: days}
	}
	return r
}
