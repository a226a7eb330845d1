package manage_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/auth"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func TestOIDCSignUp(t *testing.T) {
	t.Parallel()
	s, ctx := setupSSO(t, manage.OIDCConfig{SignUp: true, DefaultRole: uptime.RoleViewer}), context.Background()
	require.Equal(t, "Acme", s.OIDCName())
	actor := s.actor(t, person("1", "pia@example.com"))
	require.Equal(t, uptime.RoleViewer, actor.Role)
	me, err := s.Me(ctx, actor)
	require.NoError(t, err)
	require.Equal(t, "pia@example.com", me.Email)
	require.Equal(t, "Pia Lund", me.Name)
	require.False(t, me.Password)
	require.False(t, me.Invited, "nobody waits for them")
	require.Contains(t, s.audits.actions(), "user.login_oidc")

	// The same person with another address is the same account; another person is not.
	again := s.actor(t, person("1", "pia@elsewhere.example"))
	require.Equal(t, actor.UserID, again.UserID)
	require.Equal(t, "pia@example.com", again.Email, "an address here is changed here")
	require.NotEqual(t, actor.UserID, s.actor(t, person("2", "otto@example.com")).UserID)
	other := person("1", "third@example.com")
	other.Issuer = "https://other.example.com"
	require.NotEqual(t, actor.UserID, s.actor(t, other).UserID, "a subject is its issuer's")

	// The session is one like any other.
	list, err := s.OwnSessions(ctx, again)
	require.NoError(t, err)
	require.Len(t, list.Items, 2)
	require.NoError(t, s.LogoutActor(ctx, again))
	_, err = s.StillAllowed(ctx, again)
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	_, err = s.StillAllowed(ctx, actor)
	require.NoError(t, err)
	_, err = s.UpdateUser(ctx, s.owner, actor.UserID, json.RawMessage(`{"disabled":true}`), "")
	require.NoError(t, err)
	_, err = s.StillAllowed(ctx, actor)
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	require.Contains(t, s.refused(t, uptime.CodeForbidden, person("1", "pia@example.com")), "disabled")
}

func TestOIDCWhoIsRefused(t *testing.T) {
	t.Parallel()
	unverified, unnamed, odd := person("1", "pia@example.com"), person("1", ""), person("1", "Pia <pia@example.com>")
	unverified.EmailVerified = false
	for name, c := range map[string]struct {
		config manage.OIDCConfig
		person uptime.OIDCPerson
		says   string
	}{
		"NoSignUp":          {manage.OIDCConfig{DefaultRole: uptime.RoleViewer}, person("1", "pia@example.com"), "no account here"},
		"NoRole":            {manage.OIDCConfig{SignUp: true}, person("1", "pia@example.com"), "no account here"},
		"NoMappedGroup":     {manage.OIDCConfig{SignUp: true, Groups: groups("", "ops", "", "")}, person("1", "pia@example.com", "Ops", "dev"), "None of your groups"},
		"NoGroups":          {manage.OIDCConfig{SignUp: true, Groups: groups("", "ops", "", "")}, person("1", "pia@example.com"), "None of your groups"},
		"Unverified":        {manage.OIDCConfig{SignUp: true, DefaultRole: uptime.RoleViewer}, unverified, "verified"},
		"NoAddress":         {manage.OIDCConfig{SignUp: true, DefaultRole: uptime.RoleViewer, TrustEmail: true}, unnamed, "no e-mail address"},
		"OddAddress":        {manage.OIDCConfig{SignUp: true, DefaultRole: uptime.RoleViewer}, odd, "none that an account can have"},
		"LongAddress":       {manage.OIDCConfig{SignUp: true, DefaultRole: uptime.RoleViewer}, person("1", strings.Repeat("x", 300)+"@example.com"), "none that an account can have"},
		"AnotherDomain":     {manage.OIDCConfig{SignUp: true, DefaultRole: uptime.RoleViewer, EmailDomains: []string{"example.com"}}, person("1", "pia@sub.example.com"), "knows no verified"},
		"DomainUnverified":  {manage.OIDCConfig{SignUp: true, DefaultRole: uptime.RoleViewer, EmailDomains: []string{"example.com"}}, unverified, "knows no verified"},
		"DomainInLocalPart": {manage.OIDCConfig{SignUp: true, DefaultRole: uptime.RoleViewer, EmailDomains: []string{"example.com"}}, person("1", "a@example.com@evil.example"), "knows no verified"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setupSSO(t, c.config)
			require.Contains(t, s.refused(t, uptime.CodeForbidden, c.person), c.says)
			list, err := s.Users(context.Background(), s.owner, uptime.Page{})
			require.NoError(t, err)
			require.Len(t, list.Items, 1, "nothing was made")
		})
	}
}

