package app_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/auth"
	"monitor/modules/channel/channeltest"
	"monitor/modules/testenv"
)

// Secrets as people choose them: what has to be escaped is in each of them.
const (
	plantedOwner    = `Own3r-"q<&+/ é-planted-password`
	plantedReset    = `R3set-"q<&+/ é-planted-password`
	plantedInvited  = `Inv1ted-"q<&+/ é-planted-password`
	plantedHeader   = `Bearer h3ader-"q<&+/-planted-value`
	plantedURL      = `Url-"q<&+/@: -planted-password`
	plantedToken    = `Token-"q<&+/ -planted-in-a-query`
	plantedVault    = `Vault-"q<&+/-planted-header`
	plantedHook     = `Hook-"q<&+/ -planted-signing-secret`
	plantedHookURL  = `HookUrl-"q<&+/@: -planted-password`
	plantedHookKey  = `HookKey-"q<&+/ -planted-in-a-query`
	plantedHookAuth = `Basic h00k-planted-authorization-header`
	plantedMail     = `Mail-"q<&+/ -planted-smtp-password`
	plantedOwnMail  = `OwnMail-"q<&+/ -planted-smtp-password`
	plantedSecret   = `Secret-"q<&+/ -planted-auth-secret-0123456789`
	plantedPrevious = `Previous-"q<&+/ -planted-auth-secret-0123456789`
	plantedDatabase = `Database-"q<&+/ -planted-password`
	plantedRedis    = `redis-planted-password-0123456789`
	plantedMetrics  = `metrics-"q<&+/-planted-token`
)

// garden is a program with secrets planted in it, and everything that came out of it.
type garden struct {
	client
	program *program
	args    []string // settings
	secrets map[string]string
	places  map[string]string // what is looked through
	mail    *channeltest.SMTPServer
	errors  int
}

// TestPlantedSecrets uses every kind of secret, and finds none of them where it does
// not belong.
func TestPlantedSecrets(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		g := plant(t, dir)
		g.grow()
		g.searchFiles(dir, "while it runs")
		require.Equal(t, 0, g.program.stop())
		g.searchFiles(dir, "after it ran")
		g.searchSQLite(dir)
		g.search(dir)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		plain := testenv.Postgres(t)
		database, err := url.Parse(plain)
		require.NoError(t, err)
		database.User = url.UserPassword(database.User.Username(), plantedDatabase) // the server asks for none
		redis, spied := spiedRedis(t)
		dir := t.TempDir()
		g := plant(t, dir, "--database.url", database.String(), "--redis.url", redis)
		g.secrets["password of database.url"], g.secrets["password of redis.url"] = plantedDatabase, plantedRedis
		g.grow()
		g.places["keys of Redis"] = redisKeys(t, redis)
		require.Equal(t, 0, g.program.stop())
		g.places["commands to Redis"] = spied()
		g.searchPostgres(plain)
		g.search(dir)
	})
}

// plant starts the program with secrets in its settings.
func plant(t *testing.T, dir string, args ...string) *garden {
	t.Helper()
	g := &garden{client: client{t: t}, places: map[string]string{}, secrets: map[string]string{
		"auth.secret": plantedSecret, "auth.previous_secrets": plantedPrevious, "auth.admin_password": plantedOwner,
		"smtp.password": plantedMail, "http.metrics_token": plantedMetrics,
	}}
	g.mail = channeltest.StartSMTP(t, channeltest.SMTPOptions{Username: "monitor", Password: plantedMail})
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	at := l.Addr().String()
	require.NoError(t, l.Close())
	g.args = append([]string{
		"--http.addr", at, "--http.public_url", "http://" + at,
		"--auth.secret", plantedSecret, "--auth.previous_secrets", plantedPrevious,
		"--auth.admin_email", "owner@example.com", "--auth.admin_password", plantedOwner, "--http.metrics_token", plantedMetrics,
		"--smtp.host", "127.0.0.1", "--smtp.port", fmt.Sprint(g.mail.Port), "--smtp.username", "monitor", "--smtp.password", plantedMail,
		"--smtp.from", "monitor@example.com", "--smtp.tls", "none", "--log.level", "debug",
	}, args...)
	g.program = serve(t, dir, g.args...)
	g.base = g.program.base
	return g
}

// grow uses every secret, in ways that work and in ways that fail.
func (g *garden) grow() {
	g.people()
	g.factor()
	hook := g.channels()
	g.monitors()
	g.mistakes()
	eventually(g.t, "a message that fails by each channel", func() bool {
		attempts := 0
		for _, d := range g.must(http.StatusOK, http.MethodGet, "/api/v1/deliveries", nil).list(g.t) {
			if tried, _ := d["attempts"].([]any); len(tried) > 0 {
				attempts++
			}
		}
		return attempts >= 2 && len(hook.all) > 0
	})
	g.read()
}

