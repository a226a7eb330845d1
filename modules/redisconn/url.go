package redisconn

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unicode"
)

// kind is what stands behind an address.
type kind int

const (
	single kind = iota
	sentinel
	cluster
)

// target is a parsed address. It holds secrets: never log it.
type target struct {
	kind     kind
	addrs    []string
	username string
	password string
	database int
	// master and sentinelUser, sentinelPassword are of Sentinel.
	master                         string
	sentinelUser, sentinelPassword string
	tls                            *tls.Config
}

// The ports that an address without one gets.
const (
	redisPort    = "6379"
	sentinelPort = "26379"
)

// Check says in words what is wrong with an address; nil: Open takes it. It never
// repeats any of it. A file of authorities that the address names is read.
func Check(address string) error {
	_, err := parse(address)
	return err
}

// parse reads an address. Its errors repeat nothing of it, not even a host or the
// name of an option: an unescaped / or ? in a password makes one look like these.
func parse(text string) (target, error) {
	var t target
	secure, rest, err := t.scheme(text)
	if err != nil {
		return target{}, err
	}
	// Several hosts are no URL: they are cut out before the rest is parsed.
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	hosts := authority
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		hosts = authority[i+1:]
	}
	u, err := url.Parse("redis://" + strings.TrimSuffix(authority, hosts) + "host" + tail)
	if err != nil || u.Fragment != "" {
		return target{}, errors.New("user, password, path or options are not escaped as in a URL")
	}
	t.username = u.User.Username()
	t.password, _ = u.User.Password()
	if t.addrs, err = addresses(hosts, t.kind); err != nil {
		return target{}, err
	}
	if err := t.place(strings.Trim(u.Path, "/")); err != nil {
		return target{}, err
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return target{}, errors.New("its options are not escaped as in a URL")
	}
	if err := t.options(query, secure); err != nil {
		return target{}, err
	}
	return t, nil
}

// scheme reads what stands before "://".
func (t *target) scheme(text string) (secure bool, rest string, err error) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return false, "", errors.New("it has no scheme such as redis://")
	}
	switch scheme {
	case "redis", "rediss":
		t.kind = single
	case "redis+sentinel", "rediss+sentinel":
		t.kind = sentinel
	case "redis+cluster", "rediss+cluster":
		t.kind = cluster
	default:
		return false, "", errors.New("its scheme is not redis, redis+sentinel or redis+cluster (rediss… for TLS)")
	}
	return strings.HasPrefix(scheme, "rediss"), rest, nil
}

// addresses splits a list of hosts and gives each a port.
func addresses(list string, k kind) ([]string, error) {
	own := redisPort
	if k == sentinel {
		own = sentinelPort
	}
	var out []string
	for host := range strings.SplitSeq(list, ",") {
		address, err := withPort(host, own)
		if err != nil {
			return nil, err
		}
		out = append(out, address)
	}
	if k == single && len(out) > 1 {
		return nil, errors.New("it names several hosts: say redis+sentinel:// or redis+cluster://")
	}
	return out, nil
}

func withPort(host, own string) (string, error) {
	name, port := host, own
	bare := strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]")
	switch {
	case bare:
		name = host[1 : len(host)-1]
	case strings.Contains(host, ":"):
		var err error
		if name, port, err = net.SplitHostPort(host); err != nil {
			return "", errors.New("a host is not host:port (an IPv6 address stands in brackets)")
		}
	}
	if name == "" {
		return "", errors.New("a host is empty")
	}
	if _, err := netip.ParseAddr(name); err != nil && strings.ContainsFunc(name, notOfHost) {
		return "", errors.New("a host has characters that no host has")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", errors.New("a port is not a number from 1 to 65535")
	}
	return net.JoinHostPort(name, port), nil
}

func notOfHost(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(".-_", r)
}

// place reads the path: /database, of Sentinel /master/database.
func (t *target) place(path string) error {
	if t.kind == cluster {
		if path != "" && path != "0" {
			return errors.New("a cluster has database 0 only")
		}
		return nil
	}
	if t.kind == sentinel {
		t.master, path, _ = strings.Cut(path, "/")
		if t.master == "" {
			return errors.New("the name of the master is missing: redis+sentinel://h1:26379,h2:26379/<master>/<db>")
		}
	}
	if path == "" {
		return nil
	}
	n, err := strconv.Atoi(path)
	if err != nil || n < 0 {
		return errors.New("the database is not a number from 0")
	}
	t.database = n
	return nil
}

// options reads the query. Unknown names are refused: a misspelt one would leave
// a connection less safe than was meant.
func (t *target) options(query url.Values, secure bool) error {
	var authorities, insecure string
	for name, values := range query {
		value := values[len(values)-1]
		switch name {
		case "sentinel_username":
			t.sentinelUser = value
		case "sentinel_password":
			t.sentinelPassword = value
		case "tls_ca_file":
			authorities = value
		case "tls_skip_verify":
			insecure = value
		default:
			return errors.New("an option is not known: there are sentinel_username, sentinel_password, tls_ca_file and tls_skip_verify")
		}
	}
	if t.kind != sentinel && (t.sentinelUser != "" || t.sentinelPassword != "") {
		return errors.New("options of Sentinel need a scheme that ends with +sentinel")
	}
	if !secure {
		if authorities != "" || insecure != "" {
			return errors.New("options of TLS need a scheme that starts with rediss")
		}
		return nil
	}
	// The name to verify is each server's own, which the dialer sets.
	t.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	if insecure != "" {
		skip, err := strconv.ParseBool(insecure)
		if err != nil {
			return errors.New("tls_skip_verify is not true or false")
		}
		t.tls.InsecureSkipVerify = skip
	}
	return t.trust(authorities)
}

// trust reads the file of authorities; none: those of the system.
func (t *target) trust(file string) error {
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	var cause syscall.Errno // without the path, which is part of the address
	switch {
	case errors.As(err, &cause):
		return fmt.Errorf("its tls_ca_file cannot be read: %w", cause)
	case err != nil:
		return errors.New("its tls_ca_file cannot be read")
	}
	t.tls.RootCAs = x509.NewCertPool()
	if !t.tls.RootCAs.AppendCertsFromPEM(pem) {
		return errors.New("its tls_ca_file holds no certificate in PEM")
	}
	return nil
}
