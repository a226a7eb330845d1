package web

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"monitor/modules/lang"
	"monitor/modules/uptime"
)

// Bar is the skyline of a monitor: one slot for each bucket of time. Up is a
// low block; trouble rises above the line, so that it is told apart without
// colour. It is drawn in one SVG of at most five paths.
type Bar struct {
	Width int // of the view box; its height is 100
	Paths []BarPath
	Label string // the same in words
}

// BarPath draws every mark of one kind.
type BarPath struct {
	Class string
	D     string
}

// Measures of a slot, in units of the view box.
const (
	slotWidth  = 10
	blockWidth = 8
	upTop      = 36 // the block of "up" fills the lower 64 %
	capTop     = 15 // of "degraded": 18 % with a gap below it
	capHeight  = 18
	stubTop    = 88
)

// mark says which block a bucket gets.
func mark(b uptime.Bucket) string {
	c := b.Checks
	switch {
	case b.Downtime > 0:
		return "down"
	case c.Degraded > 0 || c.Down > 0:
		return "degraded"
	case c.Up > 0:
		return "up"
	}
	return "none"
}

// skyline draws the buckets; label says the same.
func skyline(buckets []uptime.Bucket, label string) Bar {
	draw := map[string]*strings.Builder{}
	at := func(class string, x int, top, height float64) {
		b := draw[class]
		if b == nil {
			b = &strings.Builder{}
			draw[class] = b
		}
		fmt.Fprintf(b, "M%d %sh%dv%sh-%dz", x, trim(top), blockWidth, trim(height), blockWidth)
	}
	for i, b := range buckets {
		x := i * slotWidth
		switch mark(b) {
		case "up":
			at("b-up", x, upTop, 100-upTop)
		case "degraded":
			at("b-up", x, upTop, 100-upTop)
			at("b-degraded", x, capTop, capHeight)
		case "down":
			red := downHeight(b)
			at("b-down", x, 0, red)
			if rest := 100 - red - 3; rest > 4 && b.Checks.Up+b.Checks.Degraded > 0 {
				at("b-up", x, red+3, rest)
			}
		default:
			at("b-none", x, stubTop, 100-stubTop)
		}
	}
	bar := Bar{Width: max(len(buckets)*slotWidth, slotWidth), Label: label}
	for _, class := range []string{"b-up", "b-degraded", "b-down", "b-maint", "b-none"} {
		if b := draw[class]; b != nil {
			bar.Paths = append(bar.Paths, BarPath{class, b.String()})
		}
	}
	return bar
}

// downHeight is at least the cap above the line, so that a minute is seen, and
// the whole slot when all of it was down or no check in it was good: a monitor
// that never was up shows no green.
func downHeight(b uptime.Bucket) float64 {
	length := b.To.Sub(b.From)
	if length <= 0 || b.Checks.Up+b.Checks.Degraded == 0 {
		return 100
	}
	share := min(float64(b.Downtime)/float64(length), 1)
	return float64(upTop) + share*(100-upTop)
}

func trim(v float64) string { return strconv.FormatFloat(v, 'f', -1, 32) }

// barLabel tells the bar of a day in words.
func barLabel(l *lang.Language, buckets []uptime.Bucket, name string) string {
	var down time.Duration
	var slots, known int
	for _, b := range buckets {
		down += b.Downtime
		if b.Downtime > 0 {
			slots++
		}
		if mark(b) != "none" {
			known++
		}
	}
	switch {
	case known == 0:
		return l.T("%s: no data over the last 24 hours", name)
	case slots == 0:
		return l.T("%s: no downtime over the last 24 hours", name)
	}
	return l.T("%s: down for %s over the last 24 hours", name, l.Span(down))
}

// Skyline is the bar of 90 days: all of them, the newest 30 for narrow pages, and
// what the script tells of each day.
type Skyline struct {
	Long, Short Bar
	JSON        string
}

// daysSkyline draws days, which are those of UTC.
func daysSkyline(l *lang.Language, days []uptime.Bucket, incidents []uptime.IncidentSpan, name string) Skyline {
	short := days[max(len(days)-30, 0):]
	sky := Skyline{Long: skyline(days, daysLabel(l, days, name)), Short: skyline(short, daysLabel(l, short, name))}
	data := struct {
		Name      string        `json:"name"`
		Days      [][2]string   `json:"days"` // the day and what was
		Incidents []dayIncident `json:"inc"`
	}{Name: l.T("%s, day by day", name), Days: make([][2]string, len(days)), Incidents: dayIncidents(l, days, incidents)}
	for i, day := range days {
		data.Days[i] = [2]string{l.WeekdayDate(day.From.UTC()) + " (UTC)", dayText(l, day)}
	}
	if raw, err := json.Marshal(data); err == nil {
		sky.JSON = string(raw)
	}
	return sky
}

func dayText(l *lang.Language, day uptime.Bucket) string {
	up := uptimeOf([]uptime.Bucket{day})
	switch {
	case up == nil:
		return l.T("no data")
	case day.Downtime > 0:
		return l.T("down %s, %s uptime", l.Lasted(day.Downtime), l.Percent(up))
	}
	return l.T("no downtime, %s uptime", l.Percent(up))
}

// mostNamedDays bounds how many days the label of a bar names.
const mostNamedDays = 10

// daysLabel tells the bar in words: "API: 99.98% over 90 days; 2 days with downtime:
// 3 Nov 12 min, 9 Nov 1 min".
func daysLabel(l *lang.Language, days []uptime.Bucket, name string) string {
	length := int64(len(days))
	up := uptimeOf(days)
	if up == nil {
		return l.N(length, "%[2]s: no data over the last %[1]s day", "%[2]s: no data over the last %[1]s days", name)
	}
	label := l.N(length, "%[2]s: %[3]s over %[1]s day", "%[2]s: %[3]s over %[1]s days", name, l.Percent(up))
	var bad []string
	for _, day := range days {
		if day.Downtime > 0 {
			bad = append(bad, l.T("downtime of a day|%[1]s %[2]s", l.DayMonth(day.From.UTC()), l.Lasted(day.Downtime)))
		}
	}
	n := len(bad)
	if n == 0 {
		return label + "; " + l.T("no day with downtime")
	}
	if rest := n - mostNamedDays; rest > 0 {
		bad = append(bad[rest:], l.N(int64(rest), "and %s day before", "and %s days before"))
	}
	return label + "; " + l.N(int64(n), "%s day with downtime: %s", "%s days with downtime: %s", strings.Join(bad, ", "))
}

// uptimeOf sums buckets: 1 − downtime ÷ known time, nil where nothing is known.
func uptimeOf(buckets []uptime.Bucket) *float64 {
	var down, known time.Duration
	for _, b := range buckets {
		known += b.Known
		down += b.Downtime
	}
	if known <= 0 {
		return nil
	}
	ratio := 1 - float64(down)/float64(known)
	return &ratio
}
