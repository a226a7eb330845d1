package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// requestLease is how long a request may run before its key is given to a
// repeat: its process is taken for dead.
const requestLease = 2 * time.Minute

type idempotencyRow struct {
	BodyHash   string
	LeaseUntil instant
	Status     int
	Header     string
	Body       []byte
	ExpiresAt  instant
}

const idempotencyKey = ` WHERE user_id = ? AND token_id = ? AND key = ?`

// BeginIdempotent asks whether a request may run. nil, nil: it may, and must end
// with FinishIdempotent or AbandonIdempotent. An answer: it ran, give that again.
// An *uptime.Error with CodeConflict: it still runs; with CodeKeyReused: the key
// came with another request.
func (s *Store) BeginIdempotent(ctx context.Context, k uptime.IdempotencyKey, ttl time.Duration) (*uptime.StoredAnswer, error) {
	var answer *uptime.StoredAnswer
	err := s.write(ctx, func(tx *gorm.DB) error {
		now := s.now()
		answer = nil
		began := tx.Exec(`INSERT INTO idempotency_keys
			(user_id, token_id, key, body_hash, lease_until, status, header, body, expires_at)
			VALUES (?, ?, ?, ?, ?, 0, '', ?, ?) ON CONFLICT (user_id, token_id, key) DO UPDATE SET
				body_hash = excluded.body_hash, lease_until = excluded.lease_until, status = 0, header = '',
				body = excluded.body, expires_at = excluded.expires_at
			WHERE idempotency_keys.expires_at <= ? OR (idempotency_keys.lease_until <= ?
				AND idempotency_keys.body_hash IN ?)`,
			k.Actor.UserID, k.Actor.TokenID, k.Key, k.BodyHash, at(now.Add(requestLease)), []byte{}, at(now.Add(ttl)),
			at(now), at(now), digestsOf(k))
		if began.Error != nil {
			return fmt.Errorf("begin idempotent request: %w", began.Error)
		}
		if began.RowsAffected > 0 {
			return nil
		}
		var err error
		answer, err = storedAnswer(tx, k)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// storedAnswer judges a key that is taken.
func storedAnswer(tx *gorm.DB, k uptime.IdempotencyKey) (*uptime.StoredAnswer, error) {
	var row idempotencyRow
	err := tx.Raw(`SELECT body_hash, lease_until, status, header, body, expires_at FROM idempotency_keys`+idempotencyKey,
		k.Actor.UserID, k.Actor.TokenID, k.Key).Scan(&row).Error
	switch {
	case err != nil:
		return nil, fmt.Errorf("read idempotency key: %w", err)
	case !slices.Contains(digestsOf(k), row.BodyHash):
		return nil, uptime.Fail(uptime.CodeKeyReused, "This Idempotency-Key was used with another request.")
	case row.LeaseUntil != 0:
		return nil, uptime.Fail(uptime.CodeConflict, "The first request with this Idempotency-Key is still running.")
	}
	answer := uptime.StoredAnswer{Status: row.Status, Body: row.Body, BodyHash: row.BodyHash}
	if err := json.Unmarshal([]byte(row.Header), &answer.Header); err != nil {
		return nil, fmt.Errorf("read stored answer: %w", err)
	}
	return &answer, nil
}

// digestsOf gives every digest by which the request may have been stored.
func digestsOf(k uptime.IdempotencyKey) []string {
	return append([]string{k.BodyHash}, k.Older...)
}

// FinishIdempotent keeps the answer for repeats until the key expires.
// ErrNotFound if the key is gone by then.
func (s *Store) FinishIdempotent(ctx context.Context, k uptime.IdempotencyKey, a uptime.StoredAnswer) error {
	header, err := json.Marshal(a.Header)
	if err != nil {
		return fmt.Errorf("finish idempotent request: %w", err)
	}
	body := a.Body
	if body == nil {
		body = []byte{}
	}
	return s.write(ctx, func(tx *gorm.DB) error {
		done := tx.Exec(`UPDATE idempotency_keys SET lease_until = NULL, status = ?, header = ?, body = ?`+
			idempotencyKey+` AND body_hash = ? AND lease_until IS NOT NULL`,
			a.Status, string(header), body, k.Actor.UserID, k.Actor.TokenID, k.Key, k.BodyHash)
		if done.Error != nil {
			return fmt.Errorf("finish idempotent request: %w", done.Error)
		}
		if done.RowsAffected == 0 {
			return fmt.Errorf("finish idempotent request: %w", uptime.ErrNotFound)
		}
		return nil
	})
}

// AbandonIdempotent frees the key of a request that came to nothing, so that it
// can be sent again.
func (s *Store) AbandonIdempotent(ctx context.Context, k uptime.IdempotencyKey) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		err := tx.Exec(`DELETE FROM idempotency_keys`+idempotencyKey+` AND body_hash = ? AND lease_until IS NOT NULL`,
			k.Actor.UserID, k.Actor.TokenID, k.Key, k.BodyHash).Error
		if err != nil {
			return fmt.Errorf("abandon idempotent request: %w", err)
		}
		return nil
	})
}
