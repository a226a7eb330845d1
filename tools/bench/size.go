package main

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
	_ "github.com/ncruces/go-sqlite3/driver" // database/sql's "sqlite3"
)

// bytesPerCheck is what a stored result takes in the database, indexes included.
// The program must be stopped, and is of no more use afterwards.
func (m *monitor) bytesPerCheck(ctx context.Context) (float64, error) {
	if m.backend == onPostgres {
		return m.bytesOnPostgres(ctx)
	}
	return m.bytesOnSQLite(ctx)
}

func (m *monitor) bytesOnPostgres(ctx context.Context) (per float64, err error) {
	conn, err := pgx.Connect(ctx, m.postgres.PostgresURL("monitor"))
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(ctx) }() // only read by
	err = conn.QueryRow(ctx, `SELECT (SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'check_results'::regclass)::float8
		/ greatest(1, (SELECT count(*) FROM check_results))`).Scan(&per)
	return per, err
}

// bytesOnSQLite counts the pages that are free once the table is dropped.
func (m *monitor) bytesOnSQLite(ctx context.Context) (per float64, err error) {
	db, err := sql.Open("sqlite3", "file:"+m.file())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	var rows, size, before, after float64
	for _, q := range []struct {
		text string
		into *float64
	}{
		{"SELECT count(*) FROM check_results", &rows},
		{"PRAGMA page_size", &size},
		{"PRAGMA freelist_count", &before},
		{"DROP TABLE check_results", nil},
		{"PRAGMA freelist_count", &after},
	} {
		if q.into == nil {
			_, err = db.ExecContext(ctx, q.text)
		} else {
			err = db.QueryRowContext(ctx, q.text).Scan(q.into)
		}
		if err != nil {
			return 0, err
		}
	}
	return (after - before) * size / max(1, rows), nil
}
