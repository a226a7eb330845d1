package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// lockData makes sure that one serve works on a folder. The lock ends with the
// process, however it ends; the file beside it says who holds it.
func lockData(dir string) (release func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of data.dir = %q: %w", dir, err)
	}
	lock := flock.New(filepath.Join(dir, "serve.lock"))
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock data.dir = %q: %w", dir, err)
	}
	owner := filepath.Join(dir, "serve.pid")
	if !held {
		pid, _ := os.ReadFile(owner) // without it the message says less
		return nil, fmt.Errorf("data.dir = %q is in use by another monitor (process %s): stop it, or choose another folder with --data.dir",
			dir, strings.TrimSpace(string(pid)))
	}
	if err := os.WriteFile(owner, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("note the process in data.dir: %w", err), lock.Unlock())
	}
	return func() error { return errors.Join(os.Remove(owner), lock.Unlock()) }, nil
}
