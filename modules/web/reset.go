package web

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"monitor/modules/manage"
)

func (w *Web) forgotForm(c echo.Context) error {
	return w.show(c, http.StatusOK, "gate", "layout", w.forgotPage(c, "", nil))
}

// forgot answers the same whether there is such a user or not.
func (w *Web) forgot(c echo.Context) error {
	email := c.FormValue("email")
	err := w.deps.Manage.RequestReset(c.Request().Context(), email, client(c))
	if _, bad := fieldErrors(nil, err); bad {
		return w.show(c, http.StatusUnprocessableEntity, "gate", "layout", w.forgotPage(c, email, err))
	}
	if err != nil {
		return err
	}
	l := languageOf(c)
	return w.show(c, http.StatusOK, "gate", "layout", GatePage{
		Frame: w.outside(c, l.T("Look into your mail")), Heading: l.T("Look into your mail"),
		Lead:  l.T("If somebody here has this address, a link to set a new password is on its way to it. It works for an hour."),
		Aside: &Link{Label: l.T("Back to log-in"), URL: "/login"},
	})
}

func (w *Web) forgotPage(c echo.Context, email string, failure error) GatePage {
	l := languageOf(c)
	p := GatePage{
		Frame: w.outside(c, l.T("Forgot your password")), Heading: l.T("Set a new password"), Action: "/forgot", Submit: l.T("Send me a link"),
		Lead: l.T("A link to set a new one is sent to the address that you log in with."), Aside: &Link{Label: l.T("Back to log-in"), URL: "/login"},
	}
	if !w.deps.Manage.CanReset() {
		p.Submit = ""
		p.Lead = l.T("This installation sends no mail to its users. Ask one of its admins for a new password; " +
			"who can reach the machine sets one with: monitor user reset-password --email YOU")
		return p
	}
	p.Fields = []FieldView{{
		Name: "email", Label: "E-mail", Widget: "input", Type: "email", InputMode: "email", Autocomplete: "username", Value: email, Required: true,
	}}
	blame(l, p.Fields, failure)
	p.Problem, p.Summary = problems(l, failure, p.Fields)
	return p
}

// resetForm is where the mailed link leads. One that is unknown, used or ended is not
// there: all three look the same.
func (w *Web) resetForm(c echo.Context) error {
	user, err := w.deps.Manage.ResetOf(c.Request().Context(), c.Param("token"))
	if err != nil {
		return err
	}
	return w.show(c, http.StatusOK, "gate", "layout", w.resetPage(c, user, nil))
}

func (w *Web) reset(c echo.Context) error {
	in := manage.ResetInput{Token: c.Param("token"), Password: c.FormValue("password"), Client: client(c)}
	failure := w.deps.Manage.Reset(c.Request().Context(), in)
	if failure == nil {
		w.leaveFlash(c, "password-reset")
		return c.Redirect(http.StatusSeeOther, "/login")
	}
	if _, bad := fieldErrors(nil, failure); !bad {
		return failure
	}
	user, err := w.deps.Manage.ResetOf(c.Request().Context(), in.Token)
	if err != nil {
		return err
	}
	return w.show(c, http.StatusUnprocessableEntity, "gate", "layout", w.resetPage(c, user, failure))
}

func (w *Web) resetPage(c echo.Context, user manage.UserView, failure error) GatePage {
	l := languageOf(c)
	p := GatePage{
		Frame: w.outside(c, l.T("Set a new password")), Heading: l.T("Set a new password"), Action: "/reset/" + url.PathEscape(c.Param("token")),
		Lead: l.T("Every session of yours ends with it; passkeys stay."), Submit: l.T("Set password"),
	}
	p.Fields = []FieldView{
		{Name: "email", Label: "E-mail", Widget: "input", Type: "email", Autocomplete: "username", Value: user.Email, ReadOnly: true},
		{
			Name: "password", Label: "New password", Widget: "input", Type: "password", Autocomplete: "new-password", Secret: true,
			Help: lengthAdvice(), Required: true,
		},
	}
	blame(l, p.Fields, failure)
	p.Problem, p.Summary = problems(l, failure, p.Fields)
	return p
}
