package api

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/auth"
	"monitor/modules/store"
	"monitor/modules/uptime"
)

// strangerToken is that of an owner of another workspace, of which these tests have no
// more than this.
const strangerToken = "mon_stranger"

// strangers knows them, too.
type strangers struct{ *store.Store }

func (s strangers) APITokenByHash(ctx context.Context, hash string) (uptime.APIToken, uptime.User, error) {
	if hash != (auth.Secrets{}).Hash(strangerToken) {
		return s.Store.APITokenByHash(ctx, hash)
	}
	user := uptime.User{ID: 7000, WorkspaceID: 77, Role: uptime.RoleOwner, Email: "stranger@example.com"}
	return uptime.APIToken{
		ID: 7001, WorkspaceID: 77, UserID: user.ID, Role: uptime.RoleOwner, Scopes: []string{"read", "write"}, LastUsedAt: uptime.SystemClock(),
	}, user, nil
}

// right says who may call a route, and what those who may hear of what is not there, or
// of a body with nothing in it.
type right struct {
	least uptime.Role
	hears int
}

// matrix has a row for each route that needs a token.
func matrix() map[string]right {
	const viewer, editor, admin = uptime.RoleViewer, uptime.RoleEditor, uptime.RoleAdmin
	const ok, none, absent, lacks, conflict = http.StatusOK, http.StatusNoContent, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusConflict
	return map[string]right{
		"POST /auth/logout": {viewer, none},

		"GET /me": {viewer, ok}, "PATCH /me": {viewer, ok}, "POST /me/totp": {viewer, ok}, "POST /me/recovery-codes": {viewer, conflict},
		"GET /me/sessions": {viewer, ok}, "DELETE /me/sessions": {viewer, none}, "DELETE /me/sessions/{id}": {viewer, absent},
		"GET /workspaces": {viewer, ok}, "POST /workspaces": {uptime.RoleOwner, lacks}, "PATCH /workspaces/{id}": {admin, absent},
		"DELETE /workspaces/{id}": {uptime.RoleOwner, absent}, "POST /workspaces/{id}/enter": {viewer, absent},
		"GET /me/passkeys": {viewer, ok}, "DELETE /me/passkeys/{id}": {viewer, absent},
		"GET /users": {admin, ok}, "POST /users": {admin, lacks},
		"GET /users/{id}": {admin, absent}, "PATCH /users/{id}": {admin, absent}, "DELETE /users/{id}": {admin, absent},
		"GET /monitors/facets": {viewer, ok}, "GET /monitors/deleted": {viewer, ok}, "GET /views": {viewer, ok}, "POST /views": {viewer, lacks}, "DELETE /views/{id}": {viewer, absent},
		"GET /tokens": {viewer, ok}, "POST /tokens": {viewer, lacks}, "DELETE /tokens/{id}": {viewer, absent},

		"GET /monitors": {viewer, ok}, "POST /monitors": {editor, lacks}, "POST /monitors/test": {editor, lacks},
		"PUT /monitors/by-key/{external_key}": {editor, lacks},
		"GET /monitors/{id}":                  {viewer, absent}, "PUT /monitors/{id}": {editor, absent}, "PATCH /monitors/{id}": {editor, absent}, "DELETE /monitors/{id}": {editor, absent},
		"POST /monitors/{id}/restore": {editor, absent}, "POST /monitors/{id}/pause": {editor, absent}, "POST /monitors/{id}/resume": {editor, absent},
		"POST /monitors/bulk": {editor, lacks}, "GET /bulk-jobs/{id}": {viewer, absent}, "POST /bulk-jobs/{id}/undo": {editor, absent},
		"POST /monitors/{id}/clone": {editor, absent}, "POST /monitors/{id}/silence": {editor, lacks}, "POST /monitors/{id}/unsilence": {editor, absent},
		"POST /monitors/{id}/check": {editor, absent}, "GET /monitors/{id}/results": {viewer, absent}, "GET /monitors/{id}/stats": {viewer, absent},
		"GET /monitors/{id}/changes": {viewer, absent},

		"GET /incidents": {viewer, ok}, "POST /incidents": {editor, lacks}, "GET /incidents/{id}": {viewer, absent}, "PATCH /incidents/{id}": {editor, absent},
		"POST /incidents/{id}/acknowledge": {editor, absent}, "POST /incidents/{id}/resolve": {editor, absent}, "POST /incidents/{id}/updates": {editor, lacks},
		"PATCH /incidents/{id}/updates/{update_id}": {editor, absent}, "DELETE /incidents/{id}/updates/{update_id}": {editor, absent},
		"DELETE /incidents/{id}": {editor, absent}, "POST /incidents/{id}/restore": {editor, absent}, "GET /incidents/assignees": {editor, ok},

		"GET /channels": {viewer, ok}, "POST /channels": {editor, lacks}, "GET /channels/{id}": {viewer, absent}, "PATCH /channels/{id}": {editor, absent},
		"DELETE /channels/{id}": {editor, absent}, "POST /channels/{id}/test": {editor, absent},
		"GET /deliveries": {viewer, ok}, "POST /deliveries/{id}/retry": {editor, absent},

		"GET /audit-log":         {admin, ok},
		"GET /settings/defaults": {viewer, ok}, "PUT /settings/defaults": {admin, ok},
		"GET /settings/retention": {admin, ok}, "PUT /settings/retention": {admin, ok}, "GET /about": {admin, ok},

		"GET /wall-shares": {editor, ok}, "POST /wall-shares": {editor, lacks}, "DELETE /wall-shares/{id}": {editor, absent}, "GET /search": {viewer, ok},

		"GET /overview": {viewer, ok}, "GET /events": {viewer, ok},
	}
}

