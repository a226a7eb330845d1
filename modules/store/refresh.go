package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

type refreshRow struct {
	Hash        string `gorm:"primaryKey"`
	Family      string
	UserID      int64
	WorkspaceID int64
	IssuedAt    instant
	ExpiresAt   instant
	UsedAt      instant
	BeganAt     instant
	SeenAt      instant
	Address     string
	UserAgent   string
}

// TableName implements gorm's Tabler.
func (refreshRow) TableName() string { return "refresh_tokens" }

func (r refreshRow) token() uptime.RefreshToken {
	return uptime.RefreshToken{
		Hash: r.Hash, Family: r.Family, UserID: r.UserID, WorkspaceID: r.WorkspaceID,
		IssuedAt: r.IssuedAt.time(), ExpiresAt: r.ExpiresAt.time(), UsedAt: r.UsedAt.time(),
		BeganAt: cmp.Or(r.BeganAt, r.IssuedAt).time(), SeenAt: cmp.Or(r.SeenAt, r.IssuedAt).time(),
		Address: r.Address, UserAgent: r.UserAgent,
	}
}

func rowOfRefresh(t uptime.RefreshToken) refreshRow {
	return refreshRow{
		Hash: t.Hash, Family: t.Family, UserID: t.UserID, WorkspaceID: t.WorkspaceID,
		IssuedAt: at(t.IssuedAt), ExpiresAt: at(t.ExpiresAt), UsedAt: at(t.UsedAt),
		BeganAt: at(t.BeganAt), SeenAt: at(t.SeenAt),
		Address: t.Address, UserAgent: t.UserAgent,
	}
}

// SaveRefreshToken begins a family, which is seen now, of a user whose password was
// verified by this hash. ErrStale when the password was changed since, or the user may not
// enter the workspace any more: what ends sessions ends those that are just being begun.
func (s *Store) SaveRefreshToken(ctx context.Context, t uptime.RefreshToken, passwordHash string) error {
	t.BeganAt, t.SeenAt = t.IssuedAt, t.IssuedAt
	return s.write(ctx, func(tx *gorm.DB) error {
		user, err := s.lockMember(tx, t.WorkspaceID, t.UserID)
		if errors.Is(failure(err), uptime.ErrNotFound) || err == nil && (!user.joined() || user.PasswordHash != passwordHash) {
			return fmt.Errorf("save refresh token: %w", uptime.ErrStale)
		}
		if err != nil {
			return fmt.Errorf("read user: %w", err)
		}
		row := rowOfRefresh(t)
		if err := tx.Create(&row).Error; err != nil {
			return fmt.Errorf("save refresh token: %w", err)
		}
		return nil
	})
}

// refreshGrace is how long a refresh token may come again after its use: the answer to
// it may have been lost on the way.
const refreshGrace = 30 * time.Second

// RotateRefreshToken uses up the token with this hash and adds next to its
// family; next's family, user, workspace and begin are the old one's. A token that was
// used before ends its whole family and gives reused, unless it was the newest to be
// used, within refreshGrace: then next takes the place of what it gave before, which is
// used up with it. One that is unknown or has expired gives ErrNotFound.
func (s *Store) RotateRefreshToken(ctx context.Context, hash string, next uptime.RefreshToken) (old uptime.RefreshToken, reused bool, err error) {
	err = s.write(ctx, func(tx *gorm.DB) error {
		row, err := s.lockFamilyOf(tx, hash)
		if err != nil {
			return err
		}
		now := at(s.now())
		old, reused = row.token(), false // a transaction may be tried again
		used := now
		if row.UsedAt != 0 {
			if reused, err = usedAgain(tx, row, now); err != nil {
				return err
			}
			if reused {
				return s.endFamilies(tx, "family = ?", row.Family)
			}
			used = row.UsedAt - 1 // before the token's own: what it gave is not good for a grace
		}
		if row.ExpiresAt <= now {
			return fmt.Errorf("rotate an expired refresh token: %w", uptime.ErrNotFound)
		}
		// The newest link, which is this one or came of it.
		err = tx.Exec(`UPDATE refresh_tokens SET used_at = ? WHERE family = ? AND used_at IS NULL`, used, row.Family).Error
		if err != nil {
			return fmt.Errorf("use up refresh token: %w", err)
		}
		child := rowOfRefresh(next)
		child.Family, child.UserID, child.WorkspaceID, child.UsedAt = row.Family, row.UserID, row.WorkspaceID, 0
		child.BeganAt, child.SeenAt = cmp.Or(row.BeganAt, row.IssuedAt), child.IssuedAt
		if err := tx.Create(&child).Error; err != nil {
			return fmt.Errorf("rotate refresh token: %w", err)
		}
		return nil
	})
	if err != nil {
		return uptime.RefreshToken{}, false, err
	}
	return old, reused, nil
}

