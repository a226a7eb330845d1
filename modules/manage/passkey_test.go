package manage_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// authenticators stand for WebAuthn, which package auth tests: an answer says what it
// proves.
type authenticators struct{}

// said is an answer of one, and its passkey's public key where it has one.
type said struct {
	ID, Handle, Challenge, Origin string
	Count                         uint32
	Key                           string
}

func (authenticators) Creation(party uptime.RelyingParty, user uptime.User, handle []byte, have []uptime.Passkey) (json.RawMessage, string, error) {
	challenge := rand.Text()
	raw, err := json.Marshal(map[string]any{"challenge": challenge, "handle": hex.EncodeToString(handle), "rp": party.Name, "user": user.Email, "have": len(have)})
	return raw, challenge, err
}

func (authenticators) Request(_ uptime.RelyingParty, allow []uptime.Passkey) (json.RawMessage, string, error) {
	challenge := rand.Text()
	raw, err := json.Marshal(map[string]any{"challenge": challenge, "allow": len(allow)})
	return raw, challenge, err
}

func heard(party uptime.RelyingParty, challenge string, answer []byte) (said, error) {
	var s said
	if err := json.Unmarshal(answer, &s); err != nil {
		return s, err
	}
	if s.Challenge != challenge || s.Origin != party.Origin {
		return s, errors.New("not the answer to this")
	}
	return s, nil
}

func (authenticators) Created(party uptime.RelyingParty, challenge string, handle, answer []byte) (uptime.Passkey, error) {
	s, err := heard(party, challenge, answer)
	return uptime.Passkey{Handle: handle, Party: party.ID, CredentialID: []byte(s.ID), PublicKey: []byte(s.Key), SignCount: s.Count}, err
}

func (authenticators) Named(answer []byte) (credentialID, handle []byte, err error) {
	var s said
	err = json.Unmarshal(answer, &s)
	return []byte(s.ID), []byte(s.Handle), err
}

func (authenticators) Verify(party uptime.RelyingParty, challenge string, key uptime.Passkey, answer []byte) (uptime.PasskeyUse, error) {
	s, err := heard(party, challenge, answer)
	if err == nil && (s.Key != string(key.PublicKey) || s.Handle != "" && s.Handle != hex.EncodeToString(key.Handle)) {
		err = errors.New("not its signature")
	}
	return uptime.PasskeyUse{SignCount: s.Count, BackedUp: true}, err
}

func party() uptime.RelyingParty {
	return uptime.RelyingParty{ID: "monitor.example.com", Origin: "https://monitor.example.com"}
}

// device is a browser and its authenticator.
type device struct {
	said

	party  uptime.RelyingParty
	client manage.Client
}

func newDevice() *device {
	return &device{said: said{ID: rand.Text(), Key: rand.Text()}, party: party(), client: manage.Client{Address: "192.0.2.7", UserAgent: "Phone"}}
}

// answers a ceremony.
func (d *device) answers(t *testing.T, c manage.Ceremony) manage.PasskeyAnswer {
	t.Helper()
	var asked struct{ Challenge, Handle string }
	require.NoError(t, json.Unmarshal(c.Options, &asked))
	if asked.Handle != "" {
		d.Handle = asked.Handle
	}
	d.Challenge, d.Origin = asked.Challenge, d.party.Origin
	d.Count++
	raw, err := json.Marshal(d.said)
	require.NoError(t, err)
	return manage.PasskeyAnswer{State: c.State, Answer: raw, Party: d.party, Client: d.client}
}

// ownsPassword makes the password of somebody, which an admin chose, their own.
func (b *bundle) ownsPassword(t *testing.T, email string) {
	t.Helper()
	u, err := b.store.UserByEmail(context.Background(), email)
	require.NoError(t, err)
	_, err = b.store.UpdateUser(context.Background(), u.WorkspaceID, u.ID, func(u *uptime.User) error { u.PasswordGiven = false; return nil }, nil)
	require.NoError(t, err)
}

// enrols adds a passkey of the actor.
func (d *device) enrols(t *testing.T, b *bundle, actor uptime.Actor, name string) manage.PasskeyView {
	t.Helper()
	c, err := b.BeginPasskey(context.Background(), actor, manage.NewPasskey{Name: name, CurrentPassword: password, Party: d.party})
	require.NoError(t, err)
	v, err := b.CreatePasskey(context.Background(), actor, d.answers(t, c))
	require.NoError(t, err)
	return v
}

