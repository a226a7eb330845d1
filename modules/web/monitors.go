package web

import (
	"net/http"
	"slices"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// MonitorsPage is the list of monitors.
type MonitorsPage struct {
	Frame
	Total   int64
	None    bool // not a single monitor, whatever the filter
	Filter  Filter
	Chips   []Chip
	Menus   []FilterMenu
	Groups  []Option
	Kept    []Hidden // what the filter bar keeps of the address
	Asked   []Hidden // what chooses the monitors, for the bulk form
	Actions []Option // for many at once; none for who may change nothing
	Show    Show
	Columns map[string]Column
	Rows    []MonitorRow
	Blocks  []GroupBlock // instead of rows, in the view of groups
	Layouts []Link
	Display Display
	Views   ViewMenu
	Exports []Link
	Pager   *Pager
	Self    string // URL of this view, to be refreshed
}

// Show says which columns a list has.
type Show struct {
	Pick, Type, Group, Tags, Bar, Uptime, P95, Checked bool
}

func showOf(p uptime.Preferences, canEdit bool) Show {
	has := func(name string) bool { return slices.Contains(p.Columns, name) }
	return Show{
		Pick: canEdit, Type: has("type"), Group: has("group"), Tags: has("tags"), Bar: has("bar"),
		Uptime: has("uptime"), P95: has("p95"), Checked: has("checked"),
	}
}

func (w *Web) monitors(r *request) error {
	s, err := r.scene(r.t("Monitors"), "Monitors")
	if err != nil {
		return err
	}
	likes := preferencesOf(s.me)
	f := readFilter(r.QueryParams(), w.deps.Manage.MonitorKinds(), likes)
	p := MonitorsPage{Frame: s.frame, Filter: f, Show: showOf(likes, s.frame.CanEdit)}
	p.Live, p.Scripts = true, []string{"js/list.js"}
	p.None = uptime.StatusCounts(s.counts).Total() == 0
	fill := p.fillRows
	if f.Grouped() {
		fill = p.fillGroups
	}
	for _, fill := range []func(*request, *scene) error{p.count, fill} {
		if err := fill(r, s); err != nil {
			return err
		}
	}
	p.link(s.lang)
	return r.page(http.StatusOK, "monitors", "rows", p)
}

// count counts what the filter chooses, and fills what stands around the list: a
// fragment needs no more of it than the number.
func (p *MonitorsPage) count(r *request, s *scene) (err error) {
	ctx, uses, f := r.Request().Context(), r.web.deps.Manage, p.Filter
	p.Chips = f.chips(s.lang)
	if isFragment(r.Request()) {
		p.Total, err = uses.CountMonitors(ctx, r.actor, f.filter())
		return err
	}
	known, err := uses.Facets(ctx, r.actor, f.filter())
	if err != nil {
		return err
	}
	p.Total = known.Total
	p.Menus, p.Groups = f.menus(s.lang, known, uses.MonitorKinds()), f.groups(s.lang, known)
	all := f.values()
	p.Kept = hidden(all, "sort", "dir", "view", "size")
	p.Asked = hidden(all, "q", "status", "type", "group", "tag")
	p.Display = displayOf(s.lang, preferencesOf(s.me), f)
	if p.CanEdit {
		p.Actions = bulkOffers(s.lang)
	}
	query := f.conditions().Encode()
	p.Exports = []Link{{Label: s.t("Export CSV"), URL: "/monitors.csv?" + query}, {Label: s.t("Export JSON"), URL: "/monitors.json?" + query}}
	p.Views, err = r.viewMenu(f)
	return err
}

// bulkOffers are what may be done with many monitors at once, in the order of the menu.
func bulkOffers(l *lang.Language) (out []Option) {
	all := bulkActions()
	for _, name := range []string{
		manage.BulkPause, manage.BulkResume, manage.BulkCheck, manage.BulkSilence, manage.BulkUnsilence, manage.BulkTagAdd, manage.BulkTagRemove,
		manage.BulkChannels, manage.BulkInterval, manage.BulkRetries, manage.BulkGroup, manage.BulkTagRename, manage.BulkGroupRename, manage.BulkDelete,
	} {
		out = append(out, Option{Value: name, Label: l.T(all[name].verb)})
	}
	return out
}

func (p *MonitorsPage) fillRows(r *request, s *scene) error {
	f := &p.Filter
	if last := int((p.Total + int64(f.Size) - 1) / int64(f.Size)); f.Page > last {
		f.Page = max(last, 1)
	}
	list, err := r.web.deps.Manage.Monitors(r.Request().Context(), r.actor, f.filter(), uptime.Page{Limit: f.Size})
	if err != nil {
		return err
	}
	p.Rows, err = r.rows(s, list.Items, p.Show)
	along(p.Rows, *f)
	p.Pager = pager(s.lang, f.Page, f.Size, p.Total, p.pageURL)
	return err
}

func (p *MonitorsPage) pageURL(n int) string { return p.Filter.url(func(f *Filter) { f.Page = n }) }

// link fills what leads to other looks at the list.
func (p *MonitorsPage) link(l *lang.Language) {
	f := p.Filter
	p.Columns = map[string]Column{}
	for key, label := range map[string]string{"status": l.T("Status"), "name": l.T("Name"), "group": l.T("Group"), "checked": l.T("column|Checked")} {
		p.Columns[key] = f.column(key, label)
		if f.Grouped() { // their order is their own
			p.Columns[key] = Column{Key: key, Label: label}
		}
	}
	for _, view := range named(l, uptime.MonitorViews(), f.View) {
		p.Layouts = append(p.Layouts, Link{Label: view.Label, URL: f.url(func(n *Filter) { n.View = view.Value }), Current: view.Selected})
	}
	p.Self = f.url(func(n *Filter) { n.Page = f.Page })
}

// Shown is how many monitors can be ticked on this page.
func (p MonitorsPage) Shown() int64 {
	n := len(p.Rows)
	for _, b := range p.Blocks {
		n += len(b.Rows)
	}
	return int64(n)
}
