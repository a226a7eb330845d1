package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// RunFigures proves statistics, missed slots, rollups and retention.
func RunFigures(t *testing.T, open OpenFunc) {
	for _, c := range []struct {
		name string
		test func(*testing.T, OpenFunc)
	}{
		{"StatsOfAnOutage", testStats},
		{"BehindTheRollup", testBehindRollup},
		{"LateResultAfterRollup", testLateRollup},
		{"OutageResolvedByHand", testHandResolved},
		{"BucketsAcrossDays", testBuckets},
		{"KnownTime", testKnownTime},
		{"MissedRanges", testMissed},
		{"Audit", testAuditMissed},
		{"Purge", testPurge},
		{"PurgeKeepsOutages", testPurgeOutages},
		{"PurgeDeleted", testPurgeDeleted},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open)
		})
	}
}

// atMidnight moves the clock to the start of a UTC day and makes partitions.
func (h house) atMidnight(t *testing.T) time.Time {
	t.Helper()
	start := h.clock.Now().Truncate(24 * time.Hour).Add(24 * time.Hour)
	h.clock.Advance(start.Sub(h.clock.Now()))
	require.NoError(t, h.EnsurePartitions(t.Context(), 5))
	return start
}

// minutes records one result a minute from a time on, a letter each: u up, d
// down, s slow, x unknown, - none. The clock follows.
func (h house) minutes(t *testing.T, m uptime.Monitor, from time.Time, letters string) {
	t.Helper()
	words := map[rune]uptime.Status{'u': uptime.Up, 'd': uptime.Down, 's': uptime.Degraded, 'x': uptime.Unknown}
	var batch []uptime.Result
	for i, letter := range letters {
		slot := from.Add(time.Duration(i) * time.Minute)
		if letter == '-' {
			continue
		}
		r := uptime.Result{MonitorID: m.ID, Region: "default", ScheduledAt: slot, StartedAt: slot, Attempt: 1}
		r.Status, r.Response = words[letter], time.Duration(10+i%10)*time.Millisecond
		batch = append(batch, r)
	}
	if end := from.Add(time.Duration(len(letters)) * time.Minute); end.After(h.clock.Now()) {
		h.clock.Advance(end.Sub(h.clock.Now()))
	}
	done, err := h.Record(t.Context(), batch, uptime.Judge(h.eventID))
	require.NoError(t, err)
	require.Equal(t, len(batch), done.Stored, "dropped %d", done.Dropped)
}

func (h house) stats(t *testing.T, m uptime.Monitor, from, to time.Time) uptime.Stats {
	t.Helper()
	s, err := h.Stats(t.Context(), h.ws, m.ID, from, to)
	require.NoError(t, err)
	return s
}

func testStats(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	start := h.atMidnight(t)
	m := h.monitor(t)
	h.minutes(t, m, start, strings.Repeat("u", 10)+strings.Repeat("d", 5)+strings.Repeat("u", 45))
	s := h.stats(t, m, start, start.Add(time.Hour))
	require.Equal(t, 5*time.Minute, s.Downtime)
	require.InDelta(t, 55.0/60, *s.Uptime, 1e-9)
	require.InDelta(t, 1, s.Coverage, 0)
	require.Zero(t, s.Unknown)
	require.Equal(t, uptime.CheckCounts{Up: 55, Down: 5}, s.Checks)
	require.EqualValues(t, 1, s.Incidents)
	require.InDelta(t, 810.0/55, s.Mean.Seconds()*1000, 0.2)
	require.InDelta(t, 15, s.P50.Seconds()*1000, 0.2)
	require.InDelta(t, 19, s.P99.Seconds()*1000, 0.2)

	calm := h.stats(t, m, start.Add(20*time.Minute), start.Add(time.Hour))
	require.Equal(t, 1.0, *calm.Uptime) //nolint:testifylint // exactly 1
	require.Zero(t, calm.Incidents)
	brief := h.stats(t, m, start.Add(10*time.Minute), start.Add(12*time.Minute))
	require.Zero(t, *brief.Uptime)
	none := h.stats(t, m, start.Add(-time.Hour), start)
	require.Nil(t, none.Uptime)
	require.Zero(t, none.Coverage)
	future := h.stats(t, m, start, start.Add(48*time.Hour))
	require.Equal(t, s.Downtime, future.Downtime)
	require.InDelta(t, 1, future.Coverage, 0)
}

