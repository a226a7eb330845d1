package web

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// OwnerForm says who takes care of an incident, and changes that.
type OwnerForm struct {
	Action string
	Name   string // "": nobody
	Mine   bool
	Me     int64
	People []Option
}

// fillOwner offers those who may have it to who may change it.
func (p *IncidentPage) fillOwner(r *request, s *scene, inc manage.IncidentView) error {
	if !p.CanEdit {
		return nil
	}
	list, err := r.web.deps.Manage.Assignees(r.Request().Context(), r.actor)
	if err != nil {
		return err
	}
	own := int64(0)
	if inc.OwnerID != nil {
		own = *inc.OwnerID
	}
	p.Owner = &OwnerForm{Action: p.Row.URL + "/assign", Name: inc.OwnerName, Mine: own == s.me.ID, Me: s.me.ID}
	p.Owner.People = []Option{{Label: s.t("Nobody"), Selected: own == 0}}
	known := own == 0
	for _, person := range list.Items {
		known = known || person.ID == own
		p.Owner.People = append(p.Owner.People, Option{Value: itoa(person.ID), Label: person.Name, Selected: person.ID == own})
	}
	if !known { // they cannot log in any more, or there are too many people to list
		p.Owner.People = append(p.Owner.People, Option{Value: itoa(own), Label: inc.OwnerName, Selected: true})
	}
	return nil
}

func (w *Web) incidentAssign(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	var owner *int64
	if text := r.FormValue("owner_id"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return uptime.Fail(uptime.CodeInvalid, "Nobody has this id.")
		}
		owner = &n
	}
	raw, err := json.Marshal(map[string]any{"owner_id": owner})
	if err != nil {
		return err
	}
	inc, err := w.deps.Manage.PatchIncident(r.Request().Context(), r.actor, id, raw, "")
	if err != nil {
		return err
	}
	said := "incident-assigned"
	if inc.OwnerID == nil {
		said = "incident-free"
	}
	return r.done(said, r.back(incidentURL(id)))
}

func (w *Web) incidentConfirmDelete(r *request) error {
	inc, err := r.storedIncident()
	if err != nil {
		return err
	}
	if inc.MonitorID != nil {
		return uptime.Fail(uptime.CodeConflict, "An incident of a monitor is what happened and stays; only those made by hand can be deleted.")
	}
	s, err := r.scene(r.t("Delete"), "Incidents", Crumb{r.t("Incidents"), "/incidents"}, Crumb{titleOf(r.lang(), inc), incidentURL(inc.ID)})
	if err != nil {
		return err
	}
	return r.page(http.StatusOK, "confirm", "", ConfirmPage{
		Frame: s.frame, Question: s.t("Delete incident %s?", titleOf(s.lang, inc)), Verb: s.t("Delete incident"),
		Lost: s.lang.N(int64(len(inc.Updates)), "Its timeline of %s update goes with it. For 7 days it can be restored.",
			"Its timeline of %s updates goes with it. For 7 days it can be restored."),
		Action: incidentURL(inc.ID) + "/delete", Cancel: incidentURL(inc.ID), ETag: inc.ETag,
	})
}

func (w *Web) incidentDelete(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	if err := w.deps.Manage.DeleteIncident(r.Request().Context(), r.actor, id, ""); err != nil {
		return err
	}
	return r.doneUndo("incident-deleted", id, "/incidents")
}

func (w *Web) incidentRestore(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	if _, err := w.deps.Manage.RestoreIncident(r.Request().Context(), r.actor, id); err != nil {
		return err
	}
	return r.done("incident-restored", incidentURL(id))
}

// PostmortemText is a post-mortem as it reads.
type PostmortemText struct {
	Paragraphs []string
	Audience   string
	Written    When
}

func (s *scene) postmortemText(p manage.PostmortemView) *PostmortemText {
	return &PostmortemText{Paragraphs: paragraphs(p.Text), Audience: audienceOf(s.lang, !p.Published), Written: s.when(p.WrittenAt)}
}

// paragraphs are what blank lines separate.
func paragraphs(text string) []string {
	var out []string
	var lines []string
	end := func() {
		if len(lines) > 0 {
			out = append(out, strings.Join(lines, "\n"))
		}
		lines = nil
	}
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		if strings.TrimSpace(line) == "" {
			end()
			continue
		}
		lines = append(lines, line)
	}
	end()
	return out
}

