package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// RunMonitors proves what the store promises of monitors.
func RunMonitors(t *testing.T, open OpenFunc) {
	for _, c := range []struct {
		name string
		test func(*testing.T, OpenFunc)
	}{
		{"RoundTrip", testMonitorRoundTrip},
		{"UpdateOnlyWhatChanged", testMonitorUpdate},
		{"ExternalKeys", testExternalKeys},
		{"ForeignAndDeleted", testForeignAndDeleted},
		{"PauseEndsIncident", testPause},
		{"Restore", testRestore},
		{"StatusIsDerived", testDerivedStatus},
		{"Filters", testMonitorFilters},
		{"Facets", testFacets},
		{"Deleted", testDeletedMonitors},
		{"Groups", testGroups},
		{"Pages", testMonitorPages},
		{"BadCursors", testBadCursors},
		{"ForScheduler", testForScheduler},
		{"ScheduledAsItIs", testScheduledAsItIs},
		{"EpochAndWatermarks", testEpochs},
		{"Find", testFind},
		{"Neighbours", testNeighbours},
		{"Tiles", testTiles},
		{"WallShares", testWallShares},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, open)
		})
	}
}

func change(t *testing.T, h house, id int64, f func(*uptime.Monitor)) uptime.Monitor {
	t.Helper()
	m, err := h.UpdateMonitor(t.Context(), h.ws, id, func(m *uptime.Monitor) error { f(m); return nil }, nil)
	require.NoError(t, err)
	return m
}

func testMonitorRoundTrip(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	now := h.clock.Now()
	m := uptime.Monitor{
		WorkspaceID: h.ws, RowKey: "row", Name: "Ünïcode ' \" ; --", Type: "http", Enabled: true, ExternalKey: "key",
		Group: "a/b", Interval: 90 * time.Second, Timeout: 3 * time.Second, RetryInterval: 7 * time.Second,
		FailuresBeforeDown: 3, SuccessesBeforeUp: 2, ResendEvery: time.Hour, Regions: []string{"west", "east"},
		MinRegionsDown: 2, Settings: []byte(`{"url": "https://x.test", "n":1}`), Target: "https://x.test",
		Tags: map[string]string{"team": "web", "tier": ""}, ChannelIDs: []int64{channel.ID, channel.ID},
		CheckAt: now.Add(1500 * time.Microsecond),
	}
	made, err := h.CreateMonitor(t.Context(), m, &uptime.Audit{WorkspaceID: h.ws, Action: "monitor.create", ObjectType: "monitor"})
	require.NoError(t, err)
	m.ID, m.ChannelIDs, m.Version, m.ChangeSeq = made.ID, []int64{channel.ID}, 1, made.ChangeSeq
	m.CheckAt, m.CreatedAt, m.UpdatedAt = now.Add(time.Millisecond), now, now
	m.Status = uptime.Pending
	m.State = uptime.State{Status: uptime.Pending, Since: now, JudgeFrom: now, Regions: map[string]uptime.RegionState{}}
	require.Equal(t, m, made)
	for _, read := range []func() (uptime.Monitor, error){
		func() (uptime.Monitor, error) { return h.Monitor(t.Context(), h.ws, made.ID) },
		func() (uptime.Monitor, error) { return h.MonitorByKey(t.Context(), h.ws, "key") },
	} {
		got, err := read()
		require.NoError(t, err)
		require.Equal(t, m, got)
	}
}

func testMonitorUpdate(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	m := h.monitor(t, h.channel(t))
	h.clock.Advance(time.Second)
	same := change(t, h, m.ID, func(m *uptime.Monitor) { m.Version, m.RowKey, m.Tags["team"] = 99, "other", "web" })
	require.Equal(t, m, same)

	after := change(t, h, m.ID, func(m *uptime.Monitor) {
		m.Name, m.Tags, m.ChannelIDs, m.FailuresBeforeDown = "new", map[string]string{"x": "y"}, nil, 5
	})
	require.Equal(t, "new", after.Name)
	require.Equal(t, map[string]string{"x": "y"}, after.Tags)
	require.Empty(t, after.ChannelIDs)
	require.Equal(t, m.Version+1, after.Version)
	require.Greater(t, after.ChangeSeq, m.ChangeSeq)
	require.Equal(t, h.clock.Now(), after.UpdatedAt)
	require.Equal(t, m.State, after.State)

	stop := errors.New("no")
	_, err := h.UpdateMonitor(t.Context(), h.ws, m.ID, func(m *uptime.Monitor) error { m.Name = "lost"; return stop }, nil)
	require.Equal(t, stop, err)
	read, err := h.Monitor(t.Context(), h.ws, m.ID)
	require.NoError(t, err)
	require.Equal(t, after, read)
}

