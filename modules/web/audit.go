package web

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// AuditPage is the audit log.
type AuditPage struct {
	Frame
	Tabs   []Link
	Kinds  []Option
	Lines  []AuditRow
	Older  string // URL, "": this is the end
	Export string
}

// AuditRow is one line.
type AuditRow struct {
	At      When
	Who     string
	By      string // the API token that was used, or ""
	Action  string
	Object  string
	URL     string // of the object, "": it has no page
	Changes []AuditChange
	Address string
}

// AuditChange is one field before and after.
type AuditChange struct {
	Field, Before, After string
	Secret               bool // another one, which is told nobody
}

const (
	auditPerPage = 50
	// mostExported and mostBytes bound a file.
	mostExported = 50_000
	mostBytes    = 32 << 20
)

// auditKinds are the kinds of objects that lines are about.
func auditKinds(l *lang.Language) []Option {
	return []Option{
		{Value: "monitor", Label: l.T("Monitors")},
		{Value: "incident", Label: l.T("Incidents")},
		{Value: "channel", Label: l.T("Channels")},
		{Value: "delivery", Label: l.T("Deliveries")},
		{Value: "user", Label: l.T("People")},
		{Value: "token", Label: l.T("API tokens")},
		{Value: "workspace", Label: l.T("Workspaces")},
		{Value: "passkey", Label: l.T("Passkeys")},
		{Value: "view", Label: l.T("Saved views")},
		{Value: "wallboard", Label: l.T("Wallboards")},
	}
}

// auditFilter is what the address asks for; what cannot be used is left out.
func (r *request) auditFilter() (f uptime.AuditFilter, q url.Values) {
	q = url.Values{}
	kind := r.QueryParam("object")
	if slices.ContainsFunc(auditKinds(nil), func(o Option) bool { return o.Value == kind }) {
		f.ObjectType = kind
		q.Set("object", kind)
	}
	return f, q
}

func (w *Web) audit(r *request) error {
	s, err := r.scene(r.t("Audit log"), "Settings", Crumb{r.t("Settings"), "/settings/profile"})
	if err != nil {
		return err
	}
	f, q := r.auditFilter()
	list, err := w.deps.Manage.AuditLog(r.Request().Context(), r.actor, f, uptime.Page{Limit: auditPerPage, Cursor: r.QueryParam("cursor")})
	if err != nil {
		return err
	}
	p := AuditPage{Frame: s.frame, Tabs: r.settingsTabs("Audit log"), Export: "/settings/audit.csv?" + q.Encode()}
	p.Kinds = []Option{{Label: s.t("Everything"), Selected: f.ObjectType == ""}}
	for _, kind := range auditKinds(s.lang) {
		p.Kinds = append(p.Kinds, Option{Value: kind.Value, Label: kind.Label, Selected: kind.Value == f.ObjectType})
	}
	for _, line := range list.Items {
		p.Lines = append(p.Lines, s.auditRow(line))
	}
	if list.Next != "" {
		q.Set("cursor", list.Next)
		p.Older = "/settings/audit?" + q.Encode()
	}
	return r.page(http.StatusOK, "audit", "", p)
}

func (s *scene) auditRow(v manage.AuditView) AuditRow {
	row := AuditRow{
		At: s.when(v.At), Who: whoDid(s.lang, v), Action: v.Action, Object: objectOf(s.lang, v), Address: v.Address, Changes: changesOf(v.Detail),
	}
	if v.TokenID != 0 {
		row.By = s.t("by API token %d", v.TokenID)
	}
	switch v.ObjectType {
	case "monitor", "incident":
		row.URL = "/" + v.ObjectType + "s/" + strconv.FormatInt(v.ObjectID, 10)
	case "channel":
		row.URL = "/channels/" + strconv.FormatInt(v.ObjectID, 10) + "/log"
	}
	if strings.HasSuffix(v.Action, ".delete") || v.ObjectID == 0 {
		row.URL = ""
	}
	return row
}

func whoDid(l *lang.Language, v manage.AuditView) string {
	switch {
	case v.User != "":
		return v.User
	case v.Email != "":
		return v.Email
	case v.UserID != 0:
		return l.T("who|user %d", v.UserID)
	}
	return l.T("the program")
}

