package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// incidents that are over for longer than retention keeps them, and those that
// were deleted or retracted. What somebody is still to be told of stays.
func (p *purge) incidents(ctx context.Context) error {
	if p.keep.Incidents > 0 {
		before := at(p.now.Add(-p.keep.Incidents))
		err := p.removeIncidents(ctx, &p.done.Incidents, `deleted_at IS NULL AND resolved_at < ?
			AND (monitor_id IS NULL OR ended_at < ?)`, before, before)
		if err != nil {
			return err
		}
	}
	return p.removeIncidents(ctx, &p.done.Objects, "deleted_at < ?", at(p.now.Add(-uptime.UndeleteFor)))
}

func (p *purge) removeIncidents(ctx context.Context, count *int64, condition string, args ...any) error {
	return p.some(ctx, purgeIncidents, count, func(tx *gorm.DB) *gorm.DB {
		var ids []int64
		res := tx.Raw("SELECT id FROM incidents WHERE "+condition+` AND NOT EXISTS (
			SELECT 1 FROM deliveries d WHERE d.incident_id = incidents.id AND d.due_at IS NOT NULL) ORDER BY id LIMIT ?`,
			append(args, purgeIncidents)...).Scan(&ids)
		if res.Error != nil || len(ids) == 0 {
			return res
		}
		for _, statement := range []string{
			// Uptime figures must not forget an outage before its rollups go.
			`INSERT INTO past_outages (monitor_id, started_at, recovered_at)
				SELECT monitor_id, started_at, recovered_at FROM incidents
				WHERE id IN ? AND monitor_id IS NOT NULL AND recovered_at IS NOT NULL AND deleted_at IS NULL
				ON CONFLICT DO NOTHING`,
			"DELETE FROM deliveries WHERE incident_id IN ?",
			"DELETE FROM events WHERE incident_id IN ?",
			"DELETE FROM incidents WHERE id IN ?",
		} {
			if res = tx.Exec(statement, ids); res.Error != nil {
				return res
			}
		}
		return res
	})
}

// events without an incident go when incidents of their age do.
func (p *purge) events(ctx context.Context) error {
	if p.keep.Incidents <= 0 {
		return nil
	}
	var others int64
	return p.some(ctx, purgeRows/10, &others, func(tx *gorm.DB) *gorm.DB {
		var ids []string
		res := tx.Raw(`SELECT id FROM events WHERE incident_id = 0 AND at < ? AND NOT EXISTS (
			SELECT 1 FROM deliveries d WHERE d.event_id = events.id AND d.due_at IS NOT NULL) LIMIT ?`,
			at(p.now.Add(-p.keep.Incidents)), purgeRows/10).Scan(&ids)
		if res.Error != nil || len(ids) == 0 {
			return res
		}
		if res = tx.Exec("DELETE FROM deliveries WHERE event_id IN ?", ids); res.Error != nil {
			return res
		}
		return tx.Exec("DELETE FROM events WHERE id IN ?", ids)
	})
}

// monitors that cannot be brought back any more, with all that is theirs.
func (p *purge) monitors(ctx context.Context) error {
	before := at(p.now.Add(-uptime.UndeleteFor))
	for {
		var id int64
		err := p.readBy(ctx, p.main, func(db *gorm.DB) error {
			id = 0
			return db.Raw("SELECT id FROM monitors WHERE deleted_at < ? ORDER BY id LIMIT 1", before).Scan(&id).Error
		})
		if err != nil || id == 0 {
			return err
		}
		if err := p.monitor(ctx, id); err != nil {
			return err
		}
		p.done.Objects++
	}
}

