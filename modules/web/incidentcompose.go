package web

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// maxMessage bounds an update, in characters; package manage enforces it.
const maxMessage = 5_000

// Composer is the form by which an update is posted.
type Composer struct {
	Message FieldView
	Fields  []FieldView
	Texts   []MessageText
}

// MessageText is a text to start from.
type MessageText struct {
	Label string
	Stage uptime.Stage
	Text  string
}

// LineForm changes an update that is there.
type LineForm struct {
	Action   string
	Cancel   string
	Message  FieldView
	Internal FieldView
}

// messageTexts are the texts to start from, in the order in which an incident needs them.
func messageTexts(l *lang.Language) []MessageText {
	return []MessageText{
		{l.T("We look into it"), uptime.StageInvestigating, l.T("We see a problem and are looking into it. We will say more as soon as we know more.")},
		{l.T("No news yet"), "", l.T("We are still working on this. There is nothing new to report yet.")},
		{l.T("Cause found"), uptime.StageIdentified, l.T("We have found the cause and are working on it.")},
		{l.T("Somebody else's problem"), uptime.StageIdentified, l.T("The cause lies with a provider that we depend on. They know of it, and we follow what they do.")},
		{l.T("Fix in place"), uptime.StageMonitoring, l.T("A fix is in place. We are watching whether everything stays well.")},
		{l.T("incident|Over"), uptime.StageResolved, l.T("The problem is over. Everything works as it should again.")},
	}
}

// proseOf is what was typed into several lines: browsers end them with two characters, of
// which one counts.
func proseOf(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// messageField is the text of an update.
func messageField(value, suffix string, errs map[string]string) FieldView {
	return FieldView{
		Name: "message", Label: "Message", Widget: "textarea", Prose: true, Value: value, Suffix: suffix, MaxLength: maxMessage,
		Placeholder: "What is known, what is being done", Error: errorOf("message", errs),
	}
}

func internalField(checked bool, suffix string) FieldView {
	return FieldView{
		Name: "internal", Label: "Internal", Widget: "check", Checked: checked, Suffix: suffix,
		Help: "For the team alone. Without it status pages may show the message.",
	}
}

// composer draws the form, with what was typed where that was refused.
func (s *scene) composer(inc manage.IncidentView, t typing) *Composer {
	values, errs := t.values, map[string]string{}
	if t.line == 0 {
		errs, _ = fieldErrors(s.lang, t.failure)
	} else {
		values = nil // what was typed belongs to the line that is edited
	}
	c := &Composer{Message: messageField(values["message"], "", errs), Texts: messageTexts(s.lang)}
	if inc.Status != uptime.IncidentResolved {
		stage := FieldView{Name: "stage", Label: "Stage", Widget: "select", Error: errorOf("stage", errs)}
		stage.Options = append([]Option{{Label: s.t("Keep: %s", s.t(stageWord(inc.Stage)))}}, stageOptions(s.lang, values["stage"], append(openStages(), uptime.StageResolved))...)
		promise := FieldView{
			Name: "next_update_by", Label: "Next update by", Widget: "input", Type: "datetime-local", Value: values["next_update_by"],
			Help: s.t("In your time zone, %s. Empty: none is promised.", s.loc.String()), Error: errorOf("next_update_by", errs),
		}
		c.Fields = append(c.Fields, stage, promise)
	}
	c.Fields = append(c.Fields, internalField(values["internal"] != "", ""))
	return c
}

// editLine puts a form in the place of the line that is being edited.
func (p *IncidentPage) editLine(inc manage.IncidentView, t typing) {
	for i := range p.Timeline {
		row := &p.Timeline[i]
		if row.ID != t.line || t.line == 0 || row.EditURL == "" {
			continue
		}
		errs, _ := fieldErrors(p.Lang, t.failure)
		suffix, text, internal := "-"+itoa(row.ID), lineText(inc, row.ID), row.Internal
		if t.values != nil {
			text, internal = t.values["message"], t.values["internal"] != ""
		}
		row.Edit = &LineForm{
			Action: p.Row.URL + "/updates/" + itoa(row.ID), Cancel: p.Row.URL + "#u" + itoa(row.ID),
			Message: messageField(text, suffix, errs), Internal: internalField(internal, suffix),
		}
	}
}

func lineText(inc manage.IncidentView, id int64) string {
	for _, u := range inc.Updates {
		if u.ID == id {
			return u.Message
		}
	}
	return ""
}

func (w *Web) incidentUpdate(r *request) error {
	inc, err := r.storedIncident()
	if err != nil {
		return err
	}
	s, err := r.scene("", "Incidents")
	if err != nil {
		return err
	}
	update := map[string]any{"message": proseOf(r.FormValue("message")), "internal": r.FormValue("internal") != ""}
	if stage := r.FormValue("stage"); stage != "" {
		update["stage"] = stage
	}
	if by := strings.TrimSpace(r.FormValue("next_update_by")); by != "" {
		update["next_update_by"] = s.momentOf(by)
	}
	raw, err := json.Marshal(update)
	if err != nil {
		return err
	}
	if _, err = w.deps.Manage.AddIncidentUpdate(r.Request().Context(), r.actor, inc.ID, raw); err == nil {
		return r.done("incident-updated", incidentURL(inc.ID))
	}
	return r.refuseUpdate(inc.ID, 0, err)
}

// refuseUpdate shows the incident again with what is wrong with an update, a new one or
// that of line.
func (r *request) refuseUpdate(id, line int64, failure error) error {
	if _, bad := fieldErrors(nil, failure); !bad || uptime.CodeOf(failure) == uptime.CodeForbidden {
		return failure
	}
	inc, err := r.web.deps.Manage.Incident(r.Request().Context(), r.actor, id)
	if err != nil {
		return err
	}
	v, err := r.FormParams()
	if err != nil {
		return err
	}
	return r.showIncident(http.StatusUnprocessableEntity, inc, typing{line: line, values: typed(v), failure: failure})
}

// lineIDs are those of an incident and of a line of its timeline.
func (r *request) lineIDs() (id, line int64, err error) {
	if id, err = r.id(); err != nil {
		return 0, 0, err
	}
	line, err = strconv.ParseInt(r.Param("update"), 10, 64)
	if err != nil || line <= 0 {
		return 0, 0, uptime.ErrNotFound
	}
	return id, line, nil
}

func (w *Web) incidentLineSave(r *request) error {
	id, line, err := r.lineIDs()
	if err != nil {
		return err
	}
	raw, err := json.Marshal(map[string]any{"message": proseOf(r.FormValue("message")), "internal": r.FormValue("internal") != ""})
	if err != nil {
		return err
	}
	if _, err = w.deps.Manage.PatchIncidentUpdate(r.Request().Context(), r.actor, id, line, raw, ""); err == nil {
		return r.done("update-saved", incidentURL(id)+"#u"+itoa(line))
	}
	return r.refuseUpdate(id, line, err)
}

func (w *Web) incidentLineDelete(r *request) error {
	id, line, err := r.lineIDs()
	if err != nil {
		return err
	}
	if err := w.deps.Manage.DeleteIncidentUpdate(r.Request().Context(), r.actor, id, line, ""); err != nil {
		return err
	}
	return r.done("update-deleted", incidentURL(id))
}
