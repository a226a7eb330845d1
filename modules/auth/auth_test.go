package auth_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"monitor/modules/auth"
	"monitor/modules/uptime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	secretA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	secretB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func newKeys(t *testing.T, secret string, previous ...string) auth.Keys {
	t.Helper()
	keys, err := auth.NewKeys(secret, previous)
	require.NoError(t, err)
	return keys
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	p := auth.NewPasswords(2)
	hash, err := p.Hash(ctx, "correct horse battery")
	require.NoError(t, err)
	require.Contains(t, hash, "$argon2id$v=19$m=19456,t=2,p=1$")

	ok, err := p.Verify(ctx, "correct horse battery", hash)
	require.NoError(t, err)
	require.True(t, ok)
	ok, err = p.Verify(ctx, "correct horse batterY", hash)
	require.NoError(t, err)
	require.False(t, ok)
	require.NoError(t, p.VerifyNothing(ctx, "anything"))
	_, err = p.Verify(ctx, "anything", "not a hash")
	require.Error(t, err)
}

func TestPasswordsWaitForTheirTurnOnlyAsLongAsTheContext(t *testing.T) {
	t.Parallel()
	p := auth.NewPasswords(1)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := p.Hash(ctx, "correct horse battery")
	require.ErrorIs(t, err, context.Canceled)
	_, err = p.Verify(ctx, "x", "y")
	require.ErrorIs(t, err, context.Canceled)
}

func TestSecretIsMadeOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	tokens := make([]string, 8)
	var wg sync.WaitGroup
	for i := range tokens {
		wg.Go(func() {
			keys, err := auth.LoadSecret(dir, "", nil, nil)
			if err == nil {
				tokens[i] = keys.SetupToken()
			}
		})
	}
	wg.Wait()
	for _, token := range tokens {
		require.NotEmpty(t, token)
		require.Equal(t, tokens[0], token)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing is left beside the secret")
	info, err := entries[0].Info()
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestSecretTooShort(t *testing.T) {
	t.Parallel()
	_, err := auth.LoadSecret("", "short", nil, nil)
	require.EqualError(t, err, "auth.secret must have at least 32 characters, it has 5")
	_, err = auth.LoadSecret("", secretA, []string{"old"}, nil)
	require.EqualError(t, err, "auth.previous_secrets[0] must have at least 32 characters, it has 3")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "secret"), []byte("x\n"), 0o600))
	_, err = auth.LoadSecret(dir, "", nil, nil)
	require.ErrorContains(t, err, "fewer than 32 characters")
}

func TestSetupTokenAndDigestFollowFromTheSecret(t *testing.T) {
	t.Parallel()
	a, again, b := newKeys(t, secretA), newKeys(t, secretA), newKeys(t, secretB)
	require.Equal(t, a.SetupToken(), again.SetupToken())
	require.NotEqual(t, a.SetupToken(), b.SetupToken())
	require.Len(t, a.SetupToken(), 24)
	require.Len(t, a.Digest([]byte("x")), 64)
	require.NotEqual(t, a.Digest([]byte("x")), b.Digest([]byte("x")))
	require.Equal(t, "********", a.String())
}

