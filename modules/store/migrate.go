package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"monitor/migrations"
	"monitor/modules/uptime"
)

const (
	migrateTimeout  = 6 * time.Hour // one that writes every result anew takes its time
	migrateTable    = "schema_migrations"
	migrateLockPoll = 100 * time.Millisecond
	// PartitionsAhead is how many days of partitions a migration leaves behind.
	PartitionsAhead = 7
)

// Migrate brings the schema up to date. Several processes may call it at once:
// one migrates, the others wait. On PostgreSQL it also makes the partitions of
// the next days, so that results can be stored before any housekeeping ran.
func (s *Store) Migrate(ctx context.Context) error {
	err := s.migrating(ctx, func(ctx context.Context, p *goose.Provider) error {
		_, err := p.Up(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("migrate the database: %w", failure(err))
	}
	return s.EnsurePartitions(ctx, PartitionsAhead)
}

// MigrateDown takes the newest migration back. It destroys what it made.
func (s *Store) MigrateDown(ctx context.Context) error {
	err := s.migrating(ctx, func(ctx context.Context, p *goose.Provider) error {
		_, err := p.Down(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("take back a migration: %w", failure(err))
	}
	return nil
}

// MigrationStatus lists every migration that the program knows, oldest first.
func (s *Store) MigrationStatus(ctx context.Context) ([]uptime.Migration, error) {
	var out []uptime.Migration
	err := s.migrating(ctx, func(ctx context.Context, p *goose.Provider) error {
		all, err := p.Status(ctx)
		if err != nil {
			return err
		}
		for _, m := range all {
			name := strings.TrimSuffix(filepath.Base(m.Source.Path), ".sql")
			migration := uptime.Migration{Version: m.Source.Version, Name: name}
			if m.State == goose.StateApplied {
				migration.AppliedAt = m.AppliedAt.UTC()
			}
			out = append(out, migration)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the state of migrations: %w", failure(err))
	}
	return out, nil
}

// Pending reports whether the schema is older than the program.
func (s *Store) Pending(ctx context.Context) (pending bool, err error) {
	err = s.migrating(ctx, func(ctx context.Context, p *goose.Provider) error {
		pending, err = p.HasPending(ctx)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("look for pending migrations: %w", failure(err))
	}
	return pending, nil
}

// migrating runs fn with the lock that keeps others from migrating: a session
// lock on PostgreSQL, a locked file beside a SQLite one, which goose has no lock
// for.
func (s *Store) migrating(ctx context.Context, fn func(context.Context, *goose.Provider) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, migrateTimeout)
	defer cancel()
	if s.dialect == dialectPostgres {
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300), lock.WithUnlockTimeout(1, 30))
		if err != nil {
			return err
		}
		return s.withProvider(ctx, goose.DialectPostgres, migrations.Postgres, fn, goose.WithSessionLocker(locker))
	}
	file := flock.New(s.path+".migrate.lock", flock.SetPermissions(0o600))
	if _, err := file.TryLockContext(ctx, migrateLockPoll); err != nil {
		return fmt.Errorf("lock the migrations: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := s.gate.enter(ctx, false); err != nil {
		return err
	}
	defer s.gate.leave()
	err = s.withProvider(ctx, goose.DialectSQLite3, migrations.SQLite, fn)
	return errors.Join(err, s.reconnect(ctx))
}

// reconnect closes the connections of SQLite that nobody uses. They know the schema of
// before, and what "SELECT *" gives from it: the driver takes a table that has got a
// column since for a wrong call. One is open at any time: with the last one SQLite would
// remove its side files, and make them anew for everybody to read.
func (s *Store) reconnect(ctx context.Context) error {
	for _, pool := range s.pools {
		size := pool.Stats().MaxOpenConnections
		pool.SetMaxIdleConns(0)
		pool.SetMaxIdleConns(size)
		if err := pool.PingContext(ctx); err != nil {
			return fmt.Errorf("connect anew: %w", err)
		}
	}
	return nil
}

func (s *Store) withProvider(ctx context.Context, dialect goose.Dialect, files fs.FS, fn func(context.Context, *goose.Provider) error, options ...goose.ProviderOption) error {
	folder, err := fs.Sub(files, s.dialect)
	if err != nil {
		return err
	}
	db, err := s.pool()
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, db, folder, append(options,
		goose.WithDisableGlobalRegistry(true), goose.WithTableName(migrateTable))...)
	if err != nil {
		return err
	}
	return fn(ctx, provider) // closing it would close the pool
}

// pool of the main handle.
func (s *Store) pool() (*sql.DB, error) { return s.main.writes.DB() }
