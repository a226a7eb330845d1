package store

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

type channelRow struct {
	ID                int64
	WorkspaceID       int64
	RowKey            string
	Name              string
	Type              string
	Enabled           bool
	IsDefault         bool
	SendResolved      bool
	SendDegraded      bool
	FallbackChannelID reference
	Settings          string
	DisabledReason    string
	Version           int64
	CreatedAt         instant `gorm:"autoCreateTime:false"`
	UpdatedAt         instant `gorm:"autoUpdateTime:false"`
	DeletedAt         instant
}

// TableName implements gorm's Tabler.
func (channelRow) TableName() string { return "channels" }

func (r channelRow) channel() uptime.Channel {
	return uptime.Channel{
		ID: r.ID, WorkspaceID: r.WorkspaceID, RowKey: r.RowKey, Name: r.Name, Type: r.Type,
		Enabled: r.Enabled, IsDefault: r.IsDefault, SendResolved: r.SendResolved, SendDegraded: r.SendDegraded,
		FallbackChannelID: int64(r.FallbackChannelID), Settings: json.RawMessage(r.Settings),
		DisabledReason: r.DisabledReason, Version: r.Version,
		CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time(), DeletedAt: r.DeletedAt.time(),
	}
}

func rowOfChannel(c uptime.Channel) channelRow {
	return channelRow{
		ID: c.ID, WorkspaceID: c.WorkspaceID, RowKey: c.RowKey, Name: c.Name, Type: c.Type,
		Enabled: c.Enabled, IsDefault: c.IsDefault, SendResolved: c.SendResolved, SendDegraded: c.SendDegraded,
		FallbackChannelID: reference(c.FallbackChannelID), Settings: string(c.Settings),
		DisabledReason: c.DisabledReason, Version: c.Version,
		CreatedAt: at(c.CreatedAt), UpdatedAt: at(c.UpdatedAt), DeletedAt: at(c.DeletedAt),
	}
}

// CreateChannel adds a channel and gives it back with its id. RowKey is the
// caller's. A fallback that is no living channel of the workspace is a field error.
func (s *Store) CreateChannel(ctx context.Context, c uptime.Channel, audit *uptime.Audit) (uptime.Channel, error) {
	var row channelRow
	err := s.write(ctx, func(tx *gorm.DB) error {
		if err := s.room(tx, c.WorkspaceID, "channels", "channels", s.quotas.Channels); err != nil {
			return err
		}
		now := at(s.now())
		row = rowOfChannel(c)
		row.ID, row.Version, row.CreatedAt, row.UpdatedAt, row.DeletedAt = 0, 1, now, now, 0
		if err := checkFallback(tx, row); err != nil {
			return err
		}
		if err := tx.Create(&row).Error; err != nil {
			return fmt.Errorf("create channel: %w", err)
		}
		return insertAudit(tx, audit, row.ID)
	})
	return row.channel(), err
}

// Channel gives a living channel with LastDelivery and UsedBy.
func (s *Store) Channel(ctx context.Context, ws, id int64) (uptime.Channel, error) {
	var c uptime.Channel
	err := s.read(ctx, func(db *gorm.DB) error {
		row, err := livingChannel(db, ws, id)
		if err != nil {
			return err
		}
		list := []uptime.Channel{row.channel()}
		err = describeChannels(db, list)
		c = list[0]
		return err
	})
	return c, err
}

// Channels lists the living channels of a workspace by id.
func (s *Store) Channels(ctx context.Context, ws int64, p uptime.Page) (uptime.List[uptime.Channel], error) {
	var list uptime.List[uptime.Channel]
	err := s.read(ctx, func(db *gorm.DB) error {
		rows, next, err := pageByID[channelRow](
			db.Where("workspace_id = ? AND deleted_at IS NULL", ws), p, "channels", ascending, func(r channelRow) int64 { return r.ID })
		if err != nil {
			return fmt.Errorf("list channels: %w", err)
		}
		list = uptime.List[uptime.Channel]{Items: make([]uptime.Channel, 0, len(rows)), Next: next}
		for _, r := range rows {
			list.Items = append(list.Items, r.channel())
		}
		return describeChannels(db, list.Items)
	})
	return list, err
}

