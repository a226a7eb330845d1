package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const leastOIDC = "http:\n  public_url: https://status.example.com\nauth:\n  oidc:\n    issuer: https://id.example.com/realms/main\n    client_id: monitor\n"

func TestOIDC(t *testing.T) {
	t.Parallel()
	c, err := load(t, leastOIDC+"    admin_groups: [\"cn=ops,ou=groups\", sre]\n", map[string]string{
		"MONITOR_AUTH_OIDC_CLIENT_SECRET": "hunter2hunter2", "MONITOR_AUTH_OIDC_EDITOR_GROUPS": "dev, qa",
		"MONITOR_AUTH_OIDC_SCOPES": "openid profile email groups",
	})
	require.NoError(t, err)
	require.Equal(t, []string{"cn=ops,ou=groups", "sre"}, c.OIDC.AdminGroups, "a file can hold names with commas")
	require.Equal(t, []string{"dev", "qa"}, c.OIDC.EditorGroups)
	require.Equal(t, []string{"openid", "profile", "email", "groups"}, c.OIDC.AskedScopes())
	require.True(t, c.OIDC.Mapped())
	require.True(t, c.OIDC.AllowSignUp)
	require.Equal(t, "SSO", c.OIDC.Name)
	var b strings.Builder
	require.NoError(t, c.Print(&b))
	require.Contains(t, b.String(), `auth.oidc.client_secret: "********"`)
	require.Contains(t, b.String(), `auth.oidc.admin_groups: ["cn=ops,ou=groups", "sre"]`)
	require.NotContains(t, b.String(), "hunter2")

	c, err = load(t, "", nil)
	require.NoError(t, err)
	require.Empty(t, c.OIDC.Issuer)
	require.False(t, c.OIDC.Mapped())
}

func TestOIDCRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, file, want string }{
		{"Issuer", "auth:\n  oidc:\n    issuer: id.example.com", `auth.oidc.issuer = "id.example.com" (file): must be empty or the absolute address`},
		{"IssuerWithQuery", "auth:\n  oidc:\n    issuer: https://id.example.com/?x=1", `auth.oidc.issuer`},
		{"NoClient", "http:\n  public_url: https://a.example\nauth:\n  oidc:\n    issuer: https://id.example.com", `auth.oidc.client_id: must be set with auth.oidc.issuer`},
		{"NoPublicURL", "auth:\n  oidc:\n    issuer: https://id.example.com\n    client_id: x", `http.public_url: must be set with auth.oidc.issuer: the provider sends people back to it, at /login/oidc/callback`},
		{"NoOpenID", leastOIDC + "    scopes: [profile]", `auth.oidc.scopes: must have openid among them`},
		{"Scope", leastOIDC + "    scopes: ['open\"id']", `auth.oidc.scopes`},
		{"Role", leastOIDC + "    default_role: king", `auth.oidc.default_role = "king" (file): must be empty or one of owner, admin, editor, viewer`},
		{"Name", leastOIDC + "    name: \" \"", `auth.oidc.name = " " (file): must be 1 to 60 characters`},
		{"LongName", leastOIDC + "    name: " + strings.Repeat("x", 61), `must be 1 to 60 characters on one line`},
		{"Domain", leastOIDC + "    email_domains: [\"a@example.com\"]", `auth.oidc.email_domains = "[a@example.com]" (file): must be domains`},
		{"NoClaim", leastOIDC + "    groups_claim: \"\"\n    viewer_groups: [all]", `auth.oidc.groups_claim: must be set where groups give roles`},
		{"SecretAlone", "auth:\n  oidc:\n    client_secret: hunter2hunter2", `auth.oidc.client_secret: does nothing without auth.oidc.issuer`},
		{"GroupsAlone", "auth:\n  oidc:\n    owner_groups: [x]", `auth.oidc.owner_groups: does nothing without auth.oidc.issuer`},
		{"Unknown", "auth:\n  oidc:\n    isuer: x", `auth.oidc.isuer (file): there is no such setting`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := load(t, c.file, nil)
			var problems ProblemsError
			require.ErrorAs(t, err, &problems)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}
