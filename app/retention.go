package app

import (
	"monitor/config"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// retentionConfig is how long history is kept as the settings say. What the operator has
// set nobody changes on a page.
func retentionConfig(cfg *config.Config) manage.RetentionConfig {
	c := manage.RetentionConfig{Retention: uptime.Retention{
		Results: cfg.Retention.Results, Rollups: cfg.Retention.Rollups, Incidents: cfg.Retention.Incidents,
	}}
	for _, name := range []string{"results", "rollups", "incidents"} {
		if source, known := cfg.Sources["retention."+name]; known && source != config.FromDefault {
			c.Fixed = append(c.Fixed, name)
		}
	}
	return c
}
