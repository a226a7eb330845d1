package logincheck

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// patience is how long a test waits for what will surely happen.
	patience  = 90 * time.Second
	pollEvery = 50 * time.Millisecond
)

// TestMain builds the program once.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "monitor-login-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "monitor")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", binary, ".")
	build.Dir = filepath.Join("..", "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	code := 1
	if err := build.Run(); err == nil {
		code = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// binary is the path of the program under test.
var binary string

// program is one running `monitor serve`, set up.
type program struct {
	base  string
	token string
	dir   string
	log   string
}

// freeAddress is one on loopback that nothing listens on now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// startProgram serves at an address, with these settings, until the test ends.
func startProgram(t *testing.T, address string, settings ...string) *program {
	t.Helper()
	dir := t.TempDir()
	p := &program{base: "http://" + address, dir: dir, log: filepath.Join(dir, "log")}
	log, err := os.Create(p.log)
	require.NoError(t, err)
	defer func() { _ = log.Close() }() // the process has its own by then
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), binary, "serve")
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.Env = append(plainEnvironment(), append(settings, "MONITOR_HTTP_ADDR="+address, "MONITOR_HTTP_PUBLIC_URL="+p.base, "MONITOR_LOG_FORMAT=json")...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("log of the program:\n%s", p.logged(t))
		}
	})
	require.Eventually(t, func() bool { return p.call(t, http.MethodGet, "/readyz", nil, nil) == http.StatusOK }, patience, pollEvery, "it starts")
	var made struct {
		AccessToken string `json:"access_token"`
	}
	require.Equal(t, http.StatusCreated, p.call(t, http.MethodPost, "/api/v1/setup", map[string]any{
		"email": "owner@example.com", "password": word, "name": "Olive", "instance_name": "Acme",
	}, &made))
	p.token = made.AccessToken
	return p
}

// plainEnvironment is that of the test without settings of the machine's owner.
func plainEnvironment() []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "MONITOR_") {
			env = append(env, e)
		}
	}
	return env
}

// command runs one beside it, and gives what it said.
func (p *program) command(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Dir, cmd.Env = p.dir, plainEnvironment()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

func (p *program) logged(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(p.log)
	require.NoError(t, err)
	return string(text)
}

// call speaks to the API as the owner; 0 is no answer.
func (p *program) call(t *testing.T, method, path string, body, into any) int {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), method, p.base+path, bytes.NewReader(text))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	if into != nil {
		require.NoError(t, json.Unmarshal(raw, into), string(raw))
	}
	return res.StatusCode
}

// user finds somebody by their address.
func (p *program) user(t *testing.T, email string) map[string]any {
	t.Helper()
	var list struct {
		Data []map[string]any `json:"data"`
	}
	require.Equal(t, http.StatusOK, p.call(t, http.MethodGet, "/api/v1/users", nil, &list))
	for _, u := range list.Data {
		if u["email"] == email {
			return u
		}
	}
	return nil
}

// actions are those of the audit log, newest first.
func (p *program) actions(t *testing.T) []string {
	t.Helper()
	var list struct {
		Data []struct {
			Action string `json:"action"`
		} `json:"data"`
	}
	require.Equal(t, http.StatusOK, p.call(t, http.MethodGet, "/api/v1/audit-log", nil, &list))
	var all []string
	for _, line := range list.Data {
		all = append(all, line.Action)
	}
	return all
}
