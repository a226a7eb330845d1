package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// MonitorPage shows one monitor.
type MonitorPage struct {
	Frame
	ID        int64
	Row       MonitorRow
	Paused    bool
	Type      string
	Link      string // of the target, where a browser can open it
	Tags      []string
	Alert     *Alert
	Silence   *SilenceNote
	Silences  []Option // for how long
	Stats     []Figure
	Ranges    []Link
	RangeText string
	Chart     Chart
	Days      Bar
	DaysShort Bar
	DaysUp    string
	BadDays   []BadDay
	Tabs      []Link
	Tab       string
	Checks    []CheckRow
	Older     string // URL of older checks
	Gaps      bool
	Incidents []IncidentRow
	Facts     []Fact
	Config    string
	Self      string
	Way       string // the filter of the list that it was opened from: "" or "?…"
}

// Alert is the box of a monitor that is not up.
type Alert struct {
	State    State
	Heading  string
	Lines    []string
	Incident int64
	Open     bool // not acknowledged yet
	URL      string
}

// Figure is one number with its name.
type Figure struct{ Label, Value, Under string }

// Fact is a name and a text.
type Fact struct{ Label, Text string }

// Link of a choice.
type Link struct {
	Label, URL string
	Current    bool
}

// BadDay is a day with downtime.
type BadDay struct{ Day, Down string }

// CheckRow is one check that was made.
type CheckRow struct {
	At       When
	State    State
	Response string
	Code     string
	Phases   string
	Region   string
	Message  string
	Attempt  int
}

func (w *Web) monitor(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	m, err := w.deps.Manage.Monitor(r.Request().Context(), r.actor, id)
	if err != nil {
		return err
	}
	s, err := r.scene(m.Name, "Monitors", Crumb{"Monitors", "/monitors"})
	if err != nil {
		return err
	}
	p := &MonitorPage{Frame: s.frame, ID: id, Row: s.row(m), Paused: !m.Enabled, Tags: tagList(m.Tags), Link: openable(m.Target)}
	p.Live, p.Frame.Chart, p.Way = true, true, r.listFilter().way()
	p.Silence, p.Silences = s.silence(m), silenceLengths()
	p.Type = kindLabel(w.deps.Manage.MonitorKinds(), m.Type)
	for _, fill := range []func(*request, *scene, manage.MonitorView) error{p.fillAlert, p.fillStats, p.fillChart, p.fillDays, p.fillTab} {
		if err := fill(r, s, m); err != nil {
			return err
		}
	}
	return r.page(http.StatusOK, "monitor", "board", p)
}

