package app

import (
	"context"
	"slices"
	"sync"
	"time"

	"monitor/modules/fleet"
	"monitor/modules/manage"
	"monitor/modules/uptime"
	"monitor/modules/worker"
)

// vitalsWindow is how far back, at least, the numbers of the overview look.
const vitalsWindow = 30 * time.Second

// vitals are the numbers of the overview, over all processes. Safe for concurrent
// use once worker and crew are set.
type vitals struct {
	p      *process
	worker *worker.Worker // nil: this process has none
	crew   *crew          // nil: a command, which is no process among others

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

// Vitals gives the processes of each role, and rate and lateness over the last
// half minute to minute.
func (v *vitals) Vitals(ctx context.Context) (manage.Vitals, error) {
	var out manage.Vitals
	if v.crew == nil {
		return out, nil
	}
	var late fleet.Lateness
	members := v.crew.members(ctx)
	for _, m := range members {
		out.ChecksPerSecond += m.ChecksPerSecond
		late = late.Plus(m.Late)
	}
	for _, name := range roleNames() {
		row := manage.RoleHealth{Role: name}
		for _, m := range members {
			if slices.Contains(m.Roles, name) {
				row.Instances++
			}
			if slices.Contains(m.Healthy, name) {
				row.Healthy++
			}
		}
		out.Roles = append(out.Roles, row)
	}
	out.LatenessP50, out.LatenessP99 = late.Quantile(0.5), late.Quantile(0.99)
	return out, nil
}

// work is what this process's worker did lately.
func (v *vitals) work() (checksPerSecond float64, late fleet.Lateness) {
	if v.worker == nil {
		return 0, fleet.Lateness{}
	}
	stats := v.worker.Stats()
	now := snapshot{v.p.app.Clock(), stats.Checks, stats.Late}
	since := v.since(now)
	if took := now.at.Sub(since.at).Seconds(); took > 0 {
		checksPerSecond = float64(sum(now.checks)-sum(since.checks)) / took
	}
	return checksPerSecond, minus(now.late, since.late)
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
func minus(now, before worker.Lateness) fleet.Lateness {
	out := fleet.Lateness{Bounds: now.Bounds, Counts: slices.Clone(now.Counts)}
	for i := range before.Counts {
		out.Counts[i] -= before.Counts[i]
	}
	return out
}
