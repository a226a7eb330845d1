package form

import (
	"encoding"
	"reflect"
	"slices"
	"strings"
)

// member is one field of a settings struct.
type member struct {
	name  string // in JSON
	index []int
	typ   reflect.Type
	tag   reflect.StructTag
}

// shape is how a Go type looks in JSON and in a form.
type shape int

const (
	shapeOther shape = iota
	shapeText
	shapeBool
	shapeInteger
	shapeNumber
	shapeDuration
	shapeList
	shapeMap
	shapeGroup
)

// members lists the fields of a settings struct in order; those of embedded
// structs stand in their place, as in encoding/json.
func members(t reflect.Type) []member {
	var list []member
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			for _, m := range members(f.Type) {
				m.index = append([]int{i}, m.index...)
				list = append(list, m)
			}
			continue
		}
		if !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		list = append(list, member{name: name, index: []int{i}, typ: f.Type, tag: f.Tag})
	}
	return list
}

// value of the member within a settings struct.
func (m member) value(settings reflect.Value) reflect.Value {
	return settings.FieldByIndex(m.index)
}

func (m member) secret() string { return m.tag.Get("secret") }

// rules are the parts of the validate tag that apply to the field itself, not
// to the elements of a list or map.
func (m member) rules() []string {
	rules := strings.Split(m.tag.Get("validate"), ",")
	if i := slices.Index(rules, "dive"); i >= 0 {
		rules = rules[:i]
	}
	return rules
}

// rule gives the parameter of the first rule of one of the names.
func (m member) rule(names ...string) (param string, ok bool) {
	for _, r := range m.rules() {
		name, param, _ := strings.Cut(r, "=")
		if slices.Contains(names, name) {
			return param, true
		}
	}
	return "", false
}

func (m member) options() []string {
	tag := m.tag.Get("options")
	if tag == "" {
		return nil
	}
	return strings.Split(tag, ",")
}

// shapeOf tells the shape of a type; pointers count as what they point to.
func shapeOf(t reflect.Type) shape {
	if t == reflect.TypeFor[Duration]() {
		return shapeDuration
	}
	if t.Kind() == reflect.Pointer {
		return shapeOf(t.Elem())
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return shapeText
	}
	switch t.Kind() {
	case reflect.String:
		return shapeText
	case reflect.Bool:
		return shapeBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return shapeInteger
	case reflect.Float32, reflect.Float64:
		return shapeNumber
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return shapeOther
		}
		return shapeList
	case reflect.Map:
		return shapeMap
	case reflect.Struct:
		return shapeGroup
	default:
		return shapeOther
	}
}

// structOf gives the struct behind a settings pointer. Settings that are not a
// pointer to a struct are a mistake of the program, not of its user.
func structOf(settings any) reflect.Value {
	v := reflect.ValueOf(settings)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		panic("form: settings must be a pointer to a struct")
	}
	return v.Elem()
}

// join makes a path of a block or parent and a name.
func join(parent, name string) string {
	if parent == "" {
		return name
	}
	return parent + "." + name
}
