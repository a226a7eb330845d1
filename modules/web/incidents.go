package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// IncidentsPage is the list of incidents.
type IncidentsPage struct {
	Frame
	Filter     IncidentFilter
	Tabs       []Link
	Severities []Option
	Tags       []Option
	Groups     []Option
	Sizes      []Option
	Chips      []Chip
	Rows       []IncidentLine
	Pager      *Pager
	Self       string
	CSV, JSON  string // URLs of the view as files
}

// IncidentRow is an incident in any list.
type IncidentRow struct {
	ID       int64
	Title    string
	URL      string
	Pill     Pill
	Cause    string
	Severity string
	Monitors string // how many
	Owner    string
	Started  When
	Duration string
	Overdue  string // "Update overdue by 12 min", or ""
}

func (s *scene) incidentRow(inc manage.IncidentView) IncidentRow {
	return IncidentRow{
		ID: inc.ID, Title: inc.Title, URL: incidentURL(inc.ID), Pill: Pill{State: incidentState(inc.Status)},
		Cause: inc.Cause, Severity: severityWord(inc.Severity), Monitors: figure(int64(len(inc.MonitorIDs))), Owner: inc.OwnerName,
		Started: s.when(inc.StartedAt), Duration: lasted(seconds(inc.DurationSeconds)), Overdue: s.overdue(inc),
	}
}

func (w *Web) incidents(r *request) error {
	s, err := r.scene("Incidents", "Incidents")
	if err != nil {
		return err
	}
	f := readIncidentFilter(r.QueryParams())
	p := IncidentsPage{Frame: s.frame}
	p.Live = true
	ctx := r.Request().Context()
	total, err := w.deps.Manage.CountIncidents(ctx, r.actor, f.filter(s.loc))
	if err != nil {
		return err
	}
	if last := int((total + int64(f.Size) - 1) / int64(f.Size)); f.Page > last {
		f.Page = max(last, 1)
	}
	list, err := w.deps.Manage.Incidents(ctx, r.actor, f.filter(s.loc), uptime.Page{Limit: f.Size})
	if err != nil {
		return err
	}
	if p.Rows, err = r.incidentLines(s, list.Items); err != nil {
		return err
	}
	p.Filter = f
	if err := p.choose(r); err != nil {
		return err
	}
	p.Pager = pager(s.lang, f.Page, f.Size, total, func(n int) string { return f.url(func(x *IncidentFilter) { x.Page = n }) })
	return r.page(http.StatusOK, "incidents", "rows", p)
}

// choose fills the filter bar and the links.
func (p *IncidentsPage) choose(r *request) error {
	f := p.Filter
	known := manage.TagsAndGroups{}
	if !isFragment(r.Request()) {
		var err error
		if known, err = r.web.deps.Manage.TagsAndGroups(r.Request().Context(), r.actor); err != nil {
			return err
		}
	}
	for _, tab := range []struct{ label, show string }{{"All", ""}, {"Open", showOpen}, {"Resolved", showResolved}} {
		p.Tabs = append(p.Tabs, Link{tab.label, f.url(func(n *IncidentFilter) { n.Show = tab.show }), f.Show == tab.show})
	}
	p.Severities = append([]Option{{Label: "Any impact"}}, severityOptions(string(f.Severity))...)
	p.Tags, p.Groups = choices("All tags", tagNames(known.Tags), f.Tag), choices("All groups", slices.Clone(known.Groups), f.Group)
	for _, n := range uptime.PageSizes() {
		p.Sizes = append(p.Sizes, Option{Value: strconv.Itoa(n), Label: strconv.Itoa(n) + " per page", Selected: n == f.Size})
	}
	p.Chips = f.chips()
	p.Self = f.url(func(n *IncidentFilter) { n.Page = f.Page })
	query := strings.TrimPrefix(f.url(func(n *IncidentFilter) { n.Size = incidentsPerPage }), "/incidents")
	p.CSV, p.JSON = "/incidents.csv"+query, "/incidents.json"+query
	return nil
}
