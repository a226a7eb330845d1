package manage

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

// text reads one line of at most limit characters.
func (b *body) text(name string, limit int, into *string) bool {
	return b.textOf(name, limit, "", into)
}

// prose reads text that may have several lines.
func (b *body) prose(name string, limit int, into *string) bool {
	return b.textOf(name, limit, "\n\r\t", into)
}

func (b *body) textOf(name string, limit int, allowed string, into *string) bool {
	raw, ok := b.take(name)
	if !ok {
		return false
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		b.fail(name, "must be a string")
		return false
	}
	switch {
	case hasControl(text, allowed):
		b.fail(name, "must not contain control characters")
	case utf8.RuneCountInString(text) > limit:
		b.fail(name, "must be at most %d characters", limit)
	default:
		*into = strings.TrimSpace(text)
		return true
	}
	return false
}

// secret reads a string as it is.
func (b *body) secret(name string, into *string) bool {
	raw, ok := b.take(name)
	if !ok {
		return false
	}
	if json.Unmarshal(raw, into) != nil {
		b.fail(name, "must be a string")
		return false
	}
	return true
}

// required is text that must be there and not empty.
func (b *body) required(name string, limit int, into *string) bool {
	if _, there := b.take(name); !there {
		b.fail(name, "is required")
		return false
	}
	if !b.text(name, limit, into) {
		return false
	}
	if *into == "" {
		b.fail(name, "must not be empty")
		return false
	}
	return true
}

func (b *body) boolean(name string, into *bool) bool {
	raw, ok := b.take(name)
	if !ok {
		return false
	}
	if json.Unmarshal(raw, into) != nil {
		b.fail(name, "must be true or false")
		return false
	}
	return true
}

// whole reads a whole number from least to most.
func (b *body) whole(name string, least, most int64, into *int) bool {
	raw, ok := b.take(name)
	if !ok {
		return false
	}
	n, ok := wholeNumber(raw)
	switch {
	case !ok:
		b.fail(name, "must be a whole number")
	case n < least || n > most:
		b.fail(name, "must be from %d to %d", least, most)
	default:
		*into = int(n)
		return true
	}
	return false
}

// id reads an optional id; null and absence are 0.
func (b *body) id(name string, into *int64) bool {
	raw, ok := b.take(name)
	if !ok {
		return false
	}
	n, ok := wholeNumber(raw)
	if !ok || n < 1 {
		b.fail(name, "must be an id")
		return false
	}
	*into = n
	return true
}

// wholeNumber takes 5, 5.0 and 5e0, but no "5"; what no int64 holds is none.
func wholeNumber(raw json.RawMessage) (int64, bool) {
	text := string(bytes.TrimSpace(raw))
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	if text == "" || text[0] == '"' {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// duration reads a duration from least to most.
func (b *body) duration(name string, least, most time.Duration, into *time.Duration) bool {
	raw, ok := b.take(name)
	if !ok {
		return false
	}
	var text string
	d, err := time.Duration(0), json.Unmarshal(raw, &text)
	if err == nil {
		d, err = form.ParseDuration(text)
	}
	switch {
	case err != nil:
		b.fail(name, `must be a duration such as "90s", "5m" or "30d"`)
	case d < least:
		b.fail(name, "must be at least %s", shortDuration(least))
	case d > most:
		b.fail(name, "must be at most %s", shortDuration(most))
	default:
		*into = d
		return true
	}
	return false
}

// shortDuration writes whole days as such.
func shortDuration(d time.Duration) string {
	if day := 24 * time.Hour; d > 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	return form.FormatDuration(d)
}

// moment reads a time.
func (b *body) moment(name string, into *time.Time) bool {
	raw, ok := b.take(name)
	if !ok {
		return false
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if at, err := time.Parse(time.RFC3339, text); err == nil && at.Year() >= 1970 && at.Year() < 10000 {
			*into = at.UTC().Truncate(time.Millisecond)
			return true
		}
	}
	b.fail(name, `must be a time such as "2026-01-02T03:04:05Z"`)
	return false
}

// list reads a list of at most limit elements and calls each with its path.
func (b *body) list(name string, limit int, each func(path string, raw json.RawMessage)) bool {
	raw, ok := b.take(name)
	if !ok {
		return false
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		b.fail(name, "must be a list")
		return false
	}
	if len(items) > limit {
		b.fail(name, "must have at most %d entries", limit)
		return false
	}
	for i, item := range items {
		each(name+"["+strconv.Itoa(i)+"]", item)
	}
	return true
}

// ids reads a list of ids, ascending and each once. at gives the index that an
// id had in the body.
func (b *body) ids(name string, limit int) (ids []int64, at map[int64]int, ok bool) {
	at = map[int64]int{}
	i := -1
	ok = b.list(name, limit, func(path string, raw json.RawMessage) {
		i++
		n, whole := wholeNumber(raw)
		if !whole || n < 1 {
			b.fail(path, "must be an id")
			return
		}
		if _, twice := at[n]; !twice {
			at[n] = i
			ids = append(ids, n)
		}
	})
	slices.Sort(ids)
	return ids, at, ok
}

// choice reads one of the options.
func choice[T ~string](b *body, name string, options []T, into *T) bool {
	raw, ok := b.take(name)
	if !ok {
		return false
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		b.fail(name, "must be a string")
		return false
	}
	if !slices.Contains(options, T(text)) {
		b.fail(name, "must be one of %s", joined(options))
		return false
	}
	*into = T(text)
	return true
}

func joined[T ~string](options []T) string {
	var list []string
	for _, o := range options {
		list = append(list, string(o))
	}
	return strings.Join(list, ", ")
}

// add notes what another reader found.
func (b *body) add(errs []uptime.FieldError) { b.errs = append(b.errs, errs...) }

// addUnder notes what was found in an object that is the field of this one.
func (b *body) addUnder(field string, err error) {
	failed, ok := errors.AsType[*uptime.Error](err)
	if !ok {
		return
	}
	for _, e := range failed.Fields {
		b.fail(join(field, e.Field), "%s", e.Message)
	}
}
