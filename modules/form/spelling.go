package form

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
)

// leastHidden is the length from which a secret is worth hiding. Masking a shorter one
// would tell it, by the words that lack it.
const leastHidden = 4

// Spellings are the ways in which a secret is sent, and in which others repeat it: as it
// is, in a URL, in JSON, in HTML and in base64. Of the value of a header, "Bearer …" or
// "Basic …", also those of what is in it. The longest come first, so that no part of a
// longer one stays where they are replaced in turn.
func Spellings(secrets ...string) []string {
	var all []string
	for _, secret := range secrets {
		all = spell(all, secret)
	}
	slices.SortStableFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

// LoginSpellings are those of a password, and of the ways in which HTTP and SMTP send it
// beside a user name.
func LoginSpellings(username, password string) []string {
	if password == "" {
		return nil
	}
	return Spellings(password,
		base64.StdEncoding.EncodeToString([]byte(username+":"+password)),
		base64.StdEncoding.EncodeToString([]byte("\x00"+username+"\x00"+password)))
}

func spell(all []string, secret string) []string {
	if len(secret) < leastHidden {
		return all
	}
	quoted, _ := json.Marshal(secret) // a string always can be
	plain := unescapedJSON(secret)
	for _, way := range []string{
		secret,
		strings.Trim(string(quoted), `"`),
		plain,
		strings.ReplaceAll(plain, "/", `\/`),
		html.EscapeString(secret),
		url.QueryEscape(secret),
		strings.ReplaceAll(url.QueryEscape(secret), "+", "%20"),
		url.PathEscape(secret),
		escapePassword(secret),
		base64.StdEncoding.EncodeToString([]byte(secret)),
		base64.RawStdEncoding.EncodeToString([]byte(secret)),
		base64.RawURLEncoding.EncodeToString([]byte(secret)),
	} {
		if !slices.Contains(all, way) {
			all = append(all, way)
		}
	}
	scheme, token, ok := strings.Cut(secret, " ")
	if !ok {
		return all
	}
	all = spell(all, token)
	login, err := base64.StdEncoding.DecodeString(token)
	if err != nil || !strings.EqualFold(scheme, "basic") {
		return all
	}
	if username, password, ok := strings.Cut(string(login), ":"); ok {
		for _, way := range LoginSpellings(username, password) {
			if !slices.Contains(all, way) {
				all = append(all, way)
			}
		}
	}
	return all
}

// unescapedJSON is a text in JSON that leaves < > & as they are.
func unescapedJSON(text string) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always can be
	return strings.Trim(strings.TrimSpace(out.String()), `"`)
}
