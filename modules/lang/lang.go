package lang

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

//go:embed catalogue/*.json
var files embed.FS

// Language says sentences, counts and numbers. It never changes and may be used by
// many goroutines at once; nil is English.
type Language struct {
	tag     language.Tag
	name    string
	texts   map[string]forms
	decimal string // between whole and broken: "." or ","
	group   string // between thousands
	percent string // with a gap for the number: "%s%%"

	once  sync.Once
	saids map[string][]said
}

// forms of a sentence by the plural form; one that does not count has "other" alone.
type forms map[plural.Form]string

// UnmarshalJSON reads a text, or an object of plural forms.
func (f *forms) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*f = forms{plural.Other: text}
		return nil
	}
	var named map[string]string
	if err := json.Unmarshal(raw, &named); err != nil {
		return fmt.Errorf("must be a text or an object of plural forms: %w", err)
	}
	*f = forms{}
	for name, text := range named {
		form := slices.Index(formNames(), name)
		if form < 0 {
			return fmt.Errorf("no plural form %q: it must be one of %s", name, strings.Join(formNames(), ", "))
		}
		(*f)[plural.Form(form)] = text //nolint:gosec // of six
	}
	if (*f)[plural.Other] == "" {
		return fmt.Errorf(`the plural form "other" is missing`)
	}
	return nil
}

// formNames in the order of plural.Form.
func formNames() []string { return []string{"other", "zero", "one", "two", "few", "many"} }

// nameKey holds the language's own name.
const nameKey = "language"

// Parse reads a catalogue. An error names the key that cannot be used.
func Parse(tag string, catalogue []byte) (*Language, error) {
	known, err := language.Parse(tag)
	if err != nil {
		return nil, fmt.Errorf("language %q: %w", tag, err)
	}
	l := newLanguage(known)
	return l, l.add(catalogue)
}

func (l *Language) add(catalogue []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(catalogue, &raw); err != nil {
		return fmt.Errorf("catalogue %s: %w", l.tag, err)
	}
	for key, value := range raw {
		var f forms
		if err := json.Unmarshal(value, &f); err != nil {
			return fmt.Errorf("catalogue %s, %q: %w", l.tag, key, err)
		}
		l.texts[key] = f
	}
	if name, ok := l.texts[nameKey]; ok {
		l.name = name[plural.Other]
		delete(l.texts, nameKey)
	}
	return nil
}

// newLanguage asks CLDR, by way of x/text, for how numbers are written. Digits are 0 to 9
// in every language: those of times and addresses are.
func newLanguage(tag language.Tag) *Language {
	p := message.NewPrinter(latin(tag))
	between := func(text string) string { return strings.Trim(text, "0123456789") }
	return &Language{
		tag: tag, name: tag.String(), texts: map[string]forms{},
		decimal: between(p.Sprint(number.Decimal(1.5, number.Scale(1)))),
		group:   between(p.Sprint(number.Decimal(12345))),
		percent: strings.NewReplacer("50", "%s", "%", "%%").Replace(p.Sprint(number.Percent(0.5))),
	}
}

func latin(tag language.Tag) language.Tag {
	if with, err := tag.SetTypeForKey("nu", "latn"); err == nil {
		return with
	}
	return tag
}

var all = sync.OnceValue(func() []*Language {
	english := newLanguage(language.English)
	english.name = "English"
	list := []*Language{english}
	names, err := fs.Glob(files, "catalogue/*.json")
	if err != nil {
		panic("lang: " + err.Error())
	}
	for _, name := range names {
		raw, err := files.ReadFile(name)
		if err != nil {
			panic("lang: " + err.Error())
		}
		l, err := Parse(strings.TrimSuffix(path.Base(name), ".json"), raw)
		if err != nil {
			panic("lang: " + err.Error()) // a test reads every catalogue
		}
		list = append(list, l)
	}
	return list
})

// All languages that pages can be read in, English first.
func All() []*Language { return slices.Clone(all()) }

// Of gives the language with a tag, nil for one that there is no catalogue of.
func Of(tag string) *Language {
	for _, l := range all() {
		if l.Tag() == tag {
			return l
		}
	}
	return nil
}

