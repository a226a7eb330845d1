package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// spread makes monitors of four groups: two down, one paused, the others pending.
func spread(t *testing.T, h house) {
	t.Helper()
	base := h.monitor(t)
	require.NoError(t, h.DeleteMonitor(t.Context(), h.ws, base.ID, nil))
	for i, of := range []struct {
		name, group, kind string
		tags              map[string]string
		down, paused      bool
	}{
		{"a1", "a", "http", map[string]string{"team": "web"}, true, false},
		{"a2", "a", "http", map[string]string{"team": "web", "env": "prod"}, false, false},
		{"b1", "a/b", "tcp", map[string]string{"team": "db", "env": "prod"}, true, false},
		{"ab", "ab", "http", nil, false, true},
		{"n1", "", "http", map[string]string{"team": "web"}, false, false},
		{"n2", "", "dns", nil, false, false},
	} {
		m := base
		m.RowKey, m.Name, m.Group, m.Type, m.Tags, m.Enabled = h.key(), of.name, of.group, of.kind, of.tags, !of.paused
		m.FailuresBeforeDown = 1
		made, err := h.CreateMonitor(t.Context(), m, nil)
		require.NoError(t, err, i)
		if of.down {
			h.fails(t, made, 1, uptime.Down)
		}
	}
	base.RowKey, base.Name, base.Tags = h.key(), "gone", map[string]string{"team": "web", "only": "here"}
	gone, err := h.CreateMonitor(t.Context(), base, nil)
	require.NoError(t, err)
	require.NoError(t, h.DeleteMonitor(t.Context(), h.ws, gone.ID, nil))
}

// testFacets: each count is what the list has when that is asked for.
func testFacets(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	spread(t, h)
	count := func(f uptime.MonitorFilter) int64 {
		n, err := h.CountMonitors(t.Context(), h.ws, f)
		require.NoError(t, err)
		return n
	}
	web := uptime.TagFilter{Name: "team", Value: "web", HasValue: true}
	for i, f := range []uptime.MonitorFilter{
		{},
		{Statuses: []uptime.Status{uptime.Down}},
		{Statuses: []uptime.Status{uptime.Down, uptime.Paused}, Types: []string{"http"}},
		{Types: []string{"tcp", "dns"}, Group: "a"},
		{Tags: []uptime.TagFilter{web}, Statuses: []uptime.Status{uptime.Pending}},
		{Group: uptime.NoGroup},
		{Group: "a/b", Query: "b"},
		{Query: "nothing has this"},
	} {
		got, err := h.Facets(t.Context(), h.ws, f)
		require.NoError(t, err)
		require.Equal(t, count(f), got.Total, i)
		for _, s := range uptime.Statuses() {
			with := f
			with.Statuses = []uptime.Status{s}
			require.Equal(t, count(with), got.Statuses[s], "%d %s", i, s)
		}
		for _, kind := range []string{"http", "tcp", "dns"} {
			with := f
			with.Types = []string{kind}
			require.Equal(t, count(with), got.Types[kind], "%d %s", i, kind)
		}
		with := f
		with.Group = uptime.NoGroup
		require.Equal(t, count(with), got.Groups[""], i)
		with.Group = "a"
		require.Equal(t, count(with), got.Groups["a"]+got.Groups["a/b"], i)
		for _, tag := range got.Tags {
			with := f
			with.Tags = append([]uptime.TagFilter{{Name: tag.Name, Value: tag.Value, HasValue: true}}, f.Tags...)
			require.Equal(t, count(with), tag.N, "%d %v", i, tag)
		}
	}
	all, err := h.Facets(t.Context(), h.ws, uptime.MonitorFilter{})
	require.NoError(t, err)
	require.Equal(t, []uptime.TagCount{{Name: "team", Value: "web", N: 3}, {Name: "env", Value: "prod", N: 2}, {Name: "team", Value: "db", N: 1}}, all.Tags)
	counts, err := h.StatusCounts(t.Context(), h.ws)
	require.NoError(t, err)
	require.Equal(t, counts, all.Statuses, "as the navigation says")
	elsewhere, err := h.Facets(t.Context(), h.ws+1, uptime.MonitorFilter{})
	require.NoError(t, err)
	require.Zero(t, elsewhere.Total)
	require.Empty(t, elsewhere.Tags)
}

// testGroups: worst first, then by path, those without one last; each monitor once.
func testGroups(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	spread(t, h)
	read := func(f uptime.MonitorFilter, limit, offset int) (heads []string, total int64) {
		groups, total, err := h.Groups(t.Context(), h.ws, f, limit, offset)
		require.NoError(t, err)
		for _, g := range groups {
			head := []string{fmt.Sprintf("%s %s %d:", g.Path, g.Worst, g.Counts.Total())}
			for _, m := range g.Rows {
				require.Equal(t, g.Path, m.Group)
				head = append(head, m.Name)
			}
			heads = append(heads, strings.Join(head, " "))
		}
		return heads, total
	}
	heads, total := read(uptime.MonitorFilter{}, 10, 0)
	require.Equal(t, []string{"a down 2: a1 a2", "a/b down 1: b1", "ab paused 1: ab", " pending 2: n1 n2"}, heads)
	require.EqualValues(t, 4, total)
	heads, total = read(uptime.MonitorFilter{}, 2, 2)
	require.Equal(t, []string{"ab paused 1: ab", " pending 2: n1 n2"}, heads)
	require.EqualValues(t, 4, total)
	heads, _ = read(uptime.MonitorFilter{Statuses: []uptime.Status{uptime.Down}}, 10, 0)
	require.Equal(t, []string{"a down 1: a1", "a/b down 1: b1"}, heads)
	heads, total = read(uptime.MonitorFilter{}, 2, 8)
	require.Empty(t, heads)
	require.Zero(t, total)
	base, err := h.Monitors(t.Context(), h.ws, uptime.MonitorFilter{Query: "n2"}, uptime.Page{Limit: 1})
	require.NoError(t, err)
	for i := range 30 { // more than a group shows
		m := base.Items[0]
		m.RowKey, m.Name = h.key(), fmt.Sprintf("o%02d", i)
		_, err := h.CreateMonitor(t.Context(), m, nil)
		require.NoError(t, err)
	}
	groups, _, err := h.Groups(t.Context(), h.ws, uptime.MonitorFilter{Group: uptime.NoGroup}, 10, 0)
	require.NoError(t, err)
	require.EqualValues(t, 32, groups[0].Counts.Total())
	require.Len(t, groups[0].Rows, 25)
}
