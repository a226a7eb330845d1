package manage_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// session gives the actor of a log-in through the web app.
func (b *bundle) session(t *testing.T, email string) (uptime.Actor, string) {
	t.Helper()
	s, err := b.LoginSession(context.Background(), manage.LoginInput{Email: email, Password: password})
	require.NoError(t, err)
	return b.actorOf(t, s.Cookie), s.Cookie
}

func (b *bundle) actorOf(t *testing.T, cookie string) uptime.Actor {
	t.Helper()
	actor, _, err := b.ActorOfSession(context.Background(), cookie, "10.0.0.1")
	require.NoError(t, err)
	return actor
}

// annex is a second workspace of the owner, who is in it.
func (b *bundle) annex(t *testing.T) (owner uptime.Actor, id int64) {
	t.Helper()
	ctx := context.Background()
	owner, cookie := b.session(t, "owner@example.com")
	made, err := b.CreateWorkspace(ctx, owner, json.RawMessage(`{"name":"Annex","time_zone":"Europe/Paris"}`))
	require.NoError(t, err)
	require.NoError(t, b.EnterWorkspace(ctx, owner, made.ID))
	return b.actorOf(t, cookie), made.ID
}

func TestWorkspaces(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	mon := b.monitor(t, leastMonitor)
	_, err := b.CreateWorkspace(ctx, b.owner, json.RawMessage(`{"name":"","time_zone":"Mars/Base","role":"king"}`))
	require.ElementsMatch(t, []string{"name must not be empty", `time_zone must be an IANA time zone such as "Europe/Berlin"`}, problems(t, err)[:2])
	_, err = b.CreateWorkspace(ctx, b.as(uptime.RoleAdmin), json.RawMessage(`{"name":"Annex"}`))
	require.Equal(t, uptime.CodeForbidden, uptime.CodeOf(err))

	owner, annex := b.annex(t)
	require.Equal(t, annex, owner.WorkspaceID)
	_, err = b.Monitor(ctx, owner, mon.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound, "each workspace has its own")
	list, err := b.Workspaces(ctx, owner)
	require.NoError(t, err)
	require.Len(t, list.Items, 2)
	require.Equal(t, []any{"Annex", true, "Monitor", false}, []any{list.Items[0].Name, list.Items[0].Current, list.Items[1].Name, list.Items[1].Current})

	// Only the one that one is in is changed, whatever the address says.
	home := b.owner.WorkspaceID
	_, err = b.UpdateWorkspace(ctx, owner, home, json.RawMessage(`{"name":"Taken"}`))
	require.ErrorIs(t, err, uptime.ErrNotFound)
	require.ErrorIs(t, b.DeleteWorkspace(ctx, owner, home), uptime.ErrNotFound)
	changed, err := b.UpdateWorkspace(ctx, owner, annex, json.RawMessage(`{"name":"Yard"}`))
	require.NoError(t, err)
	require.Equal(t, "Yard", changed.Name)
	require.Equal(t, "Europe/Paris", changed.TimeZone)

	// Sessions are a person's, whichever workspace they are in.
	sessions, err := b.OwnSessions(ctx, b.owner)
	require.NoError(t, err)
	require.Len(t, sessions.Items, 2)
	require.NoError(t, b.EndOwnSession(ctx, owner, b.owner.Session))
	_, err = b.StillAllowed(ctx, b.owner)
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))

	// A log-in leads to the workspace that was entered last; access tokens of before end.
	again, _ := b.session(t, "owner@example.com")
	require.Equal(t, annex, again.WorkspaceID)
	require.NoError(t, b.DeleteWorkspace(ctx, owner, annex))
	_, err = b.StillAllowed(ctx, owner)
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	again, _ = b.session(t, "owner@example.com")
	require.Equal(t, home, again.WorkspaceID)
}

