package api

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func (s *server) monitorDefaults(c *call) (reply, error) {
	v, err := s.Manage.MonitorDefaults(c.r.Context(), c.actor)
	return reply{body: v, etag: v.ETag}, err
}

func (s *server) replaceMonitorDefaults(c *call) (reply, error) {
	v, err := s.Manage.ReplaceMonitorDefaults(c.r.Context(), c.actor, c.body, c.ifMatch())
	return reply{body: v, etag: v.ETag}, err
}

func (s *server) retention(c *call) (reply, error) {
	v, err := s.Manage.Retention(c.r.Context(), c.actor)
	return reply{body: v, etag: v.ETag}, err
}

func (s *server) replaceRetention(c *call) (reply, error) {
	v, err := s.Manage.ReplaceRetention(c.r.Context(), c.actor, c.body, c.ifMatch())
	return reply{body: v, etag: v.ETag}, err
}

func (s *server) about(c *call) (reply, error) {
	v, err := s.Manage.About(c.r.Context(), c.actor)
	return reply{body: v}, err
}

// settingInputs are the bodies of what is chosen for a whole workspace, and of the
// whole program.
func settingInputs(all, out map[string]*huma.Schema) {
	for name, example := range map[string]string{
		"MonitorDefaults": `{"interval":"30s","http":{"degraded_after":"2s"}}`,
		"Retention":       `{"results":"90d"}`,
	} {
		input := copyOf(all[name])
		input.Required = nil
		input.Examples = []any{json.RawMessage(example)}
		out[name+"Input"] = input
	}
}

// defaultBlocks adds to the defaults of monitors the settings of each type.
func defaultBlocks(all map[string]*huma.Schema, monitors []uptime.Kind) {
	for _, kind := range monitors {
		for _, name := range []string{"MonitorDefaults", "MonitorDefaultsInput"} {
			all[name].Properties[kind.Name] = &huma.Schema{
				Type: huma.TypeObject, Description: "Settings of the type " + kind.Name + " that need not be named, without secrets.",
			}
		}
	}
}

// settingViews are the answers.
func settingViews() []any {
	return []any{manage.MonitorDefaultsView{}, manage.RetentionView{}, manage.AboutView{}}
}
