package store

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"

	"monitor/modules/uptime"
)

// preferences are somebody's in a column of JSON, in which what is as usual for
// everybody may be absent.
type preferences uptime.Preferences

// Value implements driver.Valuer.
func (p preferences) Value() (driver.Value, error) {
	if p.PageSize == 0 { // of who is new
		return "{}", nil
	}
	raw, err := json.Marshal(uptime.Preferences(p))
	return string(raw), err
}

// whole are the preferences of a row, also of one that was not read.
func (p preferences) whole() uptime.Preferences {
	if p.PageSize == 0 {
		return uptime.DefaultPreferences()
	}
	return uptime.Preferences(p)
}

// Scan implements sql.Scanner.
func (p *preferences) Scan(value any) error {
	var raw []byte
	switch v := value.(type) {
	case string:
		raw = []byte(v)
	case []byte:
		raw = v
	default:
		return fmt.Errorf("preferences are %T", value)
	}
	read := uptime.DefaultPreferences()
	if err := json.Unmarshal(raw, &read); err != nil {
		return fmt.Errorf("read preferences: %w", err)
	}
	*p = preferences(read)
	return nil
}
