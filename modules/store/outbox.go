package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// The outbox: deliveries are rows of the transaction that they tell of.
//
//	            claim N             finish N
//	pending ──────────────▶ sending ────────▶ delivered | dead
//	   ▲  │                  │  │  ▲
//	   │  │    finish N, or  │  │  │ lease ended: claim N+1
//	   └──┼──── release ─────┘  └──┘
//	      └─▶ merged | cancelled
//
// due_at is the time of the next attempt of a pending row and the end of the
// lease of one that is being sent. A chain (an incident, or a monitor's slow
// phases) reaches a channel in the order of its rows: a row waits while an older
// one of its chain and channel is unfinished. A "close" event merges the "open"
// one that was not sent yet.
//
// What comes while its monitor is silenced is held (see silence.go): written as always, due
// at the end of the silence.
//
// Claims of one channel are serialised by a lock on the channel's row, which
// makes the bound on deliveries in flight exact and shuts out a channel's being
// disabled in between. Locks are taken in this order: channel, delivery.

const (
	reasonMerged   uptime.Sentence = "The opposite event came before this was sent; one message told of both."
	reasonNewer    uptime.Sentence = "A newer reminder took its place."
	reasonResolved uptime.Sentence = "The incident was resolved before this was sent."
	reasonDisabled uptime.Sentence = "The channel was disabled."
	reasonDeleted  uptime.Sentence = "The channel was deleted."
	reasonSilenced uptime.Sentence = "It came and went while the monitor was silenced."

	noAnswer uptime.Sentence = "no answer was recorded"
)

// inOrder is the condition that no older delivery of the chain is unfinished.
const inOrder = `(d.chain = '' OR NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.chain = d.chain
	AND o.channel_id = d.channel_id AND o.id < d.id AND o.due_at IS NOT NULL))`

// hasDue is the condition that something is due for a channel. Argument: now.
const hasDue = `EXISTS (SELECT 1 FROM deliveries d WHERE d.channel_id = c.id AND d.due_at <= ?)`