// logsIn by the passkey alone.
func (d *device) logsIn(t *testing.T, b *bundle) (manage.Session, error) {
	t.Helper()
	c, err := b.BeginPasskeyLogin(context.Background(), d.party)
	require.NoError(t, err)
	return b.LoginPasskey(context.Background(), d.answers(t, c))
}

func unauthorized(t *testing.T, err error) {
	t.Helper()
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err), err)
}

func TestPasskeys(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	d := newDevice()
	c, err := b.BeginPasskey(ctx, b.owner, manage.NewPasskey{Name: " My \t phone ", CurrentPassword: password, Party: party()})
	require.NoError(t, err)
	var options map[string]any
	require.NoError(t, json.Unmarshal(c.Options, &options))
	require.Equal(t, "Monitor", options["rp"], "the name of the instance")
	require.Equal(t, "owner@example.com", options["user"])
	v, err := b.CreatePasskey(ctx, b.owner, d.answers(t, c))
	require.NoError(t, err)
	require.Equal(t, manage.PasskeyView{ID: v.ID, Name: "My phone", Host: "monitor.example.com", CreatedAt: b.clock.Now()}, v)
	require.Len(t, d.Handle, 2*32)

	second := newDevice()
	other := second.enrols(t, b, b.owner, "")
	require.Equal(t, "Passkey", other.Name)
	require.Equal(t, d.Handle, second.Handle, "one person is one account to every device")
	c, err = b.BeginPasskey(ctx, b.owner, manage.NewPasskey{CurrentPassword: password, Party: party()})
	require.NoError(t, err)
	require.Contains(t, string(c.Options), `"have":2`)
	c, err = b.BeginPasskey(ctx, b.owner, manage.NewPasskey{CurrentPassword: password, Party: uptime.RelyingParty{ID: "localhost", Origin: "http://localhost"}})
	require.NoError(t, err)
	require.Contains(t, string(c.Options), `"have":0`, "those of another host do not count")

	b.clock.add(time.Hour)
	session, err := d.logsIn(t, b)
	require.NoError(t, err)
	require.False(t, session.Persistent)
	_, _, err = b.ActorOfSession(ctx, session.Cookie, "")
	require.NoError(t, err)
	require.NoError(t, b.RenamePasskey(ctx, b.owner, v.ID, "Old phone"))
	list, err := b.OwnPasskeys(ctx, b.owner)
	require.NoError(t, err)
	require.Len(t, list.Items, 2)
	require.Equal(t, "Old phone", list.Items[0].Name)
	require.Equal(t, b.clock.Now(), *list.Items[0].LastUsedAt)
	require.True(t, list.Items[0].Synced)
	require.Nil(t, list.Items[1].LastUsedAt)

	require.NoError(t, b.DeletePasskey(ctx, b.owner, v.ID))
	require.ErrorIs(t, b.DeletePasskey(ctx, b.owner, v.ID), uptime.ErrNotFound)
	_, err = d.logsIn(t, b)
	unauthorized(t, err)
	_, _, err = b.ActorOfSession(ctx, session.Cookie, "")
	require.NoError(t, err, "a session goes on")
	lines, err := b.store.AuditLog(ctx, b.owner.WorkspaceID, uptime.AuditFilter{ObjectType: "passkey", ObjectID: v.ID}, uptime.Page{Limit: 10})
	require.NoError(t, err)
	var actions []string
	for _, line := range lines.Items {
		actions = append(actions, line.Action+" "+string(line.Detail))
		require.Equal(t, b.owner.UserID, line.UserID)
	}
	require.Equal(t, []string{
		`passkey.delete {"host":"monitor.example.com","name":"Old phone"}`, `passkey.rename {"name":{"from":"My phone","to":"Old phone"}}`,
		`passkey.login {"name":"My phone","second_factor":false}`, `passkey.create {"host":"monitor.example.com","name":"My phone"}`,
	}, actions)
	require.Equal(t, "192.0.2.7", lines.Items[2].Address)
}

