package store

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// CreateMonitor stores a new monitor, pending, and gives it back with its ID.
// Its RowKey is the caller's. CheckAt is now unless it is set.
func (s *Store) CreateMonitor(ctx context.Context, m uptime.Monitor, audit *uptime.Audit) (uptime.Monitor, error) {
	var out uptime.Monitor
	err := s.write(ctx, func(tx *gorm.DB) error {
		if err := s.room(tx, m.WorkspaceID, "monitors", "monitors", s.quotas.Monitors); err != nil {
			return err
		}
		now := s.now()
		n := normalMonitor(m)
		n.ID, n.Version, n.DeletedAt, n.Silence = 0, 1, time.Time{}, uptime.Silence{}
		n.CreatedAt, n.UpdatedAt = now, now
		if n.CheckAt.IsZero() {
			n.CheckAt = now
		}
		var err error
		if n.ChangeSeq, err = next(tx, sequenceChange); err != nil {
			return err
		}
		row, err := rowOfMonitor(n)
		if err != nil {
			return err
		}
		if err := tx.Create(&row).Error; err != nil {
			return fmt.Errorf("insert a monitor: %w", err)
		}
		n.ID = row.ID
		n.State = fresh(n, judgeFrom(now, n.CheckAt))
		n.Status = uptime.Pending
		if !n.Enabled {
			n.Status = uptime.Paused
		}
		state, err := rowOfState(n)
		if err != nil {
			return err
		}
		if err := tx.Create(&state).Error; err != nil {
			return fmt.Errorf("insert the state of a monitor: %w", err)
		}
		if err := saveLinks(tx, n); err != nil {
			return err
		}
		if err := reschedule(tx, uptime.Monitor{}, n, now); err != nil {
			return err
		}
		out = n
		return insertAudit(tx, audit, n.ID)
	})
	return out, err
}

// fresh is the state of a monitor that is judged from a time on.
func fresh(m uptime.Monitor, from time.Time) uptime.State {
	m.State.CertNotAfter, m.State.CertWarned = time.Time{}, ""
	state, _ := uptime.Halt(nil, m, nil, "", from)
	state.Regions = map[string]uptime.RegionState{}
	return state
}

// judgeFrom is the start of judging after a change now whose extra slot is
// check: that slot counts, though its time was taken a moment earlier.
func judgeFrom(now, check time.Time) time.Time {
	if check.Before(now) {
		return check
	}
	return now
}

// Monitor gives a living monitor.
func (s *Store) Monitor(ctx context.Context, ws, id int64) (uptime.Monitor, error) {
	return s.findMonitor(ctx, s.pages, "workspace_id = ? AND id = ? AND deleted_at IS NULL", ws, id)
}

// MonitorByKey gives the living monitor with an external key.
func (s *Store) MonitorByKey(ctx context.Context, ws int64, externalKey string) (uptime.Monitor, error) {
	return s.findMonitor(ctx, s.pages, "workspace_id = ? AND external_key = ? AND external_key <> '' AND deleted_at IS NULL", ws, externalKey)
}

func (s *Store) findMonitor(ctx context.Context, by part, where string, args ...any) (m uptime.Monitor, err error) {
	err = s.readBy(ctx, by, func(db *gorm.DB) error {
		m, err = one(db, s.view(db).Where(where, args...))
		return err
	})
	return m, err
}

// UpdateMonitor lets mutate change the settings of a living monitor. Pausing
// ends its incident; pausing and resuming start its state anew. What mutate does
// to identity, state, version and times is ignored.
func (s *Store) UpdateMonitor(ctx context.Context, ws, id int64, mutate func(*uptime.Monitor) error, audit *uptime.Audit) (uptime.Monitor, error) {
	var out uptime.Monitor
	err := s.write(ctx, func(tx *gorm.DB) error {
		before, err := s.lockMonitor(tx, "workspace_id = ? AND id = ? AND deleted_at IS NULL", ws, id)
		if err != nil {
			return err
		}
		out, err = s.change(tx, before, mutate, audit)
		return err
	})
	return out, err
}

