package manage_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func login(password string) manage.LoginInput {
	return manage.LoginInput{Email: "owner@example.com", Password: password, Client: manage.Client{Address: "10.0.0.1"}}
}

func TestSetupIsOnce(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	needed, err := b.NeedsSetup(ctx)
	require.NoError(t, err)
	require.False(t, needed)
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			_, _, err := b.Setup(ctx, manage.SetupInput{Name: "X", Email: "x@example.com", Password: password, Trusted: true})
			if uptime.CodeOf(err) != uptime.CodeConflict {
				t.Errorf("a second owner was made: %v", err)
			}
		})
	}
	wg.Wait()
	made, err := b.EnsureFirstOwner(ctx, "y@example.com", password)
	require.NoError(t, err)
	require.False(t, made)
}

func TestSetupNeedsTheToken(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	users := noUsers{b.store}
	m := manage.New(manage.Deps{Users: users, UserChanges: b.store, Workspaces: b.store, Limiter: allowAll{}, Config: manage.Config{SetupToken: setupToken}})
	for _, token := range []string{"", "wrong", setupToken + "x"} {
		_, _, err := m.Setup(ctx, manage.SetupInput{Email: "x@example.com", Password: password, SetupToken: token})
		require.Equal(t, uptime.CodeForbidden, uptime.CodeOf(err), token)
		require.ErrorContains(t, err, "setup_token")
	}
	_, _, err := m.Setup(ctx, manage.SetupInput{SetupToken: setupToken, Password: "short", TimeZone: "Mars/Base"})
	require.Equal(t, []string{"email is required", `time_zone must be an IANA time zone such as "Europe/Berlin"`, "name is required", "password must have at least 12 characters"}, problems(t, err))
}

func TestLogin(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	pair, err := b.Login(ctx, login(password))
	require.NoError(t, err)
	require.Equal(t, "Bearer", pair.TokenType)
	require.Equal(t, int64(900), pair.ExpiresIn)
	actor, err := b.Authenticate(ctx, pair.AccessToken, "10.0.0.9")
	require.NoError(t, err)
	require.Equal(t, uptime.RoleOwner, actor.Role)
	require.Equal(t, "10.0.0.9", actor.Address)

	_, known := b.Login(ctx, login("wrong password"))
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(known))
	in := login(password)
	in.Email = "nobody@example.com"
	_, unknown := b.Login(ctx, in)
	require.Equal(t, known.Error(), unknown.Error(), "nothing tells which accounts exist")
	in = login(password)
	in.TOTP = "123456"
	_, err = b.Login(ctx, in)
	require.NoError(t, err, "who has no second factor needs no code")
	_, err = b.Login(ctx, manage.LoginInput{})
	require.Equal(t, []string{"email is required", "password is required"}, problems(t, err))
	_, err = b.Login(ctx, login(strings.Repeat("x", 5000)))
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	for _, token := range []string{"", "x", "mon_", "mon_x", "a.b.c", "mon_" + strings.Repeat("x", 9999), pair.RefreshToken} {
		_, err = b.Authenticate(ctx, token, "")
		require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err), token)
	}
}

func TestLoginAttemptsAreLimited(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	for range 10 {
		_, err := b.Login(ctx, login("wrong password"))
		require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	}
	_, err := b.Login(ctx, login(password))
	require.Equal(t, uptime.CodeLimited, uptime.CodeOf(err))
	require.ErrorContains(t, err, "Too many attempts. Try again in 30 s.")
	elsewhere := login(password)
	elsewhere.Client.Address = "10.0.0.2"
	_, err = b.Login(ctx, elsewhere)
	require.NoError(t, err, "nobody can lock the owner out from elsewhere")
	b.clock.add(31 * time.Second)
	for range 30 {
		_, err = b.Login(ctx, login(password))
		require.NoError(t, err, "who knows the password is no guesser")
	}
	_, err = b.Login(ctx, login("wrong password"))
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	_, err = b.Login(ctx, login("wrong password"))
	require.Equal(t, uptime.CodeLimited, uptime.CodeOf(err), "no failure was given back")
}

func TestRefreshRotatesAndReuseEndsTheFamily(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	first, err := b.Login(ctx, login(password))
	require.NoError(t, err)
	b.clock.add(time.Minute)
	second, err := b.Refresh(ctx, first.RefreshToken, manage.Client{})
	require.NoError(t, err)
	_, err = b.Authenticate(ctx, second.AccessToken, "")
	require.NoError(t, err)
	b.clock.add(time.Minute)
	_, err = b.Refresh(ctx, first.RefreshToken, manage.Client{})
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	_, err = b.Refresh(ctx, second.RefreshToken, manage.Client{})
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	_, err = b.Authenticate(ctx, second.AccessToken, "")
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err), "the access token ends with its family")
}

