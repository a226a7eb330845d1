package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// A silence keeps channels from being told of a monitor until it ends. The outbox does it:
//
//   - what happens in it is written as always, in the transaction of its event, but held: due
//     at the end of the silence;
//   - what waited when it began is put off to its end, and so is an attempt that fails in it;
//   - an incident that opened and ended in it is told to nobody; one that was told before it
//     is told to have ended at its end;
//   - reminders wait.
//
// Whoever silences holds the lock on the monitor's state, as whoever writes its events does.

// heldOf is the condition of unfinished deliveries that a silence of their monitor holds.
const heldOf = `monitor_id = ? AND due_at IS NOT NULL AND event_type NOT IN ('system.alarm', 'test')`

// SilenceMonitor silences a living monitor until a time, or ends its silence where that is
// zero; who asked for it and why come with it. Ending none changes nothing. The version of
// the monitor stays: nobody's settings are changed.
func (s *Store) SilenceMonitor(ctx context.Context, ws, id int64, asked uptime.Silence, audit *uptime.Audit) (uptime.Monitor, error) {
	var out uptime.Monitor
	err := s.write(ctx, func(tx *gorm.DB) error {
		before, err := s.lockMonitor(tx, "workspace_id = ? AND id = ? AND deleted_at IS NULL", ws, id)
		if err != nil {
			return err
		}
		out, err = s.silence(tx, before, asked, audit)
		return err
	})
	return out, err
}

// silence changes that of a monitor whose state is locked.
func (s *Store) silence(tx *gorm.DB, m uptime.Monitor, asked uptime.Silence, audit *uptime.Audit) (uptime.Monitor, error) {
	now := s.now()
	next := asked
	switch holds := m.Silence.Holds(now); {
	case !asked.Holds(now) && !holds:
		return m, nil
	case !asked.Holds(now):
		next = m.Silence
		next.Until = now
	case holds:
		next.From = m.Silence.From
	default:
		next.From = now
	}
	err := tx.Exec(`UPDATE monitors SET silenced_from = ?, silenced_until = ?, silenced_by = ?, silence_note = ? WHERE id = ?`,
		at(next.From), at(next.Until), next.By, next.Note, m.ID).Error
	if err != nil {
		return m, fmt.Errorf("silence monitor %d: %w", m.ID, err)
	}
	if asked.Holds(now) {
		err = s.hold(tx, m.ID, at(next.Until))
	} else {
		err = s.releaseHeld(tx, m.ID, now)
	}
	if err != nil {
		return m, err
	}
	if err := insertAudit(tx, audit, m.ID); err != nil {
		return m, err
	}
	return one(tx, s.view(tx).Where("id = ?", m.ID))
}

// hold puts off what waits, and moves what is held already, to the end of a silence. All that
// is unfinished is locked: an attempt that fails meanwhile sees the silence (heldAgain).
func (s *Store) hold(tx *gorm.DB, monitorID int64, until instant) error {
	if err := s.lockHeld(tx, monitorID); err != nil {
		return err
	}
	err := tx.Exec(`UPDATE deliveries SET due_at = ?, held_until = ?, reason = ?
		WHERE `+heldOf+` AND status = 'pending' AND (due_at < ? OR due_at = held_until)`,
		until, until, heldReason(until), monitorID, until).Error
	if err != nil {
		return fmt.Errorf("hold deliveries: %w", err)
	}
	return nil
}

// releaseHeld makes due what a silence holds.
func (s *Store) releaseHeld(tx *gorm.DB, monitorID int64, now time.Time) error {
	if err := s.lockHeld(tx, monitorID); err != nil {
		return err
	}
	err := tx.Exec(`UPDATE deliveries SET due_at = ?, held_until = ?, reason = ''
		WHERE `+heldOf+` AND status = 'pending' AND due_at = held_until AND due_at > ?`,
		at(now), at(now), monitorID, at(now)).Error
	if err != nil {
		return fmt.Errorf("release deliveries: %w", err)
	}
	return nil
}