// testBehindRollup: of what is not rolled up only the newest two hours are read;
// before that nothing is known until it is.
func testBehindRollup(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	start := h.atMidnight(t)
	m := h.monitor(t)
	letters := strings.Repeat("u", 100) + strings.Repeat("d", 90) + strings.Repeat("x", 20) + strings.Repeat("-", 100) + strings.Repeat("s", 200)
	letters += strings.Repeat("u", 60*50+17-len(letters))
	h.minutes(t, m, start, letters)
	behind := h.stats(t, m, start, h.clock.Now())
	require.EqualValues(t, 77, behind.Checks.Up, "from the hour on that began at most two hours ago")
	require.Equal(t, 77*time.Minute, behind.Known)
	require.InDelta(t, 77.0/(50*60+17), behind.Coverage, 1e-9)
	require.Equal(t, 1.0, *behind.Uptime) //nolint:testifylint // exactly 1
	recent := h.stats(t, m, h.clock.Now().Add(-time.Hour), h.clock.Now())
	require.NoError(t, h.Rollup(t.Context(), h.clock.Now()))
	whole := h.stats(t, m, start, h.clock.Now())
	require.Equal(t, uptime.CheckCounts{Up: 100 + 50*60 + 17 - 510, Degraded: 200, Down: 90, Unknown: 20}, whole.Checks)
	require.Equal(t, 90*time.Minute, whole.Downtime)
	require.Equal(t, recent, h.stats(t, m, h.clock.Now().Add(-time.Hour), h.clock.Now()))
	require.NoError(t, h.Rollup(t.Context(), h.clock.Now()))
	require.Equal(t, whole, h.stats(t, m, start, h.clock.Now()), "once more changes nothing")
}

func testLateRollup(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	start := h.atMidnight(t)
	m := h.monitor(t)
	h.minutes(t, m, start, strings.Repeat("u", 30)+strings.Repeat("-", 10)+strings.Repeat("u", 25*60))
	require.NoError(t, h.Rollup(t.Context(), h.clock.Now()))
	before := h.stats(t, m, start, start.Add(24*time.Hour))
	require.Equal(t, 10*time.Minute-90*time.Second, before.Unknown, "the one before speaks for 2.5 min, a minute of them its own")
	h.minutes(t, m, start.Add(30*time.Minute), "uuuddduuuu")
	require.NoError(t, h.Rollup(t.Context(), h.clock.Now()))
	after := h.stats(t, m, start, start.Add(24*time.Hour))
	require.EqualValues(t, 3, after.Checks.Down)
	require.EqualValues(t, 24*60-3, after.Checks.Up)
	require.Equal(t, 3*time.Minute, after.Downtime)
	require.Zero(t, after.Unknown)
}

func testHandResolved(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	start := h.atMidnight(t)
	m := h.monitor(t)
	h.minutes(t, m, start, "uuddd")
	list, err := h.Incidents(t.Context(), h.ws, uptime.IncidentFilter{MonitorID: m.ID}, uptime.Page{Limit: 1})
	require.NoError(t, err)
	h.resolve(t, list.Items[0].ID)
	h.minutes(t, m, start.Add(5*time.Minute), "ddd")
	require.Equal(t, 6*time.Minute, h.stats(t, m, start, start.Add(time.Hour)).Downtime, "it is still down")
	h.minutes(t, m, start.Add(8*time.Minute), "uuu")
	require.Equal(t, 6*time.Minute, h.stats(t, m, start, start.Add(time.Hour)).Downtime)
}