// change is UpdateMonitor of one whose state is locked. What changes nothing gives it back as
// it was.
func (s *Store) change(tx *gorm.DB, before uptime.Monitor, mutate func(*uptime.Monitor) error, audit *uptime.Audit) (uptime.Monitor, error) {
	changed := normalMonitor(before)
	if err := mutate(&changed); err != nil {
		return before, err
	}
	after := normalMonitor(changed)
	keepIdentity(&after, before)
	if reflect.DeepEqual(after, before) {
		return before, nil
	}
	out, err := s.saveMonitor(tx, before, after, audit)
	if err != nil {
		return before, err
	}
	return out, insertAudit(tx, audit, before.ID)
}

func keepIdentity(m *uptime.Monitor, before uptime.Monitor) {
	m.ID, m.WorkspaceID, m.RowKey, m.Type = before.ID, before.WorkspaceID, before.RowKey, before.Type
	m.Version, m.ChangeSeq, m.State, m.Status = before.Version, before.ChangeSeq, before.State, before.Status
	m.Silence = before.Silence
	m.CreatedAt, m.UpdatedAt, m.DeletedAt = before.CreatedAt, before.UpdatedAt, before.DeletedAt
}

// DeleteMonitor deletes softly and ends the monitor's incident.
func (s *Store) DeleteMonitor(ctx context.Context, ws, id int64, audit *uptime.Audit) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		before, err := s.lockMonitor(tx, "workspace_id = ? AND id = ? AND deleted_at IS NULL", ws, id)
		if err != nil {
			return err
		}
		return s.remove(tx, before, audit)
	})
}

// remove deletes a monitor whose state is locked.
func (s *Store) remove(tx *gorm.DB, before uptime.Monitor, audit *uptime.Audit) error {
	after := normalMonitor(before)
	after.DeletedAt = s.now()
	if _, err := s.saveMonitor(tx, before, after, audit); err != nil {
		return err
	}
	return insertAudit(tx, audit, before.ID)
}

// RestoreMonitor brings a monitor back that was deleted within
// uptime.UndeleteFor, to be checked at once. uptime.ErrConflict when its external
// key is taken.
func (s *Store) RestoreMonitor(ctx context.Context, ws, id int64, audit *uptime.Audit) (uptime.Monitor, error) {
	var out uptime.Monitor
	err := s.write(ctx, func(tx *gorm.DB) error {
		var err error
		out, err = s.restore(tx, ws, id, s.now(), audit)
		return err
	})
	return out, err
}

// restore brings a monitor back, to be checked at a time.
func (s *Store) restore(tx *gorm.DB, ws, id int64, check time.Time, audit *uptime.Audit) (uptime.Monitor, error) {
	if err := s.room(tx, ws, "monitors", "monitors", s.quotas.Monitors); err != nil {
		return uptime.Monitor{}, err
	}
	before, err := s.lockMonitor(tx, "workspace_id = ? AND id = ? AND deleted_at > ?", ws, id, at(s.now().Add(-uptime.UndeleteFor)))
	if err != nil {
		return before, err
	}
	after := normalMonitor(before)
	after.DeletedAt, after.CheckAt = time.Time{}, check
	out, err := s.saveMonitor(tx, before, after, audit)
	if err != nil {
		return out, err
	}
	return out, insertAudit(tx, audit, id)
}

// lockMonitor locks the state of the monitor that the condition finds, then
// reads both.
func (s *Store) lockMonitor(tx *gorm.DB, where string, args ...any) (uptime.Monitor, error) {
	m, err := one(tx, s.view(tx).Where(where, args...))
	if err != nil || s.dialect == dialectSQLite {
		return m, err
	}
	if _, err := s.lockStates(tx, []int64{m.ID}); err != nil {
		return m, err
	}
	return one(tx, s.view(tx).Where(where, args...)) // as it is now that it is locked
}

