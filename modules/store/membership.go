package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// membershipRow is what a person is in one workspace.
type membershipRow struct {
	WorkspaceID int64 `gorm:"primaryKey;autoIncrement:false"`
	UserID      int64 `gorm:"primaryKey;autoIncrement:false"`
	Role        uptime.Role
	Disabled    bool
	InviteHash  string
	InviteUntil instant
	CreatedAt   instant `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (membershipRow) TableName() string { return "memberships" }

func addMembership(tx *gorm.DB, u userRow, now instant) error {
	row := membershipRow{
		WorkspaceID: u.WorkspaceID, UserID: u.ID, Role: u.Role, Disabled: u.Disabled,
		InviteHash: u.InviteHash, InviteUntil: u.InviteUntil, CreatedAt: now,
	}
	if err := tx.Create(&row).Error; err != nil {
		return fmt.Errorf("add membership: %w", err)
	}
	return nil
}

// lockAccount locks a person, whatever the workspace: who changes their memberships does
// so first.
func (s *Store) lockAccount(tx *gorm.DB, where string, args ...any) (id int64, err error) {
	var row struct{ ID int64 }
	err = s.forUpdate(tx).Table("users").Select("id").Where("deleted_at IS NULL").Where(where, args...).Take(&row).Error
	if err != nil {
		return 0, fmt.Errorf("read user: %w", err)
	}
	return row.ID, nil
}

// member reads a person in a workspace, inside a transaction.
func member(tx *gorm.DB, ws, id int64) (userRow, error) {
	var row userRow
	if err := tx.Where("workspace_id = ? AND id = ?", ws, id).Take(&row).Error; err != nil {
		return row, fmt.Errorf("read user %d: %w", id, err)
	}
	return row, nil
}

// lockMember is member of a person who is locked.
func (s *Store) lockMember(tx *gorm.DB, ws, id int64) (userRow, error) {
	if _, err := s.lockAccount(tx, "id = ?", id); err != nil {
		return userRow{}, err
	}
	return member(tx, ws, id)
}

// inviteAccount lets somebody who has an account already be invited to u's workspace.
func (s *Store) inviteAccount(tx *gorm.DB, id int64, u uptime.User, audit *uptime.Audit) (userRow, error) {
	if u.PasswordHash != "" || u.InviteHash == "" {
		return userRow{}, fmt.Errorf("somebody else's account: %w", uptime.ErrConflict)
	}
	row := rowOfUser(u)
	row.ID = id
	if err := addMembership(tx, row, at(s.now())); err != nil {
		return userRow{}, err
	}
	row, err := member(tx, u.WorkspaceID, id)
	if err != nil {
		return userRow{}, err
	}
	return row, insertAudit(tx, audit, id)
}

// Memberships lists the workspaces that a person has joined and may enter, by name.
func (s *Store) Memberships(ctx context.Context, userID int64) ([]uptime.Membership, error) {
	var rows []struct {
		Of   workspaceRow `gorm:"embedded"`
		Role uptime.Role
	}
	err := s.read(ctx, func(db *gorm.DB) error {
		return db.Raw(`SELECT w.*, m.role FROM memberships m JOIN workspaces w ON w.id = m.workspace_id
			WHERE m.user_id = ? AND w.deleted_at IS NULL AND NOT m.disabled AND m.invite_hash = '' ORDER BY lower(w.name), w.id`, userID).Scan(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("list memberships: %w", err)
	}
	list := make([]uptime.Membership, 0, len(rows))
	for _, r := range rows {
		list = append(list, uptime.Membership{Workspace: r.Of.workspace(), Role: r.Role})
	}
	return list, nil
}

// EnterWorkspace moves a session of a person to another workspace of theirs, which
// later log-ins lead to as well. ErrNotFound when they may not enter it.
func (s *Store) EnterWorkspace(ctx context.Context, userID, ws int64, family string) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		row, err := s.lockMember(tx, ws, userID)
		if err == nil && !row.joined() {
			err = fmt.Errorf("enter workspace %d: %w", ws, uptime.ErrNotFound)
		}
		if err != nil {
			return err
		}
		if err := s.lockFamilies(tx, "family = ?", family); err != nil {
			return err
		}
		err = tx.Exec(`UPDATE refresh_tokens SET workspace_id = ? WHERE family = ? AND user_id = ?`, ws, family, userID).Error
		if err != nil {
			return fmt.Errorf("move session: %w", err)
		}
		return setHome(tx, row)
	})
}

// setHome makes the workspace of a membership the one that log-ins lead to.
func setHome(tx *gorm.DB, u userRow) error {
	err := tx.Exec(`UPDATE users SET workspace_id = ?, role = ?, disabled = ?, invite_hash = ?, invite_until = ? WHERE id = ?`,
		u.WorkspaceID, u.Role, u.Disabled, u.InviteHash, u.InviteUntil, u.ID).Error
	if err != nil {
		return fmt.Errorf("set the workspace of a user: %w", err)
	}
	return nil
}

// leave ends a membership with its sessions, API tokens and the saved views that nobody
// else sees. Who has joined no other
// workspace is deleted, but for the name, which timelines keep; invitations to others go
// to a new account of the same address.
func (s *Store) leave(tx *gorm.DB, u userRow) error {
	if err := s.endFamilies(tx, "user_id = ? AND workspace_id = ?", u.ID, u.WorkspaceID); err != nil {
		return err
	}
	for _, table := range []string{"api_tokens", "memberships"} {
		if err := tx.Exec(`DELETE FROM `+table+` WHERE workspace_id = ? AND user_id = ?`, u.WorkspaceID, u.ID).Error; err != nil {
			return fmt.Errorf("delete from %s: %w", table, err)
		}
	}
	if err := tx.Exec(`DELETE FROM saved_views WHERE workspace_id = ? AND user_id = ? AND NOT shared`, u.WorkspaceID, u.ID).Error; err != nil {
		return fmt.Errorf("delete saved views: %w", err)
	}
	now := at(s.now())
	var next userRow
	err := tx.Where("id = ?", u.ID).Order(landing).Take(&next).Error
	left := errors.Is(err, gorm.ErrRecordNotFound)
	switch {
	case err != nil && !left:
		return fmt.Errorf("read the other workspaces of a user: %w", err)
	case left || !u.Elsewhere:
		err = tx.Exec(`UPDATE users SET deleted_at = ?, updated_at = ?, email = '', password_hash = '', invite_hash = '', reset_hash = '',
			totp_secret = '', recovery_hashes = '[]', disabled = TRUE, version = version + 1 WHERE id = ?`, now, now, u.ID).Error
		if err != nil {
			return fmt.Errorf("delete user: %w", err)
		}
		if _, err := dropIdentities(tx, u.ID); err != nil {
			return err
		}
		if err := dropPasskeys(tx, u.ID); err != nil {
			return err
		}
		if left {
			return nil
		}
		return s.inviteAnew(tx, u.ID, next)
	}
	if err := tx.Exec(`UPDATE users SET updated_at = ?, version = version + 1 WHERE id = ?`, now, u.ID).Error; err != nil {
		return fmt.Errorf("update user: %w", err)
	}
	if u.Home != u.WorkspaceID {
		return nil
	}
	return setHome(tx, next)
}

// inviteAnew makes an account for the open invitations of one that was deleted.
func (s *Store) inviteAnew(tx *gorm.DB, gone int64, invited userRow) error {
	now := at(s.now())
	row := userRow{
		WorkspaceID: invited.WorkspaceID, Role: invited.Role, Disabled: invited.Disabled, Email: invited.Email,
		TimeZone: "UTC", Language: "en", Theme: "auto", InviteHash: invited.InviteHash, InviteUntil: invited.InviteUntil,
		Recovery: textList{}, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	if err := tx.Table("users").Create(&row).Error; err != nil {
		return fmt.Errorf("make an account for invitations: %w", err)
	}
	if err := tx.Exec(`UPDATE memberships SET user_id = ? WHERE user_id = ?`, row.ID, gone).Error; err != nil {
		return fmt.Errorf("keep invitations: %w", err)
	}
	return nil
}

// dropInvitations ends the open invitations of a person to other workspaces: their address
// was invited, and it has changed.
func dropInvitations(tx *gorm.DB, u userRow) error {
	done := tx.Exec(`DELETE FROM memberships WHERE user_id = ? AND workspace_id <> ? AND invite_hash <> ''`, u.ID, u.WorkspaceID)
	if done.Error != nil {
		return fmt.Errorf("drop invitations: %w", done.Error)
	}
	if done.RowsAffected == 0 || u.Home == u.WorkspaceID {
		return nil
	}
	_, err := member(tx, u.Home, u.ID)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return setHome(tx, u)
	}
	return err
}

// dropOtherWays ends whatever else somebody could be this person by: passkeys, persons of
// a provider and other sessions.
func (s *Store) dropOtherWays(tx *gorm.DB, id int64, keepSession string) error {
	if err := dropPasskeys(tx, id); err != nil {
		return err
	}
	if _, err := dropIdentities(tx, id); err != nil {
		return err
	}
	return s.endFamilies(tx, "user_id = ? AND family <> ?", id, keepSession)
}
