package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"
	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// failure wraps an error of the database in the sentinel of uptime that it
// stands for; other errors, nil among them, stay as they are.
func failure(err error) error {
	switch {
	case err == nil, errors.Is(err, uptime.ErrUnavailable), errors.Is(err, uptime.ErrNotFound), errors.Is(err, uptime.ErrConflict):
		return err
	case errors.Is(err, gorm.ErrRecordNotFound), errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%w: %w", uptime.ErrNotFound, err)
	case taken(err):
		return fmt.Errorf("%w: %w", uptime.ErrConflict, err)
	case away(err), retryable(err):
		return fmt.Errorf("%w: %w", uptime.ErrUnavailable, err)
	}
	return err
}

// stopped gives the reason for which SQLite broke a statement off.
func stopped(ctx context.Context, err error) error {
	switch {
	case !errors.Is(err, sqlite3.INTERRUPT) || ctx.Err() == nil:
		return err
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("%w: %w: %w", uptime.ErrUnavailable, ctx.Err(), err)
	}
	return fmt.Errorf("%w: %w", ctx.Err(), err)
}

// taken reports a unique key that another row has.
func taken(err error) bool {
	return errors.Is(err, gorm.ErrDuplicatedKey) || postgresCode(err) == "23505" ||
		errors.Is(err, sqlite3.CONSTRAINT_UNIQUE) || errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY)
}

// away reports that the database did not answer, or not in time.
func away(err error) bool {
	if code := postgresCode(err); code != "" {
		// 08: connection; 57P: shut down or starting; 53: out of connections,
		// memory or disk; 57014: cancelled for its time.
		return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "57P") || strings.HasPrefix(code, "53") ||
			slices.Contains([]string{"57014", codeReadOnly, codeIdle}, code)
	}
	if errors.Is(err, errStandby) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err) {
		return true
	}
	var connect *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &connect) || errors.As(err, &network) {
		return true
	}
	return slices.ContainsFunc([]sqlite3.ErrorCode{
		sqlite3.IOERR, sqlite3.FULL, sqlite3.CANTOPEN, sqlite3.READONLY,
	}, func(code sqlite3.ErrorCode) bool { return errors.Is(err, code) })
}

// The conditions of PostgreSQL that are more than a class to the store.
const (
	codeSerialization = "40001"
	codeReadOnly      = "25006" // a standby, after a failover
	codeForbidden     = "42501" // the role may not
	codeIdle          = "25P03" // ended for idling in a transaction: this process was paused
)

// retryable reports that the database gave the transaction up and asks to have
// it again: serialization failure, deadlock, lock timeout, busy, and a statement
// that was prepared before the schema changed or on a connection that was
// swapped for another.
func retryable(err error) bool {
	switch code := postgresCode(err); code {
	case codeSerialization, "40P01", "55P03", "26000":
		return true
	case "0A000":
		return strings.Contains(err.Error(), "cached plan must not change result type")
	}
	return errors.Is(err, sqlite3.BUSY) || errors.Is(err, sqlite3.LOCKED)
}

func postgresCode(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code
	}
	return ""
}

// commitError is the failure of a commit.
type commitError struct{ error }

func (e commitError) Unwrap() error { return e.error }

// committing marks the failure of a commit: the work may be done, so that it is
// run again only where the database says that it is not.
func committing(err error) error { return commitError{err} }

// passing reports whether a transaction that failed so is worth another try
// after a moment.
func passing(err error) bool {
	if _, ok := errors.AsType[commitError](err); ok {
		return retryable(err)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return false
	}
	switch postgresCode(err) {
	case "57P01", "57P02", "57P03", "53300", codeReadOnly, codeIdle: // shut down, starting, no room for a moment
		return true
	}
	return retryable(err) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		pgconn.SafeToRetry(err) || reset(err)
}

func reset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op != "dial"
}
