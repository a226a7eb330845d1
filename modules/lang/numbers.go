package lang

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// nbsp keeps a number and its unit on one line.
const nbsp = "\u00a0"

// Figure is a count with its thousands apart.
func (l *Language) Figure(n int64) string {
	digits, sign := strconv.FormatInt(n, 10), ""
	if n < 0 {
		digits, sign = digits[1:], "-"
	}
	group := ","
	if l != nil {
		group = l.group
	}
	start := len(digits) % 3
	parts := make([]string, 0, len(digits)/3+1)
	if start > 0 {
		parts = append(parts, digits[:start])
	}
	for i := start; i < len(digits); i += 3 {
		parts = append(parts, digits[i:i+3])
	}
	return sign + strings.Join(parts, group)
}

// Decimal is a number with so many digits behind the point.
func (l *Language) Decimal(v float64, digits int) string {
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if l == nil || l.decimal == "." {
		return text
	}
	return strings.Replace(text, ".", l.decimal, 1)
}

// Percent is an uptime, floored and never rounded up: two decimals, three from 99.9 %.
// "100%" is said of exactly one only, a dash of nil.
func (l *Language) Percent(ratio *float64) string {
	if ratio == nil {
		return "—"
	}
	var text string
	switch r := *ratio; {
	case r >= 1:
		text = "100"
	case r <= 0:
		text = "0"
	case r >= 0.999:
		// The small term undoes the error of the multiplication, far below a step.
		text = l.Decimal(math.Floor(r*100_000+1e-6)/1000, 3)
	default:
		text = l.Decimal(math.Floor(r*10_000+1e-6)/100, 2)
	}
	if l == nil {
		return text + "%"
	}
	return fmt.Sprintf(l.percent, text)
}

// Latency is a response time: "< 1 ms", "87 ms", "1.24 s". Zero is a dash.
func (l *Language) Latency(d time.Duration) string {
	switch {
	case d <= 0:
		return "—"
	case d < time.Millisecond:
		return "<" + nbsp + "1" + nbsp + "ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + nbsp + "ms"
	}
	return l.Decimal(d.Seconds(), 2) + nbsp + "s"
}

// Short is a duration in its largest unit: "12 s", "3 min", "5 h".
func (l *Language) Short(d time.Duration) string {
	switch {
	case d < time.Minute:
		return unit(d/time.Second, "s")
	case d < time.Hour:
		return unit(d/time.Minute, "min")
	case d < 24*time.Hour:
		return unit(d/time.Hour, "h")
	}
	return unit(d/(24*time.Hour), l.T("day|d"))
}

func unit(n time.Duration, name string) string {
	return strconv.FormatInt(int64(n), 10) + nbsp + name
}

// Span is a duration in its two largest units: "4 min 10 s", "2 h 05 min".
func (l *Language) Span(d time.Duration) string {
	d = max(d, 0).Truncate(time.Second)
	day := 24 * time.Hour
	large, small := time.Minute, time.Second
	switch {
	case d < time.Minute:
		return l.Short(d)
	case d >= day:
		large, small = day, time.Hour
	case d >= time.Hour:
		large, small = time.Hour, time.Minute
	}
	rest := d % large / small
	switch {
	case rest == 0:
		return l.Short(d)
	case small == time.Minute && rest < 10:
		return l.Short(d) + nbsp + "0" + l.Short(d%large)
	}
	return l.Short(d) + nbsp + l.Short(d%large)
}

// Lasted is Span, but of what lasted less than a second it says so: "0 s" reads as if
// nothing had been.
func (l *Language) Lasted(d time.Duration) string {
	if d < time.Second {
		return "<" + nbsp + "1" + nbsp + "s"
	}
	return l.Span(d)
}

// Bytes is a size in the units of disks: "512 kB", "1.4 GB".
func (l *Language) Bytes(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	value, u := float64(n), 0
	for value >= 1000 && u < len(units)-1 {
		value, u = value/1000, u+1
	}
	digits := 1
	if u == 0 || value >= 100 {
		digits = 0
	}
	return l.Decimal(value, digits) + nbsp + units[u]
}

// Date is a day: "9 Nov 2026".
func (l *Language) Date(t time.Time) string {
	return l.T("date, day month year|%[1]d %[2]s %[3]d", t.Day(), l.month(t), t.Year())
}

// WeekdayDate is a day with its name: "Mon 9 Nov 2026".
func (l *Language) WeekdayDate(t time.Time) string {
	return l.T("date, weekday date|%[1]s %[2]s", l.T(weekdays()[t.Weekday()]), l.Date(t))
}

// DayMonth is a day of a year that is known: "9 Nov".
func (l *Language) DayMonth(t time.Time) string {
	return l.T("date, day month|%[1]d %[2]s", t.Day(), l.month(t))
}

// DateTime is a day and a time of it, in the layout of package time: "9 Nov 2026, 14:02".
func (l *Language) DateTime(t time.Time, layout string) string {
	return l.T("date, time|%[1]s, %[2]s", l.Date(t), t.Format(layout))
}

func (l *Language) month(t time.Time) string { return l.T(months()[t.Month()-1]) }

// months are the keys of their short names.
func months() []string {
	return []string{
		Key("month|Jan"), Key("month|Feb"), Key("month|Mar"), Key("month|Apr"), Key("month|May"), Key("month|Jun"),
		Key("month|Jul"), Key("month|Aug"), Key("month|Sep"), Key("month|Oct"), Key("month|Nov"), Key("month|Dec"),
	}
}

// weekdays are the keys of their short names, in the order of time.Weekday.
func weekdays() []string {
	return []string{
		Key("weekday|Sun"), Key("weekday|Mon"), Key("weekday|Tue"), Key("weekday|Wed"), Key("weekday|Thu"), Key("weekday|Fri"), Key("weekday|Sat"),
	}
}
