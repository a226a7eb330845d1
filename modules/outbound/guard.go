package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"monitor/modules/uptime"
)

// ErrBlocked is what every refusal is by errors.Is; errors.As with a
// *BlockedError gives the address and the rule.
var ErrBlocked = errors.New(uptime.Sentence("refused by network policy"))

// BlockedError says which address was refused, and why.
type BlockedError struct {
	Addr netip.Addr
	Rule string // "network.deny 169.254.169.254/32", "network.allow_private (10.0.0.0/8)"
}

// Error names the address and the rule.
func (e *BlockedError) Error() string {
	return uptime.Say("%s is refused by %s", e.Addr, e.Rule)
}

// Unwrap gives ErrBlocked.
func (e *BlockedError) Unwrap() error { return ErrBlocked }

// longestDial bounds a dial whose context has no deadline.
const longestDial = 30 * time.Second

// Config says what may be dialled. Entries are CIDRs or single addresses; Allow
// wins over everything else. The zero value refuses private networks only.
type Config struct {
	Deny         []string
	Allow        []string
	AllowPrivate bool
}

// DefaultConfig is the public contract's: metadata addresses are refused,
// private networks allowed.
func DefaultConfig() Config {
	return Config{Deny: DefaultDeny(), AllowPrivate: true}
}

// Guard dials what the policy allows. It is safe for concurrent use.
type Guard struct {
	allow, deny  []netip.Prefix
	allowPrivate bool
	resolver     *net.Resolver
	dialer       net.Dialer
}

// Option changes a Guard before its first use.
type Option func(*Guard)

// WithResolver resolves names by r instead of the system's resolver. What the
// resolver itself dials is the program's own business and passes no guard.
func WithResolver(r *net.Resolver) Option {
	return func(g *Guard) { g.resolver = r }
}

// New makes a guard. Its error lists every entry that cannot be used.
func New(config Config, options ...Option) (*Guard, error) {
	deny, denyErr := networks("network.deny", config.Deny)
	allow, allowErr := networks("network.allow", config.Allow)
	if err := errors.Join(denyErr, allowErr); err != nil {
		return nil, err
	}
	g := &Guard{allow: allow, deny: deny, allowPrivate: config.AllowPrivate}
	for _, o := range options {
		o(g)
	}
	// KeepAlive off: connections live for one check or message, and the two
	// system calls would be paid for each.
	g.dialer = net.Dialer{Timeout: longestDial, KeepAlive: -1, Resolver: g.resolver, Control: g.control}
	return g, nil
}

// Resolver is what names are resolved by.
func (g *Guard) Resolver() *net.Resolver {
	if g.resolver == nil {
		return net.DefaultResolver
	}
	return g.resolver
}

// Judge gives a *BlockedError for an address that must not be reached.
func (g *Guard) Judge(addr netip.Addr) error {
	if !addr.IsValid() {
		return &BlockedError{Addr: addr, Rule: uptime.Say("the rule that only IP addresses are dialled")}
	}
	var room [3]netip.Addr // every dial is judged: it costs no memory
	for _, form := range forms(room[:0], addr) {
		if rule := g.rule(form); rule != "" {
			return &BlockedError{Addr: addr, Rule: rule}
		}
	}
	return nil
}

// rule names what refuses an address, "" when nothing does.
func (g *Guard) rule(addr netip.Addr) string {
	for _, p := range g.allow {
		if p.Contains(addr) {
			return ""
		}
	}
	for _, p := range g.deny {
		if p.Contains(addr) {
			return "network.deny " + p.String()
		}
	}
	if g.allowPrivate {
		return ""
	}
	if p := private(addr); p != "" {
		return "network.allow_private=false (" + p + ")"
	}
	return ""
}

// control is asked by the net package for each address, right before it
// connects to it.
func (g *Guard) control(_, address string, _ syscall.RawConn) error {
	if ap, err := netip.ParseAddrPort(address); err == nil {
		return g.Judge(ap.Addr())
	}
	addr, err := netip.ParseAddr(address) // raw IP sockets have no port
	if err != nil {
		return fmt.Errorf("judge %q: %w", address, err)
	}
	return g.Judge(addr)
}

// DialContext connects to an address over tcp, udp or ip networks (others are
// refused), with IPv6 and IPv4 raced (RFC 8305). Errors are those of net.Dialer;
// a refusal is ErrBlocked by errors.Is.
func (g *Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if !strings.HasPrefix(network, "tcp") && !strings.HasPrefix(network, "udp") && !strings.HasPrefix(network, "ip") {
		return nil, fmt.Errorf("dial %s: %w: not an IP network", network, ErrBlocked)
	}
	return g.dialer.DialContext(ctx, network, address)
}

// DialTLS connects and makes the TLS handshake. config may be nil; an empty
// ServerName is taken from the address.
func (g *Guard) DialTLS(ctx context.Context, network, address string, config *tls.Config) (*tls.Conn, error) {
	conn, err := g.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	config = config.Clone()
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			host = address
		}
		config.ServerName = host
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // has failed already: its error says nothing new
		return nil, err
	}
	return secure, nil
}
