package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"monitor/modules/uptime"
)

// RunFiguresProperty compares Stats and Buckets with the oracle: of monitors whose
// settings change, from several regions, with results that come late, twice or not
// at all, and rollups, bookings of missed slots and retention in between.
func RunFiguresProperty(t *testing.T, open OpenFunc, checks int) {
	h := newHouse(t, open)
	runs, failed := 0, false
	rapid.Check(t, func(rt *rapid.T) {
		if runs++; runs > checks && !failed { // see runProperty
			return
		}
		ok := false
		defer func() { failed = failed || !ok }()
		newLife(rt, h).live(rt)
		ok = true
	})
}

// life is that of one monitor.
type life struct {
	house
	random *rand.Rand // what happens; rapid draws only its seed and the shape
	m      uptime.Monitor
	oracle oracle
	at     time.Time // slots up to it were made
	late   []uptime.Result
	mood   map[string]uptime.Status
}

func newLife(rt *rapid.T, h house) *life {
	seed := rapid.Uint64().Draw(rt, "seed")
	l := &life{house: h, random: rand.New(rand.NewPCG(seed, 7)), mood: map[string]uptime.Status{}} //nolint:gosec // a test's choices
	h.clock.Advance(time.Duration(l.random.Int64N(int64(3 * time.Hour))).Truncate(time.Millisecond))
	require.NoError(rt, h.EnsurePartitions(rt.Context(), 6))
	m, err := h.CreateMonitor(rt.Context(), uptime.Monitor{
		WorkspaceID: h.ws, RowKey: h.key(), Name: "life", Type: "http", Enabled: true,
		Interval: l.interval(), Timeout: time.Second, RetryInterval: 7 * time.Second,
		FailuresBeforeDown: rapid.IntRange(1, 3).Draw(rt, "failures"), SuccessesBeforeUp: rapid.IntRange(1, 2).Draw(rt, "successes"),
		Regions: l.regions(), MinRegionsDown: 1, Settings: []byte(`{}`), CheckAt: h.clock.Now(),
	}, nil)
	require.NoError(rt, err)
	l.m, l.at = m, m.CheckAt.Add(-time.Millisecond)
	l.oracle.missed = map[oracleSlot]bool{}
	l.plan(m.CheckAt)
	return l
}

const longestInterval = 2 * time.Hour

func (l *life) interval() time.Duration {
	return []time.Duration{3 * time.Minute, 7 * time.Minute, 20 * time.Minute, longestInterval}[l.random.IntN(4)]
}

func (l *life) regions() []string {
	all := []string{"east", "north", "west"}
	l.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return slices.Sorted(slices.Values(all[:1+l.random.IntN(3)]))
}

// plan ends what holds at a time and begins what the settings say.
func (l *life) plan(from time.Time) {
	if last := len(l.oracle.plans) - 1; last >= 0 && l.oracle.plans[last].until.IsZero() {
		l.oracle.plans[last].until = from
	}
	if l.m.Enabled {
		l.oracle.plans = append(l.oracle.plans, oraclePlan{from: from, interval: l.m.Interval, regions: l.m.Regions})
	}
}

func (l *life) live(rt *rapid.T) {
	for range rapid.IntRange(2, 7).Draw(rt, "steps") {
		l.clock.Advance(time.Duration(1+l.random.IntN(10*60)) * time.Minute)
		l.pass(rt)
		if l.random.IntN(2) == 0 {
			l.change(rt)
		}
		if l.random.IntN(2) == 0 {
			require.NoError(rt, l.Rollup(rt.Context(), l.clock.Now()))
		}
	}
	l.record(rt, l.late)
	require.NoError(rt, l.Rollup(rt.Context(), l.clock.Now()))
	l.compare(rt)
	// What is not rolled up yet.
	l.clock.Advance(time.Duration(l.random.IntN(55)) * time.Minute)
	l.pass(rt)
	l.compare(rt)
	// Sums outlive results.
	_, err := l.Purge(rt.Context(), uptime.Retention{Results: 24 * time.Hour})
	require.NoError(rt, err)
	for range 3 {
		from := l.oracle.plans[0].from.Truncate(time.Hour)
		l.stats(rt, from, l.clock.Now().Truncate(time.Hour))
	}
	require.NoError(rt, l.DeleteMonitor(rt.Context(), l.ws, l.m.ID, nil))
}

