package store

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// firstWorkspaceSQL is the only workspace that there was when values of people were
// bound to one.
const firstWorkspaceSQL = `(SELECT min(id) FROM workspaces) AS workspace_id`

// The reads of rows that may hold sealed values, deleted ones too. Their parameters
// are those of the row to begin after, and how many.
const (
	sealedMonitorsSQL = `SELECT id, workspace_id, row_key, name, type, settings AS value FROM monitors WHERE id > ? ORDER BY id LIMIT ?`
	sealedChannelsSQL = `SELECT id, workspace_id, row_key, name, type, settings AS value FROM channels WHERE id > ? ORDER BY id LIMIT ?`
	sealedFactorsSQL  = `SELECT id, ` + firstWorkspaceSQL + `, totp_key AS row_key, email AS name, totp_secret AS value FROM users
		WHERE id > ? AND totp_secret <> '' ORDER BY id LIMIT ?`
	// What is sealed begins so and no JSON does.
	sealedAnswersSQL = `SELECT user_id, token_id, key, ` + firstWorkspaceSQL + `, body_hash AS row_key, body FROM idempotency_keys
		WHERE (user_id, token_id, key) > (?, ?, ?) AND lease_until IS NULL AND substr(body, 1, 3) = ?
		ORDER BY user_id, token_id, key LIMIT ?`
)

type sealedRow struct {
	ID              int64
	WorkspaceID     int64
	RowKey          string
	Name            string
	Type            string
	Value           string
	UserID, TokenID int64
	Key             string
	Body            []byte
}

// SealedRows gives rows of a table that may hold sealed values, of all workspaces, in
// order: those after a row, or the first ones after an empty one. There are no more
// when fewer come than limit.
func (s *Store) SealedRows(ctx context.Context, table uptime.SealedTable, after uptime.SealedRow, limit int) ([]uptime.SealedRow, error) {
	query, args := "", []any{after.ID, limit}
	switch table {
	case uptime.SealedMonitors:
		query = sealedMonitorsSQL
	case uptime.SealedChannels:
		query = sealedChannelsSQL
	case uptime.SealedFactors:
		query = sealedFactorsSQL
	case uptime.SealedAnswers:
		query = sealedAnswersSQL
		args = []any{after.Answer.Actor.UserID, after.Answer.Actor.TokenID, after.Answer.Key, []byte("s1:"), limit}
	default:
		return nil, fmt.Errorf("read sealed values: there is no table %q of them", table)
	}
	var rows []sealedRow
	err := s.readBy(ctx, s.main, func(db *gorm.DB) error {
		rows = nil
		return db.Raw(query, args...).Scan(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("read sealed values of %s: %w", table, err)
	}
	out := make([]uptime.SealedRow, 0, len(rows))
	for _, r := range rows {
		row := uptime.SealedRow{ID: r.ID, WorkspaceID: r.WorkspaceID, RowKey: r.RowKey, Name: r.Name, Type: r.Type, Value: r.Value}
		if table == uptime.SealedAnswers {
			row.Answer = uptime.IdempotencyKey{Actor: uptime.ActorKey{UserID: r.UserID, TokenID: r.TokenID}, Key: r.Key, BodyHash: r.RowKey}
			row.Value = string(r.Body)
		}
		out = append(out, row)
	}
	return out, nil
}

// Reseal puts new values where the old ones still stand, in one transaction, and
// gives how many it changed. Of monitors it raises the change sequence, so that
// schedulers and recorders read them again; no version changes: what people see is
// what it was.
func (s *Store) Reseal(ctx context.Context, table uptime.SealedTable, rows []uptime.Resealed) (changed int, err error) {
	err = s.writeBy(ctx, s.main, func(tx *gorm.DB) error {
		changed = 0
		if table == uptime.SealedMonitors {
			ids := make([]int64, 0, len(rows))
			for _, r := range rows {
				ids = append(ids, r.Row.ID)
			}
			slices.Sort(ids)
			if _, err := s.lockStates(tx, ids); err != nil {
				return err
			}
		}
		for _, r := range rows {
			done, err := s.resealOne(tx, table, r)
			if err != nil {
				return err
			}
			if done {
				changed++
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("seal values of %s anew: %w", table, err)
	}
	return changed, nil
}

func (s *Store) resealOne(tx *gorm.DB, table uptime.SealedTable, r uptime.Resealed) (bool, error) {
	var done *gorm.DB
	switch table {
	case uptime.SealedMonitors:
		return s.resealMonitor(tx, r)
	case uptime.SealedChannels:
		done = tx.Exec(`UPDATE channels SET settings = ? WHERE id = ? AND settings = ?`, r.Value, r.Row.ID, r.Row.Value)
	case uptime.SealedFactors:
		done = tx.Exec(`UPDATE users SET totp_secret = ? WHERE id = ? AND totp_secret = ?`, r.Value, r.Row.ID, r.Row.Value)
	case uptime.SealedAnswers:
		k := r.Row.Answer
		done = tx.Exec(`UPDATE idempotency_keys SET body = ?`+idempotencyKey+` AND body = ?`,
			[]byte(r.Value), k.Actor.UserID, k.Actor.TokenID, k.Key, []byte(r.Row.Value))
	default:
		return false, fmt.Errorf("there is no table %q of sealed values", table)
	}
	return done.RowsAffected > 0, done.Error
}

// resealMonitor changes a monitor whose state is locked. updated_at goes along with the
// change sequence: a scheduler that reads everything relies on it.
func (s *Store) resealMonitor(tx *gorm.DB, r uptime.Resealed) (bool, error) {
	seq, err := next(tx, sequenceChange)
	if err != nil {
		return false, err
	}
	done := tx.Exec(`UPDATE monitors SET settings = ?, change_seq = ?, updated_at = ? WHERE id = ? AND settings = ?`,
		r.Value, seq, at(s.now()), r.Row.ID, r.Row.Value)
	if done.Error != nil || done.RowsAffected == 0 {
		return false, done.Error
	}
	err = tx.Exec(`UPDATE monitor_states SET change_seq = ?, revision = revision + 1 WHERE monitor_id = ?`, seq, r.Row.ID).Error
	return err == nil, err
}

// DropSealed gives up values that cannot be opened, where they still stand: of users
// their second factor, and kept answers. The settings of monitors and channels stay as
// they are.
func (s *Store) DropSealed(ctx context.Context, table uptime.SealedTable, row uptime.SealedRow, audit *uptime.Audit) (dropped bool, err error) {
	err = s.writeBy(ctx, s.main, func(tx *gorm.DB) error {
		var done *gorm.DB
		switch table {
		case uptime.SealedFactors:
			done = tx.Exec(`UPDATE users SET totp_secret = '', totp_key = '', totp_step = 0, recovery_hashes = '[]',
				version = version + 1, updated_at = ? WHERE id = ? AND totp_secret = ?`, at(s.now()), row.ID, row.Value)
		case uptime.SealedAnswers:
			k := row.Answer
			done = tx.Exec(`DELETE FROM idempotency_keys`+idempotencyKey+` AND body = ?`,
				k.Actor.UserID, k.Actor.TokenID, k.Key, []byte(row.Value))
		case uptime.SealedMonitors, uptime.SealedChannels:
			return nil
		}
		dropped = done.RowsAffected > 0
		if done.Error != nil || !dropped {
			return done.Error
		}
		return insertAudit(tx, audit, row.ID)
	})
	if err != nil {
		return false, fmt.Errorf("drop a sealed value of %s: %w", table, err)
	}
	return dropped, nil
}
