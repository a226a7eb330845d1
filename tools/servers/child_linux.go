package servers

import "syscall"

// Child is how processes are started: in a group of their own, so that an
// interrupt typed at the terminal reaches the bench first, and killed with the
// bench should that be killed.
func Child(asServer bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if uid, gid, needed := account(); asServer && needed {
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return attr
}
