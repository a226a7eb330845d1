package web

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
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
	actor, err := w.actor(c) // first: it says the language
	l := languageOf(c)
	p := GatePage{
		Frame: w.outside(c, l.T("Accept the invitation")), Heading: l.T("Join %s", invited.Workspace), Action: here,
		Lead: l.T("You were invited as %s.", invitedAs(l, invited.Role)),
	}
	switch {
	case err != nil:
		p.Lead += " " + l.T("You have an account, %s: log in with it to accept.", invited.Email)
		p.Aside = &Link{Label: l.T("Log in"), URL: "/login?next=" + url.QueryEscape(here)}
	case actor.UserID != invited.ID:
		p.Lead += " " + l.T("The invitation is for %s, and you are logged in as somebody else. Log out, then open the link again.", invited.Email)
		p.Aside = &Link{Label: l.T("Back to the overview"), URL: "/"}
	default:
		p.Submit = l.T("Join")
		p.Lead += " " + l.T("Your passkeys, your other sessions and your link to a provider end with it; set them up again afterwards.")
		if invited.HasPassword {
			p.Fields = []FieldView{{Name: "current_password", Label: "Current password", Widget: "input", Type: "password", Autocomplete: "current-password", Secret: true}}
		}
	}
	return p
}

func (w *Web) invitePage(c echo.Context, user manage.InvitationView, in manage.InviteInput, failure error) GatePage {
	l := languageOf(c)
	errs, _ := fieldErrors(l, failure)
	p := GatePage{
		Frame: w.outside(c, l.T("Accept the invitation")), Heading: l.T("Welcome"), Action: "/invite/" + url.PathEscape(in.Token),
		Lead:   l.T("You were invited to %s as %s. Choose a password, and you are in.", user.Workspace, invitedAs(l, user.Role)),
		Submit: l.T("Create account"), FillZone: in.TimeZone == "",
	}
	field := func(f FieldView) {
		f.Widget, f.Error = "input", errorOf(f.Name, errs)
		p.Fields = append(p.Fields, f)
	}
	field(FieldView{Name: "email", Label: "E-mail", Type: "email", Autocomplete: "username", Value: user.Email, ReadOnly: true, Help: "You log in with it."})
	field(FieldView{Name: "name", Label: "Your name", Type: "text", Autocomplete: "name", Value: in.Name, MaxLength: 200})
	field(FieldView{Name: "password", Label: "Password", Type: "password", Autocomplete: "new-password", Secret: true, Help: lengthAdvice(), Required: true})
	field(FieldView{
		Name: "time_zone", Label: "Time zone", Type: "text", Value: in.TimeZone, Placeholder: "Europe/Berlin", Autocomplete: "off",
		Help: "As in Europe/Berlin. Empty is that of this instance.",
	})
	p.Problem, p.Summary = problems(l, failure, p.Fields)
	return p
}

// invitedAs names a role in the sentences that say as what somebody was invited.
func invitedAs(l *lang.Language, role uptime.Role) string {
	switch role {
	case uptime.RoleViewer:
		return l.T("invited as|a viewer")
	case uptime.RoleEditor:
		return l.T("invited as|an editor")
	case uptime.RoleAdmin:
		return l.T("invited as|an admin")
	case uptime.RoleOwner:
		return l.T("invited as|an owner")
	}
	return string(role)
}
