package web

import (
	"encoding/json"
	"strings"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// SilenceNote says until when nobody is told of a monitor, by whose wish and why.
type SilenceNote struct {
	Until    When
	By, Note string
}

// silenceLengths are those that pages offer; the API takes any up to 30 days.
func silenceLengths(l *lang.Language) []Option {
	return []Option{
		{Value: "1h", Label: l.T("1 hour")}, {Value: "8h", Label: l.T("8 hours")}, {Value: "24h", Label: l.T("24 hours")}, {Value: "7d", Label: l.T("7 days")},
	}
}

func (s *scene) silence(m manage.MonitorView) *SilenceNote {
	if m.SilencedUntil == nil {
		return nil
	}
	return &SilenceNote{Until: s.whenPtr(m.SilencedUntil), By: m.SilencedBy, Note: m.SilenceNote}
}

func (w *Web) monitorSilence(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	b, err := r.silenceBody()
	if err != nil {
		return err
	}
	_, err = w.deps.Manage.SilenceMonitor(r.Request().Context(), r.actor, id, b)
	if uptime.CodeOf(err) == uptime.CodeInvalid {
		return r.done("silence-bad", r.back(monitorURL(id)))
	}
	if err != nil {
		return err
	}
	return r.doneUndo("monitor-silenced", id, r.back(monitorURL(id)))
}

// silenceBody says how long, or until when in the person's time zone.
func (r *request) silenceBody() (json.RawMessage, error) {
	b, name, end := body{}, "for", strings.TrimSpace(r.FormValue("for"))
	if end == "until" {
		s, err := r.scene("", "")
		if err != nil {
			return nil, err
		}
		name, end = "until", s.momentOf(strings.TrimSpace(r.FormValue("until")))
	}
	if err := b.set(name, end); err != nil {
		return nil, err
	}
	if err := b.set("note", r.FormValue("note")); err != nil {
		return nil, err
	}
	return b.json()
}

func (w *Web) monitorUnsilence(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	if _, err := w.deps.Manage.UnsilenceMonitor(r.Request().Context(), r.actor, id); err != nil {
		return err
	}
	return r.done("silence-ended", r.back(monitorURL(id)))
}
