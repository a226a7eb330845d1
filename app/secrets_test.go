package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/auth"
	"monitor/modules/testenv"
)

const (
	oldSecret   = "the secret of before that is long enough"
	newSecret   = "the secret of after that is long enough"
	thirdSecret = "a secret that nobody had before and long"
)

// keyID is the public name of a secret.
func keyID(t *testing.T, secret string) string {
	t.Helper()
	keys, err := auth.NewKeys(secret, nil)
	require.NoError(t, err)
	return keys.ID()
}

// story is one installation through which secrets come and go.
type story struct {
	client
	dir     string
	args    []string
	program *program
	monitor float64
	hook    *hook
	down    atomic.Bool
	seed    string
	access  string // a token that the first secret signed
	made    string // the answer to the creation of an API token
}

// by starts the program with secrets: the one in use and those before it.
func (s *story) by(secret string, previous ...string) {
	s.t.Helper()
	s.program = serve(s.t, s.dir, s.with(secret, previous...)...)
	s.base = s.program.base
}

func (s *story) with(secret string, previous ...string) []string {
	return append(append([]string{}, s.args...), "--auth.secret", secret, "--auth.previous_secrets", strings.Join(previous, ","))
}

// run runs a command with secrets.
func (s *story) run(name, secret string, previous ...string) ran {
	s.t.Helper()
	return command(s.t, "", nil, append(append(strings.Fields(name), "--data.dir", s.dir, "--http.addr", "127.0.0.1:0"), s.with(secret, previous...)...)...)
}

func (s *story) stop() {
	s.t.Helper()
	require.Equal(s.t, 0, s.program.stop())
}

func (s *story) code(steps int64) string {
	return auth.OneTimeCodes{}.Code(s.seed, auth.StepAt(time.Now())+steps)
}

func (s *story) login(code string) answer {
	s.t.Helper()
	body := map[string]any{"email": "owner@example.com", "password": ownerPassword}
	if code != "" {
		body["totp"] = code
	}
	return s.do(http.MethodPost, "/api/v1/auth/login", body)
}

// begin sets up an owner with a second factor, a monitor that needs its header, and a
// channel that signs.
func (s *story) begin() {
	s.client = s.program.setup()
	login := s.login("").object(s.t)
	s.access, _ = login["access_token"].(string)
	s.seed, _ = s.must(http.StatusOK, http.MethodPost, "/api/v1/me/totp", nil).object(s.t)["secret"].(string)
	s.must(http.StatusOK, http.MethodPatch, "/api/v1/me", map[string]any{
		"totp": true, "totp_secret": s.seed, "totp_code": s.code(-1), "current_password": ownerPassword,
	})
	s.made = s.makeToken()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer let me in" || s.down.Load() {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	s.t.Cleanup(target.Close)
	s.hook = newHook(s.t)
	s.must(http.StatusCreated, http.MethodPost, "/api/v1/channels", map[string]any{
		"name": "Hook", "type": "webhook", "is_default": true, "settings": map[string]any{"url": s.hook.URL, "secret": hookSecret},
	})
	made := s.must(http.StatusCreated, http.MethodPost, "/api/v1/monitors", map[string]any{
		"name": "Shop", "type": "http", "interval": "1h", "timeout": "2s", "failures_before_down": 1,
		"http": map[string]any{"url": target.URL, "headers": map[string]string{"Authorization": "Bearer let me in"}},
	}).object(s.t)
	s.monitor, _ = made["id"].(float64)
	eventually(s.t, "it is up", func() bool { return s.monitorStatus(s.monitor) == "up" })
}

// checked makes a check now and gives its status and error.
func (s *story) checked() string {
	s.t.Helper()
	result := s.must(http.StatusOK, http.MethodPost, fmt.Sprintf("/api/v1/monitors/%.0f/check", s.monitor), nil).object(s.t)
	text, _ := result["error"].(string)
	return strings.TrimSpace(fmt.Sprint(result["status"], " ", text))
}

// makeToken makes an API token, once: who repeats the request gets the same again.
func (s *story) makeToken() string {
	s.t.Helper()
	body := map[string]any{"name": "once", "role": "viewer"}
	return string(s.must(http.StatusCreated, http.MethodPost, "/api/v1/tokens", body, "Idempotency-Key", "once").raw)
}