// pass makes the results of the time since the last one: some of them are late,
// some come twice with another word, and some slots are booked as missed.
func (l *life) pass(rt *rapid.T) {
	now := l.clock.Now()
	var batch []uptime.Result
	var missed []uptime.MissedRange
	if l.m.Enabled {
		for slot := uptime.NextSlot(l.m.ID, l.m.Interval, l.at); !slot.After(now); slot = uptime.NextSlot(l.m.ID, l.m.Interval, slot) {
			for _, region := range l.m.Regions {
				switch {
				case l.random.IntN(12) == 0: // nothing
				case l.random.IntN(12) == 0:
					missed = append(missed, uptime.MissedRange{MonitorID: l.m.ID, Region: region, From: slot, To: slot, Count: 1, Reason: uptime.MissedStale})
					l.oracle.missed[oracleSlot{region, slot.UnixMilli()}] = true
					if l.random.IntN(3) == 0 {
						l.late = append(l.late, l.result(region, slot))
					}
				case l.random.IntN(10) == 0:
					l.late = append(l.late, l.result(region, slot))
				default:
					r := l.result(region, slot)
					batch = append(batch, r)
					if r.Status == uptime.Down && l.random.IntN(2) == 0 {
						batch = append(batch, l.result(region, slot.Add(l.m.RetryInterval)))
					}
				}
			}
		}
	}
	l.at = now
	if len(l.late) > 0 && l.random.IntN(2) == 0 {
		n := 1 + l.random.IntN(len(l.late))
		batch, l.late = append(batch, l.late[:n]...), l.late[n:]
	}
	for range l.random.IntN(4) {
		if len(l.oracle.results) > 0 {
			again := l.oracle.results[l.random.IntN(len(l.oracle.results))]
			again.Status = uptime.Down
			batch = append(batch, again)
		}
	}
	require.NoError(rt, l.BookMissed(rt.Context(), missed))
	l.record(rt, batch)
}

// result of a slot: moods last.
func (l *life) result(region string, slot time.Time) uptime.Result {
	if l.mood[region] == "" || l.random.IntN(8) == 0 {
		l.mood[region] = []uptime.Status{uptime.Up, uptime.Up, uptime.Down, uptime.Degraded, uptime.Unknown}[l.random.IntN(5)]
	}
	r := uptime.Result{MonitorID: l.m.ID, Region: region, ScheduledAt: slot, StartedAt: slot, Attempt: 1}
	r.Status, r.Response = l.mood[region], time.Duration(50+l.random.IntN(500_000))*time.Microsecond
	return r
}

// record in any order and in several batches. What is stored is read back: results
// of a paused monitor are not.
func (l *life) record(rt *rapid.T, batch []uptime.Result) {
	l.random.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	for len(batch) > 0 {
		n := 1 + l.random.IntN(len(batch))
		_, err := l.Record(rt.Context(), batch[:n], uptime.Judge(l.eventID))
		require.NoError(rt, err)
		batch = batch[n:]
	}
	l.oracle.results = nil
	page := uptime.Page{Limit: 200}
	for {
		list, err := l.Results(rt.Context(), l.ws, l.m.ID, uptime.ResultFilter{}, page)
		require.NoError(rt, err)
		l.oracle.results = append(l.oracle.results, list.Items...)
		if page.Cursor = list.Next; page.Cursor == "" {
			return
		}
	}
}

// change the settings, or pause and resume.
func (l *life) change(rt *rapid.T) {
	now := l.clock.Now()
	m, err := l.UpdateMonitor(rt.Context(), l.ws, l.m.ID, func(m *uptime.Monitor) error {
		switch l.random.IntN(4) {
		case 0:
			m.Enabled = !m.Enabled
		case 1:
			m.Regions = l.regions()
		default:
			m.Interval = l.interval()
		}
		m.Timeout = time.Second
		if m.Enabled {
			m.CheckAt = now
		}
		return nil
	}, nil)
	require.NoError(rt, err)
	l.m = m
	l.plan(now)
}

