package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/auth"
	"monitor/modules/uptime"
)

// A token has one spelling: another that means the same is refused.
func TestAccessTokensHaveOneForm(t *testing.T) {
	t.Parallel()
	keys, err := auth.NewKeys(strings.Repeat("k", auth.MinSecretLength), nil)
	require.NoError(t, err)
	tokens, now := auth.NewAccessTokens(keys), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	token, err := tokens.Sign(uptime.AccessClaims{
		UserID: 7, WorkspaceID: 1, Session: "family", IssuedAt: now, ExpiresAt: now.Add(time.Minute),
	})
	require.NoError(t, err)
	_, err = tokens.Parse(token, now)
	require.NoError(t, err)
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	// The last of 43 characters holds two bits that belong to no byte.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, signature[len(signature)-1])
	for name, other := range map[string]string{
		"Padded":     token + "=",
		"StrayBits":  token[:len(token)-1] + alphabet[last|1:(last|1)+1],
		"NewLine":    header + "." + payload + "\n." + signature,
		"LineBefore": "\n" + token,
	} {
		require.NotEqual(t, token, other, name)
		_, err := tokens.Parse(other, now)
		require.ErrorIs(t, err, auth.ErrBadToken, name)
	}
}