func (s *story) accessWorks() int {
	c := s.client
	c.token = s.access
	return c.do(http.MethodGet, "/api/v1/me", nil).status
}

// TestSecretsStory replaces the secret by the real commands, drops the old one, and
// loses the new one.
func TestSecretsStory(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		secretsStory(t)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		secretsStory(t, "--database.url", testenv.Postgres(t), "--redis.url", testenv.Redis(t))
	})
}

func secretsStory(t *testing.T, args ...string) {
	t.Helper()
	s := &story{client: client{t: t}, dir: t.TempDir(), args: args}
	s.by(oldSecret)
	s.begin()
	got := s.run("secrets rotate", newSecret, oldSecret)
	require.Equal(t, 2, got.code, "the program does not know the new one: %s%s", got.out, got.err)
	require.Contains(t, got.err, "auth.previous_secrets")
	require.Equal(t, "up", s.checked())
	s.stop()

	s.by(newSecret, oldSecret)
	require.Equal(t, http.StatusOK, s.accessWorks(), "what the old one signed")
	require.Equal(t, s.made, s.makeToken(), "what the old one sealed, of a request that it recognises")
	require.Equal(t, "up", s.checked())
	got = s.run("secrets rotate --dry-run", newSecret, oldSecret)
	require.Equal(t, 0, got.code, "%s%s", got.out, got.err)
	require.Contains(t, got.out, "secrets of monitors: 1 sealed by key "+keyID(t, oldSecret)+"\n")
	got = s.run("secrets rotate", newSecret, oldSecret)
	require.Equal(t, 0, got.code, "%s%s", got.out, got.err)
	require.Contains(t, got.out, "secrets of monitors: 1 sealed by key "+keyID(t, newSecret)+" (auth.secret), rows sealed anew: 1")
	require.NotContains(t, got.out, keyID(t, oldSecret))
	require.Equal(t, s.made, s.makeToken())
	require.Equal(t, "up", s.checked())
	require.Equal(t, http.StatusOK, s.accessWorks())
	s.stop()

	s.by(newSecret)
	require.Equal(t, http.StatusUnauthorized, s.accessWorks())
	require.Equal(t, http.StatusUnauthorized, s.login("").status)
	require.Equal(t, http.StatusOK, s.login(s.code(0)).status)
	require.Equal(t, "up", s.checked())
	s.down.Store(true)
	require.Contains(t, s.checked(), "down Status 403")
	eventually(t, "a signed message", func() bool { return len(s.hook.accepted()) == 1 })
	requireSigned(t, s.hook.accepted()[0], []byte(hookSecret))
	s.down.Store(false)
	s.stop()
	s.lose()
}

// lose goes on without the secret.
func (s *story) lose() {
	t := s.t
	for _, name := range []string{"serve", "user list", "secrets rotate"} {
		got := s.run(name, oldSecret)
		require.Equal(t, 2, got.code, "%s: %s%s", name, got.out, got.err)
		require.Contains(t, got.err, "auth.secret")
		require.Contains(t, got.err, keyID(t, newSecret))
		require.Contains(t, got.err, "monitor secrets reset")
	}
	got := s.run("secrets reset", thirdSecret)
	require.Equal(t, 2, got.code, "%s%s", got.out, got.err)
	require.Contains(t, got.out, `monitor 1 "Shop", http.headers.Authorization`)
	require.Contains(t, got.out, `channel 1 "Hook", webhook.secret`)
	require.Contains(t, got.out, "user owner@example.com")
	require.Contains(t, got.err, "--yes-forget-sealed")
	require.Equal(t, 2, s.run("serve", thirdSecret).code, "nothing is done yet")
	got = s.run("secrets reset --yes-forget-sealed", thirdSecret)
	require.Equal(t, 0, got.code, "%s%s", got.out, got.err)

	s.by(thirdSecret)
	require.Equal(t, http.StatusOK, s.login("").status, "the second factor is off")
	require.Contains(t, s.checked(), "unknown Could not check: its secret headers.Authorization cannot be opened, save it again")
	s.must(http.StatusOK, http.MethodPatch, fmt.Sprintf("/api/v1/monitors/%.0f", s.monitor),
		map[string]any{"http": map[string]any{"headers": map[string]string{"Authorization": "Bearer let me in"}}})
	require.Equal(t, "up", s.checked())
	got = s.run("secrets rotate", thirdSecret)
	require.Equal(t, 1, got.code, "the channel is left: %s%s", got.out, got.err)
	require.Contains(t, got.out, `channel 1 "Hook", webhook.secret`)
	s.stop()
}

