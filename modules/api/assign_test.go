package api

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// goodBodies are bodies that each writing route takes, with every text that it knows.
// {n} is another number each time.
func goodBodies() map[string]string {
	monitor := `{"name":"Shop","type":"http","group":"Shop/EU","external_key":"key-{n}","regions":["default"],"tags":{"team":"web"},
		"http":{"url":"https://example.com/health","method":"GET","headers":{"X-Team":"web"},"body":"hello","keyword":"ok","expected_status":["200-299"]}}`
	patch := `{"name":"Shop","group":"Shop/EU","tags":{"team":"web"},"http":{"url":"https://example.com/health","headers":{"X-Team":"web"},"keyword":"ok"}}`
	channel := `{"name":"Ops","type":"webhook","settings":{"url":"https://example.com/hook","headers":{"X-Team":"web"},"secret":"whatever it is"}}`
	message := `{"message":"On it."}`
	return map[string]string{
		"POST /setup":                         `{"email":"mia@example.com","password":"` + ownPassword + `","name":"Mia","instance_name":"Acme","time_zone":"Europe/Berlin"}`,
		"POST /auth/login":                    `{"email":"owner@example.com","password":"` + ownPassword + `"}`,
		"POST /auth/refresh":                  `{"refresh_token":"{refresh}"}`,
		"POST /auth/logout":                   `{"refresh_token":"{refresh}"}`,
		"PATCH /me":                           `{"name":"Vera","time_zone":"Europe/Berlin","language":"en","preferences":{"density":"compact","columns":["tags"],"view":"list"}}`,
		"POST /me/recovery-codes":             `{"current_password":"` + ownPassword + `"}`,
		"POST /views":                         `{"name":"Mine {n}","query":"status=down","shared":false}`,
		"POST /users":                         `{"email":"p{n}@example.com","name":"Pat","role":"viewer","time_zone":"Europe/Berlin","language":"en"}`,
		"PATCH /users/{id}":                   `{"name":"Vera","time_zone":"Europe/Berlin","language":"en"}`,
		"POST /workspaces":                    `{"name":"Annex {n}","time_zone":"Europe/Paris"}`,
		"PATCH /workspaces/{id}":              `{"name":"Home","time_zone":"Europe/Berlin"}`,
		"POST /tokens":                        `{"name":"deploy","role":"viewer","scopes":["read"]}`,
		"POST /wall-shares":                   `{"name":"Office","tag":"team:web","group":"Shop"}`,
		"POST /monitors":                      monitor,
		"POST /monitors/test":                 `{"name":"Shop","type":"http","http":{"url":"http://127.0.0.1:1/"}}`,
		"PUT /monitors/by-key/{external_key}": strings.Replace(monitor, `"external_key":"key-{n}",`, "", 1),
		"PUT /monitors/{id}":                  monitor,
		"PATCH /monitors/{id}":                patch,
		"POST /monitors/bulk":                 `{"filter":{"q":"Shop"},"action":"retries","failures_before_down":3,"dry_run":true}`,
		"POST /monitors/{id}/clone":           strings.Replace(patch, `"name":"Shop"`, `"name":"Shop {n}"`, 1),
		"POST /monitors/{id}/silence":         `{"for":"1h","note":"Moving the rack."}`,
		"POST /incidents":                     `{"title":"Slow","severity":"minor","message":"We look into it."}`,
		"PATCH /incidents/{id}":               `{"title":"Slow","message":"A full disk."}`,
		"POST /incidents/{id}/acknowledge":    message,
		"POST /incidents/{id}/resolve":        message,
		"POST /incidents/{id}/updates":        message,
		"PUT /settings/defaults":              `{"interval":"30s","regions":["default"],"http":{"method":"GET","keyword":"ok"}}`,
		"PUT /settings/retention":             `{"results":"90d"}`,
		"POST /channels":                      channel,
		"PATCH /channels/{id}":                strings.Replace(channel, `,"type":"webhook"`, "", 1),

		"PATCH /incidents/{id}/updates/{update_id}": message,
	}
}

