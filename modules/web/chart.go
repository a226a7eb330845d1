package web

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"monitor/modules/lang"
	"monitor/modules/uptime"
)

// Chart is the response times of a monitor over a range: paths for an SVG that
// needs no script, and the same numbers for the script that redraws it.
type Chart struct {
	P50, P95, P99 string // path data in a view box of 1000 × 220
	Area          string // below P50
	Axis          string // lines at TicksY
	Dots          []Dots // values with a gap on both sides
	Fails         string // × on the base line: buckets with failed checks
	Outages       []Shade
	Ends          []LineEnd
	TicksY        []string // top to bottom, evenly spaced
	TicksX        []string
	Log           bool
	Zone          string // IANA name, for the script
	JSON          string // see columns
	Table         []ChartRow
	Empty         bool
}

// Dots are values that no line leads to; class is that of their line.
type Dots struct{ Class, D string }

// Shade is an outage behind the lines.
type Shade struct{ X, Width string }

// LineEnd is the name of a line where it ends; Y is in pixels of a drawing 220 high.
type LineEnd struct {
	Class, Text string
	Y           string
}

// ChartRow is a line of the chart's table.
type ChartRow struct {
	At            When
	P50, P95, P99 string
	Failed        string
	Downtime      string
}

const (
	chartWidth  = 1000.0
	chartHeight = 220.0
)

// chartInput is what a chart is drawn of. The buckets are of one width and without a
// gap; the incidents touch their time.
type chartInput struct {
	buckets   []uptime.Bucket
	incidents []uptime.IncidentSpan
	log       bool
	now       time.Time
	when      func(time.Time) When
	lang      *lang.Language
}

// lines of a chart; the later is drawn over the earlier.
type chartLine struct {
	class string
	value func(uptime.Bucket) time.Duration
}

func chartLines() []chartLine {
	return []chartLine{
		{"p99", func(b uptime.Bucket) time.Duration { return b.P99 }},
		{"p95", func(b uptime.Bucket) time.Duration { return b.P95 }},
		{"p50", func(b uptime.Bucket) time.Duration { return b.P50 }},
	}
}

func drawChart(in chartInput) Chart {
	buckets := in.buckets
	at, drawn := newScale(buckets, in.log)
	if !drawn || len(buckets) < 2 {
		return Chart{Empty: true}
	}
	c := Chart{Log: in.log}
	paths := map[string]*string{"p50": &c.P50, "p95": &c.P95, "p99": &c.P99}
	for _, of := range chartLines() {
		var dots string
		*paths[of.class], dots = line(buckets, at, of.value)
		if dots != "" {
			c.Dots = append(c.Dots, Dots{of.class, dots})
		}
	}
	c.Area, c.Fails = area(buckets, at), fails(buckets)
	outages := outagesOf(in)
	c.Outages, c.Ends = shades(outages, buckets), lineEnds(buckets, at)
	for i, v := range at.ticks {
		c.TicksY = append(c.TicksY, tick(in.lang, v))
		c.Axis += fmt.Sprintf("M0 %sH1000", trim(chartHeight*float64(i)/float64(len(at.ticks)-1)))
	}
	c.TicksX = edges(in, buckets)
	c.JSON = columns(buckets, outages)
	if loc := in.when(buckets[0].From).Loc; loc != nil {
		c.Zone = loc.String()
	}
	c.Table = chartTable(in, buckets)
	return c
}

// tick is exact, unlike latency: quarters of a few milliseconds are told apart.
func tick(l *lang.Language, d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d < time.Second:
		return l.Decimal(float64(d)/float64(time.Millisecond), -1) + nbsp + "ms"
	}
	return l.Decimal(d.Seconds(), -1) + nbsp + "s"
}

func place(i, n int) float64 { return chartWidth * (float64(i) + 0.5) / float64(n) }

