package manage

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"monitor/modules/uptime"
)

// accountRate bounds guesses at one account from one address: ten, then one
// every 30 s.
func accountRate() uptime.Rate { return uptime.Rate{Limit: 10, Per: 5 * time.Minute} }

// addressRate bounds guesses from one address, whatever the account.
func addressRate() uptime.Rate { return uptime.Rate{Limit: 100, Per: 5 * time.Minute} }

// Login gives a token pair. CodeUnauthorized with one text, whatever is wrong;
// CodeSecondFactor when the password is right and a one-time code is needed;
// CodeLimited with the wait.
func (m *Manage) Login(ctx context.Context, in LoginInput) (TokenPair, error) {
	user, err := m.login(ctx, in)
	if err != nil {
		return TokenPair{}, err
	}
	return m.newPair(ctx, user, in.Client)
}

// LoginSession is Login for the web app. With CodeSecondFactor it gives a session that
// has a ticket and nothing else.
func (m *Manage) LoginSession(ctx context.Context, in LoginInput) (Session, error) {
	user, err := m.login(ctx, in)
	if isNeedsCode(err) {
		sealed, failed := m.newTicket(user, in.Remember)
		if failed != nil {
			return Session{}, failed
		}
		return Session{Ticket: sealed}, err
	}
	if err != nil {
		return Session{}, err
	}
	return m.newSession(ctx, user, in.Remember, in.Client)
}

// login gives the user also with CodeSecondFactor: their password was right.
func (m *Manage) login(ctx context.Context, in LoginInput) (uptime.User, error) {
	b := &body{}
	email := strings.ToLower(strings.TrimSpace(in.Email))
	if email == "" {
		b.fail("email", "is required")
	}
	if in.Password == "" {
		b.fail("password", "is required")
	}
	if err := b.finish("the log-in"); err != nil {
		return uptime.User{}, err
	}
	// What no account can have is not worth a hash of a megabyte.
	if len(email) > maxEmail || len(in.Password) > maxPasswordBytes || hasControl(email, "") {
		return uptime.User{}, wrongLogin()
	}
	address, account := "login:"+uptime.Network(in.Client.Address), m.accountKey(email, in.Client.Address)
	if err := m.limit(ctx, address, addressRate()); err != nil {
		return uptime.User{}, err
	}
	if err := m.limit(ctx, account, accountRate()); err != nil {
		return uptime.User{}, err
	}
	user, err := m.deps.Users.UserByEmail(ctx, email)
	if err != nil && !errors.Is(err, uptime.ErrNotFound) {
		return uptime.User{}, fmt.Errorf("read user: %w", err)
	}
	if err != nil || user.PasswordHash == "" {
		if err := m.deps.Passwords.VerifyNothing(ctx, in.Password); err != nil {
			return uptime.User{}, err
		}
		return uptime.User{}, wrongLogin()
	}
	ok, err := m.deps.Passwords.Verify(ctx, in.Password, user.PasswordHash)
	switch {
	case err != nil:
		return uptime.User{}, err
	case !ok || user.Disabled || user.InviteHash != "":
		return uptime.User{}, wrongLogin()
	}
	m.giveBack(ctx, address, addressRate())
	m.giveBack(ctx, account, accountRate())
	switch {
	case user.TOTPSecret == "":
		return user, nil
	case in.TOTP == "":
		return user, needsCode()
	}
	return m.secondFactor(ctx, user, in.TOTP, in.Client)
}

// accountKey is the limit of guesses at an account from an address.
func (m *Manage) accountKey(email, address string) string {
	return "login:" + m.deps.Secrets.Hash(email) + ":" + uptime.Network(address)
}

// giveBack returns the try of who was right: only guesses are limited.
func (m *Manage) giveBack(ctx context.Context, key string, rate uptime.Rate) {
	if err := m.deps.Limiter.GiveBack(ctx, key, rate); err != nil {
		m.deps.Log.WarnContext(ctx, "give back a log-in attempt", "error", err)
	}
}

func wrongLogin() error {
	return uptime.Fail(uptime.CodeUnauthorized, "The e-mail address or the password is wrong.")
}

// limit takes one try from the key's allowance. A limiter that fails locks
// nobody out: hashing is bounded anyway.
func (m *Manage) limit(ctx context.Context, key string, rate uptime.Rate) error {
	decision, err := m.deps.Limiter.Allow(ctx, key, rate)
	if err != nil {
		m.deps.Log.WarnContext(ctx, "limit log-in attempts", "error", err)
		return ctx.Err()
	}
	if decision.Allowed {
		return nil
	}
	wait := max(int(math.Ceil(decision.RetryAfter.Seconds())), 1)
	return &uptime.Error{
		Code: uptime.CodeLimited, Detail: uptime.Say("Too many attempts. Try again in %d s.", wait), RetryAfter: decision.RetryAfter,
	}
}

