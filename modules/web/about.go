package web

import (
	"encoding/json"
	"fmt"
	"net/http"

	"monitor/modules/lang"
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
	s, err := r.scene(r.t("About"), "Settings", Crumb{r.t("Settings"), "/settings/profile"})
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
	p := AboutPage{Frame: s.frame, Tabs: r.settingsTabs("About"), Diagnostics: string(text), Facts: aboutFacts(s.lang, v)}
	for _, role := range v.Roles {
		p.Roles = append(p.Roles, roleRow(s.lang, role))
	}
	return r.page(http.StatusOK, "about", "", p)
}

func aboutFacts(l *lang.Language, v manage.AboutView) []Fact {
	facts := []Fact{{l.T("Version"), v.Version}}
	if v.Commit != "" {
		facts = append(facts, Fact{l.T("Commit"), v.Commit})
	}
	facts = append(facts, Fact{l.T("Built with"), v.GoVersion})
	facts = append(facts, storageFacts(l, v.Database)...)
	return append(facts,
		Fact{l.T("Checks a second"), l.Decimal(v.ChecksPerSecond, 1)},
		Fact{l.T("Checks start late by"), l.T("half of them at most %s, 99 %% at most %s", l.Latency(ms(v.LatenessMS.P50)), l.Latency(ms(v.LatenessMS.P99)))},
	)
}

func roleRow(l *lang.Language, role manage.RoleHealth) RoleRow {
	row := RoleRow{Role: role.Role, Text: l.N(int64(role.Healthy), "%s process well", "%s processes well")}
	switch {
	case role.Instances == 0:
		row.State, row.Text = stateOf("unknown"), l.T("no process")
	case role.Healthy < role.Instances:
		row.State, row.Text = stateOf("degraded"), l.N(int64(role.Instances), "%[2]s of %[1]s process well", "%[2]s of %[1]s processes well", l.Figure(int64(role.Healthy)))
	default:
		row.State = stateOf("up")
	}
	return row
}