// TestOIDCUnverifiedTellsNothing: whether there is an account with the address is not
// said, and it is not linked.
func TestOIDCUnverifiedTellsNothing(t *testing.T) {
	t.Parallel()
	s := setupSSO(t, manage.OIDCConfig{SignUp: true, DefaultRole: uptime.RoleViewer})
	known, unknown := person("1", "owner@example.com"), person("1", "nobody@example.com")
	known.EmailVerified, unknown.EmailVerified = false, false
	require.Equal(t, s.refused(t, uptime.CodeForbidden, unknown), s.refused(t, uptime.CodeForbidden, known))
	_, err := s.store.UserByIdentity(context.Background(), known.Identity)
	require.ErrorIs(t, err, uptime.ErrNotFound)

	s.configure(manage.OIDCConfig{TrustEmail: true})
	require.Equal(t, s.owner.UserID, s.actor(t, known).UserID, "where the setting says that addresses are right")
}

// TestOIDCLinksAnAccount: what somebody else may know of it ends.
func TestOIDCLinksAnAccount(t *testing.T) {
	t.Parallel()
	s, ctx := setupSSO(t, manage.OIDCConfig{}), context.Background()
	pia := s.user(t, "pia@example.com", "editor")
	in := login(password)
	in.Email = "pia@example.com"
	pair, err := s.Login(ctx, in)
	require.NoError(t, err)
	old, err := s.Authenticate(ctx, pair.AccessToken, "")
	require.NoError(t, err)
	token, err := s.CreateToken(ctx, old, json.RawMessage(`{"name":"script","role":"viewer","scopes":["read"]}`))
	require.NoError(t, err)
	require.NoError(t, s.RequestReset(ctx, "pia@example.com", manage.Client{Address: "192.0.2.9"}))
	link := s.post.mails[0].Text[strings.Index(s.post.mails[0].Text, "rst_"):]
	link, _, _ = strings.Cut(link, "\n")

	actor := s.actor(t, person("1", "pia@example.com"))
	require.Equal(t, pia.ID, actor.UserID)
	require.Equal(t, uptime.RoleEditor, actor.Role, "roles are given here where no groups are named")
	_, err = s.StillAllowed(ctx, old)
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	_, err = s.Login(ctx, in)
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err), "the password is gone")
	_, err = s.ResetOf(ctx, link)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, err = s.Authenticate(ctx, token.Secret, "")
	require.NoError(t, err, "API tokens stay, as with a new password")
	require.Contains(t, s.refused(t, uptime.CodeForbidden, person("2", "pia@example.com")), "another person")

	// The owner keeps a way in for the day that the provider is away.
	owner := s.actor(t, person("9", "owner@example.com"))
	require.Equal(t, s.owner.UserID, owner.UserID)
	_, err = s.Login(ctx, login(password))
	require.NoError(t, err)
	_, err = s.StillAllowed(ctx, s.owner)
	require.NoError(t, err)
}

// TestOIDCMergeAttack: who gives their account the address of somebody to come has no
// part in what that person may do.
func TestOIDCMergeAttack(t *testing.T) {
	t.Parallel()
	s, ctx := setupSSO(t, manage.OIDCConfig{SignUp: true, Groups: groups("bosses", "", "", "staff")}), context.Background()
	s.user(t, "eve@example.com", "viewer")
	in := login(password)
	in.Email = "eve@example.com"
	pair, err := s.Login(ctx, in)
	require.NoError(t, err)
	eve, err := s.Authenticate(ctx, pair.AccessToken, "")
	require.NoError(t, err)
	secret := turnOn(t, s.bundle, eve)
	_, err = s.UpdateMe(ctx, eve, json.RawMessage(`{"email":"boss@example.com","current_password":"`+password+`"}`), "")
	require.NoError(t, err)
	token, err := s.CreateToken(ctx, eve, json.RawMessage(`{"name":"script","role":"viewer","scopes":["read","write"]}`))
	require.NoError(t, err)

	boss := s.actor(t, person("1", "boss@example.com", "bosses"))
	require.Equal(t, uptime.RoleOwner, boss.Role)
	require.Equal(t, eve.UserID, boss.UserID)
	_, err = s.StillAllowed(ctx, eve)
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	in.Email, in.TOTP = "boss@example.com", auth.OneTimeCodes{}.Code(secret, auth.StepAt(s.clock.Now())+1)
	_, err = s.Login(ctx, in)
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	user, err := s.store.User(ctx, boss.WorkspaceID, boss.UserID)
	require.NoError(t, err)
	require.Empty(t, user.PasswordHash+user.TOTPSecret+user.ResetHash)
	require.Empty(t, user.Recovery)
	left, err := s.Authenticate(ctx, token.Secret, "")
	require.NoError(t, err)
	require.Equal(t, uptime.RoleViewer, left.Role, "a token never gets more than it was made with")
}

