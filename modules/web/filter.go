package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"monitor/modules/lang"
	"monitor/modules/uptime"
)

// Filter is what the URL of the monitor list says. Values that cannot be used
// are left out, as if they had not been there.
type Filter struct {
	Query, Group string
	Statuses     []uptime.Status
	Types, Tags  []string
	Sort, Dir    string
	View         string
	Page, Size   int
	usual        uptime.Preferences // what an address need not say
}

const (
	maxPage   = 10_000
	maxWanted = 20 // values of one kind
)

func monitorSorts() []string { return []string{"status", "name", "checked", "response", "group"} }

// readFilter validates each value of the URL.
func readFilter(q url.Values, kinds []uptime.Kind, usual uptime.Preferences) Filter {
	f := Filter{
		Query: lineOf(q.Get("q")), Group: lineOf(q.Get("group")),
		Tags: wanted(q["tag"], func(tag string) bool { return !strings.HasPrefix(tag, ":") }),
		Types: wanted(q["type"], func(name string) bool {
			return slices.ContainsFunc(kinds, func(k uptime.Kind) bool { return k.Name == name })
		}),
		Page: 1, Size: usual.PageSize, Sort: "status", Dir: "asc", View: usual.View, usual: usual,
	}
	for _, s := range uptime.Statuses() {
		if slices.Contains(q["status"], string(s)) {
			f.Statuses = append(f.Statuses, s)
		}
	}
	pick(q.Get("sort"), monitorSorts(), &f.Sort)
	pick(q.Get("dir"), []string{"asc", "desc"}, &f.Dir)
	pick(q.Get("view"), uptime.MonitorViews(), &f.View)
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n >= 1 && n <= maxPage {
		f.Page = n
	}
	if n, err := strconv.Atoi(q.Get("size")); err == nil && slices.Contains(uptime.PageSizes(), n) {
		f.Size = n
	}
	return f
}

// lineOf is a text of the URL as one line.
func lineOf(text string) string { return strings.TrimSpace(uptime.CleanLine(text, 200)) }

// wanted are the values that can be used, each once.
func wanted(values []string, usable func(string) bool) []string {
	var out []string
	for _, v := range values {
		v = lineOf(v)
		if v != "" && len(out) < maxWanted && !slices.Contains(out, v) && usable(v) {
			out = append(out, v)
		}
	}
	return out
}

func pick(value string, options []string, into *string) {
	if slices.Contains(options, value) {
		*into = value
	}
}

// filter in the language of the store.
func (f Filter) filter() uptime.MonitorFilter {
	out := uptime.MonitorFilter{
		Query: f.Query, Group: f.Group, Statuses: f.Statuses, Types: f.Types,
		Sort: f.Sort, Desc: f.Dir == "desc", Offset: (f.Page - 1) * f.Size,
	}
	for _, tag := range f.Tags {
		name, value, has := strings.Cut(tag, ":")
		out.Tags = append(out.Tags, uptime.TagFilter{Name: name, Value: value, HasValue: has})
	}
	return out
}

// Density of the list.
func (f Filter) Density() string { return f.usual.Density }

// Grouped reports the view of groups.
func (f Filter) Grouped() bool { return f.View == "grouped" }

// Any reports whether the filter leaves anything out.
func (f Filter) Any() bool {
	return f.Query != "" || f.Group != "" || len(f.Statuses)+len(f.Types)+len(f.Tags) > 0
}

// conditions are the parts of the URL that choose monitors.
func (f Filter) conditions() url.Values {
	q := url.Values{}
	set(q, "q", f.Query, "")
	set(q, "group", f.Group, "")
	for _, s := range f.Statuses {
		q.Add("status", string(s))
	}
	for _, t := range f.Types {
		q.Add("type", t)
	}
	for _, t := range f.Tags {
		q.Add("tag", t)
	}
	return q
}

func set(q url.Values, key, value, usual string) {
	if value != usual {
		q.Set(key, value)
	}
}

// values are all parts of the URL that are not as usual.
func (f Filter) values() url.Values {
	q := f.conditions()
	set(q, "sort", f.Sort, "status")
	set(q, "dir", f.Dir, "asc")
	set(q, "view", f.View, f.usual.View)
	set(q, "size", strconv.Itoa(f.Size), strconv.Itoa(f.usual.PageSize))
	set(q, "page", strconv.Itoa(f.Page), "1")
	return q
}

// url of the list with one thing changed; the page starts anew unless it is
// what changed.
func (f Filter) url(change func(*Filter)) string {
	next := f
	next.Page = 1
	change(&next)
	return listURL(next.values())
}

func listURL(q url.Values) string {
	if len(q) == 0 {
		return "/monitors"
	}
	return "/monitors?" + q.Encode()
}

// Chip is a filter that is set, with the way to be rid of it.
type Chip struct{ Label, URL string }

func (f Filter) chips(l *lang.Language) []Chip {
	var out []Chip
	add := func(label string, drop func(*Filter)) { out = append(out, Chip{label, f.url(drop)}) }
	if f.Query != "" {
		add(l.T("search: %s", f.Query), func(n *Filter) { n.Query = "" })
	}
	for _, s := range f.Statuses {
		add(l.T("status: %s", l.T(stateOf(s).Word)), func(n *Filter) { n.Statuses = without(n.Statuses, s) })
	}
	for _, t := range f.Types {
		add(l.T("type: %s", t), func(n *Filter) { n.Types = without(n.Types, t) })
	}
	if f.Group != "" {
		add(l.T("group: %s", groupWord(l, f.Group)), func(n *Filter) { n.Group = "" })
	}
	for _, t := range f.Tags {
		add(l.T("tag: %s", t), func(n *Filter) { n.Tags = without(n.Tags, t) })
	}
	return out
}

func without[T comparable](list []T, value T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(v T) bool { return v == value })
}

// groupWord names the group that a filter asks for.
func groupWord(l *lang.Language, path string) string {
	if path == uptime.NoGroup {
		return l.T("group|none")
	}
	return path
}

// Column is the head of a column that can be sorted by.
type Column struct {
	Key        string
	Label, URL string
	Sorted     string // "ascending", "descending" or ""
}

func (f Filter) column(key, label string) Column {
	c := Column{Key: key, Label: label}
	dir := "asc"
	if f.Sort == key {
		c.Sorted = "ascending"
		if f.Dir == "desc" {
			c.Sorted = "descending"
		} else {
			dir = "desc"
		}
	}
	c.URL = f.url(func(n *Filter) { n.Sort, n.Dir = key, dir })
	return c
}

// Hidden is an input that is not seen.
type Hidden struct{ Name, Value string }

// hidden are the inputs that say the same as the values, in the order of the keys.
func hidden(q url.Values, keys ...string) []Hidden {
	var out []Hidden
	for _, key := range keys {
		for _, value := range q[key] {
			out = append(out, Hidden{key, value})
		}
	}
	return out
}
