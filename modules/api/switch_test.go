package api

import (
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// switches are headers by which other programs change who asks, for whom, or what.
func switches() map[string][]string {
	return map[string][]string{
		"X-Workspace-ID": {"1", "77"}, "X-Workspace": {"default"}, "X-Tenant": {"1"}, "X-Tenant-ID": {"1"}, "X-Org-ID": {"1"}, "X-Account-ID": {"1"}, "X-Scope-OrgID": {"1"},
		"X-User": {"owner@example.com"}, "X-User-ID": {"1"}, "X-Username": {"owner"}, "X-Forwarded-User": {"owner@example.com"}, "X-Forwarded-Email": {"owner@example.com"},
		"X-Remote-User": {"owner@example.com"}, "Remote-User": {"owner@example.com"}, "X-Auth-Request-Email": {"owner@example.com"}, "X-WebAuth-User": {"owner@example.com"},
		"Cf-Access-Authenticated-User-Email": {"owner@example.com"}, "X-Ms-Client-Principal-Name": {"owner@example.com"}, "X-Role": {"owner"}, "X-Roles": {"owner"}, "X-Admin": {"1"},
		"X-Forwarded-For": {"127.0.0.1"}, "X-Real-IP": {"127.0.0.1"}, "Forwarded": {"for=127.0.0.1"}, "X-Custom-IP-Authorization": {"127.0.0.1"},
		"X-Original-URL": {"/api/v1/users"}, "X-Rewrite-URL": {"/api/v1/users"}, "X-Forwarded-Uri": {"/api/v1/users"}, "X-Forwarded-Prefix": {"/api/v1/users"},
		"X-HTTP-Method-Override": {"DELETE"}, "X-HTTP-Method": {"DELETE"}, "X-Method-Override": {"DELETE"}, "X-Forwarded-Method": {"DELETE"},
		"Cookie": {"workspace=1; user=1; role=owner"}, "From": {"owner@example.com"}, "Impersonate-User": {"owner@example.com"}, "X-Sudo": {"owner@example.com"},
	}
}

// TestHeadersSwitchNothing: who asks is who their token says, in the workspace that it
// is of; what they ask for stands in the first line of the request.
func TestHeadersSwitchNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.made(t, "/monitors", leastMonitor)
	_, viewer := b.person(t, uptime.RoleViewer)
	reads := []string{"/me", "/monitors", "/monitors/1", "/users", "/audit-log", "/channels"}
	for name, values := range switches() {
		for _, value := range values {
			forged := with(name, value)
			for who, token := range map[string]string{"viewer": viewer, "stranger": strangerToken} {
				for _, path := range reads {
					if who == "stranger" && path == "/me" {
						continue // they are no row of the table
					}
					plain, changed := b.ask(t, "GET", prefix+path, "", as(token)), b.ask(t, "GET", prefix+path, "", as(token), forged)
					require.Equal(t, plain.status, changed.status, "%s %s: %s", who, path, name)
					require.Equal(t, plain.body, changed.body, "%s %s: %s", who, path, name)
				}
				a := b.ask(t, "DELETE", prefix+"/monitors/1", "", as(token), forged)
				require.Contains(t, []int{http.StatusForbidden, http.StatusNotFound}, a.status, "%s: %s", who, name)
			}
			require.Equal(t, http.StatusUnauthorized, b.ask(t, "GET", prefix+"/me", "", anonymous, forged).status, name)
			a := b.ask(t, "POST", prefix+"/monitors/1/resume", "", forged)
			require.Equal(t, http.StatusOK, a.status, "%s made another request of it: %s", name, a.body)
		}
	}
	require.Equal(t, http.StatusOK, b.ask(t, "GET", prefix+"/monitors/1", "").status, "nothing was deleted")
}

// TestParametersSwitchNothing: neither does the query.
func TestParametersSwitchNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.made(t, "/monitors", leastMonitor)
	for _, name := range []string{"workspace_id", "workspace", "tenant", "user_id", "user", "role", "_method", "method", "access_token", "api_key", "token", "callback", "jsonp", "format", "debug"} {
		query := url.Values{name: {"DELETE"}}.Encode()
		for _, ask := range [][2]string{{"GET", "/monitors"}, {"GET", "/monitors/1"}, {"POST", "/monitors/1/resume"}} {
			a := b.ask(t, ask[0], prefix+ask[1]+"?"+query, "")
			require.Equal(t, http.StatusUnprocessableEntity, a.status, "%s %s?%s: %s", ask[0], ask[1], query, a.body)
			require.True(t, a.names(name), a.body)
		}
	}
	for _, method := range []string{"TRACE", "CONNECT", "TRACK", "PROPFIND", "get", "GETX"} {
		a, err := b.send(t.Context(), method, prefix+"/monitors/"+strconv.Itoa(1), "")
		require.NoError(t, err)
		require.Contains(t, []int{http.StatusMethodNotAllowed, http.StatusNotFound, http.StatusBadRequest}, a.status, method)
	}
	require.Equal(t, http.StatusOK, b.ask(t, "GET", prefix+"/monitors/1", "").status, "nothing was deleted")
}

// TestNoOtherOriginReads: no answer lets a page of another site read it, or ask for
// what its browser would have to ask for first.
func TestNoOtherOriginReads(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, method := range []string{"GET", "HEAD", "OPTIONS"} {
		for _, path := range []string{"/me", "/monitors", "/auth/login", "/events", "/nope"} {
			if method == "GET" && path == "/events" {
				continue // it does not end
			}
			a := b.ask(t, method, prefix+path, "", with("Origin", "https://evil.example"), with("Access-Control-Request-Method", "DELETE"), with("Access-Control-Request-Headers", "authorization"))
			for name := range a.header {
				require.NotRegexp(t, "^Access-Control-", name, "%s %s", method, path)
			}
		}
	}
}
