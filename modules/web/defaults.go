package web

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"monitor/modules/form"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// DefaultsPage is what new monitors get where nobody says otherwise.
type DefaultsPage struct {
	Frame
	Tabs    []Link
	ETag    string
	When    []FieldView
	Types   []DefaultsOfType
	Problem string
	Summary []ErrorLink
}

// DefaultsOfType are the settings of one type of monitor.
type DefaultsOfType struct {
	Label  string
	Open   bool // something is chosen, or wrong
	Fields []FieldView
}

func (w *Web) defaults(r *request) error { return r.showDefaults(http.StatusOK, nil, nil) }

// showDefaults draws the form; v is what was typed into a refused one.
func (r *request) showDefaults(status int, v url.Values, failure error) error {
	s, err := r.scene(r.t("Defaults"), "Settings", Crumb{r.t("Settings"), "/settings/profile"})
	if err != nil {
		return err
	}
	stored, err := r.web.deps.Manage.MonitorDefaults(r.Request().Context(), r.actor)
	if err != nil {
		return err
	}
	p := DefaultsPage{Frame: s.frame, Tabs: r.settingsTabs("Defaults"), ETag: stored.ETag}
	p.Scripts = []string{formScript}
	values, errs := commonDefaults(stored), map[string]string{}
	if v != nil {
		values = typed(v)
		errs, _ = fieldErrors(s.lang, failure)
	}
	p.When = fieldsOf(s.lang, whenFields(), "", values, errs)
	all := [][]FieldView{p.When}
	for _, kind := range r.web.deps.Manage.MonitorKinds() {
		fields := defaultFields(kind, stored)
		if len(fields) == 0 {
			continue
		}
		own := values
		if v == nil {
			own = typeDefaults(kind, stored)
		}
		t := DefaultsOfType{Label: s.t(kind.Label), Fields: fieldsOf(s.lang, fields, kind.Name+".", own, errs)}
		builtIn := defaultsOf(kind.Name+".", kind.New())
		for _, f := range t.Fields {
			t.Open = t.Open || f.Error != "" || own[f.Name] != builtIn[f.Name]
		}
		p.Types = append(p.Types, t)
		all = append(all, t.Fields)
	}
	p.Problem, p.Summary = problems(s.lang, failure, all...)
	if uptime.CodeOf(failure) == uptime.CodePrecondition {
		p.Problem = s.t("Somebody else changed the defaults while you were editing. Your input is below; save again to overwrite their change.")
	}
	return r.page(status, "defaults", "", p)
}

// defaultFields are the settings of a type that may have a default.
func defaultFields(kind uptime.Kind, stored manage.MonitorDefaultsView) []form.Field {
	var known body
	if json.Unmarshal(stored.Types[kind.Name], &known) != nil {
		return nil
	}
	return slices.DeleteFunc(form.Fields(kind.New()), func(f form.Field) bool { return known[f.Name] == nil })
}

// commonDefaults are those of every type, as inputs by name.
func commonDefaults(d manage.MonitorDefaultsView) map[string]string {
	return map[string]string{
		"interval": d.Interval.String(), "timeout": d.Timeout.String(), "retry_interval": d.RetryInterval.String(),
		"resend_every": d.ResendEvery.String(), "failures_before_down": strconv.Itoa(d.FailuresBeforeDown),
		"successes_before_up": strconv.Itoa(d.SuccessesBeforeUp),
	}
}

// typeDefaults are those of one type, as inputs by name.
func typeDefaults(kind uptime.Kind, d manage.MonitorDefaultsView) map[string]string {
	settings := kind.New()
	if json.Unmarshal(d.Types[kind.Name], settings) != nil {
		settings = kind.New()
	}
	return defaultsOf(kind.Name+".", settings)
}

// defaultsBody is the JSON of the form, over what the page does not show.
func defaultsBody(kinds []uptime.Kind, stored manage.MonitorDefaultsView, v url.Values) (json.RawMessage, error) {
	raw, err := json.Marshal(stored)
	if err != nil {
		return nil, err
	}
	var b, common body
	if err := json.Unmarshal(raw, &b); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(form.FromValues(whenFields(), "", v), &common); err != nil {
		return nil, err
	}
	maps.Copy(b, common)
	for _, kind := range kinds {
		if fields := defaultFields(kind, stored); len(fields) > 0 {
			b[kind.Name] = form.FromValues(fields, kind.Name+".", v)
		}
	}
	return b.json()
}

func (w *Web) defaultsSave(r *request) error {
	v, err := r.FormParams()
	if err != nil {
		return err
	}
	ctx, uses := r.Request().Context(), w.deps.Manage
	stored, err := uses.MonitorDefaults(ctx, r.actor)
	if err != nil {
		return err
	}
	raw, err := defaultsBody(uses.MonitorKinds(), stored, v)
	if err != nil {
		return err
	}
	_, failure := uses.ReplaceMonitorDefaults(ctx, r.actor, raw, v.Get("etag"))
	if failure == nil {
		return r.done("defaults-saved", "/settings/defaults")
	}
	if _, bad := fieldErrors(nil, failure); !bad && uptime.CodeOf(failure) != uptime.CodePrecondition {
		return failure
	}
	return r.showDefaults(http.StatusUnprocessableEntity, v, failure)
}
