package manage

import (
	"slices"

	"monitor/modules/uptime"
)

// Action is something that a person may want to do.
type Action string

// The actions. Own ones concern the actor alone.
const (
	Read           Action = "read"
	ChangeMonitor  Action = "change monitors"
	ChangeChannel  Action = "change channels"
	ChangeIncident Action = "change incidents"
	ReadTeam       Action = "read who changes incidents"
	ReadWallShares Action = "read links to wallboards"
	ShareWall      Action = "share wallboards"
	SendAgain      Action = "send deliveries again"
	ReadSelf       Action = "read your profile"
	ChangeSelf     Action = "change your profile"
	ManageOwnToken Action = "manage your API tokens"
	SaveView       Action = "save views"
	ShareView      Action = "share views"
	ManageViews    Action = "delete the views of others"
	ManageTokens   Action = "manage the tokens of others"
	ReadUsers      Action = "read users"
	ManageUsers    Action = "manage users"
	ManageOwners   Action = "manage owners"
	ReadAudit      Action = "read the audit log"
	// The workspace one is in, and further ones.
	ChangeWorkspace  Action = "change the workspace"
	ManageWorkspaces Action = "create and delete workspaces"
	// What new monitors get, how long history is kept, and how the program does.
	ReadSettings   Action = "read settings"
	ChangeSettings Action = "change settings"
)

// The scopes of API tokens.
const (
	ScopeRead  = "read"
	ScopeWrite = "write"
	ScopePush  = "push"
)

type rule struct {
	role  uptime.Role // the least
	scope string      // that a token with scopes must have
}

// rules is THE table of permissions.
func rules() map[Action]rule {
	return map[Action]rule{
		Read:           {uptime.RoleViewer, ScopeRead},
		ReadSelf:       {uptime.RoleViewer, ScopeRead},
		ChangeSelf:     {uptime.RoleViewer, ScopeWrite},
		ManageOwnToken: {uptime.RoleViewer, ScopeWrite},
		SaveView:       {uptime.RoleViewer, ScopeWrite},
		ShareView:      {uptime.RoleEditor, ScopeWrite},
		ManageViews:    {uptime.RoleAdmin, ScopeWrite},
		ChangeMonitor:  {uptime.RoleEditor, ScopeWrite},
		ChangeChannel:  {uptime.RoleEditor, ScopeWrite},
		ChangeIncident: {uptime.RoleEditor, ScopeWrite},
		ReadTeam:       {uptime.RoleEditor, ScopeRead},
		ReadWallShares: {uptime.RoleEditor, ScopeRead},
		ShareWall:      {uptime.RoleEditor, ScopeWrite},
		SendAgain:      {uptime.RoleEditor, ScopeWrite},
		ReadUsers:      {uptime.RoleAdmin, ScopeRead},
		ManageUsers:    {uptime.RoleAdmin, ScopeWrite},
		ReadAudit:      {uptime.RoleAdmin, ScopeRead},
		ManageTokens:   {uptime.RoleAdmin, ScopeWrite},
		ManageOwners:   {uptime.RoleOwner, ScopeWrite},

		ChangeWorkspace:  {uptime.RoleAdmin, ScopeWrite},
		ManageWorkspaces: {uptime.RoleOwner, ScopeWrite},

		ReadSettings:   {uptime.RoleAdmin, ScopeRead},
		ChangeSettings: {uptime.RoleAdmin, ScopeWrite},
	}
}

// Can reports whether the actor may do it; pages hide what they may not.
func (m *Manage) Can(actor uptime.Actor, action Action) bool {
	return m.permit(actor, action) == nil
}

// permit says why the actor may not do it: CodeUnauthorized for nobody,
// CodeForbidden with what is needed for somebody.
func (m *Manage) permit(actor uptime.Actor, action Action) error {
	if actor.WorkspaceID == 0 || !actor.Role.Valid() {
		return uptime.Fail(uptime.CodeUnauthorized, "Log in or send a token.")
	}
	need, known := m.rules[action]
	if !known {
		return uptime.Fail(uptime.CodeForbidden, "Nobody may %v.", action)
	}
	if !actor.Role.Includes(need.role) {
		return uptime.Fail(uptime.CodeForbidden, "To %v you need the role %v; yours is %v.", action, need.role, actor.Role)
	}
	if actor.Scopes != nil && !slices.Contains(actor.Scopes, need.scope) {
		return uptime.Fail(uptime.CodeForbidden, "To %v the API token needs the scope %s.", action, need.scope)
	}
	return nil
}