func testExternalKeys(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	one, two := h.monitor(t), h.monitor(t)
	named := change(t, h, one.ID, func(m *uptime.Monitor) { m.ExternalKey = "k" })
	_, err := h.UpdateMonitor(t.Context(), h.ws, two.ID, func(m *uptime.Monitor) error { m.ExternalKey = "k"; return nil }, nil)
	require.ErrorIs(t, err, uptime.ErrConflict)
	named.RowKey = "other"
	_, err = h.CreateMonitor(t.Context(), named, nil)
	require.ErrorIs(t, err, uptime.ErrConflict)

	require.NoError(t, h.DeleteMonitor(t.Context(), h.ws, one.ID, nil))
	change(t, h, two.ID, func(m *uptime.Monitor) { m.ExternalKey = "k" })
	_, err = h.RestoreMonitor(t.Context(), h.ws, one.ID, nil)
	require.ErrorIs(t, err, uptime.ErrConflict)
	_, err = h.MonitorByKey(t.Context(), h.ws, "")
	require.ErrorIs(t, err, uptime.ErrNotFound)
}

func testForeignAndDeleted(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	m := h.monitor(t)
	deleted := h.monitor(t)
	require.NoError(t, h.DeleteMonitor(t.Context(), h.ws, deleted.ID, nil))
	now := h.clock.Now()
	for _, c := range []struct{ ws, id int64 }{{h.ws + 1, m.ID}, {h.ws, m.ID + 1000}, {h.ws, deleted.ID}} {
		_, err := h.Monitor(t.Context(), c.ws, c.id)
		require.ErrorIs(t, err, uptime.ErrNotFound)
		_, err = h.UpdateMonitor(t.Context(), c.ws, c.id, func(*uptime.Monitor) error { return nil }, nil)
		require.ErrorIs(t, err, uptime.ErrNotFound)
		require.ErrorIs(t, h.DeleteMonitor(t.Context(), c.ws, c.id, nil), uptime.ErrNotFound)
		_, err = h.Results(t.Context(), c.ws, c.id, uptime.ResultFilter{}, uptime.Page{})
		require.ErrorIs(t, err, uptime.ErrNotFound)
		_, err = h.Stats(t.Context(), c.ws, c.id, now, now.Add(time.Hour))
		require.ErrorIs(t, err, uptime.ErrNotFound)
		_, err = h.Missed(t.Context(), c.ws, c.id, now, now.Add(time.Hour))
		require.ErrorIs(t, err, uptime.ErrNotFound)
		_, err = h.Result(t.Context(), c.ws, c.id, "default", now)
		require.ErrorIs(t, err, uptime.ErrNotFound)
		buckets, err := h.Buckets(t.Context(), c.ws, []int64{c.id}, now, now.Add(time.Hour), time.Hour)
		require.NoError(t, err)
		require.Empty(t, buckets)
	}
	_, err := h.RestoreMonitor(t.Context(), h.ws, m.ID, nil)
	require.ErrorIs(t, err, uptime.ErrNotFound, "it is not deleted")
}

// fails records n failures, a second apart.
func (h house) fails(t *testing.T, m uptime.Monitor, n int, status uptime.Status) uptime.Recorded {
	t.Helper()
	var done uptime.Recorded
	for range n {
		h.clock.Advance(time.Second)
		r := uptime.Result{MonitorID: m.ID, Region: "default", ScheduledAt: h.clock.Now(), StartedAt: h.clock.Now(), Attempt: 1}
		r.Status, r.Response = status, 12*time.Millisecond
		var err error
		done, err = h.Record(t.Context(), []uptime.Result{r}, uptime.Judge(h.eventID))
		require.NoError(t, err)
	}
	return done
}