// ClaimDeliveries leases due deliveries to the caller, the longest due first.
// Those of channels that were disabled or deleted are cancelled instead.
func (s *Store) ClaimDeliveries(ctx context.Context, p uptime.ClaimParams) ([]uptime.Claim, error) {
	if p.Limit <= 0 || p.PerChannel <= 0 || p.Lease <= 0 {
		return nil, errors.New("claim deliveries: limits and lease must be above zero")
	}
	if err := s.recallStrays(ctx); err != nil {
		return nil, fmt.Errorf("claim deliveries: %w", err)
	}
	if due, err := s.anyDue(ctx, p.SkipChannels); err != nil || !due {
		return nil, err
	}
	var claims []uptime.Claim
	err := s.writeBy(ctx, s.outbox, func(tx *gorm.DB) error {
		var err error
		claims, err = s.claim(tx, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim deliveries: %w", err)
	}
	return claims, nil
}

// anyDue keeps the many looks that find nothing out of the writer's way. Where
// channels are left out it asks channel by channel: what waits for those, tens of
// thousands in a large outage, is not read.
func (s *Store) anyDue(ctx context.Context, skip []int64) (bool, error) {
	now := at(s.now())
	query, args := `SELECT 1 FROM deliveries WHERE due_at <= ?`, []any{now}
	if len(skip) > 0 {
		query, args = `SELECT 1 FROM channels c WHERE c.id NOT IN (?) AND `+hasDue, []any{skip, now}
	}
	var n int64
	err := s.readBy(ctx, s.outbox, func(db *gorm.DB) error {
		return db.Raw(`SELECT count(*) FROM (`+query+` LIMIT 1) d`, args...).Scan(&n).Error
	})
	if err != nil {
		return false, fmt.Errorf("look for due deliveries: %w", err)
	}
	return n > 0, nil
}

func (s *Store) claim(tx *gorm.DB, p uptime.ClaimParams) ([]uptime.Claim, error) {
	now := s.now()
	channels, err := s.lockDueChannels(tx, at(now), p.SkipChannels)
	if err != nil || len(channels) == 0 {
		return nil, err
	}
	ids, err := s.choose(tx, channels, p, at(now))
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	query := `SELECT * FROM deliveries WHERE id IN (?) AND due_at <= ? ORDER BY due_at, id`
	if s.dialect == dialectPostgres {
		query += ` FOR UPDATE SKIP LOCKED` // a row that is just being merged or finished
	}
	var rows []deliveryRow
	if err := tx.Raw(query, ids, at(now)).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("lock due deliveries: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	if err := markSending(tx, rows, now, now.Add(p.Lease)); err != nil {
		return nil, err
	}
	return buildClaims(tx, rows, channels)
}

// lockDueChannels gives the usable channels for which something is due, locked.
func (s *Store) lockDueChannels(tx *gorm.DB, now instant, skip []int64) (map[int64]uptime.Channel, error) {
	query := `SELECT c.* FROM channels c
		WHERE ` + hasDue
	args := []any{now}
	if len(skip) > 0 {
		query += ` AND c.id NOT IN (?)`
		args = append(args, skip)
	}
	query += ` ORDER BY c.id`
	if s.dialect == dialectPostgres {
		query += ` FOR NO KEY UPDATE OF c`
	}
	var rows []channelRow
	if err := tx.Raw(query, args...).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("lock channels: %w", err)
	}
	channels := make(map[int64]uptime.Channel, len(rows))
	for _, r := range rows {
		if r.Enabled && r.DeletedAt == 0 {
			channels[r.ID] = r.channel()
			continue
		}
		reason := reasonDisabled
		if r.DeletedAt != 0 {
			reason = reasonDeleted
		}
		if err := cancelDue(tx, r.ID, reason, now); err != nil {
			return nil, err
		}
	}
	return channels, nil
}

// choose picks the due deliveries to claim: of each channel what its bound
// leaves, then the longest due ones of all.
func (s *Store) choose(tx *gorm.DB, channels map[int64]uptime.Channel, p uptime.ClaimParams, now instant) ([]int64, error) {
	ids := make([]int64, 0, len(channels))
	for id := range channels {
		ids = append(ids, id)
	}
	var flying []struct{ ChannelID, N int64 }
	err := tx.Raw(`SELECT channel_id, count(*) AS n FROM deliveries
		WHERE status = 'sending' AND due_at > ? AND channel_id IN (?) GROUP BY channel_id`, now, ids).Scan(&flying).Error
	if err != nil {
		return nil, fmt.Errorf("count deliveries in flight: %w", err)
	}
	room := make(map[int64]int, len(ids))
	for _, id := range ids {
		room[id] = p.PerChannel
	}
	for _, f := range flying {
		room[f.ChannelID] -= int(f.N)
	}
	var found []struct{ ID, ChannelID, DueAt int64 }
	err = tx.Raw(s.firstOfEach(), now, min(p.PerChannel, p.Limit), ids).Scan(&found).Error
	if err != nil {
		return nil, fmt.Errorf("find due deliveries: %w", err)
	}
	slices.SortFunc(found, func(a, b struct{ ID, ChannelID, DueAt int64 }) int {
		return cmp.Or(cmp.Compare(a.DueAt, b.DueAt), cmp.Compare(a.ID, b.ID))
	})
	var chosen []int64
	for _, f := range found {
		if len(chosen) < p.Limit && room[f.ChannelID] > 0 {
			room[f.ChannelID]--
			chosen = append(chosen, f.ID)
		}
	}
	return chosen, nil
}

// firstOfEach reads the first few due deliveries of each channel straight from
// the index, so that a claim costs the same however many wait. Arguments: now,
// how many, channel ids.
func (s *Store) firstOfEach() string {
	if s.dialect == dialectPostgres {
		return `SELECT f.id, f.channel_id, f.due_at FROM channels c CROSS JOIN LATERAL (
			SELECT d.id, d.channel_id, d.due_at FROM deliveries d
			WHERE d.channel_id = c.id AND d.due_at <= ? AND ` + inOrder + `
			ORDER BY d.due_at, d.id LIMIT ?) f WHERE c.id IN (?)`
	}
	// SQLite has no lateral join but for functions that give tables.
	return `SELECT f.id, f.channel_id, f.due_at FROM channels c, json_each((
			SELECT json_group_array(x.id) FROM (SELECT d.id FROM deliveries d
			WHERE d.channel_id = c.id AND d.due_at <= ? AND ` + inOrder + `
			ORDER BY d.due_at, d.id LIMIT ?) x)) j
		JOIN deliveries f ON f.id = j.value WHERE c.id IN (?)`
}

// markSending writes the claim of rows and, for those whose lease ended, that
// the attempt before came to nothing known. It updates rows in place.
func markSending(tx *gorm.DB, rows []deliveryRow, now, lease time.Time) error {
	ids := make([]int64, 0, len(rows))
	for i, r := range rows {
		ids = append(ids, r.ID)
		if r.Status == uptime.DeliverySending {
			lost := uptime.Attempt{
				N: r.Attempt, At: r.ClaimedAt.time(), Duration: max(0, r.DueAt.time().Sub(r.ClaimedAt.time())),
				Outcome: uptime.AttemptRetry, Error: noAnswer,
			}
			if err := insertAttempt(tx, r.ID, lost); err != nil {
				return err
			}
		}
		rows[i].Reason = ""
		rows[i].Status, rows[i].Attempt = uptime.DeliverySending, r.Attempt+1
		rows[i].ClaimedAt, rows[i].DueAt = at(now), at(lease)
	}
	err := tx.Exec(`UPDATE deliveries SET status = 'sending', reason = '', attempt = attempt + 1, claimed_at = ?, due_at = ?
		WHERE id IN (?)`, at(now), at(lease), ids).Error
	if err != nil {
		return fmt.Errorf("mark deliveries as being sent: %w", err)
	}
	return nil
}

func buildClaims(tx *gorm.DB, rows []deliveryRow, channels map[int64]uptime.Channel) ([]uptime.Claim, error) {
	ids := make([]string, 0, len(rows))
	for _, r := range rows {
		ids = append(ids, r.EventID)
	}
	var found []eventRow
	if err := tx.Raw(`SELECT * FROM events WHERE id IN (?)`, ids).Scan(&found).Error; err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	events := make(map[string]uptime.Event, len(found))
	for _, r := range found {
		e, err := r.event()
		if err != nil {
			return nil, err
		}
		events[r.ID] = e
	}
	claims := make([]uptime.Claim, 0, len(rows))
	for _, r := range rows {
		claims = append(claims, uptime.Claim{
			Delivery: r.delivery(), N: r.Attempt, Event: events[r.EventID], Channel: channels[r.ChannelID],
		})
	}
	return claims, nil
}

// NextDue is when ClaimDeliveries may next find something: the earliest time of
// an attempt or end of a lease, zero if nothing waits. Deliveries that wait for
// an older one of their chain do not count.
func (s *Store) NextDue(ctx context.Context) (time.Time, error) {
	var next instant
	err := s.readBy(ctx, s.outbox, func(db *gorm.DB) error {
		return db.Raw(`SELECT d.due_at FROM deliveries d WHERE d.due_at IS NOT NULL AND ` + inOrder + `
			ORDER BY d.due_at LIMIT 1`).Scan(&next).Error
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("read the next due delivery: %w", err)
	}
	return next.time(), nil
}

// Outbox counts what waits in all workspaces: Due can be claimed now, Waiting is
// for later or in a notifier's hands.
func (s *Store) Outbox(ctx context.Context) (uptime.OutboxDepth, error) {
	var row struct {
		Due, Waiting, Dead int64
		Oldest             instant
	}
	now := at(s.now())
	err := s.readBy(ctx, s.main, func(db *gorm.DB) error {
		return db.Raw(`SELECT
			(SELECT count(*) FROM deliveries WHERE due_at <= ?) AS due,
			(SELECT count(*) FROM deliveries WHERE due_at > ?) AS waiting,
			(SELECT count(*) FROM deliveries WHERE status = 'dead') AS dead,
			(SELECT min(coalesce(held_until, created_at)) FROM deliveries WHERE due_at <= ?) AS oldest`, now, now, now).Scan(&row).Error
	})
	if err != nil {
		return uptime.OutboxDepth{}, fmt.Errorf("count deliveries: %w", err)
	}
	return uptime.OutboxDepth{Due: row.Due, Waiting: row.Waiting, Dead: row.Dead, Oldest: row.Oldest.time()}, nil
}

// cancelPending ends what waits for a channel; what is being sent is finished by
// its notifier.
func cancelPending(tx *gorm.DB, channelID int64, reason string, now instant) error {
	err := tx.Exec(`UPDATE deliveries SET status = 'cancelled', reason = ?, due_at = NULL, finished_at = ?
		WHERE channel_id = ? AND status = 'pending'`, reason, now, channelID).Error
	if err != nil {
		return fmt.Errorf("cancel deliveries: %w", err)
	}
	return nil
}

// cancelDue also ends what a notifier did not finish within its lease.
func cancelDue(tx *gorm.DB, channelID int64, reason string, now instant) error {
	err := tx.Exec(`UPDATE deliveries SET status = 'cancelled', reason = ?, due_at = NULL, finished_at = ?
		WHERE channel_id = ? AND due_at IS NOT NULL AND (status = 'pending' OR due_at <= ?)`,
		reason, now, channelID, now).Error
	if err != nil {
		return fmt.Errorf("cancel deliveries: %w", err)
	}
	return nil
}
