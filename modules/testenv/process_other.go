//go:build !unix

package testenv

import "syscall"

// unprivileged changes nothing where the system knows no Unix users.
func unprivileged() *syscall.SysProcAttr { return nil }
