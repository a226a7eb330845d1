package deploycheck

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const pollEvery = 20 * time.Millisecond

// process is a program that was started, whatever it is. Its log is shown when the
// test fails.
type process struct {
	name  string
	cmd   *exec.Cmd
	log   string        // its file
	ended chan struct{} // closed when it has ended
}

// start runs a command until the test ends at the latest.
func start(t *testing.T, name, dir string, env []string, as *syscall.Credential, args ...string) *process {
	t.Helper()
	p := &process{name: name, log: filepath.Join(dir, name+".log"), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	require.NoError(t, err)
	defer func() { _ = log.Close() }() // the process has its own by then
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), args[0], args[1:]...)
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = dir, env, log, log
	p.cmd.SysProcAttr = child()
	p.cmd.SysProcAttr.Credential = as
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // how it ended is kept in cmd
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.ended
		if t.Failed() {
			t.Logf("the end of the log of %s (%s):\n%s", name, p.cmd.ProcessState, p.tail())
		}
	})
	return p
}

// tail is the end of its log.
func (p *process) tail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-25):], "\n")
}

// await asks until it is so, the process ends or time is up.
func (p *process) await(ctx context.Context, t *testing.T, what string, so func() error) {
	t.Helper()
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		err := so()
		if err == nil {
			return
		}
		select {
		case <-p.ended:
			require.Fail(t, p.name+" ended", "waiting for it to be %s", what)
		case <-ctx.Done():
			require.NoError(t, err, "%s is not %s in time", p.name, what)
			return
		case <-ticker.C:
		}
	}
}

// end asks it to end and waits for that.
func (p *process) end(within time.Duration) error {
	timer := time.NewTimer(within)
	defer timer.Stop()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
	case <-timer.C:
		return fmt.Errorf("it runs %s after SIGTERM", within)
	}
	if !p.cmd.ProcessState.Success() {
		return errors.New(p.cmd.ProcessState.String())
	}
	return nil
}

// freeAddress is one on loopback that nothing listens on now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// plainEnvironment is that of the test without settings of the machine's owner.
func plainEnvironment() []string {
	env := []string{"LC_ALL=C"}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "MONITOR_") {
			env = append(env, e)
		}
	}
	return env
}
