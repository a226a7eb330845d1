package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// holdingTicket is a browser whose password was right.
func holdingTicket(r *http.Request) {
	anonymous(r)
	r.AddCookie(&http.Cookie{Name: ticketCookie, Value: "ticket"})
}

func asOwner(f *fake) { f.role = uptime.RoleOwner }

// accessShots are the pages of log-in, security and audit.
func accessShots() []shot {
	ok, bad := http.StatusOK, http.StatusUnprocessableEntity
	return []shot{
		{"login-code", "/login/2fa?next=/monitors", nil, ok, nil, holdingTicket},
		{"login-code-refused", "/login/2fa", url.Values{"code": {hostile}, "next": {"/monitors"}}, bad, nil, holdingTicket},
		{"login-recovery", "/login/2fa?recovery=1", nil, ok, nil, holdingTicket},
		{"login-code-late", "/login/2fa", url.Values{"code": {"123456"}}, bad, nil, anonymous},
		{"login-oidc", "/login?next=/monitors", nil, ok, withProvider("Acme"), anonymous},
		{"login-oidc-long", "/login", nil, ok, withProvider("The single sign-on of a company with a rather long name & co"), anonymous},
		{"login-oidc-away", "/login/oidc?next=/monitors", nil, http.StatusServiceUnavailable, func(f *fake) {
			f.oidc, f.failure = "Acme", uptime.Fail(uptime.CodeUnavailable, "Acme does not answer at the moment. Try again in a minute, or log in with a password.")
		}, anonymous},
		{"login-oidc-denied", "/login/oidc/callback?error=access_denied&error_description=" + url.QueryEscape(hostile), nil, http.StatusForbidden, func(f *fake) {
			f.oidc, f.failure = "Acme", uptime.Fail(uptime.CodeForbidden, "Acme did not let you in: you declined, or may not use this there.")
		}, anonymous},
		{"security-oidc", "/settings/security", nil, ok, withProvider("Acme"), nil},
		{"forgot", "/forgot", nil, ok, nil, anonymous},
		{"forgot-refused", "/forgot", url.Values{"email": {""}}, bad, nil, anonymous},
		{"forgot-sent", "/forgot", url.Values{"email": {hostile}}, ok, nil, anonymous},
		{"forgot-no-mail", "/forgot", nil, ok, func(f *fake) { f.fresh = true }, anonymous},
		{"reset", "/reset/rst_ok", nil, ok, nil, anonymous},
		{"reset-refused", "/reset/rst_ok", url.Values{"password": {"short"}}, bad, nil, anonymous},
		{"join", "/invite/inv_mine", nil, ok, nil, nil},
		{"join-log-in", "/invite/inv_known", nil, ok, nil, anonymous},
		{"join-not-yours", "/invite/inv_known", nil, ok, nil, nil},
		{"workspaces", "/settings/workspaces", nil, ok, asOwner, nil},
		{"workspaces-editor", "/settings/workspaces", nil, ok, func(f *fake) { f.role = uptime.RoleEditor }, nil},
		{"workspaces-refused", "/settings/workspaces/new", url.Values{"name": {hostile}, "time_zone": {hostile}}, bad, func(f *fake) {
			asOwner(f)
			f.failure = uptime.Invalid(uptime.FieldError{Field: "time_zone", Message: "must be a time zone such as Europe/Berlin"})
		}, nil},
		{"workspaces-delete", "/settings/workspaces/delete", nil, ok, asOwner, nil},
		{"tokens", "/settings/tokens", nil, ok, nil, nil},
		{"tokens-empty", "/settings/tokens", nil, ok, func(f *fake) { f.empty = true }, nil},
		{"tokens-made", "/settings/tokens", url.Values{"name": {"deploy"}, "role": {"editor"}, "scope_read": {"on"}, "expires_at": {"90"}}, ok, nil, nil},
		{"tokens-refused", "/settings/tokens", url.Values{"name": {hostile}, "role": {"owner"}}, bad, func(f *fake) {
			f.failure = uptime.Invalid(uptime.FieldError{Field: "name", Message: "is required"}, uptime.FieldError{Field: "scopes", Message: "must have at least 1 entry"})
		}, nil},
		{"people", "/settings/people", nil, ok, asOwner, nil},
		{"people-invited", "/settings/people", url.Values{"email": {"new@example.com"}, "role": {"editor"}}, ok, asOwner, nil},
		{"people-refused", "/settings/people", url.Values{"email": {hostile}, "role": {"king"}}, bad, func(f *fake) {
			asOwner(f)
			f.failure = uptime.Invalid(uptime.FieldError{Field: "email", Message: "must be an e-mail address"})
		}, nil},
		{"person", "/settings/people/4", nil, ok, asOwner, nil},
		{"person-hostile", "/settings/people/3", nil, ok, asOwner, nil},
		{"person-refused", "/settings/people/1", url.Values{"role": {"viewer"}}, bad, func(f *fake) {
			asOwner(f)
			f.failure = uptime.Fail(uptime.CodeConflict, "The last owner can be neither removed nor disabled, nor given another role.")
		}, nil},
		{"person-remove", "/settings/people/3/remove", nil, ok, asOwner, nil},
		{"audit", "/settings/audit", nil, ok, nil, nil},
		{"audit-none", "/settings/audit?object=token", nil, ok, nil, nil},
		{"security-on", "/settings/security", nil, ok, func(f *fake) { f.factor = true }, nil},
		{"factor", "/settings/security/totp", nil, ok, nil, nil},
		{"factor-refused", "/settings/security/totp", url.Values{"totp_code": {hostile}}, bad, func(f *fake) {
			f.failure = uptime.Invalid(uptime.FieldError{Field: "totp_code", Message: "is not the code of this secret at the moment; is the clock of your device right?"})
		}, nil},
		{"codes", "/settings/security/totp", url.Values{"totp_code": {"123456"}}, ok, nil, nil},
		{"codes-refused", "/settings/security/recovery", url.Values{"current_password": {"wrong"}}, bad, func(f *fake) { f.factor = true }, nil},
	}
}

