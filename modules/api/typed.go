package api

import (
	"github.com/danielgtaylor/huma/v2"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

// channelBlock names the settings of a channel, whatever its type.
const channelBlock = "settings"

// typed adds the types of monitors and channels: one schema for the settings of
// each, and which of them goes with which type.
func typed(all map[string]*huma.Schema, monitors, channels []uptime.Kind) {
	for _, kind := range monitors {
		addSettings(all, "MonitorSettings-", kind)
		all["MonitorPatch"].Properties[kind.Name] = &huma.Schema{Type: huma.TypeObject, Description: "Settings of the type " + kind.Name + "; merged."}
	}
	for _, kind := range channels {
		addSettings(all, "ChannelSettings-", kind)
	}
	own := func(kind uptime.Kind) string { return kind.Name }
	shared := func(uptime.Kind) string { return channelBlock }
	for _, name := range []string{"Monitor", "MonitorInput"} {
		byType(all[name], monitors, "MonitorSettings-", own)
	}
	for _, name := range []string{"Channel", "ChannelInput"} {
		byType(all[name], channels, "ChannelSettings-", shared)
	}
	all["MonitorPatch"].Properties["type"] = oneOf(names(monitors))
	all["ChannelPatch"].Properties["type"] = oneOf(names(channels))
}

func names(kinds []uptime.Kind) []string {
	out := make([]string, 0, len(kinds))
	for _, kind := range kinds {
		out = append(out, kind.Name)
	}
	return out
}

func addSettings(all map[string]*huma.Schema, before string, kind uptime.Kind) {
	block := form.JSONSchema(kind.New())
	block["title"] = kind.Label
	if kind.Help != "" {
		block["description"] = kind.Help
	}
	all[before+kind.Name] = &huma.Schema{Extensions: block}
}

// byType says which settings go with which type.
func byType(s *huma.Schema, kinds []uptime.Kind, before string, block func(uptime.Kind) string) {
	s.Properties["type"] = oneOf(names(kinds))
	for _, kind := range kinds {
		s.OneOf = append(s.OneOf, &huma.Schema{
			Title: kind.Label, Required: []string{"type", block(kind)},
			Properties: map[string]*huma.Schema{
				"type":      {Type: huma.TypeString, Enum: []any{kind.Name}},
				block(kind): reference(before + kind.Name),
			},
		})
	}
}