func TestSealing(t *testing.T) {
	t.Parallel()
	place := uptime.SecretPlace{WorkspaceID: 1, Table: "monitors", RowKey: "k", Field: "http.url"}
	old, err := auth.NewSealer(newKeys(t, secretA))
	require.NoError(t, err)
	sealed, err := old.Seal(place, "hunter2")
	require.NoError(t, err)
	require.True(t, auth.IsSealed(sealed))
	require.NotContains(t, sealed, "hunter2")
	again, err := old.Seal(place, "hunter2")
	require.NoError(t, err)
	require.NotEqual(t, sealed, again)

	rotated, err := auth.NewSealer(newKeys(t, secretB, secretA))
	require.NoError(t, err)
	opened, err := rotated.Open(place, sealed)
	require.NoError(t, err)
	require.Equal(t, "hunter2", opened)

	gone, err := auth.NewSealer(newKeys(t, secretB))
	require.NoError(t, err)
	_, err = gone.Open(place, sealed)
	require.ErrorIs(t, err, auth.ErrSealed)

	for name, moved := range map[string]uptime.SecretPlace{
		"Workspace": {WorkspaceID: 2, Table: "monitors", RowKey: "k", Field: "http.url"},
		"Table":     {WorkspaceID: 1, Table: "channels", RowKey: "k", Field: "http.url"},
		"Row":       {WorkspaceID: 1, Table: "monitors", RowKey: "l", Field: "http.url"},
		"Field":     {WorkspaceID: 1, Table: "monitors", RowKey: "k", Field: "http.body"},
		"Shifted":   {WorkspaceID: 1, Table: "monitor", RowKey: "sk", Field: "http.url"},
	} {
		_, err := old.Open(moved, sealed)
		require.ErrorIs(t, err, auth.ErrSealed, name)
	}
	flipped := []byte(sealed)
	flipped[len(flipped)-5] ^= 1
	for _, bad := range []string{"", "hunter2", "s1:", "s1:abc:def", string(flipped), sealed[:30]} {
		_, err := old.Open(place, bad)
		require.ErrorIs(t, err, auth.ErrSealed, bad)
	}
	require.False(t, auth.IsSealed("s1:plain"))

	place.Plain = true
	opened, err = old.Open(place, "hunter2")
	require.NoError(t, err)
	require.Equal(t, "hunter2", opened, "it was stored before it counted as secret")
	for _, bad := range []string{"s1:", "s1:abc:def", string(flipped), sealed[:30]} {
		_, err := old.Open(place, bad)
		require.ErrorIs(t, err, auth.ErrSealed, bad)
	}
}

func TestKeysOfSealedValues(t *testing.T) {
	t.Parallel()
	both := newKeys(t, secretB, secretA)
	a, b := newKeys(t, secretA).ID(), newKeys(t, secretB).ID()
	require.Equal(t, b, both.ID())
	require.True(t, both.Knows(a))
	require.False(t, newKeys(t, secretA).Knows(b))
	require.Equal(t, []string{newKeys(t, secretA).Digest([]byte("x"))}, both.OlderDigests([]byte("x")))
	sealer, err := auth.NewSealer(both)
	require.NoError(t, err)
	require.Equal(t, []string{b, a}, sealer.Known())
	place := uptime.SecretPlace{Table: "monitors", RowKey: "k", Field: "http.url"}
	byA, err := sealer.SealBy(a, place, "hunter2")
	require.NoError(t, err)
	byB, err := sealer.Seal(place, "hunter2")
	require.NoError(t, err)
	id, ok := sealer.KeyOf(byA)
	require.True(t, ok)
	require.Equal(t, a, id)
	_, ok = sealer.KeyOf("hunter2")
	require.False(t, ok)
	_, err = sealer.SealBy("0123456789abcdef", place, "x")
	require.Error(t, err)
	text := `{"url":"https://u:` + strings.ReplaceAll(byA, ":", "%3A") + `@h","token":"` + byB + `","note":"s1: is no key"}`
	require.Equal(t, []string{a, b}, auth.KeysIn(text))
}

