package auth

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"monitor/modules/uptime"
)

// maxSubject is that of OpenID Connect Core 1.0, section 2.
const maxSubject = 255

// oidcClaims are what a provider says of a person, by name.
type oidcClaims map[string]json.RawMessage

// has reports a claim that is there and says something.
func (c oidcClaims) has(name string) bool {
	raw, ok := c[name]
	return ok && string(raw) != "null"
}

// add takes over what is not there yet. The address and whether it was verified belong
// together.
func (c oidcClaims) add(more oidcClaims) {
	if more.has("email") && (!c.has("email") || !c.has("email_verified")) {
		delete(c, "email")
		delete(c, "email_verified")
	}
	for name, raw := range more {
		if !c.has(name) {
			c[name] = raw
		}
	}
}

// person reads what is known by name; issuer and subject are the caller's.
func (c oidcClaims) person(groupsClaim string) uptime.OIDCPerson {
	p := uptime.OIDCPerson{Email: strings.ToLower(strings.TrimSpace(textOf(c["email"]))), Name: textOf(c["name"])}
	if p.Name == "" {
		p.Name = textOf(c["preferred_username"])
	}
	// Some providers send the word.
	verified := string(c["email_verified"])
	p.EmailVerified = verified == "true" || verified == `"true"`
	if raw, ok := c.at(groupsClaim); ok {
		p.Groups = textsOf(raw)
	}
	return p
}

// at finds a claim by its name, else by the path that its dots make, as in
// realm_access.roles.
func (c oidcClaims) at(name string) (json.RawMessage, bool) {
	if name == "" {
		return nil, false
	}
	if c.has(name) {
		return c[name], true
	}
	first, rest, nested := strings.Cut(name, ".")
	if !nested {
		return nil, false
	}
	var inner oidcClaims
	if json.Unmarshal(c[first], &inner) != nil {
		return nil, false
	}
	return inner.at(rest)
}

// textOf is "" for what is no text.
func textOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return ""
	}
	return text
}

// textsOf reads a list of texts or one text; what else is in the list is left out.
func textsOf(raw json.RawMessage) []string {
	if text := textOf(raw); text != "" {
		return []string{text}
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return nil
	}
	var texts []string
	for _, item := range items {
		if text := textOf(item); text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

// checkSubject refuses what cannot be kept as it is: cut or cleaned, it might be
// somebody else's.
func checkSubject(subject string) error {
	switch {
	case subject == "":
		return errors.New("the ID token names no subject")
	case len(subject) > maxSubject:
		return errors.New("the subject of the ID token is too long")
	case !utf8.ValidString(subject) || strings.ContainsFunc(subject, unicode.IsControl) || strings.ContainsRune(subject, utf8.RuneError):
		return errors.New("the subject of the ID token holds control characters")
	}
	return nil
}
