package manage

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

// The tables that sealed values are bound to.
const (
	tableMonitors = "monitors"
	tableChannels = "channels"
)

func monitorPlace(m uptime.Monitor) uptime.SecretPlace {
	return uptime.SecretPlace{WorkspaceID: m.WorkspaceID, Table: tableMonitors, RowKey: m.RowKey}
}

func channelPlace(c uptime.Channel) uptime.SecretPlace {
	return uptime.SecretPlace{WorkspaceID: c.WorkspaceID, Table: tableChannels, RowKey: c.RowKey}
}

// within gives the place of one secret of settings of a kind.
func within(place uptime.SecretPlace, kind uptime.Kind, path string) uptime.SecretPlace {
	place.Field, place.Plain = kind.Name+"."+path, true
	return place
}

// OpenSettings opens the secrets of stored settings, for whoever is about to use
// them. place names the row; its Field is ignored. An error means that a secret
// cannot be opened.
func OpenSettings(sealer uptime.Sealer, kind uptime.Kind, place uptime.SecretPlace, settings json.RawMessage) (json.RawMessage, error) {
	opened, err := openSettings(sealer, kind, place, settings)
	if err != nil {
		return nil, err
	}
	return form.Encode(opened), nil
}

func openSettings(sealer uptime.Sealer, kind uptime.Kind, place uptime.SecretPlace, stored json.RawMessage) (any, error) {
	settings, err := storedSettings(kind, stored)
	if err != nil {
		return nil, err
	}
	err = form.Secrets(settings, func(path, sealed string) (string, error) {
		return sealer.Open(within(place, kind, path), sealed)
	})
	if err != nil {
		return nil, fmt.Errorf("open the settings of %s: %w", kind.Name, err)
	}
	return settings, nil
}

// storedSettings reads settings that were validated when they were saved; rules
// that came later do not make them unreadable.
func storedSettings(kind uptime.Kind, stored json.RawMessage) (any, error) {
	settings := kind.New()
	if len(stored) == 0 {
		return settings, nil
	}
	if err := json.Unmarshal(stored, settings); err != nil {
		return nil, fmt.Errorf("read the stored settings of %s: %w", kind.Name, err)
	}
	return settings, nil
}

// maskedSettings is what may be shown of stored settings: nothing when nobody
// knows any more what is secret in them.
func maskedSettings(catalog uptime.Catalog, name string, stored json.RawMessage) json.RawMessage {
	kind, ok := catalog.Kind(name)
	if !ok {
		return json.RawMessage("{}")
	}
	settings, err := storedSettings(kind, stored)
	if err != nil {
		return json.RawMessage("{}")
	}
	form.MaskSecrets(settings)
	return form.Encode(settings)
}

// readSettings reads a block strictly over settings, which hold the defaults, and gives
// them. Where a secret is masked, no rule applies to it: the stored value passed when
// it was saved.
func readSettings(b *body, block string, raw json.RawMessage, kind uptime.Kind, settings any) any {
	var errs []uptime.FieldError
	if err := form.Decode(block, raw, settings); err != nil {
		errs = err.Fields
		if len(errs) == 0 {
			b.fail(block, "must be an object")
			return settings
		}
	}
	masked := maskedFields(settings)
	errs = slices.DeleteFunc(errs, func(e uptime.FieldError) bool {
		return slices.Contains(masked, strings.ToLower(strings.TrimPrefix(e.Field, block+".")))
	})
	b.add(errs)
	if len(errs) == 0 && kind.Check != nil {
		for _, e := range kind.Check(settings) {
			b.fail(join(block, e.Field), "%s", e.Message)
		}
	}
	return settings
}

// maskedFields gives the paths, in lower case, of the fields that hold the mask
// and nothing else. A URL whose password alone is masked is none of them: its
// rules go on to apply.
func maskedFields(settings any) []string {
	tree, err := decodeTree(form.Encode(settings))
	if err != nil {
		return nil
	}
	var masked []string
	for path := range secretsOf(settings) {
		if valueAt(tree, path) == form.Mask {
			masked = append(masked, path)
		}
	}
	return masked
}

// valueAt follows a path in lower case; names in it may hold dots themselves.
func valueAt(tree any, path string) any {
	object, ok := tree.(map[string]any)
	if !ok {
		return nil
	}
	for name, value := range object {
		name = strings.ToLower(name)
		if name == path {
			return value
		}
		if rest, below := strings.CutPrefix(path, name+"."); below {
			if found := valueAt(value, rest); found != nil {
				return found
			}
		}
	}
	return nil
}

type secretValue struct{ path, value string }

// secretsOf gives the secrets that are set, by path in lower case: names of
// headers match in any case.
func secretsOf(settings any) map[string]secretValue {
	all := map[string]secretValue{}
	if settings == nil {
		return all
	}
	// The visitor gives no error, so there is none.
	_ = form.Secrets(settings, func(path, value string) (string, error) {
		all[strings.ToLower(path)] = secretValue{path, value}
		return value, nil
	})
	return all
}

// checkMasks notes secrets that are written as the mask where nothing is stored
// that they could keep.
func checkMasks(b *body, block string, settings, old any) {
	kept := secretsOf(old)
	for path, secret := range secretsOf(settings) {
		if _, there := kept[path]; secret.value == form.Mask && !there {
			b.fail(join(block, secret.path), "is masked and nothing is stored for it: write the value itself")
		}
	}
}

// sealSettings seals the secrets in settings for their place. Masked ones keep
// what old has, sealed as it is. old is nil for a new object.
func sealSettings(sealer uptime.Sealer, kind uptime.Kind, place uptime.SecretPlace, settings, old any) error {
	kept := secretsOf(old)
	err := form.Secrets(settings, func(path, value string) (string, error) {
		if value != form.Mask {
			return sealer.Seal(within(place, kind, path), value)
		}
		stored := kept[strings.ToLower(path)]
		if stored.path == path || stored.value == "" {
			return stored.value, nil
		}
		// A header's name was written in another case: its place has changed.
		opened, err := sealer.Open(within(place, kind, stored.path), stored.value)
		if err != nil {
			return "", err
		}
		return sealer.Seal(within(place, kind, path), opened)
	})
	if err != nil {
		return fmt.Errorf("seal the settings of %s: %w", kind.Name, err)
	}
	return nil
}
