package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"monitor/modules/uptime"
)

// inviteFor is how long an invitation can be accepted.
const inviteFor = 7 * 24 * time.Hour

// Users lists them.
func (m *Manage) Users(ctx context.Context, actor uptime.Actor, p uptime.Page) (uptime.List[UserView], error) {
	var none uptime.List[UserView]
	if err := m.permit(actor, ReadUsers); err != nil {
		return none, err
	}
	p, err := page(p)
	if err != nil {
		return none, err
	}
	list, err := m.deps.Users.Users(ctx, actor.WorkspaceID, p)
	if err != nil {
		return none, err
	}
	return mapList(list, userView), nil
}

// User gives one user. ErrNotFound.
func (m *Manage) User(ctx context.Context, actor uptime.Actor, id int64) (UserView, error) {
	if err := m.permit(actor, ReadUsers); err != nil {
		return UserView{}, err
	}
	user, err := m.deps.Users.User(ctx, actor.WorkspaceID, id)
	if err != nil {
		return UserView{}, err
	}
	return userView(user), nil
}

// CreateUser takes {"email","role","name","password","time_zone","language"};
// the first two are required. Without a password it gives the secret of an
// invitation, which ends after 7 days; the caller builds its URL. Who has an account in
// another workspace can only be invited, and joins with it. CodeConflict when the
// e-mail address is taken.
func (m *Manage) CreateUser(ctx context.Context, actor uptime.Actor, raw json.RawMessage) (view UserView, invite string, err error) {
	if err := m.permit(actor, ManageUsers); err != nil {
		return UserView{}, "", err
	}
	b, err := parseBody(raw)
	if err != nil {
		return UserView{}, "", err
	}
	user := uptime.User{WorkspaceID: actor.WorkspaceID}
	readPerson(b, &user)
	if _, there := b.take("role"); !there {
		b.fail("role", "is required")
	}
	choice(b, "role", roles(), &user.Role)
	b.boolean("disabled", &user.Disabled)
	readNoFactor(b, user)
	password := ""
	if b.secret("password", &password) {
		checkPassword(b, "password", password, user.Email)
	}
	readOnlyUser(b)
	if err := b.finish("a user"); err != nil {
		return UserView{}, "", err
	}
	if err := m.permitRole(actor, user.Role); err != nil {
		return UserView{}, "", err
	}
	if password != "" {
		user.PasswordGiven = true
		user.PasswordHash, err = m.hash(ctx, password)
	} else {
		invite, user.InviteHash = m.deps.Secrets.New("inv_")
		user.InviteUntil = m.deps.Clock().Add(inviteFor).Truncate(time.Millisecond)
	}
	if err != nil {
		return UserView{}, "", err
	}
	audit := m.audited(actor, "user.create", "user", 0)
	audit.Detail = detail(map[string]any{"email": user.Email, "role": user.Role, "invited": password == ""})
	saved, err := m.deps.UserChanges.CreateUser(ctx, user, audit)
	if err != nil {
		return UserView{}, "", emailTaken(err)
	}
	return userView(saved), invite, nil
}

// permitRole asks whether the actor may make or touch users of the role.
func (m *Manage) permitRole(actor uptime.Actor, role uptime.Role) error {
	if role == uptime.RoleOwner {
		return m.permit(actor, ManageOwners)
	}
	return nil
}

// UpdateUser merges {"email","name","role","disabled","password","time_zone",
// "language","theme","totp"}. Disabling somebody or setting their password ends their
// sessions; totp can be set to false, for who has lost their device and their recovery
// codes. CodeConflict for the last owner.
func (m *Manage) UpdateUser(ctx context.Context, actor uptime.Actor, id int64, patch json.RawMessage, ifMatch string) (UserView, error) {
	if err := m.permit(actor, ManageUsers); err != nil {
		return UserView{}, err
	}
	old, err := m.deps.Users.User(ctx, actor.WorkspaceID, id)
	if err != nil {
		return UserView{}, err
	}
	if err := pendingPatch(old, patch); err != nil {
		return UserView{}, err
	}
	dropped := false
	change, err := readUserPatch(old, patch, func(b *body, u *uptime.User) {
		if _, there := b.take("role"); !there {
			b.fail("role", "is required")
		}
		choice(b, "role", roles(), &u.Role)
		u.Disabled = false
		b.boolean("disabled", &u.Disabled)
		dropped = readNoFactor(b, old)
	})
	if err != nil {
		return UserView{}, err
	}
	if dropped {
		change.dropFactor()
	}
	for _, role := range []uptime.Role{old.Role, change.user.Role} {
		if err := m.permitRole(actor, role); err != nil {
			return UserView{}, err
		}
	}
	refuse := change.theirsAlone
	if id == actor.UserID {
		refuse = change.ownSecrets
	}
	if err := refuse(old); err != nil {
		return UserView{}, err
	}
	saved, err := m.saveUser(ctx, actor, old, change, ifMatch, "user.update")
	if err != nil {
		return UserView{}, err
	}
	if change.password != "" || saved.Disabled && !old.Disabled || saved.Role != old.Role {
		m.announce(ctx, notice(uptime.TopicAccess, saved.WorkspaceID, saved.ID))
	}
	return userView(saved), nil
}

