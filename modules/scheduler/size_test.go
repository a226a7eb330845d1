package scheduler

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// most bytes of a monitor in the timetable, its spec counted apart.
const most = 150

// million is a usual monitor among very many: a row key, a type and settings as they
// are in the database. Specs are packed anew for each, as the store does.
func million(id int64, interval time.Duration) uptime.Scheduled {
	m := monitor(id, interval)
	m.RowKey = "0123456789abcdef0123456789abcdef"
	m.Settings = fmt.Appendf(nil, `{"url":"https://host-%07d.example.com/health","method":"GET"}`, id)
	m.CheckAt = base.Add(-time.Hour)
	m.State.LastSlot = base
	return m.Scheduled()
}

// held is how many bytes are in use, garbage left out.
func held() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// fill makes a timetable of n monitors and says what it and the specs take, a
// monitor. Between both it lets a whole turn of the wheel go by: what a bucket keeps
// when it is empty counts too.
func fill(n int, interval time.Duration) (t *timetable, each, spec float64) {
	specs := make([]uptime.Packed, n)
	before := held()
	for i := range specs {
		specs[i] = million(int64(i+1), interval).Spec
	}
	between := held()
	t = newTimetable(base.UnixMilli())
	bare := million(1, interval)
	for i := range n {
		m := bare
		m.ID, m.Spec = int64(i+1), specs[i]
		t.put(newEntry(&m, base, base))
	}
	var out output
	for to := base; to.Before(base.Add(turn * grain * time.Millisecond)); to = to.Add(10 * time.Second) {
		out.slots = out.slots[:0]
		for t.due(to.UnixMilli(), to.UnixMilli(), batchSize, &out) {
			out.slots = out.slots[:0]
		}
	}
	out = output{}
	after := held()
	runtime.KeepAlive(specs)
	each = float64(after-between) / float64(n)
	return t, each, float64(between-before)/float64(n) - 16 // the list of specs that this test keeps
}

// Not parallel: it measures the memory of the process.
func TestBytesPerMonitor(t *testing.T) { //nolint:paralleltest // see above
	table, each, spec := fill(100_000, time.Minute)
	require.Len(t, table.entries, 100_000)
	t.Logf("%.1f bytes each in the timetable, %.1f in its spec", each, spec)
	require.LessOrEqual(t, each, float64(most))
}

// BenchmarkBytesPerMonitor says how much a monitor takes among a million.
func BenchmarkBytesPerMonitor(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var each, spec float64
			for b.Loop() {
				_, each, spec = fill(n, time.Minute)
			}
			b.ReportMetric(each, "B/monitor")
			b.ReportMetric(spec, "B/spec")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// discard is a queue that takes everything, for benchmarks.
type discard struct{ jobs int }

func (d *discard) Raise(context.Context, int64) error { return nil }

func (d *discard) Watermarks(context.Context) ([]time.Time, error) { return make([]time.Time, 8), nil }

func (d *discard) Partition(id int64) int { return int(id % 8) }

func (d *discard) Publish(_ context.Context, b uptime.SlotBatch) error {
	d.jobs += len(b.Slots)
	return nil
}

// leading is a term with n monitors whose slots go nowhere.
func leading(b *testing.B, n int, interval time.Duration) (*term, *handClock, *discard) {
	b.Helper()
	clock := &handClock{now: base}
	s := setup(b, clock.Now, 8)
	queue := &discard{}
	s.Slots = queue
	t := s.take(b, 1)
	for id := range n {
		m := million(int64(id+1), interval)
		t.table.put(newEntry(&m, base, base))
	}
	runtime.GC()
	return t, clock, queue
}

// One tick of a second, everything at 60 s, and the same at an hour: the cost
// follows what is due.
func BenchmarkTick(b *testing.B) {
	for _, interval := range []time.Duration{time.Minute, time.Hour} {
		for _, n := range []int{10_000, 100_000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/%d", interval, n), func(b *testing.B) {
				t, clock, queue := leading(b, n, interval)
				queue.jobs = 0
				b.ReportAllocs()
				for b.Loop() {
					clock.move(tick)
					if err := t.tick(context.Background()); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(queue.jobs)/float64(b.N), "jobs/tick")
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(max(queue.jobs, 1)), "ns/job")
			})
		}
	}
}

// What the timetable costs a monitor: one more, one that changed, and a re-read of
// everything in which nothing did, in pages as the reader hands them over. A page and
// the sweep behind them are what a tick may have to wait for.
func BenchmarkTimetable(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmarkTimetable(b, n) })
	}
}

func benchmarkTimetable(b *testing.B, n int) {
	b.Helper()
	list := make([]uptime.Scheduled, n)
	for i := range list {
		list[i] = million(int64(i+1), time.Minute)
	}
	each := func(b *testing.B) {
		b.Helper()
		b.ReportAllocs()
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/monitor")
	}
	b.Run("Put", func(b *testing.B) {
		for b.Loop() {
			t := newTimetable(base.UnixMilli())
			for i := range list {
				t.put(newEntry(&list[i], base, base))
			}
		}
		each(b)
	})
	pages := func(b *testing.B, t *term) {
		b.Helper()
		for from := 0; from < n; from += pageSize {
			if err := t.accept(context.Background(), change{monitors: list[from : from+pageSize]}); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("Change", func(b *testing.B) {
		t, _, _ := leading(b, n, time.Minute)
		for b.Loop() {
			for i := range list {
				list[i].ChangeSeq++
			}
			pages(b, t)
		}
		each(b)
	})
	b.Run("Reread", func(b *testing.B) {
		t, _, _ := leading(b, n, time.Minute)
		accept := func(c change) {
			if err := t.accept(context.Background(), c); err != nil {
				b.Fatal(err)
			}
		}
		var longest time.Duration
		for b.Loop() {
			accept(change{begin: true})
			pages(b, t)
			began := time.Now()
			accept(change{end: true})
			longest = max(longest, time.Since(began))
		}
		each(b)
		b.ReportMetric(float64(longest.Microseconds())/1000, "ms/sweep")
	})
}
