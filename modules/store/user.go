package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// touchEvery is how fine the times of last use are kept.
const touchEvery = time.Minute

// userRow is a person in one workspace. It is read from the view members; what is the
// person's alone is written to the table users.
type userRow struct {
	ID            int64
	WorkspaceID   int64
	Role          uptime.Role
	Email         string
	Name          string
	PasswordHash  string
	PasswordGiven bool
	TimeZone      string
	Language      string
	Theme         string
	Preferences   preferences
	Disabled      bool
	InviteHash    string
	InviteUntil   instant
	ResetHash     string
	ResetUntil    instant
	TOTPSecret    string   `gorm:"column:totp_secret"`
	TOTPKey       string   `gorm:"column:totp_key"`
	TOTPStep      int64    `gorm:"column:totp_step"`
	Recovery      textList `gorm:"column:recovery_hashes"`
	TokensFrom    instant
	LastSeenAt    instant
	Version       int64
	CreatedAt     instant `gorm:"autoCreateTime:false"`
	UpdatedAt     instant `gorm:"autoUpdateTime:false"`
	Home          int64   `gorm:"column:home_id;->"` // the workspace that log-ins lead to
	Elsewhere     bool    `gorm:"->"`
}

// TableName implements gorm's Tabler.
func (userRow) TableName() string { return "members" }

// landing sorts what somebody is in several workspaces: first where a log-in leads to,
// last where they may not enter.
const landing = "CASE WHEN disabled OR invite_hash <> '' THEN 2 WHEN workspace_id = home_id THEN 0 ELSE 1 END, workspace_id"

func (r userRow) user() uptime.User {
	return uptime.User{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Role: r.Role, Elsewhere: r.Elsewhere, Email: r.Email, Name: r.Name,
		PasswordHash: r.PasswordHash, PasswordGiven: r.PasswordGiven, TimeZone: r.TimeZone, Language: r.Language, Theme: r.Theme,
		Preferences: r.Preferences.whole(),
		Disabled:    r.Disabled, InviteHash: r.InviteHash, InviteUntil: r.InviteUntil.time(),
		ResetHash: r.ResetHash, ResetUntil: r.ResetUntil.time(),
		TOTPSecret: r.TOTPSecret, TOTPKey: r.TOTPKey, TOTPStep: r.TOTPStep, Recovery: r.Recovery,
		TokensFrom: r.TokensFrom.time(), LastSeenAt: r.LastSeenAt.time(), Version: r.Version,
		CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time(),
	}
}

func rowOfUser(u uptime.User) userRow {
	return userRow{
		ID: u.ID, WorkspaceID: u.WorkspaceID, Role: u.Role, Email: strings.ToLower(strings.TrimSpace(u.Email)), Name: u.Name,
		PasswordHash: u.PasswordHash, PasswordGiven: u.PasswordGiven, TimeZone: u.TimeZone, Language: u.Language, Theme: u.Theme,
		Preferences: preferences(u.Preferences),
		Disabled:    u.Disabled, InviteHash: u.InviteHash, InviteUntil: at(u.InviteUntil),
		ResetHash: u.ResetHash, ResetUntil: at(u.ResetUntil),
		TOTPSecret: u.TOTPSecret, TOTPKey: u.TOTPKey, TOTPStep: u.TOTPStep, Recovery: u.Recovery,
		TokensFrom: at(u.TokensFrom), LastSeenAt: at(u.LastSeenAt), Version: u.Version,
		CreatedAt: at(u.CreatedAt), UpdatedAt: at(u.UpdatedAt),
	}
}

// joined reports somebody who may enter the workspace: not disabled, and not still
// invited.
func (r userRow) joined() bool { return !r.Disabled && r.InviteHash == "" }

func (r userRow) usableOwner() bool { return r.Role == uptime.RoleOwner && r.joined() }

// CountUsers counts the users of all workspaces.
func (s *Store) CountUsers(ctx context.Context) (int64, error) {
	var n int64
	err := s.read(ctx, func(db *gorm.DB) error { return countUsers(db, &n) })
	if err != nil {
		return 0, fmt.Errorf("count users: %w", err)
	}
	return n, nil
}