// line leaves a gap where there is no value: a gap is never bridged. A single
// value between gaps becomes a dot, since no line would show it.
func line(buckets []uptime.Bucket, at scale, value func(uptime.Bucket) time.Duration) (lines, dots string) {
	var b, single strings.Builder
	n := len(buckets)
	for i, bucket := range buckets {
		v := value(bucket)
		if v <= 0 {
			continue
		}
		before := i > 0 && value(buckets[i-1]) > 0
		after := i+1 < n && value(buckets[i+1]) > 0
		y := at.y(v)
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

func area(buckets []uptime.Bucket, at scale) string {
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
		fmt.Fprintf(&b, "L%.1f %.1f", place(i, n), at.y(bucket.P50))
	}
	if open {
		fmt.Fprintf(&b, "V%.0fZ", chartHeight)
	}
	return b.String()
}

// fails marks the buckets in which checks failed.
func fails(buckets []uptime.Bucket) string {
	var b strings.Builder
	for i, bucket := range buckets {
		if bucket.Checks.Down > 0 {
			fmt.Fprintf(&b, "M%.1f %.0fl8 8m0-8l-8 8", place(i, len(buckets))-4, chartHeight-8)
		}
	}
	return b.String()
}

// outage is a time to be shaded, within the chart.
type outage struct{ from, to time.Time }

// outagesOf are the incidents' own times, and runs of buckets with downtime that no
// incident tells of any more.
func outagesOf(in chartInput) []outage {
	first, last := in.buckets[0].From, in.buckets[len(in.buckets)-1].To
	var out []outage
	for _, i := range in.incidents {
		o := outage{i.StartedAt, i.RecoveredAt}
		if o.to.IsZero() {
			o.to = in.now
		}
		if o.from.Before(first) {
			o.from = first
		}
		out = append(out, outage{o.from, earlier(o.to, last)})
	}
	for k := 0; k < len(in.buckets); k++ {
		if !in.untold(k) {
			continue
		}
		from := k
		for k+1 < len(in.buckets) && in.untold(k+1) {
			k++
		}
		out = append(out, outage{in.buckets[from].From, in.buckets[k].To})
	}
	return out
}

func (in chartInput) untold(k int) bool {
	b := in.buckets[k]
	if b.Downtime <= 0 {
		return false
	}
	for _, i := range in.incidents {
		if touches(i, b.From, b.To) {
			return false
		}
	}
	return true
}

// shades are at least as wide as can be seen.
func shades(outages []outage, buckets []uptime.Bucket) []Shade {
	first := buckets[0].From
	whole := float64(buckets[len(buckets)-1].To.Sub(first))
	var out []Shade
	for _, o := range outages {
		x, width := chartWidth*float64(o.from.Sub(first))/whole, chartWidth*float64(o.to.Sub(o.from))/whole
		out = append(out, Shade{fmt.Sprintf("%.1f", min(x, chartWidth-2)), fmt.Sprintf("%.1f", max(width, 2))})
	}
	return out
}

// lineEnds names the lines where they end, apart from each other.
func lineEnds(buckets []uptime.Bucket, at scale) []LineEnd {
	var names []string
	var ys []float64
	for _, of := range chartLines() { // p99 is never below p95, nor that below p50
		for _, bucket := range slices.Backward(buckets) {
			if v := of.value(bucket); v > 0 {
				names, ys = append(names, of.class), append(ys, at.y(v))
				break
			}
		}
	}
	apart(ys)
	var out []LineEnd
	for i, name := range names {
		out = append(out, LineEnd{name, name, strconv.FormatFloat(ys[i]+4, 'f', 1, 64)})
	}
	return out
}

// apart moves heights, which ascend, so far from each other that texts do not touch.
func apart(ys []float64) {
	const room, top, bottom = 14.0, 6.0, chartHeight - 6
	for i := range ys {
		least := top
		if i > 0 {
			least = ys[i-1] + room
		}
		ys[i] = max(ys[i], least)
	}
	for i := len(ys) - 1; i >= 0; i-- {
		most := bottom
		if i+1 < len(ys) {
			most = ys[i+1] - room
		}
		ys[i] = min(ys[i], most)
	}
}

// edges are five moments spread over the range, of a day or less as times.
func edges(in chartInput, buckets []uptime.Bucket) []string {
	from, to := buckets[0].From, buckets[len(buckets)-1].To
	write := in.lang.DayMonth
	if to.Sub(from) <= 24*time.Hour {
		write = func(t time.Time) string { return t.Format("15:04") }
	}
	var out []string
	for i := range 5 {
		out = append(out, write(in.when(from.Add(to.Sub(from)*time.Duration(i)/4)).local()))
	}
	return out
}

// columns are the series for the script: times in Unix seconds, response times in
// milliseconds or null, how many checks failed, and the outages.
func columns(buckets []uptime.Bucket, outages []outage) string {
	n := len(buckets)
	data := struct {
		T    []int64      `json:"t"`
		P50  []*float64   `json:"p50"`
		P95  []*float64   `json:"p95"`
		P99  []*float64   `json:"p99"`
		Fail []int64      `json:"fail"`
		Out  [][2]float64 `json:"out"`
		Step float64      `json:"step"`
	}{make([]int64, n), make([]*float64, n), make([]*float64, n), make([]*float64, n), make([]int64, n), [][2]float64{}, buckets[0].To.Sub(buckets[0].From).Seconds()}
	for i, b := range buckets {
		data.T[i] = b.From.Unix()
		data.P50[i], data.P95[i], data.P99[i] = millis(b.P50), millis(b.P95), millis(b.P99)
		data.Fail[i] = b.Checks.Down
	}
	for _, o := range outages {
		data.Out = append(data.Out, [2]float64{float64(o.from.UnixMilli()) / 1000, float64(o.to.UnixMilli()) / 1000})
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

// chartTable is the same numbers, newest first, without the gaps.
func chartTable(in chartInput, buckets []uptime.Bucket) []ChartRow {
	l := in.lang
	var rows []ChartRow
	for _, b := range slices.Backward(buckets) {
		if b.P50 == 0 && b.Downtime == 0 && b.Checks.Down == 0 {
			continue
		}
		row := ChartRow{At: in.when(b.From), P50: l.Latency(b.P50), P95: l.Latency(b.P95), P99: l.Latency(b.P99), Failed: "—", Downtime: "—"}
		if b.Checks.Down > 0 {
			row.Failed = l.Figure(b.Checks.Down)
		}
		if b.Downtime > 0 {
			row.Downtime = l.Lasted(b.Downtime)
		}
		rows = append(rows, row)
	}
	return rows
}
