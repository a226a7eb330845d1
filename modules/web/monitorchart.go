package web

import (
	"slices"
	"time"

	"monitor/modules/manage"
)

// chartRange is a choice of the range picker; its buckets are at most 365.
type chartRange struct {
	key, label, text string
	span, width      time.Duration
}

func chartRanges() []chartRange {
	const day = 24 * time.Hour
	return []chartRange{
		{"1h", "1 h", "the last hour", time.Hour, time.Minute},
		{"6h", "6 h", "the last 6 hours", 6 * time.Hour, 5 * time.Minute},
		{"24h", "24 h", "the last 24 hours", day, 10 * time.Minute},
		{"7d", "7 d", "the last 7 days", 7 * day, time.Hour},
		{"30d", "30 d", "the last 30 days", 30 * day, 4 * time.Hour},
		{"90d", "90 d", "the last 90 days", 90 * day, day},
		{"1y", "1 y", "the last year", 365 * day, day},
	}
}

func (p *MonitorPage) fillChart(r *request, s *scene, m manage.MonitorView) error {
	at := r.QueryParam("range")
	all := chartRanges()
	chosen := all[2]
	for _, c := range all {
		if c.key == at {
			chosen = c
		}
	}
	for _, c := range all {
		p.Ranges = append(p.Ranges, Link{c.label, p.Row.URL + "?range=" + c.key, c == chosen})
	}
	// Buckets finer than a check's interval would be mostly gaps.
	width := max(chosen.width, time.Duration(m.Interval).Round(time.Minute))
	end := r.now.Truncate(width).Add(width)
	buckets, err := r.web.deps.Manage.Buckets(r.Request().Context(), r.actor, []int64{m.ID}, end.Add(-chosen.span), end, width)
	if err != nil {
		return err
	}
	p.RangeText = chosen.text
	p.Chart = drawChart(buckets[m.ID], s.when)
	p.Self = p.Row.URL + "?range=" + chosen.key
	return nil
}

func (p *MonitorPage) fillDays(r *request, _ *scene, m manage.MonitorView) error {
	const day = 24 * time.Hour
	end := r.now.Truncate(day).Add(day)
	buckets, err := r.web.deps.Manage.Buckets(r.Request().Context(), r.actor, []int64{m.ID}, end.Add(-90*day), end, day)
	if err != nil {
		return err
	}
	days := buckets[m.ID]
	p.Days = skyline(days, m.Name, "90 days")
	p.DaysShort = skyline(days[max(len(days)-30, 0):], m.Name, "30 days")
	p.DaysUp = percent(uptimeOf(within(days, m.CreatedAt, r.now)))
	for _, day := range slices.Backward(days) {
		if day.Downtime > 0 {
			p.BadDays = append(p.BadDays, BadDay{day.From.UTC().Format("Mon 2 Jan 2006"), span(day.Downtime)})
		}
	}
	return nil
}
