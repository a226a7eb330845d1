package queue

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

// second is one second's slots of 10,000 checks a second, with specs as they are in
// a database.
func second(at time.Time) []uptime.Slot {
	slots := make([]uptime.Slot, 10_000)
	for i := range slots {
		slots[i] = uptime.Slot{
			MonitorID: int64(i + 1), Region: "default", At: at.Add(time.Duration(i/10) * time.Millisecond).UnixMilli(),
			Spec: uptime.Pack(uptime.Spec{
				WorkspaceID: 1, RowKey: "0123456789abcdef0123456789abcdef", Type: "http",
				Interval: time.Minute, Timeout: 10 * time.Second, Of: at,
				Settings: fmt.Appendf(nil, `{"url":"https://host-%07d.example.com/health","method":"GET"}`, i),
			}),
		}
	}
	return slots
}

// way sends one second after another through a queue, in batches as a leader
// publishes them and a busy worker takes them, and says what each step costs a job.
func way(b *testing.B, q interface {
	uptime.JobQueue
	uptime.SlotPublisher
}, now func() time.Time, advance func(time.Duration), batch int,
) {
	b.Helper()
	const published = 5000
	ctx := context.Background()
	require.NoError(b, q.Raise(ctx, 1))
	slots := second(now().Add(time.Second))
	spent := map[string]time.Duration{}
	timed := func(what string, do func() error) {
		began := time.Now()
		if err := do(); err != nil {
			b.Fatal(err)
		}
		spent[what] += time.Since(began)
	}
	b.ReportAllocs()
	for b.Loop() {
		advance(time.Second)
		for i := range slots {
			slots[i].At += 1000
		}
		for from := 0; from < len(slots); from += published {
			timed("publish", func() error {
				return q.Publish(ctx, uptime.SlotBatch{Epoch: 1, UpTo: now(), Slots: slots[from : from+published], Rate: 10_000})
			})
		}
		for left := len(slots); left > 0; {
			var leases []uptime.Lease
			timed("take", func() (err error) {
				leases, err = q.Take(ctx, "default", batch)
				return err
			})
			left -= len(leases)
			timed("ack", func() error { return q.Ack(ctx, receiptsOf(leases)) })
		}
	}
	jobs := float64(b.N) * float64(len(slots))
	for what, d := range spent {
		b.ReportMetric(float64(d.Nanoseconds())/jobs, "ns/"+what)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/jobs, "ns/job")
}

func BenchmarkMemoryPublishTakeAck(b *testing.B) {
	for _, batch := range []int{1, 128, 512} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) {
			clock := newHandClock()
			way(b, newQueue(b, clock.Now, 0), clock.Now, clock.move, batch)
		})
	}
}

func BenchmarkRedisPublishTakeAck(b *testing.B) {
	for _, batch := range []int{128, 512} {
		b.Run(fmt.Sprint(batch), func(b *testing.B) {
			q := newRedis(b, connect(b, testenv.Redis(b)), DefaultPartitions, 0)
			q.stop(b)
			way(b, q, func() time.Time { return time.UnixMilli(q.stopped.Load()) }, q.advance, batch)
		})
	}
}

// BenchmarkJob is the work of this program on each job's bytes.
func BenchmarkJob(b *testing.B) {
	slot := second(time.UnixMilli(1_767_323_045_000))[0]
	m := ofSlot(&slot)
	text := appendJob(nil, &m)
	b.Run("Append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			text = appendJob(text[:0], &m)
		}
		b.ReportMetric(float64(len(text)), "bytes")
	})
	b.Run("Read", func(b *testing.B) {
		whole := string(text)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := readJob(whole, "default"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkHeldBytes says what waiting jobs take: in this process beside specs, which
// jobs share with the timetable, and on the server in all.
func BenchmarkHeldBytes(b *testing.B) {
	const rounds = 20 // 200,000 jobs
	fill := func(b *testing.B, q uptime.SlotPublisher, slots []uptime.Slot) float64 {
		b.Helper()
		require.NoError(b, q.Raise(context.Background(), 1))
		for range rounds {
			for i := range slots {
				slots[i].At += 1000
			}
			require.NoError(b, q.Publish(context.Background(), uptime.SlotBatch{Epoch: 1, Slots: slots}))
		}
		return float64(rounds * len(slots))
	}
	b.Run("Memory", func(b *testing.B) {
		var each float64
		for b.Loop() {
			clock := newHandClock()
			q := newQueue(b, clock.Now, 0)
			slots := second(clock.Now())
			before := heap()
			n := fill(b, q, slots)
			each = float64(heap()-before) / n
			require.Positive(b, q.count)
		}
		b.ReportMetric(each, "B/job")
	})
	b.Run("Redis", func(b *testing.B) {
		for _, spec := range []string{"carried", "versioned"} {
			b.Run(spec, func(b *testing.B) {
				var each float64
				for b.Loop() {
					q := newRedis(b, connect(b, testenv.Redis(b)), DefaultPartitions, 0)
					slots := second(q.stop(b).Add(-30 * time.Second))
					for i := range slots {
						if spec == "versioned" { // a job that names a version of its spec instead
							slots[i].Spec = slots[i].Spec[:4]
						}
					}
					before := usedMemory(b, q)
					n := fill(b, q, slots)
					each = float64(usedMemory(b, q)-before) / n
				}
				b.ReportMetric(each, "B/job")
			})
		}
	})
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// usedMemory is what the server says that it uses.
func usedMemory(b *testing.B, q *Redis) int64 {
	b.Helper()
	info, err := q.client.Info(context.Background(), "memory").Result()
	require.NoError(b, err)
	_, rest, _ := strings.Cut(info, "used_memory:")
	text, _, _ := strings.Cut(rest, "\r")
	n, err := strconv.ParseInt(text, 10, 64)
	require.NoError(b, err)
	return n
}
