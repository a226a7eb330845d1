package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func wallShots() []shot {
	const ok = http.StatusOK
	refuse := func(f *fake) {
		f.failure = uptime.Invalid(uptime.FieldError{Field: "name", Message: "must not be empty"})
	}
	return []shot{
		{"wall", "/wall?group=Shop&tag=team:web", nil, ok, nil, nil},
		{"wall-empty", "/wall?tag=none", nil, ok, nil, nil},
		{"wall-shared", "/wall/wall_ok", nil, ok, nil, anonymous},
		{"wallboards", "/settings/wallboards", nil, ok, nil, nil},
		{"wallboards-empty", "/settings/wallboards", nil, ok, func(f *fake) { f.empty = true }, nil},
		{"wallboards-made", "/settings/wallboards", url.Values{"name": {"Office"}, "tag": {"team:web"}, "expires_at": {"30"}}, ok, nil, nil},
		{"wallboards-refused", "/settings/wallboards", url.Values{"name": {hostile}}, http.StatusUnprocessableEntity, refuse, nil},
	}
}

// TestSharedWall: whoever has a link sees names and states, and nothing else; with any
// other link, or one that was revoked, nothing.
func TestSharedWall(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	rec := ask(w, "/wall/wall_ok", nil, anonymous)
	require.Equal(t, http.StatusOK, rec.Code)
	require.Empty(t, rec.Result().Cookies(), "nobody is logged in by it")
	require.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
	require.Equal(t, "no-referrer", rec.Header().Get("Referrer-Policy"))
	require.Contains(t, rec.Header().Get("X-Robots-Tag"), "noindex")
	for _, asked := range []string{rec.Body.String(), ask(w, "/wall/wall_ok", nil, anonymous, asFragment).Body.String()} {
		require.Contains(t, asked, "checkout")
		for _, secret := range []string{"example.com", "503", "connection refused", "team", "Shop", "Mia", "Berg", "mia@", "Acme", "/monitors/", "live.js", "palette", "data-workspace", "1.0.0"} {
			require.NotContains(t, asked, secret)
		}
	}
	for _, token := range []string{"wall_revoked", "wall_", "ok", "%00", "..%2f..%2fsettings", "wall_ok%2f", strings.Repeat("a", 5000)} {
		rec := ask(w, "/wall/"+token, nil, anonymous)
		require.Equal(t, http.StatusNotFound, rec.Code, token)
		require.NotContains(t, rec.Body.String(), "checkout")
	}
	require.Equal(t, http.StatusMethodNotAllowed, ask(w, "/wall/wall_ok", url.Values{"a": {"b"}}, anonymous).Code)
	require.Equal(t, http.StatusSeeOther, ask(w, "/wall", nil, anonymous).Code, "one's own needs a session")
	// It is no session: nothing else opens by it.
	for _, path := range []string{"/", "/monitors", "/events", "/search?q=a", "/wall", "/settings/wallboards", "/conditions"} {
		carried := ask(w, path, nil, anonymous, withCookie("wall_ok"), func(r *http.Request) { r.Header.Set("Authorization", "Bearer wall_ok") })
		require.NotEqual(t, http.StatusOK, carried.Code, path)
	}
	f.failure = &uptime.Error{Code: uptime.CodeLimited, RetryAfter: 30e9}
	rec = ask(w, "/wall/wall_ok", nil, anonymous)
	require.Equal(t, http.StatusTooManyRequests, rec.Code)
	require.Equal(t, "30", rec.Header().Get("Retry-After"))
}

func TestWallboardLinks(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	rec := ask(w, "/settings/wallboards", url.Values{"name": {"Office"}, "tag": {"team:web"}, "group": {""}, "expires_at": {"30"}})
	require.Equal(t, http.StatusOK, rec.Code)
	require.Contains(t, rec.Body.String(), "http://localhost:8080/wall/wall_abcdefgh")
	require.Equal(t, map[string]any{"name": "Office", "tag": "team:web", "group": "", "expires_at": "2026-12-24T14:05:00Z"}, f.lastSaved(t))
	require.NotContains(t, ask(w, "/settings/wallboards", nil).Body.String(), "wall_abcdefgh", "shown once")
	rec = ask(w, "/settings/wallboards/1/revoke", url.Values{"workspace": {"1"}})
	require.Equal(t, "/settings/wallboards", rec.Header().Get("Location"))
	require.Equal(t, http.StatusNotFound, ask(w, "/settings/wallboards/3/revoke", url.Values{}).Code)
	require.Equal(t, http.StatusConflict, ask(w, "/settings/wallboards/1/revoke", url.Values{"workspace": {"2"}}).Code)
}

func TestTilesFit(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	f.many = 430
	html := ask(w, "/wall", nil).Body.String()
	require.Equal(t, 400, strings.Count(html, `class="tile"`))
	require.Contains(t, html, "430 Up")
	require.Contains(t, html, "400\u00a0shown, the worst")
	require.Contains(t, html, `data-fit="8"`)
	for n, fit := range map[int]string{0: "1", 1: "1", 2: "2", 4: "2", 5: "3", 12: "4", 21: "5", 43: "6", 91: "7", 201: "8", 400: "8"} {
		require.Equal(t, fit, fitOf(n), n)
	}
}
