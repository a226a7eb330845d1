package web

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/form"
	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// TestRanges: what the address asks for, or a day with a note.
func TestRanges(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	for query, want := range map[string]string{
		"":          "the last 24 hours",
		"range=1h":  "the last hour",
		"range=1y":  "the last year",
		"range=2h":  "There is no such range. The last 24 hours are shown instead.",
		"range=%3C": "There is no such range.",
		"from=2026-11-24T09:00&to=2026-11-24T15:00":                            "24 Nov 2026, 09:00–15:00",
		"from=2026-11-24T08:00:00Z&to=2026-11-24T14:00:00Z":                    "24 Nov 2026, 09:00–15:00",
		"from=2026-11-24T08:00:00Z":                                            "24 Nov 2026, 09:00–15:05",
		"from=2026-11-20T08:00:00%2B02:00&to=2026-11-21T00:00:00Z":             "20 Nov 2026, 07:00 – 21 Nov 2026, 01:00",
		"from=2026-11-24T09:00&to=2027-01-01T00:00":                            "24 Nov 2026, 09:00–15:05",
		"from=2026-11-24T15:00&to=2026-11-24T09:00":                            "To must be after From. The last 24 hours are shown instead.",
		"from=2026-11-24T09:00&to=2026-11-24T09:00":                            "To must be after From.",
		"from=2026-11-25T09:00&to=2026-11-26T09:00":                            "From lies in the future.",
		"from=2024-11-25T09:00&to=2026-11-24T09:00":                            "At most 400 days can be shown at once.",
		"from=yesterday&to=today":                                              "From and To must be dates with times.",
		"from=&to=":                                                            "From and To must be dates with times.",
		"to=2026-11-24T09:00":                                                  "From and To must be dates with times.",
		"from=-0001-01-01T00:00:00Z&to=2026-11-24T09:00":                       "From and To must be dates with times.",
		"from=2026-11-20T09:00&to=2026-11-20T09:30":                            "The range was widened: of that time only sums of 1 h are kept.",
		"from=2026-11-24T12:00&to=2026-11-24T12:02":                            "only sums of 5 min are kept.",
		"from=" + url.QueryEscape(hostile) + "&to=" + strings.Repeat("9", 999): "From and To must be dates with times.",
	} {
		rec := ask(w, "/monitors/1?"+query, nil)
		require.Equal(t, http.StatusOK, rec.Code, query)
		require.Contains(t, plain(rec.Body.String()), want, query)
	}
}

// TestBucketsOfARange: at most 600 of them, at least four, none finer than checks come
// or than what is kept of that time.
func TestBucketsOfARange(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	now := sampleNow()
	check := func(c shownRange, interval time.Duration) {
		n := int((c.stop.Sub(c.start) + c.width - 1) / c.width)
		require.LessOrEqual(t, n, 600, c)
		require.GreaterOrEqual(t, n, 4, c)
		require.True(t, c.stop.After(c.from) && !c.start.After(c.from.Add(c.width)), c)
		age := now.Sub(c.from)
		switch {
		case age > 48*time.Hour:
			require.Zero(t, c.width%time.Hour, c)
			require.Zero(t, c.start.UnixMilli()%time.Hour.Milliseconds(), c)
		case age > 2*time.Hour:
			require.Zero(t, c.width%(5*time.Minute), c)
			require.Zero(t, c.start.UnixMilli()%(5*time.Minute).Milliseconds(), c)
		}
		if span := c.stop.Sub(c.start); interval > time.Minute && span >= 8*interval {
			require.GreaterOrEqual(t, c.width, interval, "a chart of gaps: %v of %s", c, interval)
		}
	}
	for _, interval := range []time.Duration{10 * time.Second, time.Minute, 90 * time.Second, 7 * time.Minute, time.Hour, 11 * time.Hour, 30 * day} {
		for _, r := range chartRanges() {
			check(r.shown(nil, interval, 500*day, now), interval)
		}
		for _, ago := range []time.Duration{time.Minute, 50 * time.Minute, 3 * time.Hour, 46 * time.Hour, 5 * day, 390 * day} {
			for _, length := range []time.Duration{time.Second, 13 * time.Minute, time.Hour, 17*time.Hour + time.Second, 6 * day, 400 * day} {
				from := now.Add(-ago)
				check(chosenRange(nil, from, earlier(from.Add(length), now), interval, now), interval)
			}
		}
	}
}

