package store

import (
	"context"
	"encoding/json"
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

type auditRow struct {
	ID          int64
	WorkspaceID int64
	UserID      int64
	TokenID     int64
	Address     string
	Action      string
	ObjectType  string
	ObjectID    int64
	Detail      string
	At          instant
	Name        string `gorm:"-"`
	Email       string `gorm:"-"`
}

// TableName implements gorm's Tabler.
func (auditRow) TableName() string { return "audit_log" }

// AuditLog lists lines of a workspace, newest first.
func (s *Store) AuditLog(ctx context.Context, ws int64, f uptime.AuditFilter, p uptime.Page) (uptime.List[uptime.AuditLine], error) {
	list := uptime.List[uptime.AuditLine]{}
	err := s.read(ctx, func(db *gorm.DB) error {
		lines := db.Model(&auditRow{}).Where("workspace_id = ?", ws)
		for _, c := range []struct {
			where string
			value any
			given bool
		}{
			{"user_id = ?", f.UserID, f.UserID != 0},
			{"object_type = ?", f.ObjectType, f.ObjectType != ""},
			{"object_id = ?", f.ObjectID, f.ObjectID != 0},
			{"at >= ?", at(f.From), !f.From.IsZero()},
			{"at < ?", at(f.To), !f.To.IsZero()},
		} {
			if c.given {
				lines = lines.Where(c.where, c.value)
			}
		}
		rows, next, err := pageByID(lines, p, "audit", descending, func(r auditRow) int64 { return r.ID })
		if err != nil {
			return err
		}
		if err := nameThem(db, ws, rows); err != nil {
			return err
		}
		list.Items, list.Next = make([]uptime.AuditLine, 0, len(rows)), next
		for _, r := range rows {
			list.Items = append(list.Items, r.line())
		}
		return nil
	})
	if err != nil {
		return uptime.List[uptime.AuditLine]{}, fmt.Errorf("read audit log: %w", err)
	}
	return list, nil
}

func (r auditRow) line() uptime.AuditLine {
	return uptime.AuditLine{ID: r.ID, Name: r.Name, Email: r.Email, Audit: uptime.Audit{
		WorkspaceID: r.WorkspaceID, UserID: r.UserID, TokenID: r.TokenID, Address: r.Address, Action: r.Action,
		ObjectType: r.ObjectType, ObjectID: r.ObjectID, Detail: json.RawMessage(r.Detail), At: r.At.time(),
	}}
}

// nameThem fills in who did it, in one statement: the name also of who is gone, the
// address of members alone.
func nameThem(db *gorm.DB, ws int64, rows []auditRow) error {
	ids := make([]int64, 0, len(rows))
	for _, r := range rows {
		ids = append(ids, r.UserID)
	}
	type person struct {
		ID, WorkspaceID int64 // 0: they are not in it any more
		Name, Email     string
	}
	var people []person
	err := db.Raw(`SELECT u.id, u.name, u.email, coalesce(m.workspace_id, 0) AS workspace_id
		FROM users u LEFT JOIN memberships m ON m.user_id = u.id AND m.workspace_id = ? WHERE u.id IN ?`, ws, ids).Scan(&people).Error
	if err != nil {
		return fmt.Errorf("read users: %w", err)
	}
	byID := make(map[int64]person, len(people))
	for _, p := range people {
		byID[p.ID] = p
	}
	for i := range rows {
		p := byID[rows[i].UserID]
		rows[i].Name = p.Name
		if p.WorkspaceID != 0 {
			rows[i].Email = p.Email
		}
	}
	return nil
}
