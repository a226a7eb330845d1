package manage

import (
	"encoding/json"
	"slices"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

// readBulkFrom reads the defaults that monitors follow from: those members of them that
// were changed, with their values of before.
func (m *Manage) readBulkFrom(b *body, a *bulkAction) error {
	raw, there := b.take("from")
	if !there {
		b.fail("from", "is required")
		return nil
	}
	in := &body{}
	if !isObject(raw, &in.fields) || in.fields == nil {
		b.fail("from", `must be an object such as {"interval": "1m"}: defaults of before`)
		return nil
	}
	a.From, a.was = raw, m.readDefaults(in, a.usual)
	return b.takeErrors("from", in.finish("the defaults of new monitors"))
}

// fill gives an action that was stored what it needs of the workspace.
func (m *Manage) fillBulk(a *bulkAction, usual monitorDefaults) {
	a.usual, a.was, a.kinds = usual, usual, m.deps.ProbeKinds
	if in := (&body{}); isObject(a.From, &in.fields) {
		a.was = m.readDefaults(in, usual) // it was judged when it was asked for
	}
}

// applyDefaults gives a monitor the default of now wherever it has the one of before.
func (a bulkAction) applyDefaults(mon *uptime.Monitor) (skip string) {
	was, usual := a.was, a.usual
	next := *mon
	interval := next.Interval
	follow(&interval, was.interval, usual.interval)
	if skip := a.retime(&next, interval, was); skip != "" {
		return skip
	}
	follow(&next.FailuresBeforeDown, was.failuresBeforeDown, usual.failuresBeforeDown)
	follow(&next.SuccessesBeforeUp, was.successesBeforeUp, usual.successesBeforeUp)
	follow(&next.ResendEvery, was.resendEvery, usual.resendEvery)
	follow(&next.MinRegionsDown, was.minRegionsDown, usual.minRegionsDown)
	if slices.Equal(next.Regions, was.regions) && !slices.Equal(was.regions, usual.regions) {
		next.Regions = usual.regions
	}
	next.MinRegionsDown = min(next.MinRegionsDown, max(1, len(next.Regions)))
	if skip := a.applySettings(&next); skip != "" {
		return skip
	}
	*mon = next
	return ""
}

// follow sets a value that is the default of before to that of now.
func follow[T comparable](value *T, was, is T) {
	if *value == was {
		*value = is
	}
}

// applySettings does it to the settings of the monitor's type.
func (a bulkAction) applySettings(mon *uptime.Monitor) (skip string) {
	kind, known := a.kinds.Kind(mon.Type)
	if !known {
		return ""
	}
	stored, err := storedSettings(kind, mon.Settings)
	if err != nil {
		return uptime.Say("its settings cannot be read")
	}
	was, usual, all := members(form.Encode(a.was.settings(kind))), members(form.Encode(a.usual.settings(kind))), members(form.Encode(stored))
	changed := false
	for _, f := range defaultFields(kind) {
		if string(was[f.Name]) != string(usual[f.Name]) && string(all[f.Name]) == string(was[f.Name]) {
			all[f.Name], changed = usual[f.Name], true
		}
	}
	if !changed {
		return ""
	}
	next := kind.New()
	if json.Unmarshal(object(all), next) != nil {
		return uptime.Say("its settings cannot be read")
	}
	if kind.Check != nil {
		for _, e := range kind.Check(next) {
			return uptime.Say("would not be valid: %s %s", e.Field, e.Message)
		}
	}
	mon.Settings = form.Encode(next)
	return ""
}
