package channel

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"net/url"
	"os"
	"slices"
	"strings"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

// maxText is how much of an endpoint's own words is kept, and maxRead how much
// of them is looked at, in bytes.
const (
	maxText = 1 << 10
	maxRead = 4 * maxText
)

// minHidden is the length from which a secret is hidden. Masking a shorter one
// would tell it, by the words that lack it.
const minHidden = 4

// redactor takes secrets out of text from endpoints and libraries.
type redactor struct {
	forms []string // longest first, so that no part of a longer one stays
}

func newRedactor(secrets ...string) redactor {
	var r redactor
	for _, s := range secrets {
		r = r.with(s)
	}
	return r
}

// with hides one more secret in each form in which it is sent or repeated: as
// it is, in a URL, in JSON, in HTML and in base64.
func (r redactor) with(secret string) redactor {
	if secret == "" {
		return r
	}
	quoted, _ := json.Marshal(secret) // a string always can be
	forms := append([]string(nil), r.forms...)
	for _, form := range []string{
		secret,
		strings.Trim(string(quoted), `"`),
		html.EscapeString(secret),
		url.QueryEscape(secret),
		url.PathEscape(secret),
		base64.StdEncoding.EncodeToString([]byte(secret)),
		base64.RawURLEncoding.EncodeToString([]byte(secret)),
	} {
		if len(form) >= minHidden && !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	slices.SortStableFunc(forms, func(a, b string) int { return len(b) - len(a) })
	r = redactor{forms: forms}
	if scheme, token, ok := strings.Cut(secret, " "); ok { // "Bearer …", "Basic …"
		r = r.with(token)
		if login, err := base64.StdEncoding.DecodeString(token); err == nil && strings.EqualFold(scheme, "basic") {
			if username, password, ok := strings.Cut(string(login), ":"); ok {
				r = r.withLogin(username, password)
			}
		}
	}
	return r
}

// withLogin hides a password together with the ways in which HTTP and SMTP
// send it beside a user name.
func (r redactor) withLogin(username, password string) redactor {
	if password == "" {
		return r
	}
	return r.with(password).
		with(base64.StdEncoding.EncodeToString([]byte(username + ":" + password))).
		with(base64.StdEncoding.EncodeToString([]byte("\x00" + username + "\x00" + password)))
}

// clean gives the text without secrets, fit to be stored, at most 1 KiB.
func (r redactor) clean(text string) string {
	// The secrets go first: one that the cap breaks in two would not be found.
	cut := len(text) > maxRead
	if cut {
		text = text[:maxRead]
	}
	for _, f := range r.forms {
		text = strings.ReplaceAll(text, f, form.Mask)
	}
	if cut {
		text = r.trimStart(text)
	}
	return strings.TrimSpace(uptime.Clean(text, maxText))
}

// trimStart cuts the start of a secret off the end of a text that was cut.
func (r redactor) trimStart(text string) string {
	for _, f := range r.forms {
		for n := min(len(f)-1, len(text)); n > 0; n-- {
			if strings.HasSuffix(text, f[:n]) {
				text = text[:len(text)-n]
				break
			}
		}
	}
	return text
}

// hidden is an error of a library with the secrets taken out of its words. Of
// its causes only those without words of their own stay reachable.
type hidden struct {
	text  string
	cause error
}

func (e *hidden) Error() string { return e.text }
func (e *hidden) Unwrap() error { return e.cause }

// plainCause gives what callers may ask for by errors.Is.
func plainCause(ctx context.Context, err error) error {
	for _, known := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) || errors.Is(ctx.Err(), known) {
			return known
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) { // a connection's, set from the context's
		return context.DeadlineExceeded
	}
	return nil
}
