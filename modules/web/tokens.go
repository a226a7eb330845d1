package web

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// TokensPage is the API tokens that one may see.
type TokensPage struct {
	Frame
	Tabs    []Link
	Rows    []TokenRow
	Older   string // URL of the next page, "": this is the end
	Fields  []FieldView
	Secret  string // of the token that was just made, "" none
	Problem string
	Summary []ErrorLink
}

// TokenRow is one token.
type TokenRow struct {
	ID                         int64
	Name, Prefix, Role, Scopes string
	Of                         string // whose it is, "": one's own
	Used, Ends                 When
	Over                       bool
}

func (w *Web) tokens(r *request) error { return r.showTokens(http.StatusOK, "", nil, nil) }

// showTokens draws the page; given holds what was typed into a refused form.
func (r *request) showTokens(status int, secret string, given map[string]string, failure error) error {
	s, err := r.scene(r.t("API tokens"), "Settings", Crumb{r.t("Settings"), "/settings/profile"})
	if err != nil {
		return err
	}
	list, err := r.web.deps.Manage.Tokens(r.Request().Context(), r.actor, uptime.Page{Limit: 100, Cursor: r.QueryParam("cursor")})
	if err != nil {
		return err
	}
	p := TokensPage{Frame: s.frame, Tabs: r.settingsTabs("API tokens"), Secret: secret}
	for _, t := range list.Items {
		p.Rows = append(p.Rows, s.tokenRow(t))
	}
	if list.Next != "" {
		p.Older = "/settings/tokens?cursor=" + list.Next
	}
	p.Fields = r.tokenFields(given)
	blame(r.lang(), p.Fields, failure)
	p.Problem, p.Summary = problems(r.lang(), failure, p.Fields)
	return r.page(status, "tokens", "", p)
}

func (s *scene) tokenRow(t manage.TokenView) TokenRow {
	row := TokenRow{
		ID: t.ID, Name: t.Name, Prefix: t.Prefix, Role: roleWord(s.lang, t.Role), Scopes: scopeWords(s.lang, t.Scopes),
		Used: s.whenPtr(t.LastUsedAt), Ends: s.whenPtr(t.ExpiresAt), Over: t.ExpiresAt != nil && !s.now.Before(*t.ExpiresAt),
	}
	if t.UserID != s.me.ID {
		row.Of = s.t("of user %d", t.UserID)
	}
	return row
}

// scopeWords list what a token may do.
func scopeWords(l *lang.Language, scopes []string) string {
	words := map[string]string{manage.ScopeRead: l.T("scope|read"), manage.ScopeWrite: l.T("scope|write")}
	out := make([]string, 0, len(scopes))
	for _, scope := range scopes {
		out = append(out, cmp.Or(words[scope], scope))
	}
	return strings.Join(out, ", ")
}

// tokenLives are the ends that a token can be given here, by their keys in the catalogue;
// the API takes any.
func tokenLives() []Option {
	return []Option{
		{Value: "30", Label: lang.Key("In 30 days")}, {Value: "90", Label: lang.Key("In 90 days")}, {Value: "365", Label: lang.Key("In a year")}, {Value: "", Label: lang.Key("Never")},
	}
}

func (r *request) tokenFields(given map[string]string) []FieldView {
	role := FieldView{Name: "role", Label: "Role", Widget: "select", Help: "It never does more than you may."}
	chosen := stillTyped(given, "role", string(uptime.RoleViewer))
	for _, o := range []uptime.Role{uptime.RoleViewer, uptime.RoleEditor, uptime.RoleAdmin, uptime.RoleOwner} {
		if r.actor.Role.Includes(o) {
			role.Options = append(role.Options, Option{Value: string(o), Label: roleWord(r.lang(), o), Selected: string(o) == chosen})
		}
	}
	ends := FieldView{Name: "expires_at", Label: "Ends", Widget: "select"}
	life := stillTyped(given, "expires_at", "90")
	for _, o := range tokenLives() {
		ends.Options = append(ends.Options, Option{Value: o.Value, Label: r.t(o.Label), Selected: o.Value == life})
	}
	fields := []FieldView{
		{Name: "name", Label: "Name", Widget: "input", Type: "text", Autocomplete: "off", MaxLength: 100, Required: true, Value: given["name"], Placeholder: "deploy"},
		role, ends,
	}
	for _, scope := range []struct{ name, label string }{
		{manage.ScopeRead, lang.Key("scope|Reads")}, {manage.ScopeWrite, lang.Key("scope|Changes")},
	} {
		fields = append(fields, FieldView{
			Name: "scope_" + scope.name, Label: scope.label, Widget: "check",
			Checked: stillTyped(given, "scope_"+scope.name, ticked(scope.name == manage.ScopeRead)) != "",
		})
	}
	return fields
}

// tokenCreate makes a token and shows its secret, once.
func (w *Web) tokenCreate(r *request) error {
	given := r.inputs("name", "role", "expires_at", "scope_read", "scope_write")
	raw, err := json.Marshal(tokenOf(given, r.now))
	if err != nil {
		return err
	}
	made, failure := w.deps.Manage.CreateToken(r.Request().Context(), r.actor, raw)
	if failure == nil {
		return r.showTokens(http.StatusOK, made.Secret, nil, nil)
	}
	if _, bad := fieldErrors(nil, failure); !bad {
		return failure
	}
	return r.showTokens(http.StatusUnprocessableEntity, "", given, failure)
}

// tokenOf is the token that a form asks for, its members by name.
func tokenOf(given map[string]string, now time.Time) map[string]any {
	scopes := []string{}
	for _, scope := range []string{manage.ScopeRead, manage.ScopeWrite} {
		if given["scope_"+scope] != "" {
			scopes = append(scopes, scope)
		}
	}
	token := map[string]any{"name": given["name"], "role": given["role"], "scopes": scopes}
	if end, ends := endOf(given["expires_at"], now); ends {
		token["expires_at"] = end
	}
	return token
}

// endOf is when something with one of tokenLives ends; anything else never does.
func endOf(life string, now time.Time) (end time.Time, ends bool) {
	days, err := strconv.Atoi(life)
	if err != nil || !slices.ContainsFunc(tokenLives(), func(o Option) bool { return o.Value == life }) {
		return time.Time{}, false
	}
	return now.Add(time.Duration(days) * 24 * time.Hour).UTC().Truncate(time.Second), true
}

func (w *Web) tokenRevoke(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	if err := w.deps.Manage.DeleteToken(r.Request().Context(), r.actor, id); err != nil {
		return err
	}
	return r.done("token-revoked", "/settings/tokens")
}
