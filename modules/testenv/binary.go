package testenv

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// binary is a program that tests need, and where Debian keeps it.
type binary struct {
	names   []string // tried in this order
	pattern string   // a glob for a versioned folder outside PATH, or empty
	pkg     string   // the Debian package that brings it
}

const postgresFolders = "/usr/lib/postgresql/*/bin"

func chromium() binary {
	return binary{names: []string{"chromium", "chromium-browser", "google-chrome"}, pkg: "chromium"}
}

func redisServer() binary {
	return binary{names: []string{"redis-server"}, pkg: "redis-server"}
}

func postgresProgram(name string) binary {
	return binary{names: []string{name}, pattern: postgresFolders, pkg: "postgresql"}
}

// Chromium returns the path of the browser's binary.
func Chromium(tb testing.TB) string {
	tb.Helper()
	path, err := chromium().find()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

// find looks in the versioned folders first, newest version first, so that
// programs of one PostgreSQL are never mixed with those of another in PATH.
func (b binary) find() (string, error) {
	for _, dir := range b.folders() {
		for _, name := range b.names {
			if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return path, nil
			}
		}
	}
	for _, name := range b.names {
		if path, err := exec.LookPath(name); err == nil {
			return filepath.Abs(path)
		}
	}
	where := "PATH"
	if b.pattern != "" {
		where += " or " + b.pattern
	}
	return "", fmt.Errorf("%s is not in %s; these tests need it: install the Debian package %s",
		strings.Join(b.names, " or "), where, b.pkg)
}

func (b binary) folders() []string {
	if b.pattern == "" {
		return nil
	}
	dirs, err := filepath.Glob(b.pattern)
	if err != nil {
		return nil // the patterns are constants of this file; a bad one finds nothing
	}
	slices.SortFunc(dirs, func(x, y string) int { return folderVersion(y) - folderVersion(x) })
	return dirs
}

// folderVersion reads 15 out of /usr/lib/postgresql/15/bin, and 0 where there is
// no number.
func folderVersion(dir string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	if err != nil {
		return 0
	}
	return n
}