func TestAddingAPasskey(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	begin := func(name, password string) (manage.Ceremony, error) {
		return b.BeginPasskey(ctx, b.owner, manage.NewPasskey{Name: name, CurrentPassword: password, Party: party()})
	}
	for name, want := range map[string]string{
		strings.Repeat("x", 61): "name must have at most 60 characters", "a\x00b": "name must be text without control characters", "\xff": "name must be text without control characters",
	} {
		_, err := begin(name, password)
		require.Equal(t, []string{want}, problems(t, err))
	}
	_, err := begin("Phone", "")
	require.Equal(t, []string{"current_password is required to add a passkey"}, problems(t, err))
	_, err = begin("Phone", "guess")
	require.Equal(t, []string{"current_password is wrong"}, problems(t, err))

	_, _, err = b.CreateUser(ctx, b.owner, json.RawMessage(`{"email":"ed@example.com","role":"viewer","password":"`+password+`"}`))
	require.NoError(t, err)
	b.ownsPassword(t, "ed@example.com")
	ed := b.person(t, "ed@example.com")
	d := newDevice()
	refused := func(what string, actor uptime.Actor, in manage.PasskeyAnswer) {
		t.Helper()
		_, err := b.CreatePasskey(ctx, actor, in)
		require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err), what)
	}
	c, err := begin("Phone", password)
	require.NoError(t, err)
	right := d.answers(t, c)
	refused("somebody else", ed, right)
	wrong := right
	wrong.State = c.State + "x"
	refused("tampered with", b.owner, wrong)
	wrong = right
	wrong.Party.Origin = "https://evil.example"
	refused("another origin", b.owner, wrong)
	wrong = right
	wrong.Answer = []byte(strings.Repeat(" ", 70_000) + string(right.Answer))
	refused("too long", b.owner, wrong)
	login, err := b.BeginPasskeyLogin(ctx, party())
	require.NoError(t, err)
	refused("of another kind", b.owner, d.answers(t, login))
	other, err := begin("Phone", password)
	require.NoError(t, err)
	wrong = right
	wrong.State = other.State
	refused("another challenge", b.owner, wrong)

	v, err := b.CreatePasskey(ctx, b.owner, right)
	require.NoError(t, err)
	require.NoError(t, b.DeletePasskey(ctx, b.owner, v.ID))
	refused("twice, though it was removed", b.owner, right)
	d.enrols(t, b, b.owner, "Phone")
	c, err = b.BeginPasskey(ctx, ed, manage.NewPasskey{CurrentPassword: password, Party: party()})
	require.NoError(t, err)
	copied := *d
	refused("a credential that is another's", ed, copied.answers(t, c))

	c, err = begin("Late", password)
	require.NoError(t, err)
	b.clock.add(5 * time.Minute)
	refused("late", b.owner, newDevice().answers(t, c))
	c, err = begin("Changed", password)
	require.NoError(t, err)
	_, err = b.UpdateMe(ctx, b.owner, json.RawMessage(`{"password":"another long one","current_password":"`+password+`"}`), "")
	require.NoError(t, err)
	refused("another password", b.owner, newDevice().answers(t, c))
	_, err = d.logsIn(t, b)
	require.NoError(t, err, "passkeys outlive a password")
}

// person logs somebody in by their password.
func (b *bundle) person(t *testing.T, email string) uptime.Actor {
	t.Helper()
	in := login(password)
	in.Email = email
	pair, err := b.Login(context.Background(), in)
	require.NoError(t, err)
	actor, err := b.Authenticate(context.Background(), pair.AccessToken, "")
	require.NoError(t, err)
	return actor
}

func TestPasskeysAreFew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range uptime.MaxPasskeys - 1 {
		newDevice().enrols(t, b, b.owner, "")
	}
	ctx := context.Background()
	early, err := b.BeginPasskey(ctx, b.owner, manage.NewPasskey{CurrentPassword: password, Party: party()})
	require.NoError(t, err)
	newDevice().enrols(t, b, b.owner, "")
	_, err = b.BeginPasskey(ctx, b.owner, manage.NewPasskey{CurrentPassword: password, Party: party()})
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
	_, err = b.CreatePasskey(ctx, b.owner, newDevice().answers(t, early))
	require.ErrorContains(t, err, "You have 30 passkeys")
}

