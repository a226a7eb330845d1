package web

import (
	"slices"
	"strings"
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

// usualRange is what is shown unless somebody chose: a day, of a monitor so new
// that a day would be empty the last hour, and more of one that is checked so
// rarely that a day would hold a few values only.
func usualRange(all []chartRange, interval, age time.Duration) chartRange {
	const hour, day = 0, 2
	if age < 6*time.Hour && interval <= 5*time.Minute {
		return all[hour]
	}
	for _, c := range all[day:] {
		if c.span >= 12*interval {
			return c
		}
	}
	return all[len(all)-1]
}

// cut leaves out what was before a monitor's first hour was over: its first
// checks fill the chart instead of its edge, in finer buckets.
func (c chartRange) cut(interval, age time.Duration) chartRange {
	const step, finest, few = 5 * time.Minute, 15 * time.Second, 20 * time.Minute
	if c.span > time.Hour || age < 0 || age > c.span-step {
		return c
	}
	c.span, c.text = age.Truncate(step)+step, "its first hour"
	if c.span <= few {
		c.width = max(finest, min(interval, c.width))
	}
	return c
}

// widthFor is the width of a bucket: finer than a check's interval they would
// be mostly gaps, and fewer than four would be no chart.
func (c chartRange) widthFor(interval time.Duration) time.Duration {
	if interval > time.Minute {
		interval = interval.Round(time.Minute)
	}
	return max(c.width, min(interval, c.span/4))
}

func (p *MonitorPage) fillChart(r *request, s *scene, m manage.MonitorView) error {
	at := r.QueryParam("range")
	all := chartRanges()
	chosen := usualRange(all, time.Duration(m.Interval), r.now.Sub(m.CreatedAt))
	for _, c := range all {
		if c.key == at {
			chosen = c
		}
	}
	for _, c := range all {
		p.Ranges = append(p.Ranges, Link{c.label, p.Row.URL + "?range=" + c.key + p.further(), c.key == chosen.key})
	}
	chosen = chosen.cut(time.Duration(m.Interval), r.now.Sub(m.CreatedAt))
	width := chosen.widthFor(time.Duration(m.Interval))
	end := r.now.Truncate(width).Add(width)
	buckets, err := r.web.deps.Manage.Buckets(r.Request().Context(), r.actor, []int64{m.ID}, end.Add(-chosen.span), end, width)
	if err != nil {
		return err
	}
	p.RangeText = chosen.text
	p.Chart = drawChart(buckets[m.ID], s.when)
	p.Self = p.Row.URL + "?range=" + chosen.key + p.further()
	return nil
}

// further is the way in an address that has a query already.
func (p *MonitorPage) further() string { return strings.Replace(p.Way, "?", "&", 1) }

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
	if up := uptimeOf(days); up != nil {
		p.DaysUp = percent(up) + " uptime"
	}
	for _, day := range slices.Backward(days) {
		if day.Downtime > 0 {
			p.BadDays = append(p.BadDays, BadDay{day.From.UTC().Format("Mon 2 Jan 2006"), span(day.Downtime)})
		}
	}
	return nil
}
