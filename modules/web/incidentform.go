package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// IncidentForm makes an incident by hand, or changes one.
type IncidentForm struct {
	Frame
	ID       int64 // 0: new
	ByHand   bool  // it names monitors and its start
	Heading  string
	Action   string
	Cancel   string
	Stored   string // what the form changes, as it was when it was opened
	What     []FieldView
	Say      []FieldView // of a new one
	Find     string
	Chosen   []MonitorTick
	Found    []MonitorTick
	More     string    // how many match beyond those found, or ""
	Monitors FieldView // what is wrong with those that are chosen
	Problem  string
	Summary  []ErrorLink
	Conflict *Conflict // somebody else saved it meanwhile
}

// MonitorTick chooses a monitor for an incident.
type MonitorTick struct {
	ID           int64
	Name, Target string
	Pill         Pill
	Checked      bool
}

const (
	// localMinute is how browsers write a time of day without its zone.
	localMinute = "2006-01-02T15:04"
	// foundAtOnce bounds the monitors that a form offers; a search finds the others.
	foundAtOnce = 20
)

// localInput is a moment as an input of the person's zone holds it.
func (s *scene) localInput(t time.Time) string { return t.In(s.loc).Format(localMinute) }

// momentOf gives what was typed as the API takes it; what is no time stays as it is and is
// refused there.
func (s *scene) momentOf(text string) string {
	for _, layout := range []string{localMinute, "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, text, s.loc); err == nil {
			return t.UTC().Format(time.RFC3339)
		}
	}
	return text
}

func severityOptions(l *lang.Language, chosen string) []Option {
	var out []Option
	for _, s := range []uptime.Severity{uptime.SeverityNone, uptime.SeverityMinor, uptime.SeverityMajor, uptime.SeverityCritical} {
		out = append(out, Option{Value: string(s), Label: l.T(severityWord(s)), Selected: string(s) == chosen})
	}
	return out
}

func stageOptions(l *lang.Language, chosen string, all []uptime.Stage) []Option {
	var out []Option
	for _, s := range all {
		out = append(out, Option{Value: string(s), Label: l.T(stageWord(s)), Selected: string(s) == chosen})
	}
	return out
}

func openStages() []uptime.Stage {
	return []uptime.Stage{uptime.StageInvestigating, uptime.StageIdentified, uptime.StageMonitoring}
}

// zoneHelp names the zone that times are typed in.
func (s *scene) zoneHelp() string { return s.t("In your time zone, %s.", s.loc.String()) }

func (w *Web) incidentNew(r *request) error {
	v := url.Values{"severity": {string(uptime.SeverityMinor)}, "monitor_ids": r.QueryParams()["monitor_ids"]}
	return r.showIncidentForm(http.StatusOK, nil, v, nil)
}

func (w *Web) incidentCreate(r *request) error {
	v, err := r.FormParams()
	if err != nil {
		return err
	}
	if v.Has("find") {
		return r.showIncidentForm(http.StatusOK, nil, v, nil)
	}
	s, err := r.scene("", "Incidents")
	if err != nil {
		return err
	}
	body := s.incidentBody(v, true)
	for _, name := range []string{"stage", "message"} {
		if text := proseOf(v.Get(name)); text != "" {
			body[name] = text
		}
	}
	body["internal"] = v.Get("internal") != ""
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	inc, failure := w.deps.Manage.CreateIncident(r.Request().Context(), r.actor, raw)
	if failure == nil {
		return r.done("incident-created", incidentURL(inc.ID))
	}
	return r.refuseIncident(nil, v, failure)
}

// incidentBody is what a form asks for; the monitors and the start are of one made by hand.
func (s *scene) incidentBody(v url.Values, byHand bool) map[string]any {
	body := map[string]any{"title": v.Get("title"), "severity": v.Get("severity")}
	if !byHand {
		return body
	}
	body["monitor_ids"] = idsOf(v["monitor_ids"])
	if at := strings.TrimSpace(v.Get("started_at")); at != "" {
		body["started_at"] = s.momentOf(at)
	}
	return body
}

