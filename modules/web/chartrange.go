package web

import (
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

// dayRange is what is shown where what was asked for cannot be.
func dayRange() chartRange { return chartRanges()[2] }

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

// widthFor is the width of a bucket of a range that ends now.
func (c chartRange) widthFor(interval time.Duration) time.Duration {
	return bucketWidth(c.width, c.span, interval, c.span)
}

// What is kept of the past: of an hour surely each result, of two days sums of five
// minutes, of all else sums of hours. A margin is left to those who clean up.
const (
	eachKept  = time.Hour
	pieceKept = 47 * time.Hour
	piece     = 5 * time.Minute
)

// bucketWidth is at least width. Finer than a check's interval buckets would be
// mostly gaps, finer than what is kept of a time of that age they would be lies, and
// fewer than four would be no chart.
func bucketWidth(width, span, interval, age time.Duration) time.Duration {
	const day = 24 * time.Hour
	if interval > time.Minute {
		interval = roundUp(interval, time.Minute)
	}
	width = max(width, min(interval, span/4))
	switch {
	case age > pieceKept && width > day:
		return width.Truncate(day) // sums of days are read as such
	case age > pieceKept:
		return roundUp(width, time.Hour)
	case age > eachKept:
		return roundUp(width, piece)
	}
	return width
}

func roundUp(d, step time.Duration) time.Duration { return (d + step - 1).Truncate(step) }

// shownRange is the part of the past that a monitor's page is about.
type shownRange struct {
	key         string // of the picker, "" for one that was chosen by its ends
	text        string // "the last 24 hours"
	before      string // the same length before: "the previous 24 h"
	from, to    time.Time
	start, stop time.Time // of the chart: whole buckets
	width       time.Duration
	note        string // what is not as it was asked for
}

// shown is the range up to now.
func (c chartRange) shown(interval, age time.Duration, now time.Time) shownRange {
	c = c.cut(interval, age)
	width := c.widthFor(interval)
	stop := now.Truncate(width).Add(width)
	return shownRange{
		key: c.key, text: c.text, before: "the previous " + c.label, width: width,
		from: now.Add(-c.span), to: now, start: stop.Add(-c.span), stop: stop,
	}
}

const (
	mostShown = 400 * 24 * time.Hour
	// wantedPoints is how many buckets a range by its ends has, about.
	wantedPoints = 180
)

// chosenRange is a range by its ends, which lie before now.
func chosenRange(from, to time.Time, interval time.Duration, now time.Time) shownRange {
	c := shownRange{from: from, to: to}
	c.width = 24 * time.Hour
	for _, width := range []time.Duration{15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour, 12 * time.Hour} {
		if to.Sub(from) <= wantedPoints*width {
			c.width = width
			break
		}
	}
	age := now.Sub(from)
	c.width = bucketWidth(c.width, max(to.Sub(from), time.Minute), interval, age).Truncate(time.Second)
	c.start, c.stop = from.Truncate(c.width), roundUpTime(to, c.width)
	if lack := 4 - int(c.stop.Sub(c.start)/c.width); lack > 0 {
		c.stop = c.stop.Add(time.Duration(lack/2) * c.width)
		if latest := roundUpTime(now, c.width); c.stop.After(latest) {
			c.stop = latest
		}
		c.start = c.stop.Add(-4 * c.width)
		c.from, c.to = c.start, earlier(c.stop, now)
		c.note = "The range was widened: of that time only sums of " + span(c.width) + " are kept."
		if age <= eachKept {
			c.note = "The range was widened to hold a few checks."
		}
	}
	c.before = "the " + span(c.to.Sub(c.from)) + " before"
	return c
}

func roundUpTime(t time.Time, step time.Duration) time.Time {
	if down := t.Truncate(step); !down.Equal(t) {
		return down.Add(step)
	}
	return t
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// shownRange is the one that the address asks for, or 24 hours with a note.
func (r *request) shownRange(s *scene, m manage.MonitorView) shownRange {
	q, all := r.QueryParams(), chartRanges()
	interval, age := time.Duration(m.Interval), s.now.Sub(m.CreatedAt)
	instead := func(note string) shownRange {
		c := dayRange().shown(interval, age, s.now)
		c.note = note + " The last 24 hours are shown instead."
		return c
	}
	if q.Has("from") || q.Has("to") {
		from, to, problem := rangeEnds(q.Get("from"), q.Get("to"), s.loc, s.now)
		if problem != "" {
			return instead(problem)
		}
		c := chosenRange(from, to, interval, s.now)
		c.text = s.rangeText(c.from, c.to)
		return c
	}
	key := q.Get("range")
	if key == "" {
		return usualRange(all, interval, age).shown(interval, age, s.now)
	}
	for _, c := range all {
		if c.key == key {
			return c.shown(interval, age, s.now)
		}
	}
	return instead("There is no such range.")
}

// rangeEnds reads both ends, or says what is wrong with them. Without an end it goes
// up to now.
func rangeEnds(first, last string, loc *time.Location, now time.Time) (from, to time.Time, problem string) {
	from, known := readTime(first, loc)
	to, knownTo := now, true
	if last != "" {
		to, knownTo = readTime(last, loc)
	}
	switch {
	case !known || !knownTo:
		return from, to, "From and To must be dates with times."
	case !from.Before(now):
		return from, to, "From lies in the future."
	case !from.Before(to):
		return from, to, "To must be after From."
	}
	if to = earlier(to, now); to.Sub(from) > mostShown {
		return from, to, "At most 400 days can be shown at once."
	}
	return from, to, ""
}

// readTime reads RFC 3339, or what an input of date and time sends, in a zone.
func readTime(text string, loc *time.Location) (time.Time, bool) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC(), at.Year() >= 2000
	}
	for _, layout := range []string{inputTime, "2006-01-02T15:04:05"} {
		if at, err := time.ParseInLocation(layout, text, loc); err == nil {
			return at.UTC(), at.Year() >= 2000
		}
	}
	return time.Time{}, false
}

// inputTime is how an input of date and time takes and sends a time.
const inputTime = "2006-01-02T15:04"

// rangeText names a range by its ends: "24 Nov 2026, 14:02–15:30".
func (s *scene) rangeText(from, to time.Time) string {
	a, b := s.when(from).local(), s.when(to).local()
	if a.Year() == b.Year() && a.YearDay() == b.YearDay() {
		return a.Format("2 Jan 2006, 15:04") + "–" + b.Format("15:04")
	}
	return a.Format("2 Jan 2006, 15:04") + " – " + b.Format("2 Jan 2006, 15:04")
}