func testPause(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	channel := h.channel(t)
	m := h.monitor(t, channel)
	h.fails(t, m, 2, uptime.Down)
	h.clock.Advance(time.Second)
	paused := change(t, h, m.ID, func(m *uptime.Monitor) { m.Enabled = false })
	require.Equal(t, uptime.Paused, paused.Status)
	require.Equal(t, uptime.Pending, paused.State.Status)
	list, err := h.Incidents(t.Context(), h.ws, uptime.IncidentFilter{MonitorID: m.ID}, uptime.Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	require.Equal(t, uptime.IncidentResolved, list.Items[0].Status)
	require.Equal(t, h.clock.Now(), list.Items[0].RecoveredAt)
	require.Contains(t, list.Items[0].Cause, "Monitor paused.")
	types := []uptime.EventType{}
	for _, d := range h.deliveries(t, channel.ID) {
		types = append(types, d.EventType)
	}
	require.Equal(t, []uptime.EventType{uptime.EventOpened, uptime.EventResolved}, types)

	dropped := h.fails(t, m, 1, uptime.Down)
	require.Equal(t, uptime.Recorded{Dropped: 1}, dropped)

	h.clock.Advance(time.Second)
	check := h.clock.Now().Add(-3 * time.Millisecond)
	resumed := change(t, h, m.ID, func(m *uptime.Monitor) { m.Enabled, m.CheckAt = true, check })
	require.Equal(t, uptime.Pending, resumed.Status)
	require.Equal(t, check, resumed.State.JudgeFrom, "the extra slot counts")
	require.Empty(t, resumed.State.KnownSlot)
	h.fails(t, m, 1, uptime.Up)
	read, err := h.Monitor(t.Context(), h.ws, m.ID)
	require.NoError(t, err)
	require.Equal(t, uptime.Up, read.Status)
}

func testRestore(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	m := h.monitor(t)
	h.fails(t, m, 1, uptime.Down)
	require.NoError(t, h.DeleteMonitor(t.Context(), h.ws, m.ID, nil))
	open1, err := h.CountIncidents(t.Context(), h.ws, uptime.IncidentFilter{Unresolved: true})
	require.NoError(t, err)
	require.Zero(t, open1)
	gone, err := h.ScheduledMonitor(t.Context(), m.ID)
	require.NoError(t, err)
	require.False(t, gone.Live)
	h.clock.Advance(uptime.UndeleteFor - time.Millisecond)
	back, err := h.RestoreMonitor(t.Context(), h.ws, m.ID, nil)
	require.NoError(t, err)
	require.Equal(t, h.clock.Now(), back.CheckAt)
	require.Equal(t, uptime.Pending, back.Status)
	require.NoError(t, h.DeleteMonitor(t.Context(), h.ws, m.ID, nil))
	h.clock.Advance(uptime.UndeleteFor)
	_, err = h.RestoreMonitor(t.Context(), h.ws, m.ID, nil)
	require.ErrorIs(t, err, uptime.ErrNotFound)
}

func testDerivedStatus(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	m := h.monitor(t) // every minute
	since := h.clock.Now()
	status := func() uptime.Status {
		read, err := h.Monitor(t.Context(), h.ws, m.ID)
		require.NoError(t, err)
		counts, err := h.StatusCounts(t.Context(), h.ws)
		require.NoError(t, err)
		require.Equal(t, uptime.StatusCounts{read.Status: 1}, counts)
		n, err := h.CountMonitors(t.Context(), h.ws, uptime.MonitorFilter{Statuses: []uptime.Status{read.Status}})
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		gauges, err := h.MonitorGauges(t.Context(), 0, 10)
		require.NoError(t, err)
		require.Equal(t, []uptime.MonitorGauge{{
			ID: m.ID, Name: read.Name, Type: read.Type, Status: read.Status,
			Response: read.State.LastResponse, Certificate: read.State.CertNotAfter,
		}}, gauges)
		gauges, err = h.MonitorGauges(t.Context(), m.ID, 10)
		require.NoError(t, err)
		require.Empty(t, gauges)
		return read.Status
	}
	turned := func() int {
		list, err := h.UnknownMonitors(t.Context(), since)
		require.NoError(t, err)
		since = h.clock.Now()
		return len(list)
	}
	require.Equal(t, uptime.Pending, status())
	h.fails(t, m, 1, uptime.Unknown)
	require.Equal(t, uptime.Unknown, status(), "there is none but an unknown one")
	require.Equal(t, 1, turned())
	h.clock.Advance(time.Second)
	require.Equal(t, 0, turned())
	h.fails(t, m, 1, uptime.Degraded)
	require.Equal(t, uptime.Degraded, status())
	h.clock.Advance(2*time.Minute + uptime.UnknownGrace)
	require.Equal(t, uptime.Degraded, status())
	require.Equal(t, 0, turned())
	h.clock.Advance(time.Millisecond)
	require.Equal(t, uptime.Unknown, status())
	require.Equal(t, 1, turned())
	change(t, h, m.ID, func(m *uptime.Monitor) { m.Enabled = false })
	require.Equal(t, uptime.Paused, status())
}

func testMonitorFilters(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	base := h.monitor(t)
	require.NoError(t, h.DeleteMonitor(t.Context(), h.ws, base.ID, nil))
	name := func(n string, f func(*uptime.Monitor)) {
		m := base
		m.RowKey, m.Name, m.Target, m.Tags = h.key(), n, "https://"+n+".test", nil
		f(&m)
		_, err := h.CreateMonitor(t.Context(), m, nil)
		require.NoError(t, err)
	}
	name("Älpha", func(m *uptime.Monitor) { m.Group, m.Tags = "prod", map[string]string{"team": "web"} })
	name("beta", func(m *uptime.Monitor) {
		m.Group, m.Tags, m.Type = "prod/eu", map[string]string{"team": "db", "x": "1"}, "tcp"
	})
	name("100%_a", func(m *uptime.Monitor) { m.Group, m.Enabled = "production", false })
	no := false
	for _, c := range []struct {
		name string
		f    uptime.MonitorFilter
		want []string
	}{
		{"All", uptime.MonitorFilter{Sort: "name"}, []string{"100%_a", "beta", "Älpha"}},
		{"Descending", uptime.MonitorFilter{Sort: "name", Desc: true}, []string{"Älpha", "beta", "100%_a"}},
		{"WorstFirst", uptime.MonitorFilter{}, []string{"beta", "Älpha", "100%_a"}},
		{"Type", uptime.MonitorFilter{Types: []string{"tcp", "dns"}}, []string{"beta"}},
		{"Tag", uptime.MonitorFilter{Tags: []uptime.TagFilter{{Name: "team"}}}, []string{"beta", "Älpha"}},
		{"TagValue", uptime.MonitorFilter{Tags: []uptime.TagFilter{{Name: "team", Value: "web", HasValue: true}}}, []string{"Älpha"}},
		{"TagsAll", uptime.MonitorFilter{Tags: []uptime.TagFilter{{Name: "team"}, {Name: "x"}}}, []string{"beta"}},
		{"Group", uptime.MonitorFilter{Group: "prod"}, []string{"beta", "Älpha"}},
		{"NoGroup", uptime.MonitorFilter{Group: uptime.NoGroup}, nil},
		{"ByGroup", uptime.MonitorFilter{Sort: "group"}, []string{"Älpha", "beta", "100%_a"}},
		{"Enabled", uptime.MonitorFilter{Enabled: &no}, []string{"100%_a"}},
		{"Status", uptime.MonitorFilter{Statuses: []uptime.Status{uptime.Paused}}, []string{"100%_a"}},
		{"QueryAnyCase", uptime.MonitorFilter{Query: "äLPHA"}, []string{"Älpha"}},
		{"QueryWildcards", uptime.MonitorFilter{Query: "0%_A"}, []string{"100%_a"}},
		{"QueryNoWildcard", uptime.MonitorFilter{Query: "b_ta"}, nil},
		{"QueryTag", uptime.MonitorFilter{Query: "team:DB"}, []string{"beta"}},
		{"QueryHostile", uptime.MonitorFilter{Query: "'\x00\\"}, nil},
		{"Offset", uptime.MonitorFilter{Sort: "name", Offset: 2}, []string{"Älpha"}},
	} {
		list, err := h.Monitors(t.Context(), h.ws, c.f, uptime.Page{Limit: 10})
		require.NoError(t, err, c.name)
		var got []string
		for _, m := range list.Items {
			got = append(got, m.Name)
		}
		require.Equal(t, c.want, got, c.name)
		n, err := h.CountMonitors(t.Context(), h.ws, c.f)
		require.NoError(t, err, c.name)
		require.EqualValues(t, len(c.want)+c.f.Offset, n, c.name)
	}
	tags, groups, err := h.TagsAndGroups(t.Context(), h.ws)
	require.NoError(t, err)
	require.Equal(t, map[string][]string{"team": {"db", "web"}, "x": {"1"}}, tags)
	require.Equal(t, []string{"prod", "prod/eu", "production"}, groups)
}

func testMonitorPages(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	for i := range 7 {
		m := h.monitor(t)
		change(t, h, m.ID, func(m *uptime.Monitor) { m.Name, m.Group = fmt.Sprintf("n%d", i/2), []string{"", "b", "a"}[i%3] })
		if i%2 == 0 {
			h.fails(t, m, 1, []uptime.Status{uptime.Up, uptime.Down}[i/2%2])
		}
	}
	for _, sort := range []string{"status", "name", "checked", "response", "group", ""} {
		for _, desc := range []bool{false, true} {
			f := uptime.MonitorFilter{Sort: sort, Desc: desc}
			whole, err := h.Monitors(t.Context(), h.ws, f, uptime.Page{Limit: 200})
			require.NoError(t, err)
			require.Len(t, whole.Items, 7)
			require.Empty(t, whole.Next)
			var parts []uptime.Monitor
			page := uptime.Page{Limit: 2}
			for {
				list, err := h.Monitors(t.Context(), h.ws, f, page)
				require.NoError(t, err)
				parts = append(parts, list.Items...)
				if page.Cursor = list.Next; page.Cursor == "" {
					break
				}
			}
			require.Equal(t, whole.Items, parts, "%s %t", sort, desc)
		}
	}
	full, err := h.Monitors(t.Context(), h.ws, uptime.MonitorFilter{}, uptime.Page{Limit: 7})
	require.NoError(t, err)
	require.Empty(t, full.Next, "also when the last page is full")
}

func testBadCursors(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	m := h.monitor(t)
	h.monitor(t)
	list, err := h.Monitors(t.Context(), h.ws, uptime.MonitorFilter{Sort: "name"}, uptime.Page{Limit: 1})
	require.NoError(t, err)
	for _, cursor := range []string{"x", "%%%", "W10", "bnVsbA", "WyJtb25pdG9ycyAgZmFsc2UiXQ", list.Next + "A", list.Next} {
		_, err := h.Monitors(t.Context(), h.ws, uptime.MonitorFilter{}, uptime.Page{Limit: 1, Cursor: cursor})
		requireBadCursor(t, err)
		_, err = h.Results(t.Context(), h.ws, m.ID, uptime.ResultFilter{}, uptime.Page{Limit: 1, Cursor: cursor})
		requireBadCursor(t, err)
	}
}

func requireBadCursor(t *testing.T, err error) {
	t.Helper()
	var e *uptime.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, uptime.CodeMalformed, e.Code)
	require.Equal(t, "cursor", e.Fields[0].Field)
}

func testEpochs(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	epochs := make(chan int64, 20)
	for range 20 {
		go func() {
			epoch, err := h.RaiseEpoch(t.Context())
			if err != nil {
				epoch = -1
			}
			epochs <- epoch
		}()
	}
	seen := map[int64]bool{}
	for range 20 {
		epoch := <-epochs
		require.Positive(t, epoch)
		require.False(t, seen[epoch])
		seen[epoch] = true
	}
	now := h.clock.Now()
	marks := []time.Time{now, {}, now.Add(time.Second)}
	require.NoError(t, h.SaveWatermarks(t.Context(), 20, marks))
	require.NoError(t, h.SaveWatermarks(t.Context(), 19, []time.Time{now.Add(time.Hour)}))
	got, err := h.Watermarks(t.Context())
	require.NoError(t, err)
	require.Equal(t, marks, got)
}
