package app

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The collector lets the heap grow by a share of what lives before it runs again.
// While that is small a lower share costs next to nothing and keeps the process of a
// single team below 60 MB; what thousands of checks a second leave behind is cheaper
// to collect seldom, at Go's own default.
const (
	smallHeap      = 32 << 20
	smallHeapShare = 30
	usualShare     = 100
	lookAtHeap     = 5 * time.Second
)

// tuneGarbage fits the collector to the heap until ctx ends. Who has set GOGC
// knows better.
func tuneGarbage(ctx context.Context, ready func()) error {
	ready()
	if os.Getenv("GOGC") != "" {
		<-ctx.Done()
		return nil
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	tick := time.NewTicker(lookAtHeap)
	defer tick.Stop()
	share := usualShare
	for {
		metrics.Read(live)
		want := usualShare
		if live[0].Value.Kind() == metrics.KindUint64 && live[0].Value.Uint64() < smallHeap {
			want = smallHeapShare
		}
		if want != share {
			debug.SetGCPercent(want)
			share = want
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
