package web

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"monitor/modules/manage"
)

// inviteForm is where an invitation leads. One that is unknown, used or ended is
// not there: all three look the same.
func (w *Web) inviteForm(c echo.Context) error {
	user, err := w.deps.Manage.Invited(c.Request().Context(), c.Param("token"))
	if err != nil {
		return err
	}
	in := manage.InviteInput{Token: c.Param("token"), Name: user.Name, TimeZone: user.TimeZone}
	return w.show(c, http.StatusOK, "gate", "layout", w.invitePage(c, user, in, nil))
}

// invite accepts the invitation and logs in.
func (w *Web) invite(c echo.Context) error {
	in := manage.InviteInput{
		Token: c.Param("token"), Name: c.FormValue("name"), Password: c.FormValue("password"),
		TimeZone: c.FormValue("time_zone"), Client: client(c),
	}
	session, failure := w.deps.Manage.AcceptInvite(c.Request().Context(), in)
	if failure == nil {
		w.noteWrite(c, session.User.ID)
		w.setSession(c, session)
		return c.Redirect(http.StatusSeeOther, "/")
	}
	if _, bad := fieldErrors(failure); !bad {
		return failure
	}
	user, err := w.deps.Manage.Invited(c.Request().Context(), in.Token)
	if err != nil {
		return err
	}
	return w.show(c, http.StatusUnprocessableEntity, "gate", "layout", w.invitePage(c, user, in, failure))
}

func (w *Web) invitePage(c echo.Context, user manage.UserView, in manage.InviteInput, failure error) GatePage {
	errs, _ := fieldErrors(failure)
	p := GatePage{
		Frame: w.outside(c, "Accept the invitation"), Heading: "Welcome", Action: "/invite/" + url.PathEscape(in.Token),
		Lead:   "You were invited as " + article(string(user.Role)) + ". Choose a password, and you are in.",
		Submit: "Create account", FillZone: in.TimeZone == "",
	}
	field := func(f FieldView) {
		f.Widget, f.Error = "input", errorOf(f.Name, errs)
		p.Fields = append(p.Fields, f)
	}
	field(FieldView{Name: "email", Label: "E-mail", Type: "email", Autocomplete: "username", Value: user.Email, ReadOnly: true, Help: "You log in with it."})
	field(FieldView{Name: "name", Label: "Your name", Type: "text", Autocomplete: "name", Value: in.Name, MaxLength: 200})
	field(FieldView{Name: "password", Label: "Password", Type: "password", Autocomplete: "new-password", Secret: true, Help: lengthAdvice, Required: true})
	field(FieldView{
		Name: "time_zone", Label: "Time zone", Type: "text", Value: in.TimeZone, Placeholder: "Europe/Berlin", Autocomplete: "off",
		Help: "As in Europe/Berlin. Empty is that of this instance.",
	})
	p.Problem, p.Summary = problems(failure, p.Fields)
	return p
}

// article puts "a" or "an" before a role.
func article(role string) string {
	switch role[:min(1, len(role))] {
	case "a", "e", "i", "o", "u":
		return "an " + role
	}
	return "a " + role
}
