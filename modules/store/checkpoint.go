package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ncruces/go-sqlite3/driver"
)

const (
	checkpointEvery = time.Second
	// A PASSIVE checkpoint never lets a busy WAL start again from its front:
	// beyond this size writers are held for a moment to do so.
	walLimit = 64 << 20
)

// Run keeps SQLite's WAL short, on a connection of its own, so that no commit
// ever pays for it. On PostgreSQL it watches the replicas, which are not used
// before and after; one of another database is an error at start.
func (s *Store) Run(ctx context.Context, ready func()) (err error) {
	if s.dialect != dialectSQLite {
		return s.watchReplicas(ctx, ready)
	}
	db, err := driver.Open(sqliteDSN(s.path, false))
	if err != nil {
		return fmt.Errorf("open the checkpoint connection: %w", failure(err))
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := assertPragmas(ctx, db, false); err != nil {
		if ctx.Err() != nil { // asked to stop meanwhile
			return nil
		}
		return fmt.Errorf("open the checkpoint connection: %w", failure(err))
	}
	ready()
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := s.checkpoint(ctx, db, walLimit); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "the write-ahead log could not be checkpointed", "error", err)
		}
	}
}

// checkpoint copies the WAL into the file, and cuts it where it has limit bytes.
func (s *Store) checkpoint(ctx context.Context, db *sql.DB, limit int64) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if _, err := runCheckpoint(ctx, db, "PASSIVE"); err != nil {
		return err
	}
	info, err := os.Stat(s.path + "-wal")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil || info.Size() < limit {
		return err
	}
	// Behind the gate nothing is written between the two, so that little is
	// left to copy.
	if err := s.gate.enter(ctx, false); err != nil {
		return err
	}
	defer s.gate.leave()
	busy, err := runCheckpoint(ctx, db, "TRUNCATE")
	if err == nil && busy {
		s.log.InfoContext(ctx, "the write-ahead log is still being read", "bytes", info.Size())
	}
	return err
}

func runCheckpoint(ctx context.Context, db *sql.DB, mode string) (busy bool, err error) {
	var frames, moved int64
	if err := db.QueryRowContext(ctx, "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &frames, &moved); err != nil {
		return false, fmt.Errorf("checkpoint %s: %w", mode, failure(err))
	}
	return busy, nil
}
