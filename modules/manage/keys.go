package manage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"monitor/modules/uptime"
)

// checkedText is what every key seals once, to be recognised by.
const checkedText = "monitor"

// holderPoll is how often a start looks whether the others know its key by now.
const holderPoll = time.Second

// WrongKeyError says that a process does not have the keys that it needs.
type WrongKeyError struct {
	// Missing are the ids of keys in use that the settings do not give.
	Missing []string
	// Given are the ids of those that they give, that of auth.secret first.
	Given []string
	text  string
}

// Error says which keys are missing and what to do.
func (e *WrongKeyError) Error() string { return e.text }

func missingKeys(missing, given []string) *WrongKeyError {
	return &WrongKeyError{Missing: missing, Given: given, text: fmt.Sprintf(
		"auth.secret is not the one that this database was used with: the database is sealed by %s, and the settings give %s.\n"+
			"Put the secret that was used before back into auth.secret, or into auth.previous_secrets where auth.secret is to replace it.\n"+
			"If it is lost, `monitor secrets reset` tells what is lost with it and lets the program start without.",
		keyNames(missing), keyNames(given))}
}

// keyNames names keys as people read them: "key 0123…" or "keys 0123… and 4567…".
func keyNames(ids []string) string {
	switch len(ids) {
	case 0:
		return "no key"
	case 1:
		return "key " + ids[0]
	}
	return "keys " + strings.Join(ids[:len(ids)-1], ", ") + " and " + ids[len(ids)-1]
}

// currentKey is the id of the key of auth.secret.
func (m *Manage) currentKey() string { return m.deps.Keyring.Known()[0] }

func checkPlace(id string) uptime.SecretPlace {
	return uptime.SecretPlace{Table: "seal_keys", RowKey: id, Field: "check_value"}
}

// CheckKeys is for whoever seals nothing: a *WrongKeyError when the settings do not give
// every key in use.
func (m *Manage) CheckKeys(ctx context.Context) error {
	ring, err := m.deps.Keys.KeyRing(ctx)
	if err != nil {
		return err
	}
	return m.judgeKeys(ring)
}

// judgeKeys gives a *WrongKeyError when this process lacks a key in use, or has another
// one under its id.
func (m *Manage) judgeKeys(ring uptime.KeyRing) error {
	var missing []string
	known := m.deps.Keyring.Known()
	for _, k := range ring.Keys {
		text, err := m.deps.Sealer.Open(checkPlace(k.ID), k.Check)
		if !slices.Contains(known, k.ID) || err != nil || text != checkedText {
			missing = append(missing, k.ID)
		}
	}
	if len(missing) > 0 {
		return missingKeys(missing, m.deps.Keyring.Known())
	}
	return nil
}

// HoldKeys enters a process that is about to seal, and the key of auth.secret among
// those in use. It refuses with a *WrongKeyError where the settings do not give every
// key in use, or where another process runs that does not know the one of auth.secret:
// it could not open what this one seals. One that has just been killed is waited for.
// alone says that no other process can run. LeaveKeys ends what HoldKeys began.
func (m *Manage) HoldKeys(ctx context.Context, member string, alone bool) error {
	ring, err := m.deps.Keys.KeyRing(ctx)
	if err != nil {
		return err
	}
	held := []string{m.currentKey()}
	if len(ring.Keys) == 0 { // new, or of a version that kept no keys
		older, err := m.survey(ctx)
		if err != nil {
			return err
		}
		held = append(held, older...)
	}
	return m.enter(ctx, member, held, alone)
}

// enter is HoldKeys with the keys to be entered among those in use.
func (m *Manage) enter(ctx context.Context, member string, held []string, alone bool) error {
	keys, err := m.checkValues(held)
	if err != nil {
		return err
	}
	told := false
	for until := time.Now().Add(uptime.HolderGrace + 2*holderPoll); ; {
		err := m.deps.Keys.HoldKeys(ctx, m.holder(member), keys, alone, m.judgeHolders)
		late, ok := errors.AsType[*laggardError](err)
		if !ok {
			return err
		}
		if time.Now().After(until) {
			return &WrongKeyError{Given: m.deps.Keyring.Known(), text: late.Error()}
		}
		if !told {
			m.deps.Log.WarnContext(ctx, "others do not know the key of auth.secret: waiting whether they end", "others", strings.Join(late.members, ", "))
			told = true
		}
		if err := pause(ctx, holderPoll); err != nil {
			return err
		}
	}
}

