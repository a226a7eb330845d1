package store

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"monitor/modules/failpoint"
)

const (
	callTimeout = 10 * time.Second
	pingTimeout = 2 * time.Second
	// A transaction that failed for a passing reason is run again: for two seconds
	// where others were in its way, for half a one where the server was.
	conflictTries = 12
	awayTries     = 6
	txBackoff     = 10 * time.Millisecond
	txMaxBackoff  = 250 * time.Millisecond
)

// write runs fn in a write transaction of a page and commits when it returns nil.
// fn may run several times, so it must keep nothing from one run to the next, and
// every statement of it must go through tx. Errors of fn come back as they are;
// those of the database as the sentinels of uptime (see failure). A connection
// that is lost while committing gives uptime.ErrUnavailable and may have committed.
func (s *Store) write(ctx context.Context, fn func(tx *gorm.DB) error) error {
	return s.writeBy(ctx, s.pages, fn)
}

// read runs fn for a page without a transaction, on the primary; each statement
// sees what was committed before it began. fn may run several times.
func (s *Store) read(ctx context.Context, fn func(db *gorm.DB) error) error {
	return s.readBy(ctx, s.pages, fn)
}

// report is read for lists and sums of pages, which may come from a replica.
func (s *Store) report(ctx context.Context, fn func(db *gorm.DB) error) error {
	if r := s.replicas.next(ctx); r != nil {
		if err := r.ask(ctx, fn); answered(ctx, err) {
			return err
		}
	}
	return s.read(ctx, fn)
}

func (s *Store) readBy(ctx context.Context, p part, fn func(db *gorm.DB) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return s.again(ctx, func() error { return failure(fn(p.reads.WithContext(ctx))) })
}

func (s *Store) writeBy(ctx context.Context, p part, fn func(tx *gorm.DB) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return s.again(ctx, func() error {
		if err := s.gate.enter(ctx, p.first); err != nil {
			return failure(err)
		}
		defer s.gate.leave()
		return once(p.writes.WithContext(ctx), fn)
	})
}

// once runs one transaction.
func once(db *gorm.DB, fn func(tx *gorm.DB) error) error {
	tx := db.Begin()
	if tx.Error != nil {
		return failure(tx.Error)
	}
	done := false
	defer func() {
		if !done { // an error or a panic
			tx.Rollback()
		}
	}()
	if err := fn(tx); err != nil {
		return failure(err)
	}
	if failpoint.Error("store.serialization") != nil {
		return failure(&pgconn.PgError{Severity: "ERROR", Code: "40001", Message: "failpoint"})
	}
	done = true
	if err := tx.Commit().Error; err != nil {
		tx.Rollback()
		return committing(failure(err))
	}
	return nil
}

// again repeats what failed for a passing reason.
func (s *Store) again(ctx context.Context, fn func() error) error {
	for try := 1; ; try++ {
		err := stopped(ctx, fn())
		if err == nil || !passing(err) {
			return err
		}
		if postgresCode(err) == codeReadOnly {
			s.beginEra()
		}
		if try >= tries(err) {
			return err
		}
		delay := min(txBackoff<<(try-1), txMaxBackoff)
		if wait(ctx, delay/2+rand.N(delay)) != nil { //nolint:gosec // it spreads, it hides nothing
			return err
		}
	}
}

// tries is how often to run what fails so: a conflict passes by itself, a server
// that is away may stay so.
func tries(err error) int {
	if retryable(err) {
		return conflictTries
	}
	return awayTries
}