func (s *Store) lockHeld(tx *gorm.DB, monitorID int64) error {
	if s.dialect != dialectPostgres {
		return nil
	}
	var locked []int64
	if err := tx.Raw(`SELECT id FROM deliveries WHERE `+heldOf+` ORDER BY id FOR UPDATE`, monitorID).Scan(&locked).Error; err != nil {
		return fmt.Errorf("lock deliveries of a monitor: %w", err)
	}
	return nil
}

func heldReason(until instant) string {
	return uptime.Say("The monitor is silenced until %s UTC.", until.time().Format("2006-01-02 15:04:05"))
}

// silences are the ends of those that hold, by monitor.
type silences map[int64]instant

// silences gives those of the monitors that events are about.
func (s *Store) silences(tx *gorm.DB, events []uptime.Event) (silences, error) {
	var ids []int64
	for _, e := range events {
		if e.MonitorID != 0 {
			ids = append(ids, e.MonitorID)
		}
	}
	out := silences{}
	for chunk := range slices.Chunk(ids, eventChunk) {
		var rows []struct {
			ID            int64
			SilencedUntil instant
		}
		err := tx.Raw(`SELECT id, silenced_until FROM monitors WHERE id IN (?) AND silenced_until > ?`, chunk, at(s.now())).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("read silences: %w", err)
		}
		for _, r := range rows {
			out[r.ID] = r.SilencedUntil
		}
	}
	return out, nil
}

// hold gives a new delivery as it is written.
func (all silences) hold(d deliveryRow) deliveryRow {
	if until, silent := all[d.MonitorID]; silent {
		d.DueAt, d.HeldUntil, d.Reason = until, until, heldReason(until)
	}
	return d
}

// heldAgain puts off the next attempt of one that failed, where a silence holds by now. The
// delivery is locked.
func (s *Store) heldAgain(tx *gorm.DB, d deliveryRow) (deliveryRow, error) {
	d.Reason = ""
	if d.MonitorID == 0 || d.EventType == uptime.EventAlarm || d.EventType == uptime.EventTest {
		return d, nil
	}
	var until instant
	err := tx.Raw(`SELECT silenced_until FROM monitors WHERE id = ? AND deleted_at IS NULL AND silenced_until > ?`,
		d.MonitorID, d.DueAt).Scan(&until).Error
	if err != nil {
		return d, fmt.Errorf("read silence: %w", err)
	}
	if until != 0 {
		return silences{d.MonitorID: until}.hold(d), nil
	}
	return d, nil
}

// begunInSilence is the condition of a delivery o that nobody heard of: it opened a chain in
// the silence that holds now.
const begunInSilence = `o.side = 'open' AND o.status = 'pending' AND o.attempt = 0 AND o.due_at = o.held_until
	AND o.created_at >= (SELECT m.silenced_from FROM monitors m WHERE m.id = o.monitor_id)`

// drop cancels what came and went within a silence: the deliveries that opened a chain in it
// and what followed. Those of the chains are locked.
func (all silences) drop(tx *gorm.DB, closing []uptime.Event, now instant) error {
	var chains, ids []string
	for _, e := range closing {
		if _, silent := all[e.MonitorID]; silent {
			chain, _ := chainOf(e)
			chains, ids = append(chains, chain), append(ids, e.ID)
		}
	}
	if len(chains) == 0 {
		return nil
	}
	follows := ` AND EXISTS (SELECT 1 FROM deliveries o WHERE o.chain = deliveries.chain AND o.channel_id = deliveries.channel_id
		AND o.id < deliveries.id AND ` + begunInSilence + `)`
	opened := ` AND id IN (SELECT o.id FROM deliveries o WHERE o.chain IN (?) AND ` + begunInSilence + `)`
	for _, part := range []struct {
		where string
		args  []any
	}{
		{`event_id IN (?)` + follows, []any{ids}},
		{unsent + ` AND side = 'note'` + follows, []any{chains}},
		{unsent + opened, []any{chains, chains}},
	} {
		err := tx.Exec(`UPDATE deliveries SET status = 'cancelled', reason = ?, due_at = NULL, finished_at = ?
			WHERE status = 'pending' AND `+part.where, append([]any{reasonSilenced, now}, part.args...)...).Error
		if err != nil {
			return fmt.Errorf("cancel deliveries of a silence: %w", err)
		}
	}
	return nil
}
