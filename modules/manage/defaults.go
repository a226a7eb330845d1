package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

// monitorDefaults are what a monitor gets where a body says nothing.
type monitorDefaults struct {
	interval, timeout, retryInterval, resendEvery time.Duration
	failuresBeforeDown, successesBeforeUp         int
	regions                                       []string
	minRegionsDown                                int
	// blocks holds what differs from the defaults of each type's own settings.
	blocks map[string]json.RawMessage
}

// builtIn are those of the program.
func (m *Manage) builtIn() monitorDefaults {
	return monitorDefaults{
		interval: max(uptime.DefaultInterval, m.deps.Config.MinInterval), timeout: uptime.DefaultTimeout, retryInterval: uptime.DefaultRetryInterval,
		failuresBeforeDown: uptime.DefaultFailuresBeforeDown, successesBeforeUp: uptime.DefaultSuccessesBeforeUp,
		regions: []string{uptime.DefaultRegion}, minRegionsDown: 1,
	}
}

// settings of a type as a new monitor has them, before its body is read.
func (d monitorDefaults) settings(kind uptime.Kind) any {
	settings := kind.New()
	if raw, chosen := d.blocks[kind.Name]; chosen {
		// It was judged when it was saved; what a later program cannot read any
		// more is left at the type's own default.
		if json.Unmarshal(raw, settings) != nil {
			return kind.New()
		}
	}
	return settings
}

// timeoutOf a monitor that names none: it may not exceed the interval.
func (d monitorDefaults) timeoutOf(interval time.Duration) time.Duration {
	return min(d.timeout, interval)
}

func (d monitorDefaults) retryOf(interval time.Duration) time.Duration {
	return min(d.retryInterval, interval)
}

// defaultsOf a workspace.
func (m *Manage) defaultsOf(ctx context.Context, ws int64) (monitorDefaults, uptime.Setting, error) {
	stored, err := m.deps.Settings.Setting(ctx, ws, uptime.SettingMonitorDefaults)
	if err != nil && !errors.Is(err, uptime.ErrNotFound) {
		return monitorDefaults{}, stored, fmt.Errorf("read the defaults of new monitors: %w", err)
	}
	d, err := m.storedDefaults(stored.Value)
	return d, stored, err
}

// storedDefaults reads what was saved. A shortest interval that was raised since
// counts, too.
func (m *Manage) storedDefaults(value json.RawMessage) (monitorDefaults, error) {
	if len(value) == 0 {
		return m.builtIn(), nil
	}
	b, err := parseBody(value)
	if err != nil {
		return monitorDefaults{}, fmt.Errorf("read the stored defaults of new monitors: %w", err)
	}
	d := m.readDefaults(b, m.builtIn())
	d.interval = max(d.interval, m.deps.Config.MinInterval)
	return d, nil
}

// readDefaults reads them from a body over others, and notes what cannot be used.
func (m *Manage) readDefaults(b *body, d monitorDefaults) monitorDefaults {
	b.duration("interval", m.deps.Config.MinInterval, uptime.MaxInterval, &d.interval)
	b.duration("timeout", time.Millisecond, uptime.MaxInterval, &d.timeout)
	b.duration("retry_interval", time.Millisecond, uptime.MaxInterval, &d.retryInterval)
	readThresholds(b, &d.failuresBeforeDown, &d.successesBeforeUp, &d.resendEvery)
	readRegions(b, &d.regions, &d.minRegionsDown)
	over := d
	d.blocks = map[string]json.RawMessage{}
	maps.Copy(d.blocks, over.blocks)
	for _, kind := range m.deps.ProbeKinds.Kinds() {
		if raw, given := b.take(kind.Name); given {
			delete(d.blocks, kind.Name)
			if chosen := readDefaultBlock(b, kind, raw, over.settings(kind)); len(chosen) > 0 {
				d.blocks[kind.Name] = chosen
			}
		}
	}
	b.readOnly("updated_at")
	return d
}

// defaultFields are the settings of a type that may have a default: what each monitor
// must name itself has none, and a secret belongs to one monitor.
func defaultFields(kind uptime.Kind) []form.Field {
	return slices.DeleteFunc(form.Fields(kind.New()), func(f form.Field) bool {
		return f.Required || f.Secret != "" || f.Kind == form.KindGroup
	})
}

