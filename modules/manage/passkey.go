package manage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"monitor/modules/uptime"
)

const (
	maxPasskeyName   = 60
	maxPasskeyAnswer = 64 << 10
	handleBytes      = 32
)

func passkeyView(k uptime.Passkey) PasskeyView {
	return PasskeyView{
		ID: k.ID, Name: k.Name, Host: k.Party, Synced: k.BackedUp, CreatedAt: k.CreatedAt.UTC(), LastUsedAt: timeOrNil(k.LastUsedAt),
	}
}

// OwnPasskeys lists those of the actor, oldest first.
func (m *Manage) OwnPasskeys(ctx context.Context, actor uptime.Actor) (uptime.List[PasskeyView], error) {
	var list uptime.List[PasskeyView]
	if err := m.permit(actor, ReadSelf); err != nil {
		return list, err
	}
	keys, err := m.deps.PasskeyStore.Passkeys(ctx, actor.UserID)
	if err != nil {
		return list, err
	}
	list.Items = make([]PasskeyView, 0, len(keys))
	for _, k := range keys {
		list.Items = append(list.Items, passkeyView(k))
	}
	return list, nil
}

// BeginPasskey gives what a browser makes a passkey of the actor by; it needs their
// current password. CodeConflict for who has uptime.MaxPasskeys.
func (m *Manage) BeginPasskey(ctx context.Context, actor uptime.Actor, in NewPasskey) (Ceremony, error) {
	if err := m.permit(actor, ChangeSelf); err != nil {
		return Ceremony{}, err
	}
	b := &body{}
	name := readPasskeyName(b, in.Name)
	if in.CurrentPassword == "" {
		b.fail("current_password", "is required to add a passkey")
	}
	if err := b.finish("a passkey"); err != nil {
		return Ceremony{}, err
	}
	user, err := m.deps.Users.User(ctx, actor.WorkspaceID, actor.UserID)
	if err != nil {
		return Ceremony{}, err
	}
	if err := m.confirm(ctx, actor, user, in.CurrentPassword); err != nil {
		return Ceremony{}, err
	}
	if user.PasswordGiven {
		return Ceremony{}, passwordGiven()
	}
	have, err := m.deps.PasskeyStore.Passkeys(ctx, user.ID)
	if err != nil {
		return Ceremony{}, err
	}
	if len(have) >= uptime.MaxPasskeys {
		return Ceremony{}, uptime.Fail(uptime.CodeConflict, "You have %d passkeys, which is the most; remove one first.", len(have))
	}
	fresh := make([]byte, handleBytes)
	_, _ = rand.Read(fresh) // never fails: crypto/rand ends the program instead
	handle, err := m.deps.PasskeyStore.PasskeyHandle(ctx, user.ID, fresh)
	if err != nil {
		return Ceremony{}, err
	}
	workspace, err := m.deps.Workspaces.Workspace(ctx, user.WorkspaceID)
	if err != nil {
		return Ceremony{}, err
	}
	party := in.Party
	party.Name = workspace.Name
	options, challenge, err := m.deps.Passkeys.Creation(party, user, handle, ofParty(have, party))
	if err != nil {
		return Ceremony{}, err
	}
	return m.newCeremony(ceremony{
		Kind: ceremonyCreate, Challenge: challenge, Workspace: user.WorkspaceID, User: user.ID,
		Proof: m.deps.Secrets.Hash(user.PasswordHash), Handle: handle, Name: name,
	}, party, options)
}

// ofParty are those that work there.
func ofParty(keys []uptime.Passkey, party uptime.RelyingParty) []uptime.Passkey {
	return slices.DeleteFunc(slices.Clone(keys), func(k uptime.Passkey) bool { return k.Party != party.ID })
}

// readPasskeyName notes what is wrong with it; "" is a plain one.
func readPasskeyName(b *body, name string) string {
	name = strings.Join(strings.Fields(name), " ")
	switch {
	case name == "":
		return "Passkey"
	case utf8.RuneCountInString(name) > maxPasskeyName:
		b.fail("name", "must have at most %d characters", maxPasskeyName)
	case !utf8.ValidString(name) || hasControl(name, ""):
		b.fail("name", "must be text without control characters")
	}
	return name
}

