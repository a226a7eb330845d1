package deploycheck

import "syscall"

// child is how processes are started: in a group of their own, and killed with the
// test should that be killed.
func child() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
