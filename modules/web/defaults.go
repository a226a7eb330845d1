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
	Behind  *DefaultsBehind // after a change
	Problem string
	Summary []ErrorLink
}

// DefaultsBehind are the monitors that still have a default of before.
type DefaultsBehind struct {
	Monitors int64
	Change   int64 // of the defaults
	Values   []AuditChange
	Back     string
}

// DefaultsOfType are the settings of one type of monitor.
type DefaultsOfType struct {
	Label  string
	Open   bool // something is chosen, or wrong
	Fields []FieldView
}

func (w *Web) defaults(r *request) error { return r.showDefaults(http.StatusOK, nil, nil) }

// behind counts the monitors that have what a change of the defaults replaced; nil where
// none do, or the defaults were changed again.
func (r *request) behind(change int64) (*DefaultsBehind, error) {
	if change == 0 || !r.web.deps.Manage.Can(r.actor, manage.ChangeMonitor) {
		return nil, nil //nolint:nilnil // there are none, and that is no error
	}
	v := url.Values{"action": {manage.BulkDefaults}, "all": {"1"}, "change": {strconv.FormatInt(change, 10)}}
	dry, err := r.web.askBulk(r, v, true)
	if _, bad := fieldErrors(nil, err); bad || err == nil && dry.Changed == 0 {
		return nil, nil //nolint:nilnil // as above
	}
	return &DefaultsBehind{Monitors: int64(dry.Changed), Change: change, Values: valuesOf(dry.Action), Back: defaultsAfter(change)}, err
}

// defaultsAfter is the page once a change was saved.
func defaultsAfter(change int64) string {
	if change == 0 {
		return "/settings/defaults"
	}
	return "/settings/defaults?change=" + strconv.FormatInt(change, 10)
}

// valuesOf says what an action changes from what to what, where it says so itself.
func valuesOf(action json.RawMessage) (out []AuditChange) {
	var a struct {
		From body `json:"from"`
		Into body `json:"into"`
	}
	if json.Unmarshal(action, &a) != nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(a.From)) {
		out = append(out, memberChanges(name, a.From[name], a.Into[name])...)
	}
	for i := range out {
		out[i].Before, out[i].After = uptime.CleanLine(out[i].Before, 100), uptime.CleanLine(out[i].After, 100)
	}
	return out
}

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
	if p.Behind, err = r.behind(idOf(r.QueryParam("change"))); err != nil {
		return err
	}
	values, errs := storedDefaults(r.web.deps.Manage.MonitorKinds(), stored), map[string]string{}
	if v != nil {
		values = typed(v)
		errs, _ = fieldErrors(s.lang, failure)
	}
	p.fill(s, r.web.deps.Manage.MonitorKinds(), stored, values, errs)
	p.Problem, p.Summary = problems(s.lang, failure, p.groups()...)
	if uptime.CodeOf(failure) == uptime.CodePrecondition {
		p.Problem = s.t("Somebody else changed the defaults while you were editing. Your input is below; save again to overwrite their change.")
	}
	return r.page(status, "defaults", "", p)
}

// fill draws the inputs, those of each type apart.
func (p *DefaultsPage) fill(s *scene, kinds []uptime.Kind, stored manage.MonitorDefaultsView, values, errs map[string]string) {
	p.When = fieldsOf(s.lang, whenFields(), "", values, errs)
	for _, kind := range kinds {
		if fields := defaultFields(kind, stored); len(fields) > 0 {
			drawn := fieldsOf(s.lang, fields, kind.Name+".", values, errs)
			p.Types = append(p.Types, DefaultsOfType{Label: s.t(kind.Label), Open: standsOut(kind, drawn, values), Fields: drawn})
		}
	}
}

// groups are all inputs of the form.
func (p *DefaultsPage) groups() [][]FieldView {
	all := [][]FieldView{p.When}
	for _, t := range p.Types {
		all = append(all, t.Fields)
	}
	return all
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

// storedDefaults are all that the page shows, as inputs by name.
func storedDefaults(kinds []uptime.Kind, d manage.MonitorDefaultsView) map[string]string {
	values := commonDefaults(d)
	for _, kind := range kinds {
		maps.Copy(values, typeDefaults(kind, d))
	}
	return values
}

// standsOut reports whether a setting of a type is not as the program has it, or wrong.
func standsOut(kind uptime.Kind, drawn []FieldView, values map[string]string) bool {
	builtIn := defaultsOf(kind.Name+".", kind.New())
	return slices.ContainsFunc(drawn, func(f FieldView) bool { return f.Error != "" || values[f.Name] != builtIn[f.Name] })
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
	saved, failure := uses.ReplaceMonitorDefaults(ctx, r.actor, raw, v.Get("etag"))
	if failure == nil {
		return r.done("defaults-saved", defaultsAfter(saved.Change))
	}
	if _, bad := fieldErrors(nil, failure); !bad && uptime.CodeOf(failure) != uptime.CodePrecondition {
		return failure
	}
	return r.showDefaults(http.StatusUnprocessableEntity, v, failure)
}