// readDefaultBlock reads what is chosen for a type over settings, and gives what differs
// from its own defaults.
func readDefaultBlock(b *body, kind uptime.Kind, raw json.RawMessage, settings any) json.RawMessage {
	var given map[string]json.RawMessage
	if json.Unmarshal(raw, &given) != nil {
		b.fail(kind.Name, "must be an object")
		return nil
	}
	var allowed []string
	for _, f := range defaultFields(kind) {
		allowed = append(allowed, f.Name)
	}
	for name := range given {
		if !slices.Contains(allowed, name) {
			b.fail(join(kind.Name, fieldName(name)), "has no default; allowed are %s", joined(allowed))
			return nil
		}
	}
	if err := form.Decode(kind.Name, raw, settings); err != nil {
		// That the fields are missing which each monitor has of its own is no fault here.
		for _, e := range err.Fields {
			name, _, _ := strings.Cut(strings.ReplaceAll(strings.TrimPrefix(e.Field, kind.Name+"."), "[", "."), ".")
			if slices.Contains(allowed, name) {
				b.fail(e.Field, "%s", e.Message)
			}
		}
	}
	own, chosen := members(form.Encode(kind.New())), members(form.Encode(settings))
	maps.DeleteFunc(chosen, func(name string, value json.RawMessage) bool {
		return !slices.Contains(allowed, name) || string(own[name]) == string(value)
	})
	if len(chosen) == 0 {
		return nil
	}
	return object(chosen)
}

// object is the JSON object of members, by name. Values that are JSON cannot fail to be
// written.
func object(members map[string]json.RawMessage) json.RawMessage {
	raw, err := json.Marshal(members)
	if err != nil {
		return nil
	}
	return raw
}

// MonitorDefaultsView is what new monitors of the workspace get where nothing else is
// said, as JSON members of a monitor.
type MonitorDefaultsView struct {
	Interval           form.Duration `json:"interval"`
	Timeout            form.Duration `json:"timeout"`
	RetryInterval      form.Duration `json:"retry_interval"`
	FailuresBeforeDown int           `json:"failures_before_down"`
	SuccessesBeforeUp  int           `json:"successes_before_up"`
	ResendEvery        form.Duration `json:"resend_every"`
	Regions            []string      `json:"regions"`
	MinRegionsDown     int           `json:"min_regions_down"`
	// Types holds, by the name of each type, those of its settings that may have a
	// default, with the value of now.
	Types map[string]json.RawMessage `json:"-"`
	// UpdatedAt is nil while they are those of the program.
	UpdatedAt *time.Time `json:"updated_at"`
	ETag      string     `json:"-"`
	// Change names what was just changed, for ReplacedDefaults; 0 where nothing was.
	Change int64 `json:"-"`
}

// MarshalJSON writes the settings of each type under its name.
func (v MonitorDefaultsView) MarshalJSON() ([]byte, error) {
	type plain MonitorDefaultsView // without this method
	out := members(plain(v))
	maps.Copy(out, v.Types)
	return json.Marshal(out)
}

func (m *Manage) defaultsView(d monitorDefaults, stored uptime.Setting) MonitorDefaultsView {
	v := MonitorDefaultsView{
		Interval: form.Duration(d.interval), Timeout: form.Duration(d.timeout), RetryInterval: form.Duration(d.retryInterval),
		FailuresBeforeDown: d.failuresBeforeDown, SuccessesBeforeUp: d.successesBeforeUp, ResendEvery: form.Duration(d.resendEvery),
		Regions: d.regions, MinRegionsDown: d.minRegionsDown, UpdatedAt: timeOrNil(stored.UpdatedAt), ETag: etag(stored.Version),
		Types: map[string]json.RawMessage{},
	}
	for _, kind := range m.deps.ProbeKinds.Kinds() {
		all, shown := members(form.Encode(d.settings(kind))), map[string]json.RawMessage{}
		for _, f := range defaultFields(kind) {
			shown[f.Name] = all[f.Name]
		}
		v.Types[kind.Name] = object(shown)
	}
	return v
}

// MonitorDefaults gives what new monitors get.
func (m *Manage) MonitorDefaults(ctx context.Context, actor uptime.Actor) (MonitorDefaultsView, error) {
	if err := m.permit(actor, Read); err != nil {
		return MonitorDefaultsView{}, err
	}
	d, stored, err := m.defaultsOf(ctx, actor.WorkspaceID)
	if err != nil {
		return MonitorDefaultsView{}, err
	}
	return m.defaultsView(d, stored), nil
}

