package logincheck

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// visitor is a browser without scripts: it keeps cookies and follows redirects.
type visitor struct {
	t      *testing.T
	client *http.Client
	at     *url.URL
	status int
	page   string
	// callback is where the provider led back to last, with the cookies of then.
	callback *url.URL
	held     []*http.Cookie
}

func newVisitor(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	v := &visitor{t: t, client: &http.Client{Jar: jar}}
	v.client.CheckRedirect = func(next *http.Request, _ []*http.Request) error {
		if next.URL.Path == "/login/oidc/callback" {
			v.callback, v.held = next.URL, jar.Cookies(next.URL)
		}
		return nil
	}
	return v
}

func (v *visitor) goes(method, address string, form url.Values) {
	v.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(v.t.Context(), method, address, body)
	require.NoError(v.t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := v.client.Do(req)
	require.NoError(v.t, err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(v.t, err)
	v.at, v.status, v.page = res.Request.URL, res.StatusCode, string(raw)
}

// finds gives the first group of the expression in the page.
func (v *visitor) finds(expression string) string {
	v.t.Helper()
	found := regexp.MustCompile(expression).FindStringSubmatch(v.page)
	require.NotNil(v.t, found, "%s in %s:\n%s", expression, v.at, v.page)
	return html.UnescapeString(found[1])
}

// logsIn goes the whole way, by the button that the page has for who is sent to log in.
func (v *visitor) logsIn(p *program, idp *idp, path, name string) {
	v.t.Helper()
	v.goes(http.MethodGet, p.base+path, nil)
	require.Equal(v.t, "/login", v.at.Path)
	v.goes(http.MethodGet, p.base+v.finds(`<a class="btn" href="([^"]+)">Log in with Zitadel`), nil)
	require.Equal(v.t, "localhost", v.at.Hostname(), "at the provider")
	v.goes(http.MethodPost, idp.issuer+"login/username", url.Values{"id": {v.finds(`name="id" value="([^"]+)"`)}, "username": {name}, "password": {word}})
	require.Equal(v.t, "127.0.0.1", v.at.Hostname(), "back again")
}

// TestLogin goes the way of several people: somebody new, with another role later, an
// account that was there, and somebody who is not let in.
func TestLogin(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	idp := startProvider(t, "http://"+address+"/login/oidc/callback", "pia@example.com", "owner@example.com", "eve@example.com")
	p := startProgram(t, address,
		"MONITOR_AUTH_OIDC_ISSUER="+idp.issuer, "MONITOR_AUTH_OIDC_CLIENT_ID="+clientID, "MONITOR_AUTH_OIDC_CLIENT_SECRET="+clientSecret,
		"MONITOR_AUTH_OIDC_NAME=Zitadel", "MONITOR_AUTH_OIDC_EDITOR_GROUPS=dev", "MONITOR_AUTH_OIDC_VIEWER_GROUPS=staff,dev")
	idp.put(0, "dev")
	idp.put(1, "staff")

	pia := newVisitor(t)
	pia.logsIn(p, idp, "/monitors?status=down", "pia")
	require.Equal(t, http.StatusOK, pia.status, pia.page)
	require.Equal(t, "/monitors?status=down", pia.at.RequestURI())
	require.Equal(t, "editor", p.user(t, "pia@example.com")["role"])
	require.Equal(t, false, p.user(t, "pia@example.com")["has_password"])
	require.Equal(t, "pia Lund", p.user(t, "pia@example.com")["name"])
	require.Equal(t, []string{"user.login_oidc", "user.create_oidc"}, p.actions(t)[:2])
	pia.goes(http.MethodGet, p.base+"/settings/security", nil)
	require.Contains(t, pia.page, "You log in with Zitadel and have no password here.")

	// The session ends like every other; the next one has the role of then.
	pia.goes(http.MethodPost, p.base+"/logout", url.Values{"x": {"y"}})
	require.Contains(t, pia.page, "You are logged out.")
	idp.put(0, "staff")
	pia.logsIn(p, idp, "/incidents", "pia")
	require.Equal(t, "/incidents", pia.at.Path)
	require.Equal(t, "viewer", p.user(t, "pia@example.com")["role"])
	pia.goes(http.MethodGet, p.base+"/monitors/new", nil)
	require.Equal(t, http.StatusForbidden, pia.status)

	// What was used once is used up: in that browser, and by who has its cookies.
	pia.goes(http.MethodGet, pia.callback.String(), nil)
	require.Equal(t, http.StatusUnprocessableEntity, pia.status)
	require.Contains(t, pia.page, "begun in another browser")
	thief := newVisitor(t)
	thief.client.Jar.SetCookies(pia.callback, pia.held)
	thief.goes(http.MethodGet, pia.callback.String(), nil)
	require.Equal(t, http.StatusUnprocessableEntity, thief.status)
	require.Contains(t, thief.page, "was used before")

	// Parted from the provider by hand, they are linked anew, and logged out meanwhile.
	require.Contains(t, p.command(t, "user", "unlink-oidc", "pia@example.com"), "pia@example.com is linked to nobody any more")
	pia.logsIn(p, idp, "/incidents", "pia")
	require.Equal(t, "/incidents", pia.at.Path)
	require.Equal(t, []string{"user.login_oidc", "user.link_oidc", "user.unlink_oidc"}, p.actions(t)[:3])

	olive := newVisitor(t)
	olive.logsIn(p, idp, "/", "owner")
	require.Equal(t, "/", olive.at.Path)
	require.Equal(t, "owner", p.user(t, "owner@example.com")["role"], "owners are made here")
	require.Equal(t, true, p.user(t, "owner@example.com")["has_password"])

	eve := newVisitor(t)
	eve.logsIn(p, idp, "/settings/audit", "eve")
	require.Equal(t, http.StatusForbidden, eve.status)
	require.Contains(t, eve.page, "None of your groups at Zitadel lets you in here.")
	require.Nil(t, p.user(t, "eve@example.com"))
	require.NotContains(t, p.logged(t), clientSecret)
}

// TestProviderIsAway: the program starts, says so, and lets people in as soon as it is
// back.
func TestProviderIsAway(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	idp := startProvider(t, "http://"+address+"/login/oidc/callback", "pia@example.com")
	idp.away.Store(true)
	p := startProgram(t, address,
		"MONITOR_AUTH_OIDC_ISSUER="+idp.issuer, "MONITOR_AUTH_OIDC_CLIENT_ID="+clientID, "MONITOR_AUTH_OIDC_CLIENT_SECRET="+clientSecret,
		"MONITOR_AUTH_OIDC_NAME=Zitadel", "MONITOR_AUTH_OIDC_DEFAULT_ROLE=viewer")
	v := newVisitor(t)
	v.goes(http.MethodGet, p.base+"/login/oidc", nil)
	require.Equal(t, http.StatusServiceUnavailable, v.status)
	require.Contains(t, v.page, "Zitadel does not answer at the moment.")
	require.Contains(t, v.page, `name="password"`)
	idp.away.Store(false)
	require.Eventually(t, func() bool {
		v.goes(http.MethodGet, p.base+"/login/oidc", nil)
		return v.at.Hostname() == "localhost"
	}, patience, pollEvery)
	v.logsIn(p, idp, "/monitors", "pia")
	require.Equal(t, "/monitors", v.at.Path)
	require.Equal(t, "viewer", p.user(t, "pia@example.com")["role"])
}
