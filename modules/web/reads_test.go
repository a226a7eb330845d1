package web

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// counted counts what pages ask; each call is a fixed number of statements, which
// the store's own test counts.
type counted struct {
	*fake
	calls atomic.Int64
}

func (c *counted) Counts(ctx context.Context, a uptime.Actor) (manage.Counts, error) {
	c.calls.Add(1)
	return c.fake.Counts(ctx, a)
}

func (c *counted) CountIncidents(ctx context.Context, a uptime.Actor, f uptime.IncidentFilter) (int64, error) {
	c.calls.Add(1)
	return c.fake.CountIncidents(ctx, a, f)
}

func (c *counted) Monitors(ctx context.Context, a uptime.Actor, f uptime.MonitorFilter, p uptime.Page) (uptime.List[manage.MonitorView], error) {
	c.calls.Add(1)
	return c.fake.Monitors(ctx, a, f, p)
}

func (c *counted) CountMonitors(ctx context.Context, a uptime.Actor, f uptime.MonitorFilter) (int64, error) {
	c.calls.Add(1)
	return c.fake.CountMonitors(ctx, a, f)
}

func (c *counted) Facets(ctx context.Context, a uptime.Actor, f uptime.MonitorFilter) (manage.FacetsView, error) {
	c.calls.Add(1)
	return c.fake.Facets(ctx, a, f)
}

func (c *counted) Groups(ctx context.Context, a uptime.Actor, f uptime.MonitorFilter, limit, offset int) ([]manage.GroupView, int64, error) {
	c.calls.Add(1)
	return c.fake.Groups(ctx, a, f, limit, offset)
}

func (c *counted) GroupHeads(ctx context.Context, a uptime.Actor, f uptime.MonitorFilter, limit, offset int) ([]manage.GroupView, int64, error) {
	c.calls.Add(1)
	return c.fake.GroupHeads(ctx, a, f, limit, offset)
}

func (c *counted) Views(ctx context.Context, a uptime.Actor) (uptime.List[manage.SavedView], error) {
	c.calls.Add(1)
	return c.fake.Views(ctx, a)
}

func (c *counted) Monitor(ctx context.Context, a uptime.Actor, id int64) (manage.MonitorView, error) {
	c.calls.Add(1)
	return c.fake.Monitor(ctx, a, id)
}

func (c *counted) Results(ctx context.Context, a uptime.Actor, id int64, f uptime.ResultFilter, p uptime.Page) (uptime.List[manage.ResultView], error) {
	c.calls.Add(1)
	return c.fake.Results(ctx, a, id, f, p)
}

func (c *counted) Stats(ctx context.Context, a uptime.Actor, id int64, q manage.StatsQuery) (manage.StatsView, error) {
	c.calls.Add(1)
	return c.fake.Stats(ctx, a, id, q)
}

func (c *counted) Availability(ctx context.Context, a uptime.Actor, id int64, lengths ...time.Duration) ([]uptime.Availability, error) {
	c.calls.Add(1)
	return c.fake.Availability(ctx, a, id, lengths...)
}

func (c *counted) Glances(ctx context.Context, a uptime.Actor, ids []int64, q uptime.GlanceQuery) (map[int64]uptime.Glance, error) {
	c.calls.Add(1)
	return c.fake.Glances(ctx, a, ids, q)
}

func (c *counted) Buckets(ctx context.Context, a uptime.Actor, ids []int64, from, to time.Time, width time.Duration) (map[int64][]uptime.Bucket, error) {
	c.calls.Add(1)
	return c.fake.Buckets(ctx, a, ids, from, to, width)
}

func (c *counted) Incidents(ctx context.Context, a uptime.Actor, f uptime.IncidentFilter, p uptime.Page) (uptime.List[manage.IncidentView], error) {
	c.calls.Add(1)
	return c.fake.Incidents(ctx, a, f, p)
}

func (c *counted) IncidentSpans(ctx context.Context, a uptime.Actor, id int64, from, to time.Time) ([]uptime.IncidentSpan, error) {
	c.calls.Add(1)
	return c.fake.IncidentSpans(ctx, a, id, from, to)
}

func (c *counted) ExpiringCertificates(ctx context.Context, a uptime.Actor, within time.Duration) ([]manage.MonitorView, error) {
	c.calls.Add(1)
	return c.fake.ExpiringCertificates(ctx, a, within)
}

func (c *counted) Channels(ctx context.Context, a uptime.Actor, p uptime.Page) (uptime.List[manage.ChannelView], error) {
	c.calls.Add(1)
	return c.fake.Channels(ctx, a, p)
}

// TestPagesAskTheSame: what a page asks does not grow with the number of monitors.
func TestPagesAskTheSame(t *testing.T) {
	t.Parallel()
	for path, most := range map[string]int64{"/": 9, "/monitors?size=200": 8, "/monitors?view=grouped": 8, "/monitors/4": 13} {
		var before int64
		for _, many := range []int{10, 200} {
			w, f := setup(t)
			f.many = many
			c := &counted{fake: f}
			w.deps.Manage = c
			require.Equal(t, http.StatusOK, ask(w, path, nil).Code, path)
			calls := c.calls.Load()
			require.LessOrEqual(t, calls, most, path)
			if before != 0 {
				require.Equal(t, before, calls, path)
			}
			before = calls
		}
		require.Positive(t, before)
	}
}
