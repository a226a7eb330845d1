package manage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"monitor/modules/uptime"
)

// recoveryCodes is how many there are. Each has 80 bits.
const recoveryCodes = 10

// codeRate bounds guesses at the codes of one person, from wherever: only who knows the
// password gets so far, so that no stranger can use them up.
func codeRate() uptime.Rate { return uptime.Rate{Limit: 10, Per: 15 * time.Minute} }

// NewTOTP gives a secret for a second factor. It is kept nowhere: UpdateMe turns it on.
func (m *Manage) NewTOTP(ctx context.Context, actor uptime.Actor) (TOTPView, error) {
	if err := m.permit(actor, ChangeSelf); err != nil {
		return TOTPView{}, err
	}
	return m.totpView(ctx, actor, m.deps.Codes.NewSecret())
}

// TOTPOf is NewTOTP with a secret that was given before: a form that is shown again.
func (m *Manage) TOTPOf(ctx context.Context, actor uptime.Actor, secret string) (TOTPView, error) {
	if err := m.permit(actor, ChangeSelf); err != nil {
		return TOTPView{}, err
	}
	if !m.deps.Codes.Usable(secret) {
		secret = m.deps.Codes.NewSecret()
	}
	return m.totpView(ctx, actor, secret)
}

func (m *Manage) totpView(ctx context.Context, actor uptime.Actor, secret string) (TOTPView, error) {
	user, err := m.deps.Users.User(ctx, actor.WorkspaceID, actor.UserID)
	if err != nil {
		return TOTPView{}, err
	}
	workspace, err := m.deps.Workspaces.Workspace(ctx, actor.WorkspaceID)
	if err != nil {
		return TOTPView{}, err
	}
	return TOTPView{Secret: secret, URL: m.deps.Codes.URL(secret, workspace.Name, user.Email)}, nil
}

// NewRecoveryCodes replaces the actor's, by {"current_password"}. CodeConflict without
// a second factor.
func (m *Manage) NewRecoveryCodes(ctx context.Context, actor uptime.Actor, currentPassword string) (RecoveryView, error) {
	if err := m.permit(actor, ChangeSelf); err != nil {
		return RecoveryView{}, err
	}
	user, err := m.deps.Users.User(ctx, actor.WorkspaceID, actor.UserID)
	if err != nil {
		return RecoveryView{}, err
	}
	off := uptime.Fail(uptime.CodeConflict, "The second factor is off; recovery codes come with it.")
	if user.TOTPSecret == "" {
		return RecoveryView{}, off
	}
	if err := m.confirm(ctx, actor, user, currentPassword); err != nil {
		return RecoveryView{}, err
	}
	codes, hashes := m.newRecovery()
	_, err = m.deps.UserChanges.UpdateUser(ctx, user.WorkspaceID, user.ID, func(u *uptime.User) error {
		if u.TOTPSecret == "" {
			return off
		}
		if u.PasswordHash != user.PasswordHash || u.TOTPKey != user.TOTPKey || !slices.Equal(u.Recovery, user.Recovery) {
			return uptime.Fail(uptime.CodeConflict, "Your second factor was changed at the same time; try again.")
		}
		u.Recovery = hashes
		return nil
	}, m.audited(actor, "user.recovery_codes", "user", user.ID))
	if err != nil {
		return RecoveryView{}, err
	}
	return RecoveryView{RecoveryCodes: codes}, nil
}

// newRecovery gives codes as people write them down, and the hashes to be stored.
func (m *Manage) newRecovery() (codes, hashes []string) {
	for range recoveryCodes {
		raw := strings.ToLower(rand.Text())[:16]
		codes = append(codes, raw[:4]+"-"+raw[4:8]+"-"+raw[8:12]+"-"+raw[12:])
		hashes = append(hashes, m.recoveryHash(raw))
	}
	return codes, hashes
}

func (m *Manage) recoveryHash(plain string) string { return m.deps.Secrets.Hash("recovery:" + plain) }

// factorChange is what a patch makes of the actor's second factor.
type factorChange struct {
	changes bool
	secret  string // "": it is turned off
	step    int64  // of the code that proved the secret
	codes   []string
}

// readFactor reads totp, totp_secret and totp_code.
func (m *Manage) readFactor(b *body, u uptime.User, f *factorChange) {
	on := u.TOTPSecret != ""
	want, code := on, ""
	b.boolean("totp", &want)
	given := b.secret("totp_secret", &f.secret)
	b.secret("totp_code", &code)
	switch {
	case !want:
		f.changes, f.secret = on, ""
	case on && !given:
	case f.secret == "":
		b.fail("totp_secret", "is required to turn the second factor on; POST /api/v1/me/totp gives one")
	case !m.deps.Codes.Usable(f.secret):
		b.fail("totp_secret", "must be 128 bits or more in base32, without padding")
	default:
		var right bool
		if f.step, right = m.deps.Codes.Step(f.secret, plainCode(code), m.deps.Clock()); !right {
			b.fail("totp_code", "is not the code of this secret at the moment; is the clock of your device right?")
		}
		f.changes = right
	}
}

// readNoFactor reads totp where somebody else changes the user: it can only be turned
// off. It reports whether it is.
func readNoFactor(b *body, u uptime.User) bool {
	on := u.TOTPSecret != ""
	want := on
	b.boolean("totp", &want)
	if want && !on {
		b.fail("totp", "can be turned on by the user alone")
	}
	return on && !want
}

