package web

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func TestJoiningWithAnAccount(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	html := ask(w, "/invite/inv_known", nil, anonymous).Body.String()
	require.Contains(t, html, `href="/login?next=%2Finvite%2Finv_known"`)
	require.NotContains(t, html, "<form", "nobody sets the password of an account by a link")
	require.Contains(t, ask(w, "/invite/inv_known", nil).Body.String(), "logged in as somebody else")
	for _, who := range []func(*http.Request){anonymous, func(*http.Request) {}} {
		rec := ask(w, "/invite/inv_known", url.Values{"password": {"a password of mine"}}, who)
		require.Equal(t, http.StatusOK, rec.Code)
		require.Empty(t, rec.Result().Cookies())
	}
	require.Empty(t, f.saved)

	require.Contains(t, ask(w, "/invite/inv_mine", nil).Body.String(), "Join Shop")
	rec := ask(w, "/invite/inv_mine", url.Values{"current_password": {"wrong"}})
	require.Equal(t, http.StatusUnprocessableEntity, rec.Code)
	require.Contains(t, rec.Body.String(), "Is wrong.")
	require.Empty(t, f.saved)
	rec = ask(w, "/invite/inv_mine", url.Values{"current_password": {"right"}})
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, "inv_mine", f.lastSaved(t)["joined"])
}

func TestPeople(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	f.role = uptime.RoleAdmin
	html := ask(w, "/settings/people", nil).Body.String()
	require.NotContains(t, html, `value="owner"`, "an admin makes no owners")
	require.Contains(t, ask(w, "/settings/people/1", nil).Body.String(), "Only an owner changes an owner.")
	rec := ask(w, "/settings/people", url.Values{"email": {"new@example.com"}, "role": {"editor"}, "password": {"x"}, "disabled": {"on"}})
	require.Equal(t, http.StatusOK, rec.Code)
	require.Equal(t, map[string]any{"email": "new@example.com", "role": "editor"}, f.lastSaved(t), "no other field is taken")
	require.Contains(t, rec.Body.String(), "/invite/inv_abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst")
	require.Empty(t, rec.Header().Get("Content-Encoding"))

	rec = ask(w, "/settings/people/4", url.Values{"role": {"viewer"}, "disabled": {"on"}, "no_totp": {"on"}, "email": {"other@example.com"}})
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, map[string]any{"role": "viewer", "disabled": true, "totp": false}, f.lastSaved(t))
	ask(w, "/settings/people/4", url.Values{"role": {"viewer"}})
	require.Equal(t, map[string]any{"role": "viewer", "disabled": false}, f.lastSaved(t))
	rec = ask(w, "/settings/people/4/remove", url.Values{})
	require.Equal(t, "/settings/people", rec.Header().Get("Location"))
	require.EqualValues(t, 4, f.lastSaved(t)["removed"])
	require.Equal(t, http.StatusNotFound, ask(w, "/settings/people/99", nil).Code)

	f.failure = uptime.Fail(uptime.CodeConflict, "The last owner can be neither removed nor disabled, nor given another role.")
	rec = ask(w, "/settings/people/4/remove", url.Values{})
	require.Equal(t, http.StatusUnprocessableEntity, rec.Code)
	require.Contains(t, rec.Body.String(), "The last owner can be neither removed")
}

func TestWorkspacePages(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	f.role = uptime.RoleViewer
	html := ask(w, "/settings/workspaces", nil).Body.String()
	require.NotContains(t, html, "Create workspace")
	require.NotContains(t, html, "Save workspace")
	rec := ask(w, "/settings/workspaces/2/enter", url.Values{})
	require.Equal(t, "/", rec.Header().Get("Location"))
	require.EqualValues(t, 2, f.lastSaved(t)["entered"])
	f.role = uptime.RoleOwner
	ask(w, "/settings/workspaces", url.Values{"name": {"Yard"}, "time_zone": {"UTC"}, "id": {"2"}, "workspace_id": {"2"}})
	require.Equal(t, map[string]any{"name": "Yard", "time_zone": "UTC"}, f.lastSaved(t))
	rec = ask(w, "/settings/workspaces/new", url.Values{"name": {"Yard"}, "time_zone": {"UTC"}})
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.EqualValues(t, 3, f.lastSaved(t)["entered"], "who makes one is in it")
	rec = ask(w, "/settings/workspaces/delete", url.Values{})
	require.Equal(t, "/login", rec.Header().Get("Location"))
	f.failure = uptime.Fail(uptime.CodeConflict, "The workspace still has monitors; delete them first.")
	rec = ask(w, "/settings/workspaces/delete", url.Values{})
	require.Equal(t, http.StatusUnprocessableEntity, rec.Code)
	require.Contains(t, rec.Body.String(), "still has monitors")
}

func TestTokenPages(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	f.role = uptime.RoleEditor
	html := ask(w, "/settings/tokens", nil).Body.String()
	require.NotContains(t, html, `value="admin"`, "no role above one's own")
	require.Contains(t, html, "ended")
	rec := ask(w, "/settings/tokens", url.Values{"name": {"deploy"}, "role": {"viewer"}, "scope_read": {"on"}, "scope_write": {"on"}, "scope_push": {"on"}, "expires_at": {"30"}})
	require.Equal(t, http.StatusOK, rec.Code)
	require.Contains(t, rec.Body.String(), "mon_abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst")
	saved := f.lastSaved(t)
	require.Equal(t, []any{"read", "write"}, saved["scopes"])
	require.Contains(t, saved, "expires_at")
	ask(w, "/settings/tokens", url.Values{"name": {"deploy"}, "role": {"viewer"}, "expires_at": {""}})
	require.NotContains(t, f.lastSaved(t), "expires_at", "never, because that was chosen")
	require.Equal(t, []any{}, f.lastSaved(t)["scopes"], "none is not all")
	rec = ask(w, "/settings/tokens/3/revoke", url.Values{})
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.EqualValues(t, 3, f.lastSaved(t)["revoked"])
}
