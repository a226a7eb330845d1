package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// Filter is what the URL of the monitor list says. Values that cannot be used
// are left out, as if they had not been there.
type Filter struct {
	Query, Group, Type, Tag string
	Status                  uptime.Status
	Sort, Dir               string
	Page, Size              int
}

const (
	defaultSize = 50
	maxPage     = 10_000
)

func pageSizes() []int { return []int{25, 50, 100, 200} }

// readFilter validates each value of the URL.
func readFilter(q url.Values, kinds []uptime.Kind) Filter {
	f := Filter{
		Query: uptime.CleanLine(q.Get("q"), 200), Group: uptime.CleanLine(q.Get("group"), 200),
		Tag: uptime.CleanLine(q.Get("tag"), 200), Page: 1, Size: defaultSize, Sort: "status", Dir: "asc",
	}
	if s := uptime.Status(q.Get("status")); s.Valid() {
		f.Status = s
	}
	if t := q.Get("type"); slices.ContainsFunc(kinds, func(k uptime.Kind) bool { return k.Name == t }) {
		f.Type = t
	}
	if s := q.Get("sort"); slices.Contains([]string{"status", "name", "checked", "response"}, s) {
		f.Sort = s
	}
	if q.Get("dir") == "desc" {
		f.Dir = "desc"
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n >= 1 && n <= maxPage {
		f.Page = n
	}
	if n, err := strconv.Atoi(q.Get("size")); err == nil && slices.Contains(pageSizes(), n) {
		f.Size = n
	}
	return f
}

// filter in the language of the store.
func (f Filter) filter() uptime.MonitorFilter {
	out := uptime.MonitorFilter{Query: f.Query, Group: f.Group, Sort: f.Sort, Desc: f.Dir == "desc", Offset: (f.Page - 1) * f.Size}
	if f.Status != "" {
		out.Statuses = []uptime.Status{f.Status}
	}
	if f.Type != "" {
		out.Types = []string{f.Type}
	}
	if f.Tag != "" {
		name, value, has := strings.Cut(f.Tag, ":")
		out.Tags = []uptime.TagFilter{{Name: name, Value: value, HasValue: has}}
	}
	return out
}

// url of the list with one thing changed; the page starts anew unless it is
// what changed.
func (f Filter) url(change func(*Filter)) string {
	next := f
	next.Page = 1
	change(&next)
	q := url.Values{}
	set := func(key, value, usual string) {
		if value != usual {
			q.Set(key, value)
		}
	}
	set("q", next.Query, "")
	set("status", string(next.Status), "")
	set("type", next.Type, "")
	set("group", next.Group, "")
	set("tag", next.Tag, "")
	set("sort", next.Sort, "status")
	set("dir", next.Dir, "asc")
	set("size", strconv.Itoa(next.Size), strconv.Itoa(defaultSize))
	set("page", strconv.Itoa(next.Page), "1")
	if len(q) == 0 {
		return "/monitors"
	}
	return "/monitors?" + q.Encode()
}

// Chip is a filter that is set, with the way to be rid of it.
type Chip struct{ Label, URL string }

func (f Filter) chips() []Chip {
	var out []Chip
	add := func(set bool, label string, drop func(*Filter)) {
		if set {
			out = append(out, Chip{label, f.url(drop)})
		}
	}
	add(f.Query != "", "search: "+f.Query, func(n *Filter) { n.Query = "" })
	add(f.Status != "", "status: "+string(f.Status), func(n *Filter) { n.Status = "" })
	add(f.Type != "", "type: "+f.Type, func(n *Filter) { n.Type = "" })
	add(f.Group != "", "group: "+f.Group, func(n *Filter) { n.Group = "" })
	add(f.Tag != "", "tag: "+f.Tag, func(n *Filter) { n.Tag = "" })
	return out
}

// Column is the head of a column that can be sorted by.
type Column struct {
	Label, URL string
	Sorted     string // "ascending", "descending" or ""
}

func (f Filter) column(key, label string) Column {
	c := Column{Label: label}
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

// choices of the filter bar.
func (f Filter) statuses(counts manage.Counts) []Option {
	out := []Option{{Label: "All statuses"}}
	for _, s := range uptime.Statuses() {
		label := stateOf(s).Word + " (" + figure(counts[s]) + ")"
		out = append(out, Option{Value: string(s), Label: label, Selected: s == f.Status})
	}
	return out
}

func (f Filter) types(kinds []uptime.Kind) []Option {
	out := []Option{{Label: "All types"}}
	for _, k := range kinds {
		out = append(out, Option{Value: k.Name, Label: k.Label, Selected: k.Name == f.Type})
	}
	return out
}

func (f Filter) tags(known map[string][]string) []Option {
	return choices("All tags", tagNames(known), f.Tag)
}

func choices(all string, values []string, chosen string) []Option {
	slices.Sort(values)
	out := []Option{{Label: all}}
	for _, v := range slices.Compact(values) {
		out = append(out, Option{Value: v, Label: v, Selected: v == chosen})
	}
	return out
}
