package web

import (
	"time"

	"monitor/modules/lang"
	"monitor/modules/manage"
)

// chartRange is a choice of the range picker; its buckets are at most 365. All words are
// keys of the catalogue.
type chartRange struct {
	key, label  string
	text        string // "the last 24 hours"
	before, of  string // "the previous 24 h", "of 24 h"
	span, width time.Duration
}

func chartRanges() []chartRange {
	const day = 24 * time.Hour
	return []chartRange{
		{"1h", lang.Key("1 h"), lang.Key("the last hour"), lang.Key("the previous 1 h"), lang.Key("of 1 h"), time.Hour, time.Minute},
		{"6h", lang.Key("6 h"), lang.Key("the last 6 hours"), lang.Key("the previous 6 h"), lang.Key("of 6 h"), 6 * time.Hour, 5 * time.Minute},
		{"24h", lang.Key("24 h"), lang.Key("the last 24 hours"), lang.Key("the previous 24 h"), lang.Key("of 24 h"), day, 10 * time.Minute},
		{"7d", lang.Key("7 d"), lang.Key("the last 7 days"), lang.Key("the previous 7 d"), lang.Key("of 7 d"), 7 * day, time.Hour},
		{"30d", lang.Key("30 d"), lang.Key("the last 30 days"), lang.Key("the previous 30 d"), lang.Key("of 30 d"), 30 * day, 4 * time.Hour},
		{"90d", lang.Key("90 d"), lang.Key("the last 90 days"), lang.Key("the previous 90 d"), lang.Key("of 90 d"), 90 * day, day},
		{"1y", lang.Key("1 y"), lang.Key("the last year"), lang.Key("the previous 1 y"), lang.Key("of 1 y"), 365 * day, day},
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
	c.span, c.text = age.Truncate(step)+step, lang.Key("its first hour")
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
	of          string // "of 24 h"
	from, to    time.Time
	start, stop time.Time // of the chart: whole buckets
	width       time.Duration
	note        string // what is not as it was asked for
}

// shown is the range up to now.
func (c chartRange) shown(l *lang.Language, interval, age time.Duration, now time.Time) shownRange {
	c = c.cut(interval, age)
	width := c.widthFor(interval)
	stop := now.Truncate(width).Add(width)
	return shownRange{
		key: c.key, text: l.T(c.text), before: l.T(c.before), of: l.T(c.of), width: width,
		from: now.Add(-c.span), to: now, start: stop.Add(-c.span), stop: stop,
	}
}

const (
	mostShown = 400 * 24 * time.Hour
	// wantedPoints is how many buckets a range by its ends has, about.
	wantedPoints = 180
)

// chosenRange is a range by its ends, which lie before now.
func chosenRange(l *lang.Language, from, to time.Time, interval time.Duration, now time.Time) shownRange {
	c := shownRange{from: from, to: to, of: l.T("of the range")}
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
		c.note = l.T("The range was widened: of that time only sums of %s are kept.", l.Span(c.width))
		if age <= eachKept {
			c.note = l.T("The range was widened to hold a few checks.")
		}
	}
	c.before = l.T("the %s before", l.Span(c.to.Sub(c.from)))
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
	instead := func(problem string) shownRange {
		c := dayRange().shown(s.lang, interval, age, s.now)
		c.note = s.t(problem) + " " + s.t("The last 24 hours are shown instead.")
		return c
	}
	if q.Has("from") || q.Has("to") {
		from, to, problem := rangeEnds(q.Get("from"), q.Get("to"), s.loc, s.now)
		if problem != "" {
			return instead(problem)
		}
		c := chosenRange(s.lang, from, to, interval, s.now)
		c.text = s.rangeText(c.from, c.to)
		return c
	}
	key := q.Get("range")
	if key == "" {
		return usualRange(all, interval, age).shown(s.lang, interval, age, s.now)
	}
	for _, c := range all {
		if c.key == key {
			return c.shown(s.lang, interval, age, s.now)
		}
	}
	return instead(lang.Key("There is no such range."))
}

// rangeEnds reads both ends, or says what is wrong with them, as a key of the
// catalogue. Without an end it goes up to now.
func rangeEnds(first, last string, loc *time.Location, now time.Time) (from, to time.Time, problem string) {
	from, known := readTime(first, loc)
	to, knownTo := now, true
	if last != "" {
		to, knownTo = readTime(last, loc)
	}
	switch {
	case !known || !knownTo:
		return from, to, lang.Key("From and To must be dates with times.")
	case !from.Before(now):
		return from, to, lang.Key("From lies in the future.")
	case !from.Before(to):
		return from, to, lang.Key("To must be after From.")
	}
	if to = earlier(to, now); to.Sub(from) > mostShown {
		return from, to, lang.Key("At most 400 days can be shown at once.")
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
		return s.lang.DateTime(a, "15:04") + "–" + b.Format("15:04")
	}
	return s.lang.DateTime(a, "15:04") + " – " + s.lang.DateTime(b, "15:04")
}
