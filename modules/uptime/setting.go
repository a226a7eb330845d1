package uptime

import (
	"encoding/json"
	"time"
)

// The settings that people choose on pages.
const (
	SettingMonitorDefaults = "monitor_defaults" // of each workspace
	SettingRetention       = "retention"        // of the first workspace, for all of them

	SettingReplacedDefaults = "monitor_defaults_replaced" // what the last change of them replaced
)

// Setting is a choice of a workspace, by its name.
type Setting struct {
	WorkspaceID int64
	Name        string
	Value       json.RawMessage
	Version     int64 // rises with each change; 0: never chosen
	UpdatedAt   time.Time
}
