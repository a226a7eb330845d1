package web

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"monitor/modules/form"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// MonitorForm makes or changes a monitor.
type MonitorForm struct {
	Frame
	ID       int64 // 0: new
	CopyOf   int64 // of a new one like another, 0: of none
	First    bool  // the very first: one field
	Heading  string
	Action   string
	Cancel   string
	ETag     string
	Kinds    []Option
	Type     string
	TypeHelp string
	What     []FieldView // the least: name and what the type requires
	Check    []FieldView // the type's other settings
	More     []FieldView // its advanced ones
	MoreOpen bool
	When     []FieldView
	Tell     []FieldView
	Channels []ChannelTick
	Problem  string
	Summary  []ErrorLink
	Conflict *Conflict // somebody else saved it meanwhile
	Test     *TestPanel
}

// ChannelTick chooses a channel for a monitor.
type ChannelTick struct {
	ID      int64
	Name    string
	Type    string
	Checked bool
	Off     bool
}

// whenFields and tellFields describe what every monitor has, in the language of forms.
func whenFields() []form.Field {
	return []form.Field{
		{Name: "interval", Label: "Interval", Kind: form.KindDuration, Required: true, Help: "How often it is checked, as in 30s, 5m or 1h."},
		{Name: "timeout", Label: "Timeout", Kind: form.KindDuration, Placeholder: "10s, or the interval", Help: "One deadline over the whole check. Not above the interval."},
		{Name: "failures_before_down", Label: "Failures before down", Kind: form.KindNumber, Help: "So many in a row open an incident, 1–20."},
		{Name: "retry_interval", Label: "Retry interval", Kind: form.KindDuration, Placeholder: "20s, or the interval", Help: "After a failure it is tried again this soon."},
		{Name: "successes_before_up", Label: "Successes before up", Kind: form.KindNumber, Help: "So many in a row end an outage, 1–20."},
		{Name: "resend_every", Label: "Remind every", Kind: form.KindDuration, Help: "While nobody has acknowledged. 0s: never."},
	}
}

func tellFields() []form.Field {
	return []form.Field{
		{Name: "group", Label: "Group", Kind: form.KindText, Placeholder: "Shop/EU", Help: "Slashes make groups within groups."},
		{Name: "tags", Label: "Tags", Kind: form.KindMap, Placeholder: "team: web", Help: "One per line, name: value. The value may be empty."},
	}
}

// builtIn are the program's own defaults of what every monitor has.
func builtIn() map[string]string {
	return map[string]string{
		"interval":             form.FormatDuration(uptime.DefaultInterval),
		"timeout":              form.FormatDuration(uptime.DefaultTimeout),
		"retry_interval":       form.FormatDuration(uptime.DefaultRetryInterval),
		"failures_before_down": strconv.Itoa(uptime.DefaultFailuresBeforeDown),
		"successes_before_up":  strconv.Itoa(uptime.DefaultSuccessesBeforeUp), "resend_every": "0s",
	}
}

// draft is a monitor as a form has it: inputs by name.
type draft struct {
	kind     uptime.Kind
	values   map[string]string
	channels []int64
}

// kindOf chooses a type by name, the first one where it is not known.
func kindOf(kinds []uptime.Kind, name string) uptime.Kind {
	for _, k := range kinds {
		if k.Name == name {
			return k
		}
	}
	if len(kinds) == 0 {
		return uptime.Kind{New: func() any { return &struct{}{} }}
	}
	return kinds[0]
}

// newDraft has the workspace's defaults. Timeout and retry interval are left open: they
// follow the interval where that is short.
func newDraft(kind uptime.Kind, usual manage.MonitorDefaultsView) draft {
	d := draft{kind: kind, values: commonDefaults(usual)}
	delete(d.values, "timeout")
	delete(d.values, "retry_interval")
	maps.Copy(d.values, typeDefaults(kind, usual))
	return d
}

// storedDraft has what is stored, secrets masked.
func storedDraft(kind uptime.Kind, m manage.MonitorView) (draft, error) {
	settings := kind.New()
	if err := json.Unmarshal(m.Settings, settings); err != nil {
		return draft{}, err
	}
	d := draft{kind: kind, channels: m.ChannelIDs, values: prefixed(kind.Name+".", form.ToValues(settings))}
	var tags []string
	for name, value := range m.Tags {
		tags = append(tags, strings.TrimRight(name+": "+value, " "))
	}
	slices.Sort(tags)
	maps.Copy(d.values, map[string]string{
		"name": m.Name, "group": m.Group, "tags": strings.Join(tags, "\n"),
		"interval": m.Interval.String(), "timeout": m.Timeout.String(), "retry_interval": m.RetryInterval.String(),
		"resend_every": m.ResendEvery.String(), "failures_before_down": strconv.Itoa(m.FailuresBeforeDown),
		"successes_before_up": strconv.Itoa(m.SuccessesBeforeUp),
	})
	return d, nil
}

