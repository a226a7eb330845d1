package web

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"monitor/modules/uptime"
)

// Chart is the response times of a monitor over a range: paths for an SVG that
// needs no script, and the same numbers for the script that redraws it.
type Chart struct {
	P50, P95, P99 string // path data in a view box of 1000 × 220
	Area          string // below P50
	Dots          []Dots // values with a gap on both sides
	Outages       []Shade
	TicksY        []string // top to bottom
	TicksX        []string
	Zone          string // IANA name, for the script
	JSON          string // columns: t (Unix seconds), p50, p95, p99 (ms or null), down (0 or 1)
	Table         []ChartRow
	Empty         bool
}

// Dots are values that no line leads to; class is that of their line.
type Dots struct{ Class, D string }

// Shade is an outage behind the lines.
type Shade struct{ X, Width string }

// ChartRow is a line of the chart's table.
type ChartRow struct {
	At            When
	P50, P95, P99 string
	Downtime      string
}

const (
	chartWidth  = 1000.0
	chartHeight = 220.0
)

// drawChart draws the buckets, which are of one width and without a gap.
func drawChart(buckets []uptime.Bucket, when func(time.Time) When) Chart {
	var top time.Duration
	for _, b := range buckets {
		top = max(top, b.P50, b.P95, b.P99)
	}
	if top == 0 || len(buckets) < 2 {
		return Chart{Empty: true}
	}
	ceiling := niceCeiling(top)
	var c Chart
	for _, of := range []struct {
		class string
		path  *string
		value func(uptime.Bucket) time.Duration
	}{
		{"p99", &c.P99, func(b uptime.Bucket) time.Duration { return b.P99 }},
		{"p95", &c.P95, func(b uptime.Bucket) time.Duration { return b.P95 }},
		{"p50", &c.P50, func(b uptime.Bucket) time.Duration { return b.P50 }},
	} {
		var dots string
		*of.path, dots = line(buckets, ceiling, of.value)
		if dots != "" {
			c.Dots = append(c.Dots, Dots{of.class, dots})
		}
	}
	c.Area = area(buckets, ceiling)
	c.Outages = shades(buckets)
	for i := 4; i >= 0; i-- {
		c.TicksY = append(c.TicksY, tick(ceiling*time.Duration(i)/4))
	}
	c.TicksX = edges(buckets, when)
	c.JSON = columns(buckets)
	if loc := when(buckets[0].From).Loc; loc != nil {
		c.Zone = loc.String()
	}
	c.Table = chartTable(buckets, when)
	return c
}

// tick is exact, unlike latency: quarters of a few milliseconds are told apart.
func tick(d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d < time.Second:
		return trim(float64(d)/float64(time.Millisecond)) + nbsp + "ms"
	}
	return trim(d.Seconds()) + nbsp + "s"
}

// niceCeiling is the next of 1, 2, 4, 5, 8 × 10ⁿ milliseconds: quarters of it
// are round.
func niceCeiling(d time.Duration) time.Duration {
	ms := max(float64(d)/float64(time.Millisecond), 1)
	base := math.Pow(10, math.Floor(math.Log10(ms)))
	for _, step := range []float64{1, 2, 4, 5, 8, 10} {
		if ms <= step*base {
			return time.Duration(step * base * float64(time.Millisecond))
		}
	}
	return time.Duration(10 * base * float64(time.Millisecond))
}

func place(i, n int) float64 { return chartWidth * (float64(i) + 0.5) / float64(n) }

func height(v, ceiling time.Duration) float64 {
	return chartHeight - chartHeight*float64(v)/float64(ceiling)
}

