package web

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"monitor/modules/uptime"
)

// becomes changes what monitors are, and says so as the recorder does.
func (f *fake) becomes(now uptime.Status, ids ...int64) {
	f.mu.Lock()
	if f.now == nil {
		f.now = map[int64]uptime.Status{}
	}
	var said []uptime.Notice
	for _, id := range ids {
		was := sampleList()[int(id-1)%len(sampleList())].status
		if f.many > 0 {
			was = uptime.Up
		}
		if s, changed := f.now[id]; changed {
			was = s
		}
		f.now[id] = now
		data := fmt.Sprintf(`{"id":%d,"status":%q,"was":%q,"since":%q}`, id, now, was, sampleNow().Format(time.RFC3339))
		said = append(said, uptime.Notice{Topic: uptime.TopicStatus, WorkspaceID: 1, ID: id, Data: []byte(data)})
	}
	f.mu.Unlock()
	for _, n := range said {
		f.notices <- n
	}
}

func (f *fake) Publish(context.Context, ...uptime.Notice) error { return nil }

func (f *fake) Subscribe(ctx context.Context, _ ...uptime.Topic) (<-chan uptime.Notice, error) {
	out := make(chan uptime.Notice)
	go func() {
		defer close(out)
		for {
			select {
			case n := <-f.notices:
				select {
				case out <- n:
				case <-ctx.Done():
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

// sampleName is what a process is called in its streams.
func sampleName() string { return "here" }

// hears runs what streams hear from until the test ends.
func hears(t *testing.T, w *Web) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_ = w.Run(ctx, sync.OnceFunc(func() { close(ready) }))
	}()
	<-ready
	t.Cleanup(func() {
		cancel()
		<-done
	})
}
