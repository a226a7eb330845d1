package store

import (
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"monitor/modules/uptime"
)

// Quotas bound what one workspace may have, and how many of them there may be; 0 is no
// bound.
type Quotas struct{ Workspaces, Monitors, Channels, Members int }

// room refuses one more row to a workspace that has all it may: an *uptime.Error with
// CodeConflict. Where there is a bound it locks the workspace, so that those who come at
// once are counted one after the other; what else a transaction locks comes after it. One
// that was deleted has no room: ErrNotFound.
func (s *Store) room(tx *gorm.DB, ws int64, what, table string, most int) error {
	if most <= 0 {
		return s.lives(tx, ws)
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
		return full(what, n)
	}
	return nil
}

func full(what string, n int) error {
	switch what {
	case "monitors":
		return uptime.Fail(uptime.CodeConflict, "This workspace has %d monitors; more are not allowed here (limits.monitors).", n)
	case "channels":
		return uptime.Fail(uptime.CodeConflict, "This workspace has %d channels; more are not allowed here (limits.channels).", n)
	}
	return uptime.Fail(uptime.CodeConflict, "This workspace has %d members; more are not allowed here (limits.members).", n)
}

// lives keeps a workspace from being deleted until the transaction ends.
func (s *Store) lives(tx *gorm.DB, ws int64) error {
	if s.dialect == dialectPostgres {
		tx = tx.Clauses(clause.Locking{Strength: "SHARE"})
	}
	var row workspaceRow
	if err := tx.Where("id = ? AND deleted_at IS NULL", ws).Take(&row).Error; err != nil {
		return fmt.Errorf("read workspace %d: %w", ws, err)
	}
	return nil
}

// roomForWorkspace refuses one more workspace where there are all that may be. Those who
// make one come one after the other.
func (s *Store) roomForWorkspace(tx *gorm.DB) error {
	if s.quotas.Workspaces <= 0 {
		return nil
	}
	var n int
	if err := tx.Raw(`SELECT count(*) FROM workspaces WHERE deleted_at IS NULL`).Scan(&n).Error; err != nil {
		return fmt.Errorf("count workspaces: %w", err)
	}
	if n >= s.quotas.Workspaces {
		return uptime.Fail(uptime.CodeConflict, "There are %d workspaces; more are not allowed here (limits.workspaces).", n)
	}
	return nil
}
