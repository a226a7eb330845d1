package config

import (
	"fmt"
	"io"
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
		line := fmt.Sprintf("%s: %s", s.Key, s.yaml(s.show(c)))
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
		items := strings.Split(text, ",")
		for i, item := range items {
			items[i] = fmt.Sprintf("%q", item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	return fmt.Sprintf("%q", text)
}

// Example is config/config.example.yaml.
func Example() string {
	var b strings.Builder
	b.WriteString("# Every setting with its default. Copy what you change to config.yaml beside the\n" +
		"# binary, to /etc/monitor/config.yaml, or to any file named by --config.\n" +
		"# Precedence: flag > environment > file > default. Generated: go generate ./config\n")
	group := ""
	for _, s := range Settings() {
		head, name, _ := strings.Cut(s.Key, ".")
		if head != group {
			group = head
			fmt.Fprintf(&b, "\n%s:\n", head)
		}
		fmt.Fprintf(&b, "  # %s\n", s.Help)
		if s.Allowed != "" {
			fmt.Fprintf(&b, "  # Allowed: %s.\n", s.Allowed)
		}
		fmt.Fprintf(&b, "  %s: %s\n", name, s.yaml(s.Default))
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
