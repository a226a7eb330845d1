package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"gorm.io/gorm"
)

// Statement is what was asked of the database.
type Statement struct {
	Text string
	Args []any
}

// WatchReads tells every read of pages and of housekeeping that is not part of a
// transaction, until the store is closed.
func (s *Store) WatchReads(tell func(Statement) (done func())) {
	for _, db := range []*gorm.DB{s.pages.reads, s.main.reads} {
		if _, ok := db.ConnPool.(*watchedPool); ok { // SQLite has one pool for both
			continue
		}
		watched := &watchedPool{ConnPool: db.ConnPool, tell: tell}
		db.ConnPool, db.Statement.ConnPool = watched, watched
	}
}

// watchedPool tells of statements that are run by it.
type watchedPool struct {
	gorm.ConnPool
	tell func(Statement) (done func())
}

func (p *watchedPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	defer p.tell(Statement{query, args})()
	return p.ConnPool.QueryContext(ctx, query, args...) //nolint:sqlclosecheck // the caller does
}

func (p *watchedPool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	defer p.tell(Statement{query, args})()
	return p.ConnPool.QueryRowContext(ctx, query, args...)
}

func (p *watchedPool) BeginTx(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error) {
	return p.ConnPool.(gorm.TxBeginner).BeginTx(ctx, opts)
}

// GetDBConn implements gorm.GetDBConnector.
func (p *watchedPool) GetDBConn() (*sql.DB, error) { return p.ConnPool.(*sql.DB), nil }

// Measured is what a timeline comes to.
type Measured struct {
	Known, Down, Unknown, Maintenance time.Duration
	Uptime                            *float64
	Coverage                          float64
}

// MeasureMinutes measures a timeline of which each letter is a minute: u up, d
// down, m down in a maintenance window, x unknown.
func MeasureMinutes(letters string) Measured {
	const minute = int64(time.Minute / time.Millisecond)
	end := int64(len(letters)) * minute
	set := func(of string) spans {
		var list []span
		for i, letter := range letters {
			if strings.ContainsRune(of, letter) {
				list = append(list, span{int64(i) * minute, int64(i+1) * minute})
			}
		}
		return joined(list)
	}
	m := timeline{scheduled: spans{{0, end}}, known: set("udm"), down: set("dm"), maintenance: set("m")}.measure(0, end)
	return Measured{millis(m.known), millis(m.down), millis(m.unknown), millis(m.maintenance), m.uptime(), m.coverage()}
}