// TestRollingSecrets: processes get the new secret one after the other, in two rounds;
// whoever skips the first is refused and harms nobody.
func TestRollingSecrets(t *testing.T) {
	t.Parallel()
	s := &story{client: client{t: t}, dir: t.TempDir(), args: []string{"--database.url", testenv.Postgres(t), "--redis.url", testenv.Redis(t)}}
	other := &story{client: client{t: t}, dir: t.TempDir(), args: s.args}
	s.by(oldSecret)
	s.begin()
	got := other.run("serve", newSecret, oldSecret)
	require.Equal(t, 2, got.code, "%s%s", got.out, got.err)
	require.Contains(t, got.err, "process ")
	require.Contains(t, got.err, keyID(t, newSecret))
	require.Equal(t, "up", s.checked())

	other.by(oldSecret, newSecret)
	s.stop()
	s.by(oldSecret, newSecret)
	other.stop()
	other.by(newSecret, oldSecret)
	require.Equal(t, "up", s.checked())
	got = s.run("secrets rotate", newSecret, oldSecret)
	require.Equal(t, 1, got.code, "one goes on to seal by the old one: %s%s", got.out, got.err)
	require.Contains(t, got.err, "seal by an older key")
	require.Equal(t, "up", s.checked(), "it knows the new one")
	s.stop()
	s.by(newSecret, oldSecret)
	got = s.run("secrets rotate", newSecret, oldSecret)
	require.Equal(t, 0, got.code, "%s%s", got.out, got.err)
	other.stop()
	other.by(newSecret)
	require.Equal(t, "up", s.checked())
	s.stop()
	other.stop()
}

// TestSecretFileIsGone: no new one is made beside a database that the old one sealed.
func TestSecretFileIsGone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	p := serve(t, dir)
	c := p.setup()
	c.must(http.StatusCreated, http.MethodPost, "/api/v1/monitors", map[string]any{
		"name": "Shop", "type": "http", "http": map[string]any{"url": "http://u:hunter2@127.0.0.1:1"},
	})
	require.Equal(t, 0, p.stop())
	secret, err := os.ReadFile(file)
	require.NoError(t, err)
	id := keyID(t, strings.TrimSpace(string(secret)))
	run := func(env []string, args ...string) ran {
		return command(t, "", env, append(args, "--data.dir", dir, "--http.addr", "127.0.0.1:0")...)
	}
	require.NoError(t, os.Rename(file, file+".away"))
	for _, name := range []string{"serve", "user list", "secrets rotate"} {
		got := run(nil, strings.Fields(name)...)
		require.Equal(t, 2, got.code, "%s: %s%s", name, got.out, got.err)
		require.Contains(t, got.err, file+" is gone")
		require.Contains(t, got.err, id)
		require.NoFileExists(t, file)
	}
	got := run(nil, "secrets", "reset")
	require.Equal(t, 2, got.code, "%s%s", got.out, got.err)
	require.NoFileExists(t, file)

	require.NoError(t, os.Rename(file+".away", file))
	got = run([]string{"MONITOR_AUTH_SECRET=" + newSecret}, "serve")
	require.Equal(t, 2, got.code)
	require.Contains(t, got.err, "The secret in "+file+" is the one that is missing")

	require.NoError(t, os.Rename(file, file+".away"))
	got = run([]string{"MONITOR_AUTH_PREVIOUS_SECRETS=" + strings.TrimSpace(string(secret))}, "secrets", "rotate")
	require.Equal(t, 0, got.code, "a new one is made where the old one is known: %s%s", got.out, got.err)
	require.FileExists(t, file)
	p = serve(t, dir)
	require.Equal(t, 0, p.stop())
}
