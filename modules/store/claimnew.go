package store

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// An alert is claimed in the transaction that it tells of where the process has a
// notifier with places left. That saves a notice, a look and a commit between a bad
// answer and its message. The claim is one like any other, with its lease, and takes
// nobody's turn: what comes after others of its channel that are due, or finds it
// busy, waits as it always did.

// claimNewSQL claims the deliveries of pairs of event and channel that have their
// turn. Parameters: time of the claim, end of its lease, how many may be in flight
// in their channels, pairs.
func (s *Store) claimNewSQL() string {
	pairs, now, lease, most := "SELECT value ->> 0, value ->> 1 FROM json_each(?4)", "?1", "?2", "?3"
	if s.dialect == dialectPostgres {
		pairs, now, lease, most = "SELECT * FROM unnest($4::text[], $5::bigint[])", "$1", "$2", "$3"
	}
	return `UPDATE deliveries AS d SET status = 'sending', attempt = 1, claimed_at = ` + now + `, due_at = ` + lease + `
		WHERE (d.event_id, d.channel_id) IN (` + pairs + `) AND d.status = 'pending' AND d.attempt = 0 AND ` + inOrder + `
		AND NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.channel_id = d.channel_id AND o.status = 'pending' AND o.due_at <= ` + now + `
			AND o.created_at < d.created_at)
		AND (SELECT count(*) FROM deliveries f WHERE f.channel_id = d.channel_id AND f.status = 'sending' AND f.due_at > ` + now + `) <= ` + most + `
		RETURNING id, event_id, channel_id, merges`
}

// claimNew claims what was just written, as far as the offer goes.
func (s *Store) claimNew(tx *gorm.DB, out []outgoing, offer uptime.ClaimParams) ([]uptime.Claim, error) {
	chosen, inFlight := choosable(out, offer)
	if len(chosen) > 0 && s.dialect == dialectPostgres {
		var err error
		if chosen, err = lockChannelsOf(tx, chosen); err != nil {
			return nil, err
		}
	}
	if len(chosen) == 0 {
		return nil, nil
	}
	now := s.now()
	args := []any{int64(at(now)), int64(at(now.Add(offer.Lease))), inFlight}
	pairs, err := s.pairsOf(chosen)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Statement.ConnPool.QueryContext(tx.Statement.Context, s.claimNewSQL(), append(args, pairs...)...)
	if err != nil {
		return nil, fmt.Errorf("claim new deliveries: %w", err)
	}
	var claims []uptime.Claim
	err = each(rows, func() error {
		var d deliveryRow
		if err := rows.Scan(&d.ID, &d.EventID, &d.ChannelID, &d.Merges); err != nil {
			return err
		}
		i := slices.IndexFunc(chosen, func(o outgoing) bool {
			return o.delivery.EventID == d.EventID && o.delivery.ChannelID == d.ChannelID
		})
		claim, err := chosen[i].claim(d.ID, d.Merges)
		claims = append(claims, claim)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim new deliveries: %w", err)
	}
	// In the order of their rows, which is that of the events.
	slices.SortFunc(claims, func(a, b uptime.Claim) int { return cmp.Compare(a.Delivery.ID, b.Delivery.ID) })
	return claims, nil
}

// choosable is what the offer has room for, and how many deliveries may be in
// flight already in any channel of it: one bound, that of the fullest.
func choosable(out []outgoing, offer uptime.ClaimParams) (chosen []outgoing, inFlight int) {
	if offer.Lease <= 0 {
		return nil, 0
	}
	inFlight = offer.PerChannel
	taken := map[int64]int{}
	for _, o := range out {
		id := o.channel.ID
		if o.delivery.HeldUntil != 0 || len(chosen) >= offer.Limit || taken[id] >= offer.PerChannel || slices.Contains(offer.SkipChannels, id) {
			continue
		}
		taken[id]++
		inFlight = min(inFlight, offer.PerChannel-taken[id])
		chosen = append(chosen, o)
	}
	return chosen, inFlight
}

// lockChannelsOf keeps what has a channel that is free, locked as for any claim
// and read anew. It waits for none: the order of locks is channel, delivery, and
// deliveries are locked by now.
func lockChannelsOf(tx *gorm.DB, out []outgoing) ([]outgoing, error) {
	var rows []channelRow
	ids := make([]int64, 0, len(out))
	for _, o := range out {
		ids = append(ids, o.channel.ID)
	}
	err := tx.Raw(`SELECT * FROM channels WHERE id IN (?) AND enabled AND deleted_at IS NULL
		ORDER BY id FOR NO KEY UPDATE SKIP LOCKED`, ids).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("lock channels: %w", err)
	}
	locked := make(map[int64]uptime.Channel, len(rows))
	for _, r := range rows {
		locked[r.ID] = r.channel()
	}
	kept := make([]outgoing, 0, len(out))
	for _, o := range out {
		if c, ok := locked[o.channel.ID]; ok {
			o.channel = c
			kept = append(kept, o)
		}
	}
	return kept, nil
}

// pairsOf are events and channels as parameters.
func (s *Store) pairsOf(out []outgoing) ([]any, error) {
	events := make([]string, len(out))
	channels := make([]int64, len(out))
	pairs := make([][2]any, len(out))
	for i, o := range out {
		events[i], channels[i] = o.delivery.EventID, o.delivery.ChannelID
		pairs[i] = [2]any{events[i], channels[i]}
	}
	if s.dialect == dialectPostgres {
		return []any{events, channels}, nil
	}
	data, err := json.Marshal(pairs)
	if err != nil {
		return nil, fmt.Errorf("write pairs of events and channels: %w", err)
	}
	return []any{string(data)}, nil
}

// claim is the first one of a delivery, as if its rows were read.
func (o outgoing) claim(id int64, merges bool) (uptime.Claim, error) {
	event, err := o.event.event()
	if err != nil {
		return uptime.Claim{}, err
	}
	row := o.delivery
	row.ID, row.Merges, row.Status, row.Attempt = id, merges, uptime.DeliverySending, 1
	return uptime.Claim{Delivery: row.delivery(), N: 1, Event: event, Channel: o.channel}, nil
}
