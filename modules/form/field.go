package form

import (
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The kinds of a field: which input a form shows.
const (
	KindURL      = "url"
	KindText     = "text"
	KindTextarea = "textarea"
	KindNumber   = "number"
	KindBool     = "bool"
	KindDuration = "duration"
	KindSelect   = "select"
	KindList     = "list"
	KindMap      = "map"
	KindPassword = "password"
	KindEmail    = "email"
	KindGroup    = "group" // a nested block, see Field.Fields
)

// Field describes one setting to a form or a page of docs.
type Field struct {
	Name        string // in JSON
	Label       string
	Help        string
	Kind        string
	Placeholder string
	Default     any // string, bool, number, []string or map[string]string; durations as text
	Options     []string
	Required    bool
	Advanced    bool
	Secret      string // "", "value", "headers" or "url"
	Min, Max    string // "" is no bound
	MaxLength   int    // characters, 0: no bound
	Fields      []Field
}

// Fields describes a settings struct in its order, from a pointer with defaults.
func Fields(settings any) []Field {
	return fieldsOf(structOf(settings))
}

func fieldsOf(settings reflect.Value) []Field {
	list := make([]Field, 0, settings.NumField())
	for _, m := range members(settings.Type()) {
		list = append(list, fieldOf(m, m.value(settings)))
	}
	return list
}

func fieldOf(m member, value reflect.Value) Field {
	_, required := m.rule("required")
	f := Field{
		Name: m.name, Label: m.tag.Get("label"), Help: m.tag.Get("help"), Kind: kindOf(m),
		Placeholder: m.tag.Get("placeholder"), Options: m.options(), Required: required,
		Advanced: m.tag.Get("advanced") == "true", Secret: m.secret(),
	}
	if f.Label == "" {
		f.Label = labelOf(m.name)
	}
	if f.Kind == KindGroup {
		if value.Kind() == reflect.Pointer {
			value = reflect.New(value.Type().Elem()).Elem()
		}
		f.Fields = fieldsOf(value)
		return f
	}
	f.Default = plain(value)
	f.Min, f.Max = bounds(m)
	if shapeOf(m.typ) == shapeText {
		if param, ok := m.rule("max", "lte", "len"); ok {
			f.MaxLength, _ = strconv.Atoi(param)
		}
	}
	return f
}

// kindOf is the kind that the tag names, or else the one the type suggests.
func kindOf(m member) string {
	if kind := m.tag.Get("kind"); kind != "" {
		return kind
	}
	switch shapeOf(m.typ) {
	case shapeBool:
		return KindBool
	case shapeInteger, shapeNumber:
		return KindNumber
	case shapeDuration:
		return KindDuration
	case shapeList:
		return KindList
	case shapeMap:
		return KindMap
	case shapeGroup:
		return KindGroup
	default:
	}
	switch {
	case m.tag.Get("options") != "":
		return KindSelect
	case m.secret() == "value":
		return KindPassword
	case m.secret() == "url":
		return KindURL
	}
	if _, ok := m.rule("email"); ok {
		return KindEmail
	}
	if _, ok := m.rule("url", "http_url", "https_url"); ok {
		return KindURL
	}
	return KindText
}

// bounds of a number or duration: its min and max tags, or else its rules.
func bounds(m member) (low, high string) {
	switch shapeOf(m.typ) {
	case shapeInteger, shapeNumber, shapeDuration:
	default:
		return "", ""
	}
	low, high = m.tag.Get("min"), m.tag.Get("max")
	if low == "" {
		low, _ = m.rule("min", "gte")
	}
	if high == "" {
		high, _ = m.rule("max", "lte")
	}
	return low, high
}

// labelOf makes "Expected status" of "expected_status".
func labelOf(name string) string {
	words := strings.ReplaceAll(name, "_", " ")
	first, n := utf8.DecodeRuneInString(words)
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + words[n:]
}

// plain is a value as JSON would show it, nil where a pointer is nil.
func plain(v reflect.Value) any {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if text, ok := textOf(v); ok {
		return text
	}
	if v.Kind() == reflect.Slice && v.IsNil() {
		return reflect.MakeSlice(v.Type(), 0, 0).Interface()
	}
	if v.Kind() == reflect.Map && v.IsNil() {
		return reflect.MakeMap(v.Type()).Interface()
	}
	return v.Interface()
}