// objectOf names what a line is about. Its number comes after it wherever there is one.
func objectOf(l *lang.Language, v manage.AuditView) string {
	words := map[string]string{
		"monitor": l.T("object|monitor"), "incident": l.T("object|incident"), "channel": l.T("object|channel"), "delivery": l.T("object|delivery"),
		"user": l.T("object|user"), "token": l.T("object|token"), "workspace": l.T("object|workspace"), "passkey": l.T("object|passkey"),
		"view": l.T("object|view"), "wallboard": l.T("object|wallboard"), "bulk_job": l.T("object|bulk_job"),
	}
	name := cmp.Or(words[v.ObjectType], v.ObjectType)
	if v.ObjectID == 0 {
		return name
	}
	return name + " " + strconv.FormatInt(v.ObjectID, 10)
}

// changesOf reads the detail of a line: fields with what they were and are, or plain
// members.
func changesOf(detail json.RawMessage) []AuditChange {
	var members map[string]json.RawMessage
	if json.Unmarshal(detail, &members) != nil {
		return nil
	}
	var out []AuditChange
	for _, name := range slices.Sorted(maps.Keys(members)) {
		var change struct{ From, To json.RawMessage }
		if json.Unmarshal(members[name], &change) == nil && change.To != nil {
			out = append(out, memberChanges(name, change.From, change.To)...)
			continue
		}
		out = append(out, AuditChange{Field: name, After: plainJSON(members[name])})
	}
	return out
}

// memberChanges tells of a block of settings its members that changed. Where all look
// the same it is a secret, which is masked before and after.
func memberChanges(name string, from, to json.RawMessage) []AuditChange {
	var before, after map[string]json.RawMessage
	if json.Unmarshal(from, &before) != nil || json.Unmarshal(to, &after) != nil || before == nil || after == nil {
		return []AuditChange{{Field: name, Before: plainJSON(from), After: plainJSON(to)}}
	}
	all := maps.Clone(before)
	maps.Copy(all, after)
	var out []AuditChange
	for _, member := range slices.Sorted(maps.Keys(all)) {
		if a, b := plainJSON(before[member]), plainJSON(after[member]); a != b {
			out = append(out, AuditChange{Field: name + "." + member, Before: a, After: b})
		}
	}
	if out == nil {
		out = []AuditChange{{Field: name, Secret: true}}
	}
	return out
}

// plainJSON is a text without its quotes, nothing for null, and anything else as it is.
func plainJSON(raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return uptime.Clean(text, 200)
	}
	return uptime.Clean(string(raw), 200)
}

// auditCSV is the log as a file, newest first, up to mostExported lines.
func (w *Web) auditCSV(r *request) error {
	f, _ := r.auditFilter()
	var out bytes.Buffer
	file := csv.NewWriter(&out)
	// Into a buffer; Flush tells what failed.
	_ = file.Write([]string{"time", "who", "email", "token_id", "action", "object_type", "object_id", "address", "detail"})
	for page, n := (uptime.Page{Limit: 200}), 0; ; {
		list, err := w.deps.Manage.AuditLog(r.Request().Context(), r.actor, f, page)
		if err != nil {
			return err
		}
		for _, v := range list.Items {
			_ = file.Write(auditCells(v))
		}
		if page.Cursor = list.Next; page.Cursor == "" {
			break
		}
		if n += len(list.Items); n >= mostExported || out.Len() > mostBytes {
			_ = file.Write([]string{"", "there are older lines: ask GET /api/v1/audit-log", "", "", "", "", "", "", ""})
			break
		}
	}
	file.Flush()
	if err := file.Error(); err != nil {
		return err
	}
	return r.file("monitor-audit.csv", "text/csv; charset=utf-8", out.Bytes())
}

func auditCells(v manage.AuditView) []string {
	return []string{
		v.At.Format("2006-01-02T15:04:05.000Z07:00"), cell(whoDid(nil, v)), cell(v.Email), strconv.FormatInt(v.TokenID, 10), cell(v.Action),
		cell(v.ObjectType), strconv.FormatInt(v.ObjectID, 10), cell(v.Address), cell(string(v.Detail)),
	}
}

// formula is where a cell, or what a spreadsheet that cuts at semicolons takes for one,
// begins like a formula: also in full-width characters, and behind what some drop
// from the front of a cell.
var formula = regexp.MustCompile(`(^|[;\t\r\n])([ \x{A0}\x{3000}"']*)([=+@\t\r\x00＝＋－＠-])`)

// cell is a text that no spreadsheet takes for a formula (OWASP, CSV Injection).
func cell(text string) string { return formula.ReplaceAllString(text, "$1'$2$3") }
