package manage_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/auth"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

const (
	secretOld = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" // that of setup
	secretNew = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// by gives the use cases over the same store, with other secrets.
func (b *bundle) by(tb testing.TB, secret string, previous ...string) (*manage.Manage, auth.Keys) {
	tb.Helper()
	keys, err := auth.NewKeys(secret, previous)
	require.NoError(tb, err)
	sealer, err := auth.NewSealer(keys)
	require.NoError(tb, err)
	deps := b.deps
	deps.Sealer, deps.Keyring, deps.Access = sealer, sealer, auth.NewAccessTokens(keys)
	return manage.New(deps), keys
}

// sealed makes a monitor, a channel and a second factor with secrets.
func (b *bundle) sealed(t *testing.T) {
	t.Helper()
	b.monitor(t, `{"name":"Shop","type":"http","http":{"url":"https://u:hunter2@example.com","headers":{"Authorization":"Bearer hunter3","Accept":"text/plain"}}}`)
	b.monitor(t, `{"name":"Plain","type":"http","http":{"url":"https://example.com"}}`)
	_, err := b.CreateChannel(t.Context(), b.owner, json.RawMessage(
		`{"name":"Hook","type":"webhook","settings":{"url":"https://u:hunter4@example.com","secret":"hunter5"}}`))
	require.NoError(t, err)
	secret, err := b.NewTOTP(t.Context(), b.owner)
	require.NoError(t, err)
	_, err = b.UpdateMe(t.Context(), b.owner, json.RawMessage(fmt.Sprintf(
		`{"totp":true,"totp_secret":%q,"totp_code":%q,"current_password":%q}`,
		secret.Secret, auth.OneTimeCodes{}.Code(secret.Secret, auth.StepAt(b.clock.Now())), password)), "")
	require.NoError(t, err)
}

// counts gives how many values of each table are sealed by each key.
func counts(r manage.SecretsReport) map[uptime.SealedTable]map[string]int {
	all := map[uptime.SealedTable]map[string]int{}
	for _, t := range r.Tables {
		if len(t.ByKey) > 0 {
			all[t.Table] = t.ByKey
		}
	}
	return all
}

func TestRotateSecrets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, old := b.by(t, secretOld)
	require.NoError(t, b.HoldKeys(t.Context(), "first", true))
	b.sealed(t)
	require.NoError(t, b.LeaveKeys(t.Context(), "first"))

	after, fresh := b.by(t, secretNew, secretOld)
	require.NoError(t, after.HoldKeys(t.Context(), "second", false))
	report, err := after.SurveySecrets(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[uptime.SealedTable]map[string]int{
		uptime.SealedMonitors: {old.ID(): 2}, uptime.SealedChannels: {old.ID(): 2}, uptime.SealedFactors: {old.ID(): 1},
	}, counts(report))

	report, err = after.RotateSecrets(t.Context())
	require.NoError(t, err)
	require.False(t, report.Left())
	require.Equal(t, map[uptime.SealedTable]map[string]int{
		uptime.SealedMonitors: {fresh.ID(): 2}, uptime.SealedChannels: {fresh.ID(): 2}, uptime.SealedFactors: {fresh.ID(): 1},
	}, counts(report))
	require.Equal(t, 1, report.Tables[0].Anew)
	require.Equal(t, []string{old.ID()}, report.Dropped)
	require.NoError(t, after.LeaveKeys(t.Context(), "second"))

	only, _ := b.by(t, secretNew)
	require.NoError(t, only.HoldKeys(t.Context(), "third", true))
	shop, err := b.store.Monitor(t.Context(), b.owner.WorkspaceID, 1)
	require.NoError(t, err)
	require.NotContains(t, string(shop.Settings), old.ID())
	report, err = only.SurveySecrets(t.Context())
	require.NoError(t, err)
	require.Empty(t, report.Lost)
	var wrong *manage.WrongKeyError
	require.ErrorAs(t, b.HoldKeys(t.Context(), "late", false), &wrong)
	require.Equal(t, []string{fresh.ID()}, wrong.Missing)
}