// people logs in, makes tokens, invites somebody and sets a password by mail.
func (g *garden) people() {
	post := http.MethodPost
	login := g.must(http.StatusOK, post, "/api/v1/auth/login", map[string]any{"email": "owner@example.com", "password": plantedOwner}).object(g.t)
	g.keep("access token", login["access_token"])
	used := g.keep("refresh token", login["refresh_token"])
	again := g.must(http.StatusOK, post, "/api/v1/auth/refresh", map[string]any{"refresh_token": used}).object(g.t)
	g.keep("second refresh token", again["refresh_token"])
	g.token = g.keep("second access token", again["access_token"])

	for range 2 { // the second time the answer is one that was kept
		made := g.must(http.StatusCreated, post, "/api/v1/tokens", map[string]any{"name": "planted", "role": "owner"}, "Idempotency-Key", "token").object(g.t)
		g.keep("API token", made["secret"])
	}
	g.token = g.secrets["API token"]
	invited := g.must(http.StatusCreated, post, "/api/v1/users", map[string]any{"email": "guest@example.com", "role": "viewer"}, "Idempotency-Key", "invite").object(g.t)
	link, _ := invited["invite_url"].(string)
	invitation := g.keep("invitation", link[strings.LastIndexByte(link, '/')+1:])
	g.keep("password of the invited", plantedInvited)
	g.page(http.StatusOK, "/invite/"+invitation, nil)
	g.page(http.StatusUnprocessableEntity, "/invite/"+invitation, url.Values{"password": {"Inv1ted"}})
	answer := g.page(http.StatusSeeOther, "/invite/"+invitation, url.Values{"password": {plantedInvited}, "name": {"Guest"}})
	g.keepSession("session of the invited", cookie(answer, "monitor_session"))

	g.page(http.StatusOK, "/forgot", url.Values{"email": {"owner@example.com"}})
	eventually(g.t, "the mail with the link", func() bool { return len(g.mail.Mails()) > 0 })
	found := regexp.MustCompile(`/reset/(\S+)`).FindStringSubmatch(strings.ReplaceAll(g.mail.Mails()[0].Data, "=\n", ""))
	require.NotNil(g.t, found, "the mail has the link in it")
	reset := g.keep("link that sets a password", found[1])
	g.page(http.StatusOK, "/reset/"+reset, nil)
	g.page(http.StatusNotFound, "/x/reset/"+reset, nil)
	g.keep("password by the link", plantedReset)
	g.page(http.StatusSeeOther, "/reset/"+reset, url.Values{"password": {plantedReset}})
}

// factor sets a second factor up, and logs in by it and by a recovery code.
func (g *garden) factor() {
	seed := g.keep("TOTP seed", g.must(http.StatusOK, http.MethodPost, "/api/v1/me/totp", nil).object(g.t)["secret"])
	code := func(steps int64) string { return auth.OneTimeCodes{}.Code(seed, auth.StepAt(time.Now())+steps) }
	body := map[string]any{"totp": true, "totp_secret": seed, "totp_code": code(-1), "current_password": plantedReset}
	wrong := map[string]any{"totp": true, "totp_secret": seed + "1", "totp_code": "000000", "current_password": plantedReset}
	g.fails(http.MethodPatch, "/api/v1/me", wrong)
	on := g.must(http.StatusOK, http.MethodPatch, "/api/v1/me", body).object(g.t)
	codes, _ := on["recovery_codes"].([]any)
	require.NotEmpty(g.t, codes)
	recovery := g.keep("recovery code", codes[0])
	unused := g.keep("recovery code that was not used", codes[1])
	g.keep("recovery code without its hyphens", strings.ReplaceAll(unused, "-", ""))

	login := map[string]any{"email": "owner@example.com", "password": plantedReset}
	g.fails(http.MethodPost, "/api/v1/auth/login", login)
	login["totp"] = "000000"
	g.fails(http.MethodPost, "/api/v1/auth/login", login)
	login["totp"] = code(0)
	g.keep("refresh token by a code", g.must(http.StatusOK, http.MethodPost, "/api/v1/auth/login", login).object(g.t)["refresh_token"])

	answer := g.page(http.StatusSeeOther, "/login", url.Values{"email": {"owner@example.com"}, "password": {plantedReset}})
	ticket := g.keep("ticket of a log-in", cookie(answer, "monitor_ticket"))
	answer = g.page(http.StatusSeeOther, "/login/2fa", url.Values{"code": {recovery}}, "monitor_ticket", ticket)
	g.keepSession("session", cookie(answer, "monitor_session"))
}