func testBuckets(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	start := h.atMidnight(t)
	m, idle := h.monitor(t), h.monitor(t)
	h.minutes(t, m, start, strings.Repeat("u", 50)+strings.Repeat("d", 20)+strings.Repeat("u", 48*60-70))
	check := func(name string) {
		for _, c := range []struct {
			from, to    time.Time
			width       time.Duration
			counts      []uptime.CheckCounts
			downMinutes []int
		}{
			{start, start.Add(48 * time.Hour), 24 * time.Hour, []uptime.CheckCounts{{Up: 1420, Down: 20}, {Up: 1440}}, []int{20, 0}},
			{start, start.Add(150 * time.Minute), time.Hour, []uptime.CheckCounts{{Up: 50, Down: 10}, {Up: 50, Down: 10}, {Up: 30}}, []int{10, 10, 0}},
			{start.Add(45 * time.Minute), start.Add(75 * time.Minute), 15 * time.Minute, []uptime.CheckCounts{{Up: 5, Down: 10}, {Up: 5, Down: 10}}, []int{10, 10}},
		} {
			got, err := h.Buckets(t.Context(), h.ws, []int64{m.ID, idle.ID}, c.from, c.to, c.width)
			require.NoError(t, err)
			require.Len(t, got[m.ID], len(c.counts), name)
			require.Len(t, got[idle.ID], len(c.counts), name)
			for i, b := range got[m.ID] {
				require.Equal(t, c.counts[i], b.Checks, "%s %s %d", name, c.width, i)
				require.Equal(t, time.Duration(c.downMinutes[i])*time.Minute, b.Downtime, "%s %s %d", name, c.width, i)
				require.InDelta(t, 15, b.P50.Seconds()*1000, 4)
				require.Equal(t, c.from.Add(time.Duration(i)*c.width), b.From)
				require.Zero(t, got[idle.ID][i].Checks)
			}
			require.Equal(t, c.to, got[m.ID][len(c.counts)-1].To)
		}
	}
	h.clock.Advance(time.Hour)
	require.NoError(t, h.Rollup(t.Context(), h.clock.Now()))
	check("rolled up")
	q := uptime.GlanceQuery{From: start.Add(24 * time.Hour), To: start.Add(48 * time.Hour), Width: 30 * time.Minute, Since: start.Add(-time.Hour)}
	of, err := h.Glances(t.Context(), h.ws, []int64{m.ID, idle.ID, m.ID + 1000}, q)
	require.NoError(t, err)
	require.Len(t, of, 2)
	require.Equal(t, h.stats(t, m, q.Since, q.To).Uptime, of[m.ID].Uptime)
	require.Equal(t, h.stats(t, m, q.From, q.To).P95, of[m.ID].P95)
	require.Nil(t, of[idle.ID].Uptime)
	bars, err := h.Buckets(t.Context(), h.ws, []int64{m.ID, idle.ID}, q.From, q.To, q.Width)
	require.NoError(t, err)
	require.Equal(t, bars[m.ID], of[m.ID].Buckets)
	require.Equal(t, bars[idle.ID], of[idle.ID].Buckets)
	foreign, err := h.Glances(t.Context(), h.ws+1, []int64{m.ID}, q)
	require.NoError(t, err)
	require.Empty(t, foreign)
	q.Since = q.To
	_, err = h.Glances(t.Context(), h.ws, []int64{m.ID}, q)
	require.Equal(t, uptime.CodeMalformed, uptime.CodeOf(err))
	_, err = h.Buckets(t.Context(), h.ws, []int64{m.ID}, start, start.Add(time.Hour), time.Millisecond)
	require.Equal(t, uptime.CodeMalformed, uptime.CodeOf(err))
}

func testKnownTime(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	start := h.atMidnight(t)
	m := h.monitor(t) // a result speaks for 2.5 min at most
	h.minutes(t, m, start, "ux----u---------")
	s := h.stats(t, m, start, start.Add(12*time.Minute))
	require.Equal(t, 12*time.Minute-time.Minute-150*time.Second, s.Unknown)
	require.InDelta(t, 3.5/12, s.Coverage, 1e-9)
	require.Equal(t, 1.0, *s.Uptime) //nolint:testifylint // exactly 1

	// Time when it is paused is neither known nor unknown.
	change(t, h, m.ID, func(m *uptime.Monitor) { m.Enabled = false })
	h.clock.Advance(time.Hour)
	later := h.stats(t, m, start, h.clock.Now())
	require.Equal(t, 16*time.Minute-time.Minute-150*time.Second, later.Unknown)
	none := h.stats(t, m, start.Add(20*time.Minute), h.clock.Now())
	require.Nil(t, none.Uptime)
	require.Zero(t, none.Unknown)
}

