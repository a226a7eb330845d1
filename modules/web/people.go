package web

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// PeoplePage is who may log in to the workspace.
type PeoplePage struct {
	Frame
	Tabs      []Link
	Rows      []PersonRow
	Older     string      // URL of the next page, "": this is the end
	Fields    []FieldView // of an invitation; none: they may not invite
	InviteURL string      // of the invitation that was just made, "" none
	InviteFor string
	Problem   string
	Summary   []ErrorLink
}

// PersonRow is one of them.
type PersonRow struct {
	URL, Name, Email, Role string
	State                  string // "invited", "disabled", or ""
	TOTP, You              bool
	Seen                   When
}

func (w *Web) people(r *request) error { return r.showPeople(http.StatusOK, PeoplePage{}, nil, nil) }

// showPeople draws the page; given holds what was typed into a refused form.
func (r *request) showPeople(status int, p PeoplePage, given map[string]string, failure error) error {
	s, err := r.scene(r.t("People"), "Settings", Crumb{r.t("Settings"), "/settings/profile"})
	if err != nil {
		return err
	}
	list, err := r.web.deps.Manage.Users(r.Request().Context(), r.actor, uptime.Page{Limit: 100, Cursor: r.QueryParam("cursor")})
	if err != nil {
		return err
	}
	p.Frame, p.Tabs = s.frame, r.settingsTabs("People")
	for _, u := range list.Items {
		p.Rows = append(p.Rows, s.personRow(u))
	}
	if list.Next != "" {
		p.Older = "/settings/people?cursor=" + list.Next
	}
	if r.web.deps.Manage.Can(r.actor, manage.ManageUsers) {
		p.Fields = []FieldView{
			{
				Name: "email", Label: "E-mail", Widget: "input", Type: "email", InputMode: "email", Autocomplete: "off", Required: true,
				Value: given["email"], Help: "They get the link from you; nothing is mailed.",
			},
			r.roleField(stillTyped(given, "role", string(uptime.RoleViewer))),
		}
	}
	blame(r.lang(), p.Fields, failure)
	p.Problem, p.Summary = problems(r.lang(), failure, p.Fields)
	return r.page(status, "people", "", p)
}

func (s *scene) personRow(u manage.UserView) PersonRow {
	row := PersonRow{
		URL: personURL(u.ID), Name: u.Name, Email: u.Email, Role: roleWord(s.lang, u.Role), TOTP: u.TOTP, You: u.ID == s.me.ID, Seen: s.whenPtr(u.LastSeenAt),
	}
	switch {
	case u.Disabled:
		row.State = "disabled"
	case u.Invited:
		row.State = "invited"
	}
	return row
}

func personURL(id int64) string { return "/settings/people/" + strconv.FormatInt(id, 10) }

// roleWord names a role.
func roleWord(l *lang.Language, role uptime.Role) string {
	switch role {
	case uptime.RoleViewer:
		return l.T("role|viewer")
	case uptime.RoleEditor:
		return l.T("role|editor")
	case uptime.RoleAdmin:
		return l.T("role|admin")
	case uptime.RoleOwner:
		return l.T("role|owner")
	}
	return string(role)
}

// roleField offers the roles that the person may give.
func (r *request) roleField(chosen string) FieldView {
	f := FieldView{Name: "role", Label: "Role", Widget: "select"}
	for _, o := range []struct {
		role  uptime.Role
		about string
	}{
		{uptime.RoleViewer, r.t("Viewer: sees everything, changes nothing")},
		{uptime.RoleEditor, r.t("Editor: changes monitors, channels and incidents")},
		{uptime.RoleAdmin, r.t("Admin: also manages people")},
		{uptime.RoleOwner, r.t("Owner: also manages owners and workspaces")},
	} {
		if o.role == uptime.RoleOwner && !r.web.deps.Manage.Can(r.actor, manage.ManageOwners) && chosen != string(o.role) {
			continue
		}
		f.Options = append(f.Options, Option{Value: string(o.role), Label: o.about, Selected: string(o.role) == chosen})
	}
	return f
}

// personInvite invites somebody and shows the link, once.
func (w *Web) personInvite(r *request) error {
	given := r.inputs("email", "role")
	raw, err := json.Marshal(given)
	if err != nil {
		return err
	}
	made, invite, failure := w.deps.Manage.CreateUser(r.Request().Context(), r.actor, raw)
	if failure == nil {
		return r.showPeople(http.StatusOK, PeoplePage{InviteURL: r.address() + "/invite/" + invite, InviteFor: made.Email}, nil, nil)
	}
	if _, bad := fieldErrors(nil, failure); !bad {
		return failure
	}
	return r.showPeople(http.StatusUnprocessableEntity, PeoplePage{}, given, failure)
}

