package form

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
)

// Encode gives the settings as one JSON object in the order of the struct.
// Empty lists and maps are [] and {}, never null. Settings whose types cannot be
// JSON (channels, functions) are a mistake of the program and panic.
func Encode(settings any) json.RawMessage {
	whole := clone(structOf(settings))
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(whole.Addr().Interface()); err != nil {
		panic("form: settings have no JSON form: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// clone copies a struct, nested ones included, and makes nil lists and maps
// empty. Lists and maps with content are shared.
func clone(v reflect.Value) reflect.Value {
	fresh := reflect.New(v.Type()).Elem()
	fresh.Set(v)
	for _, m := range members(v.Type()) {
		f := m.value(fresh)
		switch shapeOf(m.typ) {
		case shapeList:
			if f.Kind() == reflect.Slice && f.IsNil() {
				f.Set(reflect.MakeSlice(f.Type(), 0, 0))
			}
		case shapeMap:
			if f.Kind() == reflect.Map && f.IsNil() {
				f.Set(reflect.MakeMap(f.Type()))
			}
		case shapeGroup:
			switch {
			case f.Kind() != reflect.Pointer:
				f.Set(clone(f))
			case !f.IsNil():
				f.Set(clone(f.Elem()).Addr())
			}
		default:
		}
	}
	return fresh
}

// textOf gives the text of a string or of a type with a text form of its own.
func textOf(v reflect.Value) (string, bool) {
	if v.Kind() == reflect.String {
		return v.String(), true
	}
	m, ok := reflect.TypeAssert[encoding.TextMarshaler](v)
	if !ok {
		return "", false
	}
	text, err := m.MarshalText()
	return string(text), err == nil
}