// TestNumbersOfAChart: the picture's series, the table and the file say the same.
func TestNumbersOfAChart(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	for _, query := range []string{"range=7d", "from=2026-11-24T09:00&to=2026-11-24T15:00&log=1"} {
		html := ask(w, "/monitors/2?"+query, nil).Body.String()
		raw := regexp.MustCompile(`data-series="([^"]*)"`).FindStringSubmatch(html)[1]
		var series struct {
			T             []int64
			P50, P95, P99 []*float64
			Fail          []int64
		}
		require.NoError(t, json.Unmarshal([]byte(strings.ReplaceAll(raw, "&#34;", `"`)), &series))
		rec := ask(w, "/monitors/2/chart.csv?"+query, nil)
		require.Equal(t, "text/csv; charset=utf-8", rec.Header().Get("Content-Type"))
		require.Equal(t, `attachment; filename="monitor-checkout-response.csv"`, rec.Header().Get("Content-Disposition"))
		rows, err := csv.NewReader(rec.Body).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, len(series.T)+1)
		table := strings.Count(html[strings.Index(html, "Show the numbers"):strings.Index(html, `id="days"`)], "<tr><td>")
		shown := 0
		for i, at := range series.T {
			from, err := time.Parse(time.RFC3339, rows[i+1][0])
			require.NoError(t, err)
			require.Equal(t, at, from.Unix())
			value, err := json.Marshal(series.P50[i])
			require.NoError(t, err)
			require.Equal(t, strings.TrimPrefix(string(value), "null"), rows[i+1][2])
			if series.P50[i] != nil || series.Fail[i] > 0 || rows[i+1][10] != "0" {
				shown++
			}
		}
		require.Equal(t, shown, table, "the table has all but the gaps")
	}
}

// TestMinuteOfDowntime is seen and never rounded away.
func TestMinuteOfDowntime(t *testing.T) {
	t.Parallel()
	today := sampleNow().Truncate(dayLong)
	var days []uptime.Bucket
	for i := range 90 {
		from := today.Add(time.Duration(i-89) * dayLong)
		days = append(days, uptime.Bucket{From: from, To: from.Add(dayLong), Known: dayLong, Checks: uptime.CheckCounts{Up: 1439}})
	}
	days[68].Downtime, days[68].Checks.Down = time.Minute, 1
	days[74].Downtime, days[74].Checks.Down = 12*time.Minute, 12
	p := &MonitorPage{}
	p.fillDays(days, []uptime.IncidentSpan{{ID: 7, Cause: "timed out", StartedAt: days[68].From.Add(time.Hour), RecoveredAt: days[68].From.Add(61 * time.Minute)}}, "API")
	require.Equal(t, "API: 99.989% over 90 days; 2 days with downtime: 3 Nov 1 min, 9 Nov 12 min", plain(p.Days.Long.Label))
	require.Contains(t, p.DaysUp, "99.989%")
	require.Len(t, p.Days.Long.Paths, 2)
	require.Contains(t, p.Days.Long.Paths[1].D, "M680 0h8v36.", "one minute has a cap")
	require.Equal(t, []BadDay{
		{"Mon 9 Nov 2026", plainless("12 min"), "99.16%"}, {"Tue 3 Nov 2026", plainless("1 min"), "99.930%"},
	}, p.BadDays, "exactly the days with downtime")
	require.Contains(t, plain(p.Days.JSON), `["Tue 3 Nov 2026 (UTC)","down 1 min, 99.930% uptime"]`)
	require.Contains(t, p.Days.JSON, `"inc":[{"d":68,"u":"7","t":"01:00–01:01 timed out"}]`)
	require.Contains(t, p.Days.JSON, `no downtime, 100% uptime`)
	p = &MonitorPage{}
	days[74].Downtime, days[68].Downtime = 0, time.Second
	p.fillDays(days, nil, "API")
	require.Equal(t, "99.999% uptime", p.DaysUp)
	require.Contains(t, p.Days.JSON, "down 1\u00a0s, 99.998% uptime")
}

