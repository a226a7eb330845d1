package manage

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"monitor/modules/uptime"
)

const (
	apiTokenPrefix = "mon_"
	// briefSession is how long a web session lives that is not remembered.
	briefSession = 24 * time.Hour
	// slideEvery is how often the end of a web session is moved at most.
	slideEvery = 24 * time.Hour
	maxCookie  = 200
)

// A web session is a family of refresh tokens whose cookie, "family.secret",
// never changes: each link's hash is that of the cookie and the link's time of
// issue. So the session's end can be moved by a rotation without a new cookie,
// and the database holds nothing that could be sent as one.

// newSession begins a web session.
func (m *Manage) newSession(ctx context.Context, user uptime.User, remember bool, client Client) (Session, error) {
	now := m.deps.Clock().Truncate(time.Millisecond)
	family := m.deps.Random()
	cookie, _ := m.deps.Secrets.New(family + ".")
	life := min(briefSession, m.deps.Config.RefreshTTL)
	if remember {
		life = m.deps.Config.RefreshTTL
	}
	row := uptime.RefreshToken{
		Hash: m.cookieHash(cookie, now), Family: family, UserID: user.ID, WorkspaceID: user.WorkspaceID,
		IssuedAt: now, ExpiresAt: now.Add(life), Address: client.Address, UserAgent: uptime.CleanLine(client.UserAgent, 300),
	}
	if err := m.begin(ctx, row, user); err != nil {
		return Session{}, err
	}
	return Session{Cookie: cookie, Persistent: remember, ExpiresAt: row.ExpiresAt, User: userView(user)}, nil
}

// begin saves a new session of a user whose password was verified. What was changed
// meanwhile makes it a wrong one.
func (m *Manage) begin(ctx context.Context, row uptime.RefreshToken, user uptime.User) error {
	err := m.deps.Sessions.SaveRefreshToken(ctx, row, user.PasswordHash)
	if errors.Is(err, uptime.ErrStale) {
		return wrongLogin()
	}
	if err != nil {
		return fmt.Errorf("save session: %w", err)
	}
	return nil
}

func (m *Manage) cookieHash(cookie string, issued time.Time) string {
	return m.deps.Secrets.Hash(cookie + "." + strconv.FormatInt(issued.UnixMilli(), 10))
}

// ActorOfSession gives the actor of a session cookie and, when the session's end
// was moved, the session, whose cookie is to be set again; else nil.
// CodeUnauthorized.
func (m *Manage) ActorOfSession(ctx context.Context, cookie, address string) (uptime.Actor, *Session, error) {
	family, _, ok := strings.Cut(cookie, ".")
	if !ok || family == "" || len(cookie) > maxCookie || hasControl(cookie, "") {
		return uptime.Actor{}, nil, sessionOver()
	}
	row, err := m.deps.Sessions.RefreshFamily(ctx, family)
	if errors.Is(err, uptime.ErrNotFound) {
		return uptime.Actor{}, nil, sessionOver()
	}
	if err != nil {
		return uptime.Actor{}, nil, fmt.Errorf("read session: %w", err)
	}
	now := m.deps.Clock()
	if subtle.ConstantTimeCompare([]byte(row.Hash), []byte(m.cookieHash(cookie, row.IssuedAt))) != 1 || !now.Before(row.ExpiresAt) {
		return uptime.Actor{}, nil, sessionOver()
	}
	user, err := m.liveUser(ctx, row.WorkspaceID, row.UserID)
	if err != nil {
		return uptime.Actor{}, nil, err
	}
	m.touch(ctx, user, row, address)
	return actorOf(user, family, address), m.slide(ctx, cookie, row, user, address), nil
}

func sessionOver() error {
	return uptime.Fail(uptime.CodeUnauthorized, "Your session is over; log in again.")
}

