package store

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
)

// textList is a list of texts in a column of JSON; an empty one is nil.
type textList []string

// Value implements driver.Valuer.
func (l textList) Value() (driver.Value, error) {
	if len(l) == 0 {
		return "[]", nil
	}
	raw, err := json.Marshal([]string(l))
	return string(raw), err
}

// Scan implements sql.Scanner.
func (l *textList) Scan(value any) error {
	var raw []byte
	switch v := value.(type) {
	case string:
		raw = []byte(v)
	case []byte:
		raw = v
	default:
		return fmt.Errorf("a list of texts is %T", value)
	}
	*l = nil
	var list []string
	if err := json.Unmarshal(raw, &list); err != nil {
		return fmt.Errorf("read a list of texts: %w", err)
	}
	if len(list) > 0 {
		*l = list
	}
	return nil
}
