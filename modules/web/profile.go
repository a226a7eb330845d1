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

// settingsTabs are the pages of settings that the person may see.
func (r *request) settingsTabs(current string) []Link {
	tabs := []Link{{Label: "Profile", URL: "/settings/profile"}, {Label: "Security", URL: "/settings/security"}}
	tabs = append(tabs, Link{Label: "API tokens", URL: "/settings/tokens"})
	if r.web.deps.Manage.Can(r.actor, manage.ChangeMonitor) {
		tabs = append(tabs, Link{Label: "Tags", URL: "/settings/tags"})
	}
	if r.web.deps.Manage.Can(r.actor, manage.ReadUsers) {
		tabs = append(tabs, Link{Label: "People", URL: "/settings/people"})
	}
	if r.web.deps.Manage.Can(r.actor, manage.ReadWallShares) {
		tabs = append(tabs, Link{Label: "Wallboards", URL: "/settings/wallboards"})
	}
	tabs = append(tabs, Link{Label: "Workspaces", URL: "/settings/workspaces"})
	if r.web.deps.Manage.Can(r.actor, manage.ReadSettings) {
		tabs = append(tabs, Link{Label: "Defaults", URL: "/settings/defaults"}, Link{Label: "Retention", URL: "/settings/retention"})
	}
	if r.web.deps.Manage.Can(r.actor, manage.ReadAudit) {
		tabs = append(tabs, Link{Label: "Audit log", URL: "/settings/audit"})
	}
	if r.web.deps.Manage.Can(r.actor, manage.ReadSettings) {
		tabs = append(tabs, Link{Label: "About", URL: "/settings/about"})
	}
	for i := range tabs {
		tabs[i].Current = tabs[i].Label == current
	}
	return tabs
}

func (w *Web) profile(r *request) error { return r.showProfile(http.StatusOK, nil, nil) }

// showProfile draws the form; given holds what was typed into a refused one.
func (r *request) showProfile(status int, given map[string]string, failure error) error {
	s, err := r.scene("Profile", "Settings", Crumb{"Settings", ""})
	if err != nil {
		return err
	}
	p := ProfilePage{Frame: s.frame, Tabs: r.settingsTabs("Profile"), Role: string(s.me.Role)}
	p.Fields = []FieldView{
		{Name: "name", Label: "Name", Widget: "input", Type: "text", Autocomplete: "name", MaxLength: 200, Value: stillTyped(given, "name", s.me.Name)},
		{
			Name: "time_zone", Label: "Time zone", Widget: "input", Type: "text", Autocomplete: "off", Placeholder: "Europe/Berlin",
			Help: "As in Europe/Berlin. Every time on these pages is shown in it.", Value: stillTyped(given, "time_zone", s.me.TimeZone),
		},
		themeField(stillTyped(given, "theme", themeOf(s.me.Theme))),
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

// blame puts what was wrong beside each field.
func blame(l *lang.Language, fields []FieldView, failure error) {
	errs, _ := fieldErrors(l, failure)
	for i := range fields {
		fields[i].Error = errorOf(fields[i].Name, errs)
	}
}

func themeField(chosen string) FieldView {
	f := FieldView{Name: "theme", Label: "Theme", Widget: "select"}
	for _, o := range []Option{{Value: "auto", Label: "As the system"}, {Value: "light", Label: "Light"}, {Value: "dark", Label: "Dark"}} {
		o.Selected = o.Value == chosen
		f.Options = append(f.Options, o)
	}
	return f
}

func (w *Web) profileSave(r *request) error {
	patch := body{}
	if err := patch.set("preferences", r.likes()); err != nil {
		return err
	}
	return r.savePatch(patch, []string{"name", "time_zone", "theme"}, "profile-saved", "/settings/profile", r.refuseProfile)
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
	patch := body{}
	if err := patch.set("theme", themeOf(r.FormValue("theme"))); err != nil {
		return err
	}
	raw, err := patch.json()
	if err != nil {
		return err
	}
	if _, err := w.deps.Manage.UpdateMe(r.Request().Context(), r.actor, raw, ""); err != nil {
		return err
	}
	return r.done("", r.back("/"))
}
