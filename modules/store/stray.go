package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"gorm.io/gorm"
)

// A clock that was ahead and was set back leaves times behind that are far away
// only because of it: the next attempt of an alert, the end of a notifier's lease,
// a reminder. They are strays, and due now:
//
//   - what was last touched (claimed, or else created) more than straySlack after
//     now, for it was touched by such a clock;
//   - what is further away than any wait of the schedule.
//
// What is held by a silence waits for a time that somebody named: it is none.
//
// Clocks that differ by less than straySlack make none.

const (
	straySlack = time.Minute
	strayEvery = 30 * time.Second
	strayBatch = 1000
	// longestWait of a delivery is 6 h ± 20 %.
	longestWait = 6*time.Hour*12/10 + straySlack
)

// strays knows when they were looked for.
type strays struct {
	mu     sync.Mutex
	seen   time.Time // by the store's clock
	looked time.Time // by the monotonic clock
}

// due is true every strayEvery, and when the clock went back.
func (s *strays) due(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	back := now.Before(s.seen)
	s.seen = now
	if !back && !s.looked.IsZero() && time.Since(s.looked) < strayEvery {
		return false
	}
	s.looked = time.Now()
	return true
}

// again has the next look made at once.
func (s *strays) again() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = time.Time{}
}

const (
	strayDelivery = `due_at > ? AND (held_until IS NULL OR due_at <> held_until) AND (coalesce(claimed_at, created_at) > ? OR due_at > ?)`
	strayReminder = `status = 'open' AND resolved_at IS NULL AND deleted_at IS NULL AND next_reminder_at > ? +
		(SELECT m.resend_every_ms FROM monitors m WHERE m.id = incidents.monitor_id)`
)

// recallStrays makes strays due. Where there are none it writes nothing.
func (s *Store) recallStrays(ctx context.Context) error {
	now := s.now()
	if !s.strays.due(now) {
		return nil
	}
	late := at(now.Add(straySlack))
	args := []any{at(now), late, at(now.Add(longestWait))}
	var n int64
	err := s.readBy(ctx, s.outbox, func(db *gorm.DB) error {
		return db.Raw(`SELECT (SELECT count(*) FROM deliveries WHERE `+strayDelivery+`)
			+ (SELECT count(*) FROM incidents WHERE `+strayReminder+`)`, append(slices.Clone(args), late)...).Scan(&n).Error
	})
	if err == nil && n > 0 {
		err = s.writeBy(ctx, s.outbox, func(tx *gorm.DB) error { return makeDue(tx, now, args, late) })
	}
	if err != nil || n > strayBatch {
		s.strays.again()
	}
	if err != nil {
		return fmt.Errorf("look for times of a clock that was ahead: %w", err)
	}
	if n > 0 {
		s.log.WarnContext(ctx, "the clock was set back: deliveries and reminders that it had put off are due now", "count", n)
	}
	return nil
}

func makeDue(tx *gorm.DB, now time.Time, stray []any, late instant) error {
	// Locks are taken in order of id, as everywhere.
	var ids []int64
	if err := tx.Raw(`SELECT id FROM deliveries WHERE `+strayDelivery+` ORDER BY id LIMIT ?`, append(slices.Clone(stray), strayBatch)...).Scan(&ids).Error; err != nil {
		return err
	}
	if len(ids) > 0 {
		err := tx.Exec(`UPDATE deliveries SET due_at = ? WHERE id IN (?) AND `+strayDelivery, append([]any{at(now), ids}, stray...)...).Error
		if err != nil {
			return err
		}
	}
	return tx.Exec(`UPDATE incidents SET next_reminder_at = ? WHERE `+strayReminder, at(now), late).Error
}
