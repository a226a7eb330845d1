package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"monitor/modules/lang"
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
	Severity string // in the catalogue
	Monitors string // how many
	Owner    string
	Started  When
	Duration string
	Overdue  string // "Update overdue by 12 min", or ""
}

func (s *scene) incidentRow(inc manage.IncidentView) IncidentRow {
	return IncidentRow{
		ID: inc.ID, Title: titleOf(s.lang, inc), URL: incidentURL(inc.ID), Pill: Pill{State: incidentState(inc.Status)},
		Cause: causeOf(s.lang, inc), Severity: severityWord(inc.Severity), Monitors: s.lang.Figure(int64(len(inc.MonitorIDs))), Owner: inc.OwnerName,
		Started: s.when(inc.StartedAt), Duration: s.lang.Lasted(seconds(inc.DurationSeconds)), Overdue: s.overdue(inc),
	}
}

// titleOf an incident: the program's own is a sentence, those of people are as they wrote them.
func titleOf(l *lang.Language, inc manage.IncidentView) string {
	return titled(l, inc.Title, inc.MonitorID != nil)
}

func titled(l *lang.Language, title string, ofMonitor bool) string {
	if name, ok := strings.CutSuffix(title, " is down"); ok && ofMonitor {
		return l.T("%s is down", name)
	}
	return title
}

// causeOf an incident: why its monitor failed and, behind that, how it ended; of one made
// by hand what people said.
func causeOf(l *lang.Language, inc manage.IncidentView) string {
	if inc.MonitorID == nil {
		return inc.Cause
	}
	return l.Said(inc.Cause)
}

func (w *Web) incidents(r *request) error {
	s, err := r.scene(r.t("Incidents"), "Incidents")
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
	if err := p.choose(r, s.lang); err != nil {
		return err
	}
	p.Pager = pager(s.lang, f.Page, f.Size, total, func(n int) string { return f.url(func(x *IncidentFilter) { x.Page = n }) })
	return r.page(http.StatusOK, "incidents", "rows", p)
}

// choose fills the filter bar and the links.
func (p *IncidentsPage) choose(r *request, l *lang.Language) error {
	f := p.Filter
	known := manage.TagsAndGroups{}
	if !isFragment(r.Request()) {
		var err error
		if known, err = r.web.deps.Manage.TagsAndGroups(r.Request().Context(), r.actor); err != nil {
			return err
		}
	}
	for _, tab := range []struct{ label, show string }{{l.T("incidents|All"), ""}, {l.T("incidents|Open"), showOpen}, {l.T("incidents|Resolved"), showResolved}} {
		p.Tabs = append(p.Tabs, Link{tab.label, f.url(func(n *IncidentFilter) { n.Show = tab.show }), f.Show == tab.show})
	}
	p.Severities = append([]Option{{Label: l.T("Any impact")}}, severityOptions(l, string(f.Severity))...)
	p.Tags, p.Groups = choices(l.T("All tags"), tagNames(known.Tags), f.Tag), choices(l.T("All groups"), slices.Clone(known.Groups), f.Group)
	for _, n := range uptime.PageSizes() {
		p.Sizes = append(p.Sizes, Option{Value: strconv.Itoa(n), Label: l.T("%s per page", l.Figure(int64(n))), Selected: n == f.Size})
	}
	p.Chips = f.chips(l)
	p.Self = f.url(func(n *IncidentFilter) { n.Page = f.Page })
	query := strings.TrimPrefix(f.url(func(n *IncidentFilter) { n.Size = incidentsPerPage }), "/incidents")
	p.CSV, p.JSON = "/incidents.csv"+query, "/incidents.json"+query
	return nil
}