func (l *life) compare(rt *rapid.T) {
	l.oracle.now = l.clock.Now()
	l.oracle.outages = nil
	list, err := l.Incidents(rt.Context(), l.ws, uptime.IncidentFilter{MonitorID: l.m.ID}, uptime.Page{Limit: 200})
	require.NoError(rt, err)
	for _, i := range list.Items {
		l.oracle.outages = append(l.oracle.outages, [2]time.Time{i.StartedAt, i.RecoveredAt})
	}
	begin, now := l.oracle.plans[0].from, l.clock.Now()
	length := now.Sub(begin)
	l.stats(rt, begin.Add(-time.Hour), now.Add(time.Hour))
	for range 4 {
		a := begin.Add(time.Duration(l.random.Int64N(int64(length)))).Truncate(time.Millisecond)
		b := begin.Add(time.Duration(l.random.Int64N(int64(length)))).Truncate(time.Millisecond)
		if b.Before(a) {
			a, b = b, a
		}
		l.stats(rt, a, b.Add(time.Millisecond))
		l.stats(rt, a.Truncate(time.Hour), b)
	}
	l.buckets(rt, begin.Truncate(24*time.Hour), now, 24*time.Hour)
	l.buckets(rt, begin.Truncate(time.Hour), now, time.Duration(1+l.random.IntN(5))*time.Hour)
	recent := now.Add(-46 * time.Hour).Truncate(time.Hour)
	if begin.After(recent) {
		recent = begin.Truncate(5 * time.Minute)
	}
	l.buckets(rt, recent, now, 30*time.Minute)
	l.buckets(rt, recent, now, 5*time.Minute)
	l.availability(rt, length+time.Hour, time.Duration(1+l.random.Int64N(int64(length))).Truncate(time.Millisecond)+time.Millisecond, 90*time.Minute, 25*time.Hour)
	l.glance(rt, recent, recent, now)
	l.glance(rt, begin.Add(-time.Hour), recent, now)
	l.glance(rt, recent.Add(-time.Duration(l.random.Int64N(int64(length)))).Truncate(time.Millisecond), recent, now)
	l.buckets(rt, now.Truncate(time.Hour).Add(-time.Hour), now, 47*time.Second)
}

func (l *life) stats(rt *rapid.T, from, to time.Time) {
	got, err := l.Stats(rt.Context(), l.ws, l.m.ID, from, to)
	require.NoError(rt, err)
	want := l.oracle.figures(from, to, "")
	rt.Logf("monitor %d from %s to %s", l.m.ID, from, to)
	requireStats(rt, want, uptime.RegionStats{
		Uptime: got.Uptime, Known: got.Known, Downtime: got.Downtime, Unknown: got.Unknown, Responses: got.Responses, Checks: got.Checks,
	})
	if all := got.Known + got.Unknown; all > 0 {
		require.InDelta(rt, float64(got.Known)/float64(all), got.Coverage, 1e-12)
	}
	for _, region := range got.Regions {
		requireStats(rt, l.oracle.figures(from, to, region.Region), region)
	}
}

// availability of windows that end now is what the figures say of them.
func (l *life) availability(rt *rapid.T, lengths ...time.Duration) {
	got, err := l.Availability(rt.Context(), l.ws, l.m.ID, lengths)
	require.NoError(rt, err)
	now := l.clock.Now()
	for i, length := range lengths {
		want, err := l.Stats(rt.Context(), l.ws, l.m.ID, now.Add(-length), now)
		require.NoError(rt, err)
		require.Equal(rt, uptime.Availability{Uptime: want.Uptime, Coverage: want.Coverage, Downtime: want.Downtime}, got[i], "of %s", length)
	}
}

// glance over half hours, and uptime since a time before or at its start.
func (l *life) glance(rt *rapid.T, since, from, to time.Time) {
	q := uptime.GlanceQuery{From: from, To: to, Width: 30 * time.Minute, Since: since}
	all, err := l.Glances(rt.Context(), l.ws, []int64{l.m.ID}, q)
	require.NoError(rt, err)
	bars, err := l.Buckets(rt.Context(), l.ws, []int64{l.m.ID}, from, to, q.Width)
	require.NoError(rt, err)
	require.Equal(rt, bars[l.m.ID], all[l.m.ID].Buckets)
	stats, err := l.Stats(rt.Context(), l.ws, l.m.ID, since, to)
	require.NoError(rt, err)
	require.Equal(rt, stats.Uptime, all[l.m.ID].Uptime, "since %s", since)
}

func (l *life) buckets(rt *rapid.T, from, to time.Time, width time.Duration) {
	all, err := l.Buckets(rt.Context(), l.ws, []int64{l.m.ID}, from, to, width)
	require.NoError(rt, err)
	got := all[l.m.ID]
	require.Len(rt, got, int((to.Sub(from)+width-1)/width))
	for i, b := range got {
		name := fmt.Sprintf("%s from %s, %d of %d", width, from, i, len(got))
		require.Equal(rt, from.Add(time.Duration(i)*width), b.From, name)
		want := l.oracle.figures(b.From, b.To, "")
		require.Equal(rt, want.Checks, b.Checks, name)
		require.Equal(rt, want.Known, b.Known, name)
		require.Equal(rt, want.Downtime, b.Downtime, name)
		require.GreaterOrEqual(rt, b.P95, want.P95, name)
		require.LessOrEqual(rt, float64(b.P95), 1.008*float64(want.P95)+float64(time.Microsecond), name)
	}
}
