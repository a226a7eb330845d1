package app_test

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/testenv"
)

// ran is what a command gave.
type ran struct {
	code     int
	out, err string
}

// command runs the binary to its end in a folder of its own.
func command(t *testing.T, stdin string, env []string, args ...string) ran {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(cleanEnv(), env...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil {
		require.ErrorAs(t, err, new(*exec.ExitError))
	}
	return ran{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

func TestCheckCommand(t *testing.T) {
	t.Parallel()
	tg := newTarget(t)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	refused := "http://" + l.Addr().String()
	require.NoError(t, l.Close())
	cases := []struct {
		name string
		args []string
		code int
		out  string
		err  string
	}{
		{"Up", []string{tg.URL}, 0, "UP ", ""},
		{"UpByKeyword", []string{tg.URL, "--keyword", "hello"}, 0, "UP ", ""},
		{"ExpectStatus", []string{tg.URL, "--expect-status", "404"}, 1, "DOWN ", ""},
		{"KeywordMissing", []string{tg.URL, "--keyword", "goodbye"}, 1, "(keyword)", ""},
		{"Refused", []string{refused}, 1, "(connect_refused)", ""},
		{"Blocked", []string{"http://169.254.169.254/latest"}, 3, "(blocked)", ""},
		{"NoURL", nil, 2, "", "check takes one URL"},
		{"BadURL", []string{"ftp://example.com"}, 2, "", "http.url"},
		{"BadType", []string{tg.URL, "--type", "carrier-pigeon"}, 2, "", "carrier-pigeon"},
		{"BadTimeout", []string{tg.URL, "--timeout", "soon"}, 2, "", "--timeout"},
		{"BadStatus", []string{tg.URL, "--expect-status", "nine"}, 2, "", "expected_status"},
		{"UnknownFlag", []string{tg.URL, "--colour"}, 2, "", "--colour"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := command(t, "", nil, append([]string{"check"}, c.args...)...)
			require.Equal(t, c.code, got.code, "%s%s", got.out, got.err)
			require.Contains(t, got.out, c.out)
			require.Contains(t, got.err, c.err)
		})
	}
	t.Run("JSON", func(t *testing.T) {
		t.Parallel()
		got := command(t, "", nil, "check", tg.URL, "--json")
		var answer struct {
			Status     string             `json:"status"`
			StatusCode int                `json:"status_code"`
			Phases     map[string]float64 `json:"phases"`
		}
		require.NoError(t, json.Unmarshal([]byte(got.out), &answer), got.out)
		require.Equal(t, "up", answer.Status)
		require.Equal(t, http.StatusOK, answer.StatusCode)
		require.Positive(t, answer.Phases["first_byte_ms"])
	})
}

func TestUserCommands(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	run := func(stdin string, args ...string) ran {
		return command(t, stdin, []string{"MONITOR_DATA_DIR=" + data}, append([]string{"user"}, args...)...)
	}
	got := run("short\n", "create", "--email", "a@example.com", "--role", "owner", "--password-stdin")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "12 characters")
	got = run(ownerPassword+"\n", "create", "--email", "a@example.com", "--role", "owner", "--password-stdin")
	require.Equal(t, 0, got.code, got.err)
	got = run(ownerPassword+"\n", "create", "--email", "A@example.com", "--role", "viewer", "--password-stdin")
	require.Equal(t, 1, got.code, "an address is taken once, in any case")
	require.Equal(t, 2, run("", "create", "--email", "b@example.com", "--role", "king", "--password-stdin").code)
	require.Equal(t, 0, run(ownerPassword+"\n", "create", "--email", "b@example.com", "--role", "viewer", "--password-stdin").code)
	require.Contains(t, run("", "list").out, "a@example.com")
	got = run("", "delete", "--email", "a@example.com")
	require.Equal(t, 1, got.code, "the last owner stays")
	require.Contains(t, got.err, "owner")
	require.Equal(t, 0, run("", "delete", "--email", "b@example.com").code)
	require.NotContains(t, run("", "list").out, "b@example.com")
	require.Equal(t, 1, run("", "delete", "--email", "nobody@example.com").code)
	for _, email := range []string{"a@example.com", "nobody@example.com"} {
		got = run("", "unlink-oidc", email)
		require.Equal(t, 1, got.code)
		require.Contains(t, got.err, "there is no user "+email+" who logs in by a provider")
	}

	require.Equal(t, 0, run("another long password\n", "reset-password", "--email", "a@example.com", "--password-stdin").code)
	p := serve(t, data)
	c := client{t: t, base: p.base}
	login := func(password string) int {
		return c.do(http.MethodPost, "/api/v1/auth/login", map[string]string{"email": "a@example.com", "password": password}).status
	}
	require.Equal(t, http.StatusUnauthorized, login(ownerPassword))
	require.Equal(t, http.StatusOK, login("another long password"))
}

func TestMigrateCommands(t *testing.T) {
	t.Parallel()
	env := []string{"MONITOR_DATA_DIR=" + filepath.Join(t.TempDir(), "data")}
	got := command(t, "", env, "migrate", "status")
	require.Equal(t, 0, got.code, got.err)
	require.Contains(t, got.out, "pending")
	got = command(t, "", append(env, "MONITOR_DATABASE_AUTO_MIGRATE=false"), "serve", "--http.addr", "127.0.0.1:0")
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "monitor migrate up")
	got = command(t, "", env, "migrate", "up")
	require.Equal(t, 0, got.code, got.err)
	require.NotContains(t, got.out, "pending")
	got = command(t, "", env, "migrate", "down")
	require.Equal(t, 0, got.code, got.err)
	require.Contains(t, got.out, "pending")
}

