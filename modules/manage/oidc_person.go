package manage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"monitor/modules/uptime"
)

// OIDCConfig is what the settings say of people who log in by OpenID Connect.
type OIDCConfig struct {
	Name string // of the provider, for people
	// Groups gives the role of who is in one of them, the highest where there are
	// several. Where no role has any, roles are given here and not by the provider.
	Groups map[uptime.Role][]string
	// DefaultRole is that of who is in none of them; "": they are not let in, or
	// where there are no groups, get no account.
	DefaultRole uptime.Role
	// SignUp makes an account for who has none.
	SignUp bool
	// TrustEmail takes every address for verified.
	TrustEmail bool
	// EmailDomains, lower case, are those of whose verified addresses people are let
	// in; none: all.
	EmailDomains []string
}

// mapped reports that groups decide.
func (c OIDCConfig) mapped() bool {
	for _, groups := range c.Groups {
		if len(groups) > 0 {
			return true
		}
	}
	return false
}

// role of who is in these groups; "" for none.
func (c OIDCConfig) role(groups []string) uptime.Role {
	for _, role := range []uptime.Role{uptime.RoleOwner, uptime.RoleAdmin, uptime.RoleEditor, uptime.RoleViewer} {
		if slices.ContainsFunc(c.Groups[role], func(group string) bool { return slices.Contains(groups, group) }) {
			return role
		}
	}
	return c.DefaultRole
}

// identityStore finds people by their identities.
type identityStore interface {
	UserByIdentity(ctx context.Context, id uptime.Identity) (uptime.User, error)
	DropIdentities(ctx context.Context, ws, userID int64, audit *uptime.Audit) error
}

// admit gives the account of who logged in at the provider, linked or made where that
// is allowed, with the role of now. CodeForbidden, with the reason: they are who they
// say, and may know it.
func (m *Manage) admit(ctx context.Context, p uptime.OIDCPerson, client Client) (uptime.User, error) {
	c := m.deps.Config.OIDC
	p.EmailVerified = p.Email != "" && (p.EmailVerified || c.TrustEmail)
	if err := m.checkDomain(p); err != nil {
		return uptime.User{}, err
	}
	role := c.role(p.Groups)
	if c.mapped() && role == "" {
		return uptime.User{}, uptime.Fail(uptime.CodeForbidden, "None of your groups at %s lets you in here. Ask an admin.", c.Name)
	}
	user, err := m.deps.Identities.UserByIdentity(ctx, p.Identity)
	if errors.Is(err, uptime.ErrNotFound) {
		user, err = m.adopt(ctx, p, role, client)
	}
	if err != nil {
		return uptime.User{}, err
	}
	if user.Disabled || user.Invited() {
		return uptime.User{}, accountDisabled()
	}
	if !c.mapped() {
		return user, nil
	}
	return m.giveRoleAtHome(ctx, user, role, client)
}

// giveRoleAtHome gives the role in the first workspace alone: whose groups make them an
// admin of it are not one of others that they were invited to.
func (m *Manage) giveRoleAtHome(ctx context.Context, user uptime.User, role uptime.Role, client Client) (uptime.User, error) {
	first, err := m.deps.Workspaces.EnsureWorkspace(ctx, defaultInstance)
	if err != nil {
		return uptime.User{}, fmt.Errorf("find workspace: %w", err)
	}
	if user.WorkspaceID == first.ID {
		return m.giveRole(ctx, user, role, client)
	}
	there, err := m.deps.Users.User(ctx, first.ID, user.ID)
	switch {
	case errors.Is(err, uptime.ErrNotFound), err == nil && (there.Disabled || there.Invited()):
		return user, nil
	case err != nil:
		return uptime.User{}, fmt.Errorf("read user: %w", err)
	}
	_, err = m.giveRole(ctx, there, role, client)
	return user, err
}

func accountDisabled() error {
	return uptime.Fail(uptime.CodeForbidden, "Your account here is disabled. Ask an admin.")
}