func (m *Manage) holder(member string) uptime.KeyHolder {
	return uptime.KeyHolder{Member: member, SealsBy: m.currentKey(), Knows: m.deps.Keyring.Known()}
}

// checkValues has each key seal the text that it is recognised by.
func (m *Manage) checkValues(ids []string) ([]uptime.SealKey, error) {
	keys := make([]uptime.SealKey, 0, len(ids))
	for _, id := range ids {
		value, err := m.deps.Keyring.SealBy(id, checkPlace(id), checkedText)
		if err != nil {
			return nil, fmt.Errorf("seal the check value of a key: %w", err)
		}
		keys = append(keys, uptime.SealKey{ID: id, Check: value})
	}
	return keys, nil
}

// laggardError: processes run that do not know the key of auth.secret.
type laggardError struct {
	id      string
	members []string
}

func (e *laggardError) Error() string {
	return fmt.Sprintf("auth.secret gives key %s, which %s does not know: it could not open what is sealed by it.\n"+
		"First give every process the new secret in auth.previous_secrets beside the old one in auth.secret, and restart them; then exchange the two.",
		e.id, strings.Join(e.members, ", "))
}

// judgeHolders is judgeKeys, and a *laggardError where another process does not know
// the current key.
func (m *Manage) judgeHolders(ring uptime.KeyRing) error {
	if err := m.judgeKeys(ring); err != nil {
		return err
	}
	late := &laggardError{id: m.currentKey()}
	for _, h := range ring.Holders {
		if !slices.Contains(h.Knows, late.id) {
			late.members = append(late.members, "process "+h.Member)
		}
	}
	if len(late.members) > 0 {
		return late
	}
	return nil
}

// survey looks at a database that says nothing of keys, and gives those, beside the
// current one, that sealed what is in it. Where there is something sealed, and nothing
// of it opens, the settings give the wrong secret: a *WrongKeyError.
func (m *Manage) survey(ctx context.Context) ([]string, error) {
	found, err := m.SurveySecrets(ctx)
	if err != nil {
		return nil, err
	}
	known, used := m.deps.Keyring.Known(), found.keys()
	var older, missing []string
	for _, id := range used {
		switch {
		case !slices.Contains(known, id):
			missing = append(missing, id)
		case id != m.currentKey():
			older = append(older, id)
		}
	}
	if len(missing) > 0 && found.opened() == 0 {
		return nil, missingKeys(missing, m.deps.Keyring.Known())
	}
	if len(missing) > 0 {
		m.deps.Log.WarnContext(ctx, "some sealed values cannot be opened: `monitor secrets rotate --dry-run` lists them", "keys", missing)
	}
	return older, nil
}

// SeeKeys says that the process still runs, and by which key it seals. It gives the keys
// in use that it does not know: somebody has begun to seal by them all the same.
func (m *Manage) SeeKeys(ctx context.Context, member string) (unknown []string, err error) {
	ids, err := m.deps.Keys.SeeHolder(ctx, m.holder(member))
	if err != nil {
		return nil, err
	}
	known := m.deps.Keyring.Known()
	if !slices.Contains(ids, known[0]) {
		// This process was paused or cut off so long that a rotation took it for dead.
		keys, err := m.checkValues(known[:1])
		if err != nil {
			return nil, err
		}
		if err := m.deps.Keys.HoldKeys(ctx, m.holder(member), keys, false, func(uptime.KeyRing) error { return nil }); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(ids, func(id string) bool { return slices.Contains(known, id) }), nil
}

// LeaveKeys forgets a process that ends.
func (m *Manage) LeaveKeys(ctx context.Context, member string) error {
	return m.deps.Keys.LeaveKeys(ctx, member)
}

// pause waits; an error when ctx ended before.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