// newPair begins a family of refresh tokens and signs its first access token.
func (m *Manage) newPair(ctx context.Context, user uptime.User, client Client) (TokenPair, error) {
	token, row := m.newRefresh(user, m.deps.Random(), client)
	if err := m.begin(ctx, row, user); err != nil {
		return TokenPair{}, err
	}
	return m.pair(token, row)
}

func (m *Manage) newRefresh(user uptime.User, family string, client Client) (token string, row uptime.RefreshToken) {
	now := m.deps.Clock().Truncate(time.Millisecond)
	token, hash := m.deps.Secrets.New("mrt_")
	return token, uptime.RefreshToken{
		Hash: hash, Family: family, UserID: user.ID, WorkspaceID: user.WorkspaceID, IssuedAt: now,
		ExpiresAt: now.Add(m.deps.Config.RefreshTTL),
		Address:   client.Address, UserAgent: uptime.CleanLine(client.UserAgent, 300),
	}
}

func (m *Manage) pair(refresh string, row uptime.RefreshToken) (TokenPair, error) {
	access, err := m.deps.Access.Sign(uptime.AccessClaims{
		UserID: row.UserID, WorkspaceID: row.WorkspaceID, Session: row.Family,
		IssuedAt: row.IssuedAt, ExpiresAt: row.IssuedAt.Add(m.deps.Config.AccessTTL),
	})
	if err != nil {
		return TokenPair{}, err
	}
	return TokenPair{
		AccessToken: access, TokenType: "Bearer", ExpiresIn: int64(m.deps.Config.AccessTTL / time.Second), RefreshToken: refresh,
	}, nil
}

// Refresh swaps a refresh token for a new pair. One that was used before ends
// its whole family: it may have been stolen. CodeUnauthorized.
func (m *Manage) Refresh(ctx context.Context, refreshToken string, client Client) (TokenPair, error) {
	bad := uptime.Fail(uptime.CodeUnauthorized, "The refresh token is not valid; log in again.")
	if !strings.HasPrefix(refreshToken, "mrt_") || len(refreshToken) > 200 {
		return TokenPair{}, bad
	}
	// User, family and workspace come from the old token; the store fills in
	// what is empty here.
	token, next := m.newRefresh(uptime.User{}, "", client)
	old, reused, err := m.deps.Sessions.RotateRefreshToken(ctx, m.deps.Secrets.Hash(refreshToken), next)
	switch {
	case errors.Is(err, uptime.ErrNotFound):
		return TokenPair{}, bad
	case err != nil:
		return TokenPair{}, fmt.Errorf("rotate refresh token: %w", err)
	case reused:
		m.announce(ctx, notice(uptime.TopicAccess, old.WorkspaceID, old.UserID))
		return TokenPair{}, bad
	}
	next.Family, next.UserID, next.WorkspaceID = old.Family, old.UserID, old.WorkspaceID
	if _, err := m.liveUser(ctx, old.WorkspaceID, old.UserID); err != nil || !next.IssuedAt.Before(old.ExpiresAt) {
		if err != nil && uptime.CodeOf(err) != uptime.CodeUnauthorized {
			return TokenPair{}, err
		}
		return TokenPair{}, errors.Join(bad, m.deps.Sessions.EndFamily(ctx, old.Family))
	}
	return m.pair(token, next)
}

// Logout ends the session of a refresh token; one that is not valid is ignored.
func (m *Manage) Logout(ctx context.Context, refreshToken string) error {
	if !strings.HasPrefix(refreshToken, "mrt_") || len(refreshToken) > 200 {
		return nil
	}
	_, next := m.newRefresh(uptime.User{}, "", Client{})
	old, _, err := m.deps.Sessions.RotateRefreshToken(ctx, m.deps.Secrets.Hash(refreshToken), next)
	if errors.Is(err, uptime.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find session: %w", err)
	}
	return m.endSession(ctx, old.WorkspaceID, old.UserID, old.Family)
}

// LogoutActor ends the session that the actor came by, if they came by one.
func (m *Manage) LogoutActor(ctx context.Context, actor uptime.Actor) error {
	if actor.Session == "" {
		return nil
	}
	return m.endSession(ctx, actor.WorkspaceID, actor.UserID, actor.Session)
}

func (m *Manage) endSession(ctx context.Context, ws, user int64, family string) error {
	if err := m.deps.Sessions.EndFamily(ctx, family); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	m.announce(ctx, notice(uptime.TopicAccess, ws, user))
	return nil
}
