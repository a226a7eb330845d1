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

// leastRoles has a row for each route that needs a session: who may call it.
func leastRoles() map[string]uptime.Role {
	const viewer, editor, admin, owner = uptime.RoleViewer, uptime.RoleEditor, uptime.RoleAdmin, uptime.RoleOwner
	rows := map[string]uptime.Role{}
	for role, routes := range map[uptime.Role][]string{
		viewer: {
			"GET /search", "GET /wall", "GET /monitors/rows", "GET /monitors/:id/next", "GET /monitors/:id/previous",
			"POST /logout", "GET /events", "GET /conditions", "GET /", "GET /monitors", "GET /monitors/:id", "GET /monitors/:id/chart.csv", "GET /monitors/:id/export", "GET /monitors/bulk/:id",
			"GET /monitors.csv", "GET /monitors.json", "POST /monitors/views", "POST /monitors/views/:id/delete", "POST /settings/list", "GET /monitors/deleted", "POST /settings/getting-started",
			"GET /incidents", "GET /incidents.csv", "GET /incidents.json", "GET /incidents/:id", "GET /channels", "GET /channels/:id/log",
			"GET /settings/profile", "POST /settings/profile", "GET /settings/security", "POST /settings/security",
			"GET /settings/security/totp", "POST /settings/security/totp", "POST /settings/security/totp/off", "POST /settings/security/recovery",
			"POST /settings/security/passkeys", "POST /settings/security/passkeys/options", "POST /settings/security/passkeys/:id/rename", "GET /settings/security/passkeys/:id/delete", "POST /settings/security/passkeys/:id/delete",
			"POST /settings/sessions/end", "POST /settings/theme", "GET /settings/workspaces", "POST /settings/workspaces/:id/enter",
			"GET /settings/tokens", "POST /settings/tokens", "POST /settings/tokens/:id/revoke",
		},
		editor: {
			"GET /settings/tags", "GET /monitors/new", "POST /monitors", "POST /monitors/test", "POST /monitors/validate", "POST /channels/validate", "GET /monitors/:id/edit", "POST /monitors/:id/edit",
			"GET /monitors/:id/delete", "POST /monitors/:id/delete", "POST /monitors/:id/pause", "POST /monitors/:id/resume", "POST /monitors/:id/check",
			"POST /monitors/bulk", "POST /monitors/bulk/:id/undo", "GET /monitors/:id/clone", "POST /monitors/:id/clone", "POST /monitors/:id/silence", "POST /monitors/:id/unsilence", "POST /monitors/:id/restore",
			"POST /incidents/:id/acknowledge", "POST /incidents/:id/resolve", "POST /incidents/:id/updates",
			"GET /incidents/new", "POST /incidents", "GET /incidents/:id/edit", "POST /incidents/:id/edit", "GET /incidents/:id/delete", "POST /incidents/:id/delete",
			"POST /incidents/:id/restore", "POST /incidents/:id/assign", "GET /incidents/:id/postmortem", "POST /incidents/:id/postmortem",
			"POST /incidents/:id/updates/:update", "POST /incidents/:id/updates/:update/delete",
			"GET /channels/new", "POST /channels", "GET /channels/:id/edit", "POST /channels/:id/edit", "POST /channels/:id/test", "POST /channels/:id/enable", "POST /channels/:id/disable",
			"GET /channels/:id/delete", "POST /channels/:id/delete", "POST /deliveries/:id/retry", "GET /settings/wallboards", "POST /settings/wallboards", "POST /settings/wallboards/:id/revoke",
		},
		admin: {
			"POST /settings/workspaces", "GET /settings/people", "POST /settings/people", "GET /settings/people/:id", "POST /settings/people/:id",
			"GET /settings/people/:id/remove", "POST /settings/people/:id/remove", "GET /settings/audit", "GET /settings/audit.csv",
			"GET /settings/defaults", "POST /settings/defaults", "GET /settings/retention", "POST /settings/retention", "GET /settings/about",
		},
		owner: {"POST /settings/workspaces/new", "GET /settings/workspaces/delete", "POST /settings/workspaces/delete"},
	} {
		for _, route := range routes {
			rows[route] = role
		}
	}
	return rows
}