// TestWrongPasskeys: whatever is wrong, the answer is the same.
func TestWrongPasskeys(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	d := newDevice()
	d.enrols(t, b, b.owner, "Phone")
	texts := map[string]bool{}
	refused := func(what string, in manage.PasskeyAnswer) {
		t.Helper()
		_, err := b.LoginPasskey(ctx, in)
		require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err), what)
		texts[err.Error()] = true
	}
	ask := func() manage.Ceremony {
		c, err := b.BeginPasskeyLogin(ctx, party())
		require.NoError(t, err)
		return c
	}
	refused("nobody's", newDevice().answers(t, ask()))
	wrong := *d
	wrong.Key = "another"
	refused("another key", wrong.answers(t, ask()))
	wrong = *d
	wrong.Handle = ""
	refused("it does not say whose it is", wrong.answers(t, ask()))
	wrong = *d
	wrong.Handle = "somebody else's"
	refused("it says that it is another's", wrong.answers(t, ask()))
	in := d.answers(t, ask())
	in.State = ask().State
	refused("another challenge", in)
	in = d.answers(t, ask())
	in.Answer = []byte("x")
	refused("no answer", in)

	right := d.answers(t, ask())
	_, err := b.LoginPasskey(ctx, right)
	require.NoError(t, err)
	refused("it comes twice", right)
	d.Count -= 2
	refused("the counter goes back", d.answers(t, ask()))
	require.Equal(t, []string{"passkey.clone"}, b.audits.actions())
	require.JSONEq(t, `{"name":"Phone","counter":3,"counter_before":4}`, string(b.audits.lines[0].Detail))
	d.Count += 9
	_, err = d.logsIn(t, b)
	require.NoError(t, err)

	// Of an address of before, or of a person who was disabled.
	moved := *d
	moved.party = uptime.RelyingParty{ID: "new.example.com", Origin: "https://new.example.com"}
	_, err = moved.logsIn(t, b)
	unauthorized(t, err)
	texts[err.Error()] = true
	_, _, err = b.CreateUser(ctx, b.owner, json.RawMessage(`{"email":"ed@example.com","role":"viewer","password":"`+password+`"}`))
	require.NoError(t, err)
	b.ownsPassword(t, "ed@example.com")
	ed, theirs := b.person(t, "ed@example.com"), newDevice()
	theirs.enrols(t, b, ed, "Theirs")
	_, err = theirs.logsIn(t, b)
	require.NoError(t, err)
	_, err = b.UpdateUser(ctx, b.owner, ed.UserID, json.RawMessage(`{"disabled":true}`), "")
	require.NoError(t, err)
	refused("somebody disabled", theirs.answers(t, ask()))
	require.NoError(t, b.DeleteUser(ctx, b.owner, ed.UserID))
	refused("somebody deleted", theirs.answers(t, ask()))
	require.Len(t, texts, 1, "%v", texts)
	late := d.answers(t, ask())
	b.clock.add(5 * time.Minute)
	_, err = b.LoginPasskey(ctx, late)
	require.ErrorContains(t, err, "That took too long")
	for _, state := range []string{"", "x", late.State + "x", strings.Repeat("x", 5000)} {
		late.State = state
		_, err = b.LoginPasskey(ctx, late)
		require.ErrorContains(t, err, "That took too long")
	}
}

// TestPasskeyGuesses: those from one network end; who is right takes none.
func TestPasskeyGuesses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := newDevice()
	d.enrols(t, b, b.owner, "Phone")
	for range 110 {
		_, err := d.logsIn(t, b)
		require.NoError(t, err)
	}
	var err error
	for range 101 {
		_, err = newDevice().logsIn(t, b)
	}
	require.Equal(t, uptime.CodeLimited, uptime.CodeOf(err))
	_, err = d.logsIn(t, b)
	require.Equal(t, uptime.CodeLimited, uptime.CodeOf(err))
	d.client.Address = "198.51.100.1"
	_, err = d.logsIn(t, b)
	require.NoError(t, err)
}

// TestPasskeyAtOnce: one answer sent many times at once gives one session.
func TestPasskeyAtOnce(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	d := newDevice()
	d.enrols(t, b, b.owner, "Phone")
	c, err := b.BeginPasskeyLogin(ctx, party())
	require.NoError(t, err)
	in := d.answers(t, c)
	var got atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := b.LoginPasskey(ctx, in); err == nil {
				got.Add(1)
			}
		})
	}
	wg.Wait()
	require.Equal(t, int64(1), got.Load())
	list, err := b.OwnSessions(ctx, b.owner)
	require.NoError(t, err)
	require.Len(t, list.Items, 2, "and the one of set-up")
}

