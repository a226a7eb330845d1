package config

import (
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"monitor/modules/form"
	"monitor/modules/redisconn"
)

// allowed says for people what a rule accepts.
func allowed(rule string) string {
	if low, high, ok := bounds(rule); ok {
		return fmt.Sprintf("from %s to %s", low, high)
	}
	if strings.Contains(rule, "|") {
		words := strings.Split(rule, "|")
		if words[0] == "" {
			return "empty or one of " + strings.Join(words[1:], ", ")
		}
		return "one of " + strings.Join(words, ", ")
	}
	switch rule {
	case "required":
		return "not empty"
	case "database_url":
		return "empty, postgres://user:password@host:port/database or sqlite:///path/to/file"
	case "replica_urls":
		return "a list of postgres:// addresses"
	case "redis_url":
		return "empty or an address that starts with redis://, rediss://, redis+sentinel:// or redis+cluster:// (rediss+… for TLS)"
	case "addr":
		return `host:port or :port, such as ":8080" or "127.0.0.1:8080"`
	case "addr_or_empty":
		return `empty, or host:port or :port, such as ":9090"`
	case "public_url":
		return `empty or an absolute address such as "https://status.example.com", without query and fragment`
	case "cidrs":
		return `addresses or CIDRs, such as "10.0.0.0/8" or "192.0.2.1"`
	case "secret", "secrets":
		return "at least 32 characters"
	case "email_or_empty":
		return `empty or one address such as "ops@example.com"`
	case "password_or_empty":
		return "empty or at least 12 characters"
	case "region":
		return "1 to 63 letters, digits, dots, hyphens or underscores"
	case "canaries":
		return `host:port addresses such as "example.com:443"`
	case "retention":
		return "0s (for ever) or from 1d"
	}
	return allowedOfOIDC(rule)
}

// bounds of a rule like "1-100" or "1s-5m".
func bounds(rule string) (low, high string, ok bool) {
	low, high, ok = strings.Cut(rule, "-")
	return low, high, ok && low != "" && low[0] >= '0' && low[0] <= '9'
}

// check gives "" or a sentence that says what is allowed.
func check(rule string, v reflect.Value) string {
	if rule == "" || accepts(rule, v) {
		return ""
	}
	return "must be " + allowed(rule)
}

func accepts(rule string, v reflect.Value) bool {
	if low, high, ok := bounds(rule); ok {
		if v.Type() == reflect.TypeFor[time.Duration]() {
			least, _ := form.ParseDuration(low)
			most, _ := form.ParseDuration(high)
			d := time.Duration(v.Int())
			return d >= least && d <= most
		}
		least, _ := strconv.ParseInt(low, 10, 64)
		most, _ := strconv.ParseInt(high, 10, 64)
		return v.Int() >= least && v.Int() <= most
	}
	if strings.Contains(rule, "|") {
		return slices.Contains(strings.Split(rule, "|"), v.String())
	}
	switch v.Kind() {
	case reflect.Slice:
		list, _ := reflect.TypeAssert[[]string](v)
		return !slices.ContainsFunc(list, func(item string) bool { return !acceptsText(rule, item) })
	case reflect.Int64:
		d := time.Duration(v.Int())
		return d == 0 || d >= 24*time.Hour
	default:
		return acceptsText(rule, v.String())
	}
}

func acceptsText(rule, text string) bool {
	switch rule {
	case "required":
		return text != ""
	case "database_url":
		return text == "" || isDatabase(text)
	case "replica_urls":
		return hasScheme(text, "postgres", "postgresql") && isDatabase(text)
	case "redis_url":
		return text == "" || hasScheme(text, "redis", "rediss", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster")
	case "addr":
		return isAddr(text)
	case "addr_or_empty":
		return text == "" || isAddr(text)
	case "public_url":
		return text == "" || isPublicURL(text)
	case "cidrs":
		_, err := netip.ParsePrefix(text)
		_, err2 := netip.ParseAddr(text)
		return err == nil || err2 == nil
	case "secret":
		return text == "" || len(text) >= 32
	case "secrets":
		return len(text) >= 32
	case "email_or_empty":
		a, err := mail.ParseAddress(text)
		return text == "" || (err == nil && !strings.ContainsAny(a.Address, "\r\n"))
	case "password_or_empty":
		return text == "" || len([]rune(text)) >= 12
	case "region":
		return isRegion(text)
	case "canaries":
		host, port, err := net.SplitHostPort(text)
		return err == nil && host != "" && isPort(port, 1)
	}
	return acceptsOfOIDC(rule, text)
}

func hasScheme(text string, schemes ...string) bool {
	scheme, rest, ok := strings.Cut(text, "://")
	return ok && rest != "" && slices.Contains(schemes, scheme)
}

func isDatabase(text string) bool {
	u, err := url.Parse(text)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "postgres", "postgresql":
		return u.Host != "" || u.Query().Get("host") != ""
	case "sqlite":
		return u.Host == "" && len(u.Path) > 1
	}
	return false
}

func isAddr(text string) bool {
	_, port, err := net.SplitHostPort(text)
	return err == nil && isPort(port, 0)
}

func isPort(text string, least int) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= least && n <= 65535
}

func isPublicURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
		u.RawQuery == "" && u.Fragment == "" && u.User == nil
}

func isRegion(text string) bool {
	ok := text != "" && len(text) <= 63
	for _, r := range text {
		ok = ok && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r))
	}
	return ok
}

// together checks what several settings say about each other.
func (c *Config) together() ProblemsError {
	var p ProblemsError
	add := func(key, message string) { p = append(p, Problem{Key: key, Message: message}) }
	if (c.Auth.AdminEmail == "") != (c.Auth.AdminPassword == "") {
		add("auth.admin_email", "must be set together with auth.admin_password")
	}
	if c.SMTP.Host != "" && c.SMTP.From == "" {
		add("smtp.from", "must be set when smtp.host is")
	}
	if c.Postgres() && c.Auth.Secret == "" {
		add("auth.secret", "must be set when database.url names PostgreSQL: every process has to use the same one")
	}
	if address := c.Redis.URL.Reveal(); address != "" && acceptsText("redis_url", address) {
		if err := redisconn.Check(address); err != nil {
			add("redis.url", "cannot be used: "+err.Error())
		}
	}
	if len(c.Database.ReplicaURLs) > 0 && !c.Postgres() {
		add("database.replica_urls", "needs a database.url that names PostgreSQL")
	}
	c.togetherOIDC(add)
	return p
}

// Postgres reports whether the store is PostgreSQL.
func (c *Config) Postgres() bool {
	return hasScheme(c.Database.URL.Reveal(), "postgres", "postgresql")
}
