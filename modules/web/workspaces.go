package web

import (
	"encoding/json"
	"net/http"

	"monitor/modules/lang"
	"monitor/modules/manage"
)

// WorkspacesPage is the workspace one is in, and the others that one belongs to.
type WorkspacesPage struct {
	Frame
	Tabs      []Link
	Fields    []FieldView // of the one in use; none: they may not change it
	New       []FieldView // of a further one; none: they may not make it
	Problem   string
	Summary   []ErrorLink
	Rows      []WorkspaceRow
	CanDelete bool
}

// WorkspaceRow is one workspace.
type WorkspaceRow struct {
	ID               int64
	Name, Role, Zone string
	Current          bool
}

func (w *Web) workspaces(r *request) error { return r.showWorkspaces(http.StatusOK, nil, nil) }

// showWorkspaces draws the page; given holds what was typed into a refused form.
func (r *request) showWorkspaces(status int, given map[string]string, failure error) error {
	s, err := r.scene(r.t("Workspaces"), "Settings", Crumb{r.t("Settings"), "/settings/profile"})
	if err != nil {
		return err
	}
	uses := r.web.deps.Manage
	list, err := uses.Workspaces(r.Request().Context(), r.actor)
	if err != nil {
		return err
	}
	p := WorkspacesPage{Frame: s.frame, Tabs: r.settingsTabs("Workspaces"), Rows: workspaceRows(s.lang, list.Items)}
	current := currentWorkspace(list.Items)
	if uses.Can(r.actor, manage.ChangeWorkspace) {
		p.Fields = workspaceFields(current.Name, current.TimeZone, "")
	}
	if uses.Can(r.actor, manage.ManageWorkspaces) {
		p.New = workspaceFields("", current.TimeZone, "-new")
		first, err := uses.Instance(r.Request().Context())
		if err != nil {
			return err
		}
		p.CanDelete = len(list.Items) > 1 && current.ID != first.ID
	}
	sent := p.fieldsAt(r.Request().URL.Path)
	retype(sent, given)
	blame(r.lang(), sent, failure)
	p.Problem, p.Summary = problems(r.lang(), failure, sent)
	return r.page(status, "workspaces", "", p)
}

// fieldsAt are those of the form that is posted to a path.
func (p *WorkspacesPage) fieldsAt(path string) []FieldView {
	if path == "/settings/workspaces/new" {
		return p.New
	}
	return p.Fields
}

func workspaceRows(l *lang.Language, list []manage.WorkspaceView) []WorkspaceRow {
	var rows []WorkspaceRow
	for _, v := range list {
		rows = append(rows, WorkspaceRow{ID: v.ID, Name: v.Name, Role: roleWord(l, v.Role), Zone: v.TimeZone, Current: v.Current})
	}
	return rows
}

// currentWorkspace is the one in use.
func currentWorkspace(list []manage.WorkspaceView) manage.WorkspaceView {
	for _, v := range list {
		if v.Current {
			return v
		}
	}
	return manage.WorkspaceView{}
}

func workspaceFields(name, zone, suffix string) []FieldView {
	return []FieldView{
		{Name: "name", Label: "Name", Widget: "input", Type: "text", Autocomplete: "off", MaxLength: 200, Required: true, Value: name, Suffix: suffix},
		{
			Name: "time_zone", Label: "Time zone", Widget: "input", Type: "text", Autocomplete: "off", Placeholder: "Europe/Berlin", Value: zone, Suffix: suffix,
			Help: "Of times in messages, and for who has set none.",
		},
	}
}

// workspaceInput is what was typed into one of the two forms.
func (r *request) workspaceInput() (raw json.RawMessage, given map[string]string, err error) {
	given = r.inputs("name", "time_zone")
	raw, err = json.Marshal(given)
	return raw, given, err
}

func (w *Web) workspaceSave(r *request) error {
	raw, given, err := r.workspaceInput()
	if err != nil {
		return err
	}
	_, failure := w.deps.Manage.UpdateWorkspace(r.Request().Context(), r.actor, r.actor.WorkspaceID, raw)
	return r.workspaceDone(failure, given, "workspace-saved")
}

func (w *Web) workspaceCreate(r *request) error {
	raw, given, err := r.workspaceInput()
	if err != nil {
		return err
	}
	made, failure := w.deps.Manage.CreateWorkspace(r.Request().Context(), r.actor, raw)
	if failure == nil {
		failure = w.deps.Manage.EnterWorkspace(r.Request().Context(), r.actor, made.ID)
	}
	return r.workspaceDone(failure, given, "workspace-created")
}

func (r *request) workspaceDone(failure error, given map[string]string, done string) error {
	if failure == nil {
		return r.done(done, "/settings/workspaces")
	}
	if _, bad := fieldErrors(nil, failure); !bad {
		return failure
	}
	return r.showWorkspaces(http.StatusUnprocessableEntity, given, failure)
}

func (w *Web) workspaceEnter(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	if err := w.deps.Manage.EnterWorkspace(r.Request().Context(), r.actor, id); err != nil {
		return err
	}
	return r.done("workspace-entered", "/")
}

func (w *Web) workspaceConfirmDelete(r *request) error {
	s, err := r.scene(r.t("Delete workspace"), "Settings", Crumb{r.t("Settings"), "/settings/profile"}, Crumb{r.t("Workspaces"), "/settings/workspaces"})
	if err != nil {
		return err
	}
	return r.page(http.StatusOK, "confirm", "", ConfirmPage{
		Frame: s.frame, Question: r.t("Delete the workspace %s?", s.frame.Instance),
		Lost:   r.t("It has to be empty: without monitors, channels and other members. It cannot be brought back."),
		Action: "/settings/workspaces/delete", Cancel: "/settings/workspaces", Verb: r.t("Delete workspace"),
	})
}

// workspaceDelete removes the workspace in use; its sessions end with it.
func (w *Web) workspaceDelete(r *request) error {
	failure := w.deps.Manage.DeleteWorkspace(r.Request().Context(), r.actor, r.actor.WorkspaceID)
	if failure == nil {
		return r.done("workspace-deleted", "/login")
	}
	return r.workspaceDone(failure, nil, "")
}
