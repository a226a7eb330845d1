package manage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"monitor/modules/uptime"
)

const (
	// maxBody is what a body may have in bytes: an HTTP body of 1 MiB may take
	// up to six times that when every character is escaped.
	maxBody = 7 << 20
	// maxDepth of nesting; the deepest object of the contract has four.
	maxDepth = 32
)

// body is a JSON object that is read field by field. Readers take each field
// once and note what is wrong with it; finish tells of everything at once. A
// field that is null counts as absent.
type body struct {
	fields map[string]json.RawMessage
	known  []string // names asked for, in order
	hidden []string // read-only names: accepted and ignored
	errs   []uptime.FieldError
}

// parseBody reads an object. Its error is CodeMalformed for what is no JSON
// object and CodeTooLarge; doubled names are noted in the body.
func parseBody(raw json.RawMessage) (*body, error) {
	switch {
	case len(raw) > maxBody:
		return nil, uptime.Fail(uptime.CodeTooLarge, "The body has more than %d MiB.", maxBody>>20)
	case len(bytes.TrimSpace(raw)) == 0:
		return nil, uptime.Fail(uptime.CodeMalformed, "The body is empty; a JSON object is expected.")
	case !utf8.Valid(raw):
		return nil, uptime.Fail(uptime.CodeMalformed, "The body is not valid UTF-8.")
	}
	b := &body{}
	if err := json.Unmarshal(raw, new(json.RawMessage)); err != nil {
		return nil, &uptime.Error{Code: uptime.CodeMalformed, Detail: uptime.Say("The body is not valid JSON: %v.", err), Err: err}
	}
	if bytes.TrimSpace(raw)[0] != '{' {
		return nil, uptime.Fail(uptime.CodeMalformed, "The body must be a JSON object.")
	}
	if halfPair(raw) {
		return nil, uptime.Fail(uptime.CodeMalformed, `The body holds half of a surrogate pair: \uD800 to \uDFFF come in twos.`)
	}
	scan := scanner{decoder: json.NewDecoder(bytes.NewReader(raw))}
	scan.decoder.UseNumber()
	if err := scan.value("", 0); err != nil {
		return nil, err
	}
	b.errs = scan.errs
	if err := json.Unmarshal(raw, &b.fields); err != nil {
		return nil, &uptime.Error{Code: uptime.CodeMalformed, Detail: "The body is not valid JSON.", Err: err}
	}
	return b, nil
}

// halfPair reports whether valid JSON escapes half of a surrogate pair, which
// the decoder would silently replace.
func halfPair(raw []byte) bool {
	for {
		at := bytes.IndexByte(raw, '\\')
		if at < 0 {
			return false
		}
		raw = raw[at:]
		unit := escaped(raw)
		if !utf16.IsSurrogate(unit) {
			raw = raw[2:]
			continue
		}
		if utf16.DecodeRune(unit, escaped(raw[6:])) == utf8.RuneError {
			return true
		}
		raw = raw[12:]
	}
}

// escaped is the unit of an escape such as \u00e9 at the start of the text, 0 for
// anything else.
func escaped(raw []byte) rune {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return 0
	}
	unit, err := strconv.ParseUint(string(raw[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(unit)
}

const (
	// maxErrors is how many faults of a body are told: who made more made one
	// that explains them all.
	maxErrors = 100
	// maxValues bounds what reading a body may cost; the largest of ours is a
	// monitor with a few hundred.
	maxValues = 10_000
)

// scanner looks through valid JSON for what a decoder would let pass: doubled
// names (two readers may take different ones), NUL (which PostgreSQL cannot
// store) and nesting without end.
type scanner struct {
	decoder *json.Decoder
	errs    []uptime.FieldError
	values  int
}

func (s *scanner) value(path string, depth int) error {
	if depth > maxDepth {
		return uptime.Fail(uptime.CodeMalformed, "The body is nested more than %d deep.", maxDepth)
	}
	if s.values++; s.values > maxValues {
		return uptime.Fail(uptime.CodeTooLarge, "The body holds more than %d values.", maxValues)
	}
	token, err := s.decoder.Token()
	if err != nil {
		return &uptime.Error{Code: uptime.CodeMalformed, Detail: "The body is not valid JSON.", Err: err}
	}
	switch token {
	case json.Delim('{'):
		err = s.object(path, depth)
	case json.Delim('['):
		for i := 0; s.decoder.More() && err == nil; i++ {
			err = s.value(path+"["+strconv.Itoa(i)+"]", depth+1)
		}
		_, _ = s.decoder.Token()
	default:
		if text, ok := token.(string); ok && strings.ContainsRune(text, 0) {
			s.errs = append(s.errs, uptime.FieldError{Field: path, Message: "must not contain NUL characters"})
		}
	}
	return err
}

func (s *scanner) object(path string, depth int) error {
	seen := map[string]bool{}
	for s.decoder.More() {
		token, err := s.decoder.Token()
		if err != nil {
			return &uptime.Error{Code: uptime.CodeMalformed, Detail: "The body is not valid JSON.", Err: err}
		}
		name, _ := token.(string)
		at := join(path, fieldName(name))
		if seen[name] {
			s.errs = append(s.errs, uptime.FieldError{Field: at, Message: "is given twice"})
		}
		if strings.ContainsRune(name, 0) {
			s.errs = append(s.errs, uptime.FieldError{Field: at, Message: "must not contain NUL characters"})
		}
		seen[name] = true
		if err := s.value(at, depth+1); err != nil {
			return err
		}
	}
	_, _ = s.decoder.Token()
	return nil
}

// fieldName makes a name from outside fit to be shown.
func fieldName(name string) string { return uptime.CleanLine(name, 100) }

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (b *body) fail(field, format string, args ...any) {
	b.errs = append(b.errs, uptime.FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
}

// take gives the field unless it is absent or null.
func (b *body) take(name string) (json.RawMessage, bool) {
	if !slices.Contains(b.known, name) {
		b.known = append(b.known, name)
	}
	raw, ok := b.fields[name]
	if !ok || string(raw) == "null" {
		return nil, false
	}
	return raw, true
}

// given reports whether the field is there, null included.
func (b *body) given(name string) bool {
	_, ok := b.fields[name]
	return ok
}

// readOnly accepts the fields and ignores them.
func (b *body) readOnly(names ...string) { b.hidden = append(b.hidden, names...) }

// finish gives everything that is wrong, fields that were never asked for
// included, or nil. thing is what the body describes, with its article.
func (b *body) finish(thing string) error {
	var strange []string
	for name := range b.fields {
		if !slices.Contains(b.known, name) && !slices.Contains(b.hidden, name) {
			strange = append(strange, name)
		}
	}
	slices.Sort(strange)
	for _, name := range strange[:min(len(strange), maxErrors)] {
		b.fail(fieldName(name), "is not a field of %s; allowed are %s", thing, strings.Join(b.known, ", "))
	}
	var errs []uptime.FieldError
	for _, e := range b.errs {
		if len(errs) < maxErrors && !slices.Contains(errs, e) {
			errs = append(errs, e)
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return uptime.Invalid(errs...)
}

// hasControl reports control characters other than the allowed ones.
func hasControl(text, allowed string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return (unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || allowed == "" && uptime.Reorders(r)) && !strings.ContainsRune(allowed, r)
	})
}
