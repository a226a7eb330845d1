package store

import (
	"fmt"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// Quotas bound what one workspace may have; 0 is no bound.
type Quotas struct{ Monitors, Channels, Members int }

// room refuses one more row to a workspace that has all it may: an *uptime.Error with
// CodeConflict. It locks the workspace, so that those who come at once are counted one
// after the other; what else a transaction locks comes after it.
func (s *Store) room(tx *gorm.DB, ws int64, what, table string, most int) error {
	if most <= 0 {
		return nil
	}
	if _, err := s.lockWorkspace(tx, ws); err != nil {
		return err
	}
	query := `SELECT count(*) FROM ` + table + ` WHERE workspace_id = ?`
	if table != "memberships" {
		query += ` AND deleted_at IS NULL`
	}
	var n int
	if err := tx.Raw(query, ws).Scan(&n).Error; err != nil {
		return fmt.Errorf("count %s: %w", what, err)
	}
	if n >= most {
		return uptime.Fail(uptime.CodeConflict, "This workspace has %d %s; more are not allowed here (limits.%s).", n, what, what)
	}
	return nil
}