// TestRotateWhileEdited: what people save meanwhile stays, and is sealed by the new key.
func TestRotateWhileEdited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.HoldKeys(t.Context(), "first", true))
	for i := range 30 {
		b.monitor(t, fmt.Sprintf(`{"name":"M%d","type":"http","http":{"url":"https://u:first@example.com"}}`, i))
	}
	require.NoError(t, b.LeaveKeys(t.Context(), "first"))
	after, fresh := b.by(t, secretNew, secretOld)
	require.NoError(t, after.HoldKeys(t.Context(), "second", false))
	var people sync.WaitGroup
	people.Go(func() {
		for id := int64(30); id > 0; id-- {
			_, err := after.PatchMonitor(context.WithoutCancel(t.Context()), b.owner, id, json.RawMessage(`{"http":{"url":"https://u:second@example.com"}}`), "")
			if err != nil {
				t.Errorf("save monitor %d: %v", id, err)
			}
		}
	})
	report, err := after.RotateSecrets(t.Context())
	people.Wait()
	require.NoError(t, err)
	require.Empty(t, report.Lost)
	report, err = after.RotateSecrets(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[uptime.SealedTable]map[string]int{uptime.SealedMonitors: {fresh.ID(): 30}}, counts(report))
	for id := int64(1); id <= 30; id++ {
		m, err := b.store.Monitor(t.Context(), b.owner.WorkspaceID, id)
		require.NoError(t, err)
		kind, _ := b.deps.ProbeKinds.Kind("http")
		opened, err := manage.OpenSettings(sealerOf(t, fresh), kind,
			uptime.SecretPlace{WorkspaceID: m.WorkspaceID, Table: "monitors", RowKey: m.RowKey}, m.Settings)
		require.NoError(t, err)
		require.Contains(t, string(opened), "u:second@", "monitor %d", id)
	}
}

func sealerOf(t *testing.T, keys auth.Keys) *auth.Sealer {
	t.Helper()
	s, err := auth.NewSealer(keys)
	require.NoError(t, err)
	return s
}

// TestTokensInURLs are sealed, shown masked, and kept where the URL round them changes.
func TestTokensInURLs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := b.monitor(t, `{"name":"Shop","type":"http","http":{"url":"https://example.com/?page=1&api_key=hunter2","headers":{"Private-Token":"hunter3"}}}`)
	require.Contains(t, string(v.Settings), "?page=1\u0026api_key=********")
	require.NotContains(t, string(v.Settings), "hunter")
	_, err := b.PatchMonitor(t.Context(), b.owner, v.ID, json.RawMessage(`{"http":{"url":"https://example.com/?page=2&api_key=********"}}`), "")
	require.NoError(t, err)
	stored, err := b.store.Monitor(t.Context(), b.owner.WorkspaceID, v.ID)
	require.NoError(t, err)
	require.NotContains(t, string(stored.Settings), "hunter")
	kind, _ := b.deps.ProbeKinds.Kind("http")
	place := uptime.SecretPlace{WorkspaceID: stored.WorkspaceID, Table: "monitors", RowKey: stored.RowKey}
	opened, err := manage.OpenSettings(b.sealer, kind, place, stored.Settings)
	require.NoError(t, err)
	require.Contains(t, string(opened), "?page=2\u0026api_key=hunter2")
	require.Contains(t, string(opened), "hunter3")
	_, err = b.CreateMonitor(t.Context(), b.owner, json.RawMessage(`{"name":"New","type":"http","http":{"url":"https://example.com/?token=********"}}`))
	require.Equal(t, []string{"http.url?token is masked and nothing is stored for it: write the value itself"}, problems(t, err))
}

// TestStoredBeforeItWasSecret: what older versions kept in clear goes on to work, is
// shown masked, and is sealed by a rotation.
func TestStoredBeforeItWasSecret(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.HoldKeys(t.Context(), "first", true))
	v := b.monitor(t, leastMonitor)
	stored, err := b.store.UpdateMonitor(t.Context(), b.owner.WorkspaceID, v.ID, func(m *uptime.Monitor) error {
		m.Settings = json.RawMessage(`{"url":"https://example.com/?token=hunter2","headers":{"Private-Token":"hunter3"}}`)
		return nil
	}, nil)
	require.NoError(t, err)
	v, err = b.Monitor(t.Context(), b.owner, v.ID)
	require.NoError(t, err)
	require.NotContains(t, string(v.Settings), "hunter")
	kind, _ := b.deps.ProbeKinds.Kind("http")
	place := uptime.SecretPlace{WorkspaceID: stored.WorkspaceID, Table: "monitors", RowKey: stored.RowKey}
	opened, err := manage.OpenSettings(b.sealer, kind, place, stored.Settings)
	require.NoError(t, err)
	require.Contains(t, string(opened), "token=hunter2")

	report, err := b.SurveySecrets(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, report.Tables[0].Clear)
	report, err = b.RotateSecrets(t.Context())
	require.NoError(t, err)
	require.Zero(t, report.Tables[0].Clear)
	stored, err = b.store.Monitor(t.Context(), b.owner.WorkspaceID, v.ID)
	require.NoError(t, err)
	require.NotContains(t, string(stored.Settings), "hunter")
	opened, err = manage.OpenSettings(b.sealer, kind, place, stored.Settings)
	require.NoError(t, err)
	require.Contains(t, string(opened), "token=hunter2")
}