func cookieOf(t *testing.T, rec *httptest.ResponseRecorder, name string) *http.Cookie {
	t.Helper()
	for _, c := range rec.Result().Cookies() {
		if c.Name == name {
			return c
		}
	}
	require.Fail(t, "no cookie", name)
	return nil
}

func TestLoginWithACode(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	rec := ask(w, "/login", url.Values{"email": {"mia@example.com"}, "password": {"needs a code"}, "next": {"/monitors?q=a&b"}}, anonymous)
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, "/login/2fa?next=%2Fmonitors%3Fq%3Da%26b", rec.Header().Get("Location"))
	ticket := cookieOf(t, rec, ticketCookie)
	require.Equal(t, "/login", ticket.Path, "it goes nowhere else")
	require.True(t, ticket.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, ticket.SameSite)
	for _, c := range rec.Result().Cookies() {
		require.NotEqual(t, sessionCookie, c.Name, "a password alone is no session")
	}

	rec = ask(w, "/login/2fa", url.Values{"code": {"123 456"}, "next": {"/monitors"}}, holdingTicket)
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, "/monitors", rec.Header().Get("Location"))
	require.Equal(t, "ok", cookieOf(t, rec, sessionCookie).Value)
	require.Negative(t, cookieOf(t, rec, ticketCookie).MaxAge)
	rec = ask(w, "/login/2fa", url.Values{"code": {"123456"}, "next": {"//evil.example"}}, holdingTicket)
	require.Equal(t, "/", rec.Header().Get("Location"))
	rec = ask(w, "/login/2fa?next=/monitors", nil, anonymous)
	require.Equal(t, "/login?next=%2Fmonitors", rec.Header().Get("Location"), "without a ticket the password comes first")
}

func TestPasswordLink(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	rec := ask(w, "/reset/rst_ok", url.Values{"password": {"correct horse battery"}}, anonymous)
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, "/login", rec.Header().Get("Location"), "nobody is logged in by a mail")
	require.Equal(t, map[string]any{"reset": "done"}, f.lastSaved(t))
	for _, path := range []string{"/reset/rst_nope", "/reset/x", "/reset/" + strings.Repeat("x", 3000)} {
		require.Equal(t, http.StatusNotFound, ask(w, path, nil, anonymous).Code, path)
	}
	known := ask(w, "/forgot", url.Values{"email": {"mia@example.com"}}, anonymous).Body.String()
	unknown := ask(w, "/forgot", url.Values{"email": {"nobody@example.com"}}, anonymous).Body.String()
	require.Equal(t, known, unknown)
	f.failure = uptime.Fail(uptime.CodeUnavailable, "Too many mails wait.")
	require.Equal(t, http.StatusServiceUnavailable, ask(w, "/forgot", url.Values{"email": {"mia@example.com"}}, anonymous).Code)
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	rec := ask(w, "/settings/sessions/end", url.Values{"id": {"phone"}})
	require.Equal(t, "/settings/security", rec.Header().Get("Location"))
	require.Equal(t, map[string]any{"ended": "phone"}, f.lastSaved(t))
	ask(w, "/settings/sessions/end", url.Values{})
	require.Equal(t, map[string]any{"ended": "others"}, f.lastSaved(t))
	require.Equal(t, http.StatusNotFound, ask(w, "/settings/sessions/end", url.Values{"id": {"somebody else's"}}).Code)
}

func TestAuditAsCSV(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	// The samples' older page is the same: one is enough.
	rec := ask(w, "/settings/audit.csv?object=token", nil)
	require.Equal(t, http.StatusOK, rec.Code)
	require.Equal(t, "text/csv; charset=utf-8", rec.Header().Get("Content-Type"))
	require.Contains(t, rec.Header().Get("Content-Disposition"), "attachment")
	require.Equal(t, "time,who,email,token_id,action,object_type,object_id,address,detail\n", rec.Body.String())
	for text, want := range map[string]string{"": "", "Mia": "Mia", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1"} {
		require.Equal(t, want, cell(text))
	}
	f.role = uptime.RoleEditor
	require.Equal(t, http.StatusForbidden, ask(w, "/settings/audit.csv", nil).Code)
	require.Equal(t, http.StatusForbidden, ask(w, "/settings/audit", nil).Code)
}

func TestBrowserOf(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                        "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0": "Edge on Windows",
		"curl/8.14.1": "curl",
		"":            "An unnamed program",
	} {
		require.Equal(t, want, browserOf(nil, header), header)
	}
}
