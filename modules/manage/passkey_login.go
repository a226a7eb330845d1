package manage

import (
	"context"
	"errors"
	"fmt"

	"monitor/modules/uptime"
)

// BeginPasskeyLogin gives what a browser logs its person in by, with whichever passkey of
// the party they choose.
func (m *Manage) BeginPasskeyLogin(_ context.Context, party uptime.RelyingParty) (Ceremony, error) {
	options, challenge, err := m.deps.Passkeys.Request(party, nil)
	if err != nil {
		return Ceremony{}, err
	}
	return m.newCeremony(ceremony{Kind: ceremonyLogin, Challenge: challenge}, party, options)
}

// LoginPasskey is a whole log-in to the web app: a passkey is something that one has, and
// its device verifies its person. CodeUnauthorized with one text, whatever is wrong;
// CodeLimited with the wait.
func (m *Manage) LoginPasskey(ctx context.Context, in PasskeyAnswer) (Session, error) {
	c, ok := m.openCeremony(in, ceremonyLogin)
	if !ok {
		return Session{}, passkeyLate()
	}
	user, err := m.loginPasskey(ctx, c, in)
	if err != nil {
		return Session{}, err
	}
	return m.newSession(ctx, user, in.Remember, in.Client)
}

// TicketPasskeys reports whether a log-in that LoginSession gave a ticket for can be ended
// by a passkey of the party.
func (m *Manage) TicketPasskeys(ctx context.Context, sealed string, party uptime.RelyingParty) bool {
	_, user, err := m.ticketUser(ctx, sealed)
	if err != nil {
		return false
	}
	keys, err := m.deps.PasskeyStore.Passkeys(ctx, user.ID)
	if err != nil {
		m.deps.Log.WarnContext(ctx, "look for passkeys", "user_id", user.ID, "error", err)
	}
	return len(ofParty(keys, party)) > 0
}

// BeginPasskeyFactor gives what a browser ends such a log-in by. CodeSecondFactor: the
// ticket is none or has ended. CodeUnauthorized: its person has no passkey of the party.
func (m *Manage) BeginPasskeyFactor(ctx context.Context, sealed string, party uptime.RelyingParty) (Ceremony, error) {
	_, user, err := m.ticketUser(ctx, sealed)
	if err != nil {
		return Ceremony{}, err
	}
	keys, err := m.deps.PasskeyStore.Passkeys(ctx, user.ID)
	if err != nil {
		return Ceremony{}, err
	}
	if keys = ofParty(keys, party); len(keys) == 0 {
		return Ceremony{}, wrongPasskey()
	}
	options, challenge, err := m.deps.Passkeys.Request(party, keys)
	if err != nil {
		return Ceremony{}, err
	}
	return m.newCeremony(ceremony{Kind: ceremonyFactor, Challenge: challenge, Workspace: user.WorkspaceID, User: user.ID}, party, options)
}

// LoginTicketPasskey is LoginTicket by a passkey in the place of a code.
func (m *Manage) LoginTicketPasskey(ctx context.Context, sealed string, in PasskeyAnswer) (Session, error) {
	t, user, err := m.ticketUser(ctx, sealed)
	if err != nil {
		return Session{}, err
	}
	c, ok := m.openCeremony(in, ceremonyFactor)
	if !ok || c.User != user.ID || c.Workspace != user.WorkspaceID {
		return Session{}, passkeyLate()
	}
	if user, err = m.loginPasskey(ctx, c, in); err != nil {
		return Session{}, err
	}
	return m.newSession(ctx, user, t.Remember, in.Client)
}

func wrongPasskey() error {
	return uptime.Fail(uptime.CodeUnauthorized, "This passkey is not known here, or its answer was not right.")
}

func passkeyLate() error {
	return uptime.Fail(uptime.CodeUnauthorized, "That took too long; use the passkey again.")
}

// loginPasskey gives whom an answer logs in, and uses its challenge up.
func (m *Manage) loginPasskey(ctx context.Context, c ceremony, in PasskeyAnswer) (uptime.User, error) {
	address := "login:" + uptime.Network(in.Client.Address)
	if err := m.limit(ctx, address, addressRate()); err != nil {
		return uptime.User{}, err
	}
	key, use, err := m.provePasskey(ctx, c, in)
	if err != nil {
		return uptime.User{}, err
	}
	user, err := m.liveUser(ctx, key.WorkspaceID, key.UserID)
	if uptime.CodeOf(err) == uptime.CodeUnauthorized {
		return uptime.User{}, wrongPasskey()
	}
	if err != nil {
		return uptime.User{}, err
	}
	line := m.audited(actorOf(user, "", in.Client.Address), "passkey.login", "passkey", key.ID)
	line.Detail = detail(map[string]any{"name": key.Name, "second_factor": c.Kind == ceremonyFactor})
	err = m.deps.PasskeyStore.UsePasskey(ctx, key.ID, use, line)
	switch {
	case errors.Is(err, uptime.ErrStale), errors.Is(err, uptime.ErrNotFound): // it came twice, or the passkey ended
		m.deps.Log.WarnContext(ctx, "passkey refused", "user_id", user.ID, "passkey_id", key.ID, "address", in.Client.Address, "error", err)
		return uptime.User{}, wrongPasskey()
	case errors.Is(err, uptime.ErrConflict):
		m.deps.Log.WarnContext(ctx, "passkey refused: there may be a second copy of it", "user_id", user.ID, "passkey_id", key.ID, "address", in.Client.Address, "error", err)
		line.Action = "passkey.clone"
		line.Detail = detail(map[string]any{"name": key.Name, "counter": use.SignCount, "counter_before": key.SignCount})
		if err := m.deps.AuditLog.WriteAudit(ctx, *line); err != nil {
			return uptime.User{}, fmt.Errorf("write the audit log: %w", err)
		}
		return uptime.User{}, wrongPasskey()
	case err != nil:
		return uptime.User{}, err
	}
	m.giveBack(ctx, address, addressRate())
	return user, nil
}

// provePasskey gives the passkey whose answer is right. One that is not known, of another
// party or of another person costs the same and is told of in the same words.
func (m *Manage) provePasskey(ctx context.Context, c ceremony, in PasskeyAnswer) (uptime.Passkey, uptime.PasskeyUse, error) {
	id, handle, err := m.deps.Passkeys.Named(in.Answer)
	if err != nil {
		m.deps.Log.WarnContext(ctx, "passkey refused", "address", in.Client.Address, "error", err)
		return uptime.Passkey{}, uptime.PasskeyUse{}, wrongPasskey()
	}
	key, err := m.deps.PasskeyStore.PasskeyByCredential(ctx, id)
	if err != nil && !errors.Is(err, uptime.ErrNotFound) {
		return uptime.Passkey{}, uptime.PasskeyUse{}, err
	}
	if key.Party != in.Party.ID || c.User != 0 && key.UserID != c.User || c.User == 0 && len(handle) == 0 {
		key = uptime.Passkey{}
	}
	use, err := m.deps.Passkeys.Verify(in.Party, c.Challenge, key, in.Answer)
	if err != nil || key.ID == 0 {
		m.deps.Log.WarnContext(ctx, "passkey refused", "user_id", key.UserID, "address", in.Client.Address, "error", err)
		return uptime.Passkey{}, uptime.PasskeyUse{}, wrongPasskey()
	}
	use.Challenge, use.At = m.used(c), m.deps.Clock()
	return key, use, nil
}
