package web

import (
	"net/http"
	"strconv"
	"strings"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// IncidentsPage is the list of incidents.
type IncidentsPage struct {
	Frame
	Open  bool // only unresolved ones
	Tabs  []Link
	Rows  []IncidentRow
	Pager *Pager
	Self  string
}

// IncidentRow is an incident in any list.
type IncidentRow struct {
	ID       int64
	Title    string
	URL      string
	Pill     Pill
	Cause    string
	Severity string
	Owner    string
	Started  When
	Duration string
}

const incidentsPerPage = 50

func (s *scene) incidentRow(inc manage.IncidentView) IncidentRow {
	return IncidentRow{
		ID: inc.ID, Title: inc.Title, URL: "/incidents/" + strconv.FormatInt(inc.ID, 10), Pill: Pill{State: incidentState(inc.Status)},
		Cause: inc.Cause, Severity: severityWord(inc.Severity), Owner: inc.AcknowledgedByName,
		Started: s.when(inc.StartedAt), Duration: lasted(seconds(inc.DurationSeconds)),
	}
}

func (w *Web) incidents(r *request) error {
	s, err := r.scene("Incidents", "Incidents")
	if err != nil {
		return err
	}
	p := IncidentsPage{Frame: s.frame, Open: r.QueryParam("show") == "open"}
	p.Live = true
	page := r.pageNumber()
	f := uptime.IncidentFilter{Unresolved: p.Open, Offset: (page - 1) * incidentsPerPage}
	ctx := r.Request().Context()
	total, err := w.deps.Manage.CountIncidents(ctx, r.actor, f)
	if err != nil {
		return err
	}
	list, err := w.deps.Manage.Incidents(ctx, r.actor, f, uptime.Page{Limit: incidentsPerPage})
	if err != nil {
		return err
	}
	for _, inc := range list.Items {
		p.Rows = append(p.Rows, s.incidentRow(inc))
	}
	base := "/incidents"
	p.Tabs = []Link{{"All", base, !p.Open}, {"Open", base + "?show=open", p.Open}}
	if p.Open {
		base += "?show=open"
	}
	p.Self = pageURL(base, page)
	p.Pager = pager(page, incidentsPerPage, total, func(n int) string { return pageURL(base, n) })
	return r.page(http.StatusOK, "incidents", "rows", p)
}

// pageNumber of a numbered list; what cannot be used is the first one.
func (r *request) pageNumber() int {
	if n, err := strconv.Atoi(r.QueryParam("page")); err == nil && n >= 1 && n <= maxPage {
		return n
	}
	return 1
}

func pageURL(base string, n int) string {
	if n == 1 {
		return base
	}
	join := "?"
	if strings.Contains(base, "?") {
		join = "&"
	}
	return base + join + "page=" + strconv.Itoa(n)
}
