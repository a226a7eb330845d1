package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3/gormlite"
)

const (
	sqliteReaders = 4
	// Other processes (a command beside the running service) write, too: wait
	// for them this long.
	sqliteBusyMS = 5000
)

// A pragma that a connection is opened with and must then answer.
type pragma struct {
	name   string
	value  string // as set
	answer string // as read back
}

// sqlitePragmas are those of every connection, then those of its part.
func sqlitePragmas(readOnly bool) []pragma {
	all := []pragma{
		{"busy_timeout", strconv.Itoa(sqliteBusyMS), strconv.Itoa(sqliteBusyMS)}, // first: the next ones may have to wait
		{"journal_mode", "wal", "wal"},
		{"synchronous", "full", "2"}, // an acknowledged write survives a power cut
		{"foreign_keys", "on", "1"},
		{"wal_autocheckpoint", "0", "0"}, // Run does it; inside a commit it takes 100 ms
		{"temp_store", "memory", "2"},
	}
	if readOnly {
		return append(all, pragma{"cache_size", "-4000", "-4000"}, pragma{"query_only", "on", "1"})
	}
	return append(all, pragma{"cache_size", "-16000", "-16000"})
}

// sqliteDSN is the URI of the file with its pragmas.
func sqliteDSN(path string, readOnly bool) string {
	query := url.Values{}
	for _, p := range sqlitePragmas(readOnly) {
		query.Add("_pragma", p.name+"("+p.value+")")
		if p.name == "busy_timeout" && !readOnly {
			// Takes effect on a file that is still empty, so before the first pragma
			// that writes; see vacuum.
			query.Add("_pragma", "auto_vacuum(incremental)")
		}
	}
	if !readOnly {
		query.Set("_txlock", "immediate")
	}
	name := filepath.ToSlash(path)
	if !strings.HasPrefix(name, "/") {
		name = "/" + name // a drive letter
	}
	query.Set("modeof", path)
	raw := strings.ReplaceAll(query.Encode(), "+", "%20") // SQLite knows no other space
	return (&url.URL{Scheme: "file", Path: name, RawQuery: raw}).String()
}

func (s *Store) openSQLite(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	if err := createPrivate(s.path); err != nil {
		return err
	}
	writer, err := s.openSQLitePool(ctx, false, 1)
	if err != nil {
		return err
	}
	readers, err := s.openSQLitePool(ctx, true, sqliteReaders)
	if err != nil {
		return err
	}
	health, err := s.openSQLitePool(ctx, true, 1)
	if err != nil {
		return err
	}
	s.gate = newGate()
	var all part
	if all.writes, err = s.gorm(gormlite.OpenDB(writer)); err != nil {
		return err
	}
	if all.reads, err = s.gorm(gormlite.OpenDB(readers)); err != nil {
		return err
	}
	s.hot, s.outbox, s.main, s.pages = all, all, all, all
	s.hot.first = true
	s.health, err = s.gorm(gormlite.OpenDB(health))
	return err
}

// createPrivate makes the database and its side files readable by their owner
// only: they hold password hashes. This SQLite would make the side files with the
// mode of any new file.
func createPrivate(path string) error {
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return fmt.Errorf("make the database file: %w", err)
		}
		if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
			return fmt.Errorf("make the database file private: %w", err)
		}
	}
	return nil
}

func (s *Store) openSQLitePool(ctx context.Context, readOnly bool, size int) (*sql.DB, error) {
	kept := keptByWriter
	if readOnly {
		kept = keptByReader
	}
	db, err := openKeeping(sqliteDSN(s.path, readOnly), kept)
	if err != nil {
		return nil, err
	}
	s.pools = append(s.pools, db)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, assertPragmas(ctx, db, readOnly)
}

// assertPragmas refuses a database that did not take a setting, as a file system
// without shared memory does with WAL.
func assertPragmas(ctx context.Context, db *sql.DB, readOnly bool) error {
	var errs []error
	for _, p := range sqlitePragmas(readOnly) {
		var got string
		if err := db.QueryRowContext(ctx, "PRAGMA "+p.name).Scan(&got); err != nil {
			return fmt.Errorf("read PRAGMA %s: %w", p.name, err)
		}
		if got != p.answer {
			errs = append(errs, fmt.Errorf("PRAGMA %s is %s, not %s", p.name, got, p.answer))
		}
	}
	return errors.Join(errs...)
}