// idsOf are the ids among texts, each once; what is none is left out.
func idsOf(texts []string) []int64 {
	out := []int64{}
	for _, text := range texts {
		if id, err := strconv.ParseInt(text, 10, 64); err == nil && id > 0 && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

func (w *Web) incidentEdit(r *request) error {
	inc, err := r.storedIncident()
	if err != nil {
		return err
	}
	return r.showIncidentForm(http.StatusOK, &inc, nil, nil)
}

func (r *request) storedIncident() (manage.IncidentView, error) {
	id, err := r.id()
	if err != nil {
		return manage.IncidentView{}, err
	}
	return r.web.deps.Manage.Incident(r.Request().Context(), r.actor, id)
}

func (w *Web) incidentSave(r *request) error {
	inc, err := r.storedIncident()
	if err != nil {
		return err
	}
	v, err := r.FormParams()
	if err != nil {
		return err
	}
	if v.Has("find") {
		return r.showIncidentForm(http.StatusOK, &inc, v, nil)
	}
	if v.Get("version") != versionOf(inc) {
		return r.showConflict(inc, v)
	}
	failure := r.saveIncident(inc, v)
	switch {
	case failure == nil:
		return r.done("incident-saved", incidentURL(inc.ID))
	case uptime.CodeOf(failure) == uptime.CodePrecondition: // it changed just now
		if inc, err = r.storedIncident(); err != nil {
			return err
		}
		return r.showConflict(inc, v)
	}
	return r.refuseIncident(&inc, v, failure)
}

func (r *request) saveIncident(inc manage.IncidentView, v url.Values) error {
	s, err := r.scene("", "Incidents")
	if err != nil {
		return err
	}
	body := s.incidentBody(v, inc.MonitorID == nil)
	if v.Get("started_at") == s.localInput(inc.StartedAt) {
		delete(body, "started_at") // the input knows no seconds
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	_, err = r.web.deps.Manage.PatchIncident(r.Request().Context(), r.actor, inc.ID, raw, inc.ETag)
	return err
}

// versionOf names what the form changes as it is. What others do to the rest, such as an
// update that they post, is no conflict with it.
func versionOf(inc manage.IncidentView) string {
	return fingerprint(inc.Title, inc.Severity, inc.StartedAt, inc.MonitorIDs)
}

// fingerprint tells values from any others, as a form carries it.
func fingerprint(values ...any) string {
	raw, err := json.Marshal(values)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}

// refuseIncident shows the form again with what is wrong, and all that was typed.
func (r *request) refuseIncident(inc *manage.IncidentView, v url.Values, failure error) error {
	if _, bad := fieldErrors(nil, failure); !bad {
		return failure
	}
	return r.showIncidentForm(http.StatusUnprocessableEntity, inc, v, failure)
}

func (r *request) showIncidentForm(status int, inc *manage.IncidentView, v url.Values, failure error) error {
	p, _, err := r.incidentForm(inc, v, failure)
	if err != nil {
		return err
	}
	return r.page(status, "incidentform", "", p)
}

// incidentForm draws what was typed or, without any, what is stored.
func (r *request) incidentForm(inc *manage.IncidentView, v url.Values, failure error) (*IncidentForm, *scene, error) {
	title, crumbs := r.t("New incident"), []Crumb{{r.t("Incidents"), "/incidents"}}
	if inc != nil {
		title, crumbs = r.t("Edit incident"), append(crumbs, Crumb{titleOf(r.lang(), *inc), incidentURL(inc.ID)})
	}
	s, err := r.scene(title, "Incidents", crumbs...)
	if err != nil {
		return nil, nil, err
	}
	p := &IncidentForm{Frame: s.frame, Heading: title, ByHand: true, Action: "/incidents", Cancel: "/incidents", Find: uptime.CleanLine(v.Get("q"), 200)}
	p.Scripts = []string{formScript}
	if inc != nil {
		p.ID, p.ByHand, p.Action, p.Cancel = inc.ID, inc.MonitorID == nil, incidentURL(inc.ID)+"/edit", incidentURL(inc.ID)
		p.Stored = versionOf(*inc)
		if v == nil {
			v = s.incidentValues(*inc)
		} else if v.Has("find") && v.Has("version") {
			p.Stored = v.Get("version") // a search starts nothing anew
		}
	}
	p.fill(s, v, failure)
	if p.ByHand {
		err = p.fillTicks(r, v)
	}
	return p, s, err
}

// incidentValues are the inputs of a stored one.
func (s *scene) incidentValues(inc manage.IncidentView) url.Values {
	v := url.Values{"title": {inc.Title}, "severity": {string(inc.Severity)}, "started_at": {s.localInput(inc.StartedAt)}}
	for _, id := range inc.MonitorIDs {
		v.Add("monitor_ids", strconv.FormatInt(id, 10))
	}
	return v
}

func (p *IncidentForm) fill(s *scene, v url.Values, failure error) {
	errs, _ := fieldErrors(s.lang, failure)
	started := v.Get("started_at")
	if started == "" && p.ID == 0 {
		started = s.localInput(s.now)
	}
	p.What = []FieldView{
		{Name: "title", Label: "Title", Widget: "input", Type: "text", Value: v.Get("title"), Required: true, MaxLength: uptime.MaxNameLength, Placeholder: "Payments are slow"},
		{Name: "severity", Label: "Impact", Widget: "select", Options: severityOptions(s.lang, v.Get("severity"))},
	}
	if p.ByHand {
		p.What = append(p.What, FieldView{Name: "started_at", Label: "Started at", Widget: "input", Type: "datetime-local", Value: started, Help: s.zoneHelp()})
	}
	if p.ID == 0 {
		p.Say = []FieldView{
			{Name: "stage", Label: "Stage", Widget: "select", Options: stageOptions(s.lang, v.Get("stage"), openStages())},
			messageField(v.Get("message"), "", nil), internalField(v.Get("internal") != "", ""),
		}
	}
	for _, fields := range [][]FieldView{p.What, p.Say} {
		for i := range fields {
			fields[i].Error = errorOf(fields[i].Name, errs)
		}
	}
	p.Monitors = FieldView{Name: "monitor_ids", Label: "Affected monitors", Error: sentence(errs["monitor_ids"])}
	if p.Monitors.Error == "" && errorOf("monitor_ids", errs) != "" {
		p.Monitors.Error = s.t("One of them is not there any more. It is not chosen now; save again.")
	}
	p.Problem, p.Summary = problems(s.lang, failure, p.What, []FieldView{p.Monitors}, p.Say)
}

// fillTicks offers the monitors that are chosen, and some that a search finds.
func (p *IncidentForm) fillTicks(r *request, v url.Values) error {
	ctx, uses := r.Request().Context(), r.web.deps.Manage
	chosen := idsOf(v["monitor_ids"])
	ticked, err := uses.MonitorsOf(ctx, r.actor, chosen)
	if err != nil {
		return err
	}
	for _, m := range ticked {
		p.Chosen = append(p.Chosen, tickOf(m, true))
	}
	f := uptime.MonitorFilter{Query: p.Find, Sort: "status"}
	list, err := uses.Monitors(ctx, r.actor, f, uptime.Page{Limit: foundAtOnce})
	if err != nil {
		return err
	}
	total, err := uses.CountMonitors(ctx, r.actor, f)
	if err != nil {
		return err
	}
	for _, m := range list.Items {
		if !slices.Contains(chosen, m.ID) {
			p.Found = append(p.Found, tickOf(m, false))
		}
	}
	if rest := total - int64(len(list.Items)); rest > 0 {
		p.More = r.lang().N(rest, "%s more monitor matches; find them by more of their name.", "%s more monitors match; find them by more of their name.")
	}
	return nil
}

func tickOf(m manage.MonitorView, checked bool) MonitorTick {
	return MonitorTick{ID: m.ID, Name: m.Name, Target: m.Target, Pill: pillOf(m), Checked: checked}
}

func incidentURL(id int64) string { return "/incidents/" + strconv.FormatInt(id, 10) }
