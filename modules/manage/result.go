package manage

import (
	"context"
	"slices"
	"time"

	"monitor/modules/uptime"
)

const (
	maxBucketMonitors = 200
	maxBuckets        = 2000
	maxWindow         = 400 * 24 * time.Hour
)

// own makes sure that the monitor is there and the actor may read it.
func (m *Manage) own(ctx context.Context, actor uptime.Actor, id int64) error {
	if err := m.permit(actor, Read); err != nil {
		return err
	}
	_, err := m.deps.Monitors.Monitor(ctx, actor.WorkspaceID, id)
	return err
}

// Results of a monitor, newest first.
func (m *Manage) Results(ctx context.Context, actor uptime.Actor, id int64, f uptime.ResultFilter, p uptime.Page) (uptime.List[ResultView], error) {
	var none uptime.List[ResultView]
	if err := m.own(ctx, actor, id); err != nil {
		return none, err
	}
	p, err := page(p)
	if err != nil {
		return none, err
	}
	b := &body{}
	checkRange(b, f.From, f.To)
	if of := []uptime.Status{uptime.Up, uptime.Degraded, uptime.Down, uptime.Unknown}; f.Status != "" && !slices.Contains(of, f.Status) {
		b.fail("status", "must be one of %s", joined(of))
	}
	if f.Region != "" && !regionName.MatchString(f.Region) {
		b.fail("region", "must be a name of lower-case letters, digits, - and _")
	}
	if err := b.finish("a filter"); err != nil {
		return none, err
	}
	list, err := m.deps.Results.Results(ctx, actor.WorkspaceID, id, f, p)
	if err != nil {
		return none, err
	}
	return mapList(list, resultView), nil
}

// Result gives one result of a monitor, by its region and slot. ErrNotFound.
func (m *Manage) Result(ctx context.Context, actor uptime.Actor, id int64, region string, slot time.Time) (ResultView, error) {
	if err := m.permit(actor, Read); err != nil {
		return ResultView{}, err
	}
	r, err := m.deps.Results.Result(ctx, actor.WorkspaceID, id, region, slot)
	if err != nil {
		return ResultView{}, err
	}
	return resultView(r), nil
}

func checkRange(b *body, from, to time.Time) {
	if !from.IsZero() && !to.IsZero() && !to.After(from) {
		b.fail("to", "must be after from")
	}
}

// Gaps are the ranges without results between from and to; zero is the last 24
// hours up to now.
func (m *Manage) Gaps(ctx context.Context, actor uptime.Actor, id int64, from, to time.Time) ([]GapView, error) {
	if err := m.own(ctx, actor, id); err != nil {
		return nil, err
	}
	if to.IsZero() {
		to = m.deps.Clock()
	}
	if from.IsZero() {
		from = to.Add(-24 * time.Hour)
	}
	b := &body{}
	checkRange(b, from, to)
	if err := b.finish("a filter"); err != nil {
		return nil, err
	}
	ranges, err := m.deps.Results.Missed(ctx, actor.WorkspaceID, id, from, to)
	if err != nil {
		return nil, err
	}
	views := []GapView{}
	for _, r := range ranges {
		views = append(views, GapView{MonitorID: r.MonitorID, Region: r.Region, From: r.From.UTC(), To: r.To.UTC(), Count: r.Count, Reason: r.Reason})
	}
	return views, nil
}

// Stats sums the monitor's results over a window.
func (m *Manage) Stats(ctx context.Context, actor uptime.Actor, id int64, q StatsQuery) (StatsView, error) {
	if err := m.own(ctx, actor, id); err != nil {
		return StatsView{}, err
	}
	name, from, to, err := m.window(q)
	if err != nil {
		return StatsView{}, err
	}
	s, err := m.deps.Results.Stats(ctx, actor.WorkspaceID, id, from, to)
	if err != nil {
		return StatsView{}, err
	}
	return statsView(name, from, to, s), nil
}

