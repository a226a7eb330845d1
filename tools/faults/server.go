package main

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

// server is a PostgreSQL or Redis of this run. Its port and folder stay the same
// over restarts. One goroutine uses it.
type server struct {
	name    string
	dir     string
	port    int
	command func() []string
	ready   func(context.Context) error

	cmd   *exec.Cmd
	ended chan struct{}
}

func (s *server) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// start starts it and waits until it answers.
func (s *server) start(ctx context.Context) error {
	deadline := time.Now().Add(startTimeout)
	for {
		err := s.startOnce(ctx, deadline)
		// The port and the shared memory of one that was killed are free a
		// moment later.
		if err == nil || time.Now().After(deadline) || ctx.Err() != nil {
			return err
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

func (s *server) startOnce(ctx context.Context, deadline time.Time) error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the server has its own by then
	args := s.command()
	s.cmd = exec.CommandContext(context.WithoutCancel(ctx), args[0], args[1:]...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.dir, log, log
	s.cmd.Env = append(os.Environ(), "LC_ALL=C", "LANG=C")
	s.cmd.SysProcAttr = child(true)
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", s.name, err)
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
			return fmt.Errorf("%s ended while starting; see %s", s.name, log.Name())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollEvery):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is not ready: %w", s.name, err)
		}
	}
}

// stop ends it with a signal and waits for its end.
func (s *server) stop(sig syscall.Signal) {
	if s.cmd == nil {
		return
	}
	s.pause(false)
	_ = s.cmd.Process.Signal(sig) // it may have ended
	<-s.ended
	s.cmd = nil
}

// pause stops all its processes, or lets them go on. PostgreSQL's children lead
// groups of their own, so they are looked up.
func (s *server) pause(on bool) {
	sig := syscall.SIGCONT
	if on {
		sig = syscall.SIGSTOP
	}
	_ = s.cmd.Process.Signal(sig)
	pid := s.cmd.Process.Pid
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return // it ended, or has none
	}
	for field := range strings.FieldsSeq(string(text)) {
		if id, err := strconv.Atoi(field); err == nil {
			_ = syscall.Kill(id, sig)
		}
	}
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

func ownedTempDir(prefix string) (string, error) {
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

// freePort gives a port that nothing listens on now.
func freePort(ctx context.Context) (int, error) {
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

// sleep waits, or gives the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
