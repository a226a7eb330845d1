package channel

import (
	"context"
	"errors"
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

// redactor takes secrets out of text from endpoints and libraries.
type redactor struct {
	forms []string // longest first, so that no part of a longer one stays
}

func newRedactor(secrets ...string) redactor { return redactor{}.hiding(form.Spellings(secrets...)) }

// withLogin hides a password together with the ways in which HTTP and SMTP
// send it beside a user name.
func (r redactor) withLogin(username, password string) redactor {
	return r.hiding(form.LoginSpellings(username, password))
}

func (r redactor) hiding(more []string) redactor {
	forms := slices.Clone(r.forms)
	for _, f := range more {
		if !slices.Contains(forms, f) {
			forms = append(forms, f)
		}
	}
	slices.SortStableFunc(forms, func(a, b string) int { return len(b) - len(a) })
	return redactor{forms: forms}
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
