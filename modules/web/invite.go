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
	invited, err := w.deps.Manage.Invited(c.Request().Context(), c.Param("token"))
	if err != nil {
		return err
	}
	if invited.HasAccount {
		return w.show(c, http.StatusOK, "gate", "layout", w.joinPage(c, invited))
	}
	in := manage.InviteInput{Token: c.Param("token"), Name: invited.Name, TimeZone: invited.TimeZone}
	return w.show(c, http.StatusOK, "gate", "layout", w.invitePage(c, invited, in, nil))
}

// invite accepts the invitation and logs in; who has an account is logged in already.
func (w *Web) invite(c echo.Context) error {
	ctx, token := c.Request().Context(), c.Param("token")
	invited, err := w.deps.Manage.Invited(ctx, token)
	if err != nil {
		return err
	}
	if invited.HasAccount {
		return w.join(c, invited)
	}
	in := manage.InviteInput{
		Token: token, Name: c.FormValue("name"), Password: c.FormValue("password"),
		TimeZone: c.FormValue("time_zone"), Client: client(c),
	}
	session, failure := w.deps.Manage.AcceptInvite(ctx, in)
	if failure == nil {
		w.noteWrite(c, session.User.ID)
		w.setSession(c, session)
		return c.Redirect(http.StatusSeeOther, "/")
	}
	if _, bad := fieldErrors(nil, failure); !bad {
		return failure
	}
	return w.show(c, http.StatusUnprocessableEntity, "gate", "layout", w.invitePage(c, invited, in, failure))
}

func (w *Web) join(c echo.Context, invited manage.InvitationView) error {
	actor, err := w.actor(c)
	if err != nil || actor.UserID != invited.ID {
		return w.show(c, http.StatusOK, "gate", "layout", w.joinPage(c, invited))
	}
	failure := w.deps.Manage.JoinWorkspace(c.Request().Context(), actor, c.Param("token"), c.FormValue("current_password"))
	if _, bad := fieldErrors(nil, failure); failure != nil && bad {
		p := w.joinPage(c, invited)
		blame(languageOf(c), p.Fields, failure)
		p.Problem, p.Summary = problems(languageOf(c), failure, p.Fields)
		return w.show(c, http.StatusUnprocessableEntity, "gate", "layout", p)
	}
	if failure != nil {
		return failure
	}
	w.noteWrite(c, actor.UserID)
	w.leaveFlash(c, "workspace-entered")
	return c.Redirect(http.StatusSeeOther, "/")
}

// joinPage asks somebody who has an account whether they come along.
func (w *Web) joinPage(c echo.Context, invited manage.InvitationView) GatePage {
	here := "/invite/" + url.PathEscape(c.Param("token"))
	p := GatePage{
		Frame: w.outside(c, "Accept the invitation"), Heading: "Join " + invited.Workspace, Action: here,
		Lead: "You were invited as " + article(string(invited.Role)) + ".",
	}
	switch actor, err := w.actor(c); {
	case err != nil:
		p.Lead += " You have an account, " + invited.Email + ": log in with it to accept."
		p.Aside = &Link{Label: "Log in", URL: "/login?next=" + url.QueryEscape(here)}
	case actor.UserID != invited.ID:
		p.Lead += " The invitation is for " + invited.Email + ", and you are logged in as somebody else. Log out, then open the link again."
		p.Aside = &Link{Label: "Back to the overview", URL: "/"}
	default:
		p.Submit = "Join"
		p.Lead += " Your passkeys, your other sessions and your link to a provider end with it; set them up again afterwards."
		if invited.HasPassword {
			p.Fields = []FieldView{{Name: "current_password", Label: "Current password", Widget: "input", Type: "password", Autocomplete: "current-password", Secret: true}}
		}
	}
	return p
}

func (w *Web) invitePage(c echo.Context, user manage.InvitationView, in manage.InviteInput, failure error) GatePage {
	errs, _ := fieldErrors(languageOf(c), failure)
	p := GatePage{
		Frame: w.outside(c, "Accept the invitation"), Heading: "Welcome", Action: "/invite/" + url.PathEscape(in.Token),
		Lead:   "You were invited to " + user.Workspace + " as " + article(string(user.Role)) + ". Choose a password, and you are in.",
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
	p.Problem, p.Summary = problems(languageOf(c), failure, p.Fields)
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
