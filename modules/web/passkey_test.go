package web

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// holding is a browser with the state of a ceremony.
func holding(state string) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: passkeyCookie, Value: state}) }
}

// passkeyShots are pages that tell of passkeys.
func passkeyShots() []shot {
	ok, bad := http.StatusOK, http.StatusUnprocessableEntity
	plainHTTP := from(uptime.Request{Address: "192.0.2.10", Host: "monitor.local:8080"})
	return []shot{
		{"login-no-passkeys", "/login", nil, ok, nil, func(r *http.Request) { anonymous(r); plainHTTP(r) }},
		{"login-passkey-refused", "/login/passkey", url.Values{"answer": {hostile}, "next": {"/monitors"}, "remember": {"on"}}, bad, nil, anonymous},
		{"login-code-passkey", "/login/2fa?next=/monitors", nil, ok, func(f *fake) { f.factor = true }, holdingTicket},
		{"login-code-passkey-refused", "/login/2fa/passkey", url.Values{"answer": {hostile}, "next": {"/monitors"}}, bad, func(f *fake) { f.factor = true }, holdingTicket},
		{"security-no-passkeys", "/settings/security", nil, ok, func(f *fake) { f.empty = true }, nil},
		{"security-passkeys-elsewhere", "/settings/security", nil, ok, nil, plainHTTP},
		{"passkey-refused", "/settings/security/passkeys", url.Values{"answer": {hostile}}, bad, nil, nil},
		{"passkey-rename-refused", "/settings/security/passkeys/1/rename", url.Values{"name": {strings.Repeat(hostile, 3)}}, bad, nil, nil},
		{"passkey-delete", "/settings/security/passkeys/2/delete", nil, ok, nil, nil},
	}
}

func TestParty(t *testing.T) {
	t.Parallel()
	local := uptime.Request{Host: "localhost:8080", Local: true}
	for _, c := range []struct {
		public  string
		request uptime.Request
		id      string
		origin  string
	}{
		{"https://monitor.example.com", uptime.Request{Host: "evil.example"}, "monitor.example.com", "https://monitor.example.com"},
		{"https://Monitor.Example.com:443/", local, "monitor.example.com", "https://monitor.example.com"},
		{"https://monitor.example.com:8443/monitor", local, "monitor.example.com", "https://monitor.example.com:8443"},
		{"https://müller.example", local, "xn--mller-kva.example", "https://xn--mller-kva.example"},
		{"http://localhost:8080", local, "localhost", "http://localhost:8080"},
		{"http://monitor.localhost", local, "monitor.localhost", "http://monitor.localhost"},
		{"http://monitor.example.com", local, "", ""},
		{"https://192.0.2.1", local, "", ""},
		{"https://[2001:db8::1]:8443", local, "", ""},
		{"", local, "localhost", "http://localhost:8080"},
		{"", uptime.Request{Host: "localhost", Local: true}, "localhost", "http://localhost"},
		{"", uptime.Request{Host: "localhost:80", Local: true}, "localhost", "http://localhost"},
		{"", uptime.Request{Host: "localhost:8443", Local: true, Secure: true}, "localhost", "https://localhost:8443"},
		{"", uptime.Request{Host: "localhost:8080"}, "", ""}, // a stranger says so
		{"", uptime.Request{Host: "127.0.0.1:8080", Local: true}, "", ""},
		{"", uptime.Request{Host: "[::1]:8080", Local: true}, "", ""},
		{"", uptime.Request{Host: "monitor.example.com", Secure: true}, "", ""},
		{"", uptime.Request{}, "", ""},
	} {
		f := &fake{role: uptime.RoleOwner, theme: "auto"}
		w, err := New(Deps{Manage: f, Bus: f, Clock: sampleNow, Log: slog.New(slog.DiscardHandler), Random: sampleName, PublicURL: c.public})
		require.NoError(t, err)
		r := httptest.NewRequestWithContext(uptime.WithRequest(t.Context(), c.request), http.MethodGet, "/", nil)
		party, why := w.party(w.echo.NewContext(r, httptest.NewRecorder()))
		require.Equal(t, uptime.RelyingParty{ID: c.id, Origin: c.origin}, party, "%q %+v", c.public, c.request)
		require.Equal(t, c.id == "", why != "", "%q %+v", c.public, c.request)
	}
}

