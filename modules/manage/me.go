package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"monitor/modules/uptime"
)

// Me gives the actor's own profile.
func (m *Manage) Me(ctx context.Context, actor uptime.Actor) (UserView, error) {
	if err := m.permit(actor, ReadSelf); err != nil {
		return UserView{}, err
	}
	user, err := m.deps.Users.User(ctx, actor.WorkspaceID, actor.UserID)
	if err != nil {
		return UserView{}, err
	}
	return ownView(user), nil
}

// UpdateMe merges {"name","email","time_zone","language","theme","preferences","password","totp",
// "totp_secret","totp_code","current_password"}. A new password, e-mail address or
// second factor needs the current password; a new password ends every other session.
// The second factor is turned on with a secret, such as NewTOTP gives, and a code of
// it; the answer then has the recovery codes.
func (m *Manage) UpdateMe(ctx context.Context, actor uptime.Actor, patch json.RawMessage, ifMatch string) (UserView, error) {
	if err := m.permit(actor, ChangeSelf); err != nil {
		return UserView{}, err
	}
	old, err := m.deps.Users.User(ctx, actor.WorkspaceID, actor.UserID)
	if err != nil {
		return UserView{}, err
	}
	var factor factorChange
	change, err := readUserPatch(old, patch, func(b *body, u *uptime.User) {
		b.readOnly("role", "disabled")
		readPreferences(b, &u.Preferences)
		m.readFactor(b, *u, &factor)
	}, "current_password")
	if err != nil {
		return UserView{}, err
	}
	if change.password != "" || change.user.Email != old.Email || factor.changes {
		if err := m.checkHasPassword(old, change, factor.changes); err != nil {
			return UserView{}, err
		}
		if err := m.confirm(ctx, actor, old, change.current); err != nil {
			return UserView{}, err
		}
	}
	if err := m.prepareFactor(&change, &factor); err != nil {
		return UserView{}, err
	}
	change.preferences = true
	saved, err := m.saveUser(ctx, actor, old, change, ifMatch, "user.profile")
	if err != nil {
		return UserView{}, err
	}
	if change.password != "" {
		m.announce(ctx, notice(uptime.TopicAccess, saved.WorkspaceID, saved.ID))
	}
	view := ownView(saved)
	view.RecoveryCodes = factor.codes
	return view, nil
}

// checkHasPassword refuses what one confirms by a password to who has none: they log in
// elsewhere.
func (m *Manage) checkHasPassword(old uptime.User, change userChange, factor bool) error {
	if old.PasswordHash != "" {
		return nil
	}
	b := &body{}
	if change.password != "" {
		if m.CanReset() {
			b.fail("password", "cannot be set here, because you have none to confirm it by; the page /forgot mails you a link that sets one")
		} else {
			b.fail("password", "cannot be set here, because you have none to confirm it by; ask an admin to set one")
		}
	}
	if change.user.Email != old.Email {
		b.fail("email", "cannot be changed here, because you have no password to confirm it by; ask an admin")
	}
	if factor {
		b.fail("totp", "belongs to a password, which you do not have; where you log in instead asks for a second factor, or not")
	}
	return b.finish("a user")
}

// confirm asks for the current password, as often as a log-in may be tried.
func (m *Manage) confirm(ctx context.Context, actor uptime.Actor, user uptime.User, current string) error {
	if current == "" {
		return uptime.Invalid(uptime.FieldError{Field: "current_password", Message: "is required to change the password, the e-mail address or the second factor"})
	}
	wrong := uptime.Invalid(uptime.FieldError{Field: "current_password", Message: "is wrong"})
	if len(current) > maxPasswordBytes {
		return wrong
	}
	key := m.accountKey(user.Email, actor.Address)
	if err := m.limit(ctx, key, accountRate()); err != nil {
		return err
	}
	ok, err := m.deps.Passwords.Verify(ctx, current, user.PasswordHash)
	if err != nil {
		return err
	}
	if !ok {
		return wrong
	}
	m.giveBack(ctx, key, accountRate())
	return nil
}

// userChange is what a patch makes of a user.
type userChange struct {
	user     uptime.User
	password string // new, checked; "": stays
	current  string
	factor   bool // the second factor is that of user, too
	// preferences are those of user, too.
	preferences bool
}

