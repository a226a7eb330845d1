package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

const (
	// passkeyCookie holds what the answer of a passkey is judged by. It goes nowhere but
	// to where passkeys are used or made.
	passkeyCookie    = "monitor_passkey"
	passkeyLoginPath = "/login"
	keysPath         = "/settings/security/passkeys"
	keysScript       = "js/passkey.js"
)

// PasskeyOffer is a form that a script sends once a browser has answered. Without the
// script, or in a browser that knows no passkeys, it is not to be seen.
type PasskeyOffer struct {
	Kind    string // "login", "factor" or "create"
	Why     string // there can be none here; "": there can
	Action  string // Action + "/options" tells what to ask the browser
	Origin  string // where it works
	Next    string
	Problem string
}

// PasskeyRow is one of the person's.
type PasskeyRow struct {
	Name, URL   string
	Elsewhere   string // the host that it works at, where that is another one
	Synced      bool
	Added, Used When
}

func (w *Web) passkeyOffer(c echo.Context, kind, action, next string) *PasskeyOffer {
	party, why := w.party(c)
	return &PasskeyOffer{Kind: kind, Why: languageOf(c).T(why), Action: action, Origin: party.Origin, Next: next}
}

// setPasskey keeps the state of a ceremony for as long as it is good at most; "" forgets it.
func (w *Web) setPasskey(c echo.Context, path, state string) {
	cookie := w.cookie(c, passkeyCookie, state) //nolint:gosec // see cookie
	cookie.Path, cookie.MaxAge = path, 300
	if state == "" {
		cookie.MaxAge = -1
	}
	c.SetCookie(cookie)
}

// passkeyAnswer reads what a browser sent, and forgets the state: it is good for one try.
func (w *Web) passkeyAnswer(c echo.Context, path string) manage.PasskeyAnswer {
	party, _ := w.party(c)
	in := manage.PasskeyAnswer{
		Answer: []byte(c.FormValue("answer")), Party: party, Remember: c.FormValue("remember") != "", Client: client(c),
	}
	if cookie, err := c.Cookie(passkeyCookie); err == nil {
		in.State = cookie.Value
	}
	w.setPasskey(c, path, "")
	return in
}

// passkeyOptions answers a script with what to ask its browser, or why not.
type passkeyOptions struct {
	Options json.RawMessage `json:"options,omitempty"`
	Problem string          `json:"problem,omitempty"`
}

func (w *Web) answerCeremony(c echo.Context, path string, made manage.Ceremony, err error) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	if err == nil {
		w.setPasskey(c, path, made.State)
		return c.JSON(http.StatusOK, passkeyOptions{Options: made.Options})
	}
	status, problem, known := w.loginProblem(c, err)
	if !known {
		return err
	}
	l := languageOf(c)
	if errs, _ := fieldErrors(l, err); len(errs) > 0 {
		var parts []string
		for _, field := range []struct{ name, label string }{{"name", lang.Key("Name")}, {"current_password", lang.Key("Current password")}} {
			if text, bad := errs[field.name]; bad {
				parts = append(parts, l.T(field.label)+" "+text+".")
			}
		}
		problem = strings.Join(parts, " ")
	}
	return c.JSON(status, passkeyOptions{Problem: problem})
}

// noPasskeys answers a script where there can be none.
func noPasskeys(c echo.Context, why string) error {
	return c.JSON(http.StatusUnprocessableEntity, passkeyOptions{Problem: languageOf(c).T(why)})
}

func (w *Web) passkeyLoginOptions(c echo.Context) error {
	party, why := w.party(c)
	if why != "" {
		return noPasskeys(c, why)
	}
	made, err := w.deps.Manage.BeginPasskeyLogin(c.Request().Context(), party)
	return w.answerCeremony(c, passkeyLoginPath, made, err)
}

// passkeyLogin is a whole log-in.
func (w *Web) passkeyLogin(c echo.Context) error {
	next := safeNext(c.FormValue("next"))
	in := w.passkeyAnswer(c, passkeyLoginPath)
	session, err := w.deps.Manage.LoginPasskey(c.Request().Context(), in)
	if err == nil {
		w.setTicket(c, "")
		w.noteWrite(c, session.User.ID)
		w.setSession(c, session)
		return c.Redirect(http.StatusSeeOther, next)
	}
	status, problem, known := w.loginProblem(c, err)
	if !known {
		return err
	}
	return w.show(c, status, "gate", "layout", w.loginPage(c, manage.LoginInput{Remember: in.Remember}, next, problem))
}

func (w *Web) passkeyFactorOptions(c echo.Context) error {
	party, why := w.party(c)
	if why != "" {
		return noPasskeys(c, why)
	}
	made, err := w.deps.Manage.BeginPasskeyFactor(c.Request().Context(), ticketOf(c), party)
	return w.answerCeremony(c, passkeyLoginPath, made, err)
}

