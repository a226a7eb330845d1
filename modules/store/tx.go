package store

import (
	"context"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"
)

const (
	callTimeout = 10 * time.Second
	pingTimeout = 2 * time.Second
	// A transaction that the database gave up for a passing reason is run again.
	txTries   = 5
	txBackoff = 10 * time.Millisecond
)

// write runs fn in a write transaction and commits when it returns nil. fn may
// run several times, so it must keep nothing from one run to the next, and every
// statement of it must go through tx. Errors of fn come back as they are; those of
// the database as the sentinels of uptime (see failure). A connection that is lost
// while committing gives uptime.ErrUnavailable and may have committed.
func (s *Store) write(ctx context.Context, fn func(tx *gorm.DB) error) error {
	return s.transact(ctx, s.main, false, fn)
}

// record is write for the recorder, which goes first.
func (s *Store) record(ctx context.Context, fn func(tx *gorm.DB) error) error {
	return s.transact(ctx, s.hot, true, fn)
}

// read runs fn without a transaction on the connections for reading; each
// statement sees what was committed before it began.
func (s *Store) read(ctx context.Context, fn func(db *gorm.DB) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return s.again(ctx, func() error { return failure(fn(s.reads.WithContext(ctx))) })
}

func (s *Store) transact(ctx context.Context, db *gorm.DB, first bool, fn func(tx *gorm.DB) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return s.again(ctx, func() error {
		if err := s.gate.enter(ctx, first); err != nil {
			return failure(err)
		}
		defer s.gate.leave()
		return once(db.WithContext(ctx), fn)
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
		if err == nil || try == txTries || !passing(err) {
			return err
		}
		wait := time.NewTimer(txBackoff<<(try-1) + rand.N(txBackoff)) //nolint:gosec // it spreads, it hides nothing
		select {
		case <-ctx.Done():
			wait.Stop()
			return err
		case <-wait.C:
		}
	}
}
