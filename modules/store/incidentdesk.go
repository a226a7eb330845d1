package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// DeleteIncident deletes an incident made by hand softly, unless check refuses what it is
// by then. One of a monitor is not found: it is what happened.
func (s *Store) DeleteIncident(ctx context.Context, ws, id int64, check func(uptime.Incident) error, audit *uptime.Audit) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		found, err := s.lockIncident(tx, ws, id)
		if err != nil {
			return err
		}
		if found.MonitorID != 0 {
			return fmt.Errorf("delete incident %d of a monitor: %w", id, uptime.ErrNotFound)
		}
		if err := check(found); err != nil {
			return err
		}
		now := at(s.now())
		err = tx.Exec("UPDATE incidents SET deleted_at = ?, updated_at = ?, version = version + 1 WHERE id = ?", now, now, id).Error
		if err != nil {
			return fmt.Errorf("delete incident %d: %w", id, err)
		}
		return insertAudit(tx, audit, id)
	})
}

// RestoreIncident brings an incident made by hand back that was deleted within
// uptime.UndeleteFor.
func (s *Store) RestoreIncident(ctx context.Context, ws, id int64, audit *uptime.Audit) (uptime.Incident, error) {
	var out uptime.Incident
	err := s.write(ctx, func(tx *gorm.DB) error {
		now := s.now()
		res := tx.Exec(`UPDATE incidents SET deleted_at = NULL, updated_at = ?, version = version + 1
			WHERE workspace_id = ? AND id = ? AND monitor_id IS NULL AND deleted_at > ?`, at(now), ws, id, at(now.Add(-uptime.UndeleteFor)))
		if res.Error != nil {
			return fmt.Errorf("restore incident %d: %w", id, res.Error)
		}
		if res.RowsAffected == 0 {
			return fmt.Errorf("restore incident %d: %w", id, uptime.ErrNotFound)
		}
		var err error
		if out, err = told(tx, ws, id); err != nil {
			return err
		}
		return insertAudit(tx, audit, id)
	})
	return out, err
}
