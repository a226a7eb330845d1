//go:build !unix

package testenv

import (
	"errors"
	"syscall"
)

const (
	signalStop   = syscall.SIGTERM
	signalPause  = syscall.Signal(-1)
	signalResume = syscall.Signal(-2)
)

func sendSignal(int, syscall.Signal) error {
	return errors.New("servers are paused on Unix only")
}
