package probe

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

const (
	maxExcerpt         = 2 << 10
	maxEvidenceHeaders = 32
	maxEvidenceValue   = 256
)

// scrubber removes the monitor's own secrets from text that a target sent: some
// echo what they were asked.
type scrubber struct{ replacer *strings.Replacer }

// newScrubber collects the secrets of settings; a user and password also as the
// header that they become.
func newScrubber(settings any, target *url.URL) scrubber {
	var secrets []string
	// The visitor gives no error, so there is none.
	_ = form.Secrets(settings, func(_, value string) (string, error) {
		secrets = append(secrets, value)
		return value, nil
	})
	if target != nil && target.User != nil {
		password, _ := target.User.Password()
		secrets = append(secrets, basic(target.User.Username(), password))
	}
	var pairs []string
	for _, way := range form.Spellings(secrets...) {
		pairs = append(pairs, way, form.Mask)
	}
	return scrubber{strings.NewReplacer(pairs...)}
}

func basic(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}

func (s scrubber) line(text string, limit int) string {
	return uptime.CleanLine(s.replacer.Replace(text), limit)
}

// headers picks what may be shown of an answer's headers.
func (s scrubber) headers(all http.Header) map[string]string {
	names := make([]string, 0, len(all))
	for name := range all {
		if !carriesSecret(name) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	shown := make(map[string]string, min(len(names), maxEvidenceHeaders))
	for _, name := range names[:min(len(names), maxEvidenceHeaders)] {
		value := strings.Join(all[name], ", ")
		if strings.EqualFold(name, "Location") || strings.EqualFold(name, "Content-Location") {
			value = address(value)
		}
		shown[uptime.CleanLine(name, 100)] = s.line(value, maxEvidenceValue)
	}
	return shown
}

// carriesSecret reports headers whose values let their reader in somewhere.
func carriesSecret(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(
		[]string{"cookie", "auth", "token", "secret", "session", "api-key", "apikey", "password", "credential", "csrf", "xsrf"},
		func(part string) bool { return strings.Contains(name, part) },
	)
}

// address of a link without what may be secret in it: user, query and fragment.
func address(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.Fragment, u.RawFragment = nil, "", "", ""
	return u.String()
}