// TestRotateReportsWhatIsLost: by place and never by value; the key is kept.
func TestRotateReportsWhatIsLost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, old := b.by(t, secretOld)
	require.NoError(t, b.HoldKeys(t.Context(), "first", true))
	b.sealed(t)
	channel, err := b.store.Channel(t.Context(), b.owner.WorkspaceID, 1)
	require.NoError(t, err)
	stray, err := b.sealer.Seal(uptime.SecretPlace{Table: "elsewhere"}, "hunter6")
	require.NoError(t, err)
	_, err = b.store.UpdateChannel(t.Context(), b.owner.WorkspaceID, channel.ID, func(c *uptime.Channel) error {
		c.Settings = json.RawMessage(fmt.Sprintf(`{"url":"https://example.com","secret":%q}`, stray))
		return nil
	}, nil)
	require.NoError(t, err)
	require.NoError(t, b.LeaveKeys(t.Context(), "first"))

	after, _ := b.by(t, secretNew, secretOld)
	require.NoError(t, after.HoldKeys(t.Context(), "second", false))
	report, err := after.RotateSecrets(t.Context())
	require.NoError(t, err)
	require.True(t, report.Left())
	require.Len(t, report.Lost, 1)
	lost := report.Lost[0]
	require.Equal(t, "webhook.secret", lost.Field)
	require.Equal(t, "Hook", lost.Name)
	require.Equal(t, old.ID(), lost.Key)
	require.NotContains(t, lost.Err.Error(), "hunter6")
	require.Empty(t, report.Dropped, "something is sealed by it still")
}

// TestRotateBesideLaggards: a process that does not know the new key keeps it from being
// used; one that knows it and seals by the old one keeps the old one in use.
func TestRotateBesideLaggards(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before, old := b.by(t, secretOld, secretNew)
	require.NoError(t, before.HoldKeys(t.Context(), "knows both", true))
	b.sealed(t)
	after, _ := b.by(t, secretNew, secretOld)
	require.NoError(t, after.HoldKeys(t.Context(), "second", false))
	report, err := after.RotateSecrets(t.Context())
	require.NoError(t, err)
	require.True(t, report.Left())
	require.Empty(t, report.Dropped)
	require.Len(t, report.Laggards, 1)
	require.Equal(t, "knows both", report.Laggards[0].Member)
	require.NoError(t, before.LeaveKeys(t.Context(), "knows both"))
	report, err = after.RotateSecrets(t.Context())
	require.NoError(t, err)
	require.False(t, report.Left())
	require.Equal(t, []string{old.ID()}, report.Dropped)
}

// TestRotateBehindABackTurned: a process that was cut off so long that it passed for dead
// says again by which key it seals.
func TestRotateBehindABackTurned(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before, old := b.by(t, secretOld, secretNew)
	require.NoError(t, before.HoldKeys(t.Context(), "cut off", true))
	b.sealed(t)
	b.clock.add(uptime.HolderGrace + time.Second)
	after, fresh := b.by(t, secretNew, secretOld)
	require.NoError(t, after.HoldKeys(t.Context(), "second", false))
	report, err := after.RotateSecrets(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{old.ID()}, report.Dropped)
	unknown, err := before.SeeKeys(t.Context(), "cut off")
	require.NoError(t, err)
	require.Empty(t, unknown)
	only, _ := b.by(t, secretNew)
	var wrong *manage.WrongKeyError
	require.ErrorAs(t, only.HoldKeys(t.Context(), "third", false), &wrong)
	require.Equal(t, []string{old.ID()}, wrong.Missing)
	require.Equal(t, []string{fresh.ID()}, wrong.Given)
}

// TestStartBesideWhoDoesNotKnowTheKey waits for one that was killed, and refuses where it
// lives.
func TestStartBesideWhoDoesNotKnowTheKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ring := &heldRing{}
		m := manage.New(manage.Deps{Keys: ring, Sealer: newSealer(t, secretNew, secretOld), Keyring: newSealer(t, secretNew, secretOld), Log: slog.New(slog.DiscardHandler)})
		ring.judged = func(r *uptime.KeyRing) {
			r.Holders = []uptime.KeyHolder{{Member: "old-1", SealsBy: "x", Knows: []string{"x"}}}
		}
		began := time.Now()
		var wrong *manage.WrongKeyError
		require.ErrorAs(t, m.HoldKeys(t.Context(), "new", false), &wrong)
		require.ErrorContains(t, wrong, "process old-1")
		require.ErrorContains(t, wrong, "auth.previous_secrets")
		require.Greater(t, time.Since(began), uptime.HolderGrace)

		gone := time.Now().Add(5 * time.Second)
		ring.judged = func(r *uptime.KeyRing) {
			if time.Now().Before(gone) {
				r.Holders = []uptime.KeyHolder{{Member: "old-1", SealsBy: "x", Knows: []string{"x"}}}
			}
		}
		require.NoError(t, m.HoldKeys(t.Context(), "new", false))
	})
}

