package web

import (
	"net/http"
	"strconv"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// MonitorsPage is the list of monitors.
type MonitorsPage struct {
	Frame
	Total    int64
	None     bool // not a single monitor, whatever the filter
	Filter   Filter
	Chips    []Chip
	Statuses []Option
	Types    []Option
	Groups   []Option
	Tags     []Option
	Sizes    []Option
	Columns  map[string]Column
	Rows     []MonitorRow
	Pager    *Pager
	Self     string // URL of this view, to be refreshed
}

func (w *Web) monitors(r *request) error {
	s, err := r.scene("Monitors", "Monitors")
	if err != nil {
		return err
	}
	ctx, kinds := r.Request().Context(), w.deps.Manage.MonitorKinds()
	f := readFilter(r.QueryParams(), kinds)
	total, err := w.deps.Manage.CountMonitors(ctx, r.actor, f.filter())
	if err != nil {
		return err
	}
	if last := int((total + int64(f.Size) - 1) / int64(f.Size)); f.Page > last {
		f.Page = max(last, 1)
	}
	list, err := w.deps.Manage.Monitors(ctx, r.actor, f.filter(), uptime.Page{Limit: f.Size})
	if err != nil {
		return err
	}
	p := MonitorsPage{Frame: s.frame, Total: total, Filter: f}
	p.Live = true
	if p.Rows, err = r.rows(s, list.Items); err != nil {
		return err
	}
	along(p.Rows, f)
	if err := p.choose(r, s, kinds); err != nil {
		return err
	}
	return r.page(http.StatusOK, "monitors", "rows", p)
}

// choose fills the filter bar and the links.
func (p *MonitorsPage) choose(r *request, s *scene, kinds []uptime.Kind) error {
	f := p.Filter
	known := manage.TagsAndGroups{}
	if !isFragment(r.Request()) {
		var err error
		if known, err = r.web.deps.Manage.TagsAndGroups(r.Request().Context(), r.actor); err != nil {
			return err
		}
	}
	p.None = uptime.StatusCounts(s.counts).Total() == 0
	p.Chips, p.Statuses, p.Types = f.chips(), f.statuses(s.counts), f.types(kinds)
	p.Tags, p.Groups = f.tags(known.Tags), choices("All groups", known.Groups, f.Group)
	for _, n := range pageSizes() {
		p.Sizes = append(p.Sizes, Option{Value: strconv.Itoa(n), Label: strconv.Itoa(n) + " per page", Selected: n == f.Size})
	}
	p.Columns = map[string]Column{
		"status": f.column("status", "Status"), "name": f.column("name", "Name"),
		"checked": f.column("checked", "Checked"),
	}
	p.Self = f.url(func(n *Filter) { n.Page = f.Page })
	p.Pager = pager(f.Page, f.Size, p.Total, func(n int) string { return f.url(func(x *Filter) { x.Page = n }) })
	return nil
}
