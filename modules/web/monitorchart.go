package web

import (
	"slices"
	"strconv"
	"time"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// RangePicker is the form of a range by its ends.
type RangePicker struct {
	From, To string // as the inputs take them
	Zone     string
	Hidden   []pair
	Chosen   bool // this is such a range
	Note     string
}

// SpanLink is an incident below the chart.
type SpanLink struct{ URL, Text, When string }

// mostSpanLinks is how many are listed below the chart; all are drawn.
const mostSpanLinks = 12

// fillPicker offers the ranges.
func (p *MonitorPage) fillPicker(s *scene) {
	plain := func(l *look) { l.until, l.cursor, l.check = "", "", "" }
	for _, c := range chartRanges() {
		to := p.look.url(func(l *look) { plain(l); l.span, l.from, l.to = c.key, "", "" })
		p.Ranges = append(p.Ranges, Link{s.t(c.label), to, c.key == p.shown.key})
	}
	p.RangeText = p.shown.text
	p.Range = RangePicker{
		From: s.when(p.shown.from).local().Format(inputTime), To: s.when(p.shown.to).local().Format(inputTime), Zone: s.loc.String(),
		Hidden: p.look.hidden("range", "from", "to", "until", "cursor", "check"), Chosen: p.shown.key == "", Note: p.shown.note,
	}
	if p.Range.Chosen {
		p.Reset = p.look.url(func(l *look) { plain(l); l.span, l.from, l.to = "", "", "" })
	}
	p.LogScale = Link{s.t("Log scale"), p.look.url(func(l *look) { plain(l); l.log = !l.log }), p.look.log}
	file := look{base: p.look.base, span: p.look.span, from: p.look.from, to: p.look.to}
	p.CSV = file.under(p.look.base + "/chart.csv")
}

const dayLong = 24 * time.Hour

// fillPast draws the chart and the days, with the incidents of both.
func (p *MonitorPage) fillPast(r *request, s *scene, m manage.MonitorView) error {
	uses, ctx, at := r.web.deps.Manage, r.Request().Context(), p.shown
	today := r.now.Truncate(dayLong).Add(dayLong)
	first := today.Add(-90 * dayLong)
	past, err := uses.IncidentSpans(ctx, r.actor, m.ID, first, today)
	if err != nil {
		return err
	}
	of := slices.Clone(past)
	if at.start.Before(first) {
		if of, err = uses.IncidentSpans(ctx, r.actor, m.ID, at.start, at.stop); err != nil {
			return err
		}
	}
	of = slices.DeleteFunc(of, func(i uptime.IncidentSpan) bool { return !touches(i, at.start, at.stop) })
	buckets, err := uses.Buckets(ctx, r.actor, []int64{m.ID}, at.start, at.stop, at.width)
	if err != nil {
		return err
	}
	p.Chart = drawChart(chartInput{buckets: buckets[m.ID], incidents: of, log: p.look.log, now: r.now, when: s.when, lang: s.lang})
	p.listSpans(s, of)
	days, err := uses.Buckets(ctx, r.actor, []int64{m.ID}, first, today, dayLong)
	if err != nil {
		return err
	}
	p.fillDays(days[m.ID], past, m.Name)
	return nil
}

// listSpans lists incidents below the chart, up to mostSpanLinks.
func (p *MonitorPage) listSpans(s *scene, incidents []uptime.IncidentSpan) {
	for _, inc := range incidents[:min(len(incidents), mostSpanLinks)] {
		p.Spans = append(p.Spans, SpanLink{incidentURL(inc.ID), s.lang.Said(inc.Cause), s.spanText(inc)})
	}
	p.MoreSpans = int64(len(incidents) - len(p.Spans))
}

// touches says whether an incident has a part in [from, to).
func touches(i uptime.IncidentSpan, from, to time.Time) bool {
	return i.StartedAt.Before(to) && (i.RecoveredAt.IsZero() || i.RecoveredAt.After(from))
}

// spanText says from when to when: "14:02–14:09", of another day with its date.
func (s *scene) spanText(i uptime.IncidentSpan) string {
	from := s.when(i.StartedAt).local()
	text, now := from.Format("15:04"), s.when(s.now).local()
	if from.YearDay() != now.YearDay() || from.Year() != now.Year() {
		text = s.lang.DateTime(from, "15:04")
	}
	if i.RecoveredAt.IsZero() {
		return s.t("since %s", text)
	}
	to := s.when(i.RecoveredAt).local()
	if to.YearDay() == from.YearDay() && to.Year() == from.Year() {
		return text + "–" + to.Format("15:04")
	}
	return text + " – " + s.lang.DateTime(to, "15:04")
}

// BadDay is a day with downtime.
type BadDay struct{ Day, Down, Uptime string }

func (p *MonitorPage) fillDays(days []uptime.Bucket, incidents []uptime.IncidentSpan, name string) {
	p.Days = daysSkyline(p.Lang, days, incidents, name)
	if up := uptimeOf(days); up != nil {
		p.DaysUp = p.Lang.T("%s uptime", p.Lang.Percent(up))
	}
	for _, day := range slices.Backward(days) {
		if day.Downtime > 0 {
			p.BadDays = append(p.BadDays, BadDay{p.Lang.WeekdayDate(day.From.UTC()), p.Lang.Lasted(day.Downtime), p.Lang.Percent(uptimeOf([]uptime.Bucket{day}))})
		}
	}
}

// dayIncident is how the script gets an incident of a day: its number, its address
// and what to say.
type dayIncident struct {
	Day  int    `json:"d"`
	ID   string `json:"u"`
	Text string `json:"t"`
}

// dayIncidents lists the incidents of each day, in the zone of the days.
func dayIncidents(l *lang.Language, days []uptime.Bucket, incidents []uptime.IncidentSpan) []dayIncident {
	out := []dayIncident{}
	for i, day := range days {
		for _, inc := range slices.Backward(incidents) {
			if !touches(inc, day.From, day.To) {
				continue
			}
			out = append(out, dayIncident{i, strconv.FormatInt(inc.ID, 10), timeOfDay(l, inc, day) + " " + l.Said(inc.Cause)})
		}
	}
	return out
}

// timeOfDay says which part of a day an incident took.
func timeOfDay(l *lang.Language, inc uptime.IncidentSpan, day uptime.Bucket) string {
	first, last := inc.StartedAt.UTC().Format("15:04"), inc.RecoveredAt.UTC().Format("15:04")
	before, on, after := inc.StartedAt.Before(day.From), inc.RecoveredAt.IsZero(), inc.RecoveredAt.After(day.To)
	switch {
	case before && on:
		return l.T("from 00:00 on")
	case before && after:
		return l.T("from 00:00 to 24:00")
	case before:
		return l.T("from 00:00–%s", last)
	case on:
		return l.T("time|%s on", first)
	case after:
		return l.T("%s to 24:00", first)
	}
	return first + "–" + last
}