func missedWords(t *testing.T, h house, m uptime.Monitor, from time.Time) []string {
	t.Helper()
	list, err := h.Missed(t.Context(), h.ws, m.ID, from, from.Add(24*time.Hour))
	require.NoError(t, err)
	out := []string{}
	for _, r := range list {
		out = append(out, fmt.Sprintf("%d-%d %d %s", int(r.From.Sub(from).Minutes()), int(r.To.Sub(from).Minutes()), r.Count, r.Reason))
	}
	return out
}

func testMissed(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	start := h.atMidnight(t)
	m := h.monitor(t)
	book := func(from, to int, reason uptime.MissedReason) {
		require.NoError(t, h.BookMissed(t.Context(), []uptime.MissedRange{{
			MonitorID: m.ID, Region: "default", Reason: reason, Count: int64(to - from + 1),
			From: start.Add(time.Duration(from) * time.Minute), To: start.Add(time.Duration(to) * time.Minute),
		}}))
	}
	for _, c := range []struct {
		from, to int
		reason   uptime.MissedReason
		want     []string
	}{
		{10, 10, uptime.MissedStale, []string{"10-10 1 stale"}},
		{10, 10, uptime.MissedStale, []string{"10-10 1 stale"}},
		{11, 11, uptime.MissedStale, []string{"10-11 2 stale"}},
		{13, 15, uptime.MissedStale, []string{"10-11 2 stale", "13-15 3 stale"}},
		{12, 12, uptime.MissedLost, []string{"10-11 2 stale", "12-12 1 lost", "13-15 3 stale"}},
		{8, 20, uptime.MissedStopped, []string{"8-9 2 stopped", "10-11 2 stale", "12-12 1 lost", "13-15 3 stale", "16-20 5 stopped"}},
		{21, 21, uptime.MissedStopped, []string{"8-9 2 stopped", "10-11 2 stale", "12-12 1 lost", "13-15 3 stale", "16-21 6 stopped"}},
	} {
		book(c.from, c.to, c.reason)
		require.Equal(t, c.want, missedWords(t, h, m, start))
	}
	h.clock.Advance(time.Hour)
	require.EqualValues(t, 14, h.stats(t, m, start, start.Add(time.Hour)).Checks.Missed)
	require.EqualValues(t, 3, h.stats(t, m, start.Add(9*time.Minute+time.Second), start.Add(13*time.Minute)).Checks.Missed)
	h.minutes(t, m, start.Add(14*time.Minute), "u")
	h.minutes(t, m, start.Add(12*time.Minute), "u")
	require.Equal(t, []string{"8-9 2 stopped", "10-11 2 stale", "13-13 1 stale", "15-15 1 stale", "16-21 6 stopped"},
		missedWords(t, h, m, start), "a stored result wins")
	require.NoError(t, h.BookMissed(t.Context(), []uptime.MissedRange{{MonitorID: m.ID + 99, Region: "default", Count: 1, From: start, To: start}}))
}

func testAuditMissed(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	start := h.atMidnight(t)
	m := h.monitor(t)
	last, err := h.LastAudit(t.Context())
	require.NoError(t, err)
	require.Zero(t, last)
	grid := uptime.NextSlot(m.ID, m.Interval, m.CheckAt)
	h.minutes(t, m, grid, "uu--u"+strings.Repeat("-", 25)+"u")
	h.minutes(t, m, start, "u") // the extra slot is off the grid
	end := grid.Add(30*time.Minute + 30*time.Second)
	audit := func(from, to time.Time) int64 {
		n, err := h.AuditMissed(t.Context(), from, to, uptime.MissedLost)
		require.NoError(t, err)
		return n
	}
	require.EqualValues(t, 1, audit(start, grid.Add(3*time.Minute)))
	require.EqualValues(t, 26, audit(start, end))
	require.EqualValues(t, 0, audit(start, end), "it is booked")
	require.Equal(t, []string{"2-3 2 lost", "5-29 25 lost"}, missedWords(t, h, m, grid))
	last, err = h.LastAudit(t.Context())
	require.NoError(t, err)
	require.Equal(t, end, last)

	// Slots before a change and while paused are not due.
	h.clock.Advance(end.Sub(h.clock.Now()))
	change(t, h, m.ID, func(m *uptime.Monitor) { m.Enabled = false })
	h.clock.Advance(10 * time.Minute)
	check := h.clock.Now()
	change(t, h, m.ID, func(m *uptime.Monitor) { m.Enabled, m.Interval, m.CheckAt = true, 2*time.Minute, check })
	h.clock.Advance(20 * time.Minute)
	require.Equal(t, uptime.SlotsBetween(m.ID, 2*time.Minute, check, h.clock.Now().Add(-time.Millisecond)), audit(start, h.clock.Now()))

	// Over days: nothing was running.
	far := h.clock.Now().Add(50 * time.Hour)
	h.clock.Advance(50 * time.Hour)
	require.Equal(t, uptime.SlotsBetween(m.ID, 2*time.Minute, check.Add(20*time.Minute-time.Millisecond), far.Add(-time.Millisecond)), audit(start, far))
	require.Len(t, missedWords(t, h, m, check), 1)
}

