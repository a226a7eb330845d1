package app

import (
	"strings"

	"monitor/config"
	"monitor/modules/auth"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// provider is where people log in by OpenID Connect. It is dialled through the guard, as
// the mail server of the settings is: what its metadata name may be anything.
func (p *process) provider() *auth.OIDC {
	o := p.cfg.OIDC
	params := auth.OIDCParams{
		Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret.Reveal(),
		RedirectURL: strings.TrimSuffix(p.cfg.HTTP.PublicURL, "/") + "/login/oidc/callback",
		Name:        o.Name, Scopes: o.AskedScopes(), Dial: p.guard.DialContext, Clock: p.clock,
	}
	if o.Mapped() {
		params.GroupsClaim = o.GroupsClaim
	}
	return auth.NewOIDC(params)
}

func oidcConfig(cfg *config.Config) manage.OIDCConfig {
	o := cfg.OIDC
	c := manage.OIDCConfig{
		Name: o.Name, DefaultRole: uptime.Role(o.DefaultRole), SignUp: o.AllowSignUp, TrustEmail: o.TrustEmail,
		Groups: map[uptime.Role][]string{
			uptime.RoleOwner: o.OwnerGroups, uptime.RoleAdmin: o.AdminGroups,
			uptime.RoleEditor: o.EditorGroups, uptime.RoleViewer: o.ViewerGroups,
		},
	}
	for _, domain := range o.EmailDomains {
		c.EmailDomains = append(c.EmailDomains, strings.ToLower(domain))
	}
	return c
}
