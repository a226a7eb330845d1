package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// FinishDelivery commits what a claim came to. Committing the same claim again
// changes nothing; uptime.ErrStale when the claim is no longer the newest.
//
// A delivery that is to be tried again is merged or cancelled instead where its
// chain or its channel ended while it was being sent.
func (s *Store) FinishDelivery(ctx context.Context, c uptime.Claim, r uptime.AttemptResult) error {
	if err := checkResult(r); err != nil {
		return err
	}
	return s.writeBy(ctx, s.outbox, func(tx *gorm.DB) error {
		if err := s.lockChannel(tx, c.Delivery.ChannelID); err != nil {
			return err
		}
		row, err := s.lockDelivery(tx, c.Delivery.ID)
		if err != nil {
			return err
		}
		if row.Attempt != c.N || row.Status != uptime.DeliverySending {
			return repeated(tx, row, c)
		}
		a := r.Attempt
		a.N = c.N
		if err := insertAttempt(tx, row.ID, a); err != nil {
			return err
		}
		if err := s.settle(tx, row, r); err != nil {
			return err
		}
		if r.DisableChannel {
			return disableChannel(tx, row.ChannelID, r.Reason, at(s.now()))
		}
		return nil
	})
}

func checkResult(r uptime.AttemptResult) error {
	switch {
	case r.Status == uptime.DeliveryPending && r.Next.IsZero():
		return errors.New("finish delivery: pending without a next time")
	case r.Status == uptime.DeliveryPending, r.Status == uptime.DeliveryDelivered, r.Status == uptime.DeliveryDead:
		return nil
	}
	return fmt.Errorf("finish delivery: status %q ends no attempt", r.Status)
}

// ReleaseDelivery hands a claim back without using up its attempt, to be due
// again at next. uptime.ErrStale when the claim is no longer the newest.
func (s *Store) ReleaseDelivery(ctx context.Context, c uptime.Claim, next time.Time) error {
	if next.IsZero() {
		next = s.now()
	}
	return s.writeBy(ctx, s.outbox, func(tx *gorm.DB) error {
		if err := s.lockChannel(tx, c.Delivery.ChannelID); err != nil {
			return err
		}
		row, err := s.lockDelivery(tx, c.Delivery.ID)
		if err != nil {
			return err
		}
		if row.Attempt != c.N || row.Status != uptime.DeliverySending {
			return fmt.Errorf("release delivery %d: %w", row.ID, uptime.ErrStale)
		}
		row.Attempt--
		return s.settle(tx, row, uptime.AttemptResult{Status: uptime.DeliveryPending, Next: next})
	})
}

// lockChannel keeps claims and changes of the channel out.
func (s *Store) lockChannel(tx *gorm.DB, id int64) error {
	if s.dialect != dialectPostgres {
		return nil
	}
	var locked int64
	if err := tx.Raw(`SELECT id FROM channels WHERE id = ? FOR NO KEY UPDATE`, id).Scan(&locked).Error; err != nil {
		return fmt.Errorf("lock channel: %w", err)
	}
	return nil
}

func (s *Store) lockDelivery(tx *gorm.DB, id int64) (deliveryRow, error) {
	var row deliveryRow
	if err := s.forUpdate(tx).Where("id = ?", id).Take(&row).Error; err != nil {
		return row, fmt.Errorf("lock delivery %d: %w", id, err)
	}
	return row, nil
}

// repeated answers a commit whose claim is over: nil where it was this very
// attempt that ended it.
func repeated(tx *gorm.DB, row deliveryRow, c uptime.Claim) error {
	if row.Attempt == c.N {
		var n int64
		err := tx.Raw(`SELECT count(*) FROM delivery_attempts WHERE delivery_id = ? AND n = ?`, row.ID, c.N).Scan(&n).Error
		if err != nil {
			return fmt.Errorf("read attempt: %w", err)
		}
		if n == 1 {
			return nil
		}
	}
	return fmt.Errorf("finish delivery %d: %w", row.ID, uptime.ErrStale)
}