// DefaultChannelIDs gives the living channels that new monitors use, ascending.
func (s *Store) DefaultChannelIDs(ctx context.Context, ws int64) ([]int64, error) {
	ids := []int64{}
	err := s.read(ctx, func(db *gorm.DB) error {
		return db.Raw(`SELECT id FROM channels WHERE workspace_id = ? AND deleted_at IS NULL AND is_default
			ORDER BY id`, ws).Scan(&ids).Error
	})
	if err != nil {
		return nil, fmt.Errorf("list default channels: %w", err)
	}
	return ids, nil
}

// UpdateChannel changes a channel by mutate. Disabling it cancels what waits for
// it; enabling it clears DisabledReason.
func (s *Store) UpdateChannel(ctx context.Context, ws, id int64, mutate func(*uptime.Channel) error, audit *uptime.Audit) (uptime.Channel, error) {
	var after uptime.Channel
	err := s.write(ctx, func(tx *gorm.DB) error {
		before, err := livingChannel(s.forUpdate(tx), ws, id)
		if err != nil {
			return err
		}
		after = before.channel()
		if err := mutate(&after); err != nil {
			return err
		}
		if after.Enabled && !before.Enabled {
			after.DisabledReason = ""
		}
		row := rowOfChannel(after)
		row.ID, row.WorkspaceID, row.RowKey = before.ID, before.WorkspaceID, before.RowKey
		row.Version, row.CreatedAt, row.UpdatedAt, row.DeletedAt = before.Version, before.CreatedAt, before.UpdatedAt, 0
		if reflect.DeepEqual(row, before) {
			after = before.channel()
			return nil
		}
		row.Version, row.UpdatedAt = before.Version+1, at(s.now())
		after = row.channel()
		return s.saveChannel(tx, before, row, audit)
	})
	return after, err
}

func (s *Store) saveChannel(tx *gorm.DB, before, row channelRow, audit *uptime.Audit) error {
	if row.FallbackChannelID != before.FallbackChannelID {
		if err := checkFallback(tx, row); err != nil {
			return err
		}
	}
	if err := tx.Model(&channelRow{}).Where("id = ?", row.ID).Select("*").Updates(row).Error; err != nil {
		return fmt.Errorf("update channel: %w", err)
	}
	if before.Enabled && !row.Enabled {
		if err := cancelPending(tx, row.ID, reasonDisabled, row.UpdatedAt); err != nil {
			return err
		}
	}
	return insertAudit(tx, audit, row.ID)
}

// DeleteChannel deletes a channel softly, takes it from monitors and fallbacks,
// and cancels what waits for it.
func (s *Store) DeleteChannel(ctx context.Context, ws, id int64, audit *uptime.Audit) error {
	return s.write(ctx, func(tx *gorm.DB) error {
		if err := s.lockWatchers(tx, id); err != nil {
			return err
		}
		row, err := livingChannel(s.forUpdate(tx), ws, id)
		if err != nil {
			return err
		}
		now := at(s.now())
		for _, step := range []struct {
			text string
			args []any
		}{
			{`UPDATE channels SET deleted_at = ?, updated_at = ?, version = version + 1, fallback_channel_id = NULL
				WHERE id = ?`, []any{now, now, row.ID}},
			{`UPDATE channels SET fallback_channel_id = NULL, version = version + 1, updated_at = ?
				WHERE fallback_channel_id = ?`, []any{now, row.ID}},
			{`UPDATE monitors SET version = version + 1, updated_at = ?
				WHERE id IN (SELECT monitor_id FROM monitor_channels WHERE channel_id = ?)`, []any{now, row.ID}},
			{`DELETE FROM monitor_channels WHERE channel_id = ?`, []any{row.ID}},
		} {
			if err := tx.Exec(step.text, step.args...).Error; err != nil {
				return fmt.Errorf("delete channel: %w", err)
			}
		}
		if err := cancelPending(tx, row.ID, reasonDeleted, now); err != nil {
			return err
		}
		return insertAudit(tx, audit, row.ID)
	})
}

