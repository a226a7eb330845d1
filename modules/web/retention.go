package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"monitor/modules/form"
	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// RetentionPage is how long history is kept, and what it takes.
type RetentionPage struct {
	Frame
	Tabs    []Link
	ETag    string
	Fields  []FieldView
	Locked  bool       // it is chosen in another workspace
	Sure    *FieldView // to be ticked before anything is kept for a shorter time
	Facts   []Fact
	Problem string
	Summary []ErrorLink
}

// kept are the three histories with what the page says of each.
func kept(l *lang.Language, v manage.RetentionView) []FieldView {
	field := func(name, label, help string, d form.Duration) FieldView {
		f := FieldView{Name: name, Label: label, Help: help, Widget: "input", Type: "text", Autocomplete: "off", Value: neat(time.Duration(d))}
		f.ReadOnly = !v.Changeable
		if slices.Contains(v.Fixed, name) {
			f.ReadOnly = true
			f.Help = l.T("Set by the program's settings (%s), so it cannot be changed here.", "retention."+name)
		}
		return f
	}
	return []FieldView{
		field("results", lang.Key("Single checks"), lang.Key("Lists of checks, and charts of up to two days. From 1d to 3650d."), v.Results),
		field("rollups", lang.Key("Sums of hours and days"), lang.Key("Uptime, bars and charts of longer times. From 1d; 0s keeps them for ever."), v.Rollups),
		field("incidents", lang.Key("Resolved incidents"), lang.Key("From 1d; 0s keeps them for ever. Downtime stays in the sums."), v.Incidents),
	}
}

func (w *Web) retention(r *request) error {
	v, err := w.deps.Manage.Retention(r.Request().Context(), r.actor)
	if err != nil {
		return err
	}
	return r.showRetention(http.StatusOK, v, nil, nil, false)
}

// showRetention draws the form; given is what was typed into a refused one, and ask
// whether it would shorten something.
func (r *request) showRetention(status int, v manage.RetentionView, given map[string]string, failure error, ask bool) error {
	s, err := r.scene(r.t("Retention"), "Settings", Crumb{r.t("Settings"), "/settings/profile"})
	if err != nil {
		return err
	}
	storage, err := r.web.deps.Manage.Storage(r.Request().Context(), r.actor)
	if err != nil {
		return err
	}
	p := RetentionPage{Frame: s.frame, Tabs: r.settingsTabs("Retention"), ETag: v.ETag, Fields: kept(s.lang, v), Locked: !v.Changeable, Facts: storageFacts(s.lang, storage)}
	p.Scripts = []string{formScript}
	retype(p.Fields, given)
	blame(s.lang, p.Fields, failure)
	p.Problem, p.Summary = problems(s.lang, failure, p.Fields)
	if ask {
		p.Sure = &FieldView{
			Name: "sure", Label: "Remove what is older, for good", Widget: "check",
			Error: s.t("Tick this to go on: what is older than you say now is removed within the hour and cannot be brought back."),
		}
		p.Problem, p.Summary = s.t("This would remove history."), []ErrorLink{{"#" + p.Sure.ID(), s.t("Tick that you want that.")}}
	}
	if uptime.CodeOf(failure) == uptime.CodePrecondition {
		p.Problem = s.t("Somebody else changed this while you were editing. Your input is below; save again to overwrite their change.")
	}
	return r.page(status, "retention", "", p)
}

func storageFacts(l *lang.Language, s manage.StorageView) []Fact {
	facts := []Fact{{l.T("Database"), strings.TrimSpace(s.Kind + " " + s.Version)}, {l.T("database|Takes"), l.Bytes(s.Bytes)}}
	if s.ResultBytes != nil {
		facts = append(facts, Fact{l.T("Single checks"), l.Bytes(*s.ResultBytes)})
	}
	if s.RollupBytes != nil {
		facts = append(facts, Fact{l.T("database|Sums"), l.Bytes(*s.RollupBytes)})
	}
	return facts
}

// shortens reports whether less is kept than before; what cannot be read does not.
func shortens(v manage.RetentionView, given map[string]string) bool {
	for name, before := range map[string]form.Duration{"results": v.Results, "rollups": v.Rollups, "incidents": v.Incidents} {
		next, err := form.ParseDuration(given[name])
		if err == nil && next > 0 && (before == 0 || next < time.Duration(before)) {
			return true
		}
	}
	return false
}

// retentionInput is what was typed; what cannot be changed stays as it is and out of the
// patch.
func (r *request) retentionInput(v manage.RetentionView) (raw json.RawMessage, given map[string]string, err error) {
	patch, given := map[string]string{}, map[string]string{}
	for _, f := range kept(nil, v) {
		given[f.Name] = f.Value
		if !f.ReadOnly {
			given[f.Name] = strings.TrimSpace(r.FormValue(f.Name))
			patch[f.Name] = given[f.Name]
		}
	}
	raw, err = json.Marshal(patch)
	return raw, given, err
}

func (w *Web) retentionSave(r *request) error {
	ctx, uses := r.Request().Context(), w.deps.Manage
	v, err := uses.Retention(ctx, r.actor)
	if err != nil {
		return err
	}
	raw, given, err := r.retentionInput(v)
	if err != nil {
		return err
	}
	if shortens(v, given) && r.FormValue("sure") == "" {
		return r.showRetention(http.StatusUnprocessableEntity, v, given, nil, true)
	}
	_, failure := uses.ReplaceRetention(ctx, r.actor, raw, r.FormValue("etag"))
	if failure == nil {
		return r.done("retention-saved", "/settings/retention")
	}
	if _, bad := fieldErrors(nil, failure); !bad && uptime.CodeOf(failure) != uptime.CodePrecondition {
		return failure
	}
	return r.showRetention(http.StatusUnprocessableEntity, v, given, failure, false)
}
