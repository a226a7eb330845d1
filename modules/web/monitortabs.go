package web

import (
	"encoding/json"
	"strings"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// monitorTab has a label that is a key of the catalogue.
type monitorTab struct{ key, label string }

func monitorTabs() []monitorTab {
	return []monitorTab{
		{"checks", lang.Key("Checks")}, {"incidents", lang.Key("Incidents")}, {"notifications", lang.Key("Notifications sent")}, {"config", lang.Key("Config")},
	}
}

// ConfigTab is how a monitor is set, and how that came.
type ConfigTab struct {
	Text    string
	Changes []AuditRow
}

const (
	checksPerPage  = 25
	changesPerPage = 20
)

func (p *MonitorPage) fillTab(r *request, s *scene, m manage.MonitorView) error {
	for _, tab := range monitorTabs() {
		p.Tabs = append(p.Tabs, Link{Label: s.t(tab.label), URL: p.look.part(tab.key).url(func(*look) {}) + "#tabs", Current: tab.key == p.look.tab})
	}
	p.Tab = p.look.tab
	if p.look.cursor != "" || p.look.until != "" {
		p.Live = false // what is old does not change
	}
	switch p.Tab {
	case "incidents":
		return p.fillIncidents(r, s, m)
	case "notifications":
		return p.fillNotifications(r, s, m)
	case "config":
		return p.fillConfig(r, s, m)
	}
	return p.fillChecks(r, s, m)
}

// older leads to the next part of the tab's list.
func (p *MonitorPage) older(cursor string) {
	if cursor != "" {
		p.Older = p.look.url(func(l *look) { l.cursor, l.check = cursor, "" }) + "#tabs"
	}
}

func (p *MonitorPage) fillIncidents(r *request, s *scene, m manage.MonitorView) error {
	list, err := r.web.deps.Manage.Incidents(r.Request().Context(), r.actor, uptime.IncidentFilter{MonitorID: m.ID}, uptime.Page{Limit: 50, Cursor: p.look.cursor})
	if err != nil {
		return err
	}
	for _, inc := range list.Items {
		p.Incidents = append(p.Incidents, s.incidentRow(inc))
	}
	p.older(list.Next)
	return nil
}

// fillNotifications shows what was sent about the monitor.
func (p *MonitorPage) fillNotifications(r *request, s *scene, m manage.MonitorView) error {
	list, err := r.web.deps.Manage.Deliveries(r.Request().Context(), r.actor, uptime.DeliveryFilter{MonitorID: m.ID}, uptime.Page{Limit: checksPerPage, Cursor: p.look.cursor})
	if err != nil || len(list.Items) == 0 {
		return err
	}
	names, err := r.channelNames()
	if err != nil {
		return err
	}
	for _, d := range list.Items {
		row := s.deliveryRow(d)
		if row.Channel = names[d.ChannelID]; row.Channel != "" {
			row.Log = channelURL(d.ChannelID) + "/log"
		}
		p.Sent = append(p.Sent, row)
	}
	p.older(list.Next)
	return nil
}

// fillConfig shows the monitor as the API gives it, and its changes.
func (p *MonitorPage) fillConfig(r *request, s *scene, m manage.MonitorView) error {
	text, err := configText(m)
	if err != nil {
		return err
	}
	p.Config = &ConfigTab{Text: text}
	list, err := r.web.deps.Manage.MonitorChanges(r.Request().Context(), r.actor, m.ID, uptime.Page{Limit: changesPerPage, Cursor: p.look.cursor})
	if err != nil {
		return err
	}
	for _, c := range list.Items {
		p.Config.Changes = append(p.Config.Changes, s.auditRow(manage.AuditView{At: c.At, UserID: c.UserID, User: c.User, TokenID: c.TokenID, Action: c.Action, Detail: c.Detail}))
	}
	p.older(list.Next)
	return nil
}

// configText is what can be set of a monitor, secrets masked.
func configText(m manage.MonitorView) (string, error) {
	body, err := settable(m)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // the template does, in its own way
	e.SetIndent("", "  ")
	if err := e.Encode(body); err != nil {
		return "", err
	}
	return strings.TrimSpace(text.String()), nil
}
