package manage

import (
	"encoding/json"
	"slices"
	"time"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

// followed are members of the defaults, before and after, as JSON objects.
type followed struct {
	From json.RawMessage `json:"from"`
	Into json.RawMessage `json:"into"`
}

// following is what monitors do whose values are those of the defaults of before: they get
// those of now.
type following struct {
	was, is monitorDefaults
	types   map[string][]changedSetting // by type, those that differ
	kinds   uptime.Catalog
}

// changedSetting is a setting of a type whose default differs, as JSON.
type changedSetting struct{ name, was, is string }

// readBulkFrom reads the defaults of before: members of them, of which the values of now
// are fixed, so that the job does what its preview says.
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
	was := m.readDefaults(in, a.usual)
	if err := b.takeErrors("from", in.finish("the defaults of new monitors")); err != nil {
		return err
	}
	now, before := members(m.defaultsView(a.usual, uptime.Setting{})), members(m.defaultsView(was, uptime.Setting{}))
	nothing := object(map[string]json.RawMessage{})
	a.From, a.Into = nothing, nothing
	if from := replacedBy(before, now); from != nil {
		a.From, a.Into = from, replacedBy(now, before)
	}
	a.follow = m.following(followed{a.From, a.Into}, a.usual)
	return nil
}

// following reads members over the defaults of now. What cannot be used any more leads
// nowhere: it is as now on both sides.
func (m *Manage) following(f followed, usual monitorDefaults) following {
	over := func(raw json.RawMessage) monitorDefaults {
		in := &body{}
		if !isObject(raw, &in.fields) {
			return usual
		}
		return m.readDefaults(in, usual)
	}
	out := following{was: over(f.From), is: over(f.Into), types: map[string][]changedSetting{}, kinds: m.deps.ProbeKinds}
	for _, kind := range m.deps.ProbeKinds.Kinds() {
		was, is := members(form.Encode(out.was.settings(kind))), members(form.Encode(out.is.settings(kind)))
		for _, field := range defaultFields(kind) {
			if s := (changedSetting{field.Name, string(was[field.Name]), string(is[field.Name])}); s.was != s.is {
				out.types[kind.Name] = append(out.types[kind.Name], s)
			}
		}
	}
	return out
}

// back leads from what a monitor became to what it was.
func (f following) back(before, after uptime.Monitor) json.RawMessage {
	was, is := f.members(before), f.members(after)
	raw, err := json.Marshal(bulkBack{Follow: &followed{replacedBy(is, was), replacedBy(was, is)}})
	if err != nil {
		return nil
	}
	return raw
}

// members are those of a monitor that have a default.
func (f following) members(mon uptime.Monitor) map[string]json.RawMessage {
	out := members(MonitorDefaultsView{
		Interval: form.Duration(mon.Interval), Timeout: form.Duration(mon.Timeout), RetryInterval: form.Duration(mon.RetryInterval),
		FailuresBeforeDown: mon.FailuresBeforeDown, SuccessesBeforeUp: mon.SuccessesBeforeUp, ResendEvery: form.Duration(mon.ResendEvery),
		Regions: mon.Regions, MinRegionsDown: mon.MinRegionsDown,
	})
	delete(out, "updated_at")
	kind, known := f.kinds.Kind(mon.Type)
	if !known {
		return out
	}
	if stored, err := storedSettings(kind, mon.Settings); err == nil {
		all, shown := members(form.Encode(stored)), map[string]json.RawMessage{}
		for _, field := range defaultFields(kind) {
			shown[field.Name] = all[field.Name]
		}
		out[kind.Name] = object(shown)
	}
	return out
}

// apply gives a monitor the default of now wherever it has the one of before.
func (f following) apply(mon *uptime.Monitor) (skip string) {
	was, is, next := f.was, f.is, *mon
	interval := next.Interval
	follow(&interval, was.interval, is.interval)
	if skip := f.retime(&next, interval); skip != "" {
		return skip
	}
	follow(&next.FailuresBeforeDown, was.failuresBeforeDown, is.failuresBeforeDown)
	follow(&next.SuccessesBeforeUp, was.successesBeforeUp, is.successesBeforeUp)
	follow(&next.ResendEvery, was.resendEvery, is.resendEvery)
	follow(&next.MinRegionsDown, was.minRegionsDown, is.minRegionsDown)
	if slices.Equal(next.Regions, was.regions) && !slices.Equal(was.regions, is.regions) {
		next.Regions = is.regions
	}
	next.MinRegionsDown = min(next.MinRegionsDown, max(1, len(next.Regions)))
	if skip := f.applySettings(&next); skip != "" {
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

// retime sets the interval, and a timeout or retry interval that is as the defaults of
// before had it.
func (f following) retime(mon *uptime.Monitor, interval time.Duration) (skip string) {
	timeout, retry := mon.Timeout, mon.RetryInterval
	if timeout == f.was.timeoutOf(mon.Interval) {
		timeout = f.is.timeoutOf(interval)
	}
	if retry == f.was.retryOf(mon.Interval) {
		retry = f.is.retryOf(interval)
	}
	switch {
	case timeout > interval:
		return uptime.Say("its timeout of %s is longer", form.FormatDuration(timeout))
	case retry > interval:
		return uptime.Say("its retry interval of %s is longer", form.FormatDuration(retry))
	}
	mon.Interval, mon.Timeout, mon.RetryInterval = interval, timeout, retry
	return ""
}

// applySettings does it to the settings of the monitor's type.
func (f following) applySettings(mon *uptime.Monitor) (skip string) {
	kind, known := f.kinds.Kind(mon.Type)
	if !known || len(f.types[kind.Name]) == 0 {
		return ""
	}
	stored, err := storedSettings(kind, mon.Settings)
	if err != nil {
		return uptime.Say("its settings cannot be read")
	}
	all, changed := members(form.Encode(stored)), false
	for _, s := range f.types[kind.Name] {
		if string(all[s.name]) == s.was {
			all[s.name], changed = json.RawMessage(s.is), true
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