// person makes a user, logs them in and gives their token.
func (b *bundle) person(t *testing.T, role uptime.Role) (id int64, token string) {
	t.Helper()
	email := string(role) + strconv.Itoa(len(b.log.String())) + "@example.com"
	made := b.made(t, "/users", `{"email":"`+email+`","role":"`+string(role)+`","password":"`+ownPassword+`"}`)
	in := b.ask(t, "POST", prefix+"/auth/login", `{"email":"`+email+`","password":"`+ownPassword+`"}`, anonymous)
	require.Equal(t, http.StatusOK, in.status, in.body)
	return made.number("id"), in.text("access_token")
}

// hears asks without waiting for the end of a stream.
func (b *bundle) hears(t *testing.T, rt route, id, token string) (status int, body string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	path := prefix + strings.NewReplacer("{id}", id, "{external_key}", "k", "{update_id}", "1").Replace(rt.path)
	sent := ""
	if rt.takes != "" && !rt.bodyOptional() {
		sent = "{}"
	}
	request, err := http.NewRequestWithContext(ctx, rt.method, b.server.URL+path, strings.NewReader(sent))
	require.NoError(t, err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if sent != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := b.server.Client().Do(request)
	require.NoError(t, err)
	defer func() { require.NoError(t, answer.Body.Close()) }()
	if answer.Header.Get("Content-Type") == stream {
		return answer.StatusCode, ""
	}
	raw, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(raw)
}

// TestAccess asks every route as everybody. A route without a row in the matrix fails.
func TestAccess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tokens := map[uptime.Role]string{uptime.RoleOwner: b.token}
	for _, role := range []uptime.Role{uptime.RoleAdmin, uptime.RoleEditor, uptime.RoleViewer} {
		_, tokens[role] = b.person(t, role)
	}
	gone, disabled := b.person(t, uptime.RoleOwner)
	a := b.ask(t, "PATCH", prefix+"/users/"+strconv.FormatInt(gone, 10), `{"disabled":true}`)
	require.Equal(t, http.StatusOK, a.status, a.body)
	revoked := b.made(t, "/tokens", `{"name":"old"}`)
	a = b.ask(t, "DELETE", prefix+"/tokens/"+strconv.FormatInt(revoked.number("id"), 10), "")
	require.Equal(t, http.StatusNoContent, a.status, a.body)
	reader := b.made(t, "/tokens", `{"name":"reader","scopes":["read"]}`).text("secret")
	outsiders := map[string]string{"a disabled user": disabled, "a revoked token": revoked.text("secret"), "nobody": "", "a made-up token": "mon_x", "a refresh token": b.refresh}

	// Things of the owner, which another workspace must not see: each has the id 1.
	require.Equal(t, int64(1), b.made(t, "/monitors", leastMonitor).number("id"))
	require.Equal(t, int64(1), b.made(t, "/channels", `{"name":"Hook","type":"webhook","settings":{"url":"https://example.com"}}`).number("id"))
	require.Equal(t, int64(1), b.made(t, "/incidents", `{"title":"Slow","severity":"minor"}`).number("id"))

	rows := matrix()
	all := routes()
	// Logging out ends what the others ask with.
	slices.SortStableFunc(all, func(x, y route) int { return strings.Compare(last(x), last(y)) })
	for _, rt := range all {
		name := rt.method + " " + rt.path
		if rt.access.has(anyone) {
			require.NotContains(t, rows, name)
			continue
		}
		row, known := rows[name]
		require.True(t, known, "%s has no row: say who may call it", name)
		delete(rows, name)
		t.Run(name, func(t *testing.T) {
			for who, token := range outsiders {
				status, body := b.hears(t, rt, "1", token)
				require.Equal(t, http.StatusUnauthorized, status, "%s: %s", who, body)
			}
			for role, token := range tokens {
				status, body := b.hears(t, rt, "999999", token)
				if role.Includes(row.least) {
					require.Equal(t, row.hears, status, "%s: %s", role, body)
				} else {
					require.Equal(t, http.StatusForbidden, status, "%s: %s", role, body)
				}
			}
			b.requireReader(t, rt, row, reader)
			b.requireStranger(t, rt, row)
		})
	}
	require.Empty(t, rows, "rows of no route")
}

// requireReader: a token that only reads changes nothing, whatever its person may.
func (b *bundle) requireReader(t *testing.T, rt route, row right, token string) {
	t.Helper()
	status, body := b.hears(t, rt, "999999", token)
	if rt.method == http.MethodGet || rt.path == "/auth/logout" { // it has no session to end
		require.Equal(t, row.hears, status, body)
		return
	}
	require.Equal(t, http.StatusForbidden, status, body)
}

// requireStranger: what is of another workspace is not there, in the same words as what
// is nowhere.
func (b *bundle) requireStranger(t *testing.T, rt route, row right) {
	t.Helper()
	status, body := b.hears(t, rt, "1", strangerToken)
	if strings.Contains(rt.path, "{id}") {
		absent, nowhere := b.hears(t, rt, "999999", strangerToken)
		require.Equal(t, row.hears, status, body)
		require.Equal(t, absent, status)
		require.Equal(t, nowhere, body)
		return
	}
	require.NotContains(t, body, "Shop")
	require.NotContains(t, body, "owner@example.com")
	require.NotEqual(t, http.StatusForbidden, status, body)
	require.Less(t, status, http.StatusInternalServerError, body)
}

// last sorts log-outs behind everything else.
func last(rt route) string {
	if rt.path == "/auth/logout" {
		return "z"
	}
	return ""
}
