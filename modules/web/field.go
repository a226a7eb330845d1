package web

import (
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"monitor/modules/form"
)

// FieldView is one input of a form with its value and what is wrong with it.
// Every form of the app is drawn from these by one template.
type FieldView struct {
	Name, Label, Help string
	Widget            string // "input", "textarea", "select", "check" or "group"
	Type              string // of an input
	InputMode         string
	Autocomplete      string
	Value             string
	Placeholder       string
	Error             string
	Options           []Option
	Required, Secret  bool
	Checked, Code     bool
	Prose             bool // of a textarea: words of people
	Big               bool
	ReadOnly          bool
	MaxLength         int
	Suffix            string      // of the id, where a name stands twice on a page
	Usual             string      // what it is where nobody chooses, and who says so; "" not told
	Fields            []FieldView // of a group
}

// ID of the input, unique on the page.
func (f FieldView) ID() string {
	return "f-" + strings.NewReplacer(".", "-", "_", "-", "[", "-", "]", "").Replace(f.Name) + f.Suffix
}

// Describes lists the ids of what explains the input.
func (f FieldView) Describes() string {
	var ids []string
	if f.Help != "" || f.Usual != "" {
		ids = append(ids, f.ID()+"-help")
	}
	if f.Error != "" {
		ids = append(ids, f.ID()+"-err")
	}
	return strings.Join(ids, " ")
}

// Option is one choice of a select.
type Option struct {
	Value, Label string
	Selected     bool
}

// fieldsOf draws settings: values and errors by path.
func fieldsOf(fields []form.Field, prefix string, values, errs map[string]string) []FieldView {
	out := make([]FieldView, 0, len(fields))
	for _, f := range fields {
		out = append(out, fieldOf(f, prefix, values, errs))
	}
	return out
}

func fieldOf(f form.Field, prefix string, values, errs map[string]string) FieldView {
	name := prefix + f.Name
	v := FieldView{
		Name: name, Label: f.Label, Help: f.Help, Widget: "input", Type: "text", Placeholder: f.Placeholder,
		Required: f.Required, MaxLength: f.MaxLength, Value: values[name], Error: errorOf(name, errs),
		Secret: f.Secret == "value",
	}
	switch f.Kind {
	case form.KindGroup:
		v.Widget = "group"
		v.Error = sentence(errs[name]) // of the block itself; its fields have their own
		v.Fields = fieldsOf(f.Fields, name+".", values, errs)
	case form.KindBool:
		v.Widget, v.Checked = "check", v.Value != ""
	case form.KindSelect:
		v.Widget = "select"
		for _, o := range f.Options {
			v.Options = append(v.Options, Option{Value: o, Label: o, Selected: o == v.Value})
		}
	case form.KindTextarea, form.KindList, form.KindMap:
		v.Widget, v.Code = "textarea", true
		v.Placeholder = placeholderOf(f)
	case form.KindNumber:
		v.InputMode = "decimal"
	case form.KindDuration:
		v.Value = neatText(v.Value)
	case form.KindPassword:
		v.Type, v.Autocomplete, v.Secret = "password", "off", true
	case form.KindEmail:
		v.Type, v.InputMode = "email", "email"
	case form.KindURL:
		v.Type, v.InputMode, v.Autocomplete = "url", "url", "off"
	}
	return v
}

func placeholderOf(f form.Field) string {
	switch {
	case f.Placeholder != "":
		return f.Placeholder
	case f.Kind == form.KindMap:
		return "Name: value, one per line"
	case f.Kind == form.KindList:
		return "One per line"
	}
	return ""
}

// tellUsual says of each field what it is where nobody chooses: usual has the values of
// the workspace, builtIn those of the program.
func tellUsual(fields []FieldView, usual, builtIn map[string]string) {
	for i := range fields {
		f := &fields[i]
		value, known := usual[f.Name]
		if !known || f.Secret {
			continue
		}
		text := strings.Join(strings.Fields(neatText(value)), ", ")
		if f.Widget == "check" {
			text = "off"
			if value != "" {
				text = "on"
			}
		}
		switch {
		case text == "" && value == builtIn[f.Name]:
			continue
		case text == "":
			text = "empty"
		}
		f.Usual = "Default: " + text + "."
		if value != builtIn[f.Name] {
			f.Usual = "Default: " + text + ", from Settings › Defaults."
		}
	}
}

// errorOf finds the message of a field: its own, or that of something within it.
func errorOf(name string, errs map[string]string) string {
	if m, ok := errs[name]; ok {
		return sentence(m)
	}
	for field, m := range errs {
		if rest, ok := strings.CutPrefix(field, name); ok && (rest[0] == '[' || rest[0] == '.') {
			return sentence(strings.TrimLeft(rest, ".") + " " + m)
		}
	}
	return ""
}

// sentence makes "must be …" fit to stand under a field.
func sentence(m string) string {
	if m == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(m)
	m = string(unicode.ToUpper(first)) + m[size:]
	if !strings.HasSuffix(m, ".") {
		m += "."
	}
	return m
}

// defaultsOf gives the values of a kind's defaults, by path with the prefix.
func defaultsOf(prefix string, settings any) map[string]string {
	return prefixed(prefix, form.ToValues(settings))
}

func prefixed(prefix string, values map[string]string) map[string]string {
	out := make(map[string]string, len(values))
	for k, v := range values {
		out[prefix+k] = v
	}
	return out
}

// typed gives what a person typed, by name.
func typed(v url.Values) map[string]string {
	out := make(map[string]string, len(v))
	for k := range v {
		out[k] = v.Get(k)
	}
	return out
}

// withoutEmptyGroups drops the inputs of nested blocks in which nothing was
// typed: such a block is left out and not half set.
func withoutEmptyGroups(fields []form.Field, prefix string, v url.Values) url.Values {
	out := url.Values{}
	maps.Copy(out, v)
	for _, f := range fields {
		if f.Kind != form.KindGroup {
			continue
		}
		name := prefix + f.Name + "."
		used := false
		for _, sub := range f.Fields {
			switch sub.Kind {
			case form.KindText, form.KindURL, form.KindEmail, form.KindPassword, form.KindTextarea:
				used = used || strings.TrimSpace(v.Get(name+sub.Name)) != ""
			}
		}
		for k := range out {
			if !used && strings.HasPrefix(k, name) {
				delete(out, k)
			}
		}
	}
	return out
}

// neatText shows a duration in the units people write: "5m" and not "300s".
func neatText(text string) string {
	d, err := form.ParseDuration(text)
	if err != nil || d == 0 {
		return text
	}
	return neat(d)
}

func neat(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0 && d >= 24*time.Hour:
		return whole(d, 24*time.Hour, "d")
	case d%time.Hour == 0:
		return whole(d, time.Hour, "h")
	case d%time.Minute == 0:
		return whole(d, time.Minute, "m")
	}
	return form.FormatDuration(d)
}

func whole(d, unit time.Duration, name string) string {
	return strconv.FormatInt(int64(d/unit), 10) + name
}
