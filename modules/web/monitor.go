package web

import (
	"net/http"
	"net/url"
	"strconv"

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
	Zone      string   // in which an end is typed
	Expiring  string   // a warning of its certificate, or ""
	Stats     []Figure
	Range     RangePicker
	Ranges    []Link
	RangeText string
	Compared  string // "p95 412 ms, 8% above the previous 24 h", or ""
	Chart     Chart
	LogScale  Link
	Reset     string // URL of the usual range, "": it is shown
	CSV       string
	Spans     []SpanLink
	MoreSpans int64
	Days      Skyline
	DaysUp    string
	BadDays   []BadDay
	Tabs      []Link
	Tab       string
	Checks    *ChecksTab
	Incidents []IncidentRow
	Sent      []DeliveryRow
	Config    *ConfigTab
	Older     string // URL of the next part of the tab's list
	Self      string
	Way       string // the filter of the list that it was opened from: "" or "?…"

	look  look
	shown shownRange
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

func (w *Web) monitor(r *request) error {
	m, err := r.storedMonitor()
	if err != nil {
		return err
	}
	s, err := r.scene(m.Name, "Monitors", Crumb{r.t("Monitors"), "/monitors"})
	if err != nil {
		return err
	}
	p := &MonitorPage{Frame: s.frame, ID: m.ID, Row: s.row(m), Paused: !m.Enabled, Tags: tagList(m.Tags), Link: openable(m.Target)}
	p.Live, p.Scripts = true, []string{"js/monitor.js"}
	p.Way = r.listFilter().way()
	p.Silence, p.Silences = s.silence(m), silenceLengths(s.lang)
	p.Zone = s.loc.String()
	p.Type = s.t(kindLabel(w.deps.Manage.MonitorKinds(), m.Type))
	p.shown = r.shownRange(s, m)
	p.look = r.readLook(p.Row.URL).at(p.shown)
	p.fillPicker(s)
	for _, fill := range []func(*request, *scene, manage.MonitorView) error{p.fillAlert, p.fillStats, p.fillPast, p.fillTab} {
		if err := fill(r, s, m); err != nil {
			return err
		}
	}
	p.Self = p.look.url(func(*look) {})
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

// kindLabel names a type: a key of the catalogue.
func kindLabel(kinds []uptime.Kind, name string) string {
	for _, k := range kinds {
		if k.Name == name {
			return k.Label
		}
	}
	return name
}
