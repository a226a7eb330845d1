//go:build unix

package testenv

import "syscall"

const (
	signalStop   = syscall.SIGTERM
	signalPause  = syscall.SIGSTOP
	signalResume = syscall.SIGCONT
)

func sendSignal(pid int, s syscall.Signal) error { return syscall.Kill(pid, s) }