// TestDenyByDefault asks every route as everybody: without a session, or with one that
// ended, every route but the public ones sends to log-in, and with too low a role it is
// 403. A route without a row fails.
func TestDenyByDefault(t *testing.T) {
	t.Parallel()
	public := []string{
		"/static/*", "/setup", "/login", "/login/2fa", "/login/oidc", "/login/oidc/callback",
		"/login/passkey", "/login/passkey/options", "/login/2fa/passkey", "/login/2fa/passkey/options",
		"/forgot", "/reset/:token", "/invite/:token", "/wall/:token",
	}
	rows := leastRoles()
	w, f := setup(t)
	for _, r := range w.routes() {
		if r.page == nil {
			require.Contains(t, public, r.path)
			continue
		}
		name := r.method + " " + r.path
		least, known := rows[name]
		require.True(t, known, "%s has no row: say who may call it", name)
		delete(rows, name)
		t.Run(name, func(t *testing.T) {
			path := strings.ReplaceAll(r.path, ":id", "1")
			var form url.Values
			if r.method == http.MethodPost {
				form = url.Values{"a": {"b"}}
			}
			for _, who := range []func(*http.Request){anonymous, withCookie("ended"), withCookie("ok.but.longer"), withBearer} {
				rec := ask(w, path, form, anonymous, who)
				if path == "/events" {
					require.Equal(t, http.StatusUnauthorized, rec.Code)
				} else {
					require.Equal(t, http.StatusSeeOther, rec.Code)
					require.Regexp(t, `^/login`, rec.Header().Get("Location"))
				}
				require.Equal(t, http.StatusUnauthorized, ask(w, path, form, anonymous, who, asFragment).Code)
			}
			for _, role := range []uptime.Role{uptime.RoleViewer, uptime.RoleEditor, uptime.RoleAdmin, uptime.RoleOwner} {
				if role.Includes(least) {
					require.True(t, f.Can(uptime.Actor{WorkspaceID: 1, Role: role}, r.needs), role)
					continue
				}
				f.role = role
				rec := ask(w, path, form)
				require.Equal(t, http.StatusForbidden, rec.Code, role)
				require.Contains(t, rec.Body.String(), "Your role is "+string(role))
			}
		})
	}
	require.Empty(t, rows, "rows of no route")
	require.Empty(t, f.saved, "nothing was changed")
}

func withCookie(value string) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: sessionCookie, Value: value}) }
}

// withBearer is a program: pages take no tokens.
func withBearer(r *http.Request) { r.Header.Set("Authorization", "Bearer mon_x") }

func TestUnknownPathsAndMethods(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	require.Equal(t, http.StatusNotFound, ask(w, "/nope", nil).Code)
	require.Equal(t, http.StatusNotFound, ask(w, "/static/js/app.js", nil).Code, "only hashed names")
	require.Equal(t, http.StatusNotFound, ask(w, "/static/../web.go", nil).Code)
	require.Equal(t, http.StatusMethodNotAllowed, ask(w, "/monitors/1/check", nil).Code)
	require.Equal(t, http.StatusNotFound, ask(w, "/monitors/-1", nil).Code)
	require.Equal(t, http.StatusNotFound, ask(w, "/monitors/99999999999999999999", nil).Code)
}

func TestAssetsAreImmutable(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	for name, at := range w.assets.names {
		rec := ask(w, at, nil, anonymous)
		require.Equal(t, http.StatusOK, rec.Code, name)
		require.Equal(t, "public, max-age=31536000, immutable", rec.Header().Get("Cache-Control"))
		require.NotEmpty(t, rec.Body.Bytes())
	}
}

