package config

import (
	"fmt"
	"io"
	"reflect"
	"strings"
)

// Print writes the effective settings with their sources, secrets masked.
func (c *Config) Print(w io.Writer) error {
	file := c.File
	if file == "" {
		file = "none"
	}
	if _, err := fmt.Fprintf(w, "# configuration file: %s\n", file); err != nil {
		return err
	}
	for _, s := range Settings() {
		value := s.yaml(s.show(c))
		if list, ok := reflect.TypeAssert[[]string](s.value(c)); ok && !s.secret {
			value = yamlList(list) // whose texts may hold commas
		}
		line := fmt.Sprintf("%s: %s", s.Key, value)
		if _, err := fmt.Fprintf(w, "%-60s # %s\n", line, c.Sources[s.Key]); err != nil {
			return err
		}
	}
	return nil
}

// yaml spells a value for a YAML file.
func (s Setting) yaml(text string) string {
	switch s.Type {
	case "number", "bool":
		return text
	case "list":
		if text == "" {
			return "[]"
		}
		return yamlList(strings.Split(text, ","))
	}
	return fmt.Sprintf("%q", text)
}

func yamlList(items []string) string {
	quoted := make([]string, len(items))
	for i, item := range items {
		quoted[i] = fmt.Sprintf("%q", item)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// Example is config/config.example.yaml.
func Example() string {
	var b strings.Builder
	b.WriteString("# Every setting with its default. Copy what you change to config.yaml beside the\n" +
		"# binary, to /etc/monitor/config.yaml, or to any file named by --config.\n" +
		"# Precedence: flag > environment > file > default. Generated: go generate ./config\n")
	group, within := "", ""
	for _, s := range Settings() {
		head, name, _ := strings.Cut(s.Key, ".")
		if head != group {
			group, within = head, ""
			fmt.Fprintf(&b, "\n%s:\n", head)
		}
		indent := "  "
		if inner, rest, nested := strings.Cut(name, "."); nested {
			if inner != within {
				within = inner
				fmt.Fprintf(&b, "  %s:\n", inner)
			}
			name, indent = rest, "    "
		}
		fmt.Fprintf(&b, "%s# %s\n", indent, s.Help)
		if s.Allowed != "" {
			fmt.Fprintf(&b, "%s# Allowed: %s.\n", indent, s.Allowed)
		}
		fmt.Fprintf(&b, "%s%s: %s\n", indent, name, s.yaml(s.Default))
	}
	return b.String()
}

// Markdown is docs/configuration.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString("# Settings\n\n" +
		"Generated from the code (`go generate ./config`); a test keeps it true.\n\n" +
		"A setting comes from the first of these that has it: a flag (`--http.addr :9000`), an environment variable\n" +
		"(`MONITOR_HTTP_ADDR=:9000`; lists are comma-separated), the file (`--config FILE`, else `./config.yaml`, else\n" +
		"`/etc/monitor/config.yaml`), the default. Durations are `\"90s\"`, `\"5m\"`, `\"30d\"`. A key that does not exist or a\n" +
		"value that cannot be used stops the start with all errors at once. `monitor config print` shows the effective\n" +
		"settings and where each comes from.\n\n" +
		"| key | environment | type | default | allowed | meaning |\n|---|---|---|---|---|---|\n")
	for _, s := range Settings() {
		value := "*(empty)*"
		if s.Default != "" {
			value = "`" + strings.ReplaceAll(s.Default, ",", ", ") + "`"
		}
		allowed := s.Allowed
		if allowed == "" {
			allowed = "anything"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s | %s |\n", s.Key, s.Env, s.Type, value, cell(allowed), cell(s.Help))
	}
	return b.String()
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