// PostmortemPage writes a post-mortem.
type PostmortemPage struct {
	Frame
	Action, Cancel string
	Stored         string // what is stored, as it was when the form was opened
	Conflict       *Conflict
	Fields         []FieldView
	Previewed      bool
	Preview        []string
	Problem        string
	Summary        []ErrorLink
}

// maxPostmortem bounds a post-mortem, in characters; package manage enforces it.
const maxPostmortem = 50_000

func (w *Web) incidentPostmortem(r *request) error {
	inc, err := r.storedIncident()
	if err != nil {
		return err
	}
	text, published := "", false
	if p := inc.Postmortem; p != nil {
		text, published = p.Text, p.Published
	}
	return r.showPostmortem(http.StatusOK, inc, text, published, false, nil)
}

func (w *Web) incidentPostmortemSave(r *request) error {
	inc, err := r.storedIncident()
	if err != nil {
		return err
	}
	text, published := proseOf(r.FormValue("text")), r.FormValue("published") != ""
	if r.FormValue("preview") != "" {
		return r.showPostmortem(http.StatusOK, inc, text, published, true, nil)
	}
	raw, err := json.Marshal(map[string]any{"postmortem": map[string]any{"text": text, "published": published}})
	if err != nil {
		return err
	}
	if r.FormValue("version") != fingerprint(inc.Postmortem) {
		return r.showPostmortem(http.StatusConflict, inc, text, published, false, nil)
	}
	_, failure := w.deps.Manage.PatchIncident(r.Request().Context(), r.actor, inc.ID, raw, inc.ETag)
	switch _, bad := fieldErrors(nil, failure); {
	case failure == nil:
		return r.done("postmortem-saved", incidentURL(inc.ID))
	case uptime.CodeOf(failure) == uptime.CodePrecondition: // it changed just now
		if inc, err = r.storedIncident(); err != nil {
			return err
		}
		return r.showPostmortem(http.StatusConflict, inc, text, published, false, nil)
	case !bad:
		return failure
	}
	return r.showPostmortem(http.StatusUnprocessableEntity, inc, text, published, false, failure)
}

func (r *request) showPostmortem(status int, inc manage.IncidentView, text string, published, preview bool, failure error) error {
	s, err := r.scene(r.t("Post-mortem"), "Incidents", Crumb{r.t("Incidents"), "/incidents"}, Crumb{titleOf(r.lang(), inc), incidentURL(inc.ID)})
	if err != nil {
		return err
	}
	errs, _ := fieldErrors(r.lang(), failure)
	s.frame.Scripts = append(s.frame.Scripts, formScript)
	p := PostmortemPage{Frame: s.frame, Action: incidentURL(inc.ID) + "/postmortem", Cancel: incidentURL(inc.ID)}
	p.Fields = []FieldView{
		{
			Name: "text", Label: "Text", Widget: "textarea", Prose: true, Value: text, MaxLength: maxPostmortem, Error: cmp.Or(errorOf("postmortem.text", errs), errorOf("postmortem", errs)),
			Help: "Plain text; an empty line begins a paragraph. Empty: there is none.", Placeholder: "What happened, why, and what we change",
		},
		{Name: "published", Label: "Published", Widget: "check", Checked: published, Help: "Status pages may show it. Without it, it is for the team alone."},
	}
	p.Stored = r.FormValue("version")
	if p.Stored == "" || status == http.StatusConflict { // saving again overwrites
		p.Stored = fingerprint(inc.Postmortem)
	}
	if preview {
		p.Previewed, p.Preview = true, paragraphs(text)
	}
	if status == http.StatusConflict {
		p.Conflict = s.textConflict(inc.Postmortem, text, published)
	}
	p.Problem, p.Summary = problems(r.lang(), failure, p.Fields)
	return r.page(status, "postmortem", "", p)
}

// textConflict shows a post-mortem that somebody else wrote beside what was typed.
func (s *scene) textConflict(stored *manage.PostmortemView, text string, published bool) *Conflict {
	c := &Conflict{What: "post-mortem", Who: s.t("Somebody else")}
	theirs, open := "", false
	if stored != nil {
		c.At, theirs, open = s.when(stored.WrittenAt), stored.Text, stored.Published
	}
	if theirs != text {
		c.Rows = append(c.Rows, ConflictRow{s.t("Text"), orDash(theirs), orDash(text)})
	}
	if words := map[bool]string{true: s.t("switch|on"), false: s.t("switch|off")}; open != published {
		c.Rows = append(c.Rows, ConflictRow{s.t("Published"), words[open], words[published]})
	}
	return c
}
