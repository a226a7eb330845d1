package store

import (
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// drawSet gives a set of time in [0, 60) and the same millisecond by millisecond.
func drawSet(rt *rapid.T, name string) (spans, [60]bool) {
	var list []span
	var has [60]bool
	for range rapid.IntRange(0, 5).Draw(rt, name) {
		from := rapid.Int64Range(0, 59).Draw(rt, "from")
		to := rapid.Int64Range(from, 60).Draw(rt, "to")
		list = append(list, span{from, to})
		for at := from; at < to; at++ {
			has[at] = true
		}
	}
	return joined(list), has
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var line timeline
		var scheduled, known, down, maintenance [60]bool
		line.scheduled, scheduled = drawSet(rt, "scheduled")
		line.known, known = drawSet(rt, "known")
		line.down, down = drawSet(rt, "down")
		line.maintenance, maintenance = drawSet(rt, "maintenance")
		from := rapid.Int64Range(0, 59).Draw(rt, "from")
		to := rapid.Int64Range(from, 60).Draw(rt, "to")
		var want measure
		for at := from; at < to; at++ {
			switch {
			case !scheduled[at]:
			case maintenance[at]:
				want.maintenance++
			case !known[at]:
				want.unknown++
			default:
				want.known++
				if down[at] {
					want.down++
				}
			}
		}
		got := line.measure(from, to)
		require.Equal(rt, want, got)
		if want.known == 0 {
			require.Nil(rt, got.uptime())
			require.Zero(rt, got.coverage())
			return
		}
		require.InDelta(rt, 1-float64(want.down)/float64(want.known), *got.uptime(), 1e-12)
		require.InDelta(rt, float64(want.known)/float64(want.known+want.unknown), got.coverage(), 1e-12)
	})
}

func TestUptimeIsOneOnlyWithoutDowntime(t *testing.T) {
	t.Parallel()
	require.Less(t, *measure{known: 1 << 60, down: 1}.uptime(), 1.0)
	require.Equal(t, 1.0, *measure{known: 1}.uptime()) //nolint:testifylint // exactly 1
	require.Zero(t, *measure{known: 5, down: 5}.uptime())
}

func TestSpansPack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		set, _ := drawSet(rt, "set")
		got, err := unpackSpans(set.pack(0, 60), 0, set.total())
		require.NoError(rt, err)
		require.Equal(rt, set, got)
	})
	_, err := unpackSpans([]byte{0x80}, 0, 1)
	require.ErrorIs(t, err, errSpans)
}

// TestHistogram compares with the library that defines the bars.
func TestHistogram(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		library := hdrhistogram.New(1, histogramMax, 2)
		var whole, part histogram
		for _, list := range rapid.SliceOfN(rapid.SliceOf(rapid.Int64Range(1, histogramMax)), 1, 4).Draw(rt, "parts") {
			part.reset()
			for _, us := range list {
				require.NoError(rt, library.RecordValue(us))
				part.add(us)
			}
			require.NoError(rt, whole.merge(part.pack()))
		}
		var want, got [][3]int64
		for _, b := range library.Distribution() {
			if b.Count > 0 {
				want = append(want, [3]int64{b.From, b.To, b.Count})
			}
		}
		for bar, n := range whole.bars() {
			got = append(got, [3]int64{lowest(bar), highest(bar), n})
		}
		require.Equal(rt, want, got)
		if n := library.TotalCount(); n > 0 {
			require.Equal(rt, library.Max(), int64(whole.percentile(100)/time.Microsecond))
		}
	})
	var h histogram
	require.ErrorIs(t, h.merge([]byte{0x80}), errHistogram)
	require.ErrorIs(t, h.merge([]byte{0, 1}), errHistogram)
	require.Zero(t, h.percentile(50))
	for us := range int64(100) {
		h.add(us + 1)
	}
	require.Equal(t, 95*time.Microsecond, h.percentile(95), "the nearest rank")
}