func TestLogout(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	heard, err := b.bus.Subscribe(t.Context(), uptime.TopicAccess)
	require.NoError(t, err)
	pair, err := b.Login(ctx, login(password))
	require.NoError(t, err)
	require.NoError(t, b.Logout(ctx, pair.RefreshToken))
	require.Equal(t, b.owner.UserID, (<-heard).ID)
	require.NoError(t, b.Logout(ctx, pair.RefreshToken))
	require.NoError(t, b.Logout(ctx, "nonsense"))
	_, err = b.Authenticate(ctx, pair.AccessToken, "")
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
}

func TestWebSessions(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	in := login(password)
	in.Remember = true
	session, err := b.LoginSession(ctx, in)
	require.NoError(t, err)
	require.True(t, session.Persistent)
	actor, moved, err := b.ActorOfSession(ctx, session.Cookie, "10.0.0.1")
	require.NoError(t, err)
	require.Nil(t, moved)
	require.Equal(t, b.owner.UserID, actor.UserID)
	for _, cookie := range []string{"", ".", "x", session.Cookie + "x", actor.Session + ".x", strings.Repeat("x", 999)} {
		_, _, err = b.ActorOfSession(ctx, cookie, "")
		require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err), cookie)
	}
	_, err = b.Refresh(ctx, session.Cookie, manage.Client{})
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err), "a cookie is no refresh token")

	for range 3 {
		b.clock.add(20 * 24 * time.Hour)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if _, _, err := b.ActorOfSession(ctx, session.Cookie, ""); err != nil {
					t.Errorf("many requests at once end the session: %v", err)
				}
			})
		}
		wg.Wait()
	}
	actor, _, err = b.ActorOfSession(ctx, session.Cookie, "")
	require.NoError(t, err, "used, it lives on")
	_, err = b.StillAllowed(ctx, actor)
	require.NoError(t, err)
	require.NoError(t, b.LogoutActor(ctx, actor))
	_, _, err = b.ActorOfSession(ctx, session.Cookie, "")
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	_, err = b.StillAllowed(ctx, actor)
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))

	brief, err := b.LoginSession(ctx, login(password))
	require.NoError(t, err)
	require.False(t, brief.Persistent)
	b.clock.add(25 * time.Hour)
	_, _, err = b.ActorOfSession(ctx, brief.Cookie, "")
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
}

