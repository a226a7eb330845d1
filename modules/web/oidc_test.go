package web

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func withProvider(name string) func(*fake) { return func(f *fake) { f.oidc = name } }

// returning is a browser that went to the provider to see a page afterwards.
func returning(next string) func(*http.Request) {
	return func(r *http.Request) {
		anonymous(r)
		r.AddCookie(&http.Cookie{Name: oidcCookie, Value: "ticket of " + next})
	}
}

func TestLoginElsewhere(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	f.oidc = "Acme"
	page := ask(w, "/login?next=/monitors%3Fq%3Da", nil, anonymous).Body.String()
	require.Contains(t, page, `<a class="btn" href="/login/oidc?next=%2Fmonitors%3Fq%3Da">Log in with Acme</a>`)

	rec := ask(w, "/login/oidc?next=/monitors%3Fq%3Da", nil, anonymous)
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, "https://id.example.com/auth?state=s", rec.Header().Get("Location"))
	require.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
	ticket := cookieOf(t, rec, oidcCookie)
	require.Equal(t, "ticket of /monitors?q=a", ticket.Value)
	require.Equal(t, "/login/oidc", ticket.Path, "it goes nowhere else")
	require.True(t, ticket.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, ticket.SameSite, "strict would not come back from another site")
	require.Equal(t, 600, ticket.MaxAge)

	rec = ask(w, "/login/oidc/callback?state=s&code=c", nil, returning("/monitors?q=a"))
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, "/monitors?q=a", rec.Header().Get("Location"))
	require.Equal(t, "ok", cookieOf(t, rec, sessionCookie).Value)
	require.Negative(t, cookieOf(t, rec, oidcCookie).MaxAge, "once")
	require.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
}

func TestLoginElsewhereRefused(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	for _, path := range []string{"/login/oidc", "/login/oidc/callback"} {
		require.Equal(t, http.StatusNotFound, ask(w, path, nil, anonymous).Code, "there is no provider")
	}
	require.NotContains(t, ask(w, "/login", nil, anonymous).Body.String(), "/login/oidc")
	f.oidc = "Acme"
	for _, path := range []string{"", "?state=s", "?code=c", "?state=x&code=c", "?state=s&code=c&error=x", "?state=s&code=" + strings.Repeat("x", 9000)} {
		rec := ask(w, "/login/oidc/callback"+path, nil, anonymous)
		require.Equal(t, http.StatusUnprocessableEntity, rec.Code, path)
		require.Contains(t, rec.Body.String(), "begun in another browser", path)
		require.Contains(t, rec.Body.String(), `href="/login/oidc"`, "and can be begun anew")
		require.NotContains(t, rec.Header().Values("Set-Cookie"), sessionCookie)
	}
	for code, want := range map[uptime.Code]int{
		uptime.CodeUnavailable: http.StatusServiceUnavailable, uptime.CodeForbidden: http.StatusForbidden,
		uptime.CodeUnauthorized: http.StatusUnprocessableEntity, uptime.CodeLimited: http.StatusTooManyRequests,
	} {
		f.failure = uptime.Fail(code, "What went wrong.")
		rec := ask(w, "/login/oidc/callback?state=s&code=c", nil, returning("/monitors"))
		require.Equal(t, want, rec.Code, code)
		require.Contains(t, rec.Body.String(), `href="/login/oidc?next=%2Fmonitors"`, "who tries again comes where they wanted to")
		require.Contains(t, rec.Body.String(), `name="password"`, "or logs in with a password")
		require.Negative(t, cookieOf(t, rec, oidcCookie).MaxAge)
	}
	f.failure = uptime.ErrUnavailable // the database
	require.Equal(t, http.StatusServiceUnavailable, ask(w, "/login/oidc/callback?state=s&code=c", nil, returning("/")).Code)
	f.fresh = true
	require.Equal(t, "/setup", ask(w, "/login/oidc", nil, anonymous).Header().Get("Location"))
}

// TestLoginElsewhereLeadsNowhereElse: neither at the begin nor at the end.
func TestLoginElsewhereLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	f.oidc = "Acme"
	for _, next := range []string{
		"//evil.example", "https://evil.example", `/\evil.example`, "/\t/evil.example", "javascript:alert(1)", "evil.example", "/login", "/login/oidc", "/login/oidc/callback?x", "/logout", "/%2F/evil.example\r\nx",
	} {
		rec := ask(w, "/login/oidc?next="+url.QueryEscape(next), nil, anonymous)
		require.Equal(t, "ticket of /", cookieOf(t, rec, oidcCookie).Value, next)
	}
	for _, next := range []string{"//evil.example", "https://evil.example", "/login/oidc"} {
		rec := ask(w, "/login/oidc/callback?state=s&code=c", nil, returning(next))
		require.Equal(t, "/", rec.Header().Get("Location"), "nor by a ticket that says so")
	}
}

// TestLoginElsewhereByAnotherName: the provider leads back to the public address, and
// only cookies of that one are there then.
func TestLoginElsewhereByAnotherName(t *testing.T) {
	t.Parallel()
	_, f := setup(t)
	f.oidc = "Acme"
	w, err := New(Deps{Manage: f, Bus: f, Clock: sampleNow, Log: slog.New(slog.DiscardHandler), Random: sampleName, Version: "1.0.0", PublicURL: "https://status.example.com"})
	require.NoError(t, err)
	at := func(host string) func(*http.Request) {
		return func(r *http.Request) {
			anonymous(r)
			from(uptime.Request{Address: "192.0.2.1", Host: host})(r)
		}
	}
	rec := ask(w, "/login/oidc?next=/monitors", nil, at("10.0.0.5:8080"))
	require.Equal(t, "https://status.example.com/login/oidc?moved=1&next=%2Fmonitors", rec.Header().Get("Location"))
	rec = ask(w, "/login/oidc?next=/monitors&moved=1", nil, at("behind-a-proxy:8080"))
	require.Equal(t, "https://id.example.com/auth?state=s", rec.Header().Get("Location"), "once: a proxy may hide the name")
	rec = ask(w, "/login/oidc", nil, at("status.example.com"))
	require.Equal(t, "https://id.example.com/auth?state=s", rec.Header().Get("Location"))
	require.True(t, cookieOf(t, rec, oidcCookie).Secure)
}
