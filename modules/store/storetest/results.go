package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// RunResults proves what the store promises of results and of Record.
func RunResults(t *testing.T, open OpenFunc) {
	for _, c := range []struct {
		name string
		test func(*testing.T, OpenFunc)
	}{
		{"RoundTrip", testResultRoundTrip},
		{"FirstOneStays", testFirstStays},
		{"DroppedOnes", testDropped},
		{"ReplacedTarget", testReplaced},
		{"HostileText", testHostileText},
		{"Notices", testNotices},
		{"OneIncident", testOneIncident},
		{"SituationOfLateResults", testSituation},
		{"TooLateIsNotJudged", testTooLate},
		{"ManyAheadAreNoHindrance", testManyAhead},
		{"ChangedSettingsAreSeen", testCacheIsFresh},
		{"Pages", testResultPages},
		{"FailedDecisionWritesNothing", testAtomic},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open)
		})
	}
}

func keep(s uptime.Situation) uptime.Decision {
	state := s.Monitor.State
	state.LastSlot = s.New[len(s.New)-1].ScheduledAt
	return uptime.Decision{State: state}
}

func testResultRoundTrip(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	m := h.monitor(t)
	slot := h.clock.Now()
	r := uptime.Result{
		MonitorID: m.ID, WorkspaceID: h.ws, Region: "far away", ScheduledAt: slot, StartedAt: slot.Add(-3 * time.Millisecond), Attempt: 2,
		Outcome: uptime.Outcome{
			Status: uptime.Down, ErrorKind: uptime.KindTLS, Error: "bad – handshake", Response: 1234567 * time.Microsecond, StatusCode: 503,
			Phases: uptime.Phases{DNS: 1 * time.Microsecond, Connect: 22 * time.Millisecond, TLS: 3 * time.Second, FirstByte: 4 * time.Minute},
		},
	}
	rough := r
	rough.Response += 999 * time.Nanosecond
	rough.ScheduledAt = slot.Add(999 * time.Microsecond).In(time.FixedZone("x", 3600))
	_, err := h.Record(t.Context(), []uptime.Result{rough}, keep)
	require.NoError(t, err)
	got, err := h.Result(t.Context(), h.ws, m.ID, "far away", slot)
	require.NoError(t, err)
	require.Equal(t, r, got)
	list, err := h.Results(t.Context(), h.ws, m.ID, uptime.ResultFilter{}, uptime.Page{Limit: 10})
	require.NoError(t, err)
	require.Equal(t, []uptime.Result{r}, list.Items)
	for _, where := range []struct {
		region string
		slot   time.Time
	}{{"default", slot}, {"nowhere", slot}, {"far away", slot.Add(time.Millisecond)}} {
		_, err = h.Result(t.Context(), h.ws, m.ID, where.region, where.slot)
		require.ErrorIs(t, err, uptime.ErrNotFound)
	}
}

func plainResult(m uptime.Monitor, slot time.Time, status uptime.Status) uptime.Result {
	r := uptime.Result{MonitorID: m.ID, Region: "default", ScheduledAt: slot, StartedAt: slot, Attempt: 1}
	r.Status = status
	return r
}

func testFirstStays(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	m := h.monitor(t)
	slot := h.clock.Now()
	one, two := plainResult(m, slot, uptime.Up), plainResult(m, slot, uptime.Down)
	calls := 0
	count := func(s uptime.Situation) uptime.Decision {
		calls++
		require.Len(t, s.New, 1)
		return keep(s)
	}
	done, err := h.Record(t.Context(), []uptime.Result{one, two}, count)
	require.NoError(t, err)
	require.Equal(t, 1, done.Stored)
	done, err = h.Record(t.Context(), []uptime.Result{two}, count)
	require.NoError(t, err)
	require.Empty(t, done)
	require.Equal(t, 1, calls)
	got, err := h.Result(t.Context(), h.ws, m.ID, "default", slot)
	require.NoError(t, err)
	require.Equal(t, uptime.Up, got.Status)
}