// usedAgain reports whether a token that was used is used again by somebody else, as far
// as can be told.
func usedAgain(tx *gorm.DB, row refreshRow, now instant) (bool, error) {
	if now.time().Sub(row.UsedAt.time()) > refreshGrace {
		return true, nil
	}
	var newest instant
	if err := tx.Raw(`SELECT max(used_at) FROM refresh_tokens WHERE family = ?`, row.Family).Scan(&newest).Error; err != nil {
		return false, fmt.Errorf("read the newest use of a refresh token: %w", err)
	}
	return row.UsedAt != newest, nil
}

// lockFamilyOf locks every link of the token's family. Whoever ends the family
// does the same before deleting it, so that no link is added behind its back.
func (s *Store) lockFamilyOf(tx *gorm.DB, hash string) (refreshRow, error) {
	err := s.lockFamilies(tx, "family = (SELECT f.family FROM refresh_tokens f WHERE f.hash = ?)", hash)
	if err != nil {
		return refreshRow{}, err
	}
	var row refreshRow
	if err := tx.Where("hash = ?", hash).Take(&row).Error; err != nil {
		return row, fmt.Errorf("read refresh token: %w", err)
	}
	return row, nil
}

func (s *Store) lockFamilies(tx *gorm.DB, where string, args ...any) error {
	if s.dialect != dialectPostgres {
		return nil
	}
	var hashes []string
	err := tx.Raw(`SELECT hash FROM refresh_tokens WHERE `+where+` ORDER BY hash FOR UPDATE`, args...).Scan(&hashes).Error
	if err != nil {
		return fmt.Errorf("lock refresh tokens: %w", err)
	}
	return nil
}

// endFamilies deletes the links that where chooses, families as a whole. The
// deletion is a statement of its own, so that it sees what was committed while
// it waited for the locks.
func (s *Store) endFamilies(tx *gorm.DB, where string, args ...any) error {
	if err := s.lockFamilies(tx, where, args...); err != nil {
		return err
	}
	if err := tx.Exec(`DELETE FROM refresh_tokens WHERE `+where, args...).Error; err != nil {
		return fmt.Errorf("delete refresh tokens: %w", err)
	}
	return nil
}

// RefreshFamily gives the newest link of a family; ErrNotFound once it ended.
func (s *Store) RefreshFamily(ctx context.Context, family string) (uptime.RefreshToken, error) {
	var row refreshRow
	err := s.read(ctx, func(db *gorm.DB) error {
		return db.Where("family = ? AND used_at IS NULL AND expires_at > ?", family, at(s.now())).Take(&row).Error
	})
	if err != nil {
		return uptime.RefreshToken{}, fmt.Errorf("read refresh family: %w", err)
	}
	return row.token(), nil
}

// Sessions gives the newest links of a user's living families, what was seen last
// first, at most limit of them.
func (s *Store) Sessions(ctx context.Context, userID int64, limit int) ([]uptime.RefreshToken, error) {
	var rows []refreshRow
	err := s.read(ctx, func(db *gorm.DB) error {
		return db.Where("user_id = ? AND used_at IS NULL AND expires_at > ?", userID, at(s.now())).
			Order("coalesce(seen_at, issued_at) DESC, family").Limit(limit).Find(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	list := make([]uptime.RefreshToken, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.token())
	}
	return list, nil
}

// TouchSession notes that a session was seen, and from where, at most once a minute.
func (s *Store) TouchSession(ctx context.Context, family, address string, seen time.Time) error {
	err := s.write(ctx, func(tx *gorm.DB) error {
		return tx.Exec(`UPDATE refresh_tokens SET seen_at = ?, address = ?
			WHERE family = ? AND used_at IS NULL AND (seen_at IS NULL OR seen_at <= ?)`,
			at(seen), address, family, at(seen.Add(-touchEvery))).Error
	})
	if err != nil {
		return fmt.Errorf("note that a session was seen: %w", err)
	}
	return nil
}

// EndFamily ends one log-in session; one that is over is left so.
func (s *Store) EndFamily(ctx context.Context, family string) error {
	return s.write(ctx, func(tx *gorm.DB) error { return s.endFamilies(tx, "family = ?", family) })
}

// EndFamilies ends every session of a user but the family named by except.
func (s *Store) EndFamilies(ctx context.Context, userID int64, except string) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		return s.endFamilies(tx, "user_id = ? AND family <> ?", userID, except)
	})
}
