package api

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// schemas gives every schema of the document: answers drawn from the views,
// bodies from inputs.go, settings blocks from their kinds.
func schemas(monitors, channels []uptime.Kind) huma.Registry {
	registry := huma.NewMapRegistry(schemaPrefix, schemaName)
	for _, view := range append(settingViews(), []any{
		Problem{},
		manage.MonitorView{},
		manage.ResultView{},
		manage.GapView{},
		manage.StatsView{},
		manage.MonitorTestView{},
		manage.IncidentView{},
		manage.PersonView{},
		manage.ChannelView{},
		manage.ChannelTestView{},
		manage.DeliveryView{},
		manage.UserView{},
		newUser{},
		manage.TokenView{},
		manage.SessionView{},
		manage.WorkspaceView{},
		manage.SavedView{},
		manage.FacetsView{},
		manage.DeletedMonitorView{},
		manage.PasskeyView{},
		manage.AuditView{},
		manage.MonitorChangeView{},
		manage.TOTPView{},
		manage.RecoveryView{},
		manage.TokenPair{},
		setupDone{},
		manage.OverviewView{},
		manage.FoundView{},
		manage.WallShareView{},
		manage.BulkJobView{},
	}...) {
		registry.Schema(reflect.TypeOf(view), true, "")
	}
	all := registry.Map()
	for _, s := range all {
		tidy(s)
	}
	describe(all)
	for _, name := range []string{"Monitor", "Result", "Incident", "Channel", "Delivery", "User", "Token", "Session", "Passkey", "Workspace", "Audit", "SavedView", "DeletedMonitor", "Person", "Found", "WallShare", "MonitorChange"} {
		all[name+"List"] = listSchema(name)
	}
	all["ResultList"].Properties["gaps"] = &huma.Schema{Type: "array", Items: reference("Gap"), Description: "Only with include=gaps."}
	maps.Copy(all, inputs(all))
	typed(all, monitors, channels)
	defaultBlocks(all, monitors)
	return registry
}

// schemaName is the type's name without what only the code needs.
func schemaName(t reflect.Type, hint string) string {
	plain := t
	if t.Kind() == reflect.Pointer {
		plain = t.Elem()
	}
	switch plain {
	case reflect.TypeFor[uptime.Certificate]():
		return "EvidenceCertificate"
	case reflect.TypeFor[setupDone]():
		return "Setup"
	case reflect.TypeFor[manage.SavedView]():
		return "SavedView"
	}
	return strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "View")
}

// tidy corrects what is drawn from a struct: a list of ours is never null, and an
// answer may get new fields.
func tidy(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	if closed, ok := s.AdditionalProperties.(bool); ok && !closed {
		s.AdditionalProperties = nil
	}
	if values, ok := s.AdditionalProperties.(*huma.Schema); ok {
		tidy(values)
	}
	tidy(s.Items)
	for _, property := range s.Properties {
		tidy(property)
	}
}

// describe adds what the structs do not say: the words that a field may have,
// and which objects may be null.
func describe(all map[string]*huma.Schema) {
	incident := []uptime.IncidentStatus{uptime.IncidentOpen, uptime.IncidentAcknowledged, uptime.IncidentResolved}
	outcomes := []uptime.AttemptOutcome{uptime.AttemptOK, uptime.AttemptRetry, uptime.AttemptPermanent}
	for path, options := range map[string][]string{
		"Monitor.status": words(uptime.Statuses()), "Result.status": words(resultStatuses()), "MonitorTest.status": words(resultStatuses()),
		"Found.kind":      {"monitor", "incident", "channel"},
		"Incident.status": words(incident), "Incident.stage": stages(), "Incident.severity": severities(),
		"Delivery.status": words(deliveryStatuses()), "Attempt.outcome": words(outcomes),
		"BulkJob.status": {manage.BulkPreview, manage.BulkWaiting, manage.BulkRunning, manage.BulkDone},
		"User.role":      roles(), "NewUser.role": roles(), "Token.role": roles(),
		"User.theme": themes(), "NewUser.theme": themes(),
		"Preferences.density": uptime.Densities(), "Preferences.view": uptime.MonitorViews(),
	} {
		name, field, _ := strings.Cut(path, ".")
		all[name].Properties[field].Enum = anys(options)
	}
	all["BulkJob"].Properties["action"] = &huma.Schema{Type: huma.TypeObject, Description: "What it does, as it was asked for."}
	for _, path := range []string{"MonitorTest.certificate", "Channel.last_delivery", "Incident.postmortem"} {
		name, field, _ := strings.Cut(path, ".")
		all[name].Properties[field] = &huma.Schema{AnyOf: []*huma.Schema{all[name].Properties[field], {Type: "null"}}}
	}
	for _, field := range []string{"interval", "timeout", "retry_interval", "resend_every"} {
		all["Monitor"].Properties[field].Examples = []any{"60s"}
		all["Monitor"].Properties[field].Description = "A duration."
	}
	all["Preferences"].Properties["columns"].Items.Enum = anys(uptime.MonitorColumns())
	all["Preferences"].Properties["page_size"].Enum = anys(uptime.PageSizes())
	all["User"].Properties["preferences"].Description = "There for the person alone, as in GET /me."
	all["Channel"].Properties["settings"].Type = huma.TypeObject
	all["Token"].Properties["secret"].Description = "There once, when the token is created; starts with mon_."
	all["WallShare"].Properties["secret"].Description = "There once, when the link is created: its address is /wall/ and this."
	all["NewUser"].Properties["invite_url"].Description = "There when no password was given: the link that lets the user choose one, for 7 days."
}

func stages() []string {
	return words([]uptime.Stage{uptime.StageInvestigating, uptime.StageIdentified, uptime.StageMonitoring, uptime.StageResolved})
}

func severities() []string {
	return words([]uptime.Severity{uptime.SeverityNone, uptime.SeverityMinor, uptime.SeverityMajor, uptime.SeverityCritical})
}

func roles() []string {
	return words([]uptime.Role{uptime.RoleOwner, uptime.RoleAdmin, uptime.RoleEditor, uptime.RoleViewer})
}

func themes() []string { return []string{"auto", "light", "dark"} }

func listSchema(name string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Required: []string{"data", "next_cursor"}, Properties: map[string]*huma.Schema{
		"data":        {Type: huma.TypeArray, Items: reference(name)},
		"next_cursor": {Type: huma.TypeString, Nullable: true, Description: "For cursor; null on the last page."},
	}}
}

// copyOf copies a schema as deep as its properties.
func copyOf(s *huma.Schema) *huma.Schema {
	out := *s
	out.Properties = map[string]*huma.Schema{}
	for name, property := range s.Properties {
		p := *property
		out.Properties[name] = &p
	}
	out.Required = slices.Clone(s.Required)
	return &out
}