func countUsers(db *gorm.DB, n *int64) error {
	return db.Raw(`SELECT count(*) FROM users WHERE deleted_at IS NULL`).Scan(n).Error
}

// CreateFirstOwner makes the first user, as owner of the default workspace,
// which gets name and time zone of ws where they are not "". ErrConflict once
// any user exists, however many try at once.
func (s *Store) CreateFirstOwner(ctx context.Context, u uptime.User, ws uptime.Workspace, audit *uptime.Audit) (uptime.User, error) {
	home, err := s.EnsureWorkspace(ctx, ws.Name)
	if err != nil {
		return uptime.User{}, err
	}
	var row userRow
	err = s.write(ctx, func(tx *gorm.DB) error {
		if err := s.alone(tx, lockFirstOwner); err != nil {
			return err
		}
		var n int64
		if err := countUsers(tx, &n); err != nil {
			return err
		}
		if n > 0 {
			return uptime.ErrConflict
		}
		err := tx.Exec(`UPDATE workspaces SET name = CASE WHEN ? = '' THEN name ELSE ? END,
			time_zone = CASE WHEN ? = '' THEN time_zone ELSE ? END WHERE id = ?`,
			ws.Name, ws.Name, ws.TimeZone, ws.TimeZone, home.ID).Error
		if err != nil {
			return err
		}
		u.WorkspaceID, u.Role = home.ID, uptime.RoleOwner
		if audit != nil {
			line := *audit
			line.WorkspaceID = home.ID
			audit = &line
		}
		row, err = s.insertUser(tx, u, audit)
		return err
	})
	if err != nil {
		return uptime.User{}, fmt.Errorf("create the first owner: %w", err)
	}
	return row.user(), nil
}

// CreateUser adds a user, with the identity of its Link. Who has an account in another
// workspace is invited with it. ErrConflict if the e-mail address is that of a user of
// the workspace, or of somebody who has an account and is not just invited, or if the
// identity is taken.
func (s *Store) CreateUser(ctx context.Context, u uptime.User, audit *uptime.Audit) (uptime.User, error) {
	var row userRow
	err := s.write(ctx, func(tx *gorm.DB) error {
		if err := s.room(tx, u.WorkspaceID, "members", "memberships", s.quotas.Members); err != nil {
			return err
		}
		id, err := s.lockAccount(tx, "email = ?", rowOfUser(u).Email)
		switch {
		case err == nil:
			row, err = s.inviteAccount(tx, id, u, audit)
		case errors.Is(err, gorm.ErrRecordNotFound):
			row, err = s.insertUser(tx, u, audit)
		}
		return err
	})
	if err != nil {
		return uptime.User{}, fmt.Errorf("create user: %w", err)
	}
	return row.user(), nil
}

func (s *Store) insertUser(tx *gorm.DB, u uptime.User, audit *uptime.Audit) (userRow, error) {
	now := at(s.now())
	row := rowOfUser(u)
	row.ID, row.Version, row.CreatedAt, row.UpdatedAt = 0, 1, now, now
	if err := tx.Table("users").Create(&row).Error; err != nil {
		return row, err
	}
	if err := addMembership(tx, row, now); err != nil {
		return row, err
	}
	if err := s.link(tx, u.Link, row.ID); err != nil {
		return row, err
	}
	return row, insertAudit(tx, audit, row.ID)
}

// User gives a user of the workspace.
func (s *Store) User(ctx context.Context, ws, id int64) (uptime.User, error) {
	return s.findUser(ctx, "workspace_id = ? AND id = ?", ws, id)
}

// UserByEmail gives the user with the address, in any case, in the workspace that a
// log-in leads to.
func (s *Store) UserByEmail(ctx context.Context, email string) (uptime.User, error) {
	return s.findUser(ctx, "email = ?", strings.ToLower(strings.TrimSpace(email)))
}

