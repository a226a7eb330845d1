package web

import (
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func plain(s string) string { return strings.ReplaceAll(s, nbsp, " ") }

func TestWhen(t *testing.T) {
	t.Parallel()
	now := sampleNow()
	berlin := zone("Europe/Berlin")
	for ago, want := range map[time.Duration]string{
		0: "now", 12 * time.Second: "12 s ago", 3 * time.Minute: "3 min ago", 23 * time.Hour: "23 h ago",
		24 * time.Hour: "23 Nov 2026, 15:05", -90 * time.Second: "in 1 min",
	} {
		require.Equal(t, want, plain(When{At: now.Add(-ago), Now: now, Loc: berlin}.Text()), ago)
	}
	require.Equal(t, "—", When{}.Text())
	require.Equal(t, "24 Nov 2026, 15:05:00 CET (14:05:00 UTC)", When{At: now, Now: now, Loc: berlin}.Title())
	require.Equal(t, time.UTC, zone("", "No/Where"))
}

func TestFilterURLKeepsTheRest(t *testing.T) {
	t.Parallel()
	q, err := url.ParseQuery("status=down&tag=team:web&page=4&size=25")
	require.NoError(t, err)
	f := readFilter(q, sampleKinds(), uptime.DefaultPreferences())
	require.Equal(t, "/monitors?size=25&status=down&tag=team%3Aweb", f.url(func(*Filter) {}), "another view starts at page one")
	require.Equal(t, "/monitors?size=25&tag=team%3Aweb", f.chips(nil)[0].URL)
	require.Equal(t, 75, f.filter().Offset)
	require.Equal(t, []uptime.TagFilter{{Name: "team", Value: "web", HasValue: true}}, f.filter().Tags)
	require.Equal(t, "/monitors?dir=desc&size=25&status=down&tag=team%3Aweb", f.column("status", "Status").URL)
}

func TestPager(t *testing.T) {
	t.Parallel()
	at := func(n int) string { return "p" + strconv.Itoa(n) }
	require.Nil(t, pager(nil, 1, 50, 50, at))
	p := pager(nil, 10, 50, 1001, at)
	require.Equal(t, "Showing 451–500 of 1,001", p.Text)
	require.Equal(t, "p9", p.Prev)
	require.Equal(t, "p11", p.Next)
	var numbers []int
	for _, l := range p.Pages {
		numbers = append(numbers, l.Number)
	}
	require.Equal(t, []int{1, 0, 8, 9, 10, 11, 12, 0, 21}, numbers)
	require.Empty(t, pager(nil, 21, 50, 1001, at).Next)
}

func TestSkyline(t *testing.T) {
	t.Parallel()
	hour := func(i int) time.Time { return sampleNow().Add(time.Duration(i) * time.Hour) }
	bucket := func(i int, down time.Duration, c uptime.CheckCounts) uptime.Bucket {
		return uptime.Bucket{From: hour(i), To: hour(i + 1), Downtime: down, Checks: c}
	}
	buckets := []uptime.Bucket{
		bucket(0, 0, uptime.CheckCounts{Up: 60}), bucket(1, 0, uptime.CheckCounts{Up: 50, Degraded: 1}),
		bucket(2, time.Minute, uptime.CheckCounts{Up: 59, Down: 1}), bucket(3, time.Hour, uptime.CheckCounts{Down: 60}),
		bucket(4, 0, uptime.CheckCounts{Unknown: 3, Missed: 57}), bucket(5, 0, uptime.CheckCounts{Up: 59, Down: 1}),
	}
	bar := skyline(buckets, "")
	require.Equal(t, "API: down for 1 h 01 min over the last 24 hours", plain(barLabel(nil, buckets, "API")))
	require.Equal(t, "API: no downtime over the last 24 hours", barLabel(nil, buckets[:2], "API"))
	require.Equal(t, "API: no data over the last 24 hours", barLabel(nil, nil, "API"))
	paths := map[string]string{}
	for _, p := range bar.Paths {
		paths[p.Class] = p.D
	}
	require.LessOrEqual(t, len(bar.Paths), 5)
	require.Equal(t, "M20 0h8v37.066666h-8zM30 0h8v100h-8z", paths["b-down"], "one minute is seen, an hour fills its slot")
	require.Equal(t, "M40 88h8v12h-8z", paths["b-none"], "unknown is never green")
	require.Equal(t, "M10 15h8v18h-8zM50 15h8v18h-8z", paths["b-degraded"], "a failure that was not confirmed is no outage")
}

func TestUptimeOfBuckets(t *testing.T) {
	t.Parallel()
	now := sampleNow()
	require.Nil(t, uptimeOf([]uptime.Bucket{{From: now, To: now.Add(time.Hour), Checks: uptime.CheckCounts{Missed: 9}}}))
	got := uptimeOf([]uptime.Bucket{
		{From: now, To: now.Add(time.Hour), Known: time.Hour},
		{From: now, To: now.Add(time.Hour), Checks: uptime.CheckCounts{Unknown: 1}},
		{From: now, To: now.Add(time.Hour), Known: time.Hour, Downtime: 6 * time.Minute},
	})
	require.InDelta(t, 0.95, *got, 1e-9, "unknown time is left out")
}

func TestChartKeepsGaps(t *testing.T) {
	t.Parallel()
	var buckets []uptime.Bucket
	for i, p50 := range []int{100, 200, 0, 0, 300, 0, 100, 100} {
		b := uptime.Bucket{From: sampleNow().Add(time.Duration(i) * time.Minute), To: sampleNow().Add(time.Duration(i+1) * time.Minute), P50: time.Duration(p50) * time.Millisecond}
		if p50 == 0 {
			b.Downtime = time.Minute
		}
		buckets = append(buckets, b)
	}
	in := chartInput{buckets: buckets, now: sampleNow(), when: func(at time.Time) When { return When{At: at, Now: sampleNow()} }}
	c := drawChart(in)
	require.Equal(t, 2, strings.Count(c.P50, "M"), "two lines, no bridge: %s", c.P50)
	require.Equal(t, []Dots{{"p50", "M562.5 55.0h0"}}, c.Dots, "a value alone is a dot")
	require.Len(t, c.Outages, 2)
	require.Equal(t, "400 ms", plain(c.TicksY[0]))
	require.Contains(t, c.JSON, `"p50":[100,200,null,null,300,null,100,100]`)
	require.True(t, drawChart(chartInput{}).Empty)
}

func TestTicksAreDistinct(t *testing.T) {
	t.Parallel()
	for _, top := range []time.Duration{300 * time.Microsecond, 1100 * time.Microsecond, 3 * time.Millisecond, 5 * time.Millisecond, 77 * time.Millisecond, 900 * time.Millisecond, 4100 * time.Millisecond, time.Minute} {
		now := sampleNow()
		c := drawChart(chartInput{
			buckets: []uptime.Bucket{{From: now, To: now.Add(time.Minute)}, {From: now.Add(time.Minute), To: now.Add(2 * time.Minute), P50: top}},
			when:    func(at time.Time) When { return When{At: at, Now: now} },
		})
		require.Len(t, c.TicksY, 5)
		seen := map[string]bool{}
		for _, text := range c.TicksY {
			require.False(t, seen[text], "%s twice of %v", text, c.TicksY)
			seen[text] = true
		}
	}
	require.Equal(t, "1.25 ms", plain(tick(nil, 1250*time.Microsecond)))
	require.Equal(t, "1.5 s", plain(tick(nil, 1500*time.Millisecond)))
}

// TestUsualRange: a new monitor shows its first hour, and none shows a day in
// which it has a few checks only.
func TestUsualRange(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, c := range []struct {
		interval, age time.Duration
		want          string
	}{
		{time.Minute, 0, "1h"},
		{10 * time.Second, 5 * time.Hour, "1h"},
		{time.Minute, 6 * time.Hour, "24h"},
		{time.Hour, time.Minute, "24h"},
		{6 * time.Hour, 9 * day, "7d"},
		{day, 99 * day, "30d"},
		{30 * day, 99 * day, "1y"},
	} {
		chosen := usualRange(chartRanges(), c.interval, c.age)
		require.Equal(t, c.want, chosen.key, c)
		for _, r := range chartRanges() {
			require.GreaterOrEqual(t, int(r.span/r.widthFor(c.interval)), 4, "%s of %s", r.key, c.interval)
		}
	}
}

// TestFirstHour: the chart of a new monitor begins where it does.
func TestFirstHour(t *testing.T) {
	t.Parallel()
	hour := chartRanges()[0]
	for _, c := range []struct{ interval, age, span, width time.Duration }{
		{10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Second},
		{time.Minute, 9 * time.Minute, 10 * time.Minute, time.Minute},
		{30 * time.Second, 12 * time.Minute, 15 * time.Minute, 30 * time.Second},
		{10 * time.Second, 21 * time.Minute, 25 * time.Minute, time.Minute},
		{5 * time.Minute, time.Minute, 5 * time.Minute, 75 * time.Second},
		{10 * time.Second, 59 * time.Minute, time.Hour, time.Minute},
		{10 * time.Second, 5 * time.Hour, time.Hour, time.Minute},
	} {
		got := hour.cut(c.interval, c.age)
		require.Equal(t, c.span, got.span, c)
		require.Equal(t, c.width, got.widthFor(c.interval), c)
	}
	day := chartRanges()[2]
	require.Equal(t, day, day.cut(time.Minute, time.Minute), "only the hour")
}

func TestExactTimes(t *testing.T) {
	t.Parallel()
	now := sampleNow()
	at := func(ago time.Duration) When { return When{At: now.Add(-ago), Now: now} }
	require.Equal(t, "14:04:50", at(10*time.Second).Exact())
	require.Equal(t, "23 Nov 2026, 23:05:00", at(15*time.Hour).Exact())
	require.Equal(t, "23:05", at(15*time.Hour).since())
	require.Equal(t, "17 Nov", at(7*24*time.Hour).since())
	require.Equal(t, "29 Oct 2025", at(391*24*time.Hour).since())
}

func TestNeverUpIsNeverGreen(t *testing.T) {
	t.Parallel()
	now := sampleNow()
	bar := skyline([]uptime.Bucket{{From: now, To: now.Add(24 * time.Hour), Downtime: time.Minute, Checks: uptime.CheckCounts{Down: 6}}}, "")
	require.Equal(t, []BarPath{{"b-down", "M0 0h8v100h-8z"}}, bar.Paths)
}

func TestEveryStatusHasALook(t *testing.T) {
	t.Parallel()
	icons := map[string]uptime.Status{}
	for _, s := range uptime.Statuses() {
		st := stateOf(s)
		require.Equal(t, string(s), st.Key)
		require.NotEmpty(t, st.Word)
		require.Empty(t, icons[st.Icon], "two statuses of one shape")
		icons[st.Icon] = s
	}
	require.Equal(t, "unknown", stateOf("nope").Key)
}
