package manage

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"monitor/modules/uptime"
)

// NeedsSetup reports whether there is no user yet.
func (m *Manage) NeedsSetup(ctx context.Context) (bool, error) {
	n, err := m.deps.Users.CountUsers(ctx)
	return n == 0, err
}

// Setup makes the first owner and logs them in. CodeConflict once a user exists;
// CodeForbidden with the field setup_token where the token is needed and not
// the right one; CodeLimited for guessing.
func (m *Manage) Setup(ctx context.Context, in SetupInput) (UserView, TokenPair, error) {
	user, err := m.setup(ctx, in)
	if err != nil {
		return UserView{}, TokenPair{}, err
	}
	pair, err := m.newPair(ctx, user, in.Client)
	return userView(user), pair, err
}

// SetupSession is Setup for the web app.
func (m *Manage) SetupSession(ctx context.Context, in SetupInput) (Session, error) {
	user, err := m.setup(ctx, in)
	if err != nil {
		return Session{}, err
	}
	return m.newSession(ctx, user, true, in.Client)
}

func (m *Manage) setup(ctx context.Context, in SetupInput) (uptime.User, error) {
	needed, err := m.NeedsSetup(ctx)
	if err != nil {
		return uptime.User{}, fmt.Errorf("count users: %w", err)
	}
	if !needed {
		return uptime.User{}, setupDone()
	}
	if !in.Trusted {
		if err := m.limit(ctx, "setup:"+uptime.Network(in.Client.Address), addressRate()); err != nil {
			return uptime.User{}, err
		}
		if subtle.ConstantTimeCompare([]byte(in.SetupToken), []byte(m.deps.Config.SetupToken)) != 1 {
			return uptime.User{}, &uptime.Error{
				Code: uptime.CodeForbidden, Detail: "The set-up token is needed. It was printed when the program started.",
				Fields: []uptime.FieldError{{Field: "setup_token", Message: "is not the one that was printed when the program started"}},
			}
		}
	}
	return m.firstOwner(ctx, in)
}

func setupDone() error {
	return uptime.Fail(uptime.CodeConflict, "There is a user already; log in instead.")
}

func (m *Manage) firstOwner(ctx context.Context, in SetupInput) (uptime.User, error) {
	b, err := setupBody(in)
	if err != nil {
		return uptime.User{}, err
	}
	user := uptime.User{Role: uptime.RoleOwner}
	readPerson(b, &user)
	instance := defaultInstance
	if b.text("instance_name", uptime.MaxNameLength, &instance) && instance == "" {
		instance = defaultInstance
	}
	if !in.bySettings && strings.TrimSpace(in.Name) == "" {
		b.fail("name", "is required")
	}
	checkPassword(b, "password", in.Password, user.Email)
	if err := b.finish("the set-up"); err != nil {
		return uptime.User{}, err
	}
	if user.PasswordHash, err = m.hash(ctx, in.Password); err != nil {
		return uptime.User{}, err
	}
	workspace, err := m.deps.Workspaces.EnsureWorkspace(ctx, instance)
	if err != nil {
		return uptime.User{}, fmt.Errorf("make workspace: %w", err)
	}
	workspace.Name, workspace.TimeZone, user.WorkspaceID = instance, user.TimeZone, workspace.ID
	audit := m.audited(uptime.Actor{WorkspaceID: workspace.ID, Address: in.Client.Address}, "user.setup", "user", 0)
	audit.Detail = detail(map[string]any{"email": user.Email})
	saved, err := m.deps.UserChanges.CreateFirstOwner(ctx, user, workspace, audit)
	if errors.Is(err, uptime.ErrConflict) {
		return uptime.User{}, setupDone()
	}
	return saved, err
}

// setupBody lets the input pass the reader that all bodies pass.
func setupBody(in SetupInput) (*body, error) {
	fields := map[string]string{}
	for name, value := range map[string]string{"email": in.Email, "name": in.Name, "instance_name": in.InstanceName, "time_zone": in.TimeZone} {
		if value != "" {
			fields[name] = value
		}
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("read input: %w", err)
	}
	return parseBody(raw)
}

// EnsureFirstOwner makes the first owner from the settings unless there is a
// user. It is harmless for several processes to do so at once.
func (m *Manage) EnsureFirstOwner(ctx context.Context, email, password string) (made bool, err error) {
	needed, err := m.NeedsSetup(ctx)
	if err != nil || !needed {
		return false, err
	}
	_, err = m.firstOwner(ctx, SetupInput{Email: email, Password: password, bySettings: true})
	if uptime.CodeOf(err) == uptime.CodeConflict {
		return false, nil
	}
	return err == nil, err
}