// passkeyFactor ends a log-in whose password was right.
func (w *Web) passkeyFactor(c echo.Context) error {
	session, err := w.deps.Manage.LoginTicketPasskey(c.Request().Context(), ticketOf(c), w.passkeyAnswer(c, passkeyLoginPath))
	return w.endCode(c, session, err, safeNext(c.FormValue("next")), false)
}

// passkeyNewOptions asks for the password first.
func (w *Web) passkeyNewOptions(r *request) error {
	party, why := w.party(r.Context)
	if why != "" {
		return noPasskeys(r.Context, why)
	}
	made, err := w.deps.Manage.BeginPasskey(r.Request().Context(), r.actor, manage.NewPasskey{
		Name: r.FormValue("name"), CurrentPassword: r.FormValue("current_password"), Party: party,
	})
	return w.answerCeremony(r.Context, keysPath, made, err)
}

func (w *Web) passkeyCreate(r *request) error {
	_, failure := w.deps.Manage.CreatePasskey(r.Request().Context(), r.actor, w.passkeyAnswer(r.Context, keysPath))
	if failure == nil {
		return r.done("passkey-added", "/settings/security")
	}
	if _, bad := fieldErrors(nil, failure); !bad {
		return failure
	}
	return r.showSecurity(http.StatusUnprocessableEntity, nil, failure)
}

func (w *Web) passkeyRename(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	failure := w.deps.Manage.RenamePasskey(r.Request().Context(), r.actor, id, r.FormValue("name"))
	if failure == nil {
		return r.done("passkey-renamed", "/settings/security")
	}
	if _, bad := fieldErrors(nil, failure); !bad {
		return failure
	}
	return r.showSecurity(http.StatusUnprocessableEntity, nil, failure)
}

func passkeyURL(id int64) string { return keysPath + "/" + strconv.FormatInt(id, 10) }

func (w *Web) passkeyConfirmDelete(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	list, err := w.deps.Manage.OwnPasskeys(r.Request().Context(), r.actor)
	if err != nil {
		return err
	}
	for _, one := range list.Items {
		if one.ID != id {
			continue
		}
		s, err := r.scene(r.t("Remove"), "Settings", Crumb{r.t("Settings"), "/settings/profile"}, Crumb{r.t("Security"), "/settings/security"})
		if err != nil {
			return err
		}
		return r.page(http.StatusOK, "confirm", "", ConfirmPage{
			Frame: s.frame, Question: r.t("Remove passkey %s?", one.Name), Verb: r.t("Remove passkey"),
			Lost:   r.t("It logs nobody in any more. Sessions that it began go on, and your device may still offer it until you remove it there, too."),
			Action: passkeyURL(id) + "/delete", Cancel: "/settings/security",
		})
	}
	return fmt.Errorf("passkey %d: %w", id, uptime.ErrNotFound)
}

func (w *Web) passkeyDelete(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	if err := w.deps.Manage.DeletePasskey(r.Request().Context(), r.actor, id); err != nil {
		return err
	}
	return r.done("passkey-removed", "/settings/security")
}

// passkeys gives the rows of the person and the form that adds one.
func (r *request) passkeys(s *scene) (rows []PasskeyRow, fields []FieldView, offer *PasskeyOffer, err error) {
	list, err := r.web.deps.Manage.OwnPasskeys(r.Request().Context(), r.actor)
	if err != nil {
		return nil, nil, nil, err
	}
	party, _ := r.web.party(r.Context)
	for _, one := range list.Items {
		row := PasskeyRow{Name: one.Name, URL: passkeyURL(one.ID), Synced: one.Synced, Added: s.when(one.CreatedAt), Used: s.whenPtr(one.LastUsedAt)}
		if one.Host != party.ID {
			row.Elsewhere = one.Host
		}
		rows = append(rows, row)
	}
	fields = []FieldView{
		{
			Name: "name", Label: "Name", Widget: "input", Type: "text", Autocomplete: "off", MaxLength: 60, Value: browserOf(s.lang, r.Request().UserAgent()),
			Help: "To tell your passkeys apart.", Suffix: "-passkey",
		},
		{
			Name: "current_password", Label: "Current password", Widget: "input", Type: "password", Autocomplete: "current-password",
			Secret: true, Required: true, Suffix: "-passkey",
		},
	}
	offer = r.web.passkeyOffer(r.Context, "create", keysPath, "")
	if !s.me.Password && offer.Why == "" {
		offer = &PasskeyOffer{Why: s.t("Adding one asks for a password here, and you have none.")}
	}
	return rows, fields, offer, nil
}
