package web

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func (w *Web) loginForm(c echo.Context) error {
	needs, err := w.deps.Manage.NeedsSetup(c.Request().Context())
	if err != nil {
		return err
	}
	if needs {
		return c.Redirect(http.StatusSeeOther, "/setup")
	}
	next := safeNext(c.QueryParam("next"))
	if _, err := w.actor(c); err == nil {
		return c.Redirect(http.StatusSeeOther, next)
	}
	return w.show(c, http.StatusOK, "gate", "layout", w.loginPage(c, manage.LoginInput{}, next, ""))
}

func (w *Web) login(c echo.Context) error {
	next := safeNext(c.FormValue("next"))
	in := manage.LoginInput{
		Email: c.FormValue("email"), Password: c.FormValue("password"), Remember: c.FormValue("remember") != "", Client: client(c),
	}
	session, err := w.deps.Manage.LoginSession(c.Request().Context(), in)
	if err == nil {
		w.setSession(c, session)
		return c.Redirect(http.StatusSeeOther, next)
	}
	var e *uptime.Error
	if !errors.As(err, &e) || e.Code == uptime.CodeInternal || e.Code == uptime.CodeUnavailable {
		return err
	}
	problem := e.Detail
	status := http.StatusUnprocessableEntity
	if e.Code == uptime.CodeLimited {
		status = http.StatusTooManyRequests
		w.setRetryAfter(c, err, status)
		problem = "Too many attempts. Try again in " + span(e.RetryAfter) + "."
	}
	return w.show(c, status, "gate", "layout", w.loginPage(c, in, next, problem))
}

func (w *Web) loginPage(c echo.Context, in manage.LoginInput, next, problem string) GatePage {
	return GatePage{
		Frame: w.outside(c, "Log in"), Heading: "Log in", Action: "/login", Submit: "Log in", Next: next,
		Remember: true, Remembered: in.Remember, Problem: problem,
		Fields: []FieldView{
			{Name: "email", Label: "E-mail", Widget: "input", Type: "email", InputMode: "email", Autocomplete: "username", Value: in.Email},
			{Name: "password", Label: "Password", Widget: "input", Type: "password", Autocomplete: "current-password", Secret: true},
		},
	}
}

func (w *Web) logout(r *request) error {
	if err := w.deps.Manage.LogoutActor(r.Request().Context(), r.actor); err != nil {
		return err
	}
	w.dropCookie(r.Context, sessionCookie)
	return r.done("logged-out", "/login")
}