// lockWatchers locks the monitors that use a channel, so that none of them is being
// saved with it at the same time.
func (s *Store) lockWatchers(tx *gorm.DB, channelID int64) error {
	var ids []int64
	err := tx.Raw(`SELECT monitor_id FROM monitor_channels WHERE channel_id = ? ORDER BY monitor_id`, channelID).
		Scan(&ids).Error
	if err != nil {
		return fmt.Errorf("read monitors of a channel: %w", err)
	}
	if s.dialect != dialectPostgres || len(ids) == 0 {
		return nil
	}
	_, err = s.lockStates(tx, ids)
	return err
}

// disableChannel is what an endpoint asks for that wants no more messages.
func disableChannel(tx *gorm.DB, id int64, reason string, now instant) error {
	err := tx.Exec(`UPDATE channels SET enabled = FALSE, disabled_reason = ?, version = version + 1, updated_at = ?
		WHERE id = ? AND enabled AND deleted_at IS NULL`, reason, now, id).Error
	if err != nil {
		return fmt.Errorf("disable channel: %w", err)
	}
	return cancelPending(tx, id, reasonDisabled, now)
}

func livingChannel(db *gorm.DB, ws, id int64) (channelRow, error) {
	var row channelRow
	err := db.Where("workspace_id = ? AND id = ? AND deleted_at IS NULL", ws, id).Take(&row).Error
	if err != nil {
		return row, fmt.Errorf("read channel %d: %w", id, err)
	}
	return row, nil
}

func checkFallback(tx *gorm.DB, row channelRow) error {
	if row.FallbackChannelID == 0 {
		return nil
	}
	wrong := uptime.Invalid(uptime.FieldError{Field: "fallback_channel_id", Message: "must be another channel that exists"})
	if int64(row.FallbackChannelID) == row.ID {
		return wrong
	}
	var n int64
	err := tx.Raw(`SELECT count(*) FROM channels WHERE workspace_id = ? AND id = ? AND deleted_at IS NULL`,
		row.WorkspaceID, row.FallbackChannelID).Scan(&n).Error
	if err != nil {
		return fmt.Errorf("read fallback channel: %w", err)
	}
	if n == 0 {
		return wrong
	}
	return nil
}

// describeChannels fills UsedBy and LastDelivery, which is the newest that was
// delivered or given up.
func describeChannels(db *gorm.DB, list []uptime.Channel) error {
	if len(list) == 0 {
		return nil
	}
	place := make(map[int64]*uptime.Channel, len(list))
	ids := make([]int64, 0, len(list))
	for i := range list {
		place[list[i].ID] = &list[i]
		ids = append(ids, list[i].ID)
	}
	var used []struct{ ChannelID, Monitors int64 }
	err := db.Raw(`SELECT mc.channel_id, count(*) AS monitors FROM monitor_channels mc
		JOIN monitors m ON m.id = mc.monitor_id
		WHERE mc.channel_id IN (?) AND m.deleted_at IS NULL GROUP BY mc.channel_id`, ids).Scan(&used).Error
	if err != nil {
		return fmt.Errorf("count monitors of channels: %w", err)
	}
	for _, u := range used {
		place[u.ChannelID].UsedBy = int(u.Monitors)
	}
	var last []deliveryRow
	err = db.Raw(`SELECT * FROM deliveries WHERE id IN (SELECT (SELECT d.id FROM deliveries d
		WHERE d.channel_id = c.id AND d.status IN ('delivered', 'dead') ORDER BY d.finished_at DESC, d.id DESC LIMIT 1)
		FROM channels c WHERE c.id IN (?))`, ids).Scan(&last).Error
	if err != nil {
		return fmt.Errorf("read last deliveries: %w", err)
	}
	found, err := withAttempts(db, last)
	if err != nil {
		return err
	}
	for i := range found {
		place[found[i].ChannelID].LastDelivery = &found[i]
	}
	return nil
}
