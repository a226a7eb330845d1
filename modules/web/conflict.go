package web

import (
	"errors"
	"slices"
	"strings"

	"monitor/modules/uptime"
)

// Conflict is what somebody else saved while a form was open.
type Conflict struct {
	What string // "monitor"
	Who  string // "Somebody else" where the log does not say
	At   When
	Rows []ConflictRow
}

// ConflictRow is a field that differs.
type ConflictRow struct{ Label, Theirs, Yours string }

// conflictOf compares what was typed, which the fields hold, with what is stored by now.
func (r *request) conflictOf(s *scene, object string, id int64, stored map[string]string, groups ...[]FieldView) (*Conflict, error) {
	c := &Conflict{What: object, Who: "Somebody else"}
	last, err := r.web.deps.Manage.LastChange(r.Request().Context(), r.actor, object, id)
	switch {
	case err == nil:
		c.At = s.when(last.At)
		if last.User != "" {
			c.Who = last.User
		}
	case !errors.Is(err, uptime.ErrNotFound):
		return nil, err
	}
	for _, fields := range groups {
		c.Rows = append(c.Rows, differing(fields, stored)...)
	}
	return c, nil
}

func differing(fields []FieldView, stored map[string]string) []ConflictRow {
	var out []ConflictRow
	for _, f := range fields {
		if f.Widget == "group" {
			out = append(out, differing(f.Fields, stored)...)
			continue
		}
		theirs, yours := stored[f.Name], f.Value
		switch {
		case f.Widget == "check":
			theirs, yours = onOff(theirs != ""), onOff(f.Checked)
		case f.Secret:
			theirs, yours = secretText(theirs, theirs), secretText(yours, theirs)
		default:
			theirs, yours = plainText(theirs), plainText(yours)
		}
		if theirs != yours {
			out = append(out, ConflictRow{f.Label, orDash(theirs), orDash(yours)})
		}
	}
	return out
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// secretText says of a secret that it is there, and whether it is another one.
func secretText(value, stored string) string {
	switch value {
	case "":
		return "not set"
	case stored:
		return "set"
	}
	return "a new one"
}

// plainText is a value as it is compared: durations in their neat spelling, lines in
// any order of blanks.
func plainText(value string) string {
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(value, "\r\n", "\n")), "\n")
	if len(lines) > 1 {
		slices.Sort(lines)
	}
	return neatText(strings.Join(lines, ", "))
}

func orDash(text string) string {
	if text == "" {
		return "—"
	}
	return text
}
