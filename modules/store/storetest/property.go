package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"monitor/modules/store"
	"monitor/modules/uptime"
)

// RunRecordProperty proves that the state and the incidents of a monitor follow
// from its stored results alone: any order, any split into batches, several
// recorders at once and any repeats end as feeding the results one by one in
// order does.
func RunRecordProperty(t *testing.T, open OpenFunc, checks int) {
	runProperty(t, together{house: newHouse(t, open)}, checks)
}

// RunRecordTogether proves the same for several processes on one database, which
// open opens anew each time, while disturb runs. What fails for a passing reason
// is recorded again, as a recorder does; nothing else may fail.
func RunRecordTogether(t *testing.T, open OpenFunc, processes, checks int, disturb func() (stop func())) {
	all := together{house: newHouse(t, open), disturb: disturb}
	for range processes - 1 {
		all.others = append(all.others, open(t, store.Options{Clock: all.clock.Now}))
	}
	runProperty(t, all, checks)
}

// together is a house with other processes on its database.
type together struct {
	house
	others  []*store.Store
	disturb func() (stop func())
}

func runProperty(t *testing.T, h together, checks int) {
	decide := uptime.Judge(h.eventID)
	runs, failed := 0, false
	rapid.Check(t, func(rt *rapid.T) {
		// The library's number of checks is one flag for all tests; a failing
		// one must be free to shrink.
		if runs++; runs > checks && !failed {
			return
		}
		ok := false
		defer func() { failed = failed || !ok }()
		p := drawProperty(rt, h)
		p.feed(rt, decide)
		for i := range p.plain {
			require.Equal(rt, p.ending(rt, p.plain[i]), p.ending(rt, p.mixed[i]), "monitor %d of %d", i+1, len(p.plain))
		}
		ok = true
	})
}

// property is one drawn case: monitors in pairs, one fed in order, its twin in
// any order.
type property struct {
	together
	plain, mixed []uptime.Monitor
	series       [][]uptime.Result // of plain
	batches      [][]uptime.Result // for mixed
	recorders    int
}

func drawProperty(rt *rapid.T, h together) property {
	p := property{together: h, recorders: rapid.IntRange(1, 4).Draw(rt, "recorders") + len(h.others)}
	var all []uptime.Result
	for range rapid.IntRange(1, 3).Draw(rt, "monitors") {
		m := uptime.Monitor{
			WorkspaceID: h.ws, RowKey: h.key(), Name: "twin", Type: "http", Enabled: true,
			Interval: time.Minute, Timeout: time.Second, RetryInterval: time.Second,
			FailuresBeforeDown: rapid.IntRange(1, 4).Draw(rt, "failures"),
			SuccessesBeforeUp:  rapid.IntRange(1, 3).Draw(rt, "successes"),
			Regions:            []string{"east", "west"}[:rapid.IntRange(1, 2).Draw(rt, "regions")],
			Settings:           []byte(`{}`),
		}
		m.MinRegionsDown = rapid.IntRange(1, len(m.Regions)).Draw(rt, "quorum")
		one, err := h.CreateMonitor(rt.Context(), m, nil)
		require.NoError(rt, err)
		m.RowKey = h.key()
		two, err := h.CreateMonitor(rt.Context(), m, nil)
		require.NoError(rt, err)
		series := drawSeries(rt, one)
		p.plain, p.mixed, p.series = append(p.plain, one), append(p.mixed, two), append(p.series, series)
		for _, r := range series {
			r.MonitorID = two.ID
			all = append(all, r)
		}
	}
	p.batches = drawBatches(rt, all)
	return p
}

func drawSeries(rt *rapid.T, m uptime.Monitor) []uptime.Result {
	statuses := []uptime.Status{uptime.Up, uptime.Up, uptime.Down, uptime.Down, uptime.Down, uptime.Degraded, uptime.Unknown}
	var out []uptime.Result
	for slot := range rapid.IntRange(1, 25).Draw(rt, "slots") {
		for _, region := range m.Regions {
			if !rapid.Bool().Draw(rt, "answers") && slot > 0 {
				continue
			}
			status := rapid.SampledFrom(statuses).Draw(rt, "status")
			at := m.CheckAt.Add(time.Duration(slot) * time.Second)
			r := uptime.Result{MonitorID: m.ID, Region: region, ScheduledAt: at, StartedAt: at, Attempt: 1}
			r.Status, r.Response = status, time.Duration(slot+1)*time.Millisecond+time.Nanosecond
			if status == uptime.Down {
				r.ErrorKind, r.Error = uptime.KindTimeout, fmt.Sprintf("no answer %d", slot)
			}
			out = append(out, r)
		}
	}
	return out
}