func TestOpenRedirect(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"/monitors?status=down&q=a%20b": "/monitors?status=down&q=a%20b",
		"/monitors/7#tabs":              "/monitors/7#tabs",
		"":                              "/",
		"monitors":                      "/",
		"//evil.example.com":            "/",
		"///evil.example.com":           "/",
		`/\evil.example.com`:            "/",
		`\\evil.example.com`:            "/",
		"/\tevil.example.com":           "/",
		"/\n/evil.example.com":          "/",
		"https://evil.example.com":      "/",
		"http:evil.example.com":         "/",
		"javascript:alert(1)":           "/",
		"/%2F/evil.example.com":         "/",
		"/%zz":                          "/",
		"/login?next=/login":            "/",
		"/login/oidc":                   "/",
		"/logout":                       "/",
		"/setup":                        "/",
		"/invite/inv_a":                 "/invite/inv_a", // for who has an account
	} {
		require.Equal(t, want, safeNext(next), "%q", next)
	}
	w, _ := setup(t)
	rec := ask(w, "/login", url.Values{"email": {"m@example.com"}, "password": {"right"}, "next": {"//evil.example.com"}}, anonymous)
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, "/", rec.Header().Get("Location"))
}

func TestLoginKeepsTheWay(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	rec := ask(w, "/monitors?status=down", nil, anonymous)
	require.Equal(t, "/login?next=%2Fmonitors%3Fstatus%3Ddown", rec.Header().Get("Location"))
	for from, want := range map[string]string{
		"http://localhost:8080/monitors/new?type=http": "/login?next=%2Fmonitors%2Fnew%3Ftype%3Dhttp", // the form, not what it was sent to
		"http://evil.example.com/monitors/new":         "/login",
		"http://localhost:8080//evil.example.com":      "/login",
		"": "/login",
	} {
		rec := ask(w, "/monitors", url.Values{"name": {"x"}}, anonymous, func(r *http.Request) { r.Header.Set("Referer", from) })
		require.Equal(t, want, rec.Header().Get("Location"), from)
	}
	require.Contains(t, ask(w, rec.Header().Get("Location"), nil, anonymous).Body.String(), `name="next" value="/monitors?status=down"`)
	rec = ask(w, "/login", url.Values{"email": {"m@example.com"}, "password": {"right"}, "remember": {"on"}, "next": {"/monitors?status=down"}},
		anonymous, from(uptime.Request{Secure: true}))
	require.Equal(t, "/monitors?status=down", rec.Header().Get("Location"))
	cookie := rec.Result().Cookies()[0]
	require.Equal(t, "monitor_session", cookie.Name)
	require.True(t, cookie.HttpOnly)
	require.True(t, cookie.Secure)
	require.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	require.False(t, cookie.Expires.IsZero(), "kept for 30 days")
}

// TestPublicAddress: behind a TLS proxy that nobody named the cookie is Secure at
// the public address, and nowhere else.
func TestPublicAddress(t *testing.T) {
	t.Parallel()
	f := &fake{role: uptime.RoleOwner, theme: "auto", notices: make(chan uptime.Notice, 8)}
	w, err := New(Deps{
		Manage: f, Bus: f, Clock: sampleNow, Log: slog.New(slog.DiscardHandler), Random: sampleName, Version: "1.0.0",
		PublicURL: "https://status.example.com",
	})
	require.NoError(t, err)
	for host, want := range map[string]bool{"status.example.com": true, "192.0.2.1:8080": false} {
		rec := ask(w, "/login", url.Values{"email": {"m@example.com"}, "password": {"right"}}, anonymous, from(uptime.Request{Host: host}))
		require.Equal(t, want, rec.Result().Cookies()[0].Secure, host)
	}
}

func TestLockedOut(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	f.failure = &uptime.Error{Code: uptime.CodeLimited, RetryAfter: 30e9}
	rec := ask(w, "/login", url.Values{"email": {"m@example.com"}, "password": {"right"}}, anonymous)
	require.Equal(t, http.StatusTooManyRequests, rec.Code)
	require.Equal(t, "30", rec.Header().Get("Retry-After"))
	require.Contains(t, rec.Body.String(), "Try again in 30\u00a0s.")
	require.Contains(t, rec.Body.String(), `value="m@example.com"`)
}

