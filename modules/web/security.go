package web

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/mileusna/useragent"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// SecurityPage is what somebody logs in with, and where they are logged in.
type SecurityPage struct {
	Frame
	Tabs      []Link
	Fields    []FieldView
	Elsewhere bool   // there is no password
	Provider  string // where one logs in, "" where that is not known
	CanReset  bool
	TOTP      bool
	Factor    []FieldView // what turning it off asks for
	Problem   string
	Summary   []ErrorLink
	Sessions  []SessionRow

	Passkeys      []PasskeyRow
	PasskeyFields []FieldView // what adding one asks for
	Passkey       *PasskeyOffer
}

// SessionRow is one log-in.
type SessionRow struct {
	ID, Browser, Address string
	Current              bool
	Began, Seen          When
}

func (w *Web) security(r *request) error { return r.showSecurity(http.StatusOK, nil, nil) }

// showSecurity draws the form and the sessions; given holds what was typed into a
// refused form.
func (r *request) showSecurity(status int, given map[string]string, failure error) error {
	s, err := r.scene(r.t("Security"), "Settings", Crumb{r.t("Settings"), "/settings/profile"})
	if err != nil {
		return err
	}
	list, err := r.web.deps.Manage.OwnSessions(r.Request().Context(), r.actor)
	if err != nil {
		return err
	}
	p := SecurityPage{
		Frame: s.frame, Tabs: r.settingsTabs("Security"), TOTP: s.me.TOTP, Fields: loginFields(stillTyped(given, "email", s.me.Email)), Factor: factorOffFields(),
		Elsewhere: !s.me.Password, Provider: r.web.deps.Manage.OIDCName(), CanReset: r.web.deps.Manage.CanReset(),
	}
	for _, one := range list.Items {
		p.Sessions = append(p.Sessions, s.sessionRow(one))
	}
	if p.Passkeys, p.PasskeyFields, p.Passkey, err = r.passkeys(s); err != nil {
		return err
	}
	if p.Passkey.Why == "" {
		p.Scripts = append(p.Scripts, keysScript)
	}
	refused := p.fieldsAt(r.Request().URL.Path)
	blame(r.lang(), refused, failure)
	p.Problem, p.Summary = problems(r.lang(), failure, refused)
	return r.page(status, "security", "", p)
}

// loginFields change what one logs in with.
func loginFields(email string) []FieldView {
	return []FieldView{
		{Name: "email", Label: "E-mail", Widget: "input", Type: "email", InputMode: "email", Autocomplete: "username", Value: email},
		{Name: "current_password", Label: "Current password", Widget: "input", Type: "password", Autocomplete: "current-password", Secret: true},
		{
			Name: "password", Label: "New password", Widget: "input", Type: "password", Autocomplete: "new-password", Secret: true,
			Help: "At least 12 characters. A few words that only you would put together are best. Empty: it stays as it is.",
		},
	}
}

// factorOffFields are what turning the second factor off asks for.
func factorOffFields() []FieldView {
	return []FieldView{{
		Name: "current_password", Label: "Current password", Widget: "input", Type: "password", Autocomplete: "current-password", Secret: true, Suffix: "-factor",
	}}
}

// fieldsAt are those of the form that is posted to a path. What is wrong with a passkey
// stands beside no input.
func (p *SecurityPage) fieldsAt(path string) []FieldView {
	switch {
	case strings.HasPrefix(path, keysPath):
		return nil
	case strings.HasPrefix(path, "/settings/security/"):
		return p.Factor
	}
	return p.Fields
}

func (s *scene) sessionRow(v manage.SessionView) SessionRow {
	return SessionRow{
		ID: v.ID, Browser: browserOf(s.lang, v.UserAgent), Address: v.Address, Current: v.Current,
		Began: s.when(v.CreatedAt), Seen: s.when(v.LastSeenAt),
	}
}

// browserOf names the program of a User-Agent header, as in "Firefox on Linux".
func browserOf(l *lang.Language, header string) string {
	agent := useragent.Parse(header)
	name := cmp.Or(agent.Name, firstWord(header), l.T("An unnamed program"))
	if agent.OS != "" {
		name = l.T("browser|%s on %s", name, agent.OS)
	}
	return uptime.Clean(name, 60)
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return word
}

// securitySave changes what one logs in with.
func (w *Web) securitySave(r *request) error {
	names, done := []string{"email", "current_password", "password"}, "password-saved"
	if r.FormValue("password") == "" {
		names, done = names[:2], "profile-saved"
	}
	return r.saveMe(names, done, "/settings/security", r.showSecurity)
}

// sessionEnd logs out of one session, or of all others.
func (w *Web) sessionEnd(r *request) error {
	ctx, id := r.Request().Context(), r.FormValue("id")
	if id == "" {
		if err := w.deps.Manage.LogoutOthers(ctx, r.actor); err != nil {
			return err
		}
		return r.done("sessions-ended", "/settings/security")
	}
	if err := w.deps.Manage.EndOwnSession(ctx, r.actor, id); err != nil {
		return err
	}
	return r.done("session-ended", "/settings/security")
}
