package form

import (
	"reflect"
	"strings"
	"time"

	"github.com/go-playground/validator/v10"
)

// message says in plain words what a broken rule asks for. The value itself is
// never repeated: it may be a secret.
func message(e validator.FieldError) string {
	switch e.Tag() {
	case "required", "required_if", "required_unless", "required_with", "required_without":
		return "is required"
	case "min", "gte":
		return size("at least", e)
	case "max", "lte":
		return size("at most", e)
	case "len", "eq":
		return size("exactly", e)
	case "gt":
		return size("more than", e)
	case "lt":
		return size("less than", e)
	case "oneof", "oneofci":
		return "must be one of " + strings.Join(strings.Fields(e.Param()), ", ")
	case "startswith":
		return "must start with " + e.Param()
	case "startsnotwith":
		return "must not start with " + e.Param()
	case "endswith":
		return "must end with " + e.Param()
	case "contains":
		return "must contain " + e.Param()
	case "excludes", "excludesall", "excludesrune":
		return "must not contain " + strings.ReplaceAll(e.Param(), "0x2C", ",")
	case "excluded_with", "excluded_if", "excluded_unless", "excluded_without":
		return "cannot be used together with the other fields"
	}
	if text := formatMessage(e.Tag()); text != "" {
		return text
	}
	return "is not valid"
}

// formatMessage says what text of a format looks like, "" for unknown rules.
func formatMessage(tag string) string {
	switch tag {
	case "http_url":
		return "must be an absolute http or https URL"
	case "https_url":
		return "must be an absolute https URL"
	case "url":
		return "must be an absolute URL"
	case "uri":
		return "must be a URI"
	case "email":
		return "must be an e-mail address"
	case "hostname", "hostname_rfc1123", "fqdn":
		return "must be a host name"
	case "ip":
		return "must be an IP address"
	case "ipv4":
		return "must be an IPv4 address"
	case "ipv6":
		return "must be an IPv6 address"
	case "cidr":
		return "must be a network such as 10.0.0.0/8"
	case "hostname_port":
		return "must be a host and port such as example.com:443"
	case "port":
		return "must be a port from 1 to 65535"
	case "ip|hostname_rfc1123", "hostname_rfc1123|ip", "hostname|ip", "ip|hostname", "fqdn|ip", "ip|fqdn":
		return "must be a host name or IP address"
	case "numeric", "number":
		return "must be a number"
	case "alpha":
		return "must have letters only"
	case "alphanum":
		return "must have letters and digits only"
	case "ascii", "printascii":
		return "must have plain ASCII characters only"
	case "lowercase":
		return "must be in lower case"
	case "uppercase":
		return "must be in upper case"
	case "hexadecimal":
		return "must be a hexadecimal number"
	case "base64", "base64url", "base64rawurl":
		return "must be base64"
	case "json":
		return "must be JSON"
	case "timezone":
		return "must be a time zone such as Europe/Berlin"
	case "e164":
		return "must be a phone number such as +4930123456"
	case "uuid", "uuid4":
		return "must be a UUID"
	case "cron":
		return "must be a cron expression"
	case "unique":
		return "must not contain anything twice"
	}
	return ""
}

// size says how large a value may be, in the unit of its type.
func size(how string, e validator.FieldError) string {
	switch e.Kind() {
	case reflect.String:
		return "must be " + how + " " + count(e.Param(), "character", "characters")
	case reflect.Slice, reflect.Map, reflect.Array:
		return "must have " + how + " " + count(e.Param(), "entry", "entries")
	default:
	}
	if d, err := time.ParseDuration(e.Param()); err == nil && e.Type() == reflect.TypeFor[time.Duration]() {
		return "must be " + how + " " + FormatDuration(d)
	}
	return "must be " + how + " " + e.Param()
}

func count(n, one, many string) string {
	if n == "1" {
		return n + " " + one
	}
	return n + " " + many
}
