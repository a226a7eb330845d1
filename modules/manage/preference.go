package manage

import (
	"encoding/json"
	"slices"
	"strings"

	"monitor/modules/uptime"
)

// readPreferences reads the whole object; a member that is absent is as usual.
func readPreferences(b *body, into *uptime.Preferences) {
	*into = uptime.DefaultPreferences()
	raw, ok := b.take("preferences")
	if !ok {
		return
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		b.fail("preferences", "must be an object")
		return
	}
	p := &body{fields: fields}
	readColumns(p, into)
	choice(p, "density", uptime.Densities(), &into.Density)
	choice(p, "view", uptime.MonitorViews(), &into.View)
	if p.whole("page_size", 1, 1000, &into.PageSize) && !slices.Contains(uptime.PageSizes(), into.PageSize) {
		p.fail("page_size", "must be one of 25, 50, 100, 200")
	}
	p.boolean("shortcuts", &into.Shortcuts)
	p.boolean("getting_started_done", &into.Started)
	b.addUnder("preferences", p.finish("preferences"))
}

func readColumns(p *body, into *uptime.Preferences) {
	all := uptime.MonitorColumns()
	var chosen []string
	given := p.list("columns", len(all), func(path string, raw json.RawMessage) {
		var name string
		if json.Unmarshal(raw, &name) != nil || !slices.Contains(all, name) {
			p.fail(path, "must be one of %s", strings.Join(all, ", "))
			return
		}
		chosen = append(chosen, name)
	})
	if given {
		into.Columns = slices.DeleteFunc(all, func(name string) bool { return !slices.Contains(chosen, name) })
	}
}
