package web

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// ticketCookie holds a log-in that still needs a one-time code. It goes nowhere but to
// the log-in pages.
const ticketCookie = "monitor_ticket"

// setTicket keeps it for as long as it is good at most; "" forgets it.
func (w *Web) setTicket(c echo.Context, ticket string) {
	cookie := w.cookie(c, ticketCookie, ticket) //nolint:gosec // see cookie
	cookie.Path, cookie.MaxAge = "/login", 600
	if ticket == "" {
		cookie.MaxAge = -1
	}
	c.SetCookie(cookie)
}

// codeURL asks for a code, or for a recovery code.
func codeURL(next string, recovery bool) string {
	q := url.Values{"next": {next}}
	if recovery {
		q.Set("recovery", "1")
	}
	return "/login/2fa?" + q.Encode()
}

func (w *Web) codeForm(c echo.Context) error {
	next := safeNext(c.QueryParam("next"))
	if cookie, err := c.Cookie(ticketCookie); err != nil || cookie.Value == "" {
		return c.Redirect(http.StatusSeeOther, "/login?"+url.Values{"next": {next}}.Encode())
	}
	return w.show(c, http.StatusOK, "gate", "layout", w.codePage(c, next, c.QueryParam("recovery") != "", ""))
}

// code ends the log-in.
func (w *Web) code(c echo.Context) error {
	session, err := w.deps.Manage.LoginTicket(c.Request().Context(), ticketOf(c), c.FormValue("code"), client(c))
	return w.endCode(c, session, err, safeNext(c.FormValue("next")), c.FormValue("recovery") != "")
}

func ticketOf(c echo.Context) string {
	if cookie, err := c.Cookie(ticketCookie); err == nil {
		return cookie.Value
	}
	return ""
}

// endCode goes on after a code or a passkey, or says what was wrong with it.
func (w *Web) endCode(c echo.Context, session manage.Session, err error, next string, recovery bool) error {
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
	if uptime.CodeOf(err) == uptime.CodeSecondFactor {
		w.setTicket(c, "")
		return w.show(c, status, "gate", "layout", w.loginPage(c, manage.LoginInput{}, next, problem))
	}
	return w.show(c, status, "gate", "layout", w.codePage(c, next, recovery, problem))
}

func (w *Web) codePage(c echo.Context, next string, recovery bool, problem string) GatePage {
	l := languageOf(c)
	p := GatePage{
		Frame: w.outside(c, l.T("One-time code")), Heading: l.T("One-time code"), Action: "/login/2fa", Submit: l.T("Log in"), Next: next, Problem: problem,
		Send: "code", Aside: &Link{Label: l.T("Use a recovery code"), URL: codeURL(next, true)},
		Fields: []FieldView{{
			Name: "code", Label: "Code", Widget: "input", Type: "text", InputMode: "numeric", Autocomplete: "one-time-code", Big: true,
			Help: "Six digits from the app on your phone.",
		}},
	}
	if party, why := w.party(c); why == "" && w.deps.Manage.TicketPasskeys(c.Request().Context(), ticketOf(c), party) {
		p.Passkey = w.passkeyOffer(c, "factor", "/login/2fa/passkey", next)
		p.Scripts = append(p.Scripts, keysScript)
	}
	if recovery {
		p.Heading, p.Send, p.Recovery = l.T("Recovery code"), "", true
		p.Aside = &Link{Label: l.T("Use a code from the app"), URL: codeURL(next, false)}
		p.Fields[0] = FieldView{
			Name: "code", Label: "Recovery code", Widget: "input", Type: "text", Autocomplete: "off", Code: true,
			Help: "One of those that you kept when you set the second factor up. It works once.",
		}
	}
	return p
}

// FactorPage sets the second factor up.
type FactorPage struct {
	Frame
	Tabs    []Link
	QR      QR
	Secret  string // as sent
	Spelled string // as typed by hand
	Fields  []FieldView
	Problem string
	Summary []ErrorLink
}