// channels makes two that fail, each telling the program its own secrets.
func (g *garden) channels() *hook {
	g.keep("signing secret of a webhook", plantedHook)
	g.keep("password in the URL of a webhook", plantedHookURL)
	g.keep("header of a webhook", plantedHookAuth)
	g.keep("key in the URL of a webhook", plantedHookKey)
	g.keep("password of a channel's mail server", plantedOwnMail)
	h := &hook{first: slices.Repeat([]int{http.StatusBadGateway}, 100), attempts: map[string]int{}}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(httptest.NewRecorder(), r)
		echo(w, r, plantedHook, plantedHookURL)
	}))
	g.t.Cleanup(h.Close)
	at, err := url.Parse(h.URL)
	require.NoError(g.t, err)
	at.User, at.RawQuery = url.UserPassword("hook", plantedHookURL), url.Values{"key": {plantedHookKey}, "room": {"ops"}}.Encode()
	refusing := channeltest.StartSMTP(g.t, channeltest.SMTPOptions{Username: "u", Password: "p"})
	refusing.OnAuth(func(username, password string) error {
		login := base64.StdEncoding.EncodeToString([]byte("\x00" + username + "\x00" + password))
		return channeltest.Refuse(454, "not now: "+login+" "+password+" "+url.QueryEscape(password))
	})
	for _, body := range []map[string]any{
		{"name": "Hook", "type": "webhook", "is_default": true, "settings": map[string]any{
			"url": at.String(), "secret": plantedHook, "headers": map[string]string{"X-API-Key": plantedHookAuth},
		}},
		{"name": "Mail", "type": "email", "is_default": true, "settings": map[string]any{
			"to": []string{"oncall@example.com"}, "smtp": map[string]any{
				"host": "127.0.0.1", "port": refusing.Port, "from": "monitor@example.com", "tls": "none",
				"username": "alerts", "password": plantedOwnMail,
			},
		}},
	} {
		made := g.must(http.StatusCreated, http.MethodPost, "/api/v1/channels", body)
		g.places["answer to a new channel "+body["name"].(string)] = string(made.raw)
		id := made.object(g.t)["id"]
		tested := g.must(http.StatusOK, http.MethodPost, fmt.Sprintf("/api/v1/channels/%v/test", id), nil)
		g.places["answer to a test of channel "+body["name"].(string)] = string(tested.raw)
	}
	return h
}

// monitors makes those that fail, at targets that repeat all that they are told.
func (g *garden) monitors() {
	g.keep("header of a monitor", plantedHeader)
	g.keep("password in the URL of a monitor", plantedURL)
	g.keep("token in the URL of a monitor", plantedToken)
	g.keep("token in a header of a monitor", plantedVault)
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { echo(w, r) }))
	g.t.Cleanup(target.Close)
	at, err := url.Parse(target.URL)
	require.NoError(g.t, err)
	at.User, at.RawQuery = url.UserPassword("shop", plantedURL), url.Values{"access_token": {plantedToken}, "page": {"2"}}.Encode()
	refused := *at
	refused.Host = "127.0.0.1:1"
	var ids []float64
	for name, settings := range map[string]map[string]any{
		"Header":  {"url": target.URL, "headers": map[string]string{"Authorization": plantedHeader, "Cookie": "c=" + plantedHeader, "X-Vault-Token": plantedVault}},
		"URL":     {"url": at.String(), "follow_redirects": false},
		"Refused": {"url": refused.String()},
	} {
		body := map[string]any{"name": name, "type": "http", "interval": "5s", "timeout": "2s", "failures_before_down": 1, "http": settings}
		g.places["answer to a test of monitor "+name] = string(g.must(http.StatusOK, http.MethodPost, "/api/v1/monitors/test", body).raw)
		made := g.must(http.StatusCreated, http.MethodPost, "/api/v1/monitors", body)
		g.places["answer to a new monitor "+name] = string(made.raw)
		id, _ := made.object(g.t)["id"].(float64)
		ids = append(ids, id)
	}
	for _, id := range ids {
		eventually(g.t, "it is down", func() bool { return g.monitorStatus(id) == "down" })
	}
}

// echo answers 500 and repeats what came, in every way that a server might.
func echo(w http.ResponseWriter, r *http.Request, more ...string) {
	_, password, _ := r.BasicAuth()
	told := append([]string{password}, more...)
	for _, values := range r.URL.Query() {
		told = append(told, values...)
	}
	for name, values := range r.Header {
		w.Header()["X-Echo-"+name] = values
		told = append(told, values...)
	}
	w.WriteHeader(http.StatusInternalServerError)
	for _, text := range told {
		quoted, _ := json.Marshal(text)
		_, _ = fmt.Fprintf(w, "%s %s %s %s %s\n", text, quoted, url.QueryEscape(text), url.PathEscape(text),
			base64.StdEncoding.EncodeToString([]byte(text)))
	}
}