// wanted are members that are something else in most bodies, and are asked for in
// these.
func wanted() map[string][]string {
	return map[string][]string{
		"POST /workspaces": {"role"}, "PATCH /workspaces/{id}": {"role", "current"}, // what one is in it, whoever asks
		"POST /users": {"role", "disabled"}, "PATCH /users/{id}": {"role", "disabled"}, "POST /tokens": {"role", "scopes"},
		"POST /monitors/test": {"id"}, // of the monitor whose secrets it uses; another's is not there
	}
}

const (
	poisonNumber = 987654321
	poisonText   = "poisoned"
	poisonTime   = "1999-01-01T00:00:00Z"
)

// poison is what an attacker adds to a body: columns of our tables, members of
// answers, and names that are special elsewhere.
func poison() map[string]any {
	out := map[string]any{
		"role": "owner", "disabled": true, "is_admin": true, "admin": true, "current": true,
		"status": "up", "scopes": []string{"read", "write", "push"}, "permissions": []string{"*"},
		"__proto__": map[string]any{"role": "owner"}, "constructor": map[string]any{"prototype": map[string]any{"role": "owner"}},
	}
	for _, name := range []string{
		"id", "workspace_id", "user_id", "owner_id", "token_id", "acknowledged_by", "version", "used_by", "totp_step", "duration_seconds", "consecutive_failures", "change_seq",
	} {
		out[name] = poisonNumber
	}
	for _, name := range []string{
		"workspace", "row_key", "etag", "password_hash", "hash", "token_hash", "reset_hash", "invite_hash", "recovery_codes", "prefix", "secret", "token", "invite_url",
		"target", "disabled_reason", "author", "actor", "address", "user_agent", "sealed", "key_id", "last_error", "$ref", "_method",
	} {
		out[name] = poisonText
	}
	for _, name := range []string{"created_at", "updated_at", "deleted_at", "last_seen_at", "last_used_at", "resolved_at", "acknowledged_at", "status_since", "last_checked_at", "reset_until"} {
		out[name] = poisonTime
	}
	return out
}

// victims are what writes are aimed at, and who aims.
type victims struct {
	*bundle
	n              int
	user           int64
	viewer, viewed string // a token, and its refresh token
}

func newVictims(t *testing.T, b *bundle) *victims {
	t.Helper()
	v := &victims{bundle: b}
	require.Equal(t, int64(1), b.made(t, "/monitors", leastMonitor).number("id"))
	require.Equal(t, int64(1), b.made(t, "/channels", `{"name":"Hook","type":"webhook","settings":{"url":"http://127.0.0.1:1/"}}`).number("id"))
	v.user, _ = b.person(t, "editor")
	b.made(t, "/users", `{"email":"vera@example.com","role":"viewer","password":"`+ownPassword+`"}`)
	in := b.ask(t, "POST", prefix+"/auth/login", `{"email":"vera@example.com","password":"`+ownPassword+`"}`, anonymous)
	v.viewer, v.viewed = in.text("access_token"), in.text("refresh_token")
	return v
}

// write sends a body to a route, to an object of its own where one write ends it.
func (v *victims) write(t *testing.T, rt route, body string) got {
	t.Helper()
	v.n++
	id, line := int64(1), int64(1)
	switch {
	case strings.HasPrefix(rt.path, "/incidents/"):
		made := v.made(t, "/incidents", `{"title":"Slow","message":"We look into it."}`)
		updates, _ := made.list("updates")[0].(map[string]any)
		number, _ := updates["id"].(float64)
		id, line = made.number("id"), int64(number)
	case strings.HasPrefix(rt.path, "/users/"):
		id = v.user
	}
	path := strings.NewReplacer("{id}", strconv.FormatInt(id, 10), "{external_key}", "key-"+strconv.Itoa(v.n), "{update_id}", strconv.FormatInt(line, 10)).Replace(rt.path)
	body = strings.NewReplacer("{n}", strconv.Itoa(v.n), "{refresh}", v.viewed).Replace(body)
	change := []asking{as(v.token)}
	switch {
	case rt.access.has(anyone):
		change = []asking{anonymous}
	case strings.HasPrefix(rt.path, "/me") || rt.path == "/auth/logout":
		change = []asking{as(v.viewer)}
	}
	return v.ask(t, rt.method, prefix+path, body, change...)
}