func newSealer(t *testing.T, secret string, previous ...string) *auth.Sealer {
	t.Helper()
	keys, err := auth.NewKeys(secret, previous)
	require.NoError(t, err)
	return sealerOf(t, keys)
}

// heldRing is a ring that a test makes up. It is asked for keys in use once, and names
// one, so that nothing is surveyed.
type heldRing struct {
	judged func(*uptime.KeyRing)
}

func (*heldRing) KeyRing(context.Context) (uptime.KeyRing, error) {
	return uptime.KeyRing{Keys: []uptime.SealKey{{ID: "x"}}}, nil
}

func (h *heldRing) HoldKeys(_ context.Context, _ uptime.KeyHolder, _ []uptime.SealKey, _ bool, judge func(uptime.KeyRing) error) error {
	ring := uptime.KeyRing{}
	h.judged(&ring)
	return judge(ring)
}

func (*heldRing) SeeHolder(context.Context, uptime.KeyHolder) ([]string, error) { return nil, nil }
func (*heldRing) LeaveKeys(context.Context, string) error                       { return nil }
func (*heldRing) DropKeys(context.Context, func(uptime.KeyRing) ([]string, error)) error {
	return nil
}

// TestOldDatabase says nothing of keys: the settings must open what is in it.
func TestOldDatabase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.sealed(t)
	stranger, _ := b.by(t, secretNew)
	var wrong *manage.WrongKeyError
	require.ErrorAs(t, stranger.HoldKeys(t.Context(), "stranger", true), &wrong)
	_, old := b.by(t, secretOld)
	require.Equal(t, []string{old.ID()}, wrong.Missing)
	ring, err := b.store.KeyRing(t.Context())
	require.NoError(t, err)
	require.Empty(t, ring.Keys)

	rotating, fresh := b.by(t, secretNew, secretOld)
	require.NoError(t, rotating.HoldKeys(t.Context(), "rotating", true))
	ring, err = b.store.KeyRing(t.Context())
	require.NoError(t, err)
	require.Len(t, ring.Keys, 2, "the key of what is in it, and the one of the settings")
	require.ErrorAs(t, stranger.CheckKeys(t.Context()), &wrong)
	require.NoError(t, rotating.CheckKeys(t.Context()))
	unknown, err := b.SeeKeys(t.Context(), "old one that runs")
	require.NoError(t, err)
	require.Equal(t, []string{fresh.ID()}, unknown)
}

// TestForgetSecrets: who lost the secret goes on without it.
func TestForgetSecrets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, old := b.by(t, secretOld)
	require.NoError(t, b.HoldKeys(t.Context(), "first", true))
	b.sealed(t)
	stranger, fresh := b.by(t, secretNew)
	_, err := stranger.ForgetSecrets(t.Context(), b.owner, "reset")
	require.ErrorContains(t, err, "process first", "who runs with it has it")
	require.NoError(t, b.LeaveKeys(t.Context(), "first"))

	report, err := stranger.ForgetSecrets(t.Context(), b.owner, "reset")
	require.NoError(t, err)
	require.Len(t, report.Lost, 5)
	ring, err := b.store.KeyRing(t.Context())
	require.NoError(t, err)
	require.Len(t, ring.Keys, 1)
	require.Equal(t, fresh.ID(), ring.Keys[0].ID)
	require.Empty(t, ring.Holders)
	require.NoError(t, stranger.HoldKeys(t.Context(), "next", true))
	user, err := b.store.User(t.Context(), b.owner.WorkspaceID, b.owner.UserID)
	require.NoError(t, err)
	require.Empty(t, user.TOTPSecret)
	_, err = stranger.Login(t.Context(), manage.LoginInput{Email: "owner@example.com", Password: password})
	require.NoError(t, err, "without a second factor")

	found, _ := b.by(t, secretNew, secretOld)
	report, err = found.RotateSecrets(t.Context())
	require.NoError(t, err)
	require.Empty(t, report.Lost, "the secret was found after all")
	require.NotContains(t, counts(report)[uptime.SealedMonitors], old.ID())
}
