package auth

import (
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/lestrrat-go/jwx/v2/jwt"
	"github.com/stretchr/testify/require"
)

// TestForeignClaims: signed by the right key, but not meant for here.
func TestForeignClaims(t *testing.T) {
	t.Parallel()
	keys, err := NewKeys("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", nil)
	require.NoError(t, err)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	sign := func(change func(b *jwt.Builder)) string {
		b := jwt.NewBuilder().Issuer(tokenIssuer).Audience([]string{tokenAudience}).Subject("7").IssuedAt(now).Expiration(now.Add(time.Minute)).
			Claim(claimWorkspace, "1").Claim(claimSession, "family").Claim(claimIssuedMS, "1767323045000")
		change(b)
		token, err := b.Build()
		require.NoError(t, err)
		headers := jws.NewHeaders()
		require.NoError(t, headers.Set(jws.KeyIDKey, keys.current.id))
		require.NoError(t, headers.Set(jws.TypeKey, tokenType))
		signed, err := jwt.Sign(token, jwt.WithKey(jwa.HS256, keys.current.jwt, jws.WithProtectedHeaders(headers)))
		require.NoError(t, err)
		return string(signed)
	}
	tokens := NewAccessTokens(keys)
	_, err = tokens.Parse(sign(func(*jwt.Builder) {}), now)
	require.NoError(t, err)
	for name, change := range map[string]func(b *jwt.Builder){
		"Issuer":       func(b *jwt.Builder) { b.Issuer("evil") },
		"Audience":     func(b *jwt.Builder) { b.Audience([]string{"other"}) },
		"NotYet":       func(b *jwt.Builder) { b.NotBefore(now.Add(time.Minute)) },
		"Ended":        func(b *jwt.Builder) { b.Expiration(now.Add(-time.Minute)) },
		"EndsNever":    func(b *jwt.Builder) { b.Expiration(time.Time{}) },
		"Subject":      func(b *jwt.Builder) { b.Subject("root") },
		"ZeroSubject":  func(b *jwt.Builder) { b.Subject("0") },
		"HugeSubject":  func(b *jwt.Builder) { b.Subject("99999999999999999999") },
		"Workspace":    func(b *jwt.Builder) { b.Claim(claimWorkspace, 1) },
		"NoSession":    func(b *jwt.Builder) { b.Claim(claimSession, "") },
		"SessionType":  func(b *jwt.Builder) { b.Claim(claimSession, []string{"x"}) },
		"IssuedMSType": func(b *jwt.Builder) { b.Claim(claimIssuedMS, true) },
	} {
		_, err := tokens.Parse(sign(change), now)
		require.ErrorIs(t, err, ErrBadToken, name)
	}
}