// names reports whether an answer refuses the field by its name.
func (g got) names(field string) bool {
	return slices.ContainsFunc(g.list("errors"), func(e any) bool {
		named, _ := e.(map[string]any)["field"].(string)
		return named == field
	})
}

// TestMassAssignment adds to every body what it must not say. It is refused by its
// name, or is left out; it is never taken.
func TestMassAssignment(t *testing.T) {
	t.Parallel()
	b, empty := setup(t), bare(t)
	v := newVictims(t, b)
	bodies := goodBodies()
	for _, rt := range routes() {
		name := rt.method + " " + rt.path
		if rt.takes == "" {
			if rt.method == http.MethodPost {
				v.requireBodyIgnored(t, rt)
			}
			continue
		}
		body, known := bodies[name]
		require.True(t, known, "%s has no body here: write one that it takes", name)
		delete(bodies, name)
		at := v
		if rt.path == "/setup" {
			at = &victims{bundle: empty}
		}
		for field, value := range poison() {
			if slices.Contains(wanted()[name], field) {
				continue
			}
			a := at.write(t, rt, adding(t, body, field, value))
			if a.status == http.StatusUnprocessableEntity {
				require.True(t, a.names(field), "%s %s: %s", name, field, a.body)
				continue
			}
			require.Less(t, a.status, 300, "%s %s: %s", name, field, a.body)
			requireClean(t, a.body, name+" "+field)
			if now, there := a.object()[field]; there {
				require.NotEqual(t, value, now, "%s %s: %s", name, field, a.body)
			}
		}
	}
	require.Empty(t, bodies, "bodies of no route")
	for _, list := range []string{"/users", "/tokens", "/monitors", "/channels", "/incidents", "/deliveries", "/audit-log"} {
		requireClean(t, b.ask(t, "GET", prefix+list+"?limit=200", "").body, list)
	}
	me := b.ask(t, "GET", prefix+"/me", "", as(v.viewer))
	require.Equal(t, "viewer", me.text("role"), me.body)
	require.Equal(t, "Vera", me.text("name"), "what may be written was")
	require.Equal(t, http.StatusForbidden, b.ask(t, "GET", prefix+"/users", "", as(v.viewer)).status)
	others := b.ask(t, "GET", prefix+"/monitors", "", as(strangerToken))
	require.Empty(t, others.list("data"), "nothing went to another workspace")
}

// requireBodyIgnored: a route that takes no body reads none.
func (v *victims) requireBodyIgnored(t *testing.T, rt route) {
	t.Helper()
	raw, err := json.Marshal(poison())
	require.NoError(t, err)
	a := v.write(t, rt, string(raw))
	require.Less(t, a.status, http.StatusGatewayTimeout, a.body)
	require.NotEqual(t, http.StatusInternalServerError, a.status, a.body)
	requireClean(t, a.body, rt.path)
}

// adding gives the body with one more member.
func adding(t *testing.T, body, field string, value any) string {
	t.Helper()
	var members map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &members))
	members = maps.Clone(members)
	members[field] = value
	raw, err := json.Marshal(members)
	require.NoError(t, err)
	return string(raw)
}

func requireClean(t *testing.T, body, what string) {
	t.Helper()
	for _, never := range []string{strconv.Itoa(poisonNumber), `"` + poisonText + `"`, "1999-01-01"} {
		require.NotContains(t, body, never, what)
	}
}
