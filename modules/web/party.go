package web

import (
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
	"golang.org/x/net/idna"

	"monitor/modules/lang"
	"monitor/modules/uptime"
)

// party is whom passkeys are made for, or why there can be none here, a key of the
// catalogue. It follows from the
// public address. Where that is not set only somebody at the machine, at localhost, may use
// passkeys: the Host header of a stranger decides nothing.
func (w *Web) party(c echo.Context) (party uptime.RelyingParty, why string) {
	if w.deps.PublicURL != "" {
		return publicParty(w.deps.PublicURL)
	}
	r := uptime.RequestOf(c.Request().Context())
	host, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		host, port = r.Host, ""
	}
	switch {
	case r.Local && host == "localhost":
		return partyOf(w.scheme(c), host, port), ""
	case r.Local:
		return party, lang.Key("Passkeys need the name of a host: open these pages at localhost.")
	}
	return party, lang.Key("Passkeys can be used once the setting http.public_url says where these pages are.")
}

func (w *Web) scheme(c echo.Context) string {
	if w.secure(c) {
		return "https"
	}
	return "http"
}

func publicParty(address string) (party uptime.RelyingParty, why string) {
	u, err := url.Parse(address)
	if err != nil {
		return party, lang.Key("Passkeys need an address that browsers can read in the setting http.public_url.")
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return party, lang.Key("Passkeys need the name of a host, and the address of these pages is an IP address.")
	}
	host, err := idna.Lookup.ToASCII(u.Hostname())
	if err != nil || host == "" {
		return party, lang.Key("Passkeys need the name of a host in the setting http.public_url.")
	}
	if u.Scheme != "https" && host != "localhost" && !strings.HasSuffix(host, ".localhost") {
		return party, lang.Key("Passkeys need HTTPS, which the address of these pages does not have.")
	}
	return partyOf(u.Scheme, host, u.Port()), ""
}

// partyOf writes the origin as browsers do.
func partyOf(scheme, host, port string) uptime.RelyingParty {
	origin := scheme + "://" + host
	if port != "" && (scheme != "https" || port != "443") && (scheme != "http" || port != "80") {
		origin += ":" + port
	}
	return uptime.RelyingParty{ID: host, Origin: origin}
}
