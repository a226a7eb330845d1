package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// showConflict shows the form with what was typed beside what somebody else made of the
// incident meanwhile; saving again overwrites that. Where both are the same, there is
// nothing to ask.
func (r *request) showConflict(inc manage.IncidentView, v url.Values) error {
	p, s, err := r.incidentForm(&inc, v, nil)
	if err != nil {
		return err
	}
	p.Conflict = &Conflict{What: "incident", Who: s.t("Somebody else")}
	if p.Conflict.Rows, err = r.differing(s, inc, v); err != nil {
		return err
	}
	if len(p.Conflict.Rows) == 0 {
		return r.done("incident-saved", incidentURL(inc.ID))
	}
	edits, err := r.web.deps.Manage.IncidentEdits(r.Request().Context(), r.actor, inc.ID)
	if err != nil {
		return err
	}
	// Who posted an update since changed nothing that the form changes.
	at := slices.IndexFunc(edits, func(line manage.AuditView) bool {
		return slices.ContainsFunc(changesOf(line.Detail), func(c AuditChange) bool { return slices.Contains(editedFields(), c.Field) })
	})
	if at >= 0 {
		p.Conflict.Who, p.Conflict.At = whoDid(s.lang, edits[at]), s.when(edits[at].At)
	}
	return r.page(http.StatusConflict, "incidentform", "", p)
}

// editedFields are what the form changes, as the audit log names them.
func editedFields() []string { return []string{"title", "severity", "started_at", "monitor_ids"} }

func (r *request) differing(s *scene, inc manage.IncidentView, v url.Values) ([]ConflictRow, error) {
	var out []ConflictRow
	add := func(label, theirs, yours string) {
		if theirs != yours {
			out = append(out, ConflictRow{label, orDash(theirs), orDash(yours)})
		}
	}
	add(s.t("Title"), inc.Title, strings.TrimSpace(v.Get("title")))
	add(s.t("Impact"), s.t(severityWord(inc.Severity)), s.t(severityWord(uptime.Severity(v.Get("severity")))))
	if inc.MonitorID != nil {
		return out, nil
	}
	add(s.t("Started at"), strings.Replace(s.localInput(inc.StartedAt), "T", " ", 1), strings.Replace(v.Get("started_at"), "T", " ", 1))
	typed := idsOf(v["monitor_ids"])
	slices.Sort(typed)
	if slices.Equal(typed, inc.MonitorIDs) {
		return out, nil
	}
	theirs, err := r.namesOf(inc.MonitorIDs)
	if err != nil {
		return nil, err
	}
	yours, err := r.namesOf(typed)
	add(s.t("Affected monitors"), theirs, yours)
	return out, err
}

// namesOf lists monitors in words.
func (r *request) namesOf(ids []int64) (string, error) {
	list, err := r.web.deps.Manage.MonitorsOf(r.Request().Context(), r.actor, ids)
	names := make([]string, 0, len(list))
	for _, m := range list {
		names = append(names, m.Name)
	}
	return strings.Join(names, ", "), err
}