func (p *purge) monitor(ctx context.Context, id int64) error {
	if err := p.monitorResults(ctx, id, time.UnixMilli(1<<53)); err != nil {
		return err
	}
	const all = int64(1) << 53
	var others int64
	for _, t := range []struct{ table, key, condition string }{
		{hourly, "start_at", "start_at < ?"},
		{daily, "start_at", "start_at < ?"},
		{fine, "start_at", "start_at < ?"},
		{"rollups_dirty", "start_at", "start_at < ?"},
		{"missed_slots", "from_at", "from_at < ?"},
	} {
		if err := p.oldRows(ctx, t.table, t.key, t.condition, id, all, &others); err != nil {
			return err
		}
	}
	// After a week nothing of theirs waits to be delivered.
	if err := p.removeIncidents(ctx, &p.done.Incidents, "monitor_id = ?", id); err != nil {
		return err
	}
	return p.writeBy(ctx, p.main, func(tx *gorm.DB) error {
		return tx.Exec("DELETE FROM monitors WHERE id = ?", id).Error
	})
}

// channels that cannot be brought back lose their settings, secrets and all; the
// row goes when no delivery speaks of it any more.
func (p *purge) channels(ctx context.Context) error {
	before := at(p.now.Add(-uptime.UndeleteFor))
	var removed int64
	err := p.writeBy(ctx, p.main, func(tx *gorm.DB) error {
		if err := tx.Exec("UPDATE channels SET settings = '{}' WHERE deleted_at < ? AND settings <> '{}'", before).Error; err != nil {
			return err
		}
		if err := tx.Exec(`UPDATE channels SET fallback_channel_id = NULL WHERE fallback_channel_id IN (
			SELECT id FROM channels WHERE deleted_at < ?)`, before).Error; err != nil {
			return err
		}
		res := tx.Exec(`DELETE FROM channels WHERE deleted_at < ? AND NOT EXISTS (
			SELECT 1 FROM deliveries d WHERE d.channel_id = channels.id)`, before)
		removed = res.RowsAffected
		return res.Error
	})
	p.done.Objects += removed
	return err
}

// bulk removes jobs that nobody looks at any more, their monitors before them: one may
// have had tens of thousands.
func (p *purge) bulk(ctx context.Context) error {
	before := at(p.now.Add(-uptime.KeepBulkFor))
	var items int64
	err := p.some(ctx, purgeRows, &items, func(tx *gorm.DB) *gorm.DB {
		return tx.Exec(`DELETE FROM bulk_items WHERE (job_id, monitor_id) IN (SELECT i.job_id, i.monitor_id
			FROM bulk_jobs j JOIN bulk_items i ON i.job_id = j.id WHERE j.finished_at < ? LIMIT ?)`, before, purgeRows)
	})
	if err != nil {
		return err
	}
	return p.some(ctx, purgeRows/10, &p.done.Objects, func(tx *gorm.DB) *gorm.DB {
		return tx.Exec(`DELETE FROM bulk_jobs WHERE id IN (SELECT id FROM bulk_jobs WHERE finished_at < ? LIMIT ?)`, before, purgeRows/10)
	})
}

// expired log-ins, challenges and idempotency keys.
func (p *purge) expired(ctx context.Context) error {
	now := at(p.now)
	err := p.some(ctx, purgeRows, &p.done.Objects, func(tx *gorm.DB) *gorm.DB {
		return tx.Exec("DELETE FROM refresh_tokens WHERE hash IN (SELECT hash FROM refresh_tokens WHERE expires_at < ? LIMIT ?)", now, purgeRows)
	})
	if err != nil {
		return err
	}
	err = p.some(ctx, purgeRows, &p.done.Objects, func(tx *gorm.DB) *gorm.DB {
		return tx.Exec("DELETE FROM passkey_challenges WHERE hash IN (SELECT hash FROM passkey_challenges WHERE ends_at < ? LIMIT ?)",
			at(p.now.Add(-challengeMargin)), purgeRows)
	})
	if err != nil {
		return err
	}
	return p.some(ctx, purgeRows, &p.done.Objects, func(tx *gorm.DB) *gorm.DB {
		return tx.Exec(`DELETE FROM idempotency_keys WHERE (user_id, token_id, key) IN (
			SELECT user_id, token_id, key FROM idempotency_keys WHERE expires_at < ? LIMIT ?)`, now, purgeRows)
	})
}