// typedDraft has what was typed.
func typedDraft(kind uptime.Kind, v url.Values) draft {
	d := draft{kind: kind, values: typed(v)}
	for _, id := range v["channel_ids"] {
		if n, err := strconv.ParseInt(id, 10, 64); err == nil {
			d.channels = append(d.channels, n)
		}
	}
	return d
}

// monitorForm draws a draft with what is wrong with it.
func (r *request) monitorForm(s *scene, d draft, failure error) (*MonitorForm, error) {
	l := r.lang()
	errs, _ := fieldErrors(l, failure)
	p := &MonitorForm{Frame: s.frame, Heading: s.frame.Title, Action: "/monitors", Cancel: "/monitors", Type: d.kind.Name, TypeHelp: l.T(d.kind.Help)}
	p.Scripts = []string{formScript}
	for _, k := range r.web.deps.Manage.MonitorKinds() {
		p.Kinds = append(p.Kinds, Option{Value: k.Name, Label: l.T(k.Label), Selected: k.Name == d.kind.Name})
	}
	p.drawSettings(d, errs)
	name := fieldOf(l, form.Field{Name: "name", Label: "Name", Kind: form.KindText, Required: true, MaxLength: uptime.MaxNameLength, Help: "What people call it. Left empty it is named after its address."}, "", d.values, errs)
	name.Required = false
	p.What = append(p.What, name)
	p.When = fieldsOf(l, whenFields(), "", d.values, errs)
	p.Tell = fieldsOf(l, tellFields(), "", d.values, errs)
	p.Problem, p.Summary = problems(l, failure, p.What, p.Check, p.More, p.When, p.Tell)
	if err := p.fillUsual(r, d.kind); err != nil {
		return nil, err
	}
	return p, p.fillChannels(r, d)
}

// drawSettings draws those of the type.
func (p *MonitorForm) drawSettings(d draft, errs map[string]string) {
	block := d.kind.Name + "."
	for _, f := range form.Fields(d.kind.New()) {
		v := fieldOf(p.Lang, f, block, d.values, errs)
		switch {
		case f.Required:
			p.What = append(p.What, v)
		case f.Advanced:
			p.More = append(p.More, v)
			p.MoreOpen = p.MoreOpen || v.Error != "" || changed(f, block, d)
		default:
			p.Check = append(p.Check, v)
		}
	}
}

// fillUsual says what each field is where nobody chooses.
func (p *MonitorForm) fillUsual(r *request, kind uptime.Kind) error {
	usual, err := r.web.deps.Manage.MonitorDefaults(r.Request().Context(), r.actor)
	if err != nil {
		return err
	}
	common := commonDefaults(usual)
	tellUsual(r.lang(), p.When, common, builtIn())
	for i := range p.When {
		if f := &p.When[i]; f.Placeholder != "" { // it may be left open
			f.Placeholder = r.t("%s, or the interval", neatText(common[f.Name]))
		}
	}
	for _, fields := range [][]FieldView{p.Check, p.More} {
		tellUsual(r.lang(), fields, typeDefaults(kind, usual), defaultsOf(kind.Name+".", kind.New()))
	}
	return nil
}

// changed reports whether an advanced setting is not its default.
func changed(f form.Field, block string, d draft) bool {
	value, ok := d.values[block+f.Name]
	return ok && value != defaultsOf(block, d.kind.New())[block+f.Name]
}

// channelNames of those that are told, in the order of the form.
func (p *MonitorForm) channelNames(ids []int64) string {
	var names []string
	for _, c := range p.Channels {
		if slices.Contains(ids, c.ID) {
			names = append(names, c.Name)
		}
	}
	return orDash(strings.Join(names, ", "))
}

func (p *MonitorForm) fillChannels(r *request, d draft) error {
	list, err := r.web.deps.Manage.Channels(r.Request().Context(), r.actor, uptime.Page{Limit: 200})
	if err != nil {
		return err
	}
	for _, c := range list.Items {
		on := slices.Contains(d.channels, c.ID) || (d.channels == nil && c.IsDefault && r.Request().Method == http.MethodGet)
		p.Channels = append(p.Channels, ChannelTick{c.ID, c.Name, r.t(kindLabel(r.web.deps.Manage.ChannelKinds(), c.Type)), on, !c.Enabled})
	}
	return nil
}