func TestMe(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	other, err := b.Login(ctx, login(password))
	require.NoError(t, err)
	me, err := b.UpdateMe(ctx, b.owner, json.RawMessage(`{"name":"Olga O.","time_zone":"Europe/Berlin","language":"de","theme":"dark"}`), "")
	require.NoError(t, err)
	require.Equal(t, "Europe/Berlin", me.TimeZone)
	for name, c := range map[string]struct {
		patch string
		want  []string
	}{
		"TimeZone":       {`{"time_zone":"Mars/Base"}`, []string{`time_zone must be an IANA time zone such as "Europe/Berlin"`}},
		"LocalZone":      {`{"time_zone":"Local"}`, []string{`time_zone must be an IANA time zone such as "Europe/Berlin"`}},
		"ZoneAsPath":     {`{"time_zone":"../../etc/passwd"}`, []string{`time_zone must be an IANA time zone such as "Europe/Berlin"`}},
		"Theme":          {`{"theme":"pink"}`, []string{"theme must be one of auto, light, dark"}},
		"Language":       {`{"language":"<script>"}`, []string{`language must be auto or a language tag such as "en" or "pt-BR"`}},
		"TOTP":           {`{"totp":true}`, []string{"totp_secret is required to turn the second factor on; POST /api/v1/me/totp gives one"}},
		"TOTPSecret":     {`{"totp":true,"totp_secret":"AAAA"}`, []string{"totp_secret must be 128 bits or more in base32, without padding"}},
		"TOTPCode":       {`{"totp":true,"totp_secret":"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP","totp_code":"1"}`, []string{"totp_code is not the code of this secret at the moment; is the clock of your device right?"}},
		"Email":          {`{"email":"not one"}`, []string{"email must be an e-mail address"}},
		"EmailWithName":  {`{"email":"O <o@example.com>"}`, []string{"email must be an e-mail address"}},
		"EmailInjection": {`{"email":"o@example.com\r\nBcc: x@example.com"}`, []string{"email must not contain control characters"}},
		"NoEmail":        {`{"email":null}`, []string{"email is required"}},
		"ShortPassword":  {`{"password":"short"}`, []string{"password must have at least 12 characters"}},
		"LongPassword":   {`{"password":"` + strings.Repeat("x", 1025) + `"}`, []string{"password must have at most 1024 bytes"}},
		"EmailPassword":  {`{"password":"OWNER@example.com"}`, []string{"password must not be the e-mail address"}},
		"NumberPassword": {`{"password":123456789012}`, []string{"password must be a string"}},
		"Unconfirmed":    {`{"password":"another long one"}`, []string{"current_password is required to change the password, the e-mail address or the second factor"}},
		"WrongPassword":  {`{"password":"another long one","current_password":"guess"}`, []string{"current_password is wrong"}},
		"EmailUnproved":  {`{"email":"new@example.com"}`, []string{"current_password is required to change the password, the e-mail address or the second factor"}},
		"Unknown":        {`{"admin":true}`, []string{"admin is not a field of a user; allowed are email, name, time_zone, language, theme, preferences, totp, totp_secret, totp_code, password, current_password"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.UpdateMe(ctx, b.owner, json.RawMessage(c.patch), "")
			require.Equal(t, c.want, problems(t, err))
		})
	}
	_, err = b.UpdateMe(ctx, b.owner, json.RawMessage(`{"role":"viewer","disabled":true}`), "")
	require.NoError(t, err)
	me, err = b.Me(ctx, b.owner)
	require.NoError(t, err)
	require.Equal(t, uptime.RoleOwner, me.Role, "nobody changes their own role here")

	_, err = b.UpdateMe(ctx, b.owner, json.RawMessage(`{"password":"another long one","current_password":"`+password+`"}`), "")
	require.NoError(t, err)
	_, err = b.Authenticate(ctx, other.AccessToken, "")
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err), "other sessions end")
	_, err = b.StillAllowed(ctx, b.owner)
	require.NoError(t, err, "one's own goes on")
	_, err = b.Login(ctx, login("another long one"))
	require.NoError(t, err)
}

func TestUsers(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	_, _, err := b.CreateUser(ctx, b.owner, json.RawMessage(`{"email":"x","role":"king","password":"short"}`))
	require.Equal(t, []string{"email must be an e-mail address", "role must be one of owner, admin, editor, viewer", "password must have at least 12 characters"}, problems(t, err))
	_, _, err = b.CreateUser(ctx, b.owner, json.RawMessage(`{"email":"OWNER@example.com","role":"viewer","password":"`+password+`"}`))
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))

	view, invite, err := b.CreateUser(ctx, b.owner, json.RawMessage(`{"email":"Ed@example.com","role":"editor"}`))
	require.NoError(t, err)
	require.True(t, view.Invited)
	invited, err := b.Invited(ctx, invite)
	require.NoError(t, err)
	require.Equal(t, "ed@example.com", invited.Email)
	_, err = b.AcceptInvite(ctx, manage.InviteInput{Token: invite, Password: "short", TimeZone: "Mars/Base"})
	require.ElementsMatch(t, []string{"password must have at least 12 characters", `time_zone must be an IANA time zone such as "Europe/Berlin"`}, problems(t, err))
	session, err := b.AcceptInvite(ctx, manage.InviteInput{Token: invite, Name: "Ed", Password: password})
	require.NoError(t, err)
	editor, _, err := b.ActorOfSession(ctx, session.Cookie, "")
	require.NoError(t, err)
	require.Equal(t, uptime.RoleEditor, editor.Role)
	_, err = b.AcceptInvite(ctx, manage.InviteInput{Token: invite, Password: password})
	require.ErrorIs(t, err, uptime.ErrNotFound, "once only")

	admin := b.as(uptime.RoleAdmin)
	for _, patch := range []string{`{"role":"owner"}`} {
		_, err = b.UpdateUser(ctx, admin, view.ID, json.RawMessage(patch), "")
		require.Equal(t, uptime.CodeForbidden, uptime.CodeOf(err))
	}
	_, err = b.UpdateUser(ctx, admin, b.owner.UserID, json.RawMessage(`{"password":"`+password+`"}`), "")
	require.Equal(t, uptime.CodeForbidden, uptime.CodeOf(err), "an admin does not take over an owner")
	require.Equal(t, uptime.CodeForbidden, uptime.CodeOf(b.DeleteUser(ctx, admin, b.owner.UserID)))
	_, _, err = b.CreateUser(ctx, admin, json.RawMessage(`{"email":"o2@example.com","role":"owner"}`))
	require.Equal(t, uptime.CodeForbidden, uptime.CodeOf(err))
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(b.DeleteUser(ctx, b.owner, b.owner.UserID)), "the last owner stays")
	_, err = b.UpdateUser(ctx, b.owner, b.owner.UserID, json.RawMessage(`{"role":"viewer"}`), "")
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))

	_, err = b.UpdateUser(ctx, admin, view.ID, json.RawMessage(`{"disabled":true}`), "")
	require.NoError(t, err)
	_, _, err = b.ActorOfSession(ctx, session.Cookie, "")
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err), "disabling ends access at once")
	_, err = b.Login(ctx, manage.LoginInput{Email: "ed@example.com", Password: password})
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	require.NoError(t, b.DeleteUser(ctx, admin, view.ID))
	require.NoError(t, b.ResetPassword(ctx, manage.Program(b.owner.WorkspaceID), "OWNER@example.com", "a brand new password", false))
	_, err = b.Login(ctx, login("a brand new password"))
	require.NoError(t, err)
}

