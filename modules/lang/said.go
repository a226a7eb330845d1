package lang

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/feature/plural"
)

// maxSaid bounds what is looked for in the catalogue, in bytes; no sentence of the
// program is longer.
const maxSaid = 2048

// gap is one that fmt fills: %s, %d, %q, %v, and with its place: %[2]s.
var gap = regexp.MustCompile(`%(?:\[(\d)\])?[sdqv]`)

var word = regexp.MustCompile(`\pL`)

// kept of a sentence whatever the language: gaps, markup and entities.
var kept = regexp.MustCompile(gap.String() + `|%%|<[^>]*>|&[a-z]+;`)

// said is a sentence with gaps that a text may be.
type said struct {
	key     string
	match   *regexp.Regexp
	literal int // bytes that are no gap: more of them fit better
}

// Said says what a part of the program said in English before anybody knew who would
// read it: an error of a use case, why a check failed, the title of an incident. The
// sentence is found again by its words; one that is none of the catalogue's is told as it
// is. Texts of people are not to be given to it.
func (l *Language) Said(english string) string {
	if l == nil || len(l.texts) == 0 || english == "" || len(english) > maxSaid {
		return english
	}
	if f, ok := l.texts[english]; ok {
		return f[plural.Other]
	}
	for _, start := range []string{firstWord(english), ""} {
		for _, s := range l.sentences()[start] {
			if found := s.match.FindStringSubmatch(english); found != nil {
				return l.again(s.key, found[1:])
			}
		}
	}
	return english
}

// again fills the translation of a sentence with what stood in its gaps. A gap of
// several words may be a sentence of its own; a single word is a name or a number.
func (l *Language) again(key string, gaps []string) string {
	args := make([]any, len(gaps))
	for i, text := range gaps {
		if strings.Contains(text, " ") {
			text = l.Said(text)
		}
		args[i] = text
	}
	text := gap.ReplaceAllStringFunc(l.texts[key][plural.Other], func(g string) string { return g[:len(g)-1] + "s" })
	return fill(text, args)
}

// sentences with gaps, by their first word: "" are those that begin with a gap.
func (l *Language) sentences() map[string][]said {
	l.once.Do(func() {
		l.saids = map[string][]said{}
		for key := range l.texts {
			// The form of a date, which has no word, would be found in any text.
			if !gap.MatchString(key) || !word.MatchString(gap.ReplaceAllString(bare(key), "")) {
				continue
			}
			s := sentenceOf(key)
			first := firstWord(bare(key))
			if strings.Contains(first, "%") {
				first = ""
			}
			l.saids[first] = append(l.saids[first], s)
		}
		for _, list := range l.saids {
			slices.SortFunc(list, func(a, b said) int { return cmp.Or(b.literal-a.literal, strings.Compare(a.key, b.key)) })
		}
	})
	return l.saids
}

// sentenceOf a key: its gaps in the order in which they stand.
func sentenceOf(key string) said {
	text := bare(key)
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	at, literal := 0, 0
	add := func(part string) {
		part = strings.ReplaceAll(part, "%%", "%")
		literal += utf8.RuneCountInString(part)
		b.WriteString(regexp.QuoteMeta(part))
	}
	for _, g := range gap.FindAllStringIndex(text, -1) {
		add(text[at:g[0]])
		b.WriteString(`(.+?)`)
		at = g[1]
	}
	add(text[at:])
	b.WriteString(`\z`)
	return said{key: key, match: regexp.MustCompile(b.String()), literal: literal}
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return word
}