// turnOn gives somebody a second factor, and its secret.
func turnOn(t *testing.T, b *bundle, actor uptime.Actor) string {
	t.Helper()
	v, err := b.NewTOTP(context.Background(), actor)
	require.NoError(t, err)
	code := auth.OneTimeCodes{}.Code(v.Secret, auth.StepAt(b.clock.Now()))
	raw, err := json.Marshal(map[string]any{"totp": true, "totp_secret": v.Secret, "totp_code": code, "current_password": password})
	require.NoError(t, err)
	_, err = b.UpdateMe(context.Background(), actor, raw, "")
	require.NoError(t, err)
	return v.Secret
}

// TestOIDCAndTheSecondFactor: the provider asks for it, so that nobody is asked twice.
func TestOIDCAndTheSecondFactor(t *testing.T) {
	t.Parallel()
	s := setupSSO(t, manage.OIDCConfig{})
	turnOn(t, s.bundle, s.owner)
	require.Equal(t, s.owner.UserID, s.actor(t, person("1", "owner@example.com")).UserID)
	_, err := s.Login(context.Background(), login(password))
	require.Equal(t, uptime.CodeSecondFactor, uptime.CodeOf(err), "a password asks for it still")
}

func TestOIDCAcceptsAnInvitation(t *testing.T) {
	t.Parallel()
	s, ctx := setupSSO(t, manage.OIDCConfig{}), context.Background()
	v, invite, err := s.CreateUser(ctx, s.owner, json.RawMessage(`{"email":"new@example.com","role":"admin"}`))
	require.NoError(t, err)
	require.True(t, v.Invited)
	actor := s.actor(t, person("1", "new@example.com"))
	require.Equal(t, v.ID, actor.UserID)
	require.Equal(t, uptime.RoleAdmin, actor.Role)
	_, err = s.Invited(ctx, invite)
	require.ErrorIs(t, err, uptime.ErrNotFound, "nobody else sets a password by it")
	me, err := s.Me(ctx, actor)
	require.NoError(t, err)
	require.False(t, me.Invited)
}

func TestOIDCRoles(t *testing.T) {
	t.Parallel()
	mapped := manage.OIDCConfig{SignUp: true, Groups: groups("", "ops /sre", "dev", "all")}
	s, ctx := setupSSO(t, mapped), context.Background()
	role := func(p uptime.OIDCPerson) uptime.Role { return s.actor(t, p).Role }
	require.Equal(t, uptime.RoleAdmin, role(person("1", "a@example.com", "all", "dev", "/sre")), "the highest")
	require.Equal(t, uptime.RoleEditor, role(person("1", "a@example.com", "dev", "all")), "anew at each log-in")
	require.Equal(t, uptime.RoleViewer, role(person("1", "a@example.com", "all")))
	require.Contains(t, s.refused(t, uptime.CodeForbidden, person("1", "a@example.com", "sre")), "None of your groups")
	require.Contains(t, s.refused(t, uptime.CodeForbidden, person("1", "a@example.com")), "None of your groups")

	// Of the group of no role one is the default's.
	mapped.DefaultRole = uptime.RoleViewer
	s.configure(mapped)
	require.Equal(t, uptime.RoleViewer, role(person("1", "a@example.com")))

	// Where no group makes owners, none does, and owners stay.
	require.Equal(t, uptime.RoleOwner, role(person("9", "owner@example.com", "all")))
	second := s.user(t, "second@example.com", "owner")
	require.Equal(t, uptime.RoleOwner, role(person("8", "second@example.com", "dev")))

	// Where one does, the others are none, but the last is.
	mapped.Groups = groups("bosses", "ops", "dev", "all")
	s.configure(mapped)
	require.Equal(t, uptime.RoleEditor, role(person("8", "second@example.com", "dev")))
	require.Equal(t, uptime.RoleOwner, role(person("9", "owner@example.com", "dev")), "the last owner")
	require.Equal(t, uptime.RoleOwner, role(person("8", "second@example.com", "bosses")))
	require.Equal(t, uptime.RoleEditor, role(person("9", "owner@example.com", "dev")), "not the last any more")
	user, err := s.store.User(ctx, 1, second.ID)
	require.NoError(t, err)
	require.Equal(t, uptime.RoleOwner, user.Role)
}

