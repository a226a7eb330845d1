package web

import (
	"net/http"
	"slices"
	"strings"

	"monitor/modules/lang"
	"monitor/modules/manage"
)

// ProfilePage is what people set of how they see the pages.
type ProfilePage struct {
	Frame
	Tabs    []Link
	Fields  []FieldView
	Lists   []FieldView // how lists are
	Problem string
	Summary []ErrorLink
	Role    string
}

// settingsTabs are the pages of settings that the person may see, the one that is named in
// English as the current one.
func (r *request) settingsTabs(current string) []Link {
	tabs := []Link{{Label: lang.Key("Profile"), URL: "/settings/profile"}, {Label: lang.Key("Security"), URL: "/settings/security"}}
	tabs = append(tabs, Link{Label: lang.Key("API tokens"), URL: "/settings/tokens"})
	if r.web.deps.Manage.Can(r.actor, manage.ChangeMonitor) {
		tabs = append(tabs, Link{Label: lang.Key("Tags"), URL: "/settings/tags"})
	}
	if r.web.deps.Manage.Can(r.actor, manage.ReadUsers) {
		tabs = append(tabs, Link{Label: lang.Key("People"), URL: "/settings/people"})
	}
	if r.web.deps.Manage.Can(r.actor, manage.ReadWallShares) {
		tabs = append(tabs, Link{Label: lang.Key("Wallboards"), URL: "/settings/wallboards"})
	}
	tabs = append(tabs, Link{Label: lang.Key("Workspaces"), URL: "/settings/workspaces"})
	if r.web.deps.Manage.Can(r.actor, manage.ReadSettings) {
		tabs = append(tabs, Link{Label: lang.Key("Defaults"), URL: "/settings/defaults"}, Link{Label: lang.Key("Retention"), URL: "/settings/retention"})
	}
	if r.web.deps.Manage.Can(r.actor, manage.ReadAudit) {
		tabs = append(tabs, Link{Label: lang.Key("Audit log"), URL: "/settings/audit"})
	}
	if r.web.deps.Manage.Can(r.actor, manage.ReadSettings) {
		tabs = append(tabs, Link{Label: lang.Key("About"), URL: "/settings/about"})
	}
	for i := range tabs {
		tabs[i].Current = tabs[i].Label == current
		tabs[i].Label = r.t(tabs[i].Label)
	}
	return tabs
}

func (w *Web) profile(r *request) error { return r.showProfile(http.StatusOK, nil, nil) }

// showProfile draws the form; given holds what was typed into a refused one.
func (r *request) showProfile(status int, given map[string]string, failure error) error {
	s, err := r.scene(r.t("Profile"), "Settings", Crumb{r.t("Settings"), ""})
	if err != nil {
		return err
	}
	p := ProfilePage{Frame: s.frame, Tabs: r.settingsTabs("Profile"), Role: roleWord(s.lang, s.me.Role)}
	p.Fields = []FieldView{
		{Name: "name", Label: "Name", Widget: "input", Type: "text", Autocomplete: "name", MaxLength: 200, Value: stillTyped(given, "name", s.me.Name)},
		{
			Name: "time_zone", Label: "Time zone", Widget: "input", Type: "text", Autocomplete: "off", Placeholder: "Europe/Berlin",
			Help: "As in Europe/Berlin. Every time on these pages is shown in it.", Value: stillTyped(given, "time_zone", s.me.TimeZone),
		},
		themeField(s.lang, stillTyped(given, "theme", themeOf(s.me.Theme))),
		languageField(s.lang, stillTyped(given, "language", s.me.Language)),
	}
	p.Lists = likesFields(s.lang, given, preferencesOf(s.me))
	blame(r.lang(), p.Fields, failure)
	blame(r.lang(), p.Lists, failure)
	p.Problem, p.Summary = problems(r.lang(), failure, slices.Concat(p.Fields, p.Lists))
	return r.page(status, "profile", "", p)
}

// stillTyped is what was typed into a refused form, else what is stored.
func stillTyped(given map[string]string, name, stored string) string {
	if v, ok := given[name]; ok {
		return v
	}
	return stored
}

// retype puts what was typed into a refused form back into its text inputs.
func retype(fields []FieldView, given map[string]string) {
	for i := range fields {
		fields[i].Value = stillTyped(given, fields[i].Name, fields[i].Value)
	}
}