// mistakes sends secrets in requests that cannot be used.
func (g *garden) mistakes() {
	const post, patch = http.MethodPost, http.MethodPatch
	g.fails(post, "/api/v1/auth/login", map[string]any{"email": "owner@example.com", "password": plantedOwner})
	g.fails(post, "/api/v1/auth/login", map[string]any{"email": "owner@example.com", "password": []string{plantedReset}})
	g.fails(post, "/api/v1/auth/refresh", map[string]any{"refresh_token": g.secrets["refresh token"]})
	g.fails(patch, "/api/v1/me", map[string]any{"password": plantedOwner, "current_password": plantedOwner})
	g.fails(post, "/api/v1/setup", map[string]any{"email": "x", "password": plantedOwner, "name": "x"})
	g.fails(post, "/api/v1/monitors", `{"name":"x","type":"http","http":{"url":"ftp://u:`+url.PathEscape(plantedURL)+`@h"}}`)
	g.fails(post, "/api/v1/monitors", map[string]any{"name": "x", "type": "http", "http": map[string]any{
		"url": "http://u:" + url.PathEscape(plantedURL) + "@h:99999/%zz", "headers": map[string]string{"Authorization": plantedHeader + "\n"},
	}})
	g.fails(post, "/api/v1/channels", map[string]any{"name": "x", "type": "webhook", "settings": map[string]any{"url": "x", "secret": "whsec_" + plantedHook}})
	g.fails(patch, "/api/v1/channels/2", map[string]any{"settings": map[string]any{"smtp": map[string]any{"host": "", "password": plantedOwnMail}}})
	g.fails(post, "/api/v1/channels", `{"name":"x","type":"webhook","settings":{"secret":"`+strings.ReplaceAll(plantedHook, `"`, `\"`)+`"`)
	for _, token := range []string{g.secrets["API token"] + "x", g.secrets["access token"] + "x", g.secrets["refresh token"], plantedSecret} {
		stranger := g.client
		stranger.token = token
		g.note(stranger.do(http.MethodGet, "/api/v1/monitors", nil), http.MethodGet, "/api/v1/monitors by a bad token")
	}
	g.fails(http.MethodGet, "/api/v1/nowhere/"+url.PathEscape(g.secrets["API token"]), nil)
	g.page(http.StatusUnprocessableEntity, "/login", url.Values{"email": {"owner@example.com"}, "password": {plantedOwner}})
}

// keep notes a secret that the program made, or is about to be told.
func (g *garden) keep(name string, value any) string {
	g.t.Helper()
	text, _ := value.(string)
	require.GreaterOrEqual(g.t, len(text), 16, name)
	g.secrets[name] = text
	return text
}

// keepSession notes a cookie: its first part names the session, and is no secret.
func (g *garden) keepSession(name, cookie string) {
	g.t.Helper()
	_, secret, _ := strings.Cut(g.keep("cookie of the "+name, cookie), ".")
	g.keep("secret of the "+name, secret)
}

// fails sends a request that must be refused, and keeps the answer.
func (g *garden) fails(method, path string, body any) {
	g.t.Helper()
	g.note(g.do(method, path, body), method, path)
}

func (g *garden) note(a answer, method, path string) {
	g.t.Helper()
	require.GreaterOrEqual(g.t, a.status, 400, "%s %s: %s", method, path, a.raw)
	require.Less(g.t, a.status, 500, "%s %s: %s", method, path, a.raw)
	g.errors++
	g.places[fmt.Sprintf("error %d of %s %s", g.errors, method, path[:min(len(path), 30)])] = string(a.raw)
}

// page asks for a page, or sends a form, and gives the cookies that come. Those that go
// are names and values in turn.
func (g *garden) page(status int, path string, form url.Values, cookies ...string) []*http.Cookie {
	g.t.Helper()
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.base+path, body)
	require.NoError(g.t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(cookies); i += 2 {
		req.AddCookie(&http.Cookie{Name: cookies[i], Value: cookies[i+1]})
	}
	once := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := once.Do(req)
	require.NoError(g.t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(g.t, err)
	require.Equal(g.t, status, res.StatusCode, "%s %s: %s", method, path, text)
	if !strings.HasPrefix(path, "/invite/") && !strings.HasPrefix(path, "/reset/") { // whose forms lead to themselves
		g.places["page "+method+" "+path] += string(text)
	}
	return res.Cookies()
}

func cookie(all []*http.Cookie, name string) string {
	for _, c := range all {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}