// TestBarInAnotherLanguage has the words, numbers and dates of it.
func TestBarInAnotherLanguage(t *testing.T) {
	t.Parallel()
	german, today := lang.Of("de"), sampleNow().Truncate(dayLong)
	var days []uptime.Bucket
	for i := range 30 {
		from := today.Add(time.Duration(i-29) * dayLong)
		days = append(days, uptime.Bucket{From: from, To: from.Add(dayLong), Known: dayLong, Checks: uptime.CheckCounts{Up: 1439}})
	}
	require.Equal(t, "API: 100 % verfügbar in 30 Tagen; kein Tag mit Ausfall", plain(daysLabel(german, days, "API")))
	days[3].Downtime = 90 * time.Second
	require.Equal(t, "API: 99,996 % verfügbar in 30 Tagen; 1 Tag mit Ausfall: 29. Okt. 1 min 30 s", plain(daysLabel(german, days, "API")))
	sky := daysSkyline(german, days, []uptime.IncidentSpan{{ID: 7, Cause: "of somebody's own", StartedAt: days[3].From.Add(time.Hour)}}, "API")
	require.Contains(t, plain(sky.JSON), `["Do., 29. Okt. 2026 (UTC)","1 min 30 s ausgefallen, 99,89 % verfügbar"]`)
	require.Contains(t, sky.JSON, `{"d":3,"u":"7","t":"ab 01:00 of somebody's own"}`)
	for i := range 12 {
		days[10+i].Downtime = time.Minute
	}
	require.Contains(t, plain(daysLabel(nil, days, "API")), "; 13 days with downtime: 7 Nov 1 min, ")
	require.Contains(t, plain(daysLabel(nil, days, "API")), ", 16 Nov 1 min, and 3 days before")
	require.Equal(t, "1,25 ms", plain(tick(german, 1250*time.Microsecond)))
	require.Equal(t, "p95 412 ms, 8 % höher als in den vorigen 24 h", plain(beside(german, 412, new(381.5), german.T("the previous 24 h"))))
}

func plainless(text string) string { return strings.ReplaceAll(text, " ", nbsp) }

// TestLogScale: decades, evenly spaced, with every value between them.
func TestLogScale(t *testing.T) {
	t.Parallel()
	now := sampleNow()
	bucket := func(i int, p50, p99 time.Duration) uptime.Bucket {
		return uptime.Bucket{From: now.Add(time.Duration(i) * time.Minute), To: now.Add(time.Duration(i+1) * time.Minute), P50: p50, P95: p50, P99: p99}
	}
	c := drawChart(chartInput{
		buckets: []uptime.Bucket{bucket(0, 3*time.Millisecond, 40*time.Millisecond), bucket(1, 30*time.Millisecond, 2*time.Second), bucket(2, 0, 0)},
		log:     true, now: now, when: func(at time.Time) When { return When{At: at, Now: now} },
	})
	require.Equal(t, []string{"10 s", "1 s", "100 ms", "10 ms", "1 ms"}, plainAll(c.TicksY))
	require.Equal(t, "M0 0H1000M0 55H1000M0 110H1000M0 165H1000M0 220H1000", c.Axis)
	require.Equal(t, "M166.7 193.8L500.0 138.8", c.P50)
	s, drawn := newScale([]uptime.Bucket{{P50: 10 * time.Millisecond, P99: 10 * time.Millisecond}}, true)
	require.True(t, drawn)
	require.Equal(t, []time.Duration{100 * time.Millisecond, 10 * time.Millisecond}, s.ticks, "a single value has a scale, too")
}

func plainAll(list []string) (out []string) {
	for _, text := range list {
		out = append(out, plain(text))
	}
	return out
}

// TestLineEndsDoNotTouch, wherever the lines end.
func TestLineEndsDoNotTouch(t *testing.T) {
	t.Parallel()
	for _, ys := range [][]float64{{0, 0, 0}, {220, 220, 220}, {100, 101, 102}, {10, 110, 210}, {3, 215, 219}} {
		apart(ys)
		require.GreaterOrEqual(t, ys[0], 6.0)
		require.LessOrEqual(t, ys[2], chartHeight-6)
		require.GreaterOrEqual(t, ys[1]-ys[0], 14.0)
		require.GreaterOrEqual(t, ys[2]-ys[1], 14.0)
	}
}

// TestShadesAreTheIncidentsTimes, to the second and not to the bucket; downtime that
// no incident tells of any more is shaded by its buckets.
func TestShadesAreTheIncidentsTimes(t *testing.T) {
	t.Parallel()
	now := sampleNow()
	var buckets []uptime.Bucket
	for i := range 10 {
		b := uptime.Bucket{From: now.Add(time.Duration(i) * time.Minute), To: now.Add(time.Duration(i+1) * time.Minute), P50: time.Millisecond, P95: time.Millisecond, P99: time.Millisecond}
		if i == 2 || i == 3 || i == 7 {
			b.Downtime = 30 * time.Second
		}
		buckets = append(buckets, b)
	}
	c := drawChart(chartInput{
		buckets: buckets, now: now.Add(10 * time.Minute), when: func(at time.Time) When { return When{At: at, Now: now} },
		incidents: []uptime.IncidentSpan{
			{ID: 2, StartedAt: now.Add(9*time.Minute + 30*time.Second)},
			{ID: 1, StartedAt: now.Add(150 * time.Second), RecoveredAt: now.Add(210 * time.Second)},
			{ID: 0, StartedAt: now.Add(-time.Hour), RecoveredAt: now.Add(30 * time.Second)},
		},
	})
	require.Equal(t, []Shade{{"950.0", "50.0"}, {"250.0", "100.0"}, {"0.0", "50.0"}, {"700.0", "100.0"}}, c.Outages)
}

