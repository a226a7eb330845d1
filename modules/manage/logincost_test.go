package manage_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// counted counts the hashes that log-ins cost.
type counted struct {
	plain
	hashes int
}

func (c *counted) Verify(ctx context.Context, password, hash string) (bool, error) {
	c.hashes++
	return c.plain.Verify(ctx, password, hash)
}

func (c *counted) VerifyNothing(ctx context.Context, password string) error {
	c.hashes++
	return c.plain.VerifyNothing(ctx, password)
}

// TestLoginCostsTheSame: whoever is logged in as, known or not, costs one hash and hears
// the same.
func TestLoginCostsTheSame(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	for _, body := range []string{
		`{"email":"invited@example.com","role":"viewer"}`,
		`{"email":"gone@example.com","role":"viewer","disabled":true,"password":"` + password + `"}`,
	} {
		_, _, err := b.CreateUser(ctx, b.owner, json.RawMessage(body))
		require.NoError(t, err)
	}
	passwords := &counted{}
	deps := b.deps
	deps.Passwords = passwords
	m := manage.New(deps)
	texts := map[string]bool{}
	for _, email := range []string{"owner@example.com", "nobody@example.com", "invited@example.com", "gone@example.com"} {
		before := passwords.hashes
		_, err := m.Login(ctx, manage.LoginInput{Email: email, Password: "a wrong password", Client: manage.Client{Address: "192.0.2.1"}})
		require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))
		require.Equal(t, 1, passwords.hashes-before, email)
		texts[err.Error()] = true
	}
	require.Len(t, texts, 1)
}