// inputs are what was sent of a form, by name.
func (r *request) inputs(names ...string) map[string]string {
	given := make(map[string]string, len(names))
	for _, name := range names {
		given[name] = r.FormValue(name)
	}
	return given
}

// blame puts what was wrong beside each field.
func blame(l *lang.Language, fields []FieldView, failure error) {
	errs, _ := fieldErrors(l, failure)
	for i := range fields {
		fields[i].Error = errorOf(fields[i].Name, errs)
	}
}

func themeField(l *lang.Language, chosen string) FieldView {
	f := FieldView{Name: "theme", Label: "Theme", Widget: "select"}
	for _, o := range []Option{{Value: "auto", Label: l.T("As the system")}, {Value: "light", Label: l.T("theme|Light")}, {Value: "dark", Label: l.T("theme|Dark")}} {
		o.Selected = o.Value == chosen
		f.Options = append(f.Options, o)
	}
	return f
}

// languageField offers every language by its own name, and the one that was chosen even
// where pages are not in it: they come once they are.
func languageField(l *lang.Language, chosen string) FieldView {
	f := FieldView{Name: "language", Label: "Language", Widget: "select", Options: []Option{{Value: "auto", Label: l.T("As the browser")}}}
	for _, known := range lang.All() {
		f.Options = append(f.Options, Option{Value: known.Tag(), Label: known.Name()})
	}
	known := false
	for i := range f.Options {
		f.Options[i].Selected = f.Options[i].Value == chosen
		known = known || f.Options[i].Selected
	}
	if chosen != "" && !known {
		f.Options = append(f.Options, Option{Value: chosen, Label: chosen, Selected: true})
	}
	return f
}

func (w *Web) profileSave(r *request) error {
	patch := body{}
	if err := patch.set("preferences", r.likes()); err != nil {
		return err
	}
	names := []string{"name", "time_zone", "theme"}
	if r.FormValue("language") != "" { // a form of before has none
		names = append(names, "language")
	}
	return r.savePatch(patch, names, "profile-saved", "/settings/profile", r.refuseProfile)
}

// refuseProfile draws the refused form with all that was chosen in it.
func (r *request) refuseProfile(status int, given map[string]string, failure error) error {
	for _, name := range []string{"density", "page_size", "shortcuts"} {
		given["preferences."+name] = r.FormValue("preferences." + name)
	}
	return r.showProfile(status, given, failure)
}

// saveMe saves the named inputs and leads to back; refuse draws a refused form.
func (r *request) saveMe(names []string, done, back string, refuse func(status int, given map[string]string, failure error) error) error {
	return r.savePatch(body{}, names, done, back, refuse)
}

// savePatch is saveMe on top of a patch.
func (r *request) savePatch(patch body, names []string, done, back string, refuse func(status int, given map[string]string, failure error) error) error {
	given := map[string]string{}
	for _, name := range names {
		text := r.FormValue(name)
		if !strings.Contains(name, "password") {
			text = strings.TrimSpace(text)
			given[name] = text
		}
		if err := patch.set(name, text); err != nil {
			return err
		}
	}
	raw, err := patch.json()
	if err != nil {
		return err
	}
	_, failure := r.web.deps.Manage.UpdateMe(r.Request().Context(), r.actor, raw, "")
	if failure == nil {
		return r.done(done, back)
	}
	if _, bad := fieldErrors(nil, failure); !bad {
		return failure
	}
	return refuse(http.StatusUnprocessableEntity, given, failure)
}

// themeSave is the button in the top bar: it keeps the theme and goes back.
func (w *Web) themeSave(r *request) error {
	return r.keep("theme", themeOf(r.FormValue("theme")), r.back("/"))
}

// keep sets one member of who is logged in and goes on to another page.
func (r *request) keep(member string, value any, to string) error {
	patch := body{}
	if err := patch.set(member, value); err != nil {
		return err
	}
	raw, err := patch.json()
	if err != nil {
		return err
	}
	if _, err := r.web.deps.Manage.UpdateMe(r.Request().Context(), r.actor, raw, ""); err != nil {
		return err
	}
	return r.done("", to)
}