// TestSecretIsNotMadeUnasked: who says that the old one is needed keeps a new one from
// being made, and hears which previous secrets there are.
func TestSecretIsNotMadeUnasked(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	needed := errors.New("the old one is needed")
	a := newKeys(t, secretA).ID()
	_, err := auth.LoadSecret(dir, "", nil, func(before auth.Keys) error {
		require.False(t, before.Knows(a))
		return needed
	})
	require.ErrorIs(t, err, needed)
	require.NoDirExists(t, dir)
	require.Empty(t, auth.KeptKey(dir))
	keys, err := auth.LoadSecret(dir, "", []string{secretA}, func(before auth.Keys) error {
		require.True(t, before.Knows(a))
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, keys.ID(), auth.KeptKey(dir))
	_, err = auth.LoadSecret(dir, "", nil, func(auth.Keys) error { return needed })
	require.NoError(t, err, "nothing is made, nothing is asked")
}

func TestOpaqueTokens(t *testing.T) {
	t.Parallel()
	var s auth.Secrets
	secret, hash := s.New("mon_")
	require.Regexp(t, `^mon_[a-z2-7]{52}$`, secret)
	require.Equal(t, hash, s.Hash(secret))
	require.Len(t, hash, 64)
	require.Regexp(t, `^[a-z2-7]{26}$`, auth.ID())
	first, second := auth.ID(), auth.ID()
	require.NotEqual(t, first, second)
}

func issue(t *testing.T, keys auth.Keys, now time.Time) (string, uptime.AccessClaims) {
	t.Helper()
	claims := uptime.AccessClaims{
		UserID: 7, WorkspaceID: 1, Session: "family",
		IssuedAt: now.Truncate(time.Millisecond), ExpiresAt: now.Add(15 * time.Minute).Truncate(time.Second),
	}
	token, err := auth.NewAccessTokens(keys).Sign(claims)
	require.NoError(t, err)
	return token, claims
}

func TestAccessTokens(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	token, claims := issue(t, newKeys(t, secretA), now)
	got, err := auth.NewAccessTokens(newKeys(t, secretA)).Parse(token, now.Add(14*time.Minute))
	require.NoError(t, err)
	require.Equal(t, claims, got)

	_, err = auth.NewAccessTokens(newKeys(t, secretB, secretA)).Parse(token, now)
	require.NoError(t, err, "a previous secret still verifies")
	_, err = auth.NewAccessTokens(newKeys(t, secretB)).Parse(token, now)
	require.ErrorIs(t, err, auth.ErrBadToken)
	_, err = auth.NewAccessTokens(newKeys(t, secretA)).Parse(token, now.Add(15*time.Minute+3*time.Second))
	require.ErrorIs(t, err, auth.ErrBadToken, "ended")
	_, err = auth.NewAccessTokens(newKeys(t, secretA)).Parse(token, now.Add(-time.Minute))
	require.ErrorIs(t, err, auth.ErrBadToken, "issued in the future")
}

// TestHostileAccessTokens signs each with the right key where it can, so that
// nothing but the flaw itself makes it refused.
func TestHostileAccessTokens(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	good, _ := issue(t, newKeys(t, secretA), now)
	tokens := auth.NewAccessTokens(newKeys(t, secretA))
	parts := strings.Split(good, ".")
	var header map[string]any
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &header))
	with := func(change map[string]any) string {
		copied := map[string]any{}
		maps.Copy(copied, header)
		maps.Copy(copied, change)
		out, err := json.Marshal(copied)
		require.NoError(t, err)
		return base64.RawURLEncoding.EncodeToString(out) + "." + parts[1] + "." + parts[2]
	}
	other, err := jws.Sign([]byte(`{"iss":"monitor","aud":["monitor-api"],"sub":"7","ws":"1","sid":"family","iat_ms":"1","exp":99999999999}`),
		jws.WithKey(jwa.HS256, []byte(secretA)))
	require.NoError(t, err)
	for name, token := range map[string]string{
		"Empty":             "",
		"Words":             "not a token",
		"TwoParts":          parts[0] + "." + parts[1],
		"FourParts":         good + ".x",
		"NoSignature":       parts[0] + "." + parts[1] + ".",
		"WrongSignature":    parts[0] + "." + parts[1] + "." + strings.Repeat("A", 43),
		"ChangedPayload":    parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"1"}`)) + "." + parts[2],
		"AlgNone":           with(map[string]any{"alg": "none"}),
		"AlgNoneUnsigned":   strings.TrimSuffix(with(map[string]any{"alg": "none"}), parts[2]),
		"AlgHS512":          with(map[string]any{"alg": "HS512"}),
		"AlgRS256":          with(map[string]any{"alg": "RS256"}),
		"UnknownKey":        with(map[string]any{"kid": "0123456789abcdef"}),
		"KeyIsAPath":        with(map[string]any{"kid": "../../dev/null"}),
		"KeyIsANumber":      with(map[string]any{"kid": 1}),
		"JKU":               with(map[string]any{"jku": "https://evil.example/keys"}),
		"JWK":               with(map[string]any{"jwk": map[string]any{"kty": "oct", "k": "AA"}}),
		"Critical":          with(map[string]any{"crit": []string{"exp"}}),
		"Unencoded":         with(map[string]any{"b64": false}),
		"WrongType":         with(map[string]any{"typ": "JWT"}),
		"NoHeader":          "." + parts[1] + "." + parts[2],
		"HeaderNotJSON":     "AAAA." + parts[1] + "." + parts[2],
		"JSONSerialization": `{"payload":"` + parts[1] + `","signatures":[]}`,
		"SecretItself":      string(other),
		"Oversized":         parts[0] + "." + strings.Repeat("A", 9<<10) + "." + parts[2],
		"NUL":               good + "\x00",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tokens.Parse(token, now)
			require.ErrorIs(t, err, auth.ErrBadToken)
		})
	}
}
