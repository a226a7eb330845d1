package manage

import (
	"context"
	"fmt"
	"strings"
	"time"

	"monitor/modules/uptime"
)

const (
	// resetFor is how long a mailed link sets a new password.
	resetFor    = time.Hour
	resetPrefix = "rst_"
)

// resetRate bounds the mails to one person, whoever asks for them.
func resetRate() uptime.Rate { return uptime.Rate{Limit: 3, Per: time.Hour} }

// ResetInput sets a new password by a mailed link.
type ResetInput struct {
	Token    string
	Password string
	Client   Client
}

// CanReset reports whether passwords can be reset by mail: there is a mail server,
// and the address of the pages is known.
func (m *Manage) CanReset() bool { return m.deps.Postman != nil && m.deps.Config.PublicURL != "" }

// RequestReset mails a link that sets a new password to whom the address belongs. It
// does and says the same whether that is anybody or not: what follows for a user is
// done later, by the postman. CodeLimited for one address that asks often.
func (m *Manage) RequestReset(ctx context.Context, email string, client Client) error {
	if !m.CanReset() {
		return uptime.Fail(uptime.CodeUnavailable, "Passwords cannot be reset by mail here: smtp.host or http.public_url is not set.")
	}
	email = strings.ToLower(strings.TrimSpace(email))
	b := &body{}
	switch {
	case email == "":
		b.fail("email", "is required")
	case len(email) > maxEmail || !validEmail(email) || hasControl(email, ""):
		b.fail("email", "must be an e-mail address")
	}
	if err := b.finish("the request"); err != nil {
		return err
	}
	if err := m.limit(ctx, "reset:"+uptime.Network(client.Address), addressRate()); err != nil {
		return err
	}
	taken := m.deps.Postman.Post(func(ctx context.Context) (uptime.Mail, error) { return m.resetMail(ctx, email, client) })
	if !taken { // and is not told: whether mails wait tells of those who get them
		m.deps.Log.WarnContext(ctx, "a link to set a password is not sent: too many mails wait")
	}
	return nil
}

// resetMail makes the link and writes the mail. ErrNotFound where nobody is to get one.
func (m *Manage) resetMail(ctx context.Context, email string, client Client) (uptime.Mail, error) {
	none := fmt.Errorf("reset: %w", uptime.ErrNotFound)
	user, err := m.deps.Users.UserByEmail(ctx, email)
	if err != nil {
		return uptime.Mail{}, err
	}
	if user.Disabled || user.Invited() {
		return uptime.Mail{}, none
	}
	if err := m.limit(ctx, "reset:"+m.deps.Secrets.Hash(email), resetRate()); err != nil {
		if uptime.CodeOf(err) == uptime.CodeLimited {
			return uptime.Mail{}, none
		}
		return uptime.Mail{}, err
	}
	workspace, err := m.deps.Workspaces.Workspace(ctx, user.WorkspaceID)
	if err != nil {
		return uptime.Mail{}, err
	}
	token, hash := m.deps.Secrets.New(resetPrefix)
	now := m.deps.Clock().Truncate(time.Millisecond)
	asker := uptime.Actor{WorkspaceID: user.WorkspaceID, Address: client.Address}
	_, err = m.deps.UserChanges.UpdateUser(ctx, user.WorkspaceID, user.ID, func(u *uptime.User) error {
		if u.Disabled || u.Email != user.Email {
			return none
		}
		u.ResetHash, u.ResetUntil = hash, now.Add(resetFor)
		return nil
	}, m.audited(asker, "user.ask_reset", "user", user.ID))
	if err != nil {
		return uptime.Mail{}, err
	}
	zone, err := time.LoadLocation(user.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	return uptime.Mail{
		To: user.Email, Subject: "Set a new password for " + workspace.Name,
		Text: fmt.Sprintf(`Somebody asked to set a new password for %s at %s.

Set it here, until %s:

%s/reset/%s

A new password logs you out everywhere. Passkeys stay and log you in as before: look
at Settings, Security for those that are not yours.

If that was not you, do nothing: your password stays as it is. The request came
from %s.
`, user.Email, uptime.CleanLine(workspace.Name, uptime.MaxNameLength), now.Add(resetFor).In(zone).Format("15:04 MST on 2 January 2006"),
			m.deps.Config.PublicURL, token, uptime.CleanLine(client.Address, 100)),
	}, nil
}

// ResetOf gives whose password a mailed link sets. ErrNotFound when it is unknown,
// ended or used.
func (m *Manage) ResetOf(ctx context.Context, token string) (UserView, error) {
	user, err := m.resetOf(ctx, token)
	if err != nil {
		return UserView{}, err
	}
	return userView(user), nil
}

func (m *Manage) resetOf(ctx context.Context, token string) (uptime.User, error) {
	gone := fmt.Errorf("reset: %w", uptime.ErrNotFound)
	if !strings.HasPrefix(token, resetPrefix) || len(token) > 200 {
		return uptime.User{}, gone
	}
	user, err := m.deps.Users.UserByReset(ctx, m.deps.Secrets.Hash(token))
	if err != nil {
		return uptime.User{}, err
	}
	if user.Disabled || user.ResetHash == "" || !m.deps.Clock().Before(user.ResetUntil) {
		return uptime.User{}, gone
	}
	return user, nil
}

// Reset sets the password by a mailed link, which works once, and ends every session.
// Nobody is logged in by it.
func (m *Manage) Reset(ctx context.Context, in ResetInput) error {
	if err := m.limit(ctx, "login:"+uptime.Network(in.Client.Address), addressRate()); err != nil {
		return err
	}
	user, err := m.resetOf(ctx, in.Token)
	if err != nil {
		return err
	}
	b := &body{}
	checkPassword(b, "password", in.Password, user.Email)
	if err := b.finish("a password"); err != nil {
		return err
	}
	hash, err := m.hash(ctx, in.Password)
	if err != nil {
		return err
	}
	reset := user.ResetHash
	saved, err := m.deps.UserChanges.UpdateUser(ctx, user.WorkspaceID, user.ID, func(u *uptime.User) error {
		if u.ResetHash != reset || u.Disabled {
			return fmt.Errorf("reset: %w", uptime.ErrNotFound)
		}
		u.PasswordHash, u.PasswordGiven, u.ResetHash, u.ResetUntil = hash, false, "", time.Time{}
		return nil
	}, m.audited(actorOf(user, "", in.Client.Address), "user.reset_password", "user", user.ID))
	if err != nil {
		return err
	}
	m.announce(ctx, notice(uptime.TopicAccess, saved.WorkspaceID, saved.ID))
	return nil
}
