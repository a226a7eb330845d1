package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// oidcCookie holds a log-in that is under way at the provider. It goes nowhere else.
const (
	oidcCookie = "monitor_oidc"
	oidcPath   = "/login/oidc"
)

// setOIDC keeps it for as long as it is good at most; "" forgets it.
func (w *Web) setOIDC(c echo.Context, ticket string) {
	cookie := w.cookie(c, oidcCookie, ticket) //nolint:gosec // see cookie
	cookie.Path, cookie.MaxAge = oidcPath, 600
	if ticket == "" {
		cookie.MaxAge = -1
	}
	c.SetCookie(cookie)
}

// oidcLink is where a log-in at the provider begins.
func oidcLink(next string) string {
	if next == "/" {
		return oidcPath
	}
	return oidcPath + "?" + url.Values{"next": {next}}.Encode()
}

// oidcStart sends the browser to the provider.
func (w *Web) oidcStart(c echo.Context) error {
	needs, err := w.deps.Manage.NeedsSetup(c.Request().Context())
	if err != nil {
		return err
	}
	if needs {
		return c.Redirect(http.StatusSeeOther, "/setup")
	}
	next := safeNext(c.QueryParam("next"))
	if there, ok := w.publicOIDC(c, next); ok {
		return c.Redirect(http.StatusSeeOther, there)
	}
	start, err := w.deps.Manage.StartOIDC(c.Request().Context(), next)
	if err != nil {
		return w.oidcFailed(c, next, err)
	}
	w.setOIDC(c, start.Ticket)
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.Redirect(http.StatusSeeOther, start.URL)
}

// publicOIDC leads a browser that came by another name to the public one, once: the
// provider sends it back there, where cookies of the other name do not go.
func (w *Web) publicOIDC(c echo.Context, next string) (string, bool) {
	public, err := url.Parse(w.deps.PublicURL)
	host := uptime.RequestOf(c.Request().Context()).Host
	if err != nil || public.Host == "" || host == public.Host || c.QueryParam("moved") != "" {
		return "", false
	}
	return public.Scheme + "://" + public.Host + oidcPath + "?" + url.Values{"next": {next}, "moved": {"1"}}.Encode(), true
}

// oidcCallback is where the provider sends the browser back to.
func (w *Web) oidcCallback(c echo.Context) error {
	in := manage.OIDCInput{
		State: c.QueryParam("state"), Error: c.QueryParam("error"), Client: client(c),
		Answer: uptime.OIDCAnswer{Code: c.QueryParam("code"), Issuer: c.QueryParam("iss")},
	}
	if cookie, err := c.Cookie(oidcCookie); err == nil {
		in.Ticket = cookie.Value
		w.setOIDC(c, "")
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	session, next, err := w.deps.Manage.LoginOIDC(c.Request().Context(), in)
	next = safeNext(next)
	if err != nil {
		return w.oidcFailed(c, next, err)
	}
	w.noteWrite(c, session.User.ID)
	w.setSession(c, session)
	return c.Redirect(http.StatusSeeOther, next)
}

// oidcFailed shows the log-in page with what went wrong, also where the provider is
// away: a password may work meanwhile.
func (w *Web) oidcFailed(c echo.Context, next string, err error) error {
	status, problem, known := w.loginProblem(c, err)
	if e, ok := errors.AsType[*uptime.Error](err); ok && e.Code == uptime.CodeUnavailable {
		status, problem, known = http.StatusServiceUnavailable, languageOf(c).Said(e.Detail), true
		w.setRetryAfter(c, err, status)
	}
	if !known {
		return err
	}
	if uptime.CodeOf(err) == uptime.CodeForbidden {
		status = http.StatusForbidden
	}
	return w.show(c, status, "gate", "layout", w.loginPage(c, manage.LoginInput{}, next, problem))
}
