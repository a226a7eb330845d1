package outbound

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"code.dny.dev/ssrf"
)

// Network is one that is refused unless settings say otherwise.
type Network struct {
	CIDR string
	What string // for docs
}

// Metadata lists the addresses at which clouds hand out the credentials of a
// machine to anything that runs on it.
func Metadata() []Network {
	return []Network{
		{"169.254.169.254/32", "AWS, Google Cloud, Azure, OpenStack, DigitalOcean, Hetzner, Oracle"},
		{"fd00:ec2::254/128", "AWS over IPv6"},
		{"169.254.170.2/32", "AWS ECS task credentials"},
		{"169.254.170.23/32", "AWS EKS pod identity"},
		{"fd00:ec2::23/128", "AWS EKS pod identity over IPv6"},
		{"fd20:ce::254/128", "Google Cloud over IPv6"},
		{"168.63.129.16/32", "Azure WireServer"},
		{"100.100.100.200/32", "Alibaba Cloud"},
		{"192.0.0.192/32", "Oracle Cloud Classic"},
		{"169.254.0.23/32", "Tencent Cloud"},
		{"169.254.42.42/32", "Scaleway"},
	}
}

// DefaultDeny is the default of network.deny: cloud metadata addresses. The
// slice is the caller's.
func DefaultDeny() []string {
	list := make([]string, 0, len(Metadata()))
	for _, n := range Metadata() {
		list = append(list, n.CIDR)
	}
	return list
}

// networks reads a setting and reports every entry that cannot be used.
func networks(key string, list []string) ([]netip.Prefix, error) {
	all := make([]netip.Prefix, 0, len(list))
	var errs []error
	for _, text := range list {
		p, err := network(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %q is not a network such as 10.0.0.0/8, fd00::/8 or a single address", key, text))
			continue
		}
		all = append(all, p)
	}
	return all, errors.Join(errs...)
}

func network(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("parse network: %w", err)
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

// forms adds to list those of an address, all of which must be fit to be dialled.
func forms(list []netip.Addr, addr netip.Addr) []netip.Addr {
	addr = addr.Unmap().WithZone("")
	list = append(list, addr)
	switch {
	case addr == netip.IPv4Unspecified():
		list = append(list, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	case addr == netip.IPv6Unspecified():
		list = append(list, netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	case addr.Is6():
		if inner, ok := embedded(addr.As16()); ok {
			list = append(list, inner)
		}
	}
	return list
}

// embedded gives the IPv4 address that an IPv6 address leads to.
func embedded(b [16]byte) (netip.Addr, bool) {
	switch {
	case isNAT64(b), isLocalNAT64(b), isTranslated(b), slices.Equal(b[:12], make([]byte, 12)) && b != netip.IPv6Loopback().As16():
		return netip.AddrFrom4([4]byte(b[12:])), true
	case b[0] == 0x20 && b[1] == 0x02:
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return netip.Addr{}, false
}

// isLocalNAT64: 64:ff9b:1::/48 is for a site's own translators (RFC 8215), which
// take the last 32 bits where their prefix is a /96.
func isLocalNAT64(b [16]byte) bool {
	return slices.Equal(b[:6], []byte{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01})
}

// isTranslated: ::ffff:0:a.b.c.d of stateless translation (RFC 2765).
func isTranslated(b [16]byte) bool {
	return slices.Equal(b[:12], []byte{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0})
}

func isNAT64(b [16]byte) bool {
	return ssrf.IPv6NAT64Prefix.Contains(netip.AddrFrom16(b))
}

// private names the special-purpose network of an address, "" for a public one.
func private(addr netip.Addr) string {
	list := ssrf.IPv4DeniedPrefixes
	if addr.Is6() {
		list = ssrf.IPv6DeniedPrefixes
		switch {
		case isNAT64(addr.As16()):
			return "" // the IPv4 address inside is judged
		case !ssrf.IPv6GlobalUnicast.Contains(addr):
			return "outside " + ssrf.IPv6GlobalUnicast.String()
		}
	}
	for _, p := range list {
		if p.Contains(addr) {
			return p.String()
		}
	}
	return ""
}
