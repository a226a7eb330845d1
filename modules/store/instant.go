package store

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// instant is a time in a column: Unix milliseconds, the zero time as NULL.
type instant int64

func at(t time.Time) instant {
	if t.IsZero() {
		return 0
	}
	return instant(t.UnixMilli())
}

func (i instant) time() time.Time {
	if i == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(i)).UTC()
}

// Value implements driver.Valuer.
func (i instant) Value() (driver.Value, error) {
	if i == 0 {
		return nil, nil
	}
	return int64(i), nil
}

// Scan implements sql.Scanner.
func (i *instant) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*i = 0
	case int64:
		*i = instant(v)
	default:
		return fmt.Errorf("a time of type %T", v)
	}
	return nil
}

// reference is the id of another row, 0 as NULL.
type reference int64

// Value implements driver.Valuer.
func (r reference) Value() (driver.Value, error) { return instant(r).Value() }

// Scan implements sql.Scanner.
func (r *reference) Scan(v any) error { return (*instant)(r).Scan(v) }
