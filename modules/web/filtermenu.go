package web

import (
	"maps"
	"slices"
	"strings"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// FilterMenu offers values of one kind, several of which may be chosen.
type FilterMenu struct {
	lang *lang.Language

	Name, Label string
	Options     []FilterOption
	Chosen      int
	More        bool // there are others, which can be typed
}

// FilterOption is one value with how many monitors there would be.
type FilterOption struct {
	Value, Label, Count string
	Checked             bool
}

const (
	mostTags   = 30  // offered, beside those that are chosen
	mostGroups = 200 // offered
)

func (m *FilterMenu) add(value, label string, n int64, checked bool) {
	m.Options = append(m.Options, FilterOption{value, label, m.lang.Figure(n), checked})
	if checked {
		m.Chosen++
	}
}

// menus of the filter bar.
func (f Filter) menus(l *lang.Language, known manage.FacetsView, kinds []uptime.Kind) []FilterMenu {
	menus := []FilterMenu{f.statuses(l, known), f.types(l, known, kinds)}
	if tags := f.tags(l, known); len(tags.Options) > 0 {
		menus = append(menus, tags)
	}
	return menus
}

func (f Filter) statuses(l *lang.Language, known manage.FacetsView) FilterMenu {
	m := FilterMenu{lang: l, Name: "status", Label: l.T("Status")}
	for _, s := range uptime.Statuses() {
		m.add(string(s), l.T(stateOf(s).Word), known.Statuses[s], slices.Contains(f.Statuses, s))
	}
	return m
}

func (f Filter) types(l *lang.Language, known manage.FacetsView, kinds []uptime.Kind) FilterMenu {
	m := FilterMenu{lang: l, Name: "type", Label: l.T("Type")}
	for _, k := range kinds {
		if n, chosen := known.Types[k.Name], slices.Contains(f.Types, k.Name); n > 0 || chosen {
			m.add(k.Name, l.T(k.Label), n, chosen)
		}
	}
	return m
}

// tags that are chosen come first: monitors have all of them.
func (f Filter) tags(l *lang.Language, known manage.FacetsView) FilterMenu {
	m := FilterMenu{lang: l, Name: "tag", Label: l.T("Tag")}
	for _, t := range f.Tags {
		m.add(t, t, known.Total, true)
	}
	for _, t := range known.Tags {
		label := t.Name
		if t.Value != "" {
			label += ":" + t.Value
		}
		switch {
		case slices.Contains(f.Tags, label):
		case len(m.Options)-m.Chosen >= mostTags:
			m.More = true
		default:
			m.add(label, label, t.Count, false)
		}
	}
	return m
}

// groupSums counts the monitors of every group and of those above it, which have what is
// below them.
func groupSums(groups map[string]int64) map[string]int64 {
	sums := map[string]int64{}
	for path, n := range groups {
		for at := path; at != ""; at = at[:max(strings.LastIndexByte(at, '/'), 0)] {
			sums[at] += n
		}
	}
	return sums
}

// groups are those that the filter offers.
func (f Filter) groups(l *lang.Language, known manage.FacetsView) []Option {
	sums := groupSums(known.Groups)
	if f.Group != "" && f.Group != uptime.NoGroup {
		sums[f.Group] += 0
	}
	paths := slices.Sorted(maps.Keys(sums))
	if len(paths) == 0 {
		return nil
	}
	out := []Option{{Label: l.T("All groups")}}
	for _, path := range paths[:min(len(paths), mostGroups)] {
		out = append(out, Option{Value: path, Label: path + " (" + l.Figure(sums[path]) + ")", Selected: path == f.Group})
	}
	if f.Group != "" && f.Group != uptime.NoGroup && !slices.ContainsFunc(out, func(o Option) bool { return o.Selected }) {
		out = append(out, Option{Value: f.Group, Label: f.Group, Selected: true})
	}
	if n := known.Groups[""]; n > 0 || f.Group == uptime.NoGroup {
		out = append(out, Option{Value: uptime.NoGroup, Label: l.T("No group (%s)", l.Figure(n)), Selected: f.Group == uptime.NoGroup})
	}
	return out
}
