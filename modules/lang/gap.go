package lang

import (
	"regexp"
	"strings"
)

// gap is one that fmt fills: %s, %d, %q, %v, %w, and with its place: %[2]s.
var gap = regexp.MustCompile(`%(?:\[(\d)\])?([sdqvw])`)

// slot is a gap of a text: which arg is in it, from 0, and how it is written.
type slot struct {
	arg  int
	verb string
}

// apart gives what stands before, between and after the gaps of a text, and the gaps.
func apart(text string) (parts []string, gaps []slot) {
	at, arg := 0, 0
	for _, g := range gap.FindAllStringSubmatchIndex(text, -1) {
		if g[2] >= 0 {
			arg = int(text[g[2]]-'0') - 1
		}
		parts = append(parts, strings.ReplaceAll(text[at:g[0]], "%%", "%"))
		gaps = append(gaps, slot{arg, text[g[4]:g[5]]})
		at, arg = g[1], arg+1
	}
	return append(parts, strings.ReplaceAll(text[at:], "%%", "%")), gaps
}

// Parts are what T says of n args, taken apart: the text before, between and after the
// gaps, and which arg is in each, from 0. They are for who writes args in their own way, as
// templates do. It is not ok where fmt does more with an arg than to write it, and where
// the args are not those of the gaps.
func (l *Language) Parts(key string, n int) (parts []string, args []int, ok bool) {
	text := l.text(key)
	parts, gaps := apart(text)
	used := map[int]bool{}
	for _, g := range gaps {
		if g.arg < 0 || g.arg >= n || g.verb == "q" || g.verb == "w" {
			return nil, nil, false
		}
		args, used[g.arg] = append(args, g.arg), true
	}
	if n == 0 { // which fmt does not see
		parts = []string{text}
	}
	return parts, args, len(used) == n
}
