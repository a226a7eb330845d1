//go:build unix

package testenv

import "syscall"

// unprivileged runs a child in a process group of its own, and as the servers'
// user where the tests run as root.
func unprivileged() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if owner, needed := serverAccount(); needed {
		attr.Credential = &syscall.Credential{Uid: uint32(owner.uid), Gid: uint32(owner.gid)}
	}
	return attr
}