// line leaves a gap where there is no value: a gap is never bridged. A single
// value between gaps becomes a dot, since no line would show it.
func line(buckets []uptime.Bucket, ceiling time.Duration, value func(uptime.Bucket) time.Duration) (lines, dots string) {
	var b, single strings.Builder
	n := len(buckets)
	for i, bucket := range buckets {
		v := value(bucket)
		if v <= 0 {
			continue
		}
		before := i > 0 && value(buckets[i-1]) > 0
		after := i+1 < n && value(buckets[i+1]) > 0
		y := height(v, ceiling)
		switch {
		case before:
			fmt.Fprintf(&b, "L%.1f %.1f", place(i, n), y)
		case after:
			fmt.Fprintf(&b, "M%.1f %.1f", place(i, n), y)
		default:
			fmt.Fprintf(&single, "M%.1f %.1fh0", place(i, n), y)
		}
	}
	return b.String(), single.String()
}

func area(buckets []uptime.Bucket, ceiling time.Duration) string {
	var b strings.Builder
	n := len(buckets)
	open := false
	for i, bucket := range buckets {
		if bucket.P50 <= 0 {
			if open {
				fmt.Fprintf(&b, "V%.0fZ", chartHeight)
				open = false
			}
			continue
		}
		if !open {
			fmt.Fprintf(&b, "M%.1f %.0f", place(i, n), chartHeight)
			open = true
		}
		fmt.Fprintf(&b, "L%.1f %.1f", place(i, n), height(bucket.P50, ceiling))
	}
	if open {
		fmt.Fprintf(&b, "V%.0fZ", chartHeight)
	}
	return b.String()
}

// shades joins neighbouring buckets with downtime.
func shades(buckets []uptime.Bucket) []Shade {
	var out []Shade
	step := chartWidth / float64(len(buckets))
	for i := 0; i < len(buckets); i++ {
		if buckets[i].Downtime <= 0 {
			continue
		}
		from := i
		for i+1 < len(buckets) && buckets[i+1].Downtime > 0 {
			i++
		}
		out = append(out, Shade{fmt.Sprintf("%.1f", float64(from)*step), fmt.Sprintf("%.1f", float64(i-from+1)*step)})
	}
	return out
}

// edges are five moments spread over the range, of a day or less as times.
func edges(buckets []uptime.Bucket, when func(time.Time) When) []string {
	from, to := buckets[0].From, buckets[len(buckets)-1].To
	layout := "2 Jan"
	if to.Sub(from) <= 24*time.Hour {
		layout = "15:04"
	}
	var out []string
	for i := range 5 {
		out = append(out, when(from.Add(to.Sub(from)*time.Duration(i)/4)).local().Format(layout))
	}
	return out
}

func columns(buckets []uptime.Bucket) string {
	n := len(buckets)
	data := struct {
		T    []int64    `json:"t"`
		P50  []*float64 `json:"p50"`
		P95  []*float64 `json:"p95"`
		P99  []*float64 `json:"p99"`
		Down []int      `json:"down"`
	}{make([]int64, n), make([]*float64, n), make([]*float64, n), make([]*float64, n), make([]int, n)}
	for i, b := range buckets {
		data.T[i] = b.From.Unix()
		data.P50[i], data.P95[i], data.P99[i] = millis(b.P50), millis(b.P95), millis(b.P99)
		if b.Downtime > 0 {
			data.Down[i] = 1
		}
	}
	out, err := json.Marshal(data)
	if err != nil { // numbers alone: cannot fail
		return "{}"
	}
	return string(out)
}

func millis(d time.Duration) *float64 {
	if d <= 0 {
		return nil
	}
	ms := math.Round(float64(d)/float64(time.Millisecond)*100) / 100
	return &ms
}

func chartTable(buckets []uptime.Bucket, when func(time.Time) When) []ChartRow {
	var rows []ChartRow
	for i := len(buckets) - 1; i >= 0 && len(rows) < 60; i-- {
		b := buckets[i]
		if b.P50 == 0 && b.Downtime == 0 {
			continue
		}
		row := ChartRow{At: when(b.From), P50: latency(b.P50), P95: latency(b.P95), P99: latency(b.P99), Downtime: "—"}
		if b.Downtime > 0 {
			row.Downtime = span(b.Downtime)
		}
		rows = append(rows, row)
	}
	return rows
}