func (m *Manage) checkDomain(p uptime.OIDCPerson) error {
	domains := m.deps.Config.OIDC.EmailDomains
	if len(domains) == 0 {
		return nil
	}
	_, domain, _ := strings.Cut(p.Email, "@")
	if !p.EmailVerified || !slices.Contains(domains, domain) {
		return uptime.Fail(uptime.CodeForbidden, "%s knows no verified e-mail address of yours with which people are let in here. Ask an admin.", m.OIDCName())
	}
	return nil
}

// adopt links an identity that is new here to the account with its address, or makes
// an account. Whether there is one is told to nobody whose address is not verified.
func (m *Manage) adopt(ctx context.Context, p uptime.OIDCPerson, role uptime.Role, client Client) (uptime.User, error) {
	name := m.OIDCName()
	switch {
	case p.Email == "":
		return uptime.User{}, uptime.Fail(uptime.CodeForbidden, "%s tells no e-mail address of yours, by which your account would be found or made. Ask an admin.", name)
	case len(p.Email) > maxEmail || hasControl(p.Email, "") || !validEmail(p.Email):
		return uptime.User{}, uptime.Fail(uptime.CodeForbidden, "Your e-mail address at %s is none that an account can have here. Ask an admin.", name)
	case !p.EmailVerified:
		return uptime.User{}, uptime.Fail(uptime.CodeForbidden, "%s does not say that your e-mail address is verified, so no account is found or made by it. Ask an admin.", name)
	}
	user, err := m.deps.Users.UserByEmail(ctx, p.Email)
	switch {
	case err == nil:
		user, err = m.linkUser(ctx, user, p, client)
	case errors.Is(err, uptime.ErrNotFound):
		user, err = m.signUp(ctx, p, role, client)
	default:
		return uptime.User{}, fmt.Errorf("read user: %w", err)
	}
	if !errors.Is(err, uptime.ErrConflict) {
		return user, err
	}
	// Another log-in of theirs at the same moment may have done it.
	if user, again := m.deps.Identities.UserByIdentity(ctx, p.Identity); !errors.Is(again, uptime.ErrNotFound) {
		return user, again
	}
	return uptime.User{}, &uptime.Error{
		Code: uptime.CodeForbidden, Err: err,
		Detail: uptime.Say("The account with your e-mail address belongs to another person at %s. Ask an admin.", name),
	}
}

// linkUser connects an account with the person at the provider. What others may know of
// it ends: its address may have been set by somebody who is not them. An owner of the
// first workspace keeps password and second factor, for the day that the provider is
// away; nobody but owners sets their address. An owner of another one may have set it to
// that of somebody whose groups give them more.
func (m *Manage) linkUser(ctx context.Context, user uptime.User, p uptime.OIDCPerson, client Client) (uptime.User, error) {
	owner, err := m.ownsFirst(ctx, user.ID)
	if err != nil {
		return uptime.User{}, err
	}
	line := m.audited(actorOf(user, "", client.Address), "user.link_oidc", "user", user.ID)
	saved, err := m.deps.UserChanges.UpdateUser(ctx, user.WorkspaceID, user.ID, func(u *uptime.User) error {
		if u.Disabled || pendingElsewhere(*u) {
			return accountDisabled() // also where their account is disabled and they are invited elsewhere
		}
		if u.InviteHash != "" && !m.deps.Clock().Before(u.InviteUntil) {
			return uptime.Fail(uptime.CodeForbidden, "Your invitation has ended. Ask an admin for a new one.")
		}
		if u.Email != p.Email {
			return uptime.Fail(uptime.CodeConflict, "Your account was changed at the same moment. Try again.")
		}
		before := u.PasswordHash != ""
		u.Link = &p.Identity
		u.InviteHash, u.InviteUntil, u.ResetHash, u.ResetUntil = "", time.Time{}, "", time.Time{}
		if !owner {
			u.PasswordGiven = false
			u.PasswordHash, u.TOTPSecret, u.TOTPKey, u.TOTPStep, u.Recovery = "", "", "", 0, nil
		}
		line.Detail = detail(map[string]any{"issuer": p.Issuer, "password_removed": before && u.PasswordHash == ""})
		return nil
	}, line)
	if err != nil {
		return uptime.User{}, err
	}
	m.announce(ctx, notice(uptime.TopicAccess, saved.WorkspaceID, saved.ID))
	return saved, nil
}

