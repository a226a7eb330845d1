package manage_test

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/auth"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func TestOwnSessions(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	in := login(password)
	in.Client = manage.Client{Address: "10.0.0.7", UserAgent: "Phone\r\n1"}
	session, err := b.LoginSession(ctx, in)
	require.NoError(t, err)
	b.clock.add(5 * time.Minute)
	phone, _, err := b.ActorOfSession(ctx, session.Cookie, "10.0.0.8")
	require.NoError(t, err)

	list, err := b.OwnSessions(ctx, b.owner)
	require.NoError(t, err)
	require.Len(t, list.Items, 2)
	newest := list.Items[0]
	require.Equal(t, phone.Session, newest.ID)
	require.False(t, newest.Current)
	require.Equal(t, "10.0.0.8", newest.Address, "where it was seen last")
	require.NotContains(t, newest.UserAgent, "\n")
	require.Equal(t, 5*time.Minute, newest.LastSeenAt.Sub(newest.CreatedAt))
	require.True(t, list.Items[1].Current)
	raw, err := json.Marshal(list.Items)
	require.NoError(t, err)
	_, secret, _ := strings.Cut(session.Cookie, ".")
	require.NotContains(t, string(raw), secret)

	// A refreshed session is the same one, begun when it was begun.
	pair, err := b.Login(ctx, login(password))
	require.NoError(t, err)
	began := b.clock.Now()
	b.clock.add(time.Hour)
	pair, err = b.Refresh(ctx, pair.RefreshToken, manage.Client{Address: "10.0.0.9"})
	require.NoError(t, err)
	list, err = b.OwnSessions(ctx, phone)
	require.NoError(t, err)
	require.Len(t, list.Items, 3)
	require.Equal(t, began, list.Items[0].CreatedAt)
	require.Equal(t, "10.0.0.9", list.Items[0].Address)

	for _, id := range []string{"", "nope", "a\x00b", "\xff", strings.Repeat("x", 999)} {
		require.ErrorIs(t, b.EndOwnSession(ctx, b.owner, id), uptime.ErrNotFound, id)
	}
	_, _, err = b.CreateUser(ctx, b.owner, json.RawMessage(`{"email":"ed@example.com","role":"viewer","password":"`+password+`"}`))
	require.NoError(t, err)
	other := login(password)
	other.Email = "ed@example.com"
	theirs, err := b.Login(ctx, other)
	require.NoError(t, err)
	ed, err := b.Authenticate(ctx, theirs.AccessToken, "")
	require.NoError(t, err)
	require.ErrorIs(t, b.EndOwnSession(ctx, ed, phone.Session), uptime.ErrNotFound, "not yours is not there")

	require.NoError(t, b.EndOwnSession(ctx, b.owner, phone.Session))
	_, _, err = b.ActorOfSession(ctx, session.Cookie, "")
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	require.NoError(t, b.LogoutOthers(ctx, b.owner))
	_, err = b.Authenticate(ctx, pair.AccessToken, "")
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	_, err = b.StillAllowed(ctx, b.owner)
	require.NoError(t, err, "one's own goes on")
	_, err = b.Authenticate(ctx, theirs.AccessToken, "")
	require.NoError(t, err, "and those of others")
	require.Equal(t, []string{"session.end", "session.end"}, b.audits.actions())
}

func TestResetByMail(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	require.True(t, b.CanReset())
	client := manage.Client{Address: "192.0.2.1"}
	require.NoError(t, b.RequestReset(ctx, " Owner@Example.com ", client))
	require.Len(t, b.post.mails, 1)
	mail := b.post.mails[0]
	require.Equal(t, "owner@example.com", mail.To)
	require.Equal(t, "Set a new password for Monitor", mail.Subject)
	require.Contains(t, mail.Text, "192.0.2.1")
	token := regexp.MustCompile(`https://monitor\.example\.com/reset/(rst_\S+)`).FindStringSubmatch(mail.Text)[1]
	who, err := b.ResetOf(ctx, token)
	require.NoError(t, err)
	require.Equal(t, "owner@example.com", who.Email)

	err = b.Reset(ctx, manage.ResetInput{Token: token, Password: "short", Client: client})
	require.Equal(t, []string{"password must have at least 12 characters"}, problems(t, err))
	require.NoError(t, b.Reset(ctx, manage.ResetInput{Token: token, Password: "another long one", Client: client}))
	_, err = b.StillAllowed(ctx, b.owner)
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err), "every session ends")
	_, err = b.Login(ctx, login("another long one"))
	require.NoError(t, err)
	require.ErrorIs(t, b.Reset(ctx, manage.ResetInput{Token: token, Password: "yet another one", Client: client}), uptime.ErrNotFound, "once")

	for _, token := range []string{"", "rst_", "rst_x", "inv_x", token, "rst_" + strings.Repeat("x", 999)} {
		_, err := b.ResetOf(ctx, token)
		require.ErrorIs(t, err, uptime.ErrNotFound, token)
	}
}

