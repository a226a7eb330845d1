package lang

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/feature/plural"
)

// maxSaid bounds what is looked for in the catalogue, in bytes; no sentence of the
// program is longer.
const maxSaid = 2048

// kept of a sentence whatever the language: gaps, markup and entities.
var kept = regexp.MustCompile(gap.String() + `|%%|<[^>]*>|&[a-z]+;`)

// leastLetters of a sentence that begins with a gap: "%s of %s" fits too much that it
// does not mean.
const leastLetters = 6

// said is a sentence with gaps that a text may be.
type said struct {
	key     string
	parts   []string // that are no gap, before, between and after the gaps
	verbs   []string // of the gaps
	literal int      // characters of the parts: more of them fit better
}

// fits gives what stands in the gaps of a text that may be the sentence.
func (s said) fits(english string) (gaps []string, ok bool) {
	rest, begins := strings.CutPrefix(english, s.parts[0])
	if len(s.verbs) == 0 {
		return nil, begins && rest == ""
	}
	if !begins || !strings.HasSuffix(rest, s.parts[len(s.parts)-1]) {
		return nil, false
	}
	gaps = make([]string, len(s.verbs))
	ok, _ = s.fill(gaps, 0, rest)
	return gaps, ok
}

// fill finds the i-th gap at the start of rest and those after it. A gap is as short as
// it can be. In vain is to look further on for the gap before: a part that has to come is
// nowhere in rest, so that a hostile text costs no more than to be read a few times.
func (s said) fill(gaps []string, i int, rest string) (ok, vain bool) {
	if i == len(gaps) {
		return rest == "", false
	}
	next := s.parts[i+1]
	var end int
	switch s.verbs[i] {
	case "d":
		end = len(rest) - len(strings.TrimLeft(rest, "-0123456789"))
	case "q":
		quoted, _ := strconv.QuotedPrefix(rest)
		end = len(quoted)
	default:
		if i == len(gaps)-1 {
			end = len(rest) - len(next)
			vain = end <= 0
			break
		}
		for end = 1; end < len(rest); end++ {
			at := strings.Index(rest[end:], next)
			if at < 0 {
				break
			}
			end += at
			gaps[i] = rest[:end]
			if ok, vain := s.fill(gaps, i+1, rest[end+len(next):]); ok || vain {
				return ok, vain
			}
		}
		return false, true
	}
	if end <= 0 || !strings.HasPrefix(rest[end:], next) {
		return false, vain
	}
	gaps[i] = rest[:end]
	return s.fill(gaps, i+1, rest[end+len(next):])
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
	// What was added at the end: "No answer within 10s. Monitor paused."
	first, added := english, ""
	if at := strings.LastIndex(english, ". "); at > 0 {
		if f, ok := l.texts[english[at+len(". "):]]; ok {
			first, added = english[:at], ". "+f[plural.Other]
		}
	}
	if added != "" {
		if said := l.Said(first); said != first {
			return said + added
		}
	}
	for _, start := range []string{firstWord(english), ""} {
		for _, s := range l.sentences()[start] {
			if gaps, ok := s.fits(english); ok {
				return l.again(s, gaps)
			}
		}
	}
	return first + added
}

// Word says a word of the program: a role, a status. One that the catalogue does not have
// is told as it is.
func (l *Language) Word(english string) string {
	if l == nil {
		return english
	}
	if f, ok := l.texts["word|"+english]; ok {
		return f[plural.Other]
	}
	return l.Said(english)
}

// again fills the translation of a sentence with what stood in its gaps. Of %v it is a
// word of the program. A gap of several words may be a sentence of its own; a single word
// is a name or a number. Where a translation has %s for %q it quotes in its own way.
func (l *Language) again(s said, gaps []string) string {
	args := make([]any, len(gaps))
	for i, text := range gaps {
		switch quoted, err := strconv.Unquote(text); {
		case s.verbs[i] == "q" && err == nil:
			args[i] = quoted
		case s.verbs[i] == "v":
			args[i] = l.Word(text)
		case strings.Contains(text, " "):
			args[i] = l.Said(text)
		default:
			args[i] = text
		}
	}
	f := l.texts[s.key]
	text := f[plural.Other]
	if len(gaps) > 0 {
		if n, err := strconv.ParseInt(gaps[0], 10, 64); err == nil {
			text = cmp.Or(f[l.form(n)], text)
		}
	}
	text = gap.ReplaceAllStringFunc(text, func(g string) string {
		if strings.HasSuffix(g, "q") {
			return g
		}
		return g[:len(g)-1] + "s"
	})
	return fmt.Sprintf(text, args...)
}

// sentences with gaps, by their first word: "" are those that begin with a gap. What has
// no words of its own is no sentence.
func (l *Language) sentences() map[string][]said {
	l.once.Do(func() {
		l.saids = map[string][]said{}
		for key := range l.texts {
			text := bare(key)
			first := firstWord(text)
			if strings.Contains(first, "%") {
				first = ""
			}
			if n := letters(text); !strings.Contains(text, "%") || n == 0 || first == "" && n < leastLetters {
				continue
			}
			l.saids[first] = append(l.saids[first], sentenceOf(key))
		}
		for _, list := range l.saids {
			slices.SortFunc(list, func(a, b said) int { return cmp.Or(b.literal-a.literal, strings.Compare(a.key, b.key)) })
		}
	})
	return l.saids
}

// letters that a sentence has besides its gaps.
func letters(text string) (n int) {
	for _, r := range gap.ReplaceAllString(text, "") {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}

// sentenceOf a key: its gaps in the order in which they stand.
func sentenceOf(key string) said {
	parts, gaps := apart(bare(key))
	s := said{key: key, parts: parts}
	for _, part := range parts {
		s.literal += utf8.RuneCountInString(part)
	}
	for _, g := range gaps {
		s.verbs = append(s.verbs, g.verb)
	}
	return s
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return word
}
