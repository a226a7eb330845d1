package api

import (
	"encoding/json"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"monitor/modules/manage"
)

// shape is an object that a body may be.
func shape(example string, required []string, properties map[string]*huma.Schema) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject, Required: required, Properties: properties, AdditionalProperties: false,
		Examples: []any{json.RawMessage(example)},
	}
}

func line(about string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Description: about}
}

func oneOf(options []string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Enum: anys(options)}
}

func password(about string) *huma.Schema {
	least := 12
	return &huma.Schema{Type: huma.TypeString, Format: "password", WriteOnly: true, MinLength: &least, Description: about}
}

func boolean(about string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeBoolean, Description: about}
}

// inputs are the bodies that requests may have. Package manage judges them; this
// is what it takes.
func inputs(all map[string]*huma.Schema) map[string]*huma.Schema {
	type fields = map[string]*huma.Schema
	zone, language := line("An IANA name: Europe/Berlin."), line("Of the pages: a language tag such as de, or auto for what the browser asks for.")
	out := fields{
		"SetupInput": shape(`{"email":"ada@example.com","password":"correct horse battery","name":"Ada"}`, []string{"email", "password", "name"}, fields{
			"email": line(""), "password": password(""), "name": line(""), "instance_name": line("The name on pages."), "time_zone": zone,
			"setup_token": line("Printed when the program starts; not needed at the machine itself."),
		}),
		"LoginInput": shape(`{"email":"ada@example.com","password":"correct horse battery"}`, []string{"email", "password"}, fields{
			"email": line(""), "password": {Type: huma.TypeString, Format: "password", WriteOnly: true}, "totp": line("A one-time code or a recovery code, where the answer without one is totp_required."),
		}),
		"RefreshInput": shape(`{"refresh_token":"…"}`, []string{"refresh_token"}, fields{"refresh_token": line("")}),
		"MePatch": shape(`{"name":"Ada Lovelace","time_zone":"Europe/London"}`, nil, fields{
			"name": line(""), "email": line(""), "time_zone": zone, "language": language, "theme": oneOf(themes()),
			"preferences": {Type: huma.TypeObject, Properties: all["Preferences"].Properties, Description: "How the pages are; null is as usual."},
			"password":    password("A new one; needs current_password."), "current_password": {Type: huma.TypeString, WriteOnly: true},
			"totp":        boolean("true turns the second factor on, by totp_secret, totp_code and current_password; false turns it off."),
			"totp_secret": {Type: huma.TypeString, WriteOnly: true, Description: "As POST /me/totp gives it."}, "totp_code": {Type: huma.TypeString, WriteOnly: true, Description: "A code of it."},
		}),
		"RecoveryInput": shape(`{"current_password":"correct horse battery"}`, []string{"current_password"}, fields{
			"current_password": {Type: huma.TypeString, Format: "password", WriteOnly: true},
		}),
		"SavedViewInput": shape(`{"name":"Down in the shop","query":"status=down&group=Shop"}`, []string{"name"}, fields{
			"name": line("At most 60 characters."), "query": line("Of the address of the list of monitors."), "shared": boolean("Everybody in the workspace sees it; needs the role editor."),
		}),
		"WorkspaceInput": shape(`{"name":"Payments","time_zone":"Europe/Berlin"}`, []string{"name"}, fields{"name": line(""), "time_zone": zone}),
		"WorkspacePatch": shape(`{"name":"Payments"}`, nil, fields{"name": line(""), "time_zone": zone}),
		"UserInput": shape(`{"email":"grace@example.com","role":"editor"}`, []string{"email", "role"}, fields{
			"email": line(""), "name": line(""), "role": oneOf(roles()), "time_zone": zone, "language": language,
			"password": password("Without one the answer has an invite_url."),
		}),
		"UserPatch": shape(`{"role":"viewer"}`, nil, fields{
			"email": line(""), "name": line(""), "role": oneOf(roles()), "disabled": boolean(""), "time_zone": zone, "language": language,
			"password": password(""),
		}),
		"TokenInput": shape(`{"name":"deploy","role":"editor","scopes":["read","write"]}`, []string{"name"}, fields{
			"name": line(""), "role": oneOf(roles()), "scopes": {Type: huma.TypeArray, Items: oneOf([]string{"read", "write", "push"})},
			"expires_at": {Type: huma.TypeString, Format: "date-time", Nullable: true, Description: "null: never."},
		}),
		"WallShareInput": shape(`{"name":"Office screen","tag":"team:web"}`, []string{"name"}, fields{
			"name": line("The heading of the wallboard."), "tag": line("Only monitors with this tag: its name, or name and value as team:web."),
			"group":      line("Only monitors of this group and below it."),
			"expires_at": {Type: huma.TypeString, Format: "date-time", Nullable: true, Description: "null: never."},
		}),
		"IncidentInput": shape(`{"title":"Payments are slow","severity":"minor","monitor_ids":[7],"message":"We are looking into it."}`, []string{"title"}, incidentFields()),
		"IncidentPatch": shape(`{"stage":"identified","message":"A full disk."}`, nil, incidentPatchFields()),
		"BulkInput":     bulkInput(),
		"SilenceInput": shape(`{"for":"1h","note":"Moving the rack."}`, nil, fields{
			"for": line("A duration of at most 30 days; either this or until."), "note": line("Why."),
			"until": {Type: huma.TypeString, Format: "date-time", Description: "At most 30 days ahead."},
		}),
		"MessageInput": shape(`{"message":"On it."}`, nil, fields{"message": line("A line of the timeline.")}),
		"UpdateInput": shape(`{"message":"The disk is being replaced.","stage":"identified"}`, []string{"message"}, fields{
			"message": line("A line of the timeline."), "stage": oneOf(stages()), "internal": boolean("For the team alone."),
			"next_update_by": {Type: huma.TypeString, Format: "date-time", Description: "When the next update is promised."},
		}),
		"UpdatePatch": shape(`{"message":"The disk was replaced."}`, nil, fields{"message": line(""), "internal": boolean("For the team alone.")}),
	}
	monitorInputs(all, out)
	channelInputs(all, out)
	settingInputs(all, out)
	return out
}

