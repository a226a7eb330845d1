package web

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// nbsp keeps a number and its unit on one line.
const nbsp = "\u00a0"

// When is a moment as pages show it: relative within a day, else the local
// date. The zero When reads as a dash.
type When struct {
	At  time.Time
	Now time.Time
	Loc *time.Location
}

// Zero reports whether there is no moment to show.
func (w When) Zero() bool { return w.At.IsZero() }

// ISO is the value of a datetime attribute.
func (w When) ISO() string { return w.At.UTC().Format(time.RFC3339) }

// Text is what people read.
func (w When) Text() string {
	if w.At.IsZero() {
		return "—"
	}
	age := w.Now.Sub(w.At)
	switch {
	case age > -24*time.Hour && age < 0:
		return "in" + nbsp + short(-age)
	case age >= 0 && age < time.Second:
		return "now"
	case age >= 0 && age < 24*time.Hour:
		return short(age) + nbsp + "ago"
	}
	return w.local().Format("2 Jan 2006, 15:04")
}

// Clock is the time of day, for things of today.
func (w When) Clock() string { return w.local().Format("15:04:05") }

// since is the time of day of what is of today, else the date.
func (w When) since() string {
	if w.Now.Sub(w.At) < 24*time.Hour {
		return w.local().Format("15:04")
	}
	if w.Now.Sub(w.At) < 300*24*time.Hour {
		return w.local().Format("2 Jan")
	}
	return w.local().Format("2 Jan 2006")
}

// Exact is the local time to the second, with the date unless it is that of
// today: rows of a minute are told apart by it.
func (w When) Exact() string {
	at, now := w.local(), When{At: w.Now, Loc: w.Loc}.local()
	if at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format("15:04:05")
	}
	return at.Format("2 Jan 2006, 15:04:05")
}

// Title is the full local time and UTC.
func (w When) Title() string {
	return w.local().Format("2 Jan 2006, 15:04:05 MST") + " (" + w.At.UTC().Format("15:04:05 UTC") + ")"
}

func (w When) local() time.Time {
	if w.Loc == nil {
		return w.At.UTC()
	}
	return w.At.In(w.Loc)
}

// short is a duration in its largest unit: "12 s", "3 min", "5 h".
func short(d time.Duration) string {
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + nbsp + "s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + nbsp + "min"
	case d < 24*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + nbsp + "h"
	}
	return strconv.Itoa(int(d/(24*time.Hour))) + nbsp + "d"
}

// span is a duration in its two largest units: "4 min 10 s", "2 h 05 min".
func span(d time.Duration) string {
	d = max(d, 0).Truncate(time.Second)
	two := func(a time.Duration, u string, b time.Duration, v string, pad bool) string {
		if b == 0 {
			return fmt.Sprintf("%d%s%s", a, nbsp, u)
		}
		if pad {
			return fmt.Sprintf("%d%s%s%s%02d%s%s", a, nbsp, u, nbsp, b, nbsp, v)
		}
		return fmt.Sprintf("%d%s%s%s%d%s%s", a, nbsp, u, nbsp, b, nbsp, v)
	}
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + nbsp + "s"
	case d < time.Hour:
		return two(d/time.Minute, "min", d%time.Minute/time.Second, "s", false)
	case d < 24*time.Hour:
		return two(d/time.Hour, "h", d%time.Hour/time.Minute, "min", true)
	}
	return two(d/(24*time.Hour), "d", d%(24*time.Hour)/time.Hour, "h", false)
}

// lasted is span, but of what lasted less than a second it says so: "0 s" reads
// as if nothing had been.
func lasted(d time.Duration) string {
	if d < time.Second {
		return "<" + nbsp + "1" + nbsp + "s"
	}
	return span(d)
}

// latency is a response time: "< 1 ms", "87 ms", "1.24 s". Zero is a dash.
func latency(d time.Duration) string {
	switch {
	case d <= 0:
		return "—"
	case d < time.Millisecond:
		return "<" + nbsp + "1" + nbsp + "ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + nbsp + "ms"
	}
	return fmt.Sprintf("%.2f%ss", d.Seconds(), nbsp)
}

// percent is an uptime, floored and never rounded up: two decimals, three from
// 99.9 %. "100%" is said of exactly one only, a dash of nil.
func percent(ratio *float64) string {
	if ratio == nil {
		return "—"
	}
	r := *ratio
	switch {
	case r >= 1:
		return "100%"
	case r <= 0:
		return "0%"
	case r >= 0.999:
		// The small term undoes the error of the multiplication, far below a step.
		return fmt.Sprintf("%.3f%%", math.Floor(r*100_000+1e-6)/1000)
	}
	return fmt.Sprintf("%.2f%%", math.Floor(r*10_000+1e-6)/100)
}

// figure is a count with thousands separated.
func figure(n int64) string {
	s := strconv.FormatInt(n, 10)
	start := len(s) % 3
	out := s[:start]
	for i := start; i < len(s); i += 3 {
		if out != "" && out != "-" {
			out += ","
		}
		out += s[i : i+3]
	}
	return out
}

// plural joins a count and its noun: "1 monitor", "2 monitors".
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1" + nbsp + one
	}
	return figure(n) + nbsp + many
}

// bytesText is a size in the units of disks: "512 kB", "1.4 GB".
func bytesText(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	value, unit := float64(n), 0
	for value >= 1000 && unit < len(units)-1 {
		value, unit = value/1000, unit+1
	}
	if unit == 0 || value >= 100 {
		return fmt.Sprintf("%.0f%s%s", value, nbsp, units[unit])
	}
	return fmt.Sprintf("%.1f%s%s", value, nbsp, units[unit])
}