// slide moves the end of a session that is in use. The limiter lets one process
// do it: a second rotation of the same link would pass for a stolen one. What
// goes wrong here only leaves the end where it was.
func (m *Manage) slide(ctx context.Context, cookie string, row uptime.RefreshToken, user uptime.User, address string) *Session {
	now := m.deps.Clock().Truncate(time.Millisecond)
	life := row.ExpiresAt.Sub(row.IssuedAt)
	if now.Sub(row.IssuedAt) < min(slideEvery, life/4) {
		return nil
	}
	turn, err := m.deps.Limiter.Allow(ctx, "slide:"+row.Family, uptime.Rate{Limit: 1, Per: 5 * time.Minute})
	if err != nil || !turn.Allowed {
		return nil
	}
	next := row
	next.Hash, next.IssuedAt, next.ExpiresAt, next.Address = m.cookieHash(cookie, now), now, now.Add(life), address
	if _, reused, err := m.deps.Sessions.RotateRefreshToken(ctx, row.Hash, next); err != nil || reused {
		m.deps.Log.WarnContext(ctx, "move the end of a session", "error", err, "reused", reused)
		return nil
	}
	return &Session{Cookie: cookie, Persistent: life > briefSession, ExpiresAt: next.ExpiresAt, User: userView(user)}
}

// Authenticate gives the actor of a Bearer token, an access token or an API
// token. CodeUnauthorized for anything else.
func (m *Manage) Authenticate(ctx context.Context, token, address string) (uptime.Actor, error) {
	if strings.HasPrefix(token, apiTokenPrefix) {
		return m.actorOfToken(ctx, token, address)
	}
	now := m.deps.Clock()
	claims, err := m.deps.Access.Parse(token, now)
	if err != nil {
		return uptime.Actor{}, &uptime.Error{Code: uptime.CodeUnauthorized, Detail: "The token is not valid or has ended.", Err: err}
	}
	actor, err := m.actorOfFamily(ctx, uptime.Actor{
		WorkspaceID: claims.WorkspaceID, UserID: claims.UserID, Session: claims.Session, Address: address,
	}, claims.IssuedAt)
	return actor, err
}

// actorOfFamily reads the user of a session that must live; issued is when the
// access token was signed.
func (m *Manage) actorOfFamily(ctx context.Context, who uptime.Actor, issued time.Time) (uptime.Actor, error) {
	row, err := m.deps.Sessions.RefreshFamily(ctx, who.Session)
	if errors.Is(err, uptime.ErrNotFound) || err == nil && (row.UserID != who.UserID || row.WorkspaceID != who.WorkspaceID) {
		return uptime.Actor{}, sessionOver()
	}
	if err != nil {
		return uptime.Actor{}, fmt.Errorf("read session: %w", err)
	}
	user, err := m.liveUser(ctx, who.WorkspaceID, who.UserID)
	if err != nil {
		return uptime.Actor{}, err
	}
	if issued.Before(user.TokensFrom) {
		return uptime.Actor{}, sessionOver()
	}
	m.touch(ctx, user, row, who.Address)
	return actorOf(user, who.Session, who.Address), nil
}

// liveUser reads a user who may act. CodeUnauthorized when they may not.
func (m *Manage) liveUser(ctx context.Context, ws, id int64) (uptime.User, error) {
	user, err := m.deps.Users.User(ctx, ws, id)
	switch {
	case errors.Is(err, uptime.ErrNotFound), err == nil && (user.Disabled || user.InviteHash != ""):
		return uptime.User{}, sessionOver()
	case err != nil:
		return uptime.User{}, fmt.Errorf("read user: %w", err)
	}
	return user, nil
}

func actorOf(u uptime.User, session, address string) uptime.Actor {
	return uptime.Actor{
		WorkspaceID: u.WorkspaceID, UserID: u.ID, Session: session, Name: displayName(u), Email: u.Email, Role: u.Role, Address: address,
		Language: u.Language,
	}
}

