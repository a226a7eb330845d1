package storetest

import (
	"math"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"monitor/modules/uptime"
)

// oracle knows everything of one monitor and works its figures out as slowly and as
// simply as can be: it cuts time wherever anything could change and asks of each
// piece what holds in it. docs/uptime.md in code.
type oracle struct {
	plans   []oraclePlan
	results []uptime.Result
	outages [][2]time.Time // an end that is zero: goes on
	missed  map[oracleSlot]bool
	now     time.Time
}

type oraclePlan struct {
	from, until time.Time // until is zero while it holds
	interval    time.Duration
	regions     []string
}

// longestReach of the intervals of a life.
const longestReach = 2*longestInterval + uptime.UnknownGrace

type oracleSlot struct {
	region string
	at     int64 // Unix milliseconds
}

func (p oraclePlan) holds(t time.Time) bool {
	return !t.Before(p.from) && (p.until.IsZero() || t.Before(p.until))
}

// planned reports whether the monitor is meant to be checked at t, from the region
// unless it is "".
func (o *oracle) planned(t time.Time, region string) bool {
	return slices.ContainsFunc(o.plans, func(p oraclePlan) bool {
		return p.holds(t) && (region == "" || slices.Contains(p.regions, region))
	})
}

// reach of a result, zero outside of every plan.
func (o *oracle) reach(slot time.Time) time.Duration {
	for _, p := range o.plans {
		if p.holds(slot) {
			return 2*p.interval + uptime.UnknownGrace
		}
	}
	return 0
}

// says gives the result among some that speaks for t, nil where none does.
func (o *oracle) says(results []uptime.Result, t time.Time, region string) *uptime.Result {
	var last *uptime.Result
	for i, r := range results {
		if r.Region == region && !r.ScheduledAt.After(t) && (last == nil || r.ScheduledAt.After(last.ScheduledAt)) {
			last = &results[i]
		}
	}
	if last == nil {
		return nil
	}
	slot := last.ScheduledAt
	if !t.Before(slot.Add(o.reach(slot))) {
		return nil
	}
	for _, p := range o.plans { // checking must not have ended in between
		if !p.until.IsZero() && p.until.After(slot) && !p.until.After(t) && !o.planned(p.until, "") {
			return nil
		}
	}
	return last
}

func (o *oracle) down(t time.Time) bool {
	return slices.ContainsFunc(o.outages, func(out [2]time.Time) bool {
		return !t.Before(out[0]) && t.Before(o.now) && (out[1].IsZero() || t.Before(out[1]))
	})
}

// pieces of [from, to) in each of which nothing changes.
func (o *oracle) pieces(from, to time.Time) []time.Time {
	cuts := []time.Time{from, to}
	add := func(t time.Time) {
		if t.After(from) && t.Before(to) {
			cuts = append(cuts, t)
		}
	}
	for _, p := range o.plans {
		add(p.from)
		add(p.until)
	}
	for _, r := range o.results {
		add(r.ScheduledAt)
		add(r.ScheduledAt.Add(o.reach(r.ScheduledAt)))
	}
	for _, out := range o.outages {
		add(out[0])
		add(out[1])
	}
	slices.SortFunc(cuts, time.Time.Compare)
	return slices.Compact(cuts)
}

// figures of [from, to), from one region or, for "", of the monitor.
func (o *oracle) figures(from, to time.Time, region string) uptime.RegionStats {
	if to.After(o.now) {
		to = o.now
	}
	out := uptime.RegionStats{Region: region}
	if !from.Before(to) {
		return out
	}
	var regions []string
	for _, r := range o.results {
		if !slices.Contains(regions, r.Region) {
			regions = append(regions, r.Region)
		}
	}
	cuts, near := o.pieces(from, to), o.results
	for i, t := range cuts[:len(cuts)-1] {
		if i%50 == 0 { // what is out of reach need not be looked at again and again
			near = o.near(t, cuts[min(i+50, len(cuts)-1)])
		}
		length := cuts[i+1].Sub(t)
		if !o.planned(t, region) {
			continue
		}
		known, down := false, false
		for _, name := range regions {
			if region != "" && region != name {
				continue
			}
			if r := o.says(near, t, name); r != nil && r.Status != uptime.Unknown {
				known = true
				down = down || (region != "" && r.Status == uptime.Down)
			}
		}
		switch {
		case !known:
			out.Unknown += length
			continue
		case region == "":
			down = o.down(t)
		}
		out.Known += length
		if down {
			out.Downtime += length
		}
	}
	if out.Known > 0 {
		ratio := 1 - float64(out.Downtime)/float64(out.Known)
		out.Uptime = &ratio
	}
	out.Checks, out.Responses = o.counts(from, to, region)
	return out
}

// near are the results that may speak within [from, to).
func (o *oracle) near(from, to time.Time) (out []uptime.Result) {
	for _, r := range o.results {
		if r.ScheduledAt.Before(to) && r.ScheduledAt.Add(longestReach).After(from) {
			out = append(out, r)
		}
	}
	return out
}

func (o *oracle) counts(from, to time.Time, region string) (c uptime.CheckCounts, out uptime.Responses) {
	var times []time.Duration
	var sum time.Duration
	for _, r := range o.results {
		if r.ScheduledAt.Before(from) || !r.ScheduledAt.Before(to) || (region != "" && r.Region != region) {
			continue
		}
		switch r.Status {
		case uptime.Up:
			c.Up++
		case uptime.Degraded:
			c.Degraded++
		case uptime.Down:
			c.Down++
		default:
			c.Unknown++
		}
		if r.Status == uptime.Up || r.Status == uptime.Degraded {
			times = append(times, r.Response)
			sum += r.Response
		}
	}
	for slot := range o.missed {
		if at := time.UnixMilli(slot.at); (region == "" || slot.region == region) && !at.Before(from) && at.Before(to) && !o.stored(slot) {
			c.Missed++
		}
	}
	if len(times) > 0 {
		slices.Sort(times)
		rank := func(p float64) time.Duration { return times[int(math.Ceil(p/100*float64(len(times))))-1] }
		out = uptime.Responses{HasResponse: true, Mean: sum / time.Duration(len(times)), P50: rank(50), P95: rank(95), P99: rank(99)}
	}
	return c, out
}

func (o *oracle) stored(slot oracleSlot) bool {
	return slices.ContainsFunc(o.results, func(r uptime.Result) bool {
		return r.Region == slot.region && r.ScheduledAt.UnixMilli() == slot.at
	})
}

// requireStats compares; percentiles may be 0.8 % too high.
func requireStats(rt *rapid.T, want, got uptime.RegionStats) {
	near := func(want, got time.Duration) {
		require.GreaterOrEqual(rt, got, want)
		require.LessOrEqual(rt, float64(got), 1.008*float64(want)+float64(time.Microsecond))
	}
	near(want.P50, got.P50)
	near(want.P95, got.P95)
	near(want.P99, got.P99)
	want.P50, want.P95, want.P99 = got.P50, got.P95, got.P99
	require.InDelta(rt, want.Mean, got.Mean, float64(time.Microsecond))
	want.Mean = got.Mean
	if want.Uptime == nil || got.Uptime == nil {
		require.Equal(rt, want.Uptime, got.Uptime)
	} else {
		require.InDelta(rt, *want.Uptime, *got.Uptime, 1e-12)
		require.Equal(rt, want.Downtime == 0, *got.Uptime == 1, "1 only without downtime")
	}
	want.Uptime = got.Uptime
	require.Equal(rt, want, got)
}