func testDropped(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	good, paused, deleted := h.monitor(t), h.monitor(t), h.monitor(t)
	change(t, h, paused.ID, func(m *uptime.Monitor) { m.Enabled = false })
	require.NoError(t, h.DeleteMonitor(t.Context(), h.ws, deleted.ID, nil))
	now := h.clock.Now()
	never := good
	never.ID += 1000
	batch := []uptime.Result{
		plainResult(paused, now, uptime.Down), plainResult(deleted, now, uptime.Down),
		plainResult(never, now, uptime.Down), plainResult(good, now, uptime.Up),
		plainResult(good, now.Add(-365*24*time.Hour), uptime.Up),
	}
	done, err := h.Record(t.Context(), batch, uptime.Judge(h.eventID))
	require.NoError(t, err)
	if h.Dialect() == "postgres" { // there is no partition a year ago
		require.Equal(t, 1, done.Stored)
		require.Equal(t, 4, done.Dropped)
	} else {
		require.Equal(t, 2, done.Stored)
		require.Equal(t, 3, done.Dropped)
	}
	n, err := h.CountIncidents(t.Context(), h.ws, uptime.IncidentFilter{})
	require.NoError(t, err)
	require.Zero(t, n)
	done, err = h.Record(t.Context(), nil, keep)
	require.NoError(t, err)
	require.Empty(t, done)
}

// testReplaced: what a check of the old target found after the change says
// nothing about the new one; what it found before does.
func testReplaced(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	old := h.monitor(t)
	h.clock.Advance(time.Minute)
	now := h.clock.Now()
	change(t, h, old.ID, func(m *uptime.Monitor) { m.Target, m.CheckAt = "elsewhere", now })
	after, before := plainResult(old, now.Add(time.Second), uptime.Down), plainResult(old, now.Add(-time.Second), uptime.Up)
	after.SpecOf, before.SpecOf = old.CheckAt, old.CheckAt
	fresh := plainResult(old, now, uptime.Up)
	fresh.SpecOf = now
	done, err := h.Record(t.Context(), []uptime.Result{after, before, fresh}, uptime.Judge(h.eventID))
	require.NoError(t, err)
	require.Equal(t, 2, done.Stored)
	require.Equal(t, 1, done.Dropped)
	m, err := h.Monitor(t.Context(), h.ws, old.ID)
	require.NoError(t, err)
	require.Equal(t, now, m.State.LastSlot)
}

func testHostileText(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	m := h.monitor(t)
	r := plainResult(m, h.clock.Now(), "nonsense")
	r.Error, r.ErrorKind, r.Response = "a\x00b\xff'; DROP TABLE x; --", "made up", -time.Hour
	r.StatusCode, r.Attempt = 1<<40, -1<<40
	r.Phases.TLS = 1000 * time.Hour
	_, err := h.Record(t.Context(), []uptime.Result{r}, uptime.Judge(h.eventID))
	require.NoError(t, err)
	got, err := h.Result(t.Context(), h.ws, m.ID, "default", r.ScheduledAt)
	require.NoError(t, err)
	require.Equal(t, "ab\uFFFD'; DROP TABLE x; --", got.Error)
	require.Equal(t, uptime.Unknown, got.Status)
	require.Equal(t, uptime.KindInternal, got.ErrorKind)
	require.Zero(t, got.Response)
}

func testNotices(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	m := h.monitor(t, h.channel(t))
	slot := h.clock.Now()
	done, err := h.Record(t.Context(), []uptime.Result{plainResult(m, slot, uptime.Down)}, uptime.Judge(h.eventID))
	require.NoError(t, err)
	require.True(t, done.Due)
	var topics []uptime.Topic
	for _, n := range done.Notices {
		topics = append(topics, n.Topic)
		if n.Topic == uptime.TopicStatus {
			require.Contains(t, string(n.Data), `"status":"down"`)
		}
	}
	require.Equal(t, []uptime.Topic{uptime.TopicResult, uptime.TopicStatus, uptime.TopicIncident, uptime.TopicOutbox}, topics)
	require.Equal(t, slot, done.Notices[0].Slot)

	again, err := h.Record(t.Context(), []uptime.Result{plainResult(m, slot.Add(time.Second), uptime.Down)}, uptime.Judge(h.eventID))
	require.NoError(t, err)
	require.False(t, again.Due)
	require.Len(t, again.Notices, 1)

	slow := change(t, h, h.monitor(t).ID, func(m *uptime.Monitor) { m.FailuresBeforeDown = 2 })
	first := uptime.NextSlot(slow.ID, slow.Interval, slot)
	retry, err := h.Record(t.Context(), []uptime.Result{plainResult(slow, first, uptime.Down)}, uptime.Judge(h.eventID))
	require.NoError(t, err)
	require.Len(t, retry.Retries, 1)
	require.Equal(t, first.Add(slow.RetryInterval), retry.Retries[0].ScheduledAt)
	require.Equal(t, slow.Spec(), retry.Retries[0].Spec)
}

