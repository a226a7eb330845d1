package testenv

import (
	"os"
	"syscall"
)

const (
	sharedMemory = "/dev/shm"
	tmpfsMagic   = 0x01021994
	// enoughMemory is far more than the servers of a few packages fill; a container
	// often has 64 MB there.
	enoughMemory = 4 << 30 // bytes
)

// serverRoot is where the servers keep their files: in memory where there is
// plenty, as PostgreSQL makes a database of some 300 files for every test, which
// takes ten times as long on a disk. TMPDIR overrides it.
func serverRoot() string {
	if os.Getenv("TMPDIR") != "" {
		return os.TempDir()
	}
	var found syscall.Statfs_t
	if err := syscall.Statfs(sharedMemory, &found); err != nil || found.Type != tmpfsMagic {
		return os.TempDir()
	}
	if found.Bavail*uint64(found.Bsize) < enoughMemory {
		return os.TempDir()
	}
	return sharedMemory
}