// saveMonitor writes a changed monitor and what follows from the change. by says
// who made it; nil is the program.
func (s *Store) saveMonitor(tx *gorm.DB, before, after uptime.Monitor, by *uptime.Audit) (uptime.Monitor, error) {
	now := s.now()
	var err error
	after.Version, after.UpdatedAt = before.Version+1, now
	if after.ChangeSeq, err = next(tx, sequenceChange); err != nil {
		return after, err
	}
	if due(before) != due(after) {
		if err := s.restate(tx, before, &after, by, now); err != nil {
			return after, err
		}
	}
	if !after.DeletedAt.IsZero() { // a silence of what is gone holds nothing up
		if err := s.releaseHeld(tx, after.ID, now); err != nil {
			return after, err
		}
	}
	row, err := rowOfMonitor(after)
	if err != nil {
		return after, err
	}
	if err := tx.Model(&monitorRow{}).Where("id = ?", after.ID).Select("*").Omit("id", "created_at").Updates(&row).Error; err != nil {
		return after, fmt.Errorf("update monitor %d: %w", after.ID, err)
	}
	if err := saveLinks(tx, after); err != nil {
		return after, err
	}
	state, err := rowOfState(after)
	if err != nil {
		return after, err
	}
	if err := tx.Model(&stateRow{}).Where("monitor_id = ?", after.ID).Select("*").Omit("monitor_id").Updates(&state).Error; err != nil {
		return after, fmt.Errorf("update the state of monitor %d: %w", after.ID, err)
	}
	if err := tx.Exec("UPDATE monitor_states SET revision = revision + 1 WHERE monitor_id = ?", after.ID).Error; err != nil {
		return after, fmt.Errorf("raise the revision of monitor %d: %w", after.ID, err)
	}
	if err := reschedule(tx, before, after, now); err != nil {
		return after, err
	}
	return one(tx, s.view(tx).Where("id = ?", after.ID))
}

// due reports whether the monitor is to be checked.
func due(m uptime.Monitor) bool { return m.Enabled && m.DeletedAt.IsZero() }

// restate starts the state anew where a monitor begins or ceases to be checked,
// as by says.
func (s *Store) restate(tx *gorm.DB, before uptime.Monitor, after *uptime.Monitor, by *uptime.Audit, now time.Time) error {
	if due(*after) {
		from := now
		if !after.CheckAt.Equal(before.CheckAt) {
			from = judgeFrom(now, after.CheckAt)
		}
		after.State, _ = uptime.Halt(s.random, before, nil, "", from)
		return nil
	}
	why := uptime.Say("Monitor paused.")
	if !after.DeletedAt.IsZero() {
		why = uptime.Say("Monitor deleted.")
	}
	going, err := s.going(tx, before.ID)
	if err != nil {
		return err
	}
	for i := range going {
		_, change := uptime.Halt(s.random, before, &going[i], why, now)
		if change == nil {
			continue
		}
		for u := range change.Updates {
			if by != nil {
				change.Updates[u].AuthorID = by.UserID
			}
		}
		if _, err := s.saveChange(tx, change, now); err != nil {
			return err
		}
		if _, err := s.insertEvents(tx, change.Events); err != nil {
			return err
		}
	}
	after.State, _ = uptime.Halt(s.random, before, nil, why, now)
	return nil
}

// going are the own incidents of a monitor that are unresolved or whose outage
// goes on: at most one of each.
func (s *Store) going(tx *gorm.DB, monitorID int64) ([]uptime.Incident, error) {
	var rows []incidentRow
	query := tx.Where("monitor_id = ? AND deleted_at IS NULL AND (resolved_at IS NULL OR ended_at IS NULL)", monitorID).Order("started_at")
	if err := query.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read the incidents of monitor %d: %w", monitorID, err)
	}
	return incidentsOf(rows)
}

func incidentsOf(rows []incidentRow) ([]uptime.Incident, error) {
	out := make([]uptime.Incident, 0, len(rows))
	for _, row := range rows {
		i, err := row.incident()
		if err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	return out, nil
}