// ownSecrets refuses what one changes of oneself by the current password only.
func (c *userChange) ownSecrets(old uptime.User) error {
	b := &body{}
	for field, changed := range map[string]bool{"password": c.password != "", "email": c.user.Email != old.Email, "totp": c.factor} {
		if changed {
			b.fail(field, "of your own is changed at /api/v1/me, which asks for your current password")
		}
	}
	return b.finish("a user")
}

// DeleteUser removes a user from the workspace with their sessions there, and for good
// if they have no other one. CodeConflict for the last owner.
func (m *Manage) DeleteUser(ctx context.Context, actor uptime.Actor, id int64) error {
	if err := m.permit(actor, ManageUsers); err != nil {
		return err
	}
	user, err := m.deps.Users.User(ctx, actor.WorkspaceID, id)
	if err != nil {
		return err
	}
	if err := m.permitRole(actor, user.Role); err != nil {
		return err
	}
	audit := m.audited(actor, "user.delete", "user", id)
	audit.Detail = detail(map[string]any{"email": user.Email})
	if err := m.deps.UserChanges.DeleteUser(ctx, actor.WorkspaceID, id, audit); err != nil {
		return err
	}
	m.announce(ctx, notice(uptime.TopicAccess, user.WorkspaceID, user.ID))
	return nil
}

// Invited gives whom an invitation is for. ErrNotFound when it is unknown, ended
// or accepted.
func (m *Manage) Invited(ctx context.Context, invite string) (InvitationView, error) {
	user, err := m.invited(ctx, invite)
	if err != nil {
		return InvitationView{}, err
	}
	return m.invitationOf(ctx, user)
}

func (m *Manage) invited(ctx context.Context, invite string) (uptime.User, error) {
	gone := fmt.Errorf("invitation: %w", uptime.ErrNotFound)
	if !strings.HasPrefix(invite, "inv_") || len(invite) > 200 {
		return uptime.User{}, gone
	}
	user, err := m.deps.Users.UserByInvite(ctx, m.deps.Secrets.Hash(invite))
	if err != nil {
		return uptime.User{}, err
	}
	if user.Disabled || user.InviteHash == "" || !m.deps.Clock().Before(user.InviteUntil) {
		return uptime.User{}, gone
	}
	return user, nil
}

// AcceptInvite sets the password of a new account and logs in. It can be done once.
// CodeConflict for somebody who has an account: see JoinWorkspace.
func (m *Manage) AcceptInvite(ctx context.Context, in InviteInput) (Session, error) {
	if err := m.limit(ctx, "login:"+uptime.Network(in.Client.Address), addressRate()); err != nil {
		return Session{}, err
	}
	user, err := m.invited(ctx, in.Token)
	if err != nil {
		return Session{}, err
	}
	if user.Elsewhere {
		return Session{}, uptime.Fail(uptime.CodeConflict, "You have an account already; log in with it to accept the invitation.")
	}
	fields := map[string]any{}
	if in.Name != "" {
		fields["name"] = in.Name
	}
	if in.TimeZone != "" {
		fields["time_zone"] = in.TimeZone
	}
	b := &body{}
	checkPassword(b, "password", in.Password, user.Email)
	change, err := readUserPatch(user, detail(fields), func(b *body, _ *uptime.User) { b.readOnly("role", "disabled", "totp") })
	if failed, ok := errors.AsType[*uptime.Error](err); ok {
		b.add(failed.Fields)
	} else if err != nil {
		return Session{}, err
	}
	if err := b.finish("an invitation"); err != nil {
		return Session{}, err
	}
	change.password = in.Password
	invite := user.InviteHash
	actor := actorOf(user, "", in.Client.Address)
	hash, err := m.hash(ctx, in.Password)
	if err != nil {
		return Session{}, err
	}
	saved, err := m.deps.UserChanges.UpdateUser(ctx, user.WorkspaceID, user.ID, func(u *uptime.User) error {
		if u.InviteHash != invite || u.Disabled || u.Elsewhere {
			return fmt.Errorf("invitation: %w", uptime.ErrNotFound)
		}
		u.PasswordHash, u.PasswordGiven, u.InviteHash, u.InviteUntil = hash, false, "", time.Time{}
		u.Name, u.TimeZone = change.user.Name, change.user.TimeZone
		return nil
	}, m.audited(actor, "user.accept", "user", user.ID))
	if err != nil {
		return Session{}, err
	}
	return m.newSession(ctx, saved, true, in.Client)
}

// ResetPassword sets a user's password by their e-mail address, turns their second
// factor off where dropFactor says so, and ends their sessions: for the command at the
// machine. ErrNotFound.
func (m *Manage) ResetPassword(ctx context.Context, actor uptime.Actor, email, password string, dropFactor bool) error {
	if err := m.permit(actor, ManageUsers); err != nil {
		return err
	}
	user, err := m.deps.Users.UserByEmail(ctx, strings.ToLower(strings.TrimSpace(email)))
	if err != nil {
		return err
	}
	actor.WorkspaceID = user.WorkspaceID // who is at the machine is in all
	if err := m.permitRole(actor, user.Role); err != nil {
		return err
	}
	b := &body{}
	checkPassword(b, "password", password, user.Email)
	if err := b.finish("a password"); err != nil {
		return err
	}
	change := userChange{user: user, password: password}
	if dropFactor {
		change.dropFactor()
	}
	saved, err := m.saveUser(ctx, actor, user, change, "", "user.reset_password")
	if err != nil {
		return err
	}
	m.announce(ctx, notice(uptime.TopicAccess, saved.WorkspaceID, saved.ID))
	return nil
}