func (m *Manage) actorOfToken(ctx context.Context, token, address string) (uptime.Actor, error) {
	bad := uptime.Fail(uptime.CodeUnauthorized, "The API token is not valid, has ended or was revoked.")
	if len(token) > maxCookie {
		return uptime.Actor{}, bad
	}
	row, user, err := m.deps.Tokens.APITokenByHash(ctx, m.deps.Secrets.Hash(token))
	if errors.Is(err, uptime.ErrNotFound) {
		return uptime.Actor{}, bad
	}
	if err != nil {
		return uptime.Actor{}, fmt.Errorf("read API token: %w", err)
	}
	now := m.deps.Clock()
	if user.Disabled || user.InviteHash != "" || !row.ExpiresAt.IsZero() && !now.Before(row.ExpiresAt) {
		return uptime.Actor{}, bad
	}
	if now.Sub(row.LastUsedAt) >= time.Minute {
		if err := m.deps.Tokens.TouchAPIToken(ctx, row.ID, now); err != nil {
			m.deps.Log.WarnContext(ctx, "note use of API token", "token_id", row.ID, "error", err)
		}
	}
	return tokenActor(row, user, address), nil
}

// tokenActor is who acts by an API token: never more than its maker may by now.
func tokenActor(row uptime.APIToken, user uptime.User, address string) uptime.Actor {
	actor := actorOf(user, "", address)
	actor.TokenID, actor.Scopes = row.ID, row.Scopes
	if actor.Scopes == nil {
		actor.Scopes = []string{}
	}
	if user.Role.Includes(row.Role) {
		actor.Role = row.Role
	}
	return actor
}

// touch notes that a user was here, and by which session, once a minute each.
func (m *Manage) touch(ctx context.Context, user uptime.User, session uptime.RefreshToken, address string) {
	now := m.deps.Clock()
	if now.Sub(user.LastSeenAt) >= time.Minute {
		if err := m.deps.UserChanges.TouchUser(ctx, user.ID, now); err != nil {
			m.deps.Log.WarnContext(ctx, "note that a user was here", "user_id", user.ID, "error", err)
		}
	}
	if now.Sub(session.SeenAt) >= time.Minute {
		if err := m.deps.Sessions.TouchSession(ctx, session.Family, address, now); err != nil {
			m.deps.Log.WarnContext(ctx, "note that a session was seen", "user_id", user.ID, "error", err)
		}
	}
}

// StillAllowed reads again whether the actor's session or token and user live
// and gives the actor as of now: for event streams, which outlive a request.
// CodeUnauthorized when they do not.
func (m *Manage) StillAllowed(ctx context.Context, actor uptime.Actor) (uptime.Actor, error) {
	ctx = uptime.WithFresh(ctx)
	switch {
	case actor.TokenID != 0:
		row, err := m.findToken(ctx, actor.WorkspaceID, actor.TokenID)
		if errors.Is(err, uptime.ErrNotFound) {
			return uptime.Actor{}, sessionOver()
		}
		if err != nil {
			return uptime.Actor{}, err
		}
		user, err := m.liveUser(ctx, row.WorkspaceID, row.UserID)
		if err != nil {
			return uptime.Actor{}, err
		}
		if !row.ExpiresAt.IsZero() && !m.deps.Clock().Before(row.ExpiresAt) {
			return uptime.Actor{}, sessionOver()
		}
		return tokenActor(row, user, actor.Address), nil
	case actor.Session != "":
		// The access token was judged when the stream began; only what ended
		// since then counts, and that ends families.
		return m.actorOfFamily(ctx, actor, m.deps.Clock())
	}
	return actor, nil
}

// findToken looks a token up by id: there are few.
func (m *Manage) findToken(ctx context.Context, ws, id int64) (uptime.APIToken, error) {
	p := uptime.Page{Limit: 200}
	for {
		list, err := m.deps.Tokens.APITokens(ctx, ws, p)
		if err != nil {
			return uptime.APIToken{}, fmt.Errorf("read API tokens: %w", err)
		}
		if i := slices.IndexFunc(list.Items, func(t uptime.APIToken) bool { return t.ID == id }); i >= 0 {
			return list.Items[i], nil
		}
		if p.Cursor = list.Next; p.Cursor == "" {
			return uptime.APIToken{}, fmt.Errorf("API token %d: %w", id, uptime.ErrNotFound)
		}
	}
}
