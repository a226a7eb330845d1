package web

import (
	"fmt"
	"hash/fnv"
	"strings"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// GroupBlock is a group of monitors in the list.
type GroupBlock struct {
	ID     string // of the element, the same at each look
	Name   string
	URL    string // of the list of all that are in it
	Pill   Pill   // the worst state
	Counts []CountTile
	Total  int64
	Rows   []MonitorRow
	More   int64 // beyond the rows
	Open   bool
}

// groupsPerPage bounds the groups of a page; the store bounds their rows.
const groupsPerPage = 15

func (p *MonitorsPage) fillGroups(r *request, s *scene) error {
	f := &p.Filter
	p.Show.Group = false // it is said above them
	ask := func() ([]manage.GroupView, int64, error) {
		return r.web.deps.Manage.Groups(r.Request().Context(), r.actor, f.filter(), groupsPerPage, (f.Page-1)*groupsPerPage)
	}
	groups, total, err := ask()
	if err == nil && len(groups) == 0 && f.Page > 1 { // beyond the last page
		f.Page = 1
		groups, total, err = ask()
	}
	if err != nil {
		return err
	}
	var all []manage.MonitorView
	for _, g := range groups {
		all = append(all, g.Rows...)
	}
	rows, err := r.rows(s, all, p.Show)
	if err != nil {
		return err
	}
	along(rows, *f)
	for _, g := range groups {
		p.Blocks = append(p.Blocks, f.block(s.lang, g, rows[:len(g.Rows)]))
		rows = rows[len(g.Rows):]
	}
	p.Pager = pager(s.lang, f.Page, groupsPerPage, total, p.pageURL)
	return nil
}

// block draws a group. What is asked for is seen, and so is trouble.
func (f Filter) block(l *lang.Language, g manage.GroupView, rows []MonitorRow) GroupBlock {
	b := GroupBlock{Name: g.Path, Pill: Pill{State: stateOf(g.Worst)}, Total: g.Counts.Total(), Rows: rows}
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(g.Path)) // never fails
	b.ID = fmt.Sprintf("g%08x", sum.Sum32())
	path := g.Path
	if path == "" {
		b.Name, path = l.T("No group"), uptime.NoGroup
	}
	b.URL = f.url(func(n *Filter) { n.Group, n.View = path, "list" })
	b.More = b.Total - int64(len(rows))
	trouble := g.Worst == uptime.Down || g.Worst == uptime.Degraded || g.Worst == uptime.Unknown
	b.Open = len(rows) > 0 && (f.Any() || trouble)
	for _, status := range uptime.Statuses() {
		if n := g.Counts[status]; n > 0 {
			b.Counts = append(b.Counts, CountTile{State: stateOf(status), N: n})
		}
	}
	for i := range rows {
		rows[i].Name = shortName(rows[i].Name, g.Path)
	}
	return b
}

// shortName is the name without the group that it begins with.
func shortName(name, path string) string {
	last := path[strings.LastIndexByte(path, '/')+1:]
	for _, prefix := range []string{path, last} {
		rest, cut := strings.CutPrefix(name, prefix)
		if short := strings.TrimLeft(rest, " /:·–-"); prefix != "" && cut && short != "" && short != rest {
			return short
		}
	}
	return name
}
