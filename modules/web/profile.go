package web

import (
	"net/http"
	"strings"
)

// ProfilePage is what people set of themselves.
type ProfilePage struct {
	Frame
	Fields   []FieldView
	Password []FieldView
	Themes   []Option
	Problem  string
	Summary  []ErrorLink
	Role     string
}

func (w *Web) profile(r *request) error { return r.showProfile(http.StatusOK, nil, nil) }

// showProfile draws both forms; given holds what was typed into a refused one.
func (r *request) showProfile(status int, given map[string]string, failure error) error {
	s, err := r.scene("Profile", "Settings", Crumb{"Settings", ""})
	if err != nil {
		return err
	}
	errs, _ := fieldErrors(failure)
	value := func(name, stored string) string {
		if v, ok := given[name]; ok {
			return v
		}
		return stored
	}
	p := ProfilePage{Frame: s.frame, Role: string(s.me.Role)}
	p.Fields = []FieldView{
		{Name: "name", Label: "Name", Widget: "input", Type: "text", Autocomplete: "name", MaxLength: 200, Value: value("name", s.me.Name)},
		{
			Name: "time_zone", Label: "Time zone", Widget: "input", Type: "text", Autocomplete: "off", Placeholder: "Europe/Berlin",
			Help: "As in Europe/Berlin. Every time on these pages is shown in it.", Value: value("time_zone", s.me.TimeZone),
		},
		themeField(value("theme", themeOf(s.me.Theme))),
	}
	p.Password = []FieldView{
		{Name: "email", Label: "E-mail", Widget: "input", Type: "email", InputMode: "email", Autocomplete: "username", Value: value("email", s.me.Email)},
		{Name: "current_password", Label: "Current password", Widget: "input", Type: "password", Autocomplete: "current-password", Secret: true},
		{
			Name: "password", Label: "New password", Widget: "input", Type: "password", Autocomplete: "new-password", Secret: true,
			Help: lengthAdvice + " Empty: it stays as it is.",
		},
	}
	for _, group := range [][]FieldView{p.Fields, p.Password} {
		for i := range group {
			group[i].Error = errorOf(group[i].Name, errs)
		}
	}
	p.Problem, p.Summary = problems(failure, p.Fields, p.Password)
	return r.page(status, "profile", "", p)
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
	return r.saveMe([]string{"name", "time_zone", "theme"}, "profile-saved")
}

// passwordSave changes what one logs in with.
func (w *Web) passwordSave(r *request) error {
	if r.FormValue("password") == "" {
		return r.saveMe([]string{"email", "current_password"}, "profile-saved")
	}
	return r.saveMe([]string{"email", "current_password", "password"}, "password-saved")
}

// saveMe saves the named inputs.
func (r *request) saveMe(names []string, done string) error {
	patch, given := body{}, map[string]string{}
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
		return r.done(done, "/settings/profile")
	}
	if _, bad := fieldErrors(failure); !bad {
		return failure
	}
	return r.showProfile(http.StatusUnprocessableEntity, given, failure)
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
