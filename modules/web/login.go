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
	if session.Ticket != "" {
		w.setTicket(c, session.Ticket)
		return c.Redirect(http.StatusSeeOther, codeURL(next, false))
	}
	status, problem, known := w.loginProblem(c, err)
	if !known {
		return err
	}
	return w.show(c, status, "gate", "layout", w.loginPage(c, in, next, problem))
}

// loginProblem is what the log-in page says of a failure; not known: it is ours.
func (w *Web) loginProblem(c echo.Context, err error) (status int, problem string, known bool) {
	e, ok := errors.AsType[*uptime.Error](err)
	if !ok || e.Code == uptime.CodeInternal || e.Code == uptime.CodeUnavailable {
		return 0, "", false
	}
	l := languageOf(c)
	if e.Code != uptime.CodeLimited {
		return http.StatusUnprocessableEntity, l.Said(e.Detail), true
	}
	w.setRetryAfter(c, err, http.StatusTooManyRequests)
	return http.StatusTooManyRequests, l.T("Too many attempts. Try again in %s.", l.Span(e.RetryAfter)), true
}

func (w *Web) loginPage(c echo.Context, in manage.LoginInput, next, problem string) GatePage {
	l := languageOf(c)
	p := GatePage{
		Frame: w.outside(c, l.T("Log in")), Heading: l.T("Log in"), Action: "/login", Submit: l.T("Log in"), Next: next,
		Remember: true, Remembered: in.Remember, Problem: problem, Aside: &Link{Label: l.T("Forgot your password?"), URL: "/forgot"},
		Fields: []FieldView{
			{Name: "email", Label: "E-mail", Widget: "input", Type: "email", InputMode: "email", Autocomplete: "username", Value: in.Email},
			{Name: "password", Label: "Password", Widget: "input", Type: "password", Autocomplete: "current-password", Secret: true},
		},
		Passkey: w.passkeyOffer(c, "login", "/login/passkey", next),
	}
	if name := w.deps.Manage.OIDCName(); name != "" {
		p.Elsewhere = &Link{Label: l.T("Log in with %s", name), URL: oidcLink(next)}
	}
	p.Scripts = append(p.Scripts, formScript)
	if p.Passkey.Why == "" {
		p.Fields[0].Autocomplete = "username webauthn"
		p.Scripts = append(p.Scripts, keysScript)
	}
	return p
}

func (w *Web) logout(r *request) error {
	if err := w.deps.Manage.LogoutActor(r.Request().Context(), r.actor); err != nil {
		return err
	}
	w.dropCookie(r.Context, sessionCookie)
	return r.done("logged-out", "/login")
}