// id is the number in the path; anything else is not there.
func (r *request) id() (int64, error) {
	id, err := strconv.ParseInt(r.Param("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, uptime.ErrNotFound
	}
	return id, nil
}

// openable is the target where it is the address of a web page.
func openable(target string) string {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	return u.String()
}

func kindLabel(kinds []uptime.Kind, name string) string {
	for _, k := range kinds {
		if k.Name == name {
			return k.Label
		}
	}
	return name
}

func (p *MonitorPage) fillAlert(r *request, s *scene, m manage.MonitorView) error {
	state := p.Row.Pill.State
	a := &Alert{State: state, Heading: state.Word}
	if p.Row.Since != "" {
		a.Heading += " for " + p.Row.Since
	}
	if p.Row.Error != "" {
		a.Lines = append(a.Lines, p.Row.Error)
	}
	switch {
	case m.Retrying:
		a.Heading = "Failed " + p.Row.Pill.More + " — not confirmed yet"
		a.Lines = append(a.Lines, "It is tried again every "+span(time.Duration(m.RetryInterval))+"; nobody has been told.")
	case m.Status == uptime.Paused:
		a.Lines = []string{"It is not checked, and nobody is told of anything, until you resume it."}
	case m.Status == uptime.Pending:
		a.Heading, a.Lines = "Waiting for the first result", []string{"The first check is on its way; this page shows it by itself."}
	case m.Status == uptime.Unknown:
		a.Lines = append(a.Lines, "There is no recent result, so this is neither up nor down. Is a worker running?")
	case m.Status == uptime.Up || m.Status == uptime.Maintenance:
		return nil
	}
	list, err := r.web.deps.Manage.Incidents(r.Request().Context(), r.actor, uptime.IncidentFilter{MonitorID: m.ID, Unresolved: true}, uptime.Page{Limit: 1})
	if err != nil {
		return err
	}
	for _, inc := range list.Items {
		row := s.incidentRow(inc)
		a.Incident, a.URL, a.Open = inc.ID, row.URL, inc.Status == uptime.IncidentOpen
		if inc.AcknowledgedByName != "" {
			a.Lines = append(a.Lines, "Acknowledged by "+inc.AcknowledgedByName+".")
		}
	}
	p.Alert = a
	return nil
}

func (p *MonitorPage) fillStats(r *request, s *scene, m manage.MonitorView) error {
	const day = 24 * time.Hour
	labels, spans := []string{"24 hours", "7 days", "30 days", "1 year"}, []time.Duration{day, 7 * day, 30 * day, 365 * day}
	uses, ctx := r.web.deps.Manage, r.Request().Context()
	windows, err := uses.Availability(ctx, r.actor, m.ID, spans...)
	if err != nil {
		return err
	}
	for i, w := range windows {
		under := ""
		switch {
		case w.Uptime == nil:
		case w.Downtime > 0:
			under = "down " + span(w.Downtime)
		case w.Coverage < 0.95 || r.now.Sub(m.CreatedAt) < spans[i]:
			under = "since " + s.when(m.CreatedAt).since()
		}
		p.Stats = append(p.Stats, Figure{"Uptime " + labels[i], percent(w.Uptime), under})
	}
	today, err := uses.Stats(ctx, r.actor, m.ID, manage.StatsQuery{Window: "24h"})
	if err != nil {
		return err
	}
	p.Stats = append(p.Stats, Figure{"p50 24 hours", msText(today.ResponseMS.P50), ""}, Figure{"p95 24 hours", msText(today.ResponseMS.P95), ""})
	if m.CertificateExpiresAt != nil {
		p.Stats = append(p.Stats, Figure{"Certificate", certDays(m.CertificateExpiresAt.Sub(r.now)), "until " + s.whenPtr(m.CertificateExpiresAt).local().Format("2 Jan 2006")})
	}
	return nil
}

func certDays(left time.Duration) string {
	if left < 0 {
		return "expired"
	}
	return plural(int64(left/(24*time.Hour)), "day", "days")
}

func seconds(v float64) time.Duration { return time.Duration(v * float64(time.Second)) }

func msText(ms *float64) string {
	if ms == nil {
		return "—"
	}
	return latency(time.Duration(*ms * float64(time.Millisecond)))
}

const checksPerPage = 25

func (p *MonitorPage) fillTab(r *request, s *scene, m manage.MonitorView) error {
	p.Tab = "checks"
	for _, tab := range []struct{ key, label string }{{"checks", "Checks"}, {"incidents", "Incidents"}, {"config", "Config"}} {
		if r.QueryParam("tab") == tab.key {
			p.Tab = tab.key
		}
		p.Tabs = append(p.Tabs, Link{Label: tab.label, URL: p.Self + "&tab=" + tab.key + "#tabs"})
	}
	for i, key := range []string{"checks", "incidents", "config"} {
		p.Tabs[i].Current = key == p.Tab
	}
	p.Self += "&tab=" + p.Tab
	switch p.Tab {
	case "incidents":
		return p.fillIncidents(r, s, m)
	case "config":
		return p.fillConfig(m)
	}
	return p.fillChecks(r, s, m)
}

func (p *MonitorPage) fillChecks(r *request, s *scene, m manage.MonitorView) error {
	cursor := r.QueryParam("cursor")
	list, err := r.web.deps.Manage.Results(r.Request().Context(), r.actor, m.ID, uptime.ResultFilter{}, uptime.Page{Limit: checksPerPage, Cursor: cursor})
	if err != nil {
		return err
	}
	for _, v := range list.Items {
		p.Checks = append(p.Checks, s.checkRow(v))
	}
	if list.Next != "" {
		p.Older = p.Self + "&cursor=" + url.QueryEscape(list.Next) + "#tabs"
	}
	if cursor != "" {
		p.Live = false // what is old does not change
	}
	return nil
}

func (p *MonitorPage) fillIncidents(r *request, s *scene, m manage.MonitorView) error {
	list, err := r.web.deps.Manage.Incidents(r.Request().Context(), r.actor, uptime.IncidentFilter{MonitorID: m.ID}, uptime.Page{Limit: 50})
	if err != nil {
		return err
	}
	for _, inc := range list.Items {
		p.Incidents = append(p.Incidents, s.incidentRow(inc))
	}
	return nil
}

// fillConfig shows the monitor as the API gives it.
func (p *MonitorPage) fillConfig(m manage.MonitorView) error {
	body, err := settable(m)
	if err != nil {
		return err
	}
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // the template does, in its own way
	e.SetIndent("", "  ")
	if err := e.Encode(body); err != nil {
		return err
	}
	p.Config = strings.TrimSpace(text.String())
	return nil
}
