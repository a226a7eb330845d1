package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

type settingRow struct {
	WorkspaceID int64
	Name        string
	Value       string
	Version     int64
	UpdatedAt   instant `gorm:"autoUpdateTime:false"`
}

// TableName implements gorm's Tabler.
func (settingRow) TableName() string { return "settings" }

func (r settingRow) setting() uptime.Setting {
	return uptime.Setting{
		WorkspaceID: r.WorkspaceID, Name: r.Name, Value: json.RawMessage(r.Value), Version: r.Version, UpdatedAt: r.UpdatedAt.time(),
	}
}

// Setting gives what was chosen; uptime.ErrNotFound where nothing ever was.
func (s *Store) Setting(ctx context.Context, ws int64, name string) (uptime.Setting, error) {
	var row settingRow
	err := s.read(ctx, func(db *gorm.DB) error { return db.Where("workspace_id = ? AND name = ?", ws, name).Take(&row).Error })
	if err != nil {
		return uptime.Setting{}, fmt.Errorf("read the setting %s: %w", name, err)
	}
	return row.setting(), nil
}

// ChangeSetting lets mutate change a setting; one that was never chosen has version 0
// and no value. Changes of one workspace run one after the other.
func (s *Store) ChangeSetting(ctx context.Context, ws int64, name string, mutate func(*uptime.Setting) error, audit *uptime.Audit) (uptime.Setting, error) {
	var after uptime.Setting
	err := s.write(ctx, func(tx *gorm.DB) error {
		if _, err := s.lockWorkspace(tx, ws); err != nil {
			return err
		}
		row := settingRow{WorkspaceID: ws, Name: name}
		err := tx.Where("workspace_id = ? AND name = ?", ws, name).Take(&row).Error
		if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
			return fmt.Errorf("read the setting %s: %w", name, err)
		}
		before := row.setting()
		after = before
		if err := mutate(&after); err != nil {
			return err
		}
		if bytes.Equal(after.Value, before.Value) {
			after = before
			return nil
		}
		row.Value, row.Version, row.UpdatedAt = string(after.Value), before.Version+1, at(s.now())
		err = tx.Exec(`INSERT INTO settings (workspace_id, name, value, version, updated_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (workspace_id, name) DO UPDATE SET value = excluded.value, version = excluded.version, updated_at = excluded.updated_at`,
			row.WorkspaceID, row.Name, row.Value, row.Version, row.UpdatedAt).Error
		if err != nil {
			return fmt.Errorf("save the setting %s: %w", name, err)
		}
		after = row.setting()
		return insertAudit(tx, audit, ws)
	})
	return after, err
}
