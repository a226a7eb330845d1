package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// challengeMargin is how much longer than its end a used challenge is remembered: the
// clock of the process that judges it may be behind.
const challengeMargin = time.Hour

type passkeyRow struct {
	ID             int64
	UserID         int64
	Party          string
	CredentialID   []byte
	PublicKey      []byte
	SignCount      int64
	BackupEligible bool
	BackedUp       bool
	AAGUID         string `gorm:"column:aaguid"`
	Transports     textList
	Name           string
	CreatedAt      instant `gorm:"autoCreateTime:false"`
	LastUsedAt     instant
}

// TableName implements gorm's Tabler.
func (passkeyRow) TableName() string { return "passkeys" }

func (r passkeyRow) passkey() uptime.Passkey {
	return uptime.Passkey{
		ID: r.ID, UserID: r.UserID, Party: r.Party, CredentialID: r.CredentialID, PublicKey: r.PublicKey,
		SignCount:      uint32(r.SignCount), //nolint:gosec // it came from one
		BackupEligible: r.BackupEligible, BackedUp: r.BackedUp, AAGUID: r.AAGUID, Transports: r.Transports, Name: r.Name,
		CreatedAt: r.CreatedAt.time(), LastUsedAt: r.LastUsedAt.time(),
	}
}

func rowOfPasskey(k uptime.Passkey) passkeyRow {
	return passkeyRow{
		UserID: k.UserID, Party: k.Party, CredentialID: k.CredentialID, PublicKey: k.PublicKey, SignCount: int64(k.SignCount),
		BackupEligible: k.BackupEligible, BackedUp: k.BackedUp, AAGUID: k.AAGUID, Transports: k.Transports, Name: k.Name,
	}
}

// ownedRow is a passkey with what is known of its user.
type ownedRow struct {
	Key           passkeyRow `gorm:"embedded"`
	WorkspaceID   int64
	PasskeyHandle []byte
}

func (r ownedRow) passkey() uptime.Passkey {
	k := r.Key.passkey()
	k.WorkspaceID, k.Handle = r.WorkspaceID, r.PasskeyHandle
	return k
}

func ownedPasskeys(db *gorm.DB) *gorm.DB {
	// The workspace is the one that a log-in leads to: landing, without the view.
	return db.Model(&passkeyRow{}).Select(`passkeys.*, users.passkey_handle, (SELECT m.workspace_id FROM memberships m WHERE m.user_id = users.id
		ORDER BY CASE WHEN m.disabled OR m.invite_hash <> '' THEN 2 WHEN m.workspace_id = users.workspace_id THEN 0 ELSE 1 END, m.workspace_id
		LIMIT 1) AS workspace_id`).
		Joins("JOIN users ON users.id = passkeys.user_id AND users.deleted_at IS NULL")
}

type handleRow struct{ PasskeyHandle []byte }

// TableName implements gorm's Tabler.
func (handleRow) TableName() string { return "users" }

// PasskeyHandle gives what names the user to authenticators, which is fresh where they
// have none yet.
func (s *Store) PasskeyHandle(ctx context.Context, userID int64, fresh []byte) ([]byte, error) {
	var row handleRow
	err := s.write(ctx, func(tx *gorm.DB) error {
		err := tx.Exec(`UPDATE users SET passkey_handle = ? WHERE id = ? AND deleted_at IS NULL AND passkey_handle IS NULL`, fresh, userID).Error
		if err != nil {
			return err
		}
		return tx.Where("id = ? AND deleted_at IS NULL", userID).Take(&row).Error
	})
	if err != nil {
		return nil, fmt.Errorf("read what names a user to authenticators: %w", err)
	}
	return row.PasskeyHandle, nil
}

// CreatePasskey adds a passkey of a user whose password was verified by this hash, and
// gives it back with its id. ErrConflict when the credential is known already, an
// *uptime.Error with CodeConflict when the user has MaxPasskeys. ErrStale when the
// challenge was used before, the password changed since, or the user disabled or deleted.
func (s *Store) CreatePasskey(ctx context.Context, k uptime.Passkey, used uptime.UsedChallenge, passwordHash string, audit *uptime.Audit) (uptime.Passkey, error) {
	var row passkeyRow
	err := s.write(ctx, func(tx *gorm.DB) error {
		user, err := s.lockMember(tx, k.WorkspaceID, k.UserID)
		if errors.Is(failure(err), uptime.ErrNotFound) || err == nil && (!user.joined() || user.PasswordHash != passwordHash) {
			return fmt.Errorf("create passkey: %w", uptime.ErrStale)
		}
		if err != nil {
			return fmt.Errorf("read user: %w", err)
		}
		if err := useChallenge(tx, used); err != nil {
			return err
		}
		var n int64
		if err := tx.Raw(`SELECT count(*) FROM passkeys WHERE user_id = ?`, k.UserID).Scan(&n).Error; err != nil {
			return fmt.Errorf("count passkeys: %w", err)
		}
		if n >= uptime.MaxPasskeys {
			return uptime.Fail(uptime.CodeConflict, "You have %d passkeys, which is the most; remove one first.", n)
		}
		row = rowOfPasskey(k)
		row.CreatedAt = at(s.now())
		if err := tx.Create(&row).Error; err != nil {
			return fmt.Errorf("create passkey: %w", err)
		}
		return insertAudit(tx, audit, row.ID)
	})
	if err != nil {
		return uptime.Passkey{}, err
	}
	made := row.passkey()
	made.WorkspaceID, made.Handle = k.WorkspaceID, k.Handle
	return made, nil
}