// TestOIDCAtOnce: two tabs of somebody new make one account.
func TestOIDCAtOnce(t *testing.T) {
	t.Parallel()
	s, ctx := setupSSO(t, manage.OIDCConfig{SignUp: true, DefaultRole: uptime.RoleViewer}), context.Background()
	s.provider.person = person("1", "pia@example.com")
	var tabs []manage.OIDCInput
	for range 8 {
		tabs = append(tabs, s.start(t, "/"))
	}
	errs := make([]error, len(tabs))
	var wg sync.WaitGroup
	for i, in := range tabs {
		wg.Go(func() { _, _, errs[i] = s.LoginOIDC(ctx, in) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	list, err := s.Users(ctx, s.owner, uptime.Page{})
	require.NoError(t, err)
	require.Len(t, list.Items, 2)
}

// TestOIDCWithoutAPassword: what is confirmed by one is refused, and says what to do.
func TestOIDCWithoutAPassword(t *testing.T) {
	t.Parallel()
	s, ctx := setupSSO(t, manage.OIDCConfig{SignUp: true, DefaultRole: uptime.RoleViewer}), context.Background()
	actor := s.actor(t, person("1", "pia@example.com"))
	patch := func(body string) error {
		_, err := s.UpdateMe(ctx, actor, json.RawMessage(body), "")
		return err
	}
	require.NoError(t, patch(`{"name":"Pia","theme":"dark"}`))
	require.Equal(t, []string{"password cannot be set here, because you have none to confirm it by; the page /forgot mails you a link that sets one"},
		problems(t, patch(`{"password":"another long one"}`)))
	require.Equal(t, []string{"email cannot be changed here, because you have no password to confirm it by; ask an admin"},
		problems(t, patch(`{"email":"p@example.com","current_password":""}`)))
	require.Len(t, problems(t, patch(`{"email":"p@example.com","password":"another long one","current_password":"guess"}`)), 2)
	require.NoError(t, patch(`{"has_password":true}`), "as in what was read")
	v, err := s.NewTOTP(ctx, actor)
	require.NoError(t, err)
	code := auth.OneTimeCodes{}.Code(v.Secret, auth.StepAt(s.clock.Now()))
	require.Equal(t, []string{"totp belongs to a password, which you do not have; where you log in instead asks for a second factor, or not"},
		problems(t, patch(`{"totp":true,"totp_secret":"`+v.Secret+`","totp_code":"`+code+`"}`)))
	_, err = s.NewRecoveryCodes(ctx, actor, "guess")
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
	_, err = s.Login(ctx, manage.LoginInput{Email: "pia@example.com", Password: " ", Client: manage.Client{Address: "192.0.2.1"}})
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))

	// A mailed link sets one, and both ways work.
	require.NoError(t, s.RequestReset(ctx, "pia@example.com", manage.Client{Address: "192.0.2.9"}))
	require.Len(t, s.post.mails, 1)
	token, _, _ := strings.Cut(s.post.mails[0].Text[strings.Index(s.post.mails[0].Text, "rst_"):], "\n")
	require.NoError(t, s.Reset(ctx, manage.ResetInput{Token: token, Password: "another long one"}))
	_, err = s.Login(ctx, manage.LoginInput{Email: "pia@example.com", Password: "another long one"})
	require.NoError(t, err)
	back := s.actor(t, person("1", "pia@example.com"))
	require.Equal(t, actor.UserID, back.UserID)
	_, err = s.Login(ctx, manage.LoginInput{Email: "pia@example.com", Password: "another long one"})
	require.NoError(t, err, "only linking takes a password away")
}

func TestOIDCUnlink(t *testing.T) {
	t.Parallel()
	s, ctx := setupSSO(t, manage.OIDCConfig{SignUp: true, DefaultRole: uptime.RoleViewer}), context.Background()
	actor := s.actor(t, person("1", "pia@example.com"))
	program := manage.Program(1)
	require.ErrorIs(t, s.UnlinkOIDC(ctx, program, "owner@example.com"), uptime.ErrNotFound)
	require.ErrorIs(t, s.UnlinkOIDC(ctx, program, "nobody@example.com"), uptime.ErrNotFound)
	require.Equal(t, uptime.CodeForbidden, uptime.CodeOf(s.UnlinkOIDC(ctx, actor, "pia@example.com")))
	require.NoError(t, s.UnlinkOIDC(ctx, program, "Pia@example.com"))
	_, err := s.StillAllowed(ctx, actor)
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	require.Equal(t, actor.UserID, s.actor(t, person("new number", "pia@example.com")).UserID)

	// Who was deleted comes back as somebody new.
	require.NoError(t, s.DeleteUser(ctx, s.owner, actor.UserID))
	require.NotEqual(t, actor.UserID, s.actor(t, person("new number", "pia@example.com")).UserID)
}

// TestOIDCBeforeSetUp: the first account is an owner's.
func TestOIDCBeforeSetUp(t *testing.T) {
	t.Parallel()
	s := setupSSO(t, manage.OIDCConfig{SignUp: true, DefaultRole: uptime.RoleViewer})
	deps := s.deps
	deps.Provider, deps.Config.OIDC = s.provider, manage.OIDCConfig{Name: "Acme", SignUp: true, DefaultRole: uptime.RoleOwner}
	deps.Users = nobody{deps.Users.(users)}
	s.Manage = manage.New(deps)
	require.Contains(t, s.refused(t, uptime.CodeForbidden, person("1", "pia@example.com")), "not set up yet")
}

type users interface {
	User(ctx context.Context, ws, id int64) (uptime.User, error)
	UserByEmail(ctx context.Context, email string) (uptime.User, error)
	UserByInvite(ctx context.Context, hash string) (uptime.User, error)
	UserByReset(ctx context.Context, hash string) (uptime.User, error)
	Users(ctx context.Context, ws int64, p uptime.Page) (uptime.List[uptime.User], error)
	CountUsers(ctx context.Context) (int64, error)
}

// nobody has been set up yet.
type nobody struct{ users }

func (nobody) CountUsers(context.Context) (int64, error) { return 0, nil }

// TestOIDCMergeAttackByAnOwner: of another workspace than the one in which groups give
// roles.
func TestOIDCMergeAttackByAnOwner(t *testing.T) {
	t.Parallel()
	s, ctx := setupSSO(t, manage.OIDCConfig{SignUp: true, Groups: groups("bosses", "", "", "staff")}), context.Background()
	other, err := s.store.CreateWorkspace(ctx, uptime.Workspace{Name: "Other", TimeZone: "UTC"}, s.owner.UserID, nil)
	require.NoError(t, err)
	eve, err := s.store.CreateUser(ctx, uptime.User{
		WorkspaceID: other.ID, Role: uptime.RoleOwner, Email: "boss@example.com", PasswordHash: "hash of " + password, TimeZone: "UTC", Language: "en", Theme: "auto",
	}, nil)
	require.NoError(t, err)
	invited, err := s.store.CreateUser(ctx, uptime.User{
		WorkspaceID: s.owner.WorkspaceID, Role: uptime.RoleViewer, Email: "boss@example.com", InviteHash: "invite", InviteUntil: s.clock.Now().Add(time.Hour), TimeZone: "UTC", Language: "en", Theme: "auto",
	}, nil)
	require.NoError(t, err)
	require.Equal(t, eve.ID, invited.ID)
	_, err = s.store.UpdateUser(ctx, s.owner.WorkspaceID, eve.ID, func(u *uptime.User) error {
		u.InviteHash, u.InviteUntil = "", time.Time{}
		return nil
	}, nil)
	require.NoError(t, err)

	boss := s.actor(t, person("1", "boss@example.com", "bosses"))
	require.Equal(t, eve.ID, boss.UserID)
	there, err := s.store.User(ctx, s.owner.WorkspaceID, eve.ID)
	require.NoError(t, err)
	require.Equal(t, uptime.RoleOwner, there.Role)
	require.Empty(t, there.PasswordHash)
	_, err = s.Login(ctx, manage.LoginInput{Email: "boss@example.com", Password: password, Client: manage.Client{Address: "192.0.2.1"}})
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err), "who set the address has no part in it")
}