func TestInvitationsEnd(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	_, invite, err := b.CreateUser(ctx, b.owner, json.RawMessage(`{"email":"ed@example.com","role":"editor"}`))
	require.NoError(t, err)
	b.clock.add(8 * 24 * time.Hour)
	for _, token := range []string{invite, "", "inv_x", "x"} {
		_, err = b.Invited(ctx, token)
		require.ErrorIs(t, err, uptime.ErrNotFound)
	}
}

func TestAPITokens(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	token, err := b.CreateToken(ctx, b.owner, json.RawMessage(`{"name":"CI","role":"editor","scopes":["read"],"expires_at":"2026-02-01T00:00:00Z"}`))
	require.NoError(t, err)
	require.Regexp(t, `^mon_[a-z2-7]{52}$`, token.Secret)
	require.True(t, strings.HasPrefix(token.Secret, token.Prefix))
	list, err := b.Tokens(ctx, b.owner, uptime.Page{})
	require.NoError(t, err)
	require.Empty(t, list.Items[0].Secret, "it is shown once")
	actor, err := b.Authenticate(ctx, token.Secret, "10.0.0.7")
	require.NoError(t, err)
	require.Equal(t, uptime.RoleEditor, actor.Role)
	require.Equal(t, []string{"read"}, actor.Scopes)
	_, err = b.CreateMonitor(ctx, actor, json.RawMessage(leastMonitor))
	require.Equal(t, uptime.CodeForbidden, uptime.CodeOf(err))
	_, err = b.StillAllowed(ctx, actor)
	require.NoError(t, err)

	viewer := b.as(uptime.RoleViewer)
	_, err = b.CreateToken(ctx, viewer, json.RawMessage(`{"name":"x","role":"admin","scopes":["fly"],"expires_at":"2020-01-01T00:00:00Z"}`))
	require.Equal(t, []string{"role must not be above your own (viewer)", "scopes[0] must be one of read, write, push", "expires_at must be in the future"}, problems(t, err))
	_, err = b.CreateToken(ctx, viewer, json.RawMessage(`{"name":"x","scopes":[]}`))
	require.Equal(t, []string{"scopes must have at least 1 entry"}, problems(t, err))
	stranger := viewer
	stranger.UserID = 55
	require.ErrorIs(t, b.DeleteToken(ctx, stranger, token.ID), uptime.ErrNotFound)
	others, err := b.Tokens(ctx, stranger, uptime.Page{})
	require.NoError(t, err)
	require.Empty(t, others.Items)

	require.NoError(t, b.DeleteToken(ctx, b.owner, token.ID))
	_, err = b.Authenticate(ctx, token.Secret, "")
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err), "at once")
	_, err = b.StillAllowed(ctx, actor)
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
}

type noUsers struct{ userStore }

func (noUsers) CountUsers(context.Context) (int64, error) { return 0, nil }

// userStore is what a test leaves to the real store.
type userStore interface {
	User(ctx context.Context, ws, id int64) (uptime.User, error)
	UserByEmail(ctx context.Context, email string) (uptime.User, error)
	UserByInvite(ctx context.Context, hash string) (uptime.User, error)
	UserByReset(ctx context.Context, hash string) (uptime.User, error)
	Users(ctx context.Context, ws int64, p uptime.Page) (uptime.List[uptime.User], error)
}

type allowAll struct{}

func (allowAll) GiveBack(context.Context, string, uptime.Rate) error { return nil }

func (allowAll) Allow(context.Context, string, uptime.Rate) (uptime.LimitDecision, error) {
	return uptime.LimitDecision{Allowed: true}, nil
}
