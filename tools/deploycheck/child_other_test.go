//go:build !linux

package deploycheck

import "syscall"

// child is how processes are started: in a group of their own.
func child() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
