package app

import (
	"context"
	"sync"
	"time"

	"monitor/modules/manage"
	"monitor/modules/uptime"
	"monitor/modules/worker"
)

// vitalsWindow is how far back, at least, the numbers of the overview look.
const vitalsWindow = 30 * time.Second

// vitals are the numbers of the overview, as this process sees them. Safe for
// concurrent use once the worker is set.
type vitals struct {
	p      *process
	worker *worker.Worker // nil: this process has none

	mu       sync.Mutex
	old, new snapshot
}

// snapshot is what the worker had done at a time.
type snapshot struct {
	at     time.Time
	checks uptime.CheckCounts
	late   worker.Lateness
}

func newVitals(p *process) *vitals { return &vitals{p: p} }

// Vitals gives rate and lateness over the last half minute to minute.
func (v *vitals) Vitals(context.Context) (manage.Vitals, error) {
	var out manage.Vitals
	for _, name := range v.p.roles {
		out.Roles = append(out.Roles, manage.RoleHealth{Role: name, Instances: 1, Healthy: 1})
	}
	if v.worker == nil {
		return out, nil
	}
	stats := v.worker.Stats()
	now := snapshot{v.p.app.Clock(), stats.Checks, stats.Late}
	since := v.since(now)
	if took := now.at.Sub(since.at).Seconds(); took > 0 {
		out.ChecksPerSecond = float64(sum(now.checks)-sum(since.checks)) / took
	}
	late := minus(now.late, since.late)
	out.LatenessP50, out.LatenessP99 = late.Quantile(0.5), late.Quantile(0.99)
	return out, nil
}

// since gives the snapshot to compare with and keeps the new one in its time.
func (v *vitals) since(now snapshot) snapshot {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.new.at.IsZero() {
		v.old, v.new = snapshot{at: v.p.started}, now
	}
	if now.at.Sub(v.new.at) >= vitalsWindow {
		v.old, v.new = v.new, now
	}
	return v.old
}

func sum(c uptime.CheckCounts) int64 { return c.Up + c.Degraded + c.Down + c.Unknown }

// minus is what was counted after an earlier look at the same counts.
func minus(now, before worker.Lateness) worker.Lateness {
	out := worker.Lateness{Bounds: now.Bounds, Counts: append([]uint64(nil), now.Counts...)}
	for i := range before.Counts {
		out.Counts[i] -= before.Counts[i]
	}
	return out
}
