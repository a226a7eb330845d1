package uptime

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text from outside fit to be stored and shown: valid UTF-8, no
// NUL and nothing that Reorders, control characters other than newline and tab
// replaced by a space, cut to at most limit bytes without breaking a character. A
// limit of 0 or less gives "".
func Clean(text string, limit int) string {
	if limit <= 0 {
		return ""
	}
	// What is far beyond the cap is never looked at: an answer may be large.
	if len(text) > 4*limit {
		text = text[:4*limit]
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.Map(func(r rune) rune {
		switch {
		case r == 0 || Reorders(r):
			return -1
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, text)
	if len(text) <= limit {
		return text
	}
	cut := limit
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut]
}

// CleanLine is Clean on one line: newlines and tabs become spaces and runs of
// white space become one.
func CleanLine(text string, limit int) string {
	if len(text) > 4*limit && limit > 0 {
		text = text[:4*limit]
	}
	return Clean(strings.Join(strings.Fields(strings.ToValidUTF8(text, "\uFFFD")), " "), limit)
}

// Reorders reports the characters by which text shows its letters, and what stands
// behind it, in another order than they have: the embeddings, overrides and isolates
// of the bidirectional algorithm (Unicode UAX #9; CVE-2021-42574). Marks that only
// say which way a letter runs are none of them.
func Reorders(r rune) bool {
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}
