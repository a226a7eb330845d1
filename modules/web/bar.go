package web

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

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

// skyline draws the buckets. name and period make its text: "API: 99.98% over
// 90 days".
func skyline(buckets []uptime.Bucket, name, period string) Bar {
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
	bar := Bar{Width: max(len(buckets)*slotWidth, slotWidth), Label: barLabel(buckets, name, period)}
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

func barLabel(buckets []uptime.Bucket, name, period string) string {
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
		return fmt.Sprintf("%s: no data over the last %s", name, period)
	case slots == 0:
		return fmt.Sprintf("%s: no downtime over the last %s", name, period)
	}
	return fmt.Sprintf("%s: down for %s over the last %s", name, span(down), period)
}

// Skyline is the bar of 90 days: all of them, the newest 30 for narrow pages, and
// what the script tells of each day.
type Skyline struct {
	Long, Short Bar
	JSON        string
}

// daysSkyline draws days, which are those of UTC.
func daysSkyline(days []uptime.Bucket, incidents []uptime.IncidentSpan, name string) Skyline {
	short := days[max(len(days)-30, 0):]
	sky := Skyline{Long: skyline(days, name, "90 days"), Short: skyline(short, name, "30 days")}
	sky.Long.Label, sky.Short.Label = daysLabel(days, name, "90 days"), daysLabel(short, name, "30 days")
	data := struct {
		Name      string        `json:"name"`
		Days      [][2]string   `json:"days"` // the day and what was
		Incidents []dayIncident `json:"inc"`
	}{Name: name + ", day by day", Days: make([][2]string, len(days)), Incidents: dayIncidents(days, incidents)}
	for i, day := range days {
		data.Days[i] = [2]string{day.From.UTC().Format("Mon 2 Jan 2006") + " (UTC)", dayText(day)}
	}
	if raw, err := json.Marshal(data); err == nil {
		sky.JSON = string(raw)
	}
	return sky
}

func dayText(day uptime.Bucket) string {
	up := uptimeOf([]uptime.Bucket{day})
	switch {
	case up == nil:
		return "no data"
	case day.Downtime > 0:
		return "down " + lasted(day.Downtime) + ", " + percent(up) + " uptime"
	}
	return "no downtime, " + percent(up) + " uptime"
}

// mostNamedDays bounds how many days the label of a bar names.
const mostNamedDays = 10

// daysLabel tells the bar in words: "API: 99.98% over 90 days; 2 days with downtime:
// 3 Nov 12 min, 9 Nov 1 min".
func daysLabel(days []uptime.Bucket, name, period string) string {
	up := uptimeOf(days)
	if up == nil {
		return barLabel(days, name, period)
	}
	label := fmt.Sprintf("%s: %s over %s", name, percent(up), period)
	var bad []string
	for _, day := range days {
		if day.Downtime > 0 {
			bad = append(bad, day.From.UTC().Format("2 Jan")+" "+lasted(day.Downtime))
		}
	}
	switch n := len(bad); {
	case n == 0:
		return label + "; no day with downtime"
	case n > mostNamedDays:
		bad = append(bad[n-mostNamedDays:], "and "+plural(int64(n-mostNamedDays), "day", "days")+" before")
		return label + "; " + plural(int64(n), "day", "days") + " with downtime: " + strings.Join(bad, ", ")
	default:
		return label + "; " + plural(int64(n), "day", "days") + " with downtime: " + strings.Join(bad, ", ")
	}
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
