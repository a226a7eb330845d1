package app

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"monitor/config"
)

// lockFiles makes sure that one serve works on the files of this process: those
// in data.dir, and an SQLite file elsewhere. A process on PostgreSQL whose secret
// is in the settings keeps no files.
func lockFiles(cfg *config.Config) (release func() error, err error) {
	if cfg.Postgres() && cfg.Auth.Secret != "" {
		return func() error { return nil }, nil
	}
	release, err = lockData(cfg.Data.Dir)
	if err != nil {
		return nil, err
	}
	file, elsewhere := strings.CutPrefix(cfg.Database.URL.Reveal(), "sqlite://")
	if !elsewhere {
		return release, nil
	}
	if plain, err := url.PathUnescape(file); err == nil { // else the store says what is wrong with it
		file = plain
	}
	lock := flock.New(file + ".serve.lock")
	held, err := lock.TryLock()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return release, nil // so does the folder not exist: the store says so
	case err == nil && !held:
		err = errors.New("it is in use by another monitor: stop that one, or choose another file")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the file of database.url: %w", err), release())
	}
	return func() error { return errors.Join(lock.Unlock(), release()) }, nil
}

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