// TestTokensStayInTheirWorkspace: an API token neither sees nor enters another one.
func TestTokensStayInTheirWorkspace(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	token, err := b.CreateToken(ctx, b.owner, json.RawMessage(`{"name":"CI"}`))
	require.NoError(t, err)
	_, annex := b.annex(t)
	actor, err := b.Authenticate(ctx, token.Secret, "10.0.0.1")
	require.NoError(t, err)
	require.Equal(t, b.owner.WorkspaceID, actor.WorkspaceID)
	list, err := b.Workspaces(ctx, actor)
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	require.ErrorIs(t, b.EnterWorkspace(ctx, actor, annex), uptime.ErrNotFound)
	require.NoError(t, b.EnterWorkspace(ctx, actor, actor.WorkspaceID))
}

// TestJoiningAnotherWorkspace: who has an account accepts by it, and an admin of one
// workspace gets hold of nothing that is theirs in another one.
func TestJoiningAnotherWorkspace(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	made, _, err := b.CreateUser(ctx, b.owner, json.RawMessage(`{"email":"ed@example.com","role":"editor","password":"`+password+`","name":"Ed"}`))
	require.NoError(t, err)
	owner, annex := b.annex(t)

	_, _, err = b.CreateUser(ctx, owner, json.RawMessage(`{"email":"ed@example.com","role":"viewer","password":"stolen password"}`))
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
	pending, invite, err := b.CreateUser(ctx, owner, json.RawMessage(`{"email":"ed@example.com","role":"viewer"}`))
	require.NoError(t, err)
	require.True(t, pending.Invited)
	require.Empty(t, pending.Name, "who invites learns nothing of the account")
	require.Nil(t, pending.LastSeenAt)
	invited, err := b.Invited(ctx, invite)
	require.NoError(t, err)
	require.True(t, invited.HasAccount)
	require.Equal(t, "Annex", invited.Workspace)
	_, err = b.AcceptInvite(ctx, manage.InviteInput{Token: invite, Password: "stolen password"})
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err), "the link alone sets no password of an account")

	ed, cookie := b.session(t, "ed@example.com")
	require.Equal(t, b.owner.WorkspaceID, ed.WorkspaceID, "an invitation changes no log-in")
	require.ErrorIs(t, b.EnterWorkspace(ctx, ed, annex), uptime.ErrNotFound, "nobody enters before they join")
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(b.JoinWorkspace(ctx, owner, invite, password)), "it is Ed's")
	for _, patch := range []string{`{"time_zone":"UTC"}`, `{"time_zone":"Europe/Berlin"}`, `{"name":"Ed"}`, `{"totp":false,"role":"admin"}`} {
		_, err = b.UpdateUser(ctx, owner, made.ID, json.RawMessage(patch), "")
		require.Len(t, problems(t, err), 1, "right and wrong guesses hear the same")
		require.Contains(t, problems(t, err)[0], "cannot be changed before they join")
	}
	pending, err = b.UpdateUser(ctx, owner, made.ID, json.RawMessage(`{"role":"editor"}`), "")
	require.NoError(t, err)
	require.Empty(t, pending.Name)
	require.Empty(t, pending.ETag)

	// Whoever chose Ed's password would come along.
	require.Equal(t, []string{"current_password is wrong"}, problems(t, b.JoinWorkspace(ctx, ed, invite, "guess")))
	err = b.JoinWorkspace(ctx, ed, invite, password)
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
	require.ErrorContains(t, err, "chosen by somebody else")
	_, err = b.UpdateMe(ctx, ed, json.RawMessage(`{"password":"a password of my own","current_password":"`+password+`"}`), "")
	require.NoError(t, err)
	other, err := b.LoginSession(ctx, manage.LoginInput{Email: "ed@example.com", Password: "a password of my own"})
	require.NoError(t, err)
	require.NoError(t, b.JoinWorkspace(ctx, ed, invite, "a password of my own"))
	_, _, err = b.ActorOfSession(ctx, other.Cookie, "")
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err), "nobody else comes along")
	ed = b.actorOf(t, cookie)
	require.Equal(t, annex, ed.WorkspaceID)
	require.Equal(t, uptime.RoleEditor, ed.Role)
	require.ErrorIs(t, b.JoinWorkspace(ctx, ed, invite, "a password of my own"), uptime.ErrNotFound, "once only")

	for field, patch := range map[string]string{
		"password": `{"password":"stolen password"}`, "email": `{"email":"me@example.com"}`, "name": `{"name":"Me"}`, "theme": `{"theme":"dark"}`,
	} {
		for _, admin := range []uptime.Actor{owner, b.owner} {
			_, err = b.UpdateUser(ctx, admin, made.ID, json.RawMessage(patch), "")
			require.Equal(t, []string{field + " is changed by the person alone, who belongs to another workspace, too"}, problems(t, err))
		}
	}
	_, err = b.UpdateUser(ctx, owner, made.ID, json.RawMessage(`{"role":"admin"}`), "")
	require.NoError(t, err)
	require.Equal(t, uptime.RoleAdmin, b.actorOf(t, cookie).Role)
	_, err = b.UpdateUser(ctx, owner, made.ID, json.RawMessage(`{"disabled":true}`), "")
	require.NoError(t, err)
	_, _, err = b.ActorOfSession(ctx, cookie, "")
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
	again, err := b.LoginSession(ctx, manage.LoginInput{Email: "ed@example.com", Password: "a password of my own"})
	require.NoError(t, err)
	ed = b.actorOf(t, again.Cookie)
	require.Equal(t, b.owner.WorkspaceID, ed.WorkspaceID, "the other workspace is none of that admin's business")
	require.Equal(t, uptime.RoleEditor, ed.Role)
}