func testPurge(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	start := h.atMidnight(t)
	m := h.monitor(t)
	h.minutes(t, m, start, strings.Repeat("u", 3*24*60))
	require.NoError(t, h.Rollup(t.Context(), h.clock.Now().Add(-time.Hour)))
	purged, err := h.Purge(t.Context(), uptime.Retention{Results: 24 * time.Hour, Rollups: 36 * time.Hour})
	require.NoError(t, err)
	require.Positive(t, purged.Rollups)
	list, err := h.Results(t.Context(), h.ws, m.ID, uptime.ResultFilter{To: start.Add(48 * time.Hour)}, uptime.Page{Limit: 10})
	require.NoError(t, err)
	require.Empty(t, list.Items)
	n := h.stats(t, m, start, h.clock.Now()).Checks.Up
	require.EqualValues(t, 48*60, n, "a day is kept whole")
	for range 2 {
		purged, err = h.Purge(t.Context(), uptime.Retention{Results: 24 * time.Hour, Rollups: 36 * time.Hour})
		require.NoError(t, err)
		require.Zero(t, purged)
	}
}

func testPurgeOutages(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	start := h.atMidnight(t)
	channel := h.channel(t)
	m := h.monitor(t, channel)
	h.minutes(t, m, start, strings.Repeat("u", 60)+strings.Repeat("d", 60)+strings.Repeat("u", 26*60))
	require.NoError(t, h.Rollup(t.Context(), h.clock.Now()))
	before := h.stats(t, m, start, start.Add(24*time.Hour))
	count := func() int64 {
		n, err := h.CountIncidents(t.Context(), h.ws, uptime.IncidentFilter{})
		require.NoError(t, err)
		return n
	}
	h.clock.Advance(10 * time.Hour)
	keep := uptime.Retention{Incidents: 24 * time.Hour}
	_, err := h.Purge(t.Context(), keep)
	require.NoError(t, err)
	require.EqualValues(t, 1, count(), "its deliveries are not done")
	for _, c := range h.claim(t) {
		h.finish(t, c, uptime.DeliveryDelivered)
	}
	for _, c := range h.claim(t) {
		h.finish(t, c, uptime.DeliveryDelivered)
	}
	purged, err := h.Purge(t.Context(), keep)
	require.NoError(t, err)
	require.EqualValues(t, 1, purged.Incidents)
	require.Zero(t, count())
	require.Empty(t, h.deliveries(t, channel.ID))
	require.Equal(t, before, h.stats(t, m, start, start.Add(24*time.Hour)), "the outage counts on")
}

func testPurgeDeleted(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	start := h.atMidnight(t)
	channel := h.channel(t)
	m := h.monitor(t, channel)
	h.minutes(t, m, start, "uuddduu")
	for range 2 {
		for _, c := range h.claim(t) {
			h.finish(t, c, uptime.DeliveryDelivered)
		}
	}
	require.NoError(t, h.DeleteMonitor(t.Context(), h.ws, m.ID, nil))
	require.NoError(t, h.DeleteChannel(t.Context(), h.ws, channel.ID, nil))
	h.clock.Advance(uptime.UndeleteFor)
	purged, err := h.Purge(t.Context(), uptime.Retention{})
	require.NoError(t, err)
	require.Zero(t, purged)
	h.clock.Advance(time.Millisecond)
	purged, err = h.Purge(t.Context(), uptime.Retention{})
	require.NoError(t, err)
	require.Equal(t, uptime.Purged{Results: 7, Incidents: 1, Objects: 2}, purged, "with the channel, which no delivery speaks of now")
	_, err = h.ScheduledMonitor(t.Context(), m.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
}
