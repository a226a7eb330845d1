package form

import (
	"cmp"
	"reflect"
	"strings"
	"time"

	"github.com/go-playground/validator/v10"

	"monitor/modules/uptime"
)

// message says in plain words what a broken rule asks for. The value itself is
// never repeated: it may be a secret.
func message(e validator.FieldError) uptime.Sentence {
	switch e.Tag() {
	case "required", "required_if", "required_unless", "required_with", "required_without":
		return "is required"
	case "oneof", "oneofci":
		return uptime.Say("must be one of %s", strings.Join(strings.Fields(e.Param()), ", "))
	case "startswith":
		return uptime.Say("must start with %s", e.Param())
	case "startsnotwith":
		return uptime.Say("must not start with %s", e.Param())
	case "endswith":
		return uptime.Say("must end with %s", e.Param())
	case "contains":
		return uptime.Say("must contain %s", e.Param())
	case "excludes", "excludesall", "excludesrune":
		return uptime.Say("must not contain %s", strings.ReplaceAll(e.Param(), "0x2C", ","))
	case "excluded_with", "excluded_if", "excluded_unless", "excluded_without":
		return "cannot be used together with the other fields"
	}
	if text := cmp.Or(size(e), formatMessage(e.Tag())); text != "" {
		return text
	}
	return "is not valid"
}

// formatMessage says what text of a format looks like, "" for unknown rules.
func formatMessage(tag string) uptime.Sentence {
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

// size says how large a value may be, in the unit of its type; "" for rules of another kind.
func size(e validator.FieldError) string {
	character, characters, entry, entries, value := sizes(e.Tag())
	n, one := e.Param(), e.Param() == "1"
	switch kind := e.Kind(); {
	case value == "":
		return ""
	case kind == reflect.String && one:
		return character
	case kind == reflect.String:
		return uptime.Say(characters, n)
	case (kind == reflect.Slice || kind == reflect.Map || kind == reflect.Array) && one:
		return entry
	case kind == reflect.Slice, kind == reflect.Map, kind == reflect.Array:
		return uptime.Say(entries, n)
	}
	if d, err := time.ParseDuration(n); err == nil && e.Type() == reflect.TypeFor[time.Duration]() {
		n = FormatDuration(d)
	}
	return uptime.Say(value, n)
}

// sizes are what a rule says of text of one character and of more, of lists of one entry
// and of more, and of a number.
func sizes(tag string) (character, characters, entry, entries, value uptime.Sentence) {
	switch tag {
	case "min", "gte":
		return "must be at least 1 character", "must be at least %s characters", "must have at least 1 entry", "must have at least %s entries", "must be at least %s"
	case "max", "lte":
		return "must be at most 1 character", "must be at most %s characters", "must have at most 1 entry", "must have at most %s entries", "must be at most %s"
	case "len", "eq":
		return "must be exactly 1 character", "must be exactly %s characters", "must have exactly 1 entry", "must have exactly %s entries", "must be exactly %s"
	case "gt":
		return "must be more than 1 character", "must be more than %s characters", "must have more than 1 entry", "must have more than %s entries", "must be more than %s"
	case "lt":
		return "must be less than 1 character", "must be less than %s characters", "must have less than 1 entry", "must have less than %s entries", "must be less than %s"
	}
	return "", "", "", "", ""
}
