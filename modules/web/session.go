package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

const sessionCookie = "monitor_session"

// formScript tells of mistakes while a form is filled in, and keeps what was typed into one
// whose session has ended.
const formScript = "js/form.js"

// request is one request of somebody who is logged in.
type request struct {
	echo.Context
	web   *Web
	actor uptime.Actor
	now   time.Time
}

// withSession lets in who has a session and the right. Others go to the log-in
// page or hear 403; where there is no user yet, everybody goes to set-up.
func (w *Web) withSession(handle page, needs manage.Action) echo.HandlerFunc {
	return func(c echo.Context) error {
		actor, err := w.actor(c)
		if uptime.CodeOf(err) == uptime.CodeUnauthorized && err != nil {
			return w.sendToLogin(c)
		}
		if err != nil {
			return err
		}
		if !w.deps.Manage.Can(actor, needs) {
			return &forbidden{actor: actor, action: needs}
		}
		if c.Request().Method == http.MethodPost && !w.sameWorkspace(c, actor) {
			return uptime.Fail(uptime.CodeConflict, "You have gone to another workspace since this page was opened, so nothing was changed. Go back to the one it is of, or open the page anew.")
		}
		w.readFresh(c, actor)
		r := &request{Context: c, web: w, actor: actor, now: w.deps.Clock()}
		if err := handle(r); err != nil {
			return &failed{err: err, request: r}
		}
		return nil
	}
}

// sameWorkspace reports that a form was drawn in the workspace that the session is in now:
// another page of the same browser may have gone elsewhere. Forms about things that have
// an id need not say.
func (w *Web) sameWorkspace(c echo.Context, actor uptime.Actor) bool {
	drawn := c.FormValue("workspace")
	return drawn == "" || drawn == strconv.FormatInt(actor.WorkspaceID, 10)
}

// actor reads the session of a request and sets its cookie again when its end
// was moved.
func (w *Web) actor(c echo.Context) (uptime.Actor, error) {
	cookie, err := c.Cookie(sessionCookie)
	if err != nil || cookie.Value == "" {
		return uptime.Actor{}, uptime.Fail(uptime.CodeUnauthorized, "Log in.")
	}
	actor, moved, err := w.deps.Manage.ActorOfSession(c.Request().Context(), cookie.Value, c.RealIP())
	if err != nil {
		return uptime.Actor{}, err
	}
	speak(c, actor.Language)
	if moved != nil {
		w.setSession(c, *moved)
	}
	return actor, nil
}

func (w *Web) setSession(c echo.Context, s manage.Session) {
	cookie := w.cookie(c, sessionCookie, s.Cookie) //nolint:gosec // see cookie
	if s.Persistent {
		cookie.Expires = s.ExpiresAt
	}
	c.SetCookie(cookie)
}

// secure reports whether the browser speaks TLS: to us, to a proxy that we
// trust, or to one that is not named but stands at the public address.
func (w *Web) secure(c echo.Context) bool {
	r := uptime.RequestOf(c.Request().Context())
	public, err := url.Parse(w.deps.PublicURL)
	return r.Secure || err == nil && public.Scheme == "https" && public.Host == r.Host
}

func (w *Web) cookie(c echo.Context, name, value string) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure wherever the browser speaks TLS; at home there may be none
		Name: name, Value: value, Path: "/", HttpOnly: true,
		Secure: w.secure(c), SameSite: http.SameSiteLaxMode,
	}
}

// dropCookie makes the browser forget it.
func (w *Web) dropCookie(c echo.Context, name string) {
	cookie := w.cookie(c, name, "") //nolint:gosec // see cookie
	cookie.MaxAge = -1
	c.SetCookie(cookie)
}

// sendToLogin sends a browser to the log-in page and back afterwards. Streams
// and fragments, which cannot follow, hear 401.
func (w *Web) sendToLogin(c echo.Context) error {
	r := c.Request()
	if isFragment(r) || r.URL.Path == "/events" {
		c.Response().Header().Set("HX-Redirect", "/login")
		return c.NoContent(http.StatusUnauthorized)
	}
	needs, err := w.deps.Manage.NeedsSetup(r.Context())
	if err != nil {
		return err
	}
	if needs {
		return c.Redirect(http.StatusSeeOther, "/setup")
	}
	target, next := "/login", r.URL.RequestURI()
	if r.Method == http.MethodPost {
		next = cameFrom(r)
	}
	if next != "/" {
		target += "?next=" + url.QueryEscape(next)
	}
	return c.Redirect(http.StatusSeeOther, target)
}

// cameFrom is the page of ours on which a form was sent, "/" where that is not known.
func cameFrom(r *http.Request) string {
	from, err := url.Parse(r.Referer())
	if err != nil || from.Host != asKnown(r).Host {
		return "/"
	}
	return safeNext(from.RequestURI())
}

// safeNext keeps a way back within this site: a path from the root that no
// browser reads as another host. Anything else is "/".
func safeNext(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") {
		return "/"
	}
	for _, r := range next {
		if r == '\\' || r < ' ' || r == 0x7f {
			return "/"
		}
	}
	u, err := url.Parse(next)
	if err != nil || u.Host != "" || u.Scheme != "" || strings.HasPrefix(u.Path, "//") {
		return "/"
	}
	if u.Path == "/login" || strings.HasPrefix(u.Path, "/login/") || u.Path == "/logout" || u.Path == "/setup" {
		return "/"
	}
	return next
}

// isFragment reports whether a script asks for a part of the page.
func isFragment(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// failed carries an error of a page with its request, so that the error page
// keeps the frame of somebody who is logged in.
type failed struct {
	err     error
	request *request
}

func (f *failed) Error() string { return f.err.Error() }
func (f *failed) Unwrap() error { return f.err }

// forbidden says which right is missing.
type forbidden struct {
	actor  uptime.Actor
	action manage.Action
}

func (f *forbidden) Error() string { return "may not " + string(f.action) }

// fieldErrors gives the messages of an error by field, as a language says them, and
// whether it is about fields at all.
func fieldErrors(l *lang.Language, err error) (map[string]string, bool) {
	var e *uptime.Error
	if !errors.As(err, &e) {
		return nil, false
	}
	switch e.Code {
	case uptime.CodeInvalid, uptime.CodeConflict, uptime.CodeMalformed, uptime.CodeForbidden:
	default:
		return nil, false
	}
	out := map[string]string{}
	for _, f := range e.Fields {
		if _, ok := out[f.Field]; !ok {
			out[f.Field] = l.Said(f.Message)
		}
	}
	return out, len(out) > 0 || e.Code == uptime.CodeConflict || e.Code == uptime.CodeInvalid
}