func testOneIncident(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	m := h.monitor(t, channel)
	h.fails(t, m, 3, uptime.Down)
	h.fails(t, m, 2, uptime.Up)
	list, err := h.Incidents(t.Context(), h.ws, uptime.IncidentFilter{MonitorID: m.ID}, uptime.Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	got, err := h.Incident(t.Context(), h.ws, list.Items[0].ID)
	require.NoError(t, err)
	require.Equal(t, uptime.IncidentResolved, got.Status)
	require.Len(t, got.Updates, 2)
	require.Equal(t, 3*time.Second, got.RecoveredAt.Sub(got.StartedAt))
	for _, c := range h.claim(t) {
		require.Equal(t, got.ID, c.Event.IncidentID)
		require.Equal(t, got.ID, c.Event.Data.Incident.ID, "the id is filled in where the incident was new")
	}
}

func testSituation(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	m := h.monitor(t)
	base := h.clock.Now()
	slot := func(i int) time.Time { return base.Add(time.Duration(i) * time.Second) }
	var batch []uptime.Result
	for i := range 2*uptime.Lookback + 10 {
		if i != 300 && i != 305 {
			batch = append(batch, plainResult(m, slot(i), uptime.Up))
		}
	}
	_, err := h.Record(t.Context(), batch, uptime.Judge(h.eventID))
	require.NoError(t, err)
	var seen uptime.Situation
	late := plainResult(m, slot(300), uptime.Up)
	late.Certificate = &uptime.Certificate{Fingerprint: "f"}
	_, err = h.Record(t.Context(), []uptime.Result{plainResult(m, slot(500), uptime.Up), plainResult(m, slot(305), uptime.Up), late},
		func(s uptime.Situation) uptime.Decision { seen = s; return keep(s) })
	require.NoError(t, err)
	require.True(t, seen.Late)
	require.True(t, seen.Cut)
	require.Len(t, seen.New, 3)
	require.Equal(t, slot(300), seen.New[0].ScheduledAt)
	require.Equal(t, slot(300-uptime.Lookback), seen.History[0].ScheduledAt)
	require.Equal(t, slot(500), seen.History[len(seen.History)-1].ScheduledAt)
	require.Len(t, seen.History, uptime.Lookback+2*uptime.Lookback+10-300+1)
	require.True(t, slices.IsSortedFunc(seen.History, func(a, b uptime.Result) int { return a.ScheduledAt.Compare(b.ScheduledAt) }))
	require.NotNil(t, seen.History[uptime.Lookback].Certificate, "new results as they came")

	_, err = h.Record(t.Context(), []uptime.Result{plainResult(m, slot(501), uptime.Up)},
		func(s uptime.Situation) uptime.Decision { seen = s; return keep(s) })
	require.NoError(t, err)
	require.False(t, seen.Late)
	require.Empty(t, seen.History)
}

func testTooLate(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	m := h.monitor(t)
	base := h.clock.Now()
	var batch []uptime.Result
	for i := range uptime.MaxRejudge + 5 {
		if i >= 2 {
			batch = append(batch, plainResult(m, base.Add(time.Duration(i)*time.Second), uptime.Up))
		}
	}
	h.clock.Advance(uptime.MaxRejudge * time.Second)
	_, err := h.Record(t.Context(), batch, uptime.Judge(h.eventID))
	require.NoError(t, err)
	done, err := h.Record(t.Context(), []uptime.Result{
		plainResult(m, base, uptime.Down), plainResult(m, base.Add(time.Second), uptime.Down),
	}, uptime.Judge(h.eventID))
	require.NoError(t, err)
	require.Equal(t, 2, done.Stored)
	n, err := h.CountIncidents(t.Context(), h.ws, uptime.IncidentFilter{})
	require.NoError(t, err)
	require.Zero(t, n, "stored, but no verdict")
}

// testManyAhead: what a clock left that was ahead for long does not make the
// results of today too late to be judged.
func testManyAhead(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	m := h.monitor(t)
	base := h.clock.Now()
	const ahead = 12 * time.Hour
	var batch []uptime.Result
	for i := range uptime.MaxRejudge + 5 {
		batch = append(batch, plainResult(m, base.Add(ahead+time.Duration(i)*time.Second), uptime.Up))
	}
	h.clock.Advance(ahead + uptime.MaxRejudge*time.Second)
	_, err := h.Record(t.Context(), batch, uptime.Judge(h.eventID))
	require.NoError(t, err)
	h.clock.Advance(-ahead)
	for i := range 2 * m.FailuresBeforeDown {
		_, err = h.Record(t.Context(), []uptime.Result{plainResult(m, h.clock.Now().Add(time.Duration(i)*time.Second), uptime.Down)}, uptime.Judge(h.eventID))
		require.NoError(t, err)
	}
	got, err := h.Monitor(t.Context(), h.ws, m.ID)
	require.NoError(t, err)
	require.Equal(t, uptime.Down, got.State.Status)
	n, err := h.CountIncidents(t.Context(), h.ws, uptime.IncidentFilter{})
	require.NoError(t, err)
	require.Equal(t, int64(1), n)
}

func testCacheIsFresh(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	m := h.monitor(t)
	see := func() (out uptime.Monitor) {
		h.clock.Advance(time.Second)
		_, err := h.Record(t.Context(), []uptime.Result{plainResult(m, h.clock.Now(), uptime.Up)},
			func(s uptime.Situation) uptime.Decision { out = s.Monitor; return keep(s) })
		require.NoError(t, err)
		return out
	}
	require.Equal(t, m.Name, see().Name)
	for _, name := range []string{"one", "two"} {
		change(t, h, m.ID, func(m *uptime.Monitor) { m.Name, m.Tags = name, map[string]string{"n": name} })
		got := see()
		require.Equal(t, name, got.Name)
		require.Equal(t, map[string]string{"n": name}, got.Tags)
		require.False(t, got.State.LastSlot.IsZero())
	}
}

func testResultPages(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	m := h.monitor(t)
	base := h.clock.Now()
	var batch []uptime.Result
	for i := range 9 {
		for _, region := range []string{"a", "b"} {
			r := plainResult(m, base.Add(time.Duration(i)*time.Second), []uptime.Status{uptime.Up, uptime.Down}[i%2])
			r.Region, r.WorkspaceID = region, h.ws
			batch = append(batch, r)
		}
	}
	_, err := h.Record(t.Context(), batch, keep)
	require.NoError(t, err)
	for _, c := range []struct {
		f    uptime.ResultFilter
		want int
	}{
		{uptime.ResultFilter{}, 18},
		{uptime.ResultFilter{Region: "b"}, 9},
		{uptime.ResultFilter{Status: uptime.Down}, 8},
		{uptime.ResultFilter{From: base.Add(2 * time.Second), To: base.Add(5 * time.Second)}, 6},
		{uptime.ResultFilter{Region: "c"}, 0},
	} {
		for limit := 1; limit <= 4; limit++ {
			var got []uptime.Result
			page := uptime.Page{Limit: limit}
			for {
				list, err := h.Results(t.Context(), h.ws, m.ID, c.f, page)
				require.NoError(t, err)
				got = append(got, list.Items...)
				if page.Cursor = list.Next; page.Cursor == "" {
					break
				}
			}
			require.Len(t, got, c.want)
			require.True(t, slices.IsSortedFunc(got, func(a, b uptime.Result) int { return b.ScheduledAt.Compare(a.ScheduledAt) }))
			keys := map[uptime.ResultKey]bool{}
			for _, r := range got {
				keys[r.Key()] = true
			}
			require.Len(t, keys, c.want)
		}
	}
}

func testAtomic(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	m := h.monitor(t)
	h.down(t, m)
	r := plainResult(m, h.clock.Now().Add(time.Second), uptime.Down)
	second := uptime.Incident{
		WorkspaceID: h.ws, MonitorID: m.ID, Title: "x", Status: uptime.IncidentOpen, StartedAt: r.ScheduledAt, ConfirmedAt: r.ScheduledAt,
	}
	_, err := h.Record(t.Context(), []uptime.Result{r}, func(s uptime.Situation) uptime.Decision {
		return uptime.Decision{State: s.Monitor.State, Incidents: []uptime.IncidentChange{{Incident: second}}}
	})
	require.ErrorIs(t, err, uptime.ErrConflict, "two unresolved incidents of one monitor")
	_, err = h.Result(t.Context(), h.ws, m.ID, "default", r.ScheduledAt)
	require.ErrorIs(t, err, uptime.ErrNotFound)
}
