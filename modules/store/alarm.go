package store

import (
	"context"
	"encoding/json"
	"fmt"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

type alarmRow struct {
	WorkspaceID int64
	Kind        uptime.AlarmKind
	Subject     string
	Detail      string
	ChannelIDs  string
	Active      bool
	ToldAt      instant
}

// TableName implements gorm's Tabler.
func (alarmRow) TableName() string { return "alarms" }

// RaiseAlarm tells of an alarm, unless it was told within a.Every. raised says
// whether it was told.
func (s *Store) RaiseAlarm(ctx context.Context, a uptime.Alarm) (raised bool, err error) {
	ids, err := json.Marshal(a.ChannelIDs)
	if err != nil {
		return false, fmt.Errorf("raise alarm: %w", err)
	}
	err = s.writeBy(ctx, s.outbox, func(tx *gorm.DB) error {
		now := s.now()
		// Whoever writes the row tells: the others find it fresh.
		told := tx.Exec(`INSERT INTO alarms (workspace_id, kind, subject, detail, channel_ids, active, told_at)
			VALUES (?, ?, ?, ?, ?, TRUE, ?)
			ON CONFLICT (workspace_id, kind, subject) DO UPDATE SET detail = excluded.detail,
				channel_ids = excluded.channel_ids, active = TRUE, told_at = excluded.told_at
			WHERE alarms.told_at <= ? OR alarms.told_at > ?`, // the latter by a clock that was ahead
			a.WorkspaceID, string(a.Kind), a.Subject, a.Detail, string(ids), at(now), at(now.Add(-a.Every)), at(now.Add(straySlack)))
		raised = told.RowsAffected > 0
		if told.Error != nil || !raised {
			return told.Error
		}
		return s.tellAlarm(tx, a, false)
	})
	if err != nil {
		return false, fmt.Errorf("raise alarm: %w", err)
	}
	return raised, nil
}

// EndAlarm tells the end of an alarm to the channels that were told of it, once;
// ended is false when none was raised or its end was told.
func (s *Store) EndAlarm(ctx context.Context, ws int64, kind uptime.AlarmKind, subject string) (ended bool, err error) {
	const active = `workspace_id = ? AND kind = ? AND subject = ? AND active`
	var n int64
	err = s.readBy(ctx, s.outbox, func(db *gorm.DB) error {
		return db.Raw(`SELECT count(*) FROM alarms WHERE `+active, ws, string(kind), subject).Scan(&n).Error
	})
	if err != nil || n == 0 {
		return false, err
	}
	err = s.writeBy(ctx, s.outbox, func(tx *gorm.DB) error {
		done := tx.Exec(`UPDATE alarms SET active = FALSE WHERE `+active, ws, string(kind), subject)
		ended = done.RowsAffected > 0
		if done.Error != nil || !ended {
			return done.Error
		}
		var row alarmRow
		if err := tx.Where("workspace_id = ? AND kind = ? AND subject = ?", ws, string(kind), subject).Take(&row).Error; err != nil {
			return err
		}
		a := uptime.Alarm{WorkspaceID: ws, Kind: kind, Subject: subject, Detail: row.Detail}
		if err := json.Unmarshal([]byte(row.ChannelIDs), &a.ChannelIDs); err != nil {
			return err
		}
		return s.tellAlarm(tx, a, true)
	})
	if err != nil {
		return false, fmt.Errorf("end alarm: %w", err)
	}
	return ended, nil
}

func (s *Store) tellAlarm(tx *gorm.DB, a uptime.Alarm, ended bool) error {
	channels, err := alarmChannels(tx, a)
	if err != nil {
		return err
	}
	e := uptime.Event{
		ID: "evt_" + s.random(), WorkspaceID: a.WorkspaceID, Type: uptime.EventAlarm, At: s.now(),
		Data: a.About,
	}
	e.Data.Alarm = &uptime.EventAlarmData{Kind: a.Kind, Subject: a.Subject, Detail: a.Detail, Ended: ended}
	_, err = s.insertRouted(tx, []uptime.Event{e}, nil, func(uptime.Event) []uptime.Channel { return channels })
	return err
}

// alarmChannels gives the enabled ones among those that the alarm names, or
// without names every channel that wants alarms.
func alarmChannels(tx *gorm.DB, a uptime.Alarm) ([]uptime.Channel, error) {
	query := tx.Where("workspace_id = ? AND deleted_at IS NULL AND enabled", a.WorkspaceID)
	if len(a.ChannelIDs) > 0 {
		query = query.Where("id IN (?)", a.ChannelIDs)
	}
	var rows []channelRow
	if err := query.Order("id").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read channels of an alarm: %w", err)
	}
	var channels []uptime.Channel
	for _, r := range rows {
		if c := r.channel(); len(a.ChannelIDs) > 0 || c.Wants(uptime.EventAlarm) {
			channels = append(channels, c)
		}
	}
	return channels, nil
}
