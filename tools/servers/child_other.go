//go:build !linux

package servers

import "syscall"

// Child is how processes are started: in a group of their own, so that an
// interrupt typed at the terminal reaches the bench first.
func Child(asServer bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if uid, gid, needed := account(); asServer && needed {
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return attr
}