var matcher = sync.OnceValue(func() language.Matcher {
	tags := make([]language.Tag, 0, len(all()))
	for _, l := range all() {
		tags = append(tags, l.tag)
	}
	return language.NewMatcher(tags)
})

// For gives the language that is read by who asks for a tag, such as German for "de-AT";
// nil where there is none, and for what is no tag.
func For(tag string) *Language {
	asked, err := language.Parse(tag)
	if err != nil {
		return nil
	}
	_, i, sure := matcher().Match(asked)
	if sure < language.High {
		return nil
	}
	return all()[i]
}

// maxHeader bounds what of an Accept-Language header is read.
const maxHeader = 512

// Accepted gives the language that fits an Accept-Language header (RFC 9110,
// 12.5.4) best, English where none does or the header cannot be read.
func Accepted(header string) *Language {
	if len(header) > maxHeader { // the last of what is read may be half a tag
		header = header[:max(strings.LastIndexByte(header[:maxHeader], ','), 0)]
	}
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil {
		return all()[0]
	}
	_, i, _ := matcher().Match(tags...)
	return all()[i]
}

// Tag of the language after BCP 47: "de".
func (l *Language) Tag() string {
	if l == nil {
		return language.English.String()
	}
	return l.tag.String()
}

// Name of the language in itself: "Deutsch".
func (l *Language) Name() string {
	if l == nil {
		return "English"
	}
	return l.name
}

// Dir is the direction in which it is written: "ltr" or "rtl".
func (l *Language) Dir() string {
	if l == nil {
		return "ltr"
	}
	switch script, _ := l.tag.Script(); script.String() {
	case "Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm":
		return "rtl"
	}
	return "ltr"
}

// T says a sentence of the catalogue, which fmt fills with args where there are any.
// Counts among them are to be given as Figure writes them.
func (l *Language) T(key string, args ...any) string { return fill(l.text(key), args) }

func (l *Language) text(key string) string {
	if l != nil {
		if f, ok := l.texts[key]; ok {
			return f[plural.Other]
		}
	}
	return bare(key)
}

// N says a sentence that counts n, the first gap of which is the number. Its key in the
// catalogue is other; one and other are the English forms. Further gaps are those of
// args.
func (l *Language) N(n int64, one, other string, args ...any) string {
	text := bare(other)
	if n == 1 {
		text = bare(one)
	}
	if l != nil {
		if f, ok := l.texts[other]; ok {
			text = cmp.Or(f[l.form(n)], f[plural.Other])
		}
	}
	// A number and its noun stay on one line.
	text = strings.Replace(text, "%s ", "%s"+nbsp, 1)
	return fill(text, append([]any{l.Figure(n)}, args...))
}

// form is the plural form of a whole number after CLDR.
func (l *Language) form(n int64) plural.Form {
	// The rules ask for the last digits alone, and whether it is small.
	const enough = 10_000_000
	n = max(n, -n)
	if n > enough {
		n = enough + n%enough
	}
	return plural.Cardinal.MatchPlural(l.tag, int(n), 0, 0, 0, 0)
}

// bare is a key without what tells it from another one.
func bare(key string) string {
	if _, text, ok := strings.Cut(key, "|"); ok {
		return text
	}
	return key
}

func fill(text string, args []any) string {
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// Catalogue gives the translations of keys: a text, or for one that counts an object of
// plural forms by CLDR's names, as JSON has them. Keys that are not translated are left out.
func (l *Language) Catalogue(keys []string) map[string]any {
	out := map[string]any{}
	for _, key := range keys {
		var f forms
		if l != nil {
			f = l.texts[key]
		}
		switch {
		case len(f) == 1:
			out[key] = f[plural.Other]
		case len(f) > 1:
			byName := map[string]string{}
			for form, text := range f {
				byName[formNames()[form]] = text
			}
			out[key] = byName
		}
	}
	return out
}

// Keys of all sentences that the language has, in order.
func (l *Language) Keys() []string {
	if l == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(l.texts))
}

// Key marks a sentence of the catalogue that is said later, by T: for tables.
func Key(english string) string { return english }
