package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"monitor/modules/form"
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
func kept(v manage.RetentionView) []FieldView {
	field := func(name, label, help string, d form.Duration) FieldView {
		f := FieldView{Name: name, Label: label, Help: help, Widget: "input", Type: "text", Autocomplete: "off", Value: neat(time.Duration(d))}
		f.ReadOnly = !v.Changeable
		if slices.Contains(v.Fixed, name) {
			f.ReadOnly = true
			f.Help = "Set by the program's settings (retention." + name + "), so it cannot be changed here."
		}
		return f
	}
	return []FieldView{
		field("results", "Single checks", "Lists of checks, and charts of up to two days. From 1d to 3650d.", v.Results),
		field("rollups", "Sums of hours and days", "Uptime, bars and charts of longer times. From 1d; 0s keeps them for ever.", v.Rollups),
		field("incidents", "Resolved incidents", "From 1d; 0s keeps them for ever. Downtime stays in the sums.", v.Incidents),
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
	s, err := r.scene("Retention", "Settings", Crumb{"Settings", "/settings/profile"})
	if err != nil {
		return err
	}
	storage, err := r.web.deps.Manage.Storage(r.Request().Context(), r.actor)
	if err != nil {
		return err
	}
	p := RetentionPage{Frame: s.frame, Tabs: r.settingsTabs("Retention"), ETag: v.ETag, Fields: kept(v), Locked: !v.Changeable, Facts: storageFacts(storage)}
	p.Scripts = []string{formScript}
	for i := range p.Fields {
		if !p.Fields[i].ReadOnly {
			p.Fields[i].Value = stillTyped(given, p.Fields[i].Name, p.Fields[i].Value)
		}
	}
	blame(r.lang(), p.Fields, failure)
	p.Problem, p.Summary = problems(r.lang(), failure, p.Fields)
	if ask {
		p.Sure = &FieldView{
			Name: "sure", Label: "Remove what is older, for good", Widget: "check",
			Error: "Tick this to go on: what is older than you say now is removed within the hour and cannot be brought back.",
		}
		p.Problem, p.Summary = "This would remove history.", []ErrorLink{{"#" + p.Sure.ID(), "Tick that you want that."}}
	}
	if uptime.CodeOf(failure) == uptime.CodePrecondition {
		p.Problem = "Somebody else changed this while you were editing. Your input is below; save again to overwrite their change."
	}
	return r.page(status, "retention", "", p)
}

func storageFacts(s manage.StorageView) []Fact {
	facts := []Fact{{"Database", strings.TrimSpace(s.Kind + " " + s.Version)}, {"Takes", bytesText(s.Bytes)}}
	if s.ResultBytes != nil {
		facts = append(facts, Fact{"Single checks", bytesText(*s.ResultBytes)})
	}
	if s.RollupBytes != nil {
		facts = append(facts, Fact{"Sums", bytesText(*s.RollupBytes)})
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

func (w *Web) retentionSave(r *request) error {
	ctx, uses := r.Request().Context(), w.deps.Manage
	v, err := uses.Retention(ctx, r.actor)
	if err != nil {
		return err
	}
	patch, given := body{}, map[string]string{}
	for _, f := range kept(v) {
		given[f.Name] = strings.TrimSpace(r.FormValue(f.Name))
		if f.ReadOnly {
			given[f.Name] = f.Value
			continue
		}
		if err := patch.set(f.Name, given[f.Name]); err != nil {
			return err
		}
	}
	if shortens(v, given) && r.FormValue("sure") == "" {
		return r.showRetention(http.StatusUnprocessableEntity, v, given, nil, true)
	}
	raw, err := patch.json()
	if err != nil {
		return err
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