func TestNextCheck(t *testing.T) {
	t.Parallel()
	s := &scene{now: sampleNow()}
	m := manage.MonitorView{ID: 1, Interval: form.Duration(time.Hour), RetryInterval: form.Duration(20 * time.Second)}
	regular := uptime.NextSlot(1, time.Hour, s.now).Sub(s.now)
	require.Equal(t, "next check in "+s.lang.Span(regular), s.nextCheck(m))
	last := s.now.Add(-8 * time.Second)
	m.Retrying, m.LastCheckedAt = true, &last
	require.Equal(t, "next check in 12 s", plain(s.nextCheck(m)), "a failure is tried again")
	last = s.now.Add(-time.Minute)
	require.Equal(t, "next check now", plain(s.nextCheck(m)))
}

func TestCertificateWords(t *testing.T) {
	t.Parallel()
	for left, want := range map[time.Duration]string{
		6*dayLong + time.Hour: "certificate ends in 6 days", 25 * time.Hour: "certificate ends in 1 day", 90 * time.Minute: "certificate ends in 1 h 30 min",
		0: "certificate has ended", -time.Hour: "certificate has ended", -50 * time.Hour: "certificate ended 2 days ago",
	} {
		require.Equal(t, want, plain(certEnds(nil, left)))
	}
	w, _ := setup(t)
	require.Contains(t, plain(ask(w, "/monitors/6", nil).Body.String()), "The certificate ends in 6 days: 30 Nov 2026, 16:05 CET.")
	require.NotContains(t, ask(w, "/monitors/5", nil).Body.String(), "certificate ends")
	require.Contains(t, plain(ask(w, "/", nil).Body.String()), "certificate ends in 6 days")
}

// TestChecksByResult look through a day at a time: no index finds them.
func TestChecksByResult(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	html := ask(w, "/monitors/1?result=down&region=nowhere", nil).Body.String()
	require.Equal(t, 5, strings.Count(html, `class="first nowrap"`))
	require.Contains(t, html, "Looked through: 23 Nov 2026, 15:05 – 24 Nov 2026, 15:05")
	require.Contains(t, html, "until=2026-11-23T14%3A05%3A00Z#tabs")
	old := ask(w, "/monitors/1?result=unknown&until=2026-11-23T14:05:00Z", nil).Body.String()
	require.Contains(t, old, "Looked through: 22 Nov 2026, 15:05 – 23 Nov 2026, 15:05")
	require.Contains(t, old, "No check of this kind in that time.")
	require.NotContains(t, old, `hx-trigger="refresh"`, "what is old does not change")
	require.NotContains(t, ask(w, "/monitors/1?result=drop", nil).Body.String(), "Looked through")
	require.Contains(t, ask(w, "/monitors/1?check=77.default", nil).Body.String(), "That check is not kept any more.")
	require.Contains(t, ask(w, "/monitors/1?check=x.default", nil).Body.String(), "That check is not kept any more.")
	kept := ask(w, "/monitors/1?check=1795528860000.default", nil).Body.String()
	require.Contains(t, kept, "This check is part of an incident.")
	require.Contains(t, kept, "&lt;h1&gt;503 Service Unavailable&lt;/h1&gt;")
	require.NotContains(t, ask(w, "/monitors/1?check=1795529100000.default", nil).Body.String(), "503 Service Unavailable&lt;", "after it was confirmed nothing is kept")
}

// TestExportedMonitor can be given to the API as it is.
func TestExportedMonitor(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	rec := ask(w, "/monitors/11/export", nil)
	require.Equal(t, `attachment; filename="monitor-script-alert-1-script.json"`, rec.Header().Get("Content-Disposition"))
	require.Equal(t, "application/json", rec.Header().Get("Content-Type"))
	var m map[string]any
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &m))
	require.Equal(t, hostile, m["name"])
	require.NotContains(t, m, "status")
	require.Equal(t, http.StatusNotFound, ask(w, "/monitors/99/export", nil).Code)
	require.Equal(t, http.StatusNotFound, ask(w, "/monitors/99/chart.csv", nil).Code)
	require.Equal(t, "unnamed", plainName("監視"))
}