// Availability of the monitor in windows of these lengths that end now.
func (m *Manage) Availability(ctx context.Context, actor uptime.Actor, id int64, lengths ...time.Duration) ([]uptime.Availability, error) {
	if err := m.permit(actor, Read); err != nil {
		return nil, err
	}
	b := &body{}
	for _, length := range lengths {
		if length <= 0 || length > maxWindow {
			b.fail("window", "must be above zero and at most %s", shortDuration(maxWindow))
		}
	}
	if err := b.finish("a window"); err != nil {
		return nil, err
	}
	return m.deps.Results.Availability(ctx, actor.WorkspaceID, id, lengths)
}

// Glances gives what lists show of several monitors, at most 200, in at most 2000
// pieces each; those that are not there are left out.
func (m *Manage) Glances(ctx context.Context, actor uptime.Actor, ids []int64, q uptime.GlanceQuery) (map[int64]uptime.Glance, error) {
	if err := m.permit(actor, Read); err != nil {
		return nil, err
	}
	if err := checkBuckets(ids, q.From, q.To, q.Width); err != nil {
		return nil, err
	}
	return m.deps.Results.Glances(ctx, actor.WorkspaceID, ids, q)
}

func statsView(name string, from, to time.Time, s uptime.Stats) StatsView {
	v := StatsView{
		Window: name, From: from, To: to, Uptime: s.Uptime, Coverage: s.Coverage,
		DowntimeSeconds: seconds(s.Downtime), MaintenanceSeconds: seconds(s.Maintenance), UnknownSeconds: seconds(s.Unknown),
		Checks: ChecksView(s.Checks), Incidents: s.Incidents,
	}
	if s.HasResponse {
		mean, p50, p95, p99 := millis(s.Mean), millis(s.P50), millis(s.P95), millis(s.P99)
		v.ResponseMS = ResponseView{Mean: &mean, P50: &p50, P95: &p95, P99: &p99}
	}
	return v
}

func (m *Manage) window(q StatsQuery) (name string, from, to time.Time, err error) {
	const day = 24 * time.Hour
	b := &body{}
	to = m.deps.Clock().Truncate(time.Millisecond)
	if q.From.IsZero() && q.To.IsZero() {
		windows := map[string]time.Duration{"": day, "24h": day, "7d": 7 * day, "30d": 30 * day, "90d": 90 * day, "1y": 365 * day}
		length, ok := windows[q.Window]
		if !ok {
			b.fail("window", "must be one of 24h, 7d, 30d, 90d, 1y")
		}
		if name = q.Window; name == "" {
			name = "24h"
		}
		return name, to.Add(-length), to, b.finish("a window")
	}
	if q.Window != "" {
		b.fail("window", "cannot be used together with from and to")
	}
	if !q.To.IsZero() {
		to = q.To.UTC()
	}
	if from = q.From.UTC(); q.From.IsZero() {
		from = to.Add(-day)
	}
	checkRange(b, from, to)
	if to.Sub(from) > maxWindow {
		b.fail("from", "must be at most %s before to", shortDuration(maxWindow))
	}
	return "custom", from, to, b.finish("a window")
}

// Buckets are bars and charts of several monitors: at most 200 of them and 2000
// buckets each.
func (m *Manage) Buckets(ctx context.Context, actor uptime.Actor, ids []int64, from, to time.Time, width time.Duration) (map[int64][]uptime.Bucket, error) {
	if err := m.permit(actor, Read); err != nil {
		return nil, err
	}
	if err := checkBuckets(ids, from, to, width); err != nil {
		return nil, err
	}
	return m.deps.Results.Buckets(ctx, actor.WorkspaceID, ids, from, to, width)
}

func checkBuckets(ids []int64, from, to time.Time, width time.Duration) error {
	b := &body{}
	if len(ids) > maxBucketMonitors {
		b.fail("monitor_id", "must name at most %d monitors", maxBucketMonitors)
	}
	checkRange(b, from, to)
	if width < time.Second || to.Sub(from)/max(width, 1) > maxBuckets {
		b.fail("width", "must be at least 1s and give at most %d buckets", maxBuckets)
	}
	return b.finish("a chart")
}