func TestLoginByPasskey(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	rec := ask(w, "/login/passkey/options", url.Values{}, anonymous)
	require.Equal(t, http.StatusOK, rec.Code)
	require.JSONEq(t, `{"options":{"rpId":"localhost"}}`, rec.Body.String())
	require.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
	state := cookieOf(t, rec, passkeyCookie)
	require.Equal(t, "state of a log-in", state.Value)
	require.Equal(t, "/login", state.Path)
	require.Equal(t, 300, state.MaxAge)
	require.True(t, state.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, state.SameSite)

	in := url.Values{"answer": {"right"}, "next": {"/monitors?q=a"}, "remember": {"on"}}
	rec = ask(w, "/login/passkey", in, anonymous, holding(state.Value))
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, "/monitors?q=a", rec.Header().Get("Location"))
	require.Equal(t, "ok", cookieOf(t, rec, sessionCookie).Value)
	require.False(t, cookieOf(t, rec, sessionCookie).Expires.IsZero())
	require.Negative(t, cookieOf(t, rec, passkeyCookie).MaxAge)
	in.Set("next", "//evil.example")
	rec = ask(w, "/login/passkey", in, anonymous, holding(state.Value))
	require.Equal(t, "/", rec.Header().Get("Location"))
	rec = ask(w, "/login/passkey", in, anonymous)
	require.Equal(t, http.StatusUnprocessableEntity, rec.Code)
	require.Contains(t, rec.Body.String(), "This passkey is not known here")
	require.Contains(t, rec.Body.String(), `name="remember" value="on" checked`)
	require.Negative(t, cookieOf(t, rec, passkeyCookie).MaxAge)
	rec = ask(w, "/login/passkey", in, anonymous, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
	require.Equal(t, http.StatusForbidden, rec.Code)

	stranger := from(uptime.Request{Host: "localhost:8080"})
	rec = ask(w, "/login/passkey/options", url.Values{}, anonymous, stranger)
	require.Equal(t, http.StatusUnprocessableEntity, rec.Code)
	require.Contains(t, rec.Body.String(), "http.public_url")
	f.failure = &uptime.Error{Code: uptime.CodeLimited, RetryAfter: 30e9}
	require.Equal(t, http.StatusTooManyRequests, ask(w, "/login/passkey", in, anonymous, holding(state.Value)).Code)
	f.failure = uptime.ErrUnavailable
	require.Equal(t, http.StatusServiceUnavailable, ask(w, "/login/passkey", in, anonymous, holding(state.Value)).Code)
	require.Equal(t, http.StatusServiceUnavailable, ask(w, "/login/passkey/options", url.Values{}, anonymous).Code)
}

func TestSecondFactorByPasskey(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	require.NotContains(t, ask(w, "/login/2fa", nil, holdingTicket).Body.String(), "data-passkey", "who has none is not asked for one")
	f.factor = true
	require.Contains(t, ask(w, "/login/2fa", nil, holdingTicket).Body.String(), `data-passkey="factor"`)
	rec := ask(w, "/login/2fa/passkey/options", url.Values{}, holdingTicket)
	require.JSONEq(t, `{"options":{"rpId":"localhost"}}`, rec.Body.String())
	state := cookieOf(t, rec, passkeyCookie)
	rec = ask(w, "/login/2fa/passkey/options", url.Values{}, anonymous)
	require.Equal(t, http.StatusUnprocessableEntity, rec.Code)
	require.JSONEq(t, `{"problem":"That took too long; log in again."}`, rec.Body.String())

	in := url.Values{"answer": {"right"}, "next": {"/monitors"}}
	rec = ask(w, "/login/2fa/passkey", in, holdingTicket, holding(state.Value))
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, "/monitors", rec.Header().Get("Location"))
	require.Equal(t, "ok", cookieOf(t, rec, sessionCookie).Value)
	require.Negative(t, cookieOf(t, rec, ticketCookie).MaxAge)
	rec = ask(w, "/login/2fa/passkey", in, anonymous, holding(state.Value))
	require.Equal(t, http.StatusUnprocessableEntity, rec.Code)
	require.Contains(t, rec.Body.String(), `action="/login"`, "the password comes first")
}

func TestChangingPasskeys(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	rec := ask(w, "/settings/security/passkeys/options", url.Values{"name": {"Phone"}, "current_password": {"wrong"}}, asFragment)
	require.Equal(t, http.StatusUnprocessableEntity, rec.Code)
	require.JSONEq(t, `{"problem":"Current password is wrong."}`, rec.Body.String())
	rec = ask(w, "/settings/security/passkeys/options", url.Values{"name": {"Phone"}, "current_password": {"right"}}, asFragment)
	require.JSONEq(t, `{"options":{"rp":{"id":"localhost"}}}`, rec.Body.String())
	state := cookieOf(t, rec, passkeyCookie)
	require.Equal(t, "/settings/security/passkeys", state.Path)
	rec = ask(w, "/settings/security/passkeys", url.Values{"answer": {"right"}}, holding(state.Value))
	require.Equal(t, "/settings/security", rec.Header().Get("Location"))
	require.Equal(t, map[string]any{"passkey": "added"}, f.lastSaved(t))

	rec = ask(w, "/settings/security/passkeys/1/rename", url.Values{"name": {"Old phone"}})
	require.Equal(t, "/settings/security", rec.Header().Get("Location"))
	require.Equal(t, map[string]any{"renamed": "Old phone"}, f.lastSaved(t))
	rec = ask(w, "/settings/security/passkeys/1/delete", url.Values{})
	require.Equal(t, "/settings/security", rec.Header().Get("Location"))
	require.Equal(t, map[string]any{"passkey": "removed"}, f.lastSaved(t))
	for _, path := range []string{"/3/delete", "/3/rename", "/0/delete", "/x/delete"} {
		require.Equal(t, http.StatusNotFound, ask(w, keysPath+path, url.Values{}).Code, path)
	}
	require.Equal(t, http.StatusNotFound, ask(w, keysPath+"/3/delete", nil).Code)
	page := ask(w, "/settings/security", nil, func(r *http.Request) {
		r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	}).Body.String()
	require.Contains(t, page, `value="Firefox on Linux"`, "a name to begin with")
	require.Contains(t, page, "for monitor.example.com only")
}