func TestResetTellsNothing(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	_, invite, err := b.CreateUser(ctx, b.owner, json.RawMessage(`{"email":"new@example.com","role":"viewer"}`))
	require.NoError(t, err)
	gone, _, err := b.CreateUser(ctx, b.owner, json.RawMessage(`{"email":"gone@example.com","role":"viewer","password":"`+password+`"}`))
	require.NoError(t, err)
	_, err = b.UpdateUser(ctx, b.owner, gone.ID, json.RawMessage(`{"disabled":true}`), "")
	require.NoError(t, err)
	for i, email := range []string{"nobody@example.com", "new@example.com", "gone@example.com"} {
		require.NoError(t, b.RequestReset(ctx, email, manage.Client{Address: "192.0.2.1"}), email)
		require.ErrorIs(t, b.post.errs[i], uptime.ErrNotFound, email)
	}
	require.Empty(t, b.post.mails)
	_, err = b.Invited(ctx, invite)
	require.NoError(t, err, "an invitation stays")
	for _, email := range []string{"", "x", "a@example.com\r\nBcc: b@example.com", "O <o@example.com>", strings.Repeat("x", 300) + "@example.com"} {
		err := b.RequestReset(ctx, email, manage.Client{Address: "192.0.2.1"})
		require.Equal(t, uptime.CodeInvalid, uptime.CodeOf(err), email)
	}

	// Nobody's mailbox is filled, and who asks is not told so.
	for range 9 {
		require.NoError(t, b.RequestReset(ctx, "owner@example.com", manage.Client{Address: "192.0.2.2"}))
	}
	require.Len(t, b.post.mails, 3)
	for range 200 {
		err = b.RequestReset(ctx, "nobody@example.com", manage.Client{Address: "192.0.2.3"})
	}
	require.Equal(t, uptime.CodeLimited, uptime.CodeOf(err))
	b.post.full = true
	require.NoError(t, b.RequestReset(ctx, "nobody@example.com", manage.Client{Address: "192.0.2.4"}), "whether mails wait is not told")
}

// TestALinkEndsWithItsAddress: a link that was mailed is worth nothing after an hour,
// another one, a new address or a new password.
func TestALinkEndsWithItsAddress(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, b *bundle){
		"Time": func(_ *testing.T, b *bundle) { b.clock.add(time.Hour) },
		"Newer": func(t *testing.T, b *bundle) {
			t.Helper()
			require.NoError(t, b.RequestReset(context.Background(), "owner@example.com", manage.Client{Address: "192.0.2.1"}))
		},
		"Address": func(t *testing.T, b *bundle) {
			t.Helper()
			_, err := b.UpdateMe(context.Background(), b.owner, json.RawMessage(`{"email":"o@example.com","current_password":"`+password+`"}`), "")
			require.NoError(t, err)
		},
		"Password": func(t *testing.T, b *bundle) {
			t.Helper()
			_, err := b.UpdateMe(context.Background(), b.owner, json.RawMessage(`{"password":"another long one","current_password":"`+password+`"}`), "")
			require.NoError(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, ctx := setup(t), context.Background()
			require.NoError(t, b.RequestReset(ctx, "owner@example.com", manage.Client{Address: "192.0.2.1"}))
			token := regexp.MustCompile(`rst_\S+`).FindString(b.post.mails[0].Text)
			_, err := b.ResetOf(ctx, token)
			require.NoError(t, err)
			end(t, b)
			require.ErrorIs(t, b.Reset(ctx, manage.ResetInput{Token: token, Password: "yet another one"}), uptime.ErrNotFound)
		})
	}
}

