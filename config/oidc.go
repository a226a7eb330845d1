package config

import (
	"slices"
	"strings"
	"unicode"
)

// maxLabel is how long the name of a provider may be: it stands on a button.
const maxLabel = 60

// allowedOfOIDC says for people what the rules of auth.oidc accept.
func allowedOfOIDC(rule string) string {
	switch rule {
	case "issuer":
		return `empty or the absolute address that the provider calls its issuer, such as "https://id.example.com/realms/main", without query and fragment`
	case "label":
		return "1 to 60 characters on one line"
	case "scopes":
		return `words such as "openid", without spaces and quotes`
	case "domains":
		return `domains such as "example.com"`
	}
	return ""
}

func acceptsOfOIDC(rule, text string) bool {
	switch rule {
	case "issuer":
		return text == "" || isPublicURL(text)
	case "label":
		return strings.TrimSpace(text) != "" && len([]rune(text)) <= maxLabel && !strings.ContainsFunc(text, unicode.IsControl)
	case "scopes":
		// RFC 6749, 3.3; several may stand in one text, as providers write them.
		return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' })
	case "domains":
		return strings.Contains(text, ".") && !strings.ContainsAny(text, "@/: ") && !strings.HasPrefix(text, ".") && !strings.HasSuffix(text, ".")
	}
	return false
}

// AskedScopes are the scopes one by one, also where several stand in one text.
func (o OIDC) AskedScopes() []string { return strings.Fields(strings.Join(o.Scopes, " ")) }

// Mapped reports that groups decide on roles.
func (o OIDC) Mapped() bool {
	return len(o.OwnerGroups)+len(o.AdminGroups)+len(o.EditorGroups)+len(o.ViewerGroups) > 0
}

// togetherOIDC checks what the settings of auth.oidc say about each other and the rest.
func (c *Config) togetherOIDC(add func(key, message string)) {
	o := c.OIDC
	if o.Issuer == "" {
		for _, one := range []struct {
			key string
			set bool
		}{
			{"client_id", o.ClientID != ""},
			{"client_secret", o.ClientSecret != ""},
			{"owner_groups", len(o.OwnerGroups) > 0},
			{"admin_groups", len(o.AdminGroups) > 0},
			{"editor_groups", len(o.EditorGroups) > 0},
			{"viewer_groups", len(o.ViewerGroups) > 0},
			{"default_role", o.DefaultRole != ""},
			{"email_domains", len(o.EmailDomains) > 0},
		} {
			if one.set {
				add("auth.oidc."+one.key, "does nothing without auth.oidc.issuer")
			}
		}
		return
	}
	if o.ClientID == "" {
		add("auth.oidc.client_id", "must be set with auth.oidc.issuer")
	}
	if c.HTTP.PublicURL == "" {
		add("http.public_url", "must be set with auth.oidc.issuer: the provider sends people back to it, at /login/oidc/callback")
	}
	if !slices.Contains(o.AskedScopes(), "openid") {
		add("auth.oidc.scopes", "must have openid among them")
	}
	if o.Mapped() && o.GroupsClaim == "" {
		add("auth.oidc.groups_claim", "must be set where groups give roles")
	}
}
