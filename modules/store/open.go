package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// The dialects.
const (
	dialectSQLite   = "sqlite"
	dialectPostgres = "postgres"
)

// FileName is the SQLite file within Config.DataDir.
const FileName = "monitor.db"

// Config says where the database is.
type Config struct {
	// URL is postgres://… or sqlite:///path; "" is FileName in DataDir.
	URL     string
	DataDir string
	// ReplicaURLs are PostgreSQL servers that follow the one of URL; see replica.go.
	ReplicaURLs []string
	// MaxOpenConns bounds the connections of the process over all pools; below six
	// there are six. Each replica has as many as pages have, and one more.
	MaxOpenConns    int
	ConnectTimeout  time.Duration
	ConnMaxLifetime time.Duration
}

// Options of a store. All fields but Config have defaults.
type Options struct {
	Config Config
	Quotas Quotas
	Log    *slog.Logger
	Clock  uptime.Clock
	// Random gives 26 random base32 characters, for the ids of events.
	Random func() string
}

// part is what one purpose reads and writes by.
type part struct {
	writes, reads *gorm.DB
	first         bool // goes before others at the gate
}

// Store keeps everything in SQLite or PostgreSQL. All methods may be called
// concurrently.
type Store struct {
	dialect string
	path    string // of the SQLite file
	quotas  Quotas
	log     *slog.Logger
	clock   uptime.Clock
	random  func() string

	// On SQLite all parts are the one writer and the same readers; on PostgreSQL
	// each has a pool of its own: the recorder, deliveries, what leads and keeps
	// house, and pages.
	hot, outbox, main, pages part
	health                   *gorm.DB
	pools                    []*sql.DB
	gate                     *gate           // nil where writers need not queue
	primary                  *pgx.ConnConfig // nil on SQLite
	replicas                 replicas
	patience                 time.Duration // of a ping
	era                      atomic.Int64  // connections of an older one are not used again
	eraBegan                 atomic.Pointer[time.Time]
	strays                   strays
	stopping                 time.Duration // that another process is given; see Occupy

	regions  *regionNames
	monitors *monitorCache
	calm     *calmMonitors
	quick    quick // of SQLite's writer
}

// Open opens the database and proves that it is set up as the store needs it.
// It does not migrate.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{
		quotas: o.Quotas, log: o.Log, clock: o.Clock, random: o.Random,
		regions: newRegionNames(), monitors: newMonitorCache(), calm: newCalmMonitors(),
		patience: pingTimeout, stopping: occupyPatience,
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.clock == nil {
		s.clock = uptime.SystemClock
	}
	if s.random == nil {
		s.random = randomID
	}
	o.Config = o.Config.withDefaults()
	dialect, path, err := o.Config.target()
	if err != nil {
		return nil, err
	}
	if dialect == dialectSQLite && len(o.Config.ReplicaURLs) > 0 {
		return nil, errors.New("database.replica_urls needs a database.url that names PostgreSQL: SQLite has no replicas")
	}
	s.dialect, s.path = dialect, path
	if dialect == dialectPostgres {
		err = s.openPostgres(o.Config)
	} else {
		err = s.openSQLite(ctx)
	}
	if err == nil {
		err = s.ping(ctx, max(s.patience, o.Config.ConnectTimeout))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the database: %w", failure(err)), s.Close()) //nolint:contextcheck // it is closed whatever becomes of the caller
	}
	return s, nil
}

func (c Config) withDefaults() Config {
	if c.MaxOpenConns <= 0 {
		c.MaxOpenConns = 8
	}
	if c.ConnectTimeout <= 0 {
		c.ConnectTimeout = 10 * time.Second
	}
	if c.ConnMaxLifetime <= 0 {
		c.ConnMaxLifetime = time.Hour
	}
	return c
}

// target gives the dialect and, for SQLite, the file. Its errors do not repeat
// the URL, which may hold a password.
func (c Config) target() (dialect, path string, err error) {
	scheme, rest, _ := strings.Cut(c.URL, "://")
	switch {
	case c.URL == "" && c.DataDir == "":
		return "", "", errors.New("neither a database URL nor a data folder is set")
	case c.URL == "":
		path = filepath.Join(c.DataDir, FileName)
	case scheme == dialectSQLite && rest != "":
		if path, err = url.PathUnescape(rest); err != nil {
			return "", "", errors.New("the path of the database URL is not escaped as in a URL")
		}
	case scheme == "postgres", scheme == "postgresql":
		return dialectPostgres, "", nil
	default:
		return "", "", errors.New("the database URL must start with postgres:// or sqlite:///")
	}
	path, err = filepath.Abs(path)
	return dialectSQLite, path, err
}

// Close closes every connection. On SQLite the last one to close writes the WAL
// back into the file.
func (s *Store) Close() error {
	errs := []error{s.closeStatements()}
	for _, pool := range s.pools {
		errs = append(errs, pool.Close())
	}
	return errors.Join(errs...)
}

// Dialect is "sqlite" or "postgres".
func (s *Store) Dialect() string { return s.dialect }

// Ping reports whether the database answers, over a connection of its own, so
// that busy pools do not look like a dead database.
func (s *Store) Ping(ctx context.Context) error { return s.ping(ctx, s.patience) }

func (s *Store) ping(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var one int
	if err := s.health.WithContext(ctx).Raw("SELECT 1").Scan(&one).Error; err != nil {
		return fmt.Errorf("ping the database: %w", failure(err))
	}
	return nil
}

// now in UTC and whole milliseconds, as the database keeps times.
func (s *Store) now() time.Time { return s.clock().UTC().Truncate(time.Millisecond) }