// drawBatches shuffles, repeats and splits.
func drawBatches(rt *rapid.T, all []uptime.Result) [][]uptime.Result {
	seed := rapid.Uint64().Draw(rt, "order")
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test's order
	all = slices.Clone(all)
	for range rapid.IntRange(0, 8).Draw(rt, "repeats") {
		all = append(all, all[random.IntN(len(all))])
	}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var out [][]uptime.Result
	for len(all) > 0 {
		n := min(rapid.IntRange(1, 9).Draw(rt, "batch"), len(all))
		out = append(out, all[:n])
		all = all[n:]
	}
	return out
}

// feed the plain monitors one result at a time, their twins as drawn.
func (p *property) feed(rt *rapid.T, decide uptime.Decide) {
	for _, series := range p.series {
		for _, r := range series {
			done, err := p.Record(rt.Context(), []uptime.Result{r}, decide)
			require.NoError(rt, err)
			require.Equal(rt, 1, done.Stored)
		}
	}
	queue := make(chan []uptime.Result, len(p.batches))
	for _, b := range p.batches {
		queue <- b
	}
	close(queue)
	if p.disturb != nil {
		defer p.disturb()()
	}
	stores := append([]*store.Store{p.Store}, p.others...)
	errs := make([]error, p.recorders)
	var wg sync.WaitGroup
	for i := range p.recorders {
		wg.Go(func() {
			for batch := range queue {
				if err := p.record(rt, stores[i%len(stores)], batch, decide); err != nil {
					errs[i] = err
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(rt, err)
	}
}

// record until it is known to be done, where something disturbs it: what need not
// be judged first, as a recorder does.
func (p *property) record(rt *rapid.T, s *store.Store, batch []uptime.Result, decide uptime.Decide) error {
	for {
		_, left, err := s.Advance(rt.Context(), batch)
		if err == nil && len(left) > 0 {
			rest := make([]uptime.Result, len(left))
			for i, n := range left {
				rest[i] = batch[n]
			}
			_, err = s.Record(rt.Context(), rest, decide)
		}
		if p.disturb == nil || !errors.Is(err, uptime.ErrUnavailable) {
			return err
		}
	}
}

// ending is what a monitor came to: its state, results and living incidents.
func (p *property) ending(rt *rapid.T, m uptime.Monitor) []string {
	read, err := p.Monitor(rt.Context(), p.ws, m.ID)
	require.NoError(rt, err)
	state := read.State
	out := []string{fmt.Sprintf("%+v", describe(state))}
	for _, name := range m.Regions {
		out = append(out, fmt.Sprintf("%s %+v", name, state.Regions[name]))
	}
	list, err := p.Incidents(rt.Context(), p.ws, uptime.IncidentFilter{MonitorID: m.ID}, uptime.Page{Limit: 200})
	require.NoError(rt, err)
	open := 0
	for _, i := range list.Items {
		if i.Unresolved() {
			open++
		}
	}
	require.LessOrEqual(rt, open, 1)
	slices.SortFunc(list.Items, func(a, b uptime.Incident) int { return cmp.Compare(a.StartedAt.UnixMilli(), b.StartedAt.UnixMilli()) })
	for _, i := range list.Items {
		out = append(out, strings.Join([]string{
			string(i.Status), i.StartedAt.String(), i.ConfirmedAt.String(), i.RecoveredAt.String(), i.EndedAt.String(),
		}, " "))
	}
	results, err := p.Results(rt.Context(), p.ws, m.ID, uptime.ResultFilter{}, uptime.Page{Limit: 200})
	require.NoError(rt, err)
	return append(out, fmt.Sprintf("%d results", len(results.Items)))
}

// describe leaves out pointers and maps.
func describe(s uptime.State) any {
	out := struct {
		uptime.State
		Regions, Outage struct{}
		Goes            uptime.Outage
	}{State: s}
	if s.Outage != nil {
		out.Goes = *s.Outage
	}
	out.State.Regions, out.State.Outage = nil, nil
	return out
}
