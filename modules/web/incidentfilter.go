package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"monitor/modules/lang"
	"monitor/modules/uptime"
)

// IncidentFilter is what the URL of the list of incidents says. Values that cannot be used
// are left out, as if they had not been there.
type IncidentFilter struct {
	Show       string // showOpen, showResolved or "" for all
	Severity   uptime.Severity
	Query      string
	Tag, Group string
	From, To   string // dates in the person's zone, both of them included
	Page, Size int
}

const (
	showOpen     = "open"
	showResolved = "resolved"

	incidentsPerPage = 50 // where the URL does not say
)

func readIncidentFilter(q url.Values) IncidentFilter {
	f := IncidentFilter{
		Query: uptime.CleanLine(q.Get("q"), 200), Group: uptime.CleanLine(q.Get("group"), 200), Tag: uptime.CleanLine(q.Get("tag"), 200),
		From: dateOf(q.Get("from")), To: dateOf(q.Get("to")), Page: 1, Size: incidentsPerPage,
	}
	if show := q.Get("show"); show == showOpen || show == showResolved {
		f.Show = show
	}
	if chosen := q.Get("impact"); slices.ContainsFunc(severityOptions(nil, ""), func(o Option) bool { return o.Value == chosen }) {
		f.Severity = uptime.Severity(chosen)
	}
	if name, _, _ := strings.Cut(f.Tag, ":"); name == "" {
		f.Tag = ""
	}
	if f.From != "" && f.To != "" && f.From > f.To {
		f.From, f.To = f.To, f.From
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n >= 1 && n <= maxPage {
		f.Page = n
	}
	if n, err := strconv.Atoi(q.Get("size")); err == nil && slices.Contains(uptime.PageSizes(), n) {
		f.Size = n
	}
	return f
}

// dateOf is a date as inputs write it, "" for what is none.
func dateOf(text string) string {
	if t, err := time.Parse(time.DateOnly, text); err != nil || t.Year() < 1970 {
		return ""
	}
	return text
}

// filter in the language of the store; days begin at midnight in loc.
func (f IncidentFilter) filter(loc *time.Location) uptime.IncidentFilter {
	out := uptime.IncidentFilter{
		Unresolved: f.Show == showOpen, Resolved: f.Show == showResolved, Query: f.Query, Group: f.Group,
		Offset: (f.Page - 1) * f.Size, OpenFirst: true,
	}
	if f.Severity != "" {
		out.Severities = []uptime.Severity{f.Severity}
	}
	if f.Tag != "" {
		name, value, has := strings.Cut(f.Tag, ":")
		out.Tags = []uptime.TagFilter{{Name: name, Value: value, HasValue: has}}
	}
	if from, err := time.ParseInLocation(time.DateOnly, f.From, loc); err == nil {
		out.From = from
	}
	if to, err := time.ParseInLocation(time.DateOnly, f.To, loc); err == nil {
		out.To = time.Date(to.Year(), to.Month(), to.Day()+1, 0, 0, 0, 0, loc) // a day may have 23 hours
	}
	return out
}

// url of the list with one thing changed; the page starts anew unless it is what changed.
func (f IncidentFilter) url(change func(*IncidentFilter)) string {
	next := f
	next.Page = 1
	change(&next)
	q := url.Values{}
	for key, pair := range map[string][2]string{
		"show": {next.Show}, "impact": {string(next.Severity)}, "q": {next.Query}, "tag": {next.Tag}, "group": {next.Group},
		"from": {next.From}, "to": {next.To},
		"size": {strconv.Itoa(next.Size), strconv.Itoa(incidentsPerPage)}, "page": {strconv.Itoa(next.Page), "1"},
	} {
		if value, usual := pair[0], pair[1]; value != usual {
			q.Set(key, value)
		}
	}
	if len(q) == 0 {
		return "/incidents"
	}
	return "/incidents?" + q.Encode()
}

func (f IncidentFilter) chips(l *lang.Language) []Chip {
	var out []Chip
	add := func(set bool, label string, drop func(*IncidentFilter)) {
		if set {
			out = append(out, Chip{label, f.url(drop)})
		}
	}
	add(f.Query != "", l.T("search: %s", f.Query), func(n *IncidentFilter) { n.Query = "" })
	add(f.Severity != "", l.T("impact: %s", l.T(severityWord(f.Severity))), func(n *IncidentFilter) { n.Severity = "" })
	add(f.Tag != "", l.T("tag: %s", f.Tag), func(n *IncidentFilter) { n.Tag = "" })
	add(f.Group != "", l.T("group: %s", f.Group), func(n *IncidentFilter) { n.Group = "" })
	add(f.From != "", l.T("from: %s", f.From), func(n *IncidentFilter) { n.From = "" })
	add(f.To != "", l.T("to: %s", f.To), func(n *IncidentFilter) { n.To = "" })
	return out
}

// choices of a select, the first of which is all of them.
func choices(all string, values []string, chosen string) []Option {
	slices.Sort(values)
	out := []Option{{Label: all}}
	for _, v := range slices.Compact(values) {
		out = append(out, Option{Value: v, Label: v, Selected: v == chosen})
	}
	return out
}
