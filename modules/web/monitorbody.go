package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"monitor/modules/form"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// body is a JSON object to be changed by name.
type body map[string]json.RawMessage

func (b body) set(name string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write %s as JSON: %w", name, err)
	}
	b[name] = raw
	return nil
}

// json of the whole object.
func (b body) json() (json.RawMessage, error) {
	raw, err := json.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return raw, nil
}

// settable is a monitor's JSON without what people cannot set.
func settable(m manage.MonitorView) (body, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("read monitor as JSON: %w", err)
	}
	var b body
	if err := json.Unmarshal(raw, &b); err != nil {
		return nil, fmt.Errorf("read monitor as JSON: %w", err)
	}
	for _, name := range []string{
		"id", "target", "status", "status_since", "consecutive_failures", "last_checked_at", "last_response_ms",
		"last_error", "last_error_kind", "certificate_expires_at", "silenced_until", "silenced_by", "silence_note", "created_at", "updated_at",
	} {
		delete(b, name)
	}
	return b, nil
}

// bodyOf makes the JSON of a monitor from a form, over what is there already.
func bodyOf(kind uptime.Kind, v url.Values, over body) (json.RawMessage, error) {
	b := body{}
	maps.Copy(b, over)
	fields, prefix := form.Fields(kind.New()), kind.Name+"."
	if v.Get("first") != "" {
		// The form of the first monitor shows the required fields alone: a
		// checkbox that is not there does not mean "no".
		fields = slices.DeleteFunc(fields, func(f form.Field) bool { return !f.Required })
	}
	b[kind.Name] = form.FromValues(fields, prefix, withoutEmptyGroups(fields, prefix, v))
	var common body
	all := append(whenFields(), tellFields()...)
	if err := json.Unmarshal(form.FromValues(all, "", v), &common); err != nil {
		return nil, fmt.Errorf("read form: %w", err)
	}
	maps.Copy(b, common)
	if err := b.set("type", kind.Name); err != nil {
		return nil, err
	}
	if err := b.set("name", nameOf(kind, v, b[kind.Name])); err != nil {
		return nil, err
	}
	if len(v["channel_ids"]) > 0 || v.Get("channels_shown") != "" {
		ids := []int64{}
		for _, id := range v["channel_ids"] {
			if n, err := strconv.ParseInt(id, 10, 64); err == nil {
				ids = append(ids, n)
			}
		}
		if err := b.set("channel_ids", ids); err != nil {
			return nil, err
		}
	}
	return b.json()
}

// nameOf is the name that was typed, or else the host of what is checked.
func nameOf(kind uptime.Kind, v url.Values, settings json.RawMessage) string {
	if name := strings.TrimSpace(v.Get("name")); name != "" {
		return name
	}
	into := kind.New()
	if err := json.Unmarshal(settings, into); err != nil || kind.Target == nil {
		return ""
	}
	target := kind.Target(into)
	if u, err := url.Parse(target); err == nil && u.Host != "" {
		return u.Hostname()
	}
	return target
}
