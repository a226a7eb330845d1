package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// idleInTransaction is after how many milliseconds PostgreSQL ends a transaction
// that nobody goes on with: a process that is paused, or cut off, in the middle
// of one would keep its locks until it wakes.
const idleInTransaction = 5000

// hostTimeout bounds the dialing of each of several hosts, so that a dead first
// one leaves time for the others.
const hostTimeout = time.Second

// errStandby is what the URL of the primary must not lead to.
var errStandby = errors.New("the server of database.url is a standby, which takes no writes: name the primary there, or all hosts with target_session_attrs=read-write")

// sizes of the pools that a number of connections is divided into.
type sizes struct{ hot, outbox, main, pages, health int }

// divide gives each purpose connections of its own, so that none can take
// another's: pages that hang delay no check and no alert. Six are the least.
func divide(conns int) sizes {
	d := sizes{health: 1, hot: max(1, conns/4), outbox: max(1, conns/8), main: min(4, max(2, conns/4))}
	d.pages = max(1, conns-d.health-d.hot-d.outbox-d.main)
	return d
}

func (s *Store) openPostgres(c Config) error {
	config, err := connection(c, c.URL)
	if err != nil {
		return fmt.Errorf("the database URL %w", err)
	}
	if config.ValidateConnect == nil {
		config.ValidateConnect = refuseStandby
	}
	if hosts := hostsOf(config); hosts > 1 {
		config.ConnectTimeout = min(c.ConnectTimeout, hostTimeout)
		s.patience = time.Duration(hosts)*hostTimeout + pingTimeout
	}
	s.primary = config
	d := divide(c.MaxOpenConns)
	for _, p := range []struct {
		size int
		part *part
	}{{d.hot, &s.hot}, {d.outbox, &s.outbox}, {d.main, &s.main}, {d.pages, &s.pages}} {
		db, err := s.openPool(config, p.size, c)
		if err != nil {
			return err
		}
		*p.part = part{writes: db, reads: db}
	}
	s.hot.first = true
	if s.health, err = s.openPool(config, d.health, c); err != nil {
		return err
	}
	return s.openReplicas(c, d.pages)
}

// connection reads a URL. Its error follows the name of what was read and does
// not repeat the URL, which may hold a password, as the parser's own text does.
func connection(c Config, url string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("is not a PostgreSQL URL")
	}
	config.ConnectTimeout = c.ConnectTimeout
	config.RuntimeParams["timezone"] = "UTC"
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "monitor"
	}
	return config, nil
}

// hostsOf counts the servers that a URL names. A fallback may also be the same
// one without TLS.
func hostsOf(config *pgx.ConnConfig) int {
	type server struct {
		host string
		port uint16
	}
	servers := map[server]struct{}{{config.Host, config.Port}: {}}
	for _, f := range config.Fallbacks {
		servers[server{f.Host, f.Port}] = struct{}{}
	}
	return len(servers)
}

// refuseStandby keeps a server that takes no writes out of the pools, so that
// after a failover the next try dials again.
func refuseStandby(ctx context.Context, conn *pgconn.PgConn) error {
	answers, err := conn.Exec(ctx, "SELECT pg_is_in_recovery()").ReadAll()
	if err != nil {
		return fmt.Errorf("ask whether the server is a standby: %w", err)
	}
	if len(answers) == 1 && len(answers[0].Rows) == 1 && string(answers[0].Rows[0][0]) == "t" {
		return errStandby
	}
	return nil
}

const eraLeast = time.Second

// eraKey names, in a connection, the era it was made in.
const eraKey = "monitor.era"

// openPool makes connections when they are first used.
func (s *Store) openPool(config *pgx.ConnConfig, size int, c Config) (*gorm.DB, error) {
	pool := stdlib.OpenDB(*config.Copy(), stdlib.OptionAfterConnect(s.connected), stdlib.OptionResetSession(s.outdated))
	s.pools = append(s.pools, pool)
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	pool.SetConnMaxLifetime(c.ConnMaxLifetime)
	return s.gorm(postgres.New(postgres.Config{Conn: pool}))
}

// connected sets up a new connection. A poolers' proxy refuses this setting where
// it comes with the start of the session.
func (s *Store) connected(ctx context.Context, conn *pgx.Conn) error {
	conn.PgConn().CustomData()[eraKey] = s.era.Load()
	_, err := conn.PgConn().Exec(ctx, fmt.Sprintf("SET idle_in_transaction_session_timeout = %d", idleInTransaction)).ReadAll()
	return err
}

// beginEra has every connection made anew before its next use, as a server was
// found to take no writes any more: once a second at most, for who dials may find
// the same server again.
func (s *Store) beginEra() {
	now := time.Now()
	last := s.eraBegan.Load()
	if (last == nil || now.Sub(*last) >= eraLeast) && s.eraBegan.CompareAndSwap(last, &now) {
		s.era.Add(1)
	}
}

// outdated drops a connection of an era that is over.
func (s *Store) outdated(_ context.Context, conn *pgx.Conn) error {
	if era, _ := conn.PgConn().CustomData()[eraKey].(int64); era != s.era.Load() {
		return driver.ErrBadConn
	}
	return nil
}