// TestAccessAcrossWorkspaces: ids of another workspace are nowhere, for an owner too.
func TestAccessAcrossWorkspaces(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	person, _, err := b.CreateUser(ctx, b.owner, json.RawMessage(`{"email":"ed@example.com","role":"editor","password":"`+password+`"}`))
	require.NoError(t, err)
	token, err := b.CreateToken(ctx, b.owner, json.RawMessage(`{"name":"CI"}`))
	require.NoError(t, err)
	owner, _ := b.annex(t)
	_, err = b.User(ctx, owner, person.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, err = b.UpdateUser(ctx, owner, person.ID, json.RawMessage(`{"role":"viewer"}`), "")
	require.ErrorIs(t, err, uptime.ErrNotFound)
	require.ErrorIs(t, b.DeleteUser(ctx, owner, person.ID), uptime.ErrNotFound)
	require.ErrorIs(t, b.DeleteToken(ctx, owner, token.ID), uptime.ErrNotFound)
	tokens, err := b.Tokens(ctx, owner, uptime.Page{})
	require.NoError(t, err)
	require.Empty(t, tokens.Items)
}

// TestSecondFactorInEveryWorkspace: it is the person's, wherever they have gone since.
func TestSecondFactorInEveryWorkspace(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	secret, _ := b.totpOn(t)
	logIn := func() uptime.Actor {
		b.clock.add(time.Minute) // a code is good once
		s, err := b.LoginSession(ctx, manage.LoginInput{Email: "owner@example.com", Password: password, TOTP: b.code(t, secret)})
		require.NoError(t, err)
		return b.actorOf(t, s.Cookie)
	}
	owner := logIn()
	made, err := b.CreateWorkspace(ctx, owner, json.RawMessage(`{"name":"Annex"}`))
	require.NoError(t, err)
	require.NoError(t, b.EnterWorkspace(ctx, owner, made.ID))
	require.Equal(t, made.ID, logIn().WorkspaceID)
}

// TestInvitationsStayWithTheirAddress: an open invitation is not that of whatever address
// an admin elsewhere gives the account.
func TestInvitationsStayWithTheirAddress(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	_, invite, err := b.CreateUser(ctx, b.owner, json.RawMessage(`{"email":"boss@example.com","role":"admin"}`))
	require.NoError(t, err)
	owner, _ := b.annex(t)
	theirs, _, err := b.CreateUser(ctx, owner, json.RawMessage(`{"email":"boss@example.com","role":"viewer"}`))
	require.NoError(t, err)
	_, err = b.UpdateUser(ctx, owner, theirs.ID, json.RawMessage(`{"email":"mallory@example.com"}`), "")
	require.NoError(t, err)
	_, err = b.Invited(ctx, invite)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, err = b.User(ctx, b.owner, theirs.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	landed, err := b.store.UserByEmail(ctx, "mallory@example.com")
	require.NoError(t, err)
	require.Equal(t, owner.WorkspaceID, landed.WorkspaceID)
}
