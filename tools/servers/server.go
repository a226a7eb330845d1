// Package servers starts PostgreSQL and Redis from their binaries, for the benches
// that drive the built program.
package servers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	startTimeout = 60 * time.Second
	pollEvery    = 10 * time.Millisecond
)

// Server is a PostgreSQL or Redis of this run. Its port and folder stay the same
// over restarts. One goroutine uses it.
type Server struct {
	Name    string
	dir     string
	port    int
	command func() []string
	ready   func(context.Context) error

	cmd   *exec.Cmd
	ended chan struct{}
}

// Addr is where it listens.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Start starts it and waits until it answers.
func (s *Server) Start(ctx context.Context) error {
	deadline := time.Now().Add(startTimeout)
	for {
		err := s.startOnce(ctx, deadline)
		// The port and the shared memory of one that was killed are free a
		// moment later.
		if err == nil || time.Now().After(deadline) || ctx.Err() != nil {
			return err
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

func (s *Server) startOnce(ctx context.Context, deadline time.Time) error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the server has its own by then
	args := s.command()
	s.cmd = exec.CommandContext(context.WithoutCancel(ctx), args[0], args[1:]...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.dir, log, log
	s.cmd.Env = append(os.Environ(), "LC_ALL=C", "LANG=C")
	s.cmd.SysProcAttr = Child(true)
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", s.Name, err)
	}
	s.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		defer close(ended)
		_ = cmd.Wait() // how it ends is what the nemesis decides
	}(s.cmd, s.ended)
	for {
		err := s.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("%s ended while starting; see %s", s.Name, log.Name())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollEvery):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is not ready: %w", s.Name, err)
		}
	}
}

// Stop ends it with a signal and waits for its end.
func (s *Server) Stop(sig syscall.Signal) {
	if s.cmd == nil {
		return
	}
	s.Pause(false)
	_ = s.cmd.Process.Signal(sig) // it may have ended
	<-s.ended
	s.cmd = nil
}

// Pause stops all its processes, or lets them go on. PostgreSQL's children lead
// groups of their own, so they are looked up.
func (s *Server) Pause(on bool) {
	sig := syscall.SIGCONT
	if on {
		sig = syscall.SIGSTOP
	}
	_ = s.cmd.Process.Signal(sig)
	for _, pid := range s.children() {
		_ = syscall.Kill(pid, sig)
	}
}

// children are the processes that it has started.
func (s *Server) children() (pids []int) {
	pid := s.cmd.Process.Pid
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil // it ended, or has none
	}
	for field := range strings.FieldsSeq(string(text)) {
		if id, err := strconv.Atoi(field); err == nil {
			pids = append(pids, id)
		}
	}
	return pids
}

// Pids are its processes.
func (s *Server) Pids() []int {
	if s.cmd == nil {
		return nil
	}
	return append([]int{s.cmd.Process.Pid}, s.children()...)
}

// account is the user that servers run as: PostgreSQL refuses root.
func account() (uid, gid int, needed bool) {
	if os.Geteuid() != 0 {
		return 0, 0, false
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		if uidErr == nil && gidErr == nil {
			return uid, gid, true
		}
	}
	return 0, 0, false
}

// TempDir makes an empty folder that servers may use.
func TempDir(prefix string) (string, error) {
	dir, err := os.MkdirTemp("", prefix)
	if err != nil {
		return "", err
	}
	return dir, giveAway(dir)
}

// giveAway makes the servers' user the owner of everything under root.
func giveAway(root string) error {
	uid, gid, needed := account()
	if !needed {
		return nil
	}
	return filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, gid)
	})
}

// find looks for a program in Debian's versioned folder, then in PATH.
func find(name, pattern string) (string, error) {
	if pattern != "" {
		found, err := filepath.Glob(filepath.Join(pattern, name))
		if err == nil && len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not installed: `make setup` brings it", name)
	}
	return path, nil
}

// FreePort gives a port that nothing listens on now.
func FreePort(ctx context.Context) (int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, errors.Join(fmt.Errorf("listener has address %s", l.Addr()), l.Close())
	}
	return addr.Port, l.Close()
}

// pause waits, or gives the context's error.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