// SecretMark is the secret as typed by hand, as markup.
func (p FactorPage) SecretMark() template.HTML {
	//nolint:gosec // it is escaped
	return template.HTML(`<span class="secret-text">` + template.HTMLEscapeString(p.Spelled) + `</span>`)
}

// CodesPage shows recovery codes, once.
type CodesPage struct {
	Frame
	Tabs  []Link
	Codes []string
}

func (w *Web) factor(r *request) error {
	v, err := w.deps.Manage.NewTOTP(r.Request().Context(), r.actor)
	if err != nil {
		return err
	}
	return r.showFactor(http.StatusOK, v, nil)
}

func (r *request) showFactor(status int, v manage.TOTPView, failure error) error {
	s, err := r.scene(r.t("Second factor"), "Settings", Crumb{r.t("Settings"), "/settings/profile"}, Crumb{r.t("Security"), "/settings/security"})
	if err != nil {
		return err
	}
	code, err := newQR(v.URL)
	if err != nil {
		return err
	}
	p := FactorPage{Frame: s.frame, Tabs: r.settingsTabs("Security"), QR: code, Secret: v.Secret, Spelled: spelled(v.Secret)}
	p.Fields = []FieldView{
		{
			Name: "totp_code", Label: "Code", Widget: "input", Type: "text", InputMode: "numeric", Autocomplete: "one-time-code", Required: true,
			Help: "The six digits that the app shows now.",
		},
		{Name: "current_password", Label: "Current password", Widget: "input", Type: "password", Autocomplete: "current-password", Secret: true, Required: true},
	}
	blame(s.lang, p.Fields, failure)
	p.Problem, p.Summary = problems(s.lang, failure, p.Fields)
	return r.page(status, "factor", "", p)
}

// spelled puts a space after each four letters.
func spelled(secret string) string {
	var out strings.Builder
	for i, letter := range secret {
		if i > 0 && i%4 == 0 {
			out.WriteByte(' ')
		}
		out.WriteRune(letter)
	}
	return out.String()
}

// factorOn turns the second factor on and shows the recovery codes.
func (w *Web) factorOn(r *request) error {
	ctx := r.Request().Context()
	patch := body{"totp": []byte("true")}
	for _, name := range []string{"totp_secret", "totp_code", "current_password"} {
		if err := patch.set(name, r.FormValue(name)); err != nil {
			return err
		}
	}
	raw, err := patch.json()
	if err != nil {
		return err
	}
	me, failure := w.deps.Manage.UpdateMe(ctx, r.actor, raw, "")
	if failure == nil {
		return r.showCodes(me.RecoveryCodes)
	}
	if _, bad := fieldErrors(nil, failure); !bad {
		return failure
	}
	v, err := w.deps.Manage.TOTPOf(ctx, r.actor, r.FormValue("totp_secret"))
	if err != nil {
		return err
	}
	return r.showFactor(http.StatusUnprocessableEntity, v, failure)
}

func (r *request) showCodes(codes []string) error {
	s, err := r.scene(r.t("Recovery codes"), "Settings", Crumb{r.t("Settings"), "/settings/profile"}, Crumb{r.t("Security"), "/settings/security"})
	if err != nil {
		return err
	}
	return r.page(http.StatusOK, "codes", "", CodesPage{Frame: s.frame, Tabs: r.settingsTabs("Security"), Codes: codes})
}

// factorOff turns it off.
func (w *Web) factorOff(r *request) error {
	return r.savePatch(body{"totp": []byte("false")}, []string{"current_password"}, "factor-off", "/settings/security", r.showSecurity)
}

// factorCodes makes new recovery codes.
func (w *Web) factorCodes(r *request) error {
	v, failure := w.deps.Manage.NewRecoveryCodes(r.Request().Context(), r.actor, r.FormValue("current_password"))
	if failure == nil {
		return r.showCodes(v.RecoveryCodes)
	}
	if _, bad := fieldErrors(nil, failure); !bad {
		return failure
	}
	return r.showSecurity(http.StatusUnprocessableEntity, nil, failure)
}
