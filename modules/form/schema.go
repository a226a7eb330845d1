package form

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// durationPattern is the text form that ParseDuration takes.
const durationPattern = `^(0|([0-9]+(\.[0-9]+)?(d|h|ms|m|s))+)$`

// JSONSchema describes a settings block as JSON Schema 2020-12: types, options,
// bounds, defaults and, for secrets, writeOnly. The maps are the caller's.
func JSONSchema(settings any) map[string]any {
	return groupSchema(structOf(settings))
}

func groupSchema(v reflect.Value) map[string]any {
	properties := map[string]any{}
	required := []string{}
	for _, m := range members(v.Type()) {
		value := m.value(v)
		f := fieldOf(m, value)
		properties[m.name] = fieldSchema(m, value, f)
		if f.Required {
			required = append(required, m.name)
		}
	}
	schema := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

func fieldSchema(m member, value reflect.Value, f Field) map[string]any {
	var s map[string]any
	if f.Kind == KindGroup {
		if value.Kind() == reflect.Pointer {
			value = reflect.New(value.Type().Elem()).Elem()
		}
		s = groupSchema(value)
	} else {
		s = typeSchema(m.typ)
		constrain(s, m, f)
	}
	s["title"] = f.Label
	if f.Help != "" {
		s["description"] = f.Help
	}
	switch {
	case f.Secret == "value":
		s["writeOnly"] = true
	case f.Default != nil && f.Kind != KindGroup && !f.Required:
		s["default"] = f.Default
	}
	return s
}

func constrain(s map[string]any, m member, f Field) {
	if len(f.Options) > 0 {
		if items, ok := s["items"].(map[string]any); ok {
			items["enum"] = f.Options
		} else {
			s["enum"] = f.Options
		}
	}
	if example := exampleOf(m.typ, f.Placeholder); example != nil {
		s["examples"] = []any{example}
	}
	if f.MaxLength > 0 {
		s["maxLength"] = f.MaxLength
	}
	switch f.Kind {
	case KindURL:
		s["format"] = "uri"
	case KindEmail:
		s["format"] = "email"
	case KindPassword:
		s["format"] = "password"
	}
	if shape := shapeOf(m.typ); shape == shapeInteger || shape == shapeNumber {
		if _, err := strconv.ParseFloat(f.Min, 64); err == nil {
			s["minimum"] = json.Number(f.Min)
		}
		if _, err := strconv.ParseFloat(f.Max, 64); err == nil {
			s["maximum"] = json.Number(f.Max)
		}
	}
}

// exampleOf is the placeholder of a field as a value of its type; nil for none.
func exampleOf(t reflect.Type, placeholder string) any {
	if placeholder == "" {
		return nil
	}
	switch shapeOf(t) {
	case shapeText, shapeDuration:
		return placeholder
	case shapeList:
		return []string{placeholder}
	case shapeMap:
		name, value, _ := strings.Cut(placeholder, ": ")
		return map[string]string{name: value}
	default:
		return nil
	}
}

func typeSchema(t reflect.Type) map[string]any {
	if t.Kind() == reflect.Pointer {
		return typeSchema(t.Elem())
	}
	switch shapeOf(t) {
	case shapeText:
		return map[string]any{"type": "string"}
	case shapeDuration:
		return map[string]any{"type": "string", "pattern": durationPattern, "examples": []string{"90s", "5m"}}
	case shapeBool:
		return map[string]any{"type": "boolean"}
	case shapeInteger:
		return map[string]any{"type": "integer"}
	case shapeNumber:
		return map[string]any{"type": "number"}
	case shapeList:
		return map[string]any{"type": "array", "items": typeSchema(t.Elem())}
	case shapeMap:
		return map[string]any{"type": "object", "additionalProperties": typeSchema(t.Elem())}
	case shapeGroup:
		return groupSchema(reflect.New(t).Elem())
	default:
		return map[string]any{}
	}
}
