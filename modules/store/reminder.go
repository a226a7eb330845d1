package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// dueReminder is the condition that somebody has to be reminded of an incident.
// Arguments: now, twice.
const dueReminder = `i.status = 'open' AND i.resolved_at IS NULL AND i.deleted_at IS NULL AND i.next_reminder_at <= ?
	AND NOT EXISTS (SELECT 1 FROM monitors m WHERE m.id = i.monitor_id AND m.silenced_until > ?)`

// EmitReminders writes the incident.reminder event of up to limit unacknowledged
// incidents whose reminder is due, each once for its due time, and gives their
// number. Several processes may call it at once.
func (s *Store) EmitReminders(ctx context.Context, limit int) (int, error) {
	var found int64
	now := at(s.now())
	err := s.readBy(ctx, s.outbox, func(db *gorm.DB) error {
		return db.Raw(`SELECT count(*) FROM (SELECT 1 FROM incidents i WHERE `+dueReminder+` LIMIT 1) x`, now, now).
			Scan(&found).Error
	})
	if err != nil || found == 0 {
		return 0, err
	}
	told := 0
	err = s.writeBy(ctx, s.outbox, func(tx *gorm.DB) error {
		var err error
		told, err = s.remind(tx, limit)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("emit reminders: %w", err)
	}
	return told, nil
}

func (s *Store) remind(tx *gorm.DB, limit int) (int, error) {
	now := s.now()
	rows, err := s.lockReminders(tx, limit, at(now))
	if err != nil {
		return 0, err
	}
	var events []uptime.Event
	for _, row := range rows {
		i, err := row.incident()
		if err != nil {
			return 0, err
		}
		m, err := one(tx, s.view(tx).Where("id = ?", i.MonitorID))
		if err != nil {
			return 0, err
		}
		next := nextReminder(i.NextReminderAt, m, now)
		err = tx.Exec(`UPDATE incidents SET next_reminder_at = ? WHERE id = ?`, at(next), i.ID).Error
		if err != nil {
			return 0, fmt.Errorf("set the next reminder: %w", err)
		}
		if !next.IsZero() && !toldAtTheEnd(m.Silence, i) {
			newest, err := s.newestResult(tx, m)
			if err != nil {
				return 0, err
			}
			events = append(events, uptime.NewEvent(s.random, uptime.EventReminder, m, &i, newest, now))
		}
	}
	_, err = s.insertEvents(tx, events)
	return len(events), err
}

// lockReminders locks the states of monitors, as whoever else decides about
// their incidents does, and reads the incidents after that. Those that somebody
// works on are left for the next time.
func (s *Store) lockReminders(tx *gorm.DB, limit int, now instant) ([]incidentRow, error) {
	query := `SELECT i.id FROM incidents i JOIN monitor_states st ON st.monitor_id = i.monitor_id
		WHERE ` + dueReminder + ` ORDER BY i.next_reminder_at LIMIT ?`
	if s.dialect == dialectPostgres {
		query += ` FOR UPDATE OF st SKIP LOCKED`
	}
	var ids []int64
	if err := tx.Raw(query, now, now, limit).Scan(&ids).Error; err != nil {
		return nil, fmt.Errorf("lock incidents to remind of: %w", err)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []incidentRow
	err := tx.Raw(`SELECT i.* FROM incidents i WHERE i.id IN (?) AND `+dueReminder+` ORDER BY i.id`, ids, now, now).
		Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read incidents to remind of: %w", err)
	}
	return rows, nil
}

// toldAtTheEnd reports that the reminder fell due in the silence in which the incident
// began: at its end the incident itself was told, and that is enough.
func toldAtTheEnd(s uptime.Silence, i uptime.Incident) bool {
	return s.Has(i.CreatedAt) && s.Has(i.NextReminderAt)
}

// nextReminder follows the one that was due; reminders that were missed are not
// made up for. Zero when the monitor asks for none any more.
func nextReminder(dueAt time.Time, m uptime.Monitor, now time.Time) time.Time {
	if m.ResendEvery <= 0 || !due(m) {
		return time.Time{}
	}
	if next := dueAt.Add(m.ResendEvery); next.After(now) {
		return next
	}
	return now.Add(m.ResendEvery)
}
