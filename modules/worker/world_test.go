package worker_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"monitor/modules/uptime"
)

type settings struct {
	URL     string            `json:"url" secret:"url"`
	Headers map[string]string `json:"headers" secret:"headers"`
}

// world stands in for queue, probes, seals and recorder.
type world struct {
	mu       sync.Mutex
	ready    []uptime.Lease
	more     chan struct{}
	takeErr  error
	pushErr  error
	asked    []int
	renewed  []string
	acked    []string
	pushed   []uptime.Job
	results  []uptime.Result
	missed   []uptime.Lease
	unstored []string
	started  map[int64]time.Time
	running  int
	most     int
	specs    map[int64]uptime.Spec
	check    func(ctx context.Context, spec uptime.Spec) (uptime.Outcome, error)
}

func newWorld() *world {
	return &world{
		more: make(chan struct{}, 1), started: map[int64]time.Time{}, specs: map[int64]uptime.Spec{},
		check: func(context.Context, uptime.Spec) (uptime.Outcome, error) {
			return uptime.Outcome{Status: uptime.Up}, nil
		},
	}
}

func (w *world) give(leases ...uptime.Lease) {
	w.change(func() { w.ready = append(w.ready, leases...) })
	select {
	case w.more <- struct{}{}:
	default:
	}
}

func (w *world) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *world) Take(ctx context.Context, _ string, n int) ([]uptime.Lease, error) {
	for {
		var out []uptime.Lease
		var err error
		w.change(func() {
			if err = w.takeErr; err == nil {
				w.asked = append(w.asked, n)
				some := min(n, len(w.ready))
				out, w.ready = w.ready[:some:some], w.ready[some:]
			}
		})
		if len(out) > 0 || err != nil {
			return out, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-w.more:
		}
	}
}

func (w *world) Push(_ context.Context, jobs []uptime.Job) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pushErr != nil {
		return w.pushErr
	}
	w.pushed = append(w.pushed, jobs...)
	return nil
}

func (w *world) Renew(_ context.Context, receipts []string) error {
	w.change(func() { w.renewed = append(w.renewed, receipts...) })
	return nil
}

func (w *world) Ack(_ context.Context, receipts []string) error {
	w.change(func() { w.acked = append(w.acked, receipts...) })
	return nil
}

func (w *world) Depth(context.Context) (uptime.QueueDepth, error) { return uptime.QueueDepth{}, nil }

func (w *world) Submit(r uptime.Result, _ uptime.Lease) {
	w.change(func() { w.results = append(w.results, r) })
}

func (w *world) Missed(l uptime.Lease, _ uptime.MissedReason) {
	w.change(func() { w.missed = append(w.missed, l) })
}

func (w *world) Unstored(time.Duration) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.unstored)
}

func (w *world) Kinds() []uptime.Kind { return nil }

func (w *world) Kind(name string) (uptime.Kind, bool) {
	return uptime.Kind{
		Name: name, New: func() any { return &settings{} }, Target: func(s any) string { return s.(*settings).URL },
	}, name == "http"
}

func (w *world) Seal(uptime.SecretPlace, string) (string, error) {
	return "", errors.New("a worker seals nothing")
}

func (w *world) Open(p uptime.SecretPlace, sealed string) (string, error) {
	if sealed == "moved" {
		return "", errors.New("sealed for another row")
	}
	return fmt.Sprintf("%s of %d/%s/%s/%s", sealed, p.WorkspaceID, p.Table, p.RowKey, p.Field), nil
}

func (w *world) Probe(ctx context.Context, spec uptime.Spec, _ bool) (uptime.Outcome, error) {
	w.change(func() {
		w.running++
		w.most = max(w.most, w.running)
		w.started[spec.WorkspaceID] = time.Now()
		w.specs[spec.WorkspaceID] = spec
	})
	defer w.change(func() { w.running-- })
	w.mu.Lock()
	check := w.check
	w.mu.Unlock()
	return check(ctx, spec)
}

// told is a copy of what the world was told so far.
type told struct {
	renewed, acked []string
	pushed         []uptime.Job
	results        []uptime.Result
	missed, ready  []uptime.Lease
	started        map[int64]time.Time
	specs          map[int64]uptime.Spec
	most           int
}

func (w *world) told() told {
	w.mu.Lock()
	defer w.mu.Unlock()
	return told{
		slices.Clone(w.renewed), slices.Clone(w.acked), slices.Clone(w.pushed), slices.Clone(w.results),
		slices.Clone(w.missed), slices.Clone(w.ready), maps.Clone(w.started), maps.Clone(w.specs), w.most,
	}
}
