package testenv

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 20 * time.Second
	pollEvery    = 2 * time.Millisecond
	portAttempts = 5
)

//go:embed guard.sh
var guardScript string

// errPortTaken says that another process took the port between our choosing it
// and the server's binding it.
var errPortTaken = errors.New("port was taken meanwhile")

// recipe says how a kind of server is started on a port, in a directory that is
// its own.
type recipe struct {
	name    string
	signal  string // how the guard ends it; the data is thrown away, so the hardest that leaves nothing behind
	ready   string // the line of its log that says it takes connections
	prepare func(dir string) error
	command func(dir string, port int) []string
}

// server is one running server. Its life ends with stop or with this process.
type server struct {
	port  int
	dir   string
	alive *os.File // our end of the guard's pipe
	guard *exec.Cmd
}

// startServer returns once the server takes connections.
func startServer(r recipe) (*server, error) {
	var err error
	for range portAttempts {
		var s *server
		if s, err = startOnce(r); err == nil {
			return s, nil
		}
		if !errors.Is(err, errPortTaken) {
			break
		}
	}
	return nil, fmt.Errorf("start %s: %w", r.name, err)
}

func startOnce(r recipe) (_ *server, err error) {
	dir, err := ownedTempDir("monitor-" + r.name + "-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	if r.prepare != nil {
		if err := r.prepare(dir); err != nil {
			return nil, err
		}
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s, err := launch(r, dir, port)
	if err != nil {
		return nil, err
	}
	if err := s.awaitReady(r.ready); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// launch starts the guard, which starts the server. The guard leads a process
// group of its own: an interrupt typed at the terminal must reach the tests
// only, or the servers would be gone before the tests that use them.
func launch(r recipe, dir string, port int) (*server, error) {
	hold, alive, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = hold.Close() }() // the guard has its own copy by then
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, errors.Join(err, alive.Close())
	}
	defer func() { _ = log.Close() }() // likewise

	// The guard outlives every context of the tests, so it takes none.
	args := append([]string{"-c", guardScript, "guard", dir, r.signal}, r.command(dir, port)...)
	guard := exec.CommandContext(context.Background(), "sh", args...)
	guard.Env = append(os.Environ(), "LC_ALL=C", "LANG=C") // the ready line in English
	guard.Dir = dir
	guard.Stdout, guard.Stderr = log, log
	guard.ExtraFiles = []*os.File{hold}
	guard.SysProcAttr = unprivileged()
	if err := guard.Start(); err != nil {
		return nil, errors.Join(err, alive.Close())
	}
	return &server{port: port, dir: dir, alive: alive, guard: guard}, nil
}

func (s *server) awaitReady(line string) error {
	deadline := time.NewTimer(startTimeout)
	defer deadline.Stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		log, err := os.ReadFile(filepath.Join(s.dir, "log"))
		if err != nil {
			return err
		}
		text := string(log)
		if strings.Contains(text, line) {
			return nil
		}
		if _, err := os.Stat(filepath.Join(s.dir, "exited")); err == nil {
			if strings.Contains(text, "Address already in use") {
				return errPortTaken
			}
			return fmt.Errorf("it ended while starting; its log:\n%s", text)
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			return fmt.Errorf("not ready after %s; its log:\n%s", startTimeout, text)
		}
	}
}

// stop ends the server and returns when it and its directory are gone.
func (s *server) stop() {
	_ = s.alive.Close() // closing is the signal; a second stop finds it closed
	stuck := time.AfterFunc(stopTimeout, func() { _ = s.guard.Process.Kill() })
	defer stuck.Stop()
	_ = s.guard.Wait() // the guard's status is that of a killed server: it says nothing
}

// url joins a scheme and path to the server's address.
func (s *server) url(scheme, user, path string) string {
	if user != "" {
		user += "@"
	}
	return scheme + "://" + user + net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) + path
}

func freePort() (int, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, errors.Join(fmt.Errorf("listener has address %s", l.Addr()), l.Close())
	}
	return addr.Port, l.Close()
}
