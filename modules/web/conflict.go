package web

import (
	"errors"
	"slices"
	"strings"

	"monitor/modules/lang"
	"monitor/modules/uptime"
)

// Conflict is what somebody else saved while a form was open.
type Conflict struct {
	What string // "monitor": what chooses the sentence, never shown
	Who  string // "Somebody else" where the log does not say
	At   When
	Rows []ConflictRow
}

// ConflictRow is a field that differs.
type ConflictRow struct{ Label, Theirs, Yours string }

// conflictOf compares what was typed, which the fields hold, with what is stored by now.
func (r *request) conflictOf(s *scene, object string, id int64, stored map[string]string, groups ...[]FieldView) (*Conflict, error) {
	c := &Conflict{What: object, Who: s.t("Somebody else")}
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
		c.Rows = append(c.Rows, differing(s.lang, fields, stored)...)
	}
	return c, nil
}

func differing(l *lang.Language, fields []FieldView, stored map[string]string) []ConflictRow {
	var out []ConflictRow
	say := func(key string) string { return l.T(key) }
	for _, f := range fields {
		if f.Widget == "group" {
			out = append(out, differing(l, f.Fields, stored)...)
			continue
		}
		theirs, yours, shown := stored[f.Name], f.Value, orDash
		switch {
		case f.Widget == "check":
			theirs, yours, shown = switchWord(theirs != ""), switchWord(f.Checked), say
		case f.Secret:
			theirs, yours, shown = secretWord(theirs, theirs), secretWord(yours, theirs), say
		default:
			theirs, yours = plainText(theirs), plainText(yours)
		}
		if theirs != yours {
			out = append(out, ConflictRow{l.T(f.Label), shown(theirs), shown(yours)})
		}
	}
	return out
}

// onOff is the value of a preference.
func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// secretWord says of a secret that it is there, and whether it is another one: a key of
// the catalogue.
func secretWord(value, stored string) string {
	switch value {
	case "":
		return lang.Key("secret|not set")
	case stored:
		return lang.Key("secret|set")
	}
	return lang.Key("secret|a new one")
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