// ownsFirst reports an owner of the first workspace.
func (m *Manage) ownsFirst(ctx context.Context, id int64) (bool, error) {
	first, err := m.deps.Workspaces.EnsureWorkspace(ctx, defaultInstance)
	if err != nil {
		return false, fmt.Errorf("find workspace: %w", err)
	}
	user, err := m.deps.Users.User(ctx, first.ID, id)
	if errors.Is(err, uptime.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read user: %w", err)
	}
	return user.Role == uptime.RoleOwner && !user.Disabled && user.InviteHash == "", nil
}

// signUp makes an account without a password.
func (m *Manage) signUp(ctx context.Context, p uptime.OIDCPerson, role uptime.Role, client Client) (uptime.User, error) {
	if !m.deps.Config.OIDC.SignUp || !role.Valid() {
		return uptime.User{}, uptime.Fail(uptime.CodeForbidden, "You have no account here, and none is made by logging in. Ask an admin to invite you.")
	}
	// The first account is an owner's, and made by set-up alone.
	needed, err := m.NeedsSetup(ctx)
	if err != nil {
		return uptime.User{}, fmt.Errorf("count users: %w", err)
	}
	if needed {
		return uptime.User{}, uptime.Fail(uptime.CodeForbidden, "This installation is not set up yet.")
	}
	workspace, err := m.deps.Workspaces.EnsureWorkspace(ctx, defaultInstance)
	if err != nil {
		return uptime.User{}, fmt.Errorf("find workspace: %w", err)
	}
	line := m.audited(uptime.Actor{WorkspaceID: workspace.ID, Address: client.Address}, "user.create_oidc", "user", 0)
	line.Detail = detail(map[string]any{"email": p.Email, "role": role, "issuer": p.Issuer})
	return m.deps.UserChanges.CreateUser(ctx, uptime.User{
		WorkspaceID: workspace.ID, Role: role, Email: p.Email, Name: uptime.CleanLine(p.Name, uptime.MaxNameLength),
		TimeZone: workspace.TimeZone, Language: defaultLanguage, Theme: defaultTheme, Link: &p.Identity,
	}, line)
}

// giveRole sets the role that the provider's groups give. Where none of them makes
// owners, owners are made here and stay; the last owner stays in any case.
func (m *Manage) giveRole(ctx context.Context, user uptime.User, role uptime.Role, client Client) (uptime.User, error) {
	kept := user.Role == uptime.RoleOwner && len(m.deps.Config.OIDC.Groups[uptime.RoleOwner]) == 0
	if role == user.Role || kept {
		return user, nil
	}
	line := m.audited(actorOf(user, "", client.Address), "user.role_oidc", "user", user.ID)
	saved, err := m.deps.UserChanges.UpdateUser(ctx, user.WorkspaceID, user.ID, func(u *uptime.User) error {
		if u.Disabled {
			return accountDisabled()
		}
		before := userMembers(*u)
		u.Role = role
		after := userMembers(*u)
		line.Detail = changes(before, after, before, after)
		return nil
	}, line)
	if uptime.CodeOf(err) == uptime.CodeConflict {
		m.deps.Log.WarnContext(ctx, "the last owner keeps their role, whatever their groups say", "user_id", user.ID)
		return user, nil
	}
	if err != nil {
		return uptime.User{}, err
	}
	m.announce(ctx, notice(uptime.TopicAccess, saved.WorkspaceID, saved.ID))
	return saved, nil
}

// UnlinkOIDC parts a user from the person at the provider, by their e-mail address: the
// next who logs in there with it, verified, is linked. For the command at the machine.
// ErrNotFound where there is no such user, or they are not linked.
func (m *Manage) UnlinkOIDC(ctx context.Context, actor uptime.Actor, email string) error {
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
	if err := m.deps.Identities.DropIdentities(ctx, user.WorkspaceID, user.ID, m.audited(actor, "user.unlink_oidc", "user", user.ID)); err != nil {
		return err
	}
	return m.endAccess(ctx, user, "")
}