// UserByInvite gives the user whose open invitation's token has this hash.
func (s *Store) UserByInvite(ctx context.Context, hash string) (uptime.User, error) {
	if hash == "" {
		return uptime.User{}, fmt.Errorf("read user: %w", uptime.ErrNotFound)
	}
	return s.findUser(ctx, "invite_hash = ? AND invite_until > ?", hash, at(s.now()))
}

// UserByReset gives the user whose open link to a new password has a token with this
// hash, as UserByEmail does.
func (s *Store) UserByReset(ctx context.Context, hash string) (uptime.User, error) {
	if hash == "" {
		return uptime.User{}, fmt.Errorf("read user: %w", uptime.ErrNotFound)
	}
	return s.findUser(ctx, "reset_hash = ? AND reset_until > ?", hash, at(s.now()))
}

func (s *Store) findUser(ctx context.Context, where string, args ...any) (uptime.User, error) {
	var row userRow
	err := s.read(ctx, func(db *gorm.DB) error {
		return db.Where(where, args...).Order(landing).Take(&row).Error
	})
	if err != nil {
		return uptime.User{}, fmt.Errorf("read user: %w", err)
	}
	return row.user(), nil
}

// Users lists the users of a workspace by id.
func (s *Store) Users(ctx context.Context, ws int64, p uptime.Page) (uptime.List[uptime.User], error) {
	list := uptime.List[uptime.User]{Items: []uptime.User{}}
	err := s.read(ctx, func(db *gorm.DB) error {
		rows, next, err := pageByID(db.Where("workspace_id = ?", ws), p, "users", ascending,
			func(r userRow) int64 { return r.ID })
		list.Items, list.Next = make([]uptime.User, 0, len(rows)), next
		for _, r := range rows {
			list.Items = append(list.Items, r.user())
		}
		return err
	})
	if err != nil {
		return uptime.List[uptime.User]{}, fmt.Errorf("list users: %w", err)
	}
	return list, nil
}

// UpdateUser changes a user by mutate. The last owner who can log in can be
// neither demoted nor disabled: an *uptime.Error with CodeConflict. A new password ends
// every session but KeepSession, disabling those in the workspace, and a Link is added,
// in the same transaction; ErrConflict where the identity is taken.
func (s *Store) UpdateUser(ctx context.Context, ws, id int64, mutate func(*uptime.User) error, audit *uptime.Audit) (uptime.User, error) {
	var after userRow
	err := s.write(ctx, func(tx *gorm.DB) error {
		before, err := s.lockUser(tx, ws, id)
		if err != nil {
			return err
		}
		u := before.user()
		if err := mutate(&u); err != nil {
			return err
		}
		after = rowOfUser(u)
		after.ID, after.WorkspaceID, after.Version = before.ID, before.WorkspaceID, before.Version
		after.CreatedAt, after.UpdatedAt, after.Home, after.Elsewhere = before.CreatedAt, before.UpdatedAt, before.Home, before.Elsewhere
		if u.Link == nil && reflect.DeepEqual(after, before) {
			return nil
		}
		if err := s.link(tx, u.Link, id); err != nil {
			return err
		}
		if before.usableOwner() && !after.usableOwner() {
			if err := checkOtherOwner(tx, ws, id); err != nil {
				return err
			}
		}
		after.Version, after.UpdatedAt = before.Version+1, at(s.now())
		if err := saveUser(tx, after); err != nil {
			return err
		}
		if after.Email != before.Email {
			if err := dropInvitations(tx, after); err != nil {
				return err
			}
		}
		if u.Alone {
			if err := s.dropOtherWays(tx, id, u.KeepSession); err != nil {
				return err
			}
		}
		if u.Link != nil && after.PasswordHash == "" {
			// Whoever could log in before is not known to be who the provider knows.
			if err := dropPasskeys(tx, id); err != nil {
				return err
			}
		}
		where, scope := "", int64(0)
		switch {
		case after.PasswordHash != before.PasswordHash:
			where, scope = "user_id = ?", id
		case after.Disabled && !before.Disabled:
			where, scope = "workspace_id = ?", ws
		}
		if where != "" {
			if err := s.endFamilies(tx, where+" AND user_id = ? AND family <> ?", scope, id, u.KeepSession); err != nil {
				return err
			}
		}
		return insertAudit(tx, audit, id)
	})
	if err != nil {
		return uptime.User{}, err
	}
	return after.user(), nil
}