// bulkInput has what any action needs.
func bulkInput() *huma.Schema {
	type fields = map[string]*huma.Schema
	ids := &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeInteger, Format: "int64"}}
	words := &huma.Schema{Type: huma.TypeArray, Items: line("")}
	filter := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Description: "In place of ids; {} is all monitors.", Properties: fields{
		"status": words, "type": words, "tag": words, "group": line(""), "q": line(""), "enabled": boolean(""), "silenced": boolean(""),
	}}
	return shape(`{"filter":{"tag":["team:web"]},"action":"silence","for":"1h","dry_run":true}`, []string{"action"}, fields{
		"ids": ids, "filter": filter, "action": oneOf(manage.BulkActions()),
		"dry_run": boolean("Only say what would be done."), "set": line("That of a dry run: refused when other monitors match by now."),
		"for": line("Of silence."), "until": {Type: huma.TypeString, Format: "date-time", Description: "Of silence."}, "note": line("Of silence."),
		"tag": line("Of tag-add, tag-remove and tag-rename: team or team:web."), "to": line("Of tag-rename and group-rename: the new one."), "channel_ids": ids, "mode": oneOf([]string{"set", "add", "remove"}),
		"interval": line("A duration."), "failures_before_down": {Type: huma.TypeInteger, Description: "Of retries."}, "group": line("Of group and group-rename."),
		"from": {Type: huma.TypeObject, Description: "Of defaults: those members of the defaults of new monitors that were changed, with their values of before. Monitors that have these get those of now, which the answer names as into."},
	})
}

func incidentFields() map[string]*huma.Schema {
	return map[string]*huma.Schema{
		"title": line(""), "stage": oneOf(stages()), "severity": oneOf(severities()), "message": line("The next line of the timeline."),
		"internal":       boolean("The line is for the team alone."),
		"monitor_ids":    {Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeInteger, Format: "int64"}, Description: "Of an incident made by hand."},
		"started_at":     {Type: huma.TypeString, Format: "date-time", Description: "Of an incident made by hand."},
		"owner_id":       {Type: huma.TypeInteger, Format: "int64", Nullable: true, Description: "Who takes care of it; null: nobody."},
		"next_update_by": {Type: huma.TypeString, Format: "date-time", Nullable: true, Description: "When the next update is promised."},
	}
}

// incidentPatchFields are those, and what may be written once it is over.
func incidentPatchFields() map[string]*huma.Schema {
	out := incidentFields()
	out["postmortem"] = &huma.Schema{AnyOf: []*huma.Schema{
		shape(`{"text":"A disk was full.","published":true}`, []string{"text"}, map[string]*huma.Schema{"text": line("Plain text."), "published": boolean("May be shown to the public.")}),
		{Type: "null"},
	}, Description: "Once the incident is resolved."}
	return out
}

// monitorInputs are those of the answer; what nobody writes may come along.
func monitorInputs(all, out map[string]*huma.Schema) {
	readOnly(all["Monitor"], "id", "target", "status", "status_since", "consecutive_failures", "last_checked_at", "last_response_ms",
		"last_error", "last_error_kind", "certificate_expires_at", "silenced_until", "silenced_by", "silence_note", "created_at", "updated_at")
	defaults(all["Monitor"], map[string]any{
		"enabled": true, "interval": "60s", "failures_before_down": 2, "successes_before_up": 1, "resend_every": "0s",
		"regions": []string{"default"}, "min_regions_down": 1,
	})
	input := copyOf(all["Monitor"])
	input.Required = []string{"name", "type"}
	input.Examples = []any{json.RawMessage(`{"name":"Shop","type":"http","http":{"url":"https://example.com"}}`)}
	out["MonitorInput"] = input
	patch := copyOf(input)
	patch.Required = nil
	patch.Examples = []any{json.RawMessage(`{"interval":"5m","tags":{"team":"web"}}`)}
	out["MonitorPatch"] = patch
}

func channelInputs(all, out map[string]*huma.Schema) {
	readOnly(all["Channel"], "id", "disabled_reason", "target", "used_by", "last_delivery", "created_at", "updated_at")
	defaults(all["Channel"], map[string]any{"enabled": true, "is_default": false, "send_resolved": true, "send_degraded": false})
	input := copyOf(all["Channel"])
	input.Required = []string{"name", "type"}
	input.Examples = []any{json.RawMessage(`{"name":"Ops","type":"webhook","settings":{"url":"https://example.com/hook"}}`)}
	out["ChannelInput"] = input
	patch := copyOf(input)
	patch.Required = nil
	patch.Examples = []any{json.RawMessage(`{"is_default":true}`)}
	out["ChannelPatch"] = patch
}

func readOnly(s *huma.Schema, names ...string) {
	for name, property := range s.Properties {
		property.ReadOnly = slices.Contains(names, name)
	}
}

func defaults(s *huma.Schema, values map[string]any) {
	for name, value := range values {
		s.Properties[name].Default = value
	}
}
