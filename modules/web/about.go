package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"monitor/modules/manage"
)

// AboutPage is what somebody who helps asks for first.
type AboutPage struct {
	Frame
	Tabs        []Link
	Facts       []Fact
	Roles       []RoleRow
	Diagnostics string
}

// RoleRow is a role and its processes.
type RoleRow struct {
	Role  string
	State State
	Text  string
}

func (w *Web) about(r *request) error {
	s, err := r.scene("About", "Settings", Crumb{"Settings", "/settings/profile"})
	if err != nil {
		return err
	}
	v, err := w.deps.Manage.About(r.Request().Context(), r.actor)
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write diagnostics: %w", err)
	}
	p := AboutPage{Frame: s.frame, Tabs: r.settingsTabs("About"), Diagnostics: string(text), Facts: aboutFacts(v)}
	for _, role := range v.Roles {
		p.Roles = append(p.Roles, roleRow(role))
	}
	return r.page(http.StatusOK, "about", "", p)
}

func aboutFacts(v manage.AboutView) []Fact {
	facts := []Fact{{"Version", v.Version}}
	if v.Commit != "" {
		facts = append(facts, Fact{"Commit", v.Commit})
	}
	facts = append(facts, Fact{"Built with", v.GoVersion})
	facts = append(facts, storageFacts(v.Database)...)
	return append(facts,
		Fact{"Checks a second", strconv.FormatFloat(v.ChecksPerSecond, 'f', 1, 64)},
		Fact{"Checks start late by", "half of them at most " + latency(ms(v.LatenessMS.P50)) + ", 99 % at most " + latency(ms(v.LatenessMS.P99))},
	)
}

func roleRow(role manage.RoleHealth) RoleRow {
	row := RoleRow{Role: role.Role, Text: plural(int64(role.Healthy), "process", "processes") + " well"}
	switch {
	case role.Instances == 0:
		row.State, row.Text = stateOf("unknown"), "no process"
	case role.Healthy < role.Instances:
		row.State, row.Text = stateOf("degraded"), fmt.Sprintf("%d of %d processes well", role.Healthy, role.Instances)
	default:
		row.State = stateOf("up")
	}
	return row
}
