package manage

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"monitor/modules/uptime"
)

const (
	maxRegions     = 20
	maxTags        = 50
	maxTagName     = 50
	maxTagValue    = 100
	maxChannelIDs  = 100
	maxGroupLength = 200
	maxGroupDepth  = 10
	maxExternalKey = 200
)

var regionName = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,62})$`)

// monitorDraft is a monitor as a body describes it.
type monitorDraft struct {
	uptime.Monitor
	kind     uptime.Kind
	settings any // secrets clear or masked
	// channelAt is where each channel stood in the body; nil: none were named.
	channelAt map[int64]int
}

// readMonitor reads a monitor from a body over the workspace's defaults and notes
// what cannot be used. old is the stored monitor, nil for a new one.
func (m *Manage) readMonitor(b *body, old *uptime.Monitor, usual monitorDefaults) monitorDraft {
	d := monitorDraft{Monitor: uptime.Monitor{Enabled: true}}
	b.required("name", uptime.MaxNameLength, &d.Name)
	known := m.readType(b, old, &d)
	b.boolean("enabled", &d.Enabled)
	b.text("external_key", maxExternalKey, &d.ExternalKey)
	d.Group = readGroup(b)
	m.readTimes(b, &d, usual)
	d.Regions, d.MinRegionsDown = usual.regions, usual.minRegionsDown
	readRegions(b, &d.Regions, &d.MinRegionsDown)
	m.readBlock(b, &d, known, old, usual)
	d.Tags = readTags(b)
	if ids, at, given := b.ids("channel_ids", maxChannelIDs); given {
		d.ChannelIDs, d.channelAt = ids, at
	}
	b.readOnly("id", "target", "status", "status_since", "consecutive_failures", "last_checked_at", "last_response_ms",
		"last_error", "last_error_kind", "certificate_expires_at", "silenced_until", "silenced_by", "silence_note", "created_at", "updated_at")
	return d
}

// readType finds the kind; false when the body names none that is known.
func (m *Manage) readType(b *body, old *uptime.Monitor, d *monitorDraft) bool {
	if !b.required("type", uptime.MaxNameLength, &d.Type) {
		return false
	}
	kind, ok := m.deps.ProbeKinds.Kind(d.Type)
	switch {
	case old != nil && d.Type != old.Type:
		b.fail("type", "cannot change; it is %s", old.Type)
		return false
	case !ok:
		b.fail("type", "must be one of %s", strings.Join(kindNames(m.deps.ProbeKinds), ", "))
		return false
	}
	d.kind = kind
	return true
}

func kindNames(catalog uptime.Catalog) []string {
	var names []string
	for _, kind := range catalog.Kinds() {
		names = append(names, kind.Name)
	}
	return names
}

func (m *Manage) readTimes(b *body, d *monitorDraft, usual monitorDefaults) {
	d.Interval = usual.interval
	before := len(b.errs)
	b.duration("interval", m.deps.Config.MinInterval, uptime.MaxInterval, &d.Interval)
	intervalOK := len(b.errs) == before
	d.Timeout, d.RetryInterval = usual.timeoutOf(d.Interval), usual.retryOf(d.Interval)
	for _, field := range []struct {
		name string
		into *time.Duration
	}{{"timeout", &d.Timeout}, {"retry_interval", &d.RetryInterval}} {
		// Against an interval that cannot be used there is nothing to compare.
		if b.duration(field.name, time.Millisecond, uptime.MaxInterval, field.into) && intervalOK && *field.into > d.Interval {
			b.fail(field.name, "must not be longer than the interval (%s)", shortDuration(d.Interval))
		}
	}
	d.FailuresBeforeDown, d.SuccessesBeforeUp, d.ResendEvery = usual.failuresBeforeDown, usual.successesBeforeUp, usual.resendEvery
	readThresholds(b, &d.FailuresBeforeDown, &d.SuccessesBeforeUp, &d.ResendEvery)
}

func readThresholds(b *body, failures, successes *int, resend *time.Duration) {
	b.whole("failures_before_down", 1, uptime.MaxThreshold, failures)
	b.whole("successes_before_up", 1, uptime.MaxThreshold, successes)
	if b.duration("resend_every", 0, uptime.MaxInterval, resend) && *resend > 0 && *resend < time.Second {
		b.fail("resend_every", "must be at least 1s, or 0s for none")
	}
}

// readRegions reads where checks are made from. Fewer regions than before lower how
// many must agree, unless that is said, too.
func readRegions(b *body, into *[]string, least *int) {
	before := len(b.errs)
	var regions []string
	given := b.list("regions", maxRegions, func(path string, raw json.RawMessage) {
		var name string
		switch {
		case json.Unmarshal(raw, &name) != nil || string(raw) == "null":
			b.fail(path, "must be a string")
		case !regionName.MatchString(name):
			b.fail(path, "must be a name of lower-case letters, digits, - and _")
		case slices.Contains(regions, name):
			b.fail(path, "is given twice")
		default:
			regions = append(regions, name)
		}
	})
	if given && len(regions) == 0 && len(b.errs) == before {
		b.fail("regions", "must have at least 1 entry")
	}
	if len(regions) > 0 {
		*into = regions
		*least = min(*least, len(regions))
	}
	if b.whole("min_regions_down", 1, maxRegions, least) && len(b.errs) == before && *least > len(*into) {
		b.fail("min_regions_down", "must not be more than the number of regions (%d)", len(*into))
	}
}

func readGroup(b *body) string {
	var group string
	if !b.text("group", maxGroupLength, &group) || group == "" {
		return ""
	}
	parts := strings.Split(group, "/")
	for i, part := range parts {
		parts[i] = strings.TrimSpace(part)
	}
	switch {
	case slices.Contains(parts, ""):
		b.fail("group", `must be a path such as "Shop/EU" without empty parts`)
	case len(parts) > maxGroupDepth:
		b.fail("group", "must have at most %d parts", maxGroupDepth)
	}
	return strings.Join(parts, "/")
}

func readTags(b *body) map[string]string {
	tags := map[string]string{}
	raw, ok := b.take("tags")
	if !ok {
		return tags
	}
	var values map[string]json.RawMessage
	if json.Unmarshal(raw, &values) != nil {
		b.fail("tags", `must be an object such as {"team": "web"}`)
		return tags
	}
	if len(values) > maxTags {
		b.fail("tags", "must have at most %d entries", maxTags)
		return tags
	}
	for name, raw := range values {
		at, value := "tags."+fieldName(name), ""
		switch {
		case name == "" || name != strings.TrimSpace(name) || utf8.RuneCountInString(name) > maxTagName || hasControl(name, "") || strings.ContainsAny(name, ":,="):
			b.fail(at, "must have a name of 1 to %d characters without : , = and control characters", maxTagName)
		case string(raw) == "null":
		case json.Unmarshal(raw, &value) != nil:
			b.fail(at, "must be a string")
		case hasControl(value, ""):
			b.fail(at, "must not contain control characters")
		case utf8.RuneCountInString(value) > maxTagValue:
			b.fail(at, "must be at most %d characters", maxTagValue)
		default:
			tags[name] = value
		}
	}
	return tags
}

// readBlock reads the settings of the type and refuses those of another one.
func (m *Manage) readBlock(b *body, d *monitorDraft, known bool, old *uptime.Monitor, usual monitorDefaults) {
	for _, name := range kindNames(m.deps.ProbeKinds) {
		switch {
		case name == d.Type && known:
		case known && b.given(name) && string(b.fields[name]) != "null":
			b.fail(name, "belongs to monitors of type %s; this one is %s", name, d.Type)
			b.readOnly(name)
		default:
			b.readOnly(name)
		}
	}
	if !known {
		return
	}
	raw, _ := b.take(d.Type)
	d.settings = readSettings(b, d.Type, raw, d.kind, usual.settings(d.kind))
	var stored any
	if old != nil {
		// What cannot be read has nothing to keep.
		stored, _ = storedSettings(d.kind, old.Settings)
	}
	checkMasks(b, d.Type, d.settings, stored)
}
