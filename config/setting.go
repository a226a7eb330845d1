package config

import (
	"net/url"
	"reflect"
	"strings"
	"time"

	"monitor/modules/form"
	"monitor/modules/outbound"
)

// Source is where a value comes from.
type Source string

// The sources, strongest first.
const (
	FromFlag    Source = "flag"
	FromEnv     Source = "env"
	FromFile    Source = "file"
	FromDefault Source = "default"
)

// Setting describes one key.
type Setting struct {
	Key     string // "database.url"
	Env     string // "MONITOR_DATABASE_URL"
	Type    string // "text", "secret", "number", "bool", "duration", "list"
	Default string // as in an environment variable: lists comma-separated
	Allowed string // for people: what the rule accepts, "" for anything
	Help    string

	rule   string
	secret bool
	index  []int
}

// Settings lists every key in the order of the tree.
func Settings() []Setting {
	var all []Setting
	root := reflect.TypeFor[Config]()
	for i := range root.NumField() {
		group := root.Field(i)
		if group.Type.Kind() != reflect.Struct {
			continue
		}
		for k := range group.Type.NumField() {
			all = append(all, describe(group.Type.Field(k), []int{i, k}))
		}
	}
	return all
}

func describe(f reflect.StructField, index []int) Setting {
	key := f.Tag.Get("key")
	s := Setting{
		Key: key, Env: envName(key), Type: typeName(f.Type), Default: f.Tag.Get("default"),
		Help: f.Tag.Get("help"), rule: f.Tag.Get("check"), index: index,
		secret: f.Type == reflect.TypeFor[Secret]() || f.Tag.Get("secret") == "true",
	}
	if s.Default == "{cloud-metadata}" {
		s.Default = strings.Join(outbound.DefaultDeny(), ",")
	}
	s.Allowed = allowed(s.rule)
	return s
}

// envName of a key: MONITOR_A_B_C of a.b_c.
func envName(key string) string {
	return "MONITOR_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func typeName(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[Secret]():
		return "secret"
	case t == reflect.TypeFor[time.Duration]():
		return "duration"
	case t.Kind() == reflect.Bool:
		return "bool"
	case t.Kind() == reflect.Int:
		return "number"
	case t.Kind() == reflect.Slice:
		return "list"
	}
	return "text"
}

// show gives a value as it would stand in an environment variable, secrets
// masked.
func (s Setting) show(c *Config) string {
	v := reflect.ValueOf(c).Elem().FieldByIndex(s.index)
	var text string
	switch x := v.Interface().(type) {
	case Secret:
		text = x.Reveal()
	case time.Duration:
		text = form.FormatDuration(x)
	case []string:
		text = strings.Join(x, ",")
	default:
		text = toText(x)
	}
	switch {
	case !s.secret || text == "":
		return text
	case s.rule == "database_url", s.rule == "replica_urls", s.rule == "redis_url":
		return mask(text)
	}
	return Secret(text).String()
}

// mask hides the password of an address, so that one can see what is connected to;
// of what it cannot take apart it hides all.
func mask(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || !strings.Contains(text, "://") || strings.Contains(text, ",") {
		return Secret(text).String()
	}
	for option := range u.Query() { // password, sslpassword, sentinel_password
		if strings.Contains(strings.ToLower(option), "password") {
			return Secret(text).String()
		}
	}
	if _, has := u.User.Password(); has {
		return strings.Replace(u.Redacted(), ":xxxxx@", ":********@", 1)
	}
	return text
}