func (c *userChange) dropFactor() {
	c.factor = true
	c.user.TOTPSecret, c.user.TOTPKey, c.user.TOTPStep, c.user.Recovery = "", "", 0, nil
}

// prepareFactor seals the secret and makes the recovery codes.
func (m *Manage) prepareFactor(c *userChange, f *factorChange) error {
	if !f.changes {
		return nil
	}
	c.dropFactor()
	if f.secret == "" {
		return nil
	}
	c.user.TOTPKey, c.user.TOTPStep = m.deps.Random(), f.step
	var err error
	if c.user.TOTPSecret, err = m.deps.Sealer.Seal(totpPlace(c.user.ID, c.user.TOTPKey), f.secret); err != nil {
		return fmt.Errorf("seal the second factor: %w", err)
	}
	f.codes, c.user.Recovery = m.newRecovery()
	return nil
}

// totpPlace is bound to the person, whatever workspace they act in.
func totpPlace(userID int64, key string) uptime.SecretPlace {
	return uptime.SecretPlace{Table: "users", RowKey: fmt.Sprintf("%d:%s", userID, key), Field: "totp_secret"}
}

// formerTOTPPlace is where older versions of the program sealed it: in the only workspace
// that there was, which is the first one now.
func formerTOTPPlace(workspaceID int64, key string) uptime.SecretPlace {
	return uptime.SecretPlace{WorkspaceID: workspaceID, Table: "users", RowKey: key, Field: "totp_secret"}
}

func (m *Manage) openTOTP(ctx context.Context, u uptime.User) (string, error) {
	secret, err := m.deps.Sealer.Open(totpPlace(u.ID, u.TOTPKey), u.TOTPSecret)
	if err == nil {
		return secret, nil
	}
	first, failed := m.deps.Workspaces.EnsureWorkspace(ctx, defaultInstance)
	if failed != nil {
		return "", fmt.Errorf("find workspace: %w", failed)
	}
	if former, failed := m.deps.Sealer.Open(formerTOTPPlace(first.ID, u.TOTPKey), u.TOTPSecret); failed == nil {
		return former, nil
	}
	return "", err
}

// plainCode is a code without what people put between its parts.
func plainCode(code string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(code))
}

// secondFactor takes a one-time code or a recovery code, each once. CodeUnauthorized,
// CodeLimited.
func (m *Manage) secondFactor(ctx context.Context, user uptime.User, code string, client Client) (uptime.User, error) {
	key := fmt.Sprintf("totp:%d", user.ID)
	if err := m.limit(ctx, key, codeRate()); err != nil {
		return user, err
	}
	code = plainCode(code)
	wrong := uptime.Fail(uptime.CodeUnauthorized, "The code is wrong, or was used before.")
	spend, action, err := m.spendCode(ctx, user, code, wrong)
	if err == nil {
		line := m.audited(actorOf(user, "", client.Address), action, "user", user.ID)
		user, err = m.spent(ctx, user, spend, line)
	}
	switch uptime.CodeOf(err) {
	case uptime.CodeUnauthorized:
		m.deps.Log.WarnContext(ctx, "wrong one-time code", "user_id", user.ID, "address", client.Address)
	case uptime.CodeConflict:
		m.deps.Log.ErrorContext(ctx, "second factor cannot be opened", "user_id", user.ID, "error", err)
		m.giveBack(ctx, key, codeRate())
	default:
		m.giveBack(ctx, key, codeRate())
	}
	return user, err
}

// spent stores that a code was used, and gives the user as of then.
func (m *Manage) spent(ctx context.Context, user uptime.User, spend func(*uptime.User) error, line *uptime.Audit) (uptime.User, error) {
	saved, err := m.deps.UserChanges.UpdateUser(ctx, user.WorkspaceID, user.ID, spend, line)
	if err != nil {
		return user, err
	}
	return saved, nil
}

// spendCode gives the change that uses a code up; wrong where it is none.
func (m *Manage) spendCode(ctx context.Context, user uptime.User, code string, wrong error) (spend func(*uptime.User) error, action string, err error) {
	if len(code) != 6 {
		hash := m.recoveryHash(code)
		return func(u *uptime.User) error {
			i := slices.Index(u.Recovery, hash)
			if i < 0 || u.TOTPSecret == "" {
				return wrong
			}
			u.Recovery = slices.Delete(slices.Clone(u.Recovery), i, i+1)
			return nil
		}, "user.recovery_code", nil
	}
	secret, err := m.openTOTP(ctx, user)
	if errors.Is(err, uptime.ErrUnavailable) {
		return nil, "", err
	}
	if err != nil {
		return nil, "", &uptime.Error{
			Code: uptime.CodeConflict, Err: err,
			Detail: "Your second factor cannot be checked: the program's secret was replaced. Use a recovery code, or ask an admin.",
		}
	}
	step, right := m.deps.Codes.Step(secret, code, m.deps.Clock())
	if !right {
		return nil, "", wrong
	}
	return func(u *uptime.User) error {
		if step <= u.TOTPStep || u.TOTPKey != user.TOTPKey {
			return wrong
		}
		u.TOTPStep = step
		return nil
	}, "user.totp", nil
}

// needsCode says that the password is right and is not enough.
func needsCode() error {
	return uptime.Fail(uptime.CodeSecondFactor, "A one-time code is needed: send it as totp, or a recovery code.")
}

func isNeedsCode(err error) bool {
	e, ok := errors.AsType[*uptime.Error](err)
	return ok && e.Code == uptime.CodeSecondFactor
}
