package web

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// preferencesOf somebody, whole.
func preferencesOf(me manage.UserView) uptime.Preferences {
	if me.Preferences == nil {
		return uptime.DefaultPreferences()
	}
	p, usual := *me.Preferences, uptime.DefaultPreferences()
	p.PageSize = cmp.Or(p.PageSize, usual.PageSize)
	p.View, p.Density = cmp.Or(p.View, usual.View), cmp.Or(p.Density, usual.Density)
	return p
}

// Display is the form of how the list of monitors looks.
type Display struct {
	Layouts, Densities, Sizes, Columns []Option
	Back                               string // where it leads when it is kept
}

func displayOf(l *lang.Language, p uptime.Preferences, f Filter) Display {
	return Display{
		Layouts: named(l, uptime.MonitorViews(), p.View), Densities: named(l, uptime.Densities(), p.Density),
		Sizes: named(l, pageSizes(), strconv.Itoa(p.PageSize)), Columns: named(l, uptime.MonitorColumns(), p.Columns...),
		Back: f.url(func(n *Filter) { n.View, n.Size = p.View, p.PageSize }),
	}
}

func pageSizes() (out []string) {
	for _, n := range uptime.PageSizes() {
		out = append(out, strconv.Itoa(n))
	}
	return out
}

// named are options with the words for them.
func named(l *lang.Language, all []string, chosen ...string) (out []Option) {
	words := map[string]string{
		"list": lang.Key("layout|List"), "grouped": lang.Key("layout|Grouped"), "comfortable": lang.Key("Comfortable"), "compact": lang.Key("Compact"), "type": lang.Key("Type"), "group": lang.Key("Group"),
		"tags": lang.Key("Tags"), "bar": lang.Key("Last 24 h"), "uptime": lang.Key("Uptime, 30 days"), "p95": lang.Key("p95, 24 h"), "checked": lang.Key("column|Checked"),
	}
	for _, name := range all {
		out = append(out, Option{Value: name, Label: l.T(cmp.Or(words[name], name)), Selected: slices.Contains(chosen, name)})
	}
	return out
}

// displaySave keeps how the list looks.
func (w *Web) displaySave(r *request) error {
	form, err := r.FormParams()
	if err != nil {
		return err
	}
	columns := form["column"]
	if columns == nil {
		columns = []string{}
	}
	return r.keep("preferences", map[string]any{
		"view": form.Get("view"), "density": form.Get("density"), "columns": columns, "page_size": json.RawMessage(number(form.Get("size"))),
	}, r.back("/monitors"))
}

// number is a text as a number in JSON; what is none is refused as 0.
func number(text string) string {
	n, err := strconv.Atoi(text)
	if err != nil {
		n = 0
	}
	return strconv.Itoa(n)
}

// likesFields are preferences that the profile sets.
func likesFields(l *lang.Language, given map[string]string, p uptime.Preferences) []FieldView {
	density, size, keys := "preferences.density", "preferences.page_size", "preferences.shortcuts"
	return []FieldView{
		{Name: density, Label: "Density of lists", Widget: "select", Options: named(l, uptime.Densities(), stillTyped(given, density, p.Density))},
		{Name: size, Label: "Rows per page", Widget: "select", Options: named(l, pageSizes(), stillTyped(given, size, strconv.Itoa(p.PageSize)))},
		{
			Name: keys, Label: "Single letters are shortcuts", Widget: "check", Checked: stillTyped(given, keys, onOff(p.Shortcuts)) == "on",
			Help: "As j and k, which go through a list. Turn them off where they come in the way of dictation or other tools.",
		},
	}
}

// likes are what the profile's form says of preferences.
func (r *request) likes() map[string]any {
	density := r.FormValue("preferences.density")
	if density == "" { // a form without them
		return map[string]any{}
	}
	return map[string]any{
		"density": density, "shortcuts": r.FormValue("preferences.shortcuts") == "on",
		"page_size": json.RawMessage(number(r.FormValue("preferences.page_size"))),
	}
}
