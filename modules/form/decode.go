package form

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"monitor/modules/uptime"
)

// maxErrors bounds what one answer tells: a body of some MiB can hold a million
// mistakes, and to compare each with all others would take minutes.
const maxErrors = 100

// Decode reads the JSON of a settings block strictly into settings that hold
// its defaults, then validates them. Everything wrong is reported at once, with
// paths that start with the block's name: unknown fields, doubles, wrong types,
// broken rules. null stands for a field's default. When an error is returned
// the settings may be partly filled and must not be used. Raw that is no JSON
// at all is CodeMalformed, everything else CodeInvalid, with the first maxErrors
// of what is wrong.
func Decode(block string, raw json.RawMessage, into any) *uptime.Error {
	v := structOf(into)
	var d decoder
	if len(raw) > 0 {
		tree, err := parse(raw)
		if err != nil {
			return &uptime.Error{Code: uptime.CodeMalformed, Detail: "The settings are not valid JSON.", Err: err}
		}
		if tree != nil {
			d.group(block, tree, v)
		}
	}
	errs := d.errs
	for _, e := range Validate(block, into) {
		if len(errs) >= maxErrors {
			break
		}
		// What could not be read still holds its default, so nothing that the
		// rules say of it is about what the user wrote.
		if !slices.ContainsFunc(d.errs, func(f uptime.FieldError) bool { return within(e.Field, f.Field) }) {
			errs = append(errs, e)
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return uptime.Invalid(inOrder(block, v.Type(), errs)...)
}

// within reports whether a path is another one or lies below it.
func within(path, parent string) bool {
	rest, ok := strings.CutPrefix(path, parent)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// inOrder sorts errors by the order of the struct's fields, unknown ones last.
func inOrder(block string, t reflect.Type, errs []uptime.FieldError) []uptime.FieldError {
	list := members(t)
	rank := func(e uptime.FieldError) int {
		i := slices.IndexFunc(list, func(m member) bool { return within(e.Field, join(block, m.name)) })
		if i < 0 {
			return len(list)
		}
		return i
	}
	slices.SortStableFunc(errs, func(a, b uptime.FieldError) int { return rank(a) - rank(b) })
	return errs
}

// decoder assigns a JSON tree to a struct and collects what does not fit.
type decoder struct {
	errs []uptime.FieldError
}

func (d *decoder) fail(path, format string, args ...any) {
	if len(d.errs) >= maxErrors {
		return
	}
	d.errs = append(d.errs, uptime.FieldError{Field: path, Message: fmt.Sprintf(format, args...)})
}

// group assigns an object to a struct. block is its path.
func (d *decoder) group(block string, tree any, into reflect.Value) {
	o, ok := tree.(object)
	if !ok {
		d.fail(block, "must be an object")
		return
	}
	list := members(into.Type())
	seen := make(map[string]bool, len(o))
	for _, e := range o {
		path := join(block, uptime.CleanLine(e.key, 100))
		if seen[e.key] {
			d.fail(path, "is given twice")
			continue
		}
		seen[e.key] = true
		i := slices.IndexFunc(list, func(m member) bool { return m.name == e.key })
		switch {
		case i < 0:
			d.fail(path, "is not a field of %s; allowed are %s", block, names(list))
		case e.value != nil:
			d.value(path, e.value, list[i].value(into))
		}
	}
}

func names(list []member) string {
	all := make([]string, len(list))
	for i, m := range list {
		all[i] = m.name
	}
	return strings.Join(all, ", ")
}

// value assigns what is not null.
func (d *decoder) value(path string, tree any, into reflect.Value) {
	if into.Kind() == reflect.Pointer {
		fresh := reflect.New(into.Type().Elem())
		d.value(path, tree, fresh.Elem())
		into.Set(fresh)
		return
	}
	switch shapeOf(into.Type()) {
	case shapeText, shapeDuration:
		d.text(path, tree, into)
	case shapeBool:
		if b, ok := tree.(bool); ok {
			into.SetBool(b)
			return
		}
		d.fail(path, "must be true or false")
	case shapeInteger:
		d.integer(path, tree, into)
	case shapeNumber:
		d.number(path, tree, into)
	case shapeList:
		d.list(path, tree, into)
	case shapeMap:
		d.pairs(path, tree, into)
	case shapeGroup:
		d.group(path, tree, into)
	case shapeOther:
		d.raw(path, tree, into)
	}
}

func (d *decoder) text(path string, tree any, into reflect.Value) {
	text, ok := tree.(string)
	u, special := reflect.TypeAssert[encoding.TextUnmarshaler](into.Addr())
	switch {
	case special && into.Type() == reflect.TypeFor[Duration]():
		if !ok || u.UnmarshalText([]byte(text)) != nil {
			d.fail(path, "%s", errDuration)
		}
	case !ok:
		d.fail(path, "must be a string")
	case special:
		if u.UnmarshalText([]byte(text)) != nil {
			d.fail(path, "cannot be read")
		}
	default:
		into.SetString(text)
	}
}

func (d *decoder) integer(path string, tree any, into reflect.Value) {
	n, ok := tree.(json.Number)
	if !ok {
		d.fail(path, "must be a whole number")
		return
	}
	// 1e3 and 5.0 are whole numbers, too.
	value, err := n.Int64()
	if err != nil {
		f, err := n.Float64()
		if value = int64(f); err != nil || float64(value) != f {
			d.fail(path, "must be a whole number")
			return
		}
	}
	switch {
	case into.CanInt() && !into.OverflowInt(value):
		into.SetInt(value)
	case into.CanUint() && value >= 0 && !into.OverflowUint(uint64(value)):
		into.SetUint(uint64(value))
	default:
		d.fail(path, "is out of range")
	}
}

func (d *decoder) number(path string, tree any, into reflect.Value) {
	n, ok := tree.(json.Number)
	if !ok {
		d.fail(path, "must be a number")
		return
	}
	f, err := n.Float64()
	if err != nil || into.OverflowFloat(f) {
		d.fail(path, "is out of range")
		return
	}
	into.SetFloat(f)
}

func (d *decoder) list(path string, tree any, into reflect.Value) {
	items, ok := tree.([]any)
	if !ok {
		d.fail(path, "must be a list")
		return
	}
	list := reflect.MakeSlice(into.Type(), len(items), len(items))
	for i, item := range items {
		at := path + "[" + strconv.Itoa(i) + "]"
		if item == nil {
			d.fail(at, "must not be null")
			continue
		}
		d.value(at, item, list.Index(i))
	}
	into.Set(list)
}

func (d *decoder) pairs(path string, tree any, into reflect.Value) {
	o, ok := tree.(object)
	if !ok {
		d.fail(path, `must be names with values: a JSON object, or lines like "Name: value" in a form`)
		return
	}
	pairs := reflect.MakeMapWithSize(into.Type(), len(o))
	for _, e := range o {
		at := join(path, uptime.CleanLine(e.key, 100))
		key := reflect.ValueOf(e.key).Convert(into.Type().Key())
		switch {
		case pairs.MapIndex(key).IsValid():
			d.fail(at, "is given twice")
		case e.value == nil:
			d.fail(at, "must not be null")
		default:
			value := reflect.New(into.Type().Elem()).Elem()
			d.value(at, e.value, value)
			pairs.SetMapIndex(key, value)
		}
	}
	into.Set(pairs)
}

// raw takes any JSON for fields such as json.RawMessage.
func (d *decoder) raw(path string, tree any, into reflect.Value) {
	text, err := json.Marshal(tree)
	if err != nil || json.Unmarshal(text, into.Addr().Interface()) != nil {
		d.fail(path, "cannot be read")
	}
}
