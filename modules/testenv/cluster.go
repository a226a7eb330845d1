package testenv

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// initdb takes a second or more, a copy of what it made some tens of
// milliseconds. So it runs once for each version of PostgreSQL and its result is
// kept in the user's cache folder.

const initdbTimeout = 2 * time.Minute

// clusterOptions shape the template; the cache is keyed by them and the version.
// Small WAL segments keep it small. Locale C orders text by bytes, as SQLite does.
func clusterOptions() []string {
	return []string{
		"--username=" + postgresUser, "--auth=trust", "--encoding=UTF8",
		"--locale=C", "--wal-segsize=1", "--no-sync", "--no-instructions",
	}
}

func clusterDir(dir string) string { return filepath.Join(dir, "data") }

// copyCluster puts a fresh PostgreSQL cluster into dir.
func copyCluster(dir string) error {
	template, err := clusterTemplate()
	if err != nil {
		return err
	}
	if err := copyTree(clusterDir(dir), template); err != nil {
		return fmt.Errorf("copy the template cluster: %w", err)
	}
	return giveAway(clusterDir(dir))
}

// clusterTemplate returns the cached template's folder and makes it where it is
// missing. Packages are tested at the same time: each may make one, the first to
// rename its own into place wins, and no half-made one is ever seen.
func clusterTemplate() (string, error) {
	initdb, err := postgresProgram("initdb").find()
	if err != nil {
		return "", err
	}
	key, err := clusterKey(initdb)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	home := filepath.Join(cache, "monitor-testenv")
	final := filepath.Join(home, key)
	if _, err := os.Stat(final); err == nil {
		return final, nil
	}
	if err := os.MkdirAll(home, 0o700); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(home, "new-")
	if err != nil {
		return "", err
	}
	err = makeTemplate(initdb, fresh)
	if err == nil {
		err = os.Rename(fresh, final)
	}
	if err == nil {
		return final, nil
	}
	removeErr := os.RemoveAll(fresh)
	if _, statErr := os.Stat(final); statErr == nil {
		return final, removeErr // somebody else's was first
	}
	return "", fmt.Errorf("make the template cluster: %w", errors.Join(err, removeErr))
}

// makeTemplate runs initdb in a folder that the servers' user can reach, which the
// cache of root is not, and copies the result to dst.
func makeTemplate(initdb, dst string) (err error) {
	dir, err := ownedTempDir("monitor-initdb-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, cancel := context.WithTimeout(context.Background(), initdbTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, initdb, append(clusterOptions(), "-D", clusterDir(dir))...)
	cmd.Dir = dir
	cmd.SysProcAttr = unprivileged()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return copyTree(dst, clusterDir(dir))
}

// clusterKey names the template's folder: what it was made by, and how.
func clusterKey(initdb string) (string, error) {
	out, err := exec.CommandContext(context.Background(), initdb, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("ask initdb for its version: %w", err)
	}
	text := string(out) + strings.Join(clusterOptions(), "")
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '.'
	}), "-"), nil
}

// copyTree copies folders and plain files, readable by their owner only, as
// PostgreSQL demands of its data.
func copyTree(dst, src string) error {
	return filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		target := filepath.Join(dst, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(target, 0o700)
		case d.Type().IsRegular():
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(target, data, 0o600)
		default:
			return fmt.Errorf("%s is neither a folder nor a plain file", path)
		}
	})
}