// useChallenge is ErrStale for one that was used before.
func useChallenge(tx *gorm.DB, used uptime.UsedChallenge) error {
	done := tx.Exec(`INSERT INTO passkey_challenges (hash, ends_at) VALUES (?, ?) ON CONFLICT DO NOTHING`, used.Hash, at(used.EndsAt))
	if done.Error != nil {
		return fmt.Errorf("use up a challenge: %w", done.Error)
	}
	if done.RowsAffected == 0 {
		return fmt.Errorf("use up a challenge: %w", uptime.ErrStale)
	}
	return nil
}

// Passkeys gives those of a user, oldest first.
func (s *Store) Passkeys(ctx context.Context, userID int64) ([]uptime.Passkey, error) {
	var rows []ownedRow
	err := s.read(ctx, func(db *gorm.DB) error {
		return ownedPasskeys(db).Where("passkeys.user_id = ?", userID).Order("passkeys.id").Limit(uptime.MaxPasskeys).Find(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("list passkeys: %w", err)
	}
	list := make([]uptime.Passkey, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.passkey())
	}
	return list, nil
}

// PasskeyByCredential gives the passkey with this credential id.
func (s *Store) PasskeyByCredential(ctx context.Context, credentialID []byte) (uptime.Passkey, error) {
	var row ownedRow
	err := s.read(ctx, func(db *gorm.DB) error {
		return ownedPasskeys(db).Where("passkeys.credential_id = ?", credentialID).Take(&row).Error
	})
	if err != nil {
		return uptime.Passkey{}, fmt.Errorf("read passkey: %w", err)
	}
	return row.passkey(), nil
}

// UsePasskey notes a log-in by a passkey. ErrStale when its challenge was used before,
// ErrConflict when its counter did not go up (Passkey.Cloned): nothing is noted then.
func (s *Store) UsePasskey(ctx context.Context, id int64, use uptime.PasskeyUse, audit *uptime.Audit) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		var row passkeyRow
		if err := s.forUpdate(tx).Where("id = ?", id).Take(&row).Error; err != nil {
			return fmt.Errorf("read passkey %d: %w", id, err)
		}
		if err := useChallenge(tx, use.Challenge); err != nil { // first: what comes again has an old count, too
			return err
		}
		if row.passkey().Cloned(use.SignCount) {
			return fmt.Errorf("use passkey %d, whose counter was at %d, with %d: %w", id, row.SignCount, use.SignCount, uptime.ErrConflict)
		}
		err := tx.Exec(`UPDATE passkeys SET sign_count = ?, backed_up = ?, last_used_at = ? WHERE id = ?`,
			int64(use.SignCount), use.BackedUp, at(use.At), id).Error
		if err != nil {
			return fmt.Errorf("use passkey: %w", err)
		}
		return insertAudit(tx, audit, id)
	})
}

// RenamePasskey gives a passkey of the user another name.
func (s *Store) RenamePasskey(ctx context.Context, userID, id int64, name string, audit *uptime.Audit) error {
	return s.changePasskey(ctx, id, audit, `UPDATE passkeys SET name = ? WHERE user_id = ? AND id = ?`, name, userID, id)
}

// DeletePasskey ends a passkey of the user.
func (s *Store) DeletePasskey(ctx context.Context, userID, id int64, audit *uptime.Audit) error {
	return s.changePasskey(ctx, id, audit, `DELETE FROM passkeys WHERE user_id = ? AND id = ?`, userID, id)
}

func (s *Store) changePasskey(ctx context.Context, id int64, audit *uptime.Audit, statement string, args ...any) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		done := tx.Exec(statement, args...)
		if done.Error != nil {
			return fmt.Errorf("change passkey: %w", done.Error)
		}
		if done.RowsAffected == 0 {
			return fmt.Errorf("change passkey %d: %w", id, uptime.ErrNotFound)
		}
		return insertAudit(tx, audit, id)
	})
}

func dropPasskeys(tx *gorm.DB, userID int64) error {
	if err := tx.Exec(`DELETE FROM passkeys WHERE user_id = ?`, userID).Error; err != nil {
		return fmt.Errorf("delete passkeys: %w", err)
	}
	return nil
}
