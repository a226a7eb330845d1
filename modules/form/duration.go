package form

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"monitor/modules/uptime"
)

// errDuration is the one message for text that is no duration.
var errDuration = errors.New(uptime.Sentence(`must be a duration such as "90s", "5m" or "30d"`))

// Duration is a time.Duration whose JSON and text form is the public
// contract's: "90s", "5m", "30d" and "500ms" are taken; whole seconds ("300s")
// or, where seconds are not enough, milliseconds ("500ms") are given.
type Duration time.Duration

// ParseDuration reads a sum of numbers with the units d, h, m, s and ms, such
// as "90s" or "1d12h". A day has 24 hours. Negative values and fractions of a
// millisecond are refused; "0" needs no unit.
func ParseDuration(text string) (time.Duration, error) {
	rest := strings.TrimSpace(text)
	if rest == "0" {
		return 0, nil
	}
	if rest == "" {
		return 0, errDuration
	}
	var total time.Duration
	for rest != "" {
		part, after, err := term(rest)
		if err != nil {
			return 0, err
		}
		if part > math.MaxInt64-total {
			return 0, errDuration
		}
		total, rest = total+part, after
	}
	if total%time.Millisecond != 0 {
		return 0, errDuration
	}
	return total, nil
}

// term reads one number with its unit from the start of text.
func term(text string) (d time.Duration, rest string, err error) {
	n := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if n <= 0 {
		return 0, "", errDuration
	}
	number, rest := text[:n], text[n:]
	unit := time.Duration(0)
	// "ms" comes before "m", its prefix.
	for _, u := range []struct {
		name string
		size time.Duration
	}{{"ms", time.Millisecond}, {"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if after, ok := strings.CutPrefix(rest, u.name); ok {
			unit, rest = u.size, after
			break
		}
	}
	if unit == 0 {
		return 0, "", errDuration
	}
	// Whole numbers are exact; only fractions go through a float.
	if whole, err := strconv.ParseInt(number, 10, 64); err == nil {
		if whole > math.MaxInt64/int64(unit) {
			return 0, "", errDuration
		}
		return time.Duration(whole) * unit, rest, nil
	}
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || value*float64(unit) >= math.MaxInt64 {
		return 0, "", errDuration
	}
	return time.Duration(math.Round(value * float64(unit))), rest, nil
}

// FormatDuration gives whole seconds, or milliseconds where seconds are not
// enough: "300s", "500ms", "1500ms", "0s". Parts of a millisecond are cut.
func FormatDuration(d time.Duration) string {
	if d%time.Second == 0 {
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
}

// String is FormatDuration.
func (d Duration) String() string { return FormatDuration(time.Duration(d)) }

// MarshalText is FormatDuration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is ParseDuration.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := ParseDuration(string(text))
	if err != nil {
		return err
	}
	*d = Duration(parsed)
	return nil
}

// MarshalJSON gives the text as a JSON string.
func (d Duration) MarshalJSON() ([]byte, error) { return strconv.AppendQuote(nil, d.String()), nil }

// UnmarshalJSON takes a JSON string; a number is refused, for nobody can tell
// its unit. null changes nothing.
func (d *Duration) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return errDuration
	}
	return d.UnmarshalText([]byte(text))
}