func TestSmallCommands(t *testing.T) {
	t.Parallel()
	got := command(t, "", nil, "version")
	require.Equal(t, 0, got.code)
	require.Contains(t, got.out, "go1.")
	got = command(t, "", []string{"MONITOR_SMTP_PASSWORD=hunter2"}, "config", "print", "--http.addr", ":9999")
	require.Equal(t, 0, got.code, got.err)
	require.Regexp(t, `http\.addr: ":9999"\s+# flag`, got.out)
	require.Regexp(t, `smtp\.password: "\*{8}"\s+# env`, got.out)
	require.NotContains(t, got.out, "hunter2")
	require.Equal(t, 0, command(t, "", nil, "completion", "bash").code)
	require.NotEqual(t, 0, command(t, "", nil, "frobnicate").code)
}

func TestServeRefusals(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		env  []string
		args []string
		err  string
	}{
		{"RolesApart", nil, []string{"--role=worker"}, "set redis.url"},
		{"RolesWithSpaces", nil, []string{"--role=web, api"}, "--role=web,api: roles apart"},
		{"RolesApartOnSQLite", []string{"MONITOR_REDIS_URL=redis://127.0.0.1:1"}, []string{"--role=web,api"}, "set database.url"},
		{"RolesApartOnPostgresAlone", []string{"MONITOR_DATABASE_URL=postgres://u@127.0.0.1:1/d", "MONITOR_AUTH_SECRET=" + sharedSecret}, []string{"--role=notifier"}, "set redis.url"},
		{"ReplicasOfSQLite", []string{"MONITOR_DATABASE_REPLICA_URLS=postgres://u@127.0.0.1:1/d"}, nil, "database.replica_urls"},
		{"BadRedisURL", []string{"MONITOR_REDIS_URL=redis+sentinel://127.0.0.1:1"}, nil, "master"},
		{"UnknownRole", nil, []string{"--role=cook"}, `"cook"`},
		{"BadSettings", []string{"MONITOR_WORKER_CONCURRENCY=lots", "MONITOR_HTTP_ADDR=nowhere"}, nil, "worker.concurrency"},
		{"PostgresWithoutSecret", []string{"MONITOR_DATABASE_URL=postgres://u@127.0.0.1:1/d"}, nil, "auth.secret"},
		{"NoSuchFile", nil, []string{"--config", "gone.yaml"}, "gone.yaml"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := command(t, "", c.env, append([]string{"serve", "--data.dir", t.TempDir()}, c.args...)...)
			require.Equal(t, 2, got.code, "%s%s", got.out, got.err)
			require.Contains(t, got.err, c.err)
		})
	}
	t.Run("SecondOnTheSameFolder", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		p := serve(t, dir)
		got := command(t, "", nil, "serve", "--data.dir", dir, "--http.addr", "127.0.0.1:0")
		require.Equal(t, 1, got.code)
		require.Contains(t, got.err, "in use by another monitor")
		pid, err := os.ReadFile(filepath.Join(dir, "serve.pid"))
		require.NoError(t, err)
		require.Contains(t, got.err, strings.TrimSpace(string(pid)))
		require.Equal(t, 0, command(t, "", []string{"MONITOR_DATA_DIR=" + dir}, "user", "list").code, "other commands work beside it")
		require.Equal(t, 0, p.stop())
	})
}

// TestHealthAddressTaken: a process without pages names the setting that it has,
// not that of pages.
func TestHealthAddressTaken(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	got := command(t, "", nil, "serve", "--role=worker", "--database.url", testenv.Postgres(t), "--redis.url", testenv.Redis(t),
		"--auth.secret", sharedSecret, "--http.admin_addr", l.Addr().String())
	require.Equal(t, 1, got.code)
	require.Contains(t, got.err, "--http.admin_addr")
	require.NotContains(t, got.err, "--http.addr")
}
