package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"monitor/modules/form"
)

// Problem is one setting that cannot be used.
type Problem struct {
	Key     string
	Value   string // masked where it is a secret; "" for an unknown key
	Source  Source
	Message string // what is allowed
}

// ProblemsError is all settings that cannot be used.
type ProblemsError []Problem

// Error lists them, one on a line.
func (p ProblemsError) Error() string {
	var b strings.Builder
	b.WriteString("these settings cannot be used:")
	for _, x := range p {
		fmt.Fprintf(&b, "\n  %s", x.Key)
		if x.Value != "" {
			fmt.Fprintf(&b, " = %q", x.Value)
		}
		if x.Source != "" {
			fmt.Fprintf(&b, " (%s)", x.Source)
		}
		fmt.Fprintf(&b, ": %s", x.Message)
	}
	return b.String()
}

// Options are what Load reads from.
type Options struct {
	// File is the file asked for by --config; "" looks at ./config.yaml, then
	// /etc/monitor/config.yaml, and takes none when neither is there.
	File string
	// Flags holds the flags made by AddFlags; nil: none.
	Flags *pflag.FlagSet
	// Getenv is os.LookupEnv but for tests.
	Getenv func(string) (string, bool)
}

// AddFlags gives every key a flag of its own name. Only the everyday ones show
// in help; docs/configuration.md has them all.
func AddFlags(flags *pflag.FlagSet) {
	everyday := []string{"data.dir", "database.url", "redis.url", "http.addr", "http.public_url", "log.level", "log.format"}
	for _, s := range Settings() {
		flags.String(s.Key, s.Default, s.Help)
		if !slices.Contains(everyday, s.Key) {
			_ = flags.MarkHidden(s.Key) // fails only for a flag that is not there
		}
	}
}

// Load reads, types and checks the settings. The error is a ProblemsError when the
// values are at fault, and names the file when it cannot be read.
func Load(o Options) (*Config, error) {
	v := viper.NewWithOptions(viper.KeyDelimiter("."))
	v.SetConfigType("yaml")
	c := &Config{Sources: map[string]Source{}}
	if err := c.readFile(v, o.File); err != nil {
		return nil, err
	}
	settings := Settings()
	problems := unknownKeys(v, settings)
	for _, s := range settings {
		raw, source := s.find(v, o)
		c.Sources[s.Key] = source
		if message := s.assign(c, raw); message != "" {
			problems = append(problems, s.problem(raw, source, message))
			continue
		}
		if message := check(s.rule, s.value(c)); message != "" {
			problems = append(problems, s.problem(raw, source, message))
		}
	}
	problems = append(problems, c.together()...)
	if len(problems) > 0 {
		return nil, problems
	}
	return c, nil
}

func (c *Config) readFile(v *viper.Viper, asked string) error {
	candidates := []string{asked}
	if asked == "" {
		candidates = []string{"config.yaml", filepath.Join("/etc", "monitor", "config.yaml")}
	}
	for _, path := range candidates {
		file, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) && asked == "" {
			continue
		}
		if err != nil {
			return fmt.Errorf("read the configuration file: %w", err)
		}
		err = v.ReadConfig(file)
		_ = file.Close() // it was only read
		if err != nil {
			return fmt.Errorf("read the configuration file %s: %w", path, err)
		}
		c.File = path
		return nil
	}
	return nil
}

func unknownKeys(v *viper.Viper, settings []Setting) ProblemsError {
	var problems ProblemsError
	for _, key := range v.AllKeys() {
		if slices.ContainsFunc(settings, func(s Setting) bool { return s.Key == key }) {
			continue
		}
		problems = append(problems, Problem{
			Key: key, Source: FromFile,
			Message: "there is no such setting; docs/configuration.md lists all of them" + suggestion(key, settings),
		})
	}
	slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.Key, b.Key) })
	return problems
}

// suggestion names the keys of the same group, where there is such a group.
func suggestion(key string, settings []Setting) string {
	group, _, _ := strings.Cut(key, ".")
	var near []string
	for _, s := range settings {
		if strings.HasPrefix(s.Key, group+".") {
			near = append(near, s.Key)
		}
	}
	if len(near) == 0 {
		return ""
	}
	return "; did you mean one of " + strings.Join(near, ", ") + "?"
}

// find gives the raw value of the strongest source: text, or what YAML made of
// the file.
func (s Setting) find(v *viper.Viper, o Options) (any, Source) {
	if o.Flags != nil {
		if f := o.Flags.Lookup(s.Key); f != nil && f.Changed {
			return f.Value.String(), FromFlag
		}
	}
	getenv := o.Getenv
	if getenv == nil {
		getenv = os.LookupEnv
	}
	if text, ok := getenv(s.Env); ok {
		return text, FromEnv
	}
	if v.InConfig(s.Key) {
		return v.Get(s.Key), FromFile
	}
	return s.Default, FromDefault
}

func (s Setting) value(c *Config) reflect.Value {
	return reflect.ValueOf(c).Elem().FieldByIndex(s.index)
}

func (s Setting) problem(raw any, source Source, message string) Problem {
	value := toText(raw)
	if s.secret && value != "" {
		value = Secret(value).String()
	}
	return Problem{Key: s.Key, Value: value, Source: source, Message: message}
}

// assign types the raw value; the answer says what is allowed when it cannot.
func (s Setting) assign(c *Config, raw any) string {
	dst := s.value(c)
	switch s.Type {
	case "list":
		list, ok := toList(raw)
		if !ok {
			return "must be a list of texts"
		}
		dst.Set(reflect.ValueOf(list))
		return ""
	case "bool":
		b, err := strconv.ParseBool(toText(raw))
		if err != nil {
			return "must be true or false"
		}
		dst.SetBool(b)
		return ""
	case "number":
		n, err := strconv.Atoi(toText(raw))
		if err != nil {
			return "must be a whole number" + orAllowed(s.Allowed)
		}
		dst.SetInt(int64(n))
		return ""
	case "duration":
		d, err := form.ParseDuration(toText(raw))
		if err != nil {
			return `must be a duration such as "90s", "5m" or "30d"` + orAllowed(s.Allowed)
		}
		dst.SetInt(int64(d))
		return ""
	}
	switch raw.(type) {
	case []any, map[string]any:
		return "must be a text"
	}
	dst.SetString(toText(raw))
	return ""
}

func orAllowed(allowed string) string {
	if allowed == "" {
		return ""
	}
	return ", " + allowed
}

func toText(raw any) string {
	switch x := raw.(type) {
	case nil:
		return ""
	case string:
		return x
	case time.Duration:
		return form.FormatDuration(x)
	}
	return fmt.Sprint(raw)
}

func toList(raw any) ([]string, bool) {
	list := []string{}
	switch x := raw.(type) {
	case nil:
	case string:
		for part := range strings.SplitSeq(x, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
	case []any:
		for _, item := range x {
			text, ok := item.(string)
			if !ok {
				return nil, false
			}
			list = append(list, text)
		}
	default:
		return nil, false
	}
	return list, true
}
