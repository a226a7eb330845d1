package testenv

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
)

// account is the user that servers run as where the tests run as root.
type account struct{ uid, gid int }

// serverAccount returns false where the servers can run as the current user.
func serverAccount() (account, bool) {
	if os.Geteuid() != 0 {
		return account{}, false
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		if uidErr == nil && gidErr == nil {
			return account{uid: uid, gid: gid}, true
		}
	}
	return account{}, false // PostgreSQL then says by itself that it refuses root
}

// ownedTempDir makes a directory that the servers' user owns. It lies straight in
// a folder that all users reach: t.TempDir is closed to others.
func ownedTempDir(prefix string) (string, error) {
	dir, err := os.MkdirTemp(serverRoot(), prefix)
	if err != nil {
		return "", err
	}
	return dir, giveAway(dir)
}

// giveAway makes the servers' user the owner of everything under root.
func giveAway(root string) error {
	owner, needed := serverAccount()
	if !needed {
		return nil
	}
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, owner.uid, owner.gid)
	})
	if err != nil {
		return fmt.Errorf("give %s to the servers' user: %w", root, err)
	}
	return nil
}
