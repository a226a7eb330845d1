package form

import (
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Mask is what a secret reads as. Writing exactly that leaves it as it was.
const Mask = "********"

// Secrets calls visit for each secret that is set and stores what it returns.
// Paths are without the block's name: "headers.Authorization", "smtp.password",
// "url". For secret:"url" the values are the password, and those of parameters that let
// their reader in somewhere ("url?token"), unescaped; the results take their places in
// the URL. The first error ends the walk; settings may then be partly changed.
func Secrets(settings any, visit func(path, value string) (string, error)) error {
	return walkSecrets("", structOf(settings), visit)
}

// walkSecrets runs for each check, so it looks at the tags alone and makes no
// list of members.
func walkSecrets(parent string, v reflect.Value, visit func(path, value string) (string, error)) error {
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		secret := f.Tag.Get("secret")
		value := v.Field(i)
		if value.Kind() == reflect.Pointer {
			value = value.Elem() // invalid when nil
		}
		if !value.IsValid() || secret == "" && value.Kind() != reflect.Struct {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		path := join(parent, name)
		if f.Anonymous && name == "" {
			path = parent
		}
		var err error
		switch {
		case name == "-" || !f.IsExported() && !f.Anonymous:
		case secret == "url":
			err = visitURL(path, value, visit)
		case secret == "headers":
			err = visitMap(path, value, isSecretHeader, visit)
		case secret == "value":
			err = visitValue(path, value, visit)
		case shapeOf(value.Type()) == shapeGroup:
			err = walkSecrets(path, value, visit)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func visitValue(path string, f reflect.Value, visit func(path, value string) (string, error)) error {
	switch f.Kind() {
	case reflect.Map:
		return visitMap(path, f, func(string) bool { return true }, visit)
	case reflect.Slice:
		for i := range f.Len() {
			if err := visitValue(path+"["+strconv.Itoa(i)+"]", f.Index(i), visit); err != nil {
				return err
			}
		}
	case reflect.String:
		if f.String() == "" {
			return nil
		}
		value, err := visit(path, f.String())
		if err != nil {
			return err
		}
		f.SetString(value)
	default:
		panic("form: a secret must be a string, or a list or map of strings")
	}
	return nil
}

// visitMap replaces the map by a changed copy: the old one may be shared.
func visitMap(path string, f reflect.Value, secret func(key string) bool, visit func(path, value string) (string, error)) error {
	var fresh reflect.Value
	keys := f.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, key := range keys {
		old := f.MapIndex(key).String()
		if old == "" || !secret(key.String()) {
			continue
		}
		value, err := visit(join(path, key.String()), old)
		if err != nil {
			return err
		}
		if value == old {
			continue
		}
		if !fresh.IsValid() {
			fresh = reflect.MakeMapWithSize(f.Type(), f.Len())
			for _, k := range keys {
				fresh.SetMapIndex(k, f.MapIndex(k))
			}
		}
		fresh.SetMapIndex(key, reflect.ValueOf(value).Convert(f.Type().Elem()))
	}
	if fresh.IsValid() {
		f.Set(fresh)
	}
	return nil
}

// isSecretHeader reports headers whose values let their reader in somewhere.
func isSecretHeader(name string) bool {
	name = strings.ToLower(strings.TrimSpace(name))
	switch name {
	case "authorization", "proxy-authorization", "cookie", "x-api-key":
		return true
	}
	return namesSecret(name) || strings.HasPrefix(name, "x-auth-") || strings.HasSuffix(name, "-auth")
}

// isSecretParameter is isSecretHeader for parameters of a URL.
func isSecretParameter(name string) bool {
	switch name = strings.ToLower(name); name {
	case "key", "auth", "authorization", "sig", "signature", "pass", "pwd", "session":
		return true
	}
	return namesSecret(name)
}

// namesSecret reports whether a name, in lower case, is one of those that people give to
// what lets in.
func namesSecret(name string) bool {
	name = strings.NewReplacer("-", "", "_", "", ".", "").Replace(name)
	for _, part := range []string{"token", "secret", "password", "passwd", "apikey", "accesskey", "credential", "sessionid"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

func visitURL(path string, f reflect.Value, visit func(path, value string) (string, error)) error {
	if err := visitPassword(path, f, visit); err != nil {
		return err
	}
	return visitQuery(path, f, visit)
}

func visitPassword(path string, f reflect.Value, visit func(path, value string) (string, error)) error {
	before, password, after, ok := splitPassword(f.String())
	if !ok {
		return nil
	}
	plain, err := url.PathUnescape(password)
	if err != nil {
		plain = password
	}
	value, err := visit(path, plain)
	if err != nil {
		return err
	}
	if value != plain {
		f.SetString(before + escapePassword(value) + after)
	}
	return nil
}

// visitQuery visits the secret parameters of a URL. Like splitPassword it works on the
// text.
func visitQuery(path string, f reflect.Value, visit func(path, value string) (string, error)) error {
	text, fragment := f.String(), ""
	if i := strings.IndexByte(text, '#'); i >= 0 {
		text, fragment = text[:i], text[i:]
	}
	before, query, ok := strings.Cut(text, "?")
	if !ok {
		return nil
	}
	parameters, seen, changed := strings.Split(query, "&"), map[string]int{}, false
	for i, p := range parameters {
		name, escaped, _ := strings.Cut(p, "=")
		plainName := unescapeParameter(name)
		if escaped == "" || !isSecretParameter(plainName) {
			continue
		}
		at := path + "?" + plainName
		if n := seen[at]; n > 0 {
			at += "[" + strconv.Itoa(n) + "]"
		}
		seen[path+"?"+plainName]++
		plain := unescapeParameter(escaped)
		value, err := visit(at, plain)
		if err != nil {
			return err
		}
		if value != plain {
			parameters[i], changed = name+"="+escapeParameter(value), true
		}
	}
	if changed {
		f.SetString(before + "?" + strings.Join(parameters, "&") + fragment)
	}
	return nil
}

func unescapeParameter(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		return plain
	}
	return text
}

// escapeParameter escapes as a query wants it. The mask has nothing to escape, so that
// it stays readable.
func escapeParameter(text string) string { return escape(text, "-._~*:") }

// splitPassword cuts a URL round the password of its user part, still escaped.
// It works on the text: the rest of the URL must come back as it was written,
// and one that net/url cannot parse must not give its password away.
func splitPassword(text string) (before, password, after string, ok bool) {
	scheme := strings.Index(text, "://")
	if scheme < 0 {
		return "", "", "", false
	}
	start := scheme + len("://")
	end := len(text)
	if i := strings.IndexAny(text[start:], "/?#"); i >= 0 {
		end = start + i
	}
	at := strings.LastIndexByte(text[start:end], '@')
	colon := strings.IndexByte(text[start:end], ':')
	if at < 0 || colon < 0 || colon >= at-1 {
		return "", "", "", false
	}
	return text[:start+colon+1], text[start+colon+1 : start+at], text[start+at:], true
}

// escapePassword escapes what may not stand in a URL's user part (RFC 3986,
// 3.2.1). The mask has nothing to escape, so that it stays readable.
func escapePassword(text string) string { return escape(text, "-._~!$&'()*+,;=") }

// escape leaves letters, digits and the bytes of keep as they are.
func escape(text, keep string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(keep, c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// MaskSecrets makes every secret that is set read as Mask.
func MaskSecrets(settings any) {
	// The visitor gives no error, so there is none.
	_ = Secrets(settings, func(string, string) (string, error) { return Mask, nil })
}

// KeepMasked gives secrets that equal Mask the value that they have in old, be
// it sealed or clear; "" where old has none. Names of headers match in any case.
// old may be nil.
func KeepMasked(settings, old any) {
	kept := map[string]string{}
	if old != nil {
		_ = Secrets(old, func(path, value string) (string, error) {
			kept[strings.ToLower(path)] = value
			return value, nil
		})
	}
	_ = Secrets(settings, func(path, value string) (string, error) {
		if value == Mask {
			return kept[strings.ToLower(path)], nil
		}
		return value, nil
	})
}
