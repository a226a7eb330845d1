package manage

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"monitor/modules/uptime"
)

func workspaceView(w uptime.Membership, current int64) WorkspaceView {
	return WorkspaceView{
		ID: w.ID, Name: w.Name, TimeZone: w.TimeZone, Role: w.Role, Current: w.ID == current, CreatedAt: w.CreatedAt.UTC(),
	}
}

// Workspace gives the name and time zone of the workspace that the actor is in.
func (m *Manage) Workspace(ctx context.Context, actor uptime.Actor) (uptime.Workspace, error) {
	if err := m.permit(actor, ReadSelf); err != nil {
		return uptime.Workspace{}, err
	}
	return m.deps.Workspaces.Workspace(ctx, actor.WorkspaceID)
}

// Workspaces lists those that the actor may enter, by name. Who came by an API token is
// in the one of the token.
func (m *Manage) Workspaces(ctx context.Context, actor uptime.Actor) (uptime.List[WorkspaceView], error) {
	list := uptime.List[WorkspaceView]{Items: []WorkspaceView{}}
	if err := m.permit(actor, ReadSelf); err != nil {
		return list, err
	}
	all, err := m.deps.Workspaces.Memberships(ctx, actor.UserID)
	if err != nil {
		return list, err
	}
	for _, w := range all {
		if actor.TokenID == 0 || w.ID == actor.WorkspaceID {
			list.Items = append(list.Items, workspaceView(w, actor.WorkspaceID))
		}
	}
	return list, nil
}

// AllWorkspaces lists those that there are, for commands at the machine.
func (m *Manage) AllWorkspaces(ctx context.Context, actor uptime.Actor) ([]uptime.Workspace, error) {
	if actor.UserID != 0 {
		return nil, uptime.Fail(uptime.CodeForbidden, "Only commands at the machine see all workspaces.")
	}
	return m.deps.Workspaces.Workspaces(ctx)
}

// CreateWorkspace takes {"name","time_zone"}; the first one is required. The actor is its
// owner, and stays in the workspace that they are in.
func (m *Manage) CreateWorkspace(ctx context.Context, actor uptime.Actor, raw json.RawMessage) (WorkspaceView, error) {
	if err := m.permit(actor, ManageWorkspaces); err != nil {
		return WorkspaceView{}, err
	}
	if actor.UserID == 0 {
		return WorkspaceView{}, uptime.Fail(uptime.CodeForbidden, "A workspace belongs to a person; log in as one.")
	}
	b, err := parseBody(raw)
	if err != nil {
		return WorkspaceView{}, err
	}
	w, err := readWorkspace(b)
	if err != nil {
		return WorkspaceView{}, err
	}
	user, err := m.deps.Users.User(ctx, actor.WorkspaceID, actor.UserID)
	if err != nil {
		return WorkspaceView{}, err
	}
	if user.PasswordGiven {
		return WorkspaceView{}, passwordGiven()
	}
	audit := m.audited(actor, "workspace.create", "workspace", 0)
	audit.Detail = detail(map[string]any{"name": w.Name, "time_zone": w.TimeZone})
	saved, err := m.deps.Workspaces.CreateWorkspace(ctx, w, actor.UserID, audit)
	if err != nil {
		return WorkspaceView{}, err
	}
	return workspaceView(uptime.Membership{Workspace: saved, Role: uptime.RoleOwner}, actor.WorkspaceID), nil
}

func readWorkspace(b *body) (uptime.Workspace, error) {
	w := uptime.Workspace{TimeZone: "UTC"}
	b.required("name", uptime.MaxNameLength, &w.Name)
	readZone(b, &w.TimeZone)
	b.readOnly("id", "role", "current", "created_at")
	return w, b.finish("a workspace")
}

// UpdateWorkspace merges {"name","time_zone"} into the workspace that the actor is in.
// ErrNotFound for another one.
func (m *Manage) UpdateWorkspace(ctx context.Context, actor uptime.Actor, id int64, patch json.RawMessage) (WorkspaceView, error) {
	if err := m.permit(actor, ChangeWorkspace); err != nil {
		return WorkspaceView{}, err
	}
	if err := ownWorkspace(actor, id); err != nil {
		return WorkspaceView{}, err
	}
	audit := m.audited(actor, "workspace.update", "workspace", id)
	saved, err := m.deps.Workspaces.UpdateWorkspace(ctx, id, func(w *uptime.Workspace) error {
		before := workspaceView(uptime.Membership{Workspace: *w, Role: actor.Role}, id)
		base, err := json.Marshal(before)
		if err != nil {
			return fmt.Errorf("write workspace: %w", err)
		}
		b, _, err := mergePatch(base, patch)
		if err != nil {
			return err
		}
		next, err := readWorkspace(b)
		if err != nil {
			return err
		}
		w.Name, w.TimeZone = next.Name, next.TimeZone
		was, is := members(before), members(workspaceView(uptime.Membership{Workspace: *w, Role: actor.Role}, id))
		audit.Detail = changes(was, is, was, is)
		return nil
	}, audit)
	if err != nil {
		return WorkspaceView{}, err
	}
	return workspaceView(uptime.Membership{Workspace: saved, Role: actor.Role}, id), nil
}

func ownWorkspace(actor uptime.Actor, id int64) error {
	if id != actor.WorkspaceID {
		return fmt.Errorf("workspace %d: %w", id, uptime.ErrNotFound)
	}
	return nil
}

