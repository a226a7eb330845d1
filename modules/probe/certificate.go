package probe

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"

	"monitor/modules/uptime"
)

// certificateOf tells of the chain that a server sent, nil when it sent none.
func certificateOf(chain []*x509.Certificate, warnDays int) *uptime.Certificate {
	if len(chain) == 0 {
		return nil
	}
	leaf := chain[0]
	sum := sha256.Sum256(leaf.Raw)
	c := &uptime.Certificate{
		Fingerprint: hex.EncodeToString(sum[:]),
		Subject:     uptime.CleanLine(leaf.Subject.CommonName, 200),
		Issuer:      uptime.CleanLine(leaf.Issuer.CommonName, 200),
		NotAfter:    leaf.NotAfter.UTC(),
		WarnDays:    warnDays,
	}
	if c.Subject == "" && len(leaf.DNSNames) > 0 {
		c.Subject = uptime.CleanLine(leaf.DNSNames[0], 200)
	}
	for _, other := range chain[1:] {
		if other.NotAfter.Before(c.NotAfter) {
			c.NotAfter = other.NotAfter.UTC()
		}
	}
	return c
}

// soonest is the certificate that ends first among all hops of a check: whoever
// follows a redirect depends on every one of them.
func soonest(hops []tls.ConnectionState, warnDays int) *uptime.Certificate {
	var first *uptime.Certificate
	for _, hop := range hops {
		c := certificateOf(hop.PeerCertificates, warnDays)
		if c != nil && (first == nil || c.NotAfter.Before(first.NotAfter)) {
			first = c
		}
	}
	return first
}