// address is that of the pages, without a slash at its end.
func (r *request) address() string {
	if public := r.web.deps.PublicURL; public != "" {
		return strings.TrimSuffix(public, "/")
	}
	return uptime.RequestOf(r.Request().Context()).BaseURL()
}

// PersonPage is one person in the workspace.
type PersonPage struct {
	Frame
	Person  PersonRow
	Action  string
	Fields  []FieldView // none: they may not change them
	Problem string
	Summary []ErrorLink
	Since   When
}

func (w *Web) person(r *request) error { return r.showPerson(http.StatusOK, nil, nil) }

// showPerson draws the page; given holds what was typed into a refused form.
func (r *request) showPerson(status int, given map[string]string, failure error) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	u, err := r.web.deps.Manage.User(r.Request().Context(), r.actor, id)
	if err != nil {
		return err
	}
	s, err := r.scene(cmp.Or(u.Name, u.Email), "Settings", Crumb{r.t("Settings"), "/settings/profile"}, Crumb{r.t("People"), "/settings/people"})
	if err != nil {
		return err
	}
	p := PersonPage{Frame: s.frame, Person: s.personRow(u), Action: personURL(id), Since: s.when(u.CreatedAt)}
	if r.mayChange(u) {
		p.Fields = append([]FieldView{r.roleField(stillTyped(given, "role", string(u.Role)))}, accessFields(u, p.Person.You, given)...)
	}
	blame(r.lang(), p.Fields, failure)
	p.Problem, p.Summary = problems(r.lang(), failure, p.Fields)
	return r.page(status, "person", "", p)
}

// mayChange reports whether the person may change somebody: owners are for owners alone.
func (r *request) mayChange(u manage.UserView) bool {
	may := r.web.deps.Manage.Can
	return may(r.actor, manage.ManageUsers) && (u.Role != uptime.RoleOwner || may(r.actor, manage.ManageOwners))
}

// accessFields take somebody's access away, or help them back in: nobody turns off their
// own second factor here, and who logs in elsewhere has it there.
func accessFields(u manage.UserView, self bool, given map[string]string) []FieldView {
	fields := []FieldView{{
		Name: "disabled", Label: "Disabled", Widget: "check", Checked: stillTyped(given, "disabled", ticked(u.Disabled)) != "",
		Help: "They are logged out of this workspace, and so are their API tokens, until you untick it.",
	}}
	if u.TOTP && !u.Elsewhere && !self {
		fields = append(fields, FieldView{
			Name: "no_totp", Label: "Turn off their second factor", Widget: "check", Checked: given["no_totp"] != "",
			Help: "For who has lost their device and their recovery codes.",
		})
	}
	return fields
}

func ticked(on bool) string {
	if on {
		return "on"
	}
	return ""
}

func (w *Web) personSave(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	given := r.inputs("role", "disabled", "no_totp")
	changes := map[string]any{"role": given["role"], "disabled": given["disabled"] != ""}
	if given["no_totp"] != "" {
		changes["totp"] = false
	}
	raw, err := json.Marshal(changes)
	if err != nil {
		return err
	}
	_, failure := w.deps.Manage.UpdateUser(r.Request().Context(), r.actor, id, raw, "")
	if failure == nil {
		return r.done("person-saved", "/settings/people")
	}
	if _, bad := fieldErrors(nil, failure); !bad {
		return failure
	}
	return r.showPerson(http.StatusUnprocessableEntity, given, failure)
}

func (w *Web) personConfirmRemove(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	u, err := w.deps.Manage.User(r.Request().Context(), r.actor, id)
	if err != nil {
		return err
	}
	s, err := r.scene(r.t("Remove"), "Settings", Crumb{r.t("Settings"), "/settings/profile"}, Crumb{r.t("People"), "/settings/people"}, Crumb{u.Email, personURL(id)})
	if err != nil {
		return err
	}
	return r.page(http.StatusOK, "confirm", "", ConfirmPage{
		Frame: s.frame, Question: r.t("Remove %s?", u.Email),
		Lost:   r.t("Their sessions and API tokens in this workspace end, and so does their account if they are in no other one. What they wrote in incidents stays, with their name."),
		Action: personURL(id) + "/remove", Cancel: personURL(id), Verb: r.t("Remove"),
	})
}

func (w *Web) personRemove(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	failure := w.deps.Manage.DeleteUser(r.Request().Context(), r.actor, id)
	if failure == nil {
		return r.done("person-removed", "/settings/people")
	}
	if _, bad := fieldErrors(nil, failure); !bad {
		return failure
	}
	return r.showPerson(http.StatusUnprocessableEntity, nil, failure)
}
