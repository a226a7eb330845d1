package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

type identityRow struct {
	Issuer    string `gorm:"primaryKey"`
	Subject   string `gorm:"primaryKey"`
	UserID    int64
	CreatedAt instant `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (identityRow) TableName() string { return "user_identities" }

// UserByIdentity gives the user who logs in by this identity, of any workspace.
func (s *Store) UserByIdentity(ctx context.Context, id uptime.Identity) (uptime.User, error) {
	return s.findUser(ctx, "id = (SELECT i.user_id FROM user_identities i WHERE i.issuer = ? AND i.subject = ?)", id.Issuer, id.Subject)
}

// DropIdentities takes the identities of a user away: they log in by none until one is
// linked anew. ErrNotFound where there is none.
func (s *Store) DropIdentities(ctx context.Context, ws, userID int64, audit *uptime.Audit) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		if _, err := s.lockUser(tx, ws, userID); err != nil {
			return err
		}
		n, err := dropIdentities(tx, userID)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("identities of user %d: %w", userID, uptime.ErrNotFound)
		}
		return insertAudit(tx, audit, userID)
	})
}

// link adds the identity that comes with a change of a user, if one does. ErrConflict
// where it is somebody's, or the user has another one of the same issuer.
func (s *Store) link(tx *gorm.DB, id *uptime.Identity, userID int64) error {
	if id == nil {
		return nil
	}
	row := identityRow{Issuer: id.Issuer, Subject: id.Subject, UserID: userID, CreatedAt: at(s.now())}
	if err := tx.Create(&row).Error; err != nil {
		return fmt.Errorf("link identity: %w", err)
	}
	return nil
}

func dropIdentities(tx *gorm.DB, userID int64) (int64, error) {
	done := tx.Exec(`DELETE FROM user_identities WHERE user_id = ?`, userID)
	if done.Error != nil {
		return 0, fmt.Errorf("drop identities: %w", done.Error)
	}
	return done.RowsAffected, nil
}