// CreatePasskey adds the passkey that the actor's browser made after BeginPasskey.
// CodeConflict: it is none, is here already, or took too long.
func (m *Manage) CreatePasskey(ctx context.Context, actor uptime.Actor, in PasskeyAnswer) (PasskeyView, error) {
	if err := m.permit(actor, ChangeSelf); err != nil {
		return PasskeyView{}, err
	}
	over := uptime.Fail(uptime.CodeConflict, "That took too long; add the passkey again.")
	c, ok := m.openCeremony(in, ceremonyCreate)
	if !ok || c.User != actor.UserID || c.Workspace != actor.WorkspaceID {
		return PasskeyView{}, over
	}
	user, err := m.deps.Users.User(ctx, actor.WorkspaceID, actor.UserID)
	if err != nil {
		return PasskeyView{}, err
	}
	if m.deps.Secrets.Hash(user.PasswordHash) != c.Proof {
		return PasskeyView{}, over
	}
	key, err := m.deps.Passkeys.Created(in.Party, c.Challenge, c.Handle, in.Answer)
	if err != nil {
		m.deps.Log.WarnContext(ctx, "new passkey refused", "user_id", user.ID, "address", actor.Address, "error", err)
		return PasskeyView{}, uptime.Fail(uptime.CodeConflict, "What the browser made is no passkey for this address.")
	}
	key.WorkspaceID, key.UserID, key.Name = user.WorkspaceID, user.ID, c.Name
	line := m.audited(actor, "passkey.create", "passkey", 0)
	line.Detail = detail(map[string]any{"name": key.Name, "host": key.Party})
	saved, err := m.deps.PasskeyStore.CreatePasskey(ctx, key, m.used(c), user.PasswordHash, line)
	switch {
	case errors.Is(err, uptime.ErrStale):
		return PasskeyView{}, over
	case errors.Is(err, uptime.ErrConflict):
		return PasskeyView{}, uptime.Fail(uptime.CodeConflict, "This passkey is here already.")
	case err != nil:
		return PasskeyView{}, err
	}
	return passkeyView(saved), nil
}

// RenamePasskey gives one of the actor's another name. ErrNotFound.
func (m *Manage) RenamePasskey(ctx context.Context, actor uptime.Actor, id int64, name string) error {
	key, err := m.ownPasskey(ctx, actor, id)
	if err != nil {
		return err
	}
	b := &body{}
	name = readPasskeyName(b, name)
	if err := b.finish("a passkey"); err != nil {
		return err
	}
	if name == key.Name {
		return nil
	}
	line := m.audited(actor, "passkey.rename", "passkey", id)
	line.Detail = detail(map[string]any{"name": map[string]any{"from": key.Name, "to": name}})
	return m.deps.PasskeyChanges.RenamePasskey(ctx, actor.UserID, id, name, line)
}

// DeletePasskey ends one of the actor's; sessions that it began go on. ErrNotFound.
func (m *Manage) DeletePasskey(ctx context.Context, actor uptime.Actor, id int64) error {
	key, err := m.ownPasskey(ctx, actor, id)
	if err != nil {
		return err
	}
	line := m.audited(actor, "passkey.delete", "passkey", id)
	line.Detail = detail(map[string]any{"name": key.Name, "host": key.Party})
	return m.deps.PasskeyChanges.DeletePasskey(ctx, actor.UserID, id, line)
}

// ownPasskey gives the actor's passkey that they may change.
func (m *Manage) ownPasskey(ctx context.Context, actor uptime.Actor, id int64) (uptime.Passkey, error) {
	if err := m.permit(actor, ChangeSelf); err != nil {
		return uptime.Passkey{}, err
	}
	keys, err := m.deps.PasskeyStore.Passkeys(ctx, actor.UserID)
	if err != nil {
		return uptime.Passkey{}, err
	}
	i := slices.IndexFunc(keys, func(k uptime.Passkey) bool { return k.ID == id })
	if i < 0 {
		return uptime.Passkey{}, fmt.Errorf("passkey %d: %w", id, uptime.ErrNotFound)
	}
	return keys[i], nil
}
