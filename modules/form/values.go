package form

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// FromValues makes the JSON of a settings block from an HTML form whose inputs
// are named prefix.path ("http.url", "smtp.password" without a prefix). A list
// has one entry per line, a map one "Name: value" per line. A checkbox is true
// when it is there, unless its last value is "false", "off" or "0". Inputs that
// are missing, and empty numbers, durations and selects, are left out, so that
// Decode gives them their default. What cannot be read as a number or map stays
// a string for Decode to report.
func FromValues(fields []Field, prefix string, v url.Values) json.RawMessage {
	raw, err := json.Marshal(groupFrom(fields, strings.TrimSuffix(prefix, "."), v))
	if err != nil {
		// Strings, numbers that were parsed and booleans always have a JSON form.
		panic("form: " + err.Error())
	}
	return raw
}

func groupFrom(fields []Field, prefix string, v url.Values) object {
	o := object{}
	for _, f := range fields {
		name := join(prefix, f.Name)
		if f.Kind == KindGroup {
			if g := groupFrom(f.Fields, name, v); len(g) > 0 && anyInput(name, v) {
				o = append(o, entry{f.Name, g})
			}
			continue
		}
		if f.Kind == KindBool {
			o = append(o, entry{f.Name, checked(v[name])})
			continue
		}
		given, ok := v[name]
		if !ok || len(given) == 0 {
			continue
		}
		if value := fromInput(f, given); value != nil {
			o = append(o, entry{f.Name, value})
		}
	}
	return o
}

// anyInput reports whether the form has an input below the name.
func anyInput(name string, v url.Values) bool {
	for key := range v {
		if strings.HasPrefix(key, name+".") {
			return true
		}
	}
	return false
}

func checked(given []string) bool {
	if len(given) == 0 {
		return false
	}
	switch strings.ToLower(given[len(given)-1]) {
	case "", "false", "off", "0":
		return false
	}
	return true
}

// fromInput is nil where the default is meant.
func fromInput(f Field, given []string) any {
	text := given[len(given)-1]
	trimmed := strings.TrimSpace(text)
	_, isList := f.Default.([]string)
	switch {
	case f.Kind == KindList || isList:
		return lines(given)
	case f.Kind == KindMap:
		return pairLines(strings.Join(given, "\n"))
	case f.Kind == KindTextarea, f.Kind == KindPassword:
		// Blanks may be part of what is sent. Browsers send CRLF for newlines.
		return strings.ReplaceAll(text, "\r\n", "\n")
	case f.Kind == KindNumber:
		if trimmed == "" {
			return nil
		}
		if json.Valid([]byte(trimmed)) && (trimmed[0] == '-' || trimmed[0] >= '0' && trimmed[0] <= '9') {
			return json.Number(trimmed)
		}
		return trimmed
	case trimmed == "" && (f.Kind == KindDuration || f.Kind == KindSelect && !slices.Contains(f.Options, "")):
		return nil
	}
	return trimmed
}

// lines takes lists from a textarea as well as from repeated inputs.
func lines(given []string) []any {
	list := []any{}
	for line := range strings.Lines(strings.Join(given, "\n")) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// pairLines gives an object, or the text itself when a line has no colon.
// Doubles are kept for Decode to refuse.
func pairLines(text string) any {
	o := object{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return text
		}
		o = append(o, entry{name, strings.TrimSpace(value)})
	}
	return o
}

// ToValues gives what fills the inputs of an HTML form again, by path without a
// prefix: lists and maps one entry per line, booleans "true" or "", nothing for
// absent nested blocks. Mask the secrets first.
func ToValues(settings any) map[string]string {
	values := map[string]string{}
	fill(values, "", structOf(settings))
	return values
}

func fill(values map[string]string, parent string, v reflect.Value) {
	for _, m := range members(v.Type()) {
		f, path := m.value(v), join(parent, m.name)
		if f.Kind() == reflect.Pointer {
			if f.IsNil() {
				continue
			}
			f = f.Elem()
		}
		switch shapeOf(m.typ) {
		case shapeGroup:
			fill(values, path, f)
		case shapeList:
			values[path] = strings.Join(each(f), "\n")
		case shapeMap:
			values[path] = strings.Join(pairsOf(f), "\n")
		case shapeBool:
			if values[path] = ""; f.Bool() {
				values[path] = "true"
			}
		default:
			values[path] = show(f)
		}
	}
}

func each(f reflect.Value) []string {
	list := make([]string, f.Len())
	for i := range list {
		list[i] = show(f.Index(i))
	}
	return list
}

func pairsOf(f reflect.Value) []string {
	list := make([]string, 0, f.Len())
	for it := f.MapRange(); it.Next(); {
		list = append(list, fmt.Sprintf("%v: %s", it.Key(), show(it.Value())))
	}
	sort.Strings(list)
	return list
}

func show(f reflect.Value) string {
	if text, ok := textOf(f); ok {
		return text
	}
	switch {
	case f.CanFloat():
		return strconv.FormatFloat(f.Float(), 'f', -1, 64)
	case f.CanInt() || f.CanUint():
		return fmt.Sprint(f.Interface())
	}
	raw, err := json.Marshal(f.Interface())
	if err != nil {
		return ""
	}
	return string(raw)
}
