package api

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// shown makes requests of what the document shows.
type shown struct{ schemas map[string]any }

// value is what a schema shows of a field: its default, its first example where
// that is none or nothing, its first option, or an object of those of its
// properties.
func (d shown) value(node any) (any, bool) {
	schema := node.(map[string]any)
	if ref, ok := schema["$ref"].(string); ok {
		return d.value(d.schemas[strings.TrimPrefix(ref, schemaPrefix)])
	}
	value, ok := schema["default"]
	if _, better := schema["examples"]; ok && (value != "" || !better) {
		return value, true
	}
	for _, list := range []string{"examples", "enum"} {
		if values, ok := schema[list].([]any); ok {
			return values[0], true
		}
	}
	if _, ok := schema["properties"]; ok {
		return d.object(schema), true
	}
	return nil, false
}

// object holds every property that may be written and of which there is
// something to show.
func (d shown) object(schema map[string]any) map[string]any {
	out := map[string]any{}
	for name, property := range schema["properties"].(map[string]any) {
		if property.(map[string]any)["readOnly"] == true {
			continue
		}
		if value, ok := d.value(property); ok {
			out[name] = value
		}
	}
	return out
}

// bodies are one of a request's schema for each type.
func (d shown) bodies(name string) []map[string]any {
	schema := d.schemas[name].(map[string]any)
	base := schema["examples"].([]any)[0].(map[string]any)
	var out []map[string]any
	for _, option := range schema["oneOf"].([]any) {
		properties := option.(map[string]any)["properties"].(map[string]any)
		kind := properties["type"].(map[string]any)["enum"].([]any)[0].(string)
		body := d.object(schema)
		body["name"] = base["name"]
		maps.DeleteFunc(body, func(field string, _ any) bool {
			return field == "settings" || d.schemas["MonitorSettings-"+field] != nil
		})
		for field, property := range properties {
			body[field], _ = d.value(property)
		}
		body["type"] = kind
		out = append(out, body)
	}
	return out
}

// TestWhatTheDocumentShowsIsTaken: the document and the decoder are two things.
func TestWhatTheDocumentShowsIsTaken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	doc := b.ask(t, "GET", "/api/openapi.json", "").object()
	d := shown{doc["components"].(map[string]any)["schemas"].(map[string]any)}
	example := func(name string) string {
		raw, err := json.Marshal(d.schemas[name].(map[string]any)["examples"].([]any)[0])
		require.NoError(t, err)
		return string(raw)
	}
	for _, c := range []struct{ path, input, patch string }{
		{"/monitors", "MonitorInput", "MonitorPatch"}, {"/channels", "ChannelInput", "ChannelPatch"},
	} {
		b.made(t, c.path, example(c.input))
		bodies := d.bodies(c.input)
		require.NotEmpty(t, bodies)
		for _, body := range bodies {
			raw, err := json.Marshal(body)
			require.NoError(t, err)
			made := b.made(t, c.path, string(raw))
			for field, value := range body {
				require.Equal(t, value, covered(value, made.object()[field]), "%s %s", raw, field)
			}
			place := made.header.Get("Location")
			for _, patch := range []string{example(c.patch), string(raw)} {
				a := b.ask(t, "PATCH", place, patch)
				require.Equal(t, http.StatusOK, a.status, "%s %s", patch, a.body)
			}
		}
	}
	for path, input := range map[string]string{"/users": "UserInput", "/tokens": "TokenInput"} {
		b.made(t, path, example(input))
	}
}

// covered is what was answered of what was sent: a block has fields, too, of
// which the document shows nothing.
func covered(sent, answered any) any {
	s, ok := sent.(map[string]any)
	a, same := answered.(map[string]any)
	if !ok || !same {
		return answered
	}
	out := map[string]any{}
	for field := range s {
		out[field] = covered(s[field], a[field])
	}
	return out
}
