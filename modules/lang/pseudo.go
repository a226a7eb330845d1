package lang

import (
	"maps"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// Marks around every sentence that Pseudo says.
const (
	PseudoBegin = "⟦"
	PseudoEnd   = "⟧"
)

// Pseudo is a language for tests of pages: every sentence that a catalogue translates is
// in brackets, with accents and about 40 % longer, as German and Finnish are. What a page
// shows without brackets is in no catalogue; what does not fit is clipped in some
// language.
func Pseudo() *Language {
	l := newLanguage(language.MustParse("en-XA"))
	for _, known := range all()[1:] {
		for key, f := range known.texts {
			l.texts[key] = maps.Clone(f)
			for form := range f {
				l.texts[key][form] = pseudo(bare(key))
			}
		}
	}
	if day, ok := l.texts["day|d"]; ok {
		day[plural.Other] = "d" // a unit, not a sentence
	}
	return l
}

// Mirrored is Pseudo written from right to left.
func Mirrored() *Language {
	l := Pseudo()
	l.tag = language.MustParse("ar-XB")
	return l
}

// pseudo keeps gaps, markup and entities as they are.
func pseudo(text string) string {
	accents := strings.NewReplacer("a", "á", "e", "é", "i", "í", "o", "ó", "u", "ú", "A", "Á", "E", "É", "I", "Í", "O", "Ó", "U", "Ú", "n", "ñ", "c", "ç")
	var b strings.Builder
	b.WriteString(PseudoBegin)
	at := 0
	for _, keep := range kept.FindAllStringIndex(text, -1) {
		b.WriteString(accents.Replace(text[at:keep[0]]))
		part := text[keep[0]:keep[1]]
		if strings.HasPrefix(part, "<") { // what stands between tags is found by itself
			part = PseudoEnd + part + PseudoBegin
		}
		b.WriteString(part)
		at = keep[1]
	}
	b.WriteString(accents.Replace(text[at:]))
	for range (len(text)*2/5 + 3) / 4 { // in words, which can be broken
		b.WriteString(" xxx")
	}
	b.WriteString(PseudoEnd)
	return b.String()
}
