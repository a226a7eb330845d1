package store

import (
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

func (s *Store) openPostgres(c Config) error {
	config, err := pgx.ParseConfig(c.URL)
	if err != nil {
		// The parser's own text repeats the URL, password and all.
		return errors.New("the database URL is not a PostgreSQL URL")
	}
	config.ConnectTimeout = c.ConnectTimeout
	config.RuntimeParams["timezone"] = "UTC"
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "monitor"
	}
	// Recording must not wait behind pages, nor health behind either.
	hot := max(1, c.MaxOpenConns/4)
	rest := max(2, c.MaxOpenConns-hot-1)
	for _, p := range []struct {
		size int
		db   **gorm.DB
	}{{hot, &s.hot}, {rest, &s.main}, {1, &s.health}} {
		pool := stdlib.OpenDB(*config.Copy())
		s.pools = append(s.pools, pool)
		limitPool(pool, p.size, c)
		if *p.db, err = s.gorm(postgres.New(postgres.Config{Conn: pool})); err != nil {
			return err
		}
	}
	s.reads = s.main
	return nil
}

func limitPool(pool *sql.DB, size int, c Config) {
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	pool.SetConnMaxLifetime(c.ConnMaxLifetime)
}
