package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// WriteAudit adds a line of its own to the audit log: of what changes no object.
func (s *Store) WriteAudit(ctx context.Context, audit uptime.Audit) error {
	return s.write(ctx, func(tx *gorm.DB) error { return insertAudit(tx, &audit, 0) })
}

// insertAudit adds a line to the audit log in the transaction of its change.
// objectID is used where the line names no object yet. A nil line is none.
func insertAudit(tx *gorm.DB, a *uptime.Audit, objectID int64) error {
	if a == nil {
		return nil
	}
	if a.ObjectID != 0 {
		objectID = a.ObjectID
	}
	when := a.At
	if when.IsZero() {
		when = tx.NowFunc()
	}
	detail := string(a.Detail)
	if detail == "" {
		detail = "null"
	}
	err := tx.Exec(`INSERT INTO audit_log
		(workspace_id, user_id, token_id, address, action, object_type, object_id, detail, at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		a.WorkspaceID, a.UserID, a.TokenID, a.Address, a.Action, a.ObjectType, objectID, detail, at(when)).Error
	if err != nil {
		return fmt.Errorf("write audit log: %w", err)
	}
	return nil
}