// totpOn turns the owner's second factor on.
func (b *bundle) totpOn(t *testing.T) (secret string, codes []string) {
	t.Helper()
	ctx := context.Background()
	v, err := b.NewTOTP(ctx, b.owner)
	require.NoError(t, err)
	require.Contains(t, v.URL, "otpauth://totp/Monitor:owner@example.com?secret="+v.Secret)
	me, err := b.UpdateMe(ctx, b.owner, json.RawMessage(`{"totp":true,"totp_secret":"`+v.Secret+`","totp_code":"`+b.code(t, v.Secret)+`","current_password":"`+password+`"}`), "")
	require.NoError(t, err)
	require.True(t, me.TOTP)
	require.Len(t, me.RecoveryCodes, 10)
	return v.Secret, me.RecoveryCodes
}

// code is that of now.
func (b *bundle) code(t *testing.T, secret string) string {
	t.Helper()
	code := auth.OneTimeCodes{}.Code(secret, auth.StepAt(b.clock.Now()))
	require.Len(t, code, 6)
	return code
}

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	secret, codes := b.totpOn(t)
	me, err := b.Me(ctx, b.owner)
	require.NoError(t, err)
	require.True(t, me.TOTP)
	require.Empty(t, me.RecoveryCodes, "they are shown once")
	stored, err := b.store.User(ctx, b.owner.WorkspaceID, b.owner.UserID)
	require.NoError(t, err)
	require.True(t, auth.IsSealed(stored.TOTPSecret))

	_, err = b.Login(ctx, login(password))
	require.Equal(t, uptime.CodeSecondFactor, uptime.CodeOf(err))
	_, err = b.Login(ctx, login("wrong password"))
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err), "who does not know the password hears nothing of it")
	with := func(code string) error {
		in := login(password)
		in.TOTP = code
		_, err := b.Login(ctx, in)
		return err
	}
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(with(b.code(t, secret))), "the code that turned it on was used")
	b.clock.add(30 * time.Second)
	code := b.code(t, secret)
	require.NoError(t, with(code[:3]+" "+code[3:]))
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(with(code)), "no code twice")
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(with("000000")))
	require.NoError(t, with(strings.ToUpper(codes[3])))
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(with(codes[3])), "no recovery code twice")

	// New codes end the old ones.
	_, err = b.NewRecoveryCodes(ctx, b.owner, "guess")
	require.Equal(t, []string{"current_password is wrong"}, problems(t, err))
	fresh, err := b.NewRecoveryCodes(ctx, b.owner, password)
	require.NoError(t, err)
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(with(codes[4])))
	require.NoError(t, with(fresh.RecoveryCodes[0]))

	// Guesses end, from wherever they come, and say so to who knows the password only.
	for i := range 20 {
		in := login(password)
		in.TOTP, in.Client.Address = "000000", "10.1."+string(rune('0'+i%10))+".1"
		_, err = b.Login(ctx, in)
	}
	require.Equal(t, uptime.CodeLimited, uptime.CodeOf(err))
	b.clock.add(time.Hour)

	_, err = b.UpdateMe(ctx, b.owner, json.RawMessage(`{"totp":false}`), "")
	require.Equal(t, []string{"current_password is required to change the password, the e-mail address or the second factor"}, problems(t, err))
	_, err = b.UpdateMe(ctx, b.owner, json.RawMessage(`{"totp":false,"current_password":"`+password+`"}`), "")
	require.NoError(t, err)
	_, err = b.Login(ctx, login(password))
	require.NoError(t, err)
	_, err = b.NewRecoveryCodes(ctx, b.owner, password)
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
}

// TestCodesAtOnce: of many log-ins with one code at once, one gets in.
func TestCodesAtOnce(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	secret, _ := b.totpOn(t)
	b.clock.add(30 * time.Second)
	code := b.code(t, secret)
	var in atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			try := login(password)
			try.TOTP = code
			if _, err := b.Login(ctx, try); err == nil {
				in.Add(1)
			}
		})
	}
	wg.Wait()
	require.Equal(t, int64(1), in.Load())
}