// ReplaceMonitorDefaults sets all of them: what the body leaves out is the program's
// again. Monitors that exist keep what they have; BulkDefaults is what makes them follow.
// ifMatch is the header's value, "" for none; CodePrecondition.
func (m *Manage) ReplaceMonitorDefaults(ctx context.Context, actor uptime.Actor, raw json.RawMessage, ifMatch string) (MonitorDefaultsView, error) {
	if err := m.permit(actor, ChangeSettings); err != nil {
		return MonitorDefaultsView{}, err
	}
	b, err := parseBody(raw)
	if err != nil {
		return MonitorDefaultsView{}, err
	}
	next := m.readDefaults(b, m.builtIn())
	if err := b.finish("the defaults of new monitors"); err != nil {
		return MonitorDefaultsView{}, err
	}
	var replaced json.RawMessage
	audit := m.audited(actor, "settings.defaults", "workspace", actor.WorkspaceID)
	saved, err := m.deps.Settings.ChangeSetting(ctx, actor.WorkspaceID, uptime.SettingMonitorDefaults, func(s *uptime.Setting) error {
		if err := checkMatch(ifMatch, s.Version); err != nil {
			return err
		}
		before, err := m.storedDefaults(s.Value)
		if err != nil {
			before = m.builtIn() // what cannot be read is replaced
		}
		s.Value = m.defaultsValue(next)
		was, is := members(m.defaultsView(before, *s)), members(m.defaultsView(next, *s))
		audit.Detail = changes(was, is, was, is)
		replaced = replacedBy(was, is)
		return nil
	}, audit)
	if err != nil {
		return MonitorDefaultsView{}, err
	}
	v := m.defaultsView(next, saved)
	if replaced != nil && m.keepReplaced(ctx, actor, saved.Version, replaced) {
		v.Change = saved.Version
	}
	return v, nil
}

// replacedDefaults is what a change replaced.
type replacedDefaults struct {
	Change int64           `json:"change"`
	From   json.RawMessage `json:"from"`
}

// keepReplaced keeps what the last change replaced, until the next one; it reports whether
// monitors can be told to follow.
func (m *Manage) keepReplaced(ctx context.Context, actor uptime.Actor, change int64, from json.RawMessage) bool {
	raw, err := json.Marshal(replacedDefaults{change, from})
	if err == nil {
		_, err = m.deps.Settings.ChangeSetting(ctx, actor.WorkspaceID, uptime.SettingReplacedDefaults, func(s *uptime.Setting) error {
			var last replacedDefaults
			if json.Unmarshal(s.Value, &last) != nil || last.Change < change { // else others were faster
				s.Value = raw
			}
			return nil
		}, nil)
	}
	if err != nil {
		m.deps.Log.WarnContext(ctx, "keep the defaults of before; monitors cannot be told to follow this change", "error", err)
	}
	return err == nil
}

// ReplacedDefaults gives the values of before of what a change of the defaults changed, as
// the action BulkDefaults takes them. ErrNotFound where others changed them since.
func (m *Manage) ReplacedDefaults(ctx context.Context, actor uptime.Actor, change int64) (json.RawMessage, error) {
	if err := m.permit(actor, Read); err != nil {
		return nil, err
	}
	stored, err := m.deps.Settings.Setting(ctx, actor.WorkspaceID, uptime.SettingReplacedDefaults)
	if err != nil {
		return nil, err
	}
	var last replacedDefaults
	if json.Unmarshal(stored.Value, &last) != nil || last.Change != change {
		return nil, fmt.Errorf("replaced defaults: %w", uptime.ErrNotFound)
	}
	return last.From, nil
}

// replacedBy gives the members that are no more as they were, those of an object one by
// one; nil where all are.
func replacedBy(was, is map[string]json.RawMessage) json.RawMessage {
	out := map[string]json.RawMessage{}
	for name, value := range was {
		var inner, now map[string]json.RawMessage
		switch {
		case string(value) == string(is[name]):
		case isObject(value, &inner) && isObject(is[name], &now):
			if within := replacedBy(inner, now); within != nil {
				out[name] = within
			}
		default:
			out[name] = value
		}
	}
	if len(out) == 0 {
		return nil
	}
	return object(out)
}

// defaultsValue is what is stored: what differs from the program's defaults, so that
// these may change with it.
func (m *Manage) defaultsValue(d monitorDefaults) json.RawMessage {
	own := members(m.defaultsView(m.builtIn(), uptime.Setting{}))
	chosen := members(m.defaultsView(d, uptime.Setting{}))
	for name, value := range chosen {
		if _, isType := m.deps.ProbeKinds.Kind(name); isType || string(own[name]) == string(value) {
			delete(chosen, name)
		}
	}
	maps.Copy(chosen, d.blocks)
	return object(chosen)
}