func TestSetup(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	require.Equal(t, http.StatusNotFound, ask(w, "/setup", nil, anonymous).Code, "a user exists")
	f.fresh = true
	require.Equal(t, "/setup", ask(w, "/", nil, anonymous).Header().Get("Location"))
	require.Equal(t, "/setup", ask(w, "/login", nil, anonymous).Header().Get("Location"))
	require.NotContains(t, ask(w, "/setup", nil, anonymous).Body.String(), "setup_token", "somebody at the machine")
	far := from(uptime.Request{Address: "203.0.113.9"})
	in := url.Values{"name": {"Mia"}, "email": {"mia@example.com"}, "password": {"correct horse"}}
	rec := ask(w, "/setup", in, anonymous, far)
	require.Equal(t, http.StatusUnprocessableEntity, rec.Code)
	require.Contains(t, rec.Body.String(), "Is not the code in the log.")
	require.NotContains(t, rec.Body.String(), "correct horse", "passwords are never sent back")
	in.Set("setup_token", " code ")
	rec = ask(w, "/setup", in, anonymous, far)
	require.Equal(t, "/monitors/new?first=1", rec.Header().Get("Location"))
	require.Equal(t, "ok", rec.Result().Cookies()[0].Value)
}

func TestInvite(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	for _, token := range []string{"inv_used", "inv_", "%00", "..%2f..%2flogin", strings.Repeat("a", 4000)} {
		require.Equal(t, http.StatusNotFound, ask(w, "/invite/"+token, nil, anonymous).Code, token)
		rec := ask(w, "/invite/"+token, url.Values{"password": {"correct horse"}}, anonymous)
		require.Equal(t, http.StatusNotFound, rec.Code, token)
		require.Contains(t, rec.Body.String(), "This page does not exist")
		require.Empty(t, rec.Result().Cookies())
	}
	html := ask(w, "/invite/inv_ok", nil, anonymous).Body.String()
	require.Contains(t, html, `action="/invite/inv_ok"`)
	require.Contains(t, html, "You were invited to Shop as an editor.")
	require.Contains(t, html, `value="noa@example.com" autocomplete="username" readonly`)
	rec := ask(w, "/invite/inv_ok", url.Values{"name": {"Noa"}, "password": {"short"}, "email": {"other@example.com"}}, anonymous)
	require.Equal(t, http.StatusUnprocessableEntity, rec.Code)
	require.Contains(t, rec.Body.String(), "Must have at least 12 characters.")
	require.Contains(t, rec.Body.String(), `value="Noa"`)
	require.Contains(t, rec.Body.String(), `value="noa@example.com"`, "nobody chooses another address")
	require.NotContains(t, rec.Body.String(), "short", "passwords are never sent back")
	require.Empty(t, f.saved)
	rec = ask(w, "/invite/inv_ok", url.Values{"name": {"Noa"}, "password": {"correct horse"}}, anonymous)
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, "/", rec.Header().Get("Location"))
	require.Equal(t, "ok", rec.Result().Cookies()[0].Value)
	require.Equal(t, "Noa", f.lastSaved(t)["Name"])
	f.failure = &uptime.Error{Code: uptime.CodeLimited, RetryAfter: 30e9}
	require.Equal(t, http.StatusTooManyRequests, ask(w, "/invite/inv_ok", url.Values{"password": {"correct horse"}}, anonymous).Code)
}

func TestCrossOriginPostsAreRefused(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	for _, header := range []map[string]string{
		{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example.com"}, {"Origin": "null"},
	} {
		foreign := func(r *http.Request) {
			for k, v := range header {
				r.Header.Set(k, v)
			}
		}
		require.Equal(t, http.StatusForbidden, ask(w, "/monitors/1/delete", url.Values{}, foreign).Code, header)
		require.Equal(t, http.StatusForbidden, ask(w, "/events", nil, foreign).Code, "a stream only reads, and is nobody else's: %v", header)
	}
	require.Empty(t, f.saved)
	require.Equal(t, http.StatusSeeOther, ask(w, "/monitors/1/delete", url.Values{}, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") }).Code)
}