// TestPasskeyAsSecondFactor: after the password, in the place of a code.
func TestPasskeyAsSecondFactor(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	b.totpOn(t)
	in := login(password)
	in.Remember = true
	half, err := b.LoginSession(ctx, in)
	require.Equal(t, uptime.CodeSecondFactor, uptime.CodeOf(err))
	require.False(t, b.TicketPasskeys(ctx, half.Ticket, party()))
	_, err = b.BeginPasskeyFactor(ctx, half.Ticket, party())
	unauthorized(t, err)

	d := newDevice()
	d.enrols(t, b, b.owner, "Phone")
	require.True(t, b.TicketPasskeys(ctx, half.Ticket, party()))
	require.False(t, b.TicketPasskeys(ctx, half.Ticket, uptime.RelyingParty{ID: "localhost"}), "none of that address")
	require.False(t, b.TicketPasskeys(ctx, half.Ticket+"x", party()))
	c, err := b.BeginPasskeyFactor(ctx, half.Ticket, party())
	require.NoError(t, err)
	require.Contains(t, string(c.Options), `"allow":1`)
	d.Handle = "" // authenticators may leave it out of what is not discovered

	// It is bound to the ticket, its person and its kind.
	_, _, err = b.CreateUser(ctx, b.owner, json.RawMessage(`{"email":"ed@example.com","role":"viewer","password":"`+password+`"}`))
	require.NoError(t, err)
	b.ownsPassword(t, "ed@example.com")
	theirs := newDevice()
	theirs.enrols(t, b, b.person(t, "ed@example.com"), "Theirs")
	_, err = b.LoginTicketPasskey(ctx, half.Ticket, theirs.answers(t, c))
	unauthorized(t, err)
	_, err = b.LoginTicketPasskey(ctx, "", d.answers(t, c))
	require.Equal(t, uptime.CodeSecondFactor, uptime.CodeOf(err))
	_, err = b.LoginPasskey(ctx, d.answers(t, c))
	unauthorized(t, err)
	free, err := b.BeginPasskeyLogin(ctx, party())
	require.NoError(t, err)
	_, err = b.LoginTicketPasskey(ctx, half.Ticket, d.answers(t, free))
	unauthorized(t, err)

	right := d.answers(t, c)
	session, err := b.LoginTicketPasskey(ctx, half.Ticket, right)
	require.NoError(t, err)
	require.True(t, session.Persistent, "as was chosen with the password")
	_, err = b.LoginTicketPasskey(ctx, half.Ticket, right)
	unauthorized(t, err)
	lines, err := b.store.AuditLog(ctx, b.owner.WorkspaceID, uptime.AuditFilter{ObjectType: "passkey"}, uptime.Page{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, "passkey.login", lines.Items[0].Action)
	require.JSONEq(t, `{"name":"Phone","second_factor":true}`, string(lines.Items[0].Detail))

	c, err = b.BeginPasskeyFactor(ctx, half.Ticket, party())
	require.NoError(t, err)
	b.clock.add(10 * time.Minute)
	_, err = b.LoginTicketPasskey(ctx, half.Ticket, d.answers(t, c))
	require.Equal(t, uptime.CodeSecondFactor, uptime.CodeOf(err), "a ticket has an end")
	require.False(t, b.TicketPasskeys(ctx, half.Ticket, party()))
	d.Handle = theirs.Handle // whatever that was
	_, err = d.logsIn(t, b)
	unauthorized(t, err)
}

// TestResetKeepsPasskeys: and the mail says so.
func TestResetKeepsPasskeys(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	d := newDevice()
	d.enrols(t, b, b.owner, "Phone")
	require.NoError(t, b.RequestReset(ctx, "owner@example.com", manage.Client{Address: "192.0.2.1"}))
	text := b.post.mails[0].Text
	require.Contains(t, text, "Passkeys stay")
	_, after, _ := strings.Cut(text, "/reset/")
	token, _, _ := strings.Cut(after, "\n")
	require.NoError(t, b.Reset(ctx, manage.ResetInput{Token: token, Password: "another long one"}))
	_, err := d.logsIn(t, b)
	require.NoError(t, err)
}
