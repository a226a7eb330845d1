package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

type tokenRow struct {
	ID          int64
	WorkspaceID int64
	UserID      int64
	Name        string
	Role        uptime.Role
	Scopes      string
	Prefix      string
	Hash        string
	ExpiresAt   instant
	LastUsedAt  instant
	CreatedAt   instant `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (tokenRow) TableName() string { return "api_tokens" }

func (r tokenRow) token() (uptime.APIToken, error) {
	t := uptime.APIToken{
		ID: r.ID, WorkspaceID: r.WorkspaceID, UserID: r.UserID, Name: r.Name, Role: r.Role,
		Prefix: r.Prefix, Hash: r.Hash, ExpiresAt: r.ExpiresAt.time(), LastUsedAt: r.LastUsedAt.time(),
		CreatedAt: r.CreatedAt.time(),
	}
	if err := json.Unmarshal([]byte(r.Scopes), &t.Scopes); err != nil {
		return t, fmt.Errorf("read scopes of API token %d: %w", r.ID, err)
	}
	return t, nil
}

// CreateAPIToken adds a token and gives it back with its id. ErrNotFound when its maker is
// not in the workspace any more.
func (s *Store) CreateAPIToken(ctx context.Context, t uptime.APIToken, audit *uptime.Audit) (uptime.APIToken, error) {
	if t.Scopes == nil {
		t.Scopes = []string{}
	}
	scopes, err := json.Marshal(t.Scopes)
	if err != nil {
		return uptime.APIToken{}, fmt.Errorf("create API token: %w", err)
	}
	err = s.write(ctx, func(tx *gorm.DB) error {
		maker, err := s.lockMember(tx, t.WorkspaceID, t.UserID)
		if err == nil && !maker.joined() {
			err = uptime.ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("create API token: %w", err)
		}
		row := tokenRow{
			WorkspaceID: t.WorkspaceID, UserID: t.UserID, Name: t.Name, Role: t.Role, Scopes: string(scopes),
			Prefix: t.Prefix, Hash: t.Hash, ExpiresAt: at(t.ExpiresAt), CreatedAt: at(s.now()),
		}
		if err := tx.Create(&row).Error; err != nil {
			return fmt.Errorf("create API token: %w", err)
		}
		t.ID, t.LastUsedAt, t.CreatedAt = row.ID, time.Time{}, row.CreatedAt.time()
		return insertAudit(tx, audit, row.ID)
	})
	if err != nil {
		return uptime.APIToken{}, err
	}
	return t, nil
}

// APITokens lists the tokens of a workspace by id.
func (s *Store) APITokens(ctx context.Context, ws int64, p uptime.Page) (uptime.List[uptime.APIToken], error) {
	list := uptime.List[uptime.APIToken]{}
	err := s.read(ctx, func(db *gorm.DB) error {
		rows, next, err := pageByID(db.Where("workspace_id = ?", ws), p, "tokens", ascending,
			func(r tokenRow) int64 { return r.ID })
		list.Items, list.Next = make([]uptime.APIToken, 0, len(rows)), next
		for _, r := range rows {
			t, err := r.token()
			if err != nil {
				return err
			}
			list.Items = append(list.Items, t)
		}
		return err
	})
	if err != nil {
		return uptime.List[uptime.APIToken]{}, fmt.Errorf("list API tokens: %w", err)
	}
	return list, nil
}

// APITokenByHash gives the token that has not expired, and its user.
func (s *Store) APITokenByHash(ctx context.Context, hash string) (uptime.APIToken, uptime.User, error) {
	var row tokenRow
	var user userRow
	err := s.read(ctx, func(db *gorm.DB) error {
		err := db.Where("hash = ? AND (expires_at IS NULL OR expires_at > ?)", hash, at(s.now())).Take(&row).Error
		if err != nil {
			return err
		}
		return db.Where("workspace_id = ? AND id = ?", row.WorkspaceID, row.UserID).Take(&user).Error
	})
	if err != nil {
		return uptime.APIToken{}, uptime.User{}, fmt.Errorf("read API token: %w", err)
	}
	t, err := row.token()
	return t, user.user(), err
}

// DeleteAPIToken ends a token.
func (s *Store) DeleteAPIToken(ctx context.Context, ws, id int64, audit *uptime.Audit) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		done := tx.Exec(`DELETE FROM api_tokens WHERE workspace_id = ? AND id = ?`, ws, id)
		if done.Error != nil {
			return fmt.Errorf("delete API token: %w", done.Error)
		}
		if done.RowsAffected == 0 {
			return fmt.Errorf("delete API token %d: %w", id, uptime.ErrNotFound)
		}
		return insertAudit(tx, audit, id)
	})
}

// TouchAPIToken notes that a token was used, at most once a minute.
func (s *Store) TouchAPIToken(ctx context.Context, id int64, used time.Time) error {
	return s.touch(ctx, "api_tokens", "last_used_at", id, used)
}