// saveUser writes a changed row to its two tables.
func saveUser(tx *gorm.DB, row userRow) error {
	ofMembership := []string{"created_at", "workspace_id"}
	if row.WorkspaceID != row.Home {
		ofMembership = append(ofMembership, "role", "disabled", "invite_hash", "invite_until")
	}
	err := tx.Table("users").Where("id = ?", row.ID).Select("*").Omit(ofMembership...).Updates(row).Error
	if err != nil {
		return fmt.Errorf("update user: %w", err)
	}
	err = tx.Exec(`UPDATE memberships SET role = ?, disabled = ?, invite_hash = ?, invite_until = ? WHERE workspace_id = ? AND user_id = ?`,
		row.Role, row.Disabled, row.InviteHash, row.InviteUntil, row.WorkspaceID, row.ID).Error
	if err != nil {
		return fmt.Errorf("update membership: %w", err)
	}
	return nil
}

// DeleteUser removes a user from the workspace with their sessions and API tokens there,
// and from everywhere, with their identities and passkeys, if it was the last one; the name stays for
// timelines. The last owner who can log in cannot be removed: an *uptime.Error with
// CodeConflict.
func (s *Store) DeleteUser(ctx context.Context, ws, id int64, audit *uptime.Audit) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		row, err := s.lockUser(tx, ws, id)
		if err != nil {
			return err
		}
		if row.usableOwner() {
			if err := checkOtherOwner(tx, ws, id); err != nil {
				return err
			}
		}
		if err := s.leave(tx, row); err != nil {
			return err
		}
		return insertAudit(tx, audit, id)
	})
}

// lockUser locks the workspace before the user, so that two owners cannot
// demote one another at once.
func (s *Store) lockUser(tx *gorm.DB, ws, id int64) (userRow, error) {
	if _, err := s.lockWorkspace(tx, ws); err != nil {
		return userRow{}, err
	}
	return s.lockMember(tx, ws, id)
}

func checkOtherOwner(tx *gorm.DB, ws, id int64) error {
	var rows []userRow
	err := tx.Where("workspace_id = ? AND role = ? AND id <> ?", ws, string(uptime.RoleOwner), id).
		Find(&rows).Error
	if err != nil {
		return fmt.Errorf("read owners: %w", err)
	}
	for _, r := range rows {
		if r.usableOwner() {
			return nil
		}
	}
	return uptime.Fail(uptime.CodeConflict, "The last owner can be neither removed nor disabled, nor given another role.")
}

// TouchUser notes that a user was seen, at most once a minute.
func (s *Store) TouchUser(ctx context.Context, id int64, seen time.Time) error {
	return s.touch(ctx, "users", "last_seen_at", id, seen)
}

// touch moves a time of last use forward where it is a minute old. The look
// before keeps frequent users out of the writer's way.
func (s *Store) touch(ctx context.Context, table, column string, id int64, seen time.Time) error {
	stale := " WHERE id = ? AND (" + column + " IS NULL OR " + column + " <= ?)"
	before := at(seen.Add(-touchEvery))
	var n int64
	err := s.read(ctx, func(db *gorm.DB) error {
		return db.Raw("SELECT count(*) FROM "+table+stale, id, before).Scan(&n).Error
	})
	if err == nil && n > 0 {
		err = s.write(ctx, func(tx *gorm.DB) error {
			return tx.Exec("UPDATE "+table+" SET "+column+" = ?"+stale, at(seen), id, before).Error
		})
	}
	if err != nil {
		return fmt.Errorf("note last use in %s: %w", table, err)
	}
	return nil
}