// settle writes the end of a claim. row is locked.
func (s *Store) settle(tx *gorm.DB, row deliveryRow, r uptime.AttemptResult) error {
	now := at(s.now())
	status, reason, due, finished := r.Status, "", instant(0), now
	switch r.Status {
	case uptime.DeliveryPending:
		var err error
		if status, reason, err = overtaken(tx, row); err != nil {
			return err
		}
		if status == uptime.DeliveryPending {
			row.DueAt = at(r.Next)
			if row, err = s.heldAgain(tx, row); err != nil {
				return err
			}
			due, reason, finished = row.DueAt, row.Reason, 0
		}
	case uptime.DeliveryDead:
		reason = r.Reason
	case uptime.DeliverySending, uptime.DeliveryDelivered, uptime.DeliveryMerged, uptime.DeliveryCancelled:
	}
	err := tx.Exec(`UPDATE deliveries SET status = ?, reason = ?, attempt = ?, due_at = ?, held_until = ?, finished_at = ? WHERE id = ?`,
		string(status), reason, row.Attempt, due, row.HeldUntil, finished, row.ID).Error
	if err != nil {
		return fmt.Errorf("finish delivery %d: %w", row.ID, err)
	}
	return nil
}

// overtaken says what becomes of a delivery that is to be tried again: it stays
// pending unless its channel or its chain ended in the meantime. Read after the
// row was locked: who closes the chain locks it, too, before they look.
func overtaken(tx *gorm.DB, row deliveryRow) (uptime.DeliveryStatus, string, error) {
	var channel channelRow
	if err := tx.Where("id = ?", row.ChannelID).Take(&channel).Error; err != nil {
		return "", "", fmt.Errorf("read channel: %w", err)
	}
	switch {
	case channel.DeletedAt != 0:
		return uptime.DeliveryCancelled, reasonDeleted, nil
	case !channel.Enabled:
		return uptime.DeliveryCancelled, reasonDisabled, nil
	case row.Side != sideOpen && row.Side != sideNote:
		return uptime.DeliveryPending, "", nil
	}
	var closing int64
	err := tx.Raw(`SELECT id FROM deliveries WHERE channel_id = ? AND chain = ? AND side = 'close'
		AND status = 'pending' AND due_at IS NOT NULL AND id > ? ORDER BY id LIMIT 1`,
		row.ChannelID, row.Chain, row.ID).Scan(&closing).Error
	if err != nil {
		return "", "", fmt.Errorf("look for the opposite event: %w", err)
	}
	if closing != 0 {
		return uptime.DeliveryMerged, reasonMerged, markMerging(tx, row, closing)
	}
	if row.Side == sideNote {
		return overtakenNote(tx, row)
	}
	return uptime.DeliveryPending, "", nil
}

func markMerging(tx *gorm.DB, row deliveryRow, closing int64) error {
	if row.Side != sideOpen {
		return nil
	}
	if err := tx.Exec(`UPDATE deliveries SET merges = TRUE WHERE id = ?`, closing).Error; err != nil {
		return fmt.Errorf("mark merging delivery: %w", err)
	}
	return nil
}

// overtakenNote ends a note of an incident whose end its channel is not told of,
// and a reminder that a newer one follows.
func overtakenNote(tx *gorm.DB, row deliveryRow) (uptime.DeliveryStatus, string, error) {
	var found struct{ Resolved, Newer int64 }
	err := tx.Raw(`SELECT
		(SELECT count(*) FROM incidents WHERE id = ? AND (resolved_at IS NOT NULL OR deleted_at IS NOT NULL)) AS resolved,
		(SELECT count(*) FROM deliveries WHERE channel_id = ? AND chain = ? AND event_type = ? AND status = 'pending'
			AND due_at IS NOT NULL AND id > ?) AS newer`,
		row.IncidentID, row.ChannelID, row.Chain, string(uptime.EventReminder), row.ID).Scan(&found).Error
	switch {
	case err != nil:
		return "", "", fmt.Errorf("read what came after: %w", err)
	case found.Resolved > 0:
		return uptime.DeliveryCancelled, reasonResolved, nil
	case found.Newer > 0 && row.EventType == uptime.EventReminder:
		return uptime.DeliveryMerged, reasonNewer, nil
	}
	return uptime.DeliveryPending, "", nil
}