func TestLoginTicket(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	secret, codes := b.totpOn(t)
	in := login(password)
	in.Remember = true
	half, err := b.LoginSession(ctx, in)
	require.Equal(t, uptime.CodeSecondFactor, uptime.CodeOf(err))
	require.Empty(t, half.Cookie)
	_, _, err = b.ActorOfSession(ctx, half.Ticket, "")
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err), "a ticket is no session")
	_, err = b.LoginTicket(ctx, half.Ticket, "000000", in.Client)
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	b.clock.add(time.Minute)
	session, err := b.LoginTicket(ctx, half.Ticket, b.code(t, secret), in.Client)
	require.NoError(t, err)
	require.True(t, session.Persistent)
	_, _, err = b.ActorOfSession(ctx, session.Cookie, "")
	require.NoError(t, err)

	stored, err := b.store.User(ctx, b.owner.WorkspaceID, b.owner.UserID)
	require.NoError(t, err)
	for _, bad := range []string{"", "x", half.Ticket + "x", stored.TOTPSecret, strings.Repeat("x", 5000)} {
		_, err = b.LoginTicket(ctx, bad, codes[0], in.Client)
		require.Equal(t, uptime.CodeSecondFactor, uptime.CodeOf(err), bad)
	}
	other, err := b.LoginSession(ctx, in)
	require.Equal(t, uptime.CodeSecondFactor, uptime.CodeOf(err))
	b.clock.add(10 * time.Minute)
	_, err = b.LoginTicket(ctx, other.Ticket, codes[0], in.Client)
	require.Equal(t, uptime.CodeSecondFactor, uptime.CodeOf(err), "it has an end")
	other, err = b.LoginSession(ctx, in)
	require.Equal(t, uptime.CodeSecondFactor, uptime.CodeOf(err))
	_, err = b.UpdateMe(ctx, b.owner, json.RawMessage(`{"password":"another long one","current_password":"`+password+`"}`), "")
	require.NoError(t, err)
	_, err = b.LoginTicket(ctx, other.Ticket, codes[0], in.Client)
	require.Equal(t, uptime.CodeSecondFactor, uptime.CodeOf(err), "another password ends it")
}

func TestAnAdminTurnsASecondFactorOff(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	b.totpOn(t)
	_, err := b.UpdateUser(ctx, b.as(uptime.RoleAdmin), b.owner.UserID, json.RawMessage(`{"totp":false}`), "")
	require.Equal(t, uptime.CodeForbidden, uptime.CodeOf(err), "not an owner's")
	_, err = b.UpdateUser(ctx, b.owner, b.owner.UserID, json.RawMessage(`{"totp":false}`), "")
	require.Equal(t, []string{"totp of your own is changed at /api/v1/me, which asks for your current password"}, problems(t, err))
	view, err := b.UpdateUser(ctx, manage.Program(b.owner.WorkspaceID), b.owner.UserID, json.RawMessage(`{"totp":false}`), "")
	require.NoError(t, err)
	require.False(t, view.TOTP)
	_, err = b.UpdateUser(ctx, b.owner, b.owner.UserID, json.RawMessage(`{"totp":true}`), "")
	require.Equal(t, []string{"totp can be turned on by the user alone"}, problems(t, err))
	b.totpOn(t)
	require.NoError(t, b.ResetPassword(ctx, manage.Program(b.owner.WorkspaceID), "owner@example.com", password, false))
	_, err = b.Login(ctx, login(password))
	require.Equal(t, uptime.CodeSecondFactor, uptime.CodeOf(err), "a password alone leaves it on")
	require.NoError(t, b.ResetPassword(ctx, manage.Program(b.owner.WorkspaceID), "owner@example.com", password, true))
	_, err = b.Login(ctx, login(password))
	require.NoError(t, err)
	_, _, err = b.CreateUser(ctx, b.owner, json.RawMessage(`{"email":"e@example.com","role":"viewer","totp":true}`))
	require.Equal(t, []string{"totp can be turned on by the user alone"}, problems(t, err))
}