// readUserPatch reads a merge patch of a user. more reads what this patch may
// change beyond the profile; extra names secrets that it may carry.
func readUserPatch(old uptime.User, patch json.RawMessage, more func(b *body, u *uptime.User), extra ...string) (userChange, error) {
	base, err := json.Marshal(ownView(old))
	if err != nil {
		return userChange{}, fmt.Errorf("write user: %w", err)
	}
	b, _, err := mergePatch(base, patch)
	if err != nil {
		return userChange{}, err
	}
	c := userChange{user: old}
	readPerson(b, &c.user)
	more(b, &c.user)
	if b.secret("password", &c.password) {
		checkPassword(b, "password", c.password, c.user.Email)
	}
	for _, name := range extra {
		b.secret(name, &c.current)
	}
	readOnlyUser(b)
	return c, b.finish("a user")
}

// saveUser stores a change of a user, hashing the new password before the
// transaction.
func (m *Manage) saveUser(ctx context.Context, actor uptime.Actor, old uptime.User, c userChange, ifMatch, action string) (uptime.User, error) {
	hash := ""
	if c.password != "" {
		var err error
		if hash, err = m.hash(ctx, c.password); err != nil {
			return uptime.User{}, err
		}
	}
	audit := m.audited(actor, action, "user", old.ID)
	saved, err := m.deps.UserChanges.UpdateUser(ctx, old.WorkspaceID, old.ID, func(u *uptime.User) error {
		if err := checkMatch(ifMatch, u.Version); err != nil {
			return err
		}
		if u.Elsewhere != old.Elsewhere || u.Version != old.Version && (u.Role != old.Role || u.Email != old.Email || u.Disabled != old.Disabled) {
			// What was permitted was judged by the user as read before.
			return uptime.Fail(uptime.CodeConflict, "Somebody else changed this user at the same time; try again.")
		}
		guarded := c.password != "" || c.factor || c.user.Email != old.Email
		if guarded && (u.PasswordHash != old.PasswordHash || u.TOTPKey != old.TOTPKey) {
			// The password that was given is not the one of now.
			return uptime.Fail(uptime.CodeConflict, "The password or the second factor was changed at the same time; try again.")
		}
		u.KeepSession = actor.Session
		before := userMembers(*u)
		u.Email, u.Name, u.TimeZone, u.Language, u.Theme = c.user.Email, c.user.Name, c.user.TimeZone, c.user.Language, c.user.Theme
		u.Role, u.Disabled = c.user.Role, c.user.Disabled
		if c.preferences {
			u.Preferences = c.user.Preferences
		}
		if c.factor {
			u.TOTPSecret, u.TOTPKey, u.TOTPStep, u.Recovery = c.user.TOTPSecret, c.user.TOTPKey, c.user.TOTPStep, c.user.Recovery
		}
		if hash != "" {
			if u.PasswordHash == "" {
				u.InviteHash, u.InviteUntil = "", time.Time{} // they need no link any more
			}
			u.PasswordHash, u.PasswordGiven = hash, actor.UserID != old.ID
		}
		if hash != "" || u.Email != old.Email {
			u.ResetHash = "" // who reads the old address sets no password any more
		}
		if u.Disabled && !old.Disabled && !u.Elsewhere {
			u.TokensFrom = m.deps.Clock()
		}
		after := userMembers(*u)
		if hash != "" {
			mark(before, after, "password")
		}
		if c.factor && c.user.TOTPSecret != "" {
			mark(before, after, "totp_secret")
		}
		audit.Detail = changes(before, after, before, after)
		return nil
	}, audit)
	return saved, emailTaken(err)
}

// mark notes that a secret was changed, and not to what.
func mark(before, after map[string]json.RawMessage, name string) {
	before[name], after[name] = json.RawMessage(`"********"`), json.RawMessage(`"******** (new)"`)
}

func userMembers(u uptime.User) map[string]json.RawMessage { return members(ownView(u)) }

// members are those of a view, for the audit log; nil of what is no object.
func members(view any) map[string]json.RawMessage {
	raw, err := json.Marshal(view)
	if err != nil {
		return nil
	}
	var out map[string]json.RawMessage
	if json.Unmarshal(raw, &out) != nil {
		return nil
	}
	return out
}

// emailTaken says in words what a unique key found.
func emailTaken(err error) error {
	if e, ok := errors.AsType[*uptime.Error](err); ok {
		return e
	}
	if errors.Is(err, uptime.ErrConflict) {
		return &uptime.Error{
			Code: uptime.CodeConflict, Detail: "There is a user with this e-mail address already.",
			Fields: []uptime.FieldError{{Field: "email", Message: "is taken by another user"}}, Err: err,
		}
	}
	return err
}

// endAccess ends the user's sessions but one and tells event streams. A change of the
// password has ended them already.
func (m *Manage) endAccess(ctx context.Context, user uptime.User, except string) error {
	if err := m.deps.Sessions.EndFamilies(ctx, user.ID, except); err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	m.announce(ctx, notice(uptime.TopicAccess, user.WorkspaceID, user.ID))
	return nil
}