// DeleteWorkspace removes the workspace that the actor is in, and ends their session
// with it. CodeConflict while there is something in it; ErrNotFound for another one.
func (m *Manage) DeleteWorkspace(ctx context.Context, actor uptime.Actor, id int64) error {
	if err := m.permit(actor, ManageWorkspaces); err != nil {
		return err
	}
	if err := ownWorkspace(actor, id); err != nil {
		return err
	}
	if err := m.deps.Workspaces.DeleteWorkspace(ctx, id, m.audited(actor, "workspace.delete", "workspace", id)); err != nil {
		return err
	}
	m.announce(ctx, notice(uptime.TopicAccess, id, actor.UserID))
	return nil
}

// EnterWorkspace moves the actor's session to another workspace of theirs; access tokens
// of before end. Later log-ins lead there, too. ErrNotFound for one that they may not
// enter.
func (m *Manage) EnterWorkspace(ctx context.Context, actor uptime.Actor, id int64) error {
	if err := m.permit(actor, ChangeSelf); err != nil {
		return err
	}
	if id == actor.WorkspaceID {
		return nil
	}
	if actor.Session == "" {
		return ownWorkspace(actor, id) // an API token stays where it is
	}
	if err := m.deps.Workspaces.EnterWorkspace(ctx, actor.UserID, id, actor.Session); err != nil {
		return err
	}
	m.announce(ctx, notice(uptime.TopicAccess, actor.WorkspaceID, actor.UserID))
	return nil
}

// JoinWorkspace accepts an invitation of somebody who is logged in, and takes them there.
// Whoever is an admin where they are could have made themselves a way into the account:
// so it asks for the current password, where there is one, which nobody else may have
// chosen, and ends passkeys, links to a provider and other sessions. CodeConflict when
// it is for somebody else; ErrNotFound when it is unknown, ended or accepted.
func (m *Manage) JoinWorkspace(ctx context.Context, actor uptime.Actor, invite, currentPassword string) error {
	if err := m.permit(actor, ChangeSelf); err != nil {
		return err
	}
	user, err := m.invited(ctx, invite)
	if err != nil {
		return err
	}
	if user.ID != actor.UserID || actor.Session == "" {
		return uptime.Fail(uptime.CodeConflict, "This invitation is for %s. Log in with that account to accept it.", user.Email)
	}
	account, err := m.deps.Users.User(ctx, actor.WorkspaceID, actor.UserID)
	if err != nil {
		return err
	}
	if account.PasswordHash != "" {
		if err := m.confirm(ctx, actor, account, currentPassword); err != nil {
			return err
		}
	}
	hash := user.InviteHash
	joining := actorOf(user, actor.Session, actor.Address)
	_, err = m.deps.UserChanges.UpdateUser(ctx, user.WorkspaceID, user.ID, func(u *uptime.User) error {
		switch {
		case u.InviteHash != hash || u.Disabled || !u.Elsewhere:
			return fmt.Errorf("invitation: %w", uptime.ErrNotFound)
		case u.PasswordGiven:
			return passwordGiven()
		case u.PasswordHash != account.PasswordHash:
			return uptime.Fail(uptime.CodeConflict, "Your password was changed at the same time; try again.")
		}
		u.Alone, u.KeepSession = true, actor.Session
		u.InviteHash, u.InviteUntil, u.ResetHash = "", time.Time{}, ""
		return nil
	}, m.audited(joining, "user.accept", "user", user.ID))
	if err != nil {
		return err
	}
	return m.EnterWorkspace(ctx, actor, user.WorkspaceID)
}

// passwordGiven refuses what whoever chose somebody's password would share in.
func passwordGiven() error {
	return uptime.Fail(uptime.CodeConflict, "Your password was chosen by somebody else. Set one of your own under Settings, Security; then try again.")
}

// pendingPatch refuses a patch of somebody who has an account and did not join yet that
// names anything but what they are here: an answer would tell of the account.
func pendingPatch(old uptime.User, patch json.RawMessage) error {
	if !pendingElsewhere(old) {
		return nil
	}
	b, err := parseBody(patch)
	if err != nil {
		return err
	}
	for name := range b.fields {
		if name != "role" && name != "disabled" {
			b.fail(name, "cannot be changed before they join; only role and disabled can")
		}
		b.take(name)
	}
	return b.finish("a user")
}

// theirsAlone refuses what an admin of one workspace would change of a person who is in
// another one as well: with their password or address, an admin would be them there.
func (c *userChange) theirsAlone(old uptime.User) error {
	if !old.Elsewhere {
		return nil
	}
	b := &body{}
	for field, changed := range map[string]bool{
		"password": c.password != "", "email": c.user.Email != old.Email, "totp": c.factor, "name": c.user.Name != old.Name,
		"time_zone": c.user.TimeZone != old.TimeZone, "language": c.user.Language != old.Language, "theme": c.user.Theme != old.Theme,
	} {
		if changed {
			b.fail(field, "is changed by the person alone, who belongs to another workspace, too")
		}
	}
	return b.finish("a user")
}

// invitationOf tells whom an invitation is for and what it takes.
func (m *Manage) invitationOf(ctx context.Context, user uptime.User) (InvitationView, error) {
	w, err := m.deps.Workspaces.Workspace(ctx, user.WorkspaceID)
	if err != nil {
		return InvitationView{}, err
	}
	return InvitationView{UserView: userView(user), Workspace: strings.TrimSpace(w.Name), HasAccount: user.Elsewhere, HasPassword: user.PasswordHash != ""}, nil
}
