package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for something that will surely happen. It
// is no measure of speed.
const patience = 90 * time.Second

// TestMain builds the real binary once; every test here drives that.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "monitor-blackbox-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "monitor")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", binary, "..")
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

// program is one running `monitor serve`.
type program struct {
	t     *testing.T
	cmd   *exec.Cmd
	base  string // http://127.0.0.1:port
	lines *output
	found chan string
	ended chan struct{}
	err   error // of the process; read after ended
}

// output keeps what a process printed.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

var address = regexp.MustCompile(`(?:open|health at) (http://[^/\s]+)`)

// serve starts the program on a folder and waits until it says what to open.
// It is killed at the end of the test unless it ended before.
func serve(t *testing.T, dir string, args ...string) *program {
	t.Helper()
	p := start(t, dir, args...)
	p.waitReady()
	return p
}

// start is serve without waiting.
func start(t *testing.T, dir string, args ...string) *program {
	t.Helper()
	p := &program{t: t, lines: &output{}, ended: make(chan struct{}), found: make(chan string, 1)}
	args = append([]string{"serve", "--data.dir", dir, "--http.addr", "127.0.0.1:0", "--log.format", "json"}, args...)
	p.cmd = exec.CommandContext(context.Background(), binary, args...)
	p.cmd.Dir = t.TempDir()
	p.cmd.Env = cleanEnv()
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Stderr = p.lines
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	go p.watch(stdout, p.found)
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("output of the program:\n%s", p.lines)
		}
	})
	return p
}

// waitReady waits until the program says where it listens.
func (p *program) waitReady() {
	p.t.Helper()
	select {
	case p.base = <-p.found:
	case <-p.ended:
		p.t.Fatalf("serve ended: %v\n%s", p.err, p.lines)
	case <-time.After(patience):
		p.t.Fatalf("serve did not say what to open:\n%s", p.lines)
	}
}

func (p *program) watch(stdout io.Reader, found chan<- string) {
	scan := bufio.NewScanner(stdout)
	for scan.Scan() {
		_, _ = p.lines.Write(append(scan.Bytes(), '\n'))
		if m := address.FindStringSubmatch(scan.Text()); m != nil {
			select {
			case found <- m[1]:
			default:
			}
		}
	}
	p.err = p.cmd.Wait()
	close(p.ended)
}

// cleanEnv is the environment without settings of the machine's owner.
func cleanEnv() []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "MONITOR_") {
			env = append(env, e)
		}
	}
	return env
}

// kill ends the program as a power cut would.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// stop asks the program to end and gives its exit code.
func (p *program) stop() int {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("the program did not stop on SIGTERM:\n%s", p.lines)
	}
	return p.cmd.ProcessState.ExitCode()
}

// client speaks REST with a token.
type client struct {
	t     *testing.T
	base  string
	token string
}

// answer is an HTTP answer, its body read.
type answer struct {
	status int
	header http.Header
	raw    []byte
}

// object is the body as a JSON object.
func (a answer) object(t *testing.T) map[string]any {
	t.Helper()
	var o map[string]any
	require.NoError(t, json.Unmarshal(a.raw, &o), string(a.raw))
	return o
}

// list is the data of a list.
func (a answer) list(t *testing.T) []map[string]any {
	t.Helper()
	var l struct {
		Data []map[string]any `json:"data"`
	}
	require.NoError(t, json.Unmarshal(a.raw, &l), string(a.raw))
	return l.Data
}

// do sends a request; body is marshalled unless it is a string, which goes as
// it is. An answer that never comes fails the test.
func (c client) do(method, path string, body any, headers ...string) answer {
	c.t.Helper()
	a, err := c.try(method, path, body, headers...)
	require.NoError(c.t, err)
	return a
}

func (c client) try(method, path string, body any, headers ...string) (answer, error) {
	var reader io.Reader = http.NoBody
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return answer{}, err
		}
		reader = bytes.NewReader(text)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, reader)
	if err != nil {
		return answer{}, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, raw}, err
}

// must is do with the status that it has to answer.
func (c client) must(status int, method, path string, body any, headers ...string) answer {
	c.t.Helper()
	a := c.do(method, path, body, headers...)
	require.Equal(c.t, status, a.status, "%s %s: %s", method, path, a.raw)
	return a
}

const ownerPassword = "correct horse battery"

// setup makes the first owner and gives a client with a token that does not
// expire while the test runs.
func (p *program) setup() client {
	p.t.Helper()
	c := client{t: p.t, base: p.base}
	a := c.must(http.StatusCreated, http.MethodPost, "/api/v1/setup", map[string]any{
		"email": "owner@example.com", "password": ownerPassword, "name": "Olive", "instance_name": "Acme",
	})
	c.token, _ = a.object(p.t)["access_token"].(string)
	require.NotEmpty(p.t, c.token)
	made := c.must(http.StatusCreated, http.MethodPost, "/api/v1/tokens", map[string]any{"name": "test", "role": "owner"})
	c.token, _ = made.object(p.t)["secret"].(string)
	require.True(p.t, strings.HasPrefix(c.token, "mon_"), string(made.raw))
	return c
}

// again is the same client for a program that was started anew.
func (c client) again(p *program) client {
	c.base = p.base
	return c
}

// eventually polls until ok, which may be slow but never flaky: only what must
// happen is waited for.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, patience, 50*time.Millisecond, what)
}

// monitorStatus reads a monitor's status; "" while the program is away.
func (c client) monitorStatus(id float64) string {
	a, err := c.try(http.MethodGet, fmt.Sprintf("/api/v1/monitors/%.0f", id), nil)
	if err != nil || a.status != http.StatusOK {
		return ""
	}
	var m struct {
		Status string `json:"status"`
	}
	_ = json.Unmarshal(a.raw, &m)
	return m.Status
}
