//go:build !linux

package testenv

import "os"

// serverRoot is where the servers keep their files.
func serverRoot() string { return os.TempDir() }
